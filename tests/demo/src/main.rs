//! `cargo demo`; see the library.

use std::io::{self, IsTerminal as _, Write as _};
use std::process::ExitCode;
use std::{panic, thread};

use backend::database::{self, Starting};
use backend::ending::Ending;
use clap::Parser as _;
use demo::course::{self, Stop};
use demo::options::Options;
use demo::scenario::Scenario;
use demo::screen::Screen;
use demo::suite::Suite;

/// As a shell has it for a program that ctrl-C ended.
const INTERRUPTED: u8 = 130;

fn main() -> ExitCode {
    // `cargo demo -- --keep` and `cargo demo --keep` are the same: the alias ends with `--`.
    let mut words: Vec<_> = std::env::args_os().collect();
    if words.get(1).is_some_and(|word| word == "--") {
        words.remove(1);
    }
    match demo(Options::parse_from(words)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(Stop::Asked) => ExitCode::from(INTERRUPTED),
        Err(Stop::Failed(reason)) => {
            let _ = writeln!(io::stderr(), "demo: {reason}");
            ExitCode::FAILURE
        }
    }
}

fn demo(options: Options) -> Result<(), Stop> {
    let is_coloured = io::stdout().is_terminal() && std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty());
    let mut screen = Screen::new(io::stdout(), is_coloured);
    if options.scenario == Some(Scenario::List) {
        return course::list(&mut screen);
    }
    be_silent_about_the_database();
    let ending = Ending::listen()?;
    // It takes a second, as the build does where there is little to build.
    let database = Starting::begin()?;
    let suite = Suite::build().map_err(|reason| if ending.is_asked() { Stop::Asked } else { reason.into() })?;
    course::run(options, &suite, &ending, &mut screen, database)
}

/// What keeps PostgreSQL from starting is told where it is looked for; and who presses ctrl-C knows it.
fn be_silent_about_the_database() {
    let usual = panic::take_hook();
    panic::set_hook(Box::new(move |info| {
        if thread::current().name() != Some(database::THREAD) {
            usual(info);
        }
    }));
}
