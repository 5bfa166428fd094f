//! What is shown, one thing after the other.

use std::fs;
use std::io::{self, Write};
use std::time::{Duration, Instant};

use backend::Backend;
use backend::database::{Source, Starting};
use backend::ending::Ending;

use crate::options::Options;
use crate::scenario::{Scenario, Story};
use crate::screen::Screen;
use crate::suite::{self, CONFIGURATION, Outcome, Plugin, Suite};

/// Why it ends before its end.
#[derive(Debug)]
pub enum Stop {
    /// Somebody asked for it.
    Asked,
    /// Something does not work; a sentence.
    Failed(String),
}

impl From<String> for Stop {
    fn from(reason: String) -> Self {
        Self::Failed(reason)
    }
}

impl From<io::Error> for Stop {
    fn from(error: io::Error) -> Self {
        Self::Failed(format!("cannot print: {error}"))
    }
}

/// One demonstration.
struct Course<'a, W> {
    backend: Backend,
    suite: &'a Suite,
    ending: &'a Ending,
    screen: &'a mut Screen<W>,
}

/// Shows what `options` ask for, on a backend that is gone afterwards, however this ends.
pub fn run<W: Write>(
    options: Options,
    suite: &Suite,
    ending: &Ending,
    screen: &mut Screen<W>,
    database: Starting,
) -> Result<(), Stop> {
    let begin = Instant::now();
    let backend = Backend::start(database)?;
    fs::write(backend.folder().join(CONFIGURATION), suite::configuration(&backend))
        .map_err(|error| format!("{CONFIGURATION}: {error}"))?;
    let mut course = Course { backend, suite, ending, screen };
    course.introduce()?;
    match options.scenario.and_then(Scenario::story) {
        None => course.everything_is_well()?,
        Some(story) => course.something_goes_wrong(story)?,
    }
    course.screen.gap()?;
    course.screen.say(&format!("That took {:.1} s.", begin.elapsed().as_secs_f64()))?;
    if options.keep { course.stay() } else { course.say_more(options.scenario) }
}

/// The scenarios.
pub fn list<W: Write>(screen: &mut Screen<W>) -> Result<(), Stop> {
    for (name, help) in Scenario::all() {
        screen.row(&name, &help)?;
    }
    Ok(())
}

impl<W: Write> Course<'_, W> {
    fn introduce(&mut self) -> Result<(), Stop> {
        self.screen.gap()?;
        self.screen.say(
            "The backend of the operations guide runs in this process, on loopback: an engine that plays what a real \
             one answered of its three containers, with figures that move; stand-ins for Kwanza and Cuesta; the files \
             of a host.",
        )?;
        self.screen.say("Figures for graphs, which follow the first line of a check, are counted here.")?;
        Ok(())
    }

    fn everything_is_well(&mut self) -> Result<(), Stop> {
        for plugin in Plugin::ALL {
            self.screen.heading(plugin.name())?;
            self.screen.say(plugin.about())?;
            self.prepare(plugin)?;
            let outcome = self.show(plugin)?;
            expect(plugin, &outcome, true)?;
        }
        self.screen.heading("This machine, as it is now")?;
        let arguments = ["--no-docker".to_owned()];
        let program = Plugin::DockerHost.name();
        self.screen.command(program, &arguments)?;
        let outcome = self.run(program, &arguments)?;
        self.screen.outcome(&outcome)?;
        Ok(())
    }

    fn something_goes_wrong(&mut self, story: Story) -> Result<(), Stop> {
        self.screen.heading("Before: all is well")?;
        for plugin in Plugin::ALL {
            self.prepare(plugin)?;
            let outcome = self.run(plugin.name(), &plugin.arguments(&self.backend))?;
            self.screen.headline(&outcome)?;
            expect(plugin, &outcome, true)?;
        }
        self.screen.heading(story.what)?;
        self.screen.say(story.how)?;
        self.backend.fail(story.fault)?;
        for plugin in story.finders {
            self.screen.gap()?;
            let outcome = self.show(*plugin)?;
            expect(*plugin, &outcome, false)?;
        }
        Ok(())
    }

    /// Waits for what a plugin looks at, and says what it is where it is not always the same.
    fn prepare(&mut self, plugin: Plugin) -> Result<(), Stop> {
        if plugin == Plugin::Postgres {
            let source = self.backend.database()?;
            if self.ending.is_asked() {
                return Err(Stop::Asked);
            }
            let words = match source {
                Some(Source::Machine(version)) => format!("It is PostgreSQL {version} of this machine."),
                Some(Source::Recording(why)) => format!("A recording answers: {why}."),
                None => "It is down.".to_owned(),
            };
            self.screen.say(&words)?;
        }
        Ok(())
    }

    /// Runs a plugin and shows all of it.
    fn show(&mut self, plugin: Plugin) -> Result<Outcome, Stop> {
        let arguments = plugin.arguments(&self.backend);
        self.screen.command(plugin.name(), &arguments)?;
        let outcome = self.run(plugin.name(), &arguments)?;
        self.screen.outcome(&outcome)?;
        Ok(outcome)
    }

    fn run(&self, program: &str, arguments: &[String]) -> Result<Outcome, Stop> {
        // A terminal asks the plugin too, which may end before we hear of it.
        const LATE: Duration = Duration::from_millis(200);
        match self.suite.run(program, arguments, &self.backend) {
            Ok(outcome) if !self.ending.is_asked() => Ok(outcome),
            Err(reason) if !self.ending.is_asked_within(LATE) => Err(Stop::Failed(reason)),
            _ => Err(Stop::Asked),
        }
    }

    fn say_more(&mut self, scenario: Option<Scenario>) -> Result<(), Stop> {
        if scenario.is_none() {
            self.screen.say("To see what it finds: cargo demo -- --scenario list")?;
        }
        self.screen.say("To try it by hand: cargo demo -- --keep")?;
        Ok(())
    }

    /// Prints what can be tried by hand, and waits to be asked to end.
    fn stay(&mut self) -> Result<(), Stop> {
        let folder = self.backend.folder().to_owned();
        let lines = self.suite.environment(&self.backend).map(|(name, value)| match name {
            "PATH" => format!("export PATH='{value}':\"$PATH\"\n"),
            _ => format!("export {name}='{value}'\n"),
        });
        fs::write(folder.join("env"), lines.concat()).map_err(|error| format!("{}: {error}", folder.display()))?;
        self.screen.heading("The backend stays up until ctrl-C. In another terminal:")?;
        self.screen.command("cd", &[folder.display().to_string()])?;
        self.screen.command(".", &["./env".to_owned()])?;
        for plugin in Plugin::ALL {
            self.screen.command(plugin.name(), &plugin.arguments(&self.backend))?;
        }
        self.screen.say(
            "check_backend --watch 5s shows it again and again, check_backend --init - prints such a file for what it \
             finds. docker and docker-compose, where they are installed, see the containers too.",
        )?;
        self.screen.flush()?;
        self.ending.wait();
        Ok(())
    }
}

/// The backend is well, or ill, as it was made to be; else the demonstration says nothing.
fn expect(plugin: Plugin, outcome: &Outcome, is_well: bool) -> Result<(), Stop> {
    match outcome.code {
        0 if is_well => Ok(()),
        1 | 2 if !is_well => Ok(()),
        _ => Err(Stop::Failed(format!("{} was not to say that: {}", plugin.name(), outcome.text.trim_end()))),
    }
}
