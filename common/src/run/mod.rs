//! One check run: from the command line to the exit code. Nothing else prints or exits.

mod progress;
mod screen;
mod signals;

use std::ffi::OsString;
use std::fs::File;
use std::io::{IsTerminal as _, Write as _};
use std::os::fd::AsFd as _;
use std::panic::PanicHookInfo;
use std::process::ExitCode;
use std::sync::atomic::{AtomicBool, AtomicU8, Ordering};
use std::sync::{PoisonError, RwLock};
use std::thread;
use std::time::Duration;

use clap::error::ErrorKind;
use clap::{Args, CommandFactory as _, FromArgMatches as _};
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::child;
use crate::clock::Clock;
use crate::deadline::Deadline;
use crate::glob::Glob;
use crate::metric::{Definition, Thresholds};
use crate::options::{self, CommandLine, Common};
use crate::render::{self, Format, Style};
use crate::report::{Item, Report};
use crate::state::State;
use crate::store::{Previous, Store};
use crate::terminal;
use crate::text::Text;

/// What a check plugin is made of. [`main`] does the rest.
pub trait Plugin: 'static {
    /// The program's name, `check_x`.
    const NAME: &'static str;
    /// What it checks, one sentence for `--help` and the man page.
    const ABOUT: &'static str;
    /// Version of [`Plugin::Kept`]; samples of another version are set aside.
    const KEPT_VERSION: u32;
    /// The metric that a bare range means, if there is one.
    const PRIMARY: Option<&'static str> = None;
    /// Whether it runs other programs ([`crate::child`]), which must not outlive it.
    const RUNS_PROGRAMS: bool = false;

    /// Its own options.
    type Args: Args;
    /// What one run is to do.
    type Config;
    /// What was found, unjudged.
    type Snapshot;
    /// Why nothing was found.
    type Error;
    /// What is kept for the next run.
    type Kept: Serialize + DeserializeOwned;

    /// Its metrics, given its options.
    fn metrics(arguments: &Self::Args) -> Vec<Definition>;

    /// Options to configuration. The error is one sentence on what is wrong and what would be right.
    fn configure(arguments: Self::Args, thresholds: Thresholds, common: &Common) -> Result<Self::Config, String>;

    /// What tells the samples of this target from those of another.
    fn target(config: &Self::Config) -> String;

    /// Looks. The only I/O of a plugin, with [`Plugin::investigate`], and no verdict.
    fn collect(
        config: &Self::Config,
        previous: Option<&Previous<Self::Kept>>,
        deadline: &Deadline,
    ) -> Result<Self::Snapshot, Self::Error>;

    /// Looks again for what explains `report`, which is not OK or was asked to say more (`-v`).
    /// Returns whether the snapshot has changed and is to be judged anew.
    fn investigate(
        _config: &Self::Config,
        _previous: Option<&Previous<Self::Kept>>,
        _snapshot: &mut Self::Snapshot,
        _report: &Report,
        _deadline: &Deadline,
    ) -> bool {
        false
    }

    /// Judges. Pure: no I/O and no clock but `now`.
    fn evaluate(
        config: &Self::Config,
        previous: Option<&Previous<Self::Kept>>,
        current: &Result<Self::Snapshot, Self::Error>,
        now: &Clock,
    ) -> Verdict<Self::Kept>;

    /// How often a terminal is to show what is found, if that was asked for.
    fn watch(_config: &Self::Config) -> Option<Duration> {
        None
    }

    /// What is printed in place of the status line and list, if that was asked for. Pure.
    fn printed(_config: &Self::Config, _snapshot: &Self::Snapshot) -> Option<String> {
        None
    }
}

/// What [`Plugin::evaluate`] returns.
#[derive(Debug)]
pub struct Verdict<K> {
    /// What to print.
    pub report: Report,
    /// What to keep for the next run; `None` keeps what is there.
    pub keep: Option<K>,
}

/// How and where a run's one answer goes.
#[derive(Clone, Default)]
struct Output {
    style: Style,
    exit_zero: bool,
}

impl Output {
    fn exit_code(&self, state: State) -> u8 {
        if self.exit_zero { 0 } else { state.exit_code() }
    }
}

/// What the panic hook and the watchdog print with, set as soon as it is known.
static OUTPUT: RwLock<Option<Output>> = RwLock::new(None);
/// The verdict that only wants an explanation yet, which the watchdog gives if that hangs.
static UNEXPLAINED: RwLock<Option<Report>> = RwLock::new(None);
/// Whether the one answer has been given.
static ANSWERED: AtomicBool = AtomicBool::new(false);
/// The exit code of that answer.
static EXIT_CODE: AtomicU8 = AtomicU8::new(State::Unknown.exit_code());

/// Runs plugin `P` with the arguments and environment of this process.
pub fn main<P: Plugin>() -> ExitCode {
    let arguments: Vec<OsString> = std::env::args_os().collect();
    let mut output = guess_output::<P>(&arguments);
    set_output(&output);
    std::panic::set_hook(Box::new(answer_panic));
    if P::RUNS_PROGRAMS {
        signals::handle();
    }
    let parsed = options::expand(arguments).map_err(Refusal::Usage).and_then(|arguments| {
        // An options file may have asked for another format.
        output = guess_output::<P>(&arguments);
        set_output(&output);
        parse::<P>(arguments)
    });
    let code = match parsed {
        Ok((common, arguments)) => {
            output = configured_output::<P>(&common);
            set_output(&output);
            if common.list_metrics {
                answer(&output, &render::table::render(&P::metrics(&arguments), common.format), State::Unknown)
            } else {
                check::<P>(&output, &common, arguments)
            }
        }
        Err(Refusal::Information(text)) => answer(&output, &text, State::Unknown),
        Err(Refusal::Usage(reason)) => usage_error(&output, &reason),
    };
    ExitCode::from(code)
}

/// The plugin's command line, for parsing it and for its man page.
pub fn command<P: Plugin>() -> clap::Command {
    CommandLine::<P::Args>::command()
        .name(P::NAME)
        // Else the help would call it by the name that the caller gives it, whatever that holds.
        .bin_name(P::NAME)
        .about(P::ABOUT)
        .version(concat!(env!("CARGO_PKG_VERSION"), " (monitoring-plugins-sirenia)"))
        .after_help("Exit codes: 0 OK, 1 WARNING, 2 CRITICAL, 3 UNKNOWN. The man page has the metrics and examples.")
}

/// Why there is nothing to check.
enum Refusal {
    /// Help or version was asked for.
    Information(String),
    /// The command line is wrong.
    Usage(String),
}

fn parse<P: Plugin>(arguments: Vec<OsString>) -> Result<(Common, P::Args), Refusal> {
    let parsed = command::<P>()
        .try_get_matches_from(arguments)
        .and_then(|matches| CommandLine::<P::Args>::from_arg_matches(&matches));
    match parsed {
        Ok(line) => Ok((line.common, line.plugin)),
        Err(error) => Err(match error.kind() {
            ErrorKind::DisplayHelp | ErrorKind::DisplayVersion => Refusal::Information(error.to_string()),
            _ => Refusal::Usage(one_line(&error)),
        }),
    }
}

/// clap's error and tips without its usage text, on one line.
fn one_line(error: &clap::Error) -> String {
    let text = error.to_string();
    let parts: Vec<&str> = text
        .lines()
        .map(str::trim)
        .take_while(|line| !line.starts_with("Usage:") && !line.starts_with("For more information"))
        .filter(|line| !line.is_empty())
        .map(|line| line.strip_prefix("error: ").unwrap_or(line))
        .collect();
    parts.join("; ")
}

/// The output that the raw arguments ask for, so that even a usage error comes in the format its reader parses.
fn guess_output<P: Plugin>(arguments: &[OsString]) -> Output {
    let mut output = Output { style: Style { plugin: P::NAME, ..Style::default() }, exit_zero: false };
    let words: Vec<&str> = arguments.iter().filter_map(|argument| argument.to_str()).collect();
    for (position, word) in words.iter().enumerate() {
        let value = match word.strip_prefix("--format") {
            Some("") => words.get(position + 1).copied(),
            Some(rest) => rest.strip_prefix('='),
            None => None,
        };
        match value {
            Some("json") => output.style.format = Format::Json,
            Some("openmetrics") => output.style.format = Format::OpenMetrics,
            _ => {}
        }
        output.exit_zero |= *word == "--exit-zero";
    }
    output
}

fn configured_output<P: Plugin>(common: &Common) -> Output {
    let colour = std::io::stdout().is_terminal() && std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty());
    let style = Style {
        plugin: P::NAME,
        format: common.format,
        verbosity: common.verbose.min(3),
        colour,
        perfdata: common.perfdata.iter().map(|glob| Glob::new(glob)).collect(),
    };
    Output { style, exit_zero: common.exit_zero }
}

fn check<P: Plugin>(output: &Output, common: &Common, arguments: P::Args) -> u8 {
    let metrics = P::metrics(&arguments);
    let table: Vec<&Definition> = metrics.iter().collect();
    let config = Thresholds::parse(&table, P::PRIMARY, &common.warning, &common.critical)
        .and_then(|thresholds| P::configure(arguments, thresholds, common));
    let config = match config {
        Ok(config) => config,
        Err(reason) => return usage_error(output, &reason),
    };
    if let Some(every) = P::watch(&config) {
        return repeat::<P>(output, common, &config, every);
    }
    let deadline = Deadline::after(common.timeout);
    watch(deadline.clone(), common.timeout_state.into());
    if output.style.format == Format::Nagios && terminal::is_capable() {
        progress::show(deadline.clone());
    }
    let mut round = round::<P>(output, common, &config, &deadline);
    let code = answer(output, &round.text, round.state);
    round.keep::<P>();
    code
}

/// What one look at things comes to.
struct Round<K> {
    text: String,
    state: State,
    store: Store,
    now: Clock,
    keep: Option<K>,
}

impl<K: Serialize> Round<K> {
    /// Keeps what the next run needs.
    fn keep<P: Plugin>(&mut self) {
        if let Some(keep) = &self.keep {
            self.store.write(P::KEPT_VERSION, &self.now, keep);
        }
    }
}

/// Looks, judges and explains once.
fn round<P: Plugin>(output: &Output, common: &Common, config: &P::Config, deadline: &Deadline) -> Round<P::Kept> {
    let now = Clock::now();
    let mut store = {
        let _step = deadline.step("the sample of the last run");
        Store::open(common.state_dir.as_deref(), P::NAME, &P::target(config))
    };
    let previous = store.read::<P::Kept>(P::KEPT_VERSION, &now);
    let mut current = P::collect(config, previous.as_ref(), deadline);
    let mut verdict = P::evaluate(config, previous.as_ref(), &current, &now);
    if (verdict.report.state() != State::Ok || output.style.verbosity > 0)
        && let Ok(snapshot) = &mut current
    {
        *UNEXPLAINED.write().unwrap_or_else(PoisonError::into_inner) = Some(verdict.report.clone());
        if P::investigate(config, previous.as_ref(), snapshot, &verdict.report, deadline) {
            verdict = P::evaluate(config, previous.as_ref(), &current, &now);
        }
    }
    let mut report = verdict.report;
    add_notes(&mut report, &store, deadline, output.style.verbosity);
    let is_for_readers = output.style.format == Format::Nagios;
    let printed = current.ok().filter(|_| is_for_readers).and_then(|snapshot| P::printed(config, &snapshot));
    let text = printed.unwrap_or_else(|| render::render(&report, &output.style));
    Round { text, state: report.state(), store, now, keep: verdict.keep }
}

/// Looks again and again and shows on the terminal what is found, until a signal ends that.
fn repeat<P: Plugin>(output: &Output, common: &Common, config: &P::Config, every: Duration) -> u8 {
    if output.style.format != Format::Nagios || !terminal::is_capable() {
        return usage_error(output, "watching needs a terminal and --format nagios");
    }
    let mut output = output.clone();
    // No graph is drawn from what a reader watches.
    output.style.perfdata = vec![Glob::new("")];
    screen::open();
    loop {
        let deadline = Deadline::after(common.timeout);
        let mut round = screen::with_progress(&deadline, || round::<P>(&output, common, config, &deadline));
        round.keep::<P>();
        screen::show(&round.text, output.exit_code(round.state), every);
        thread::sleep(deadline.until(every));
    }
}

/// What the run can say of itself: where its samples are and, at `-vvv`, what took how long.
fn add_notes(report: &mut Report, store: &Store, deadline: &Deadline, verbosity: u8) {
    // A report without items is UNKNOWN and stays so.
    if report.items.is_empty() {
        return;
    }
    let mut notes: Vec<(u8, Text)> = store.notes().iter().map(|note| (1, Text::from(note.as_str()))).collect();
    if verbosity >= 3 {
        let timing = |(step, took): (String, Duration)| {
            (3, Text::from(format!("{step}: {}", crate::units::duration(took.as_secs_f64()))))
        };
        notes.extend(deadline.timings().into_iter().map(timing));
    }
    let text = match store.path() {
        Some(path) => format!("samples are kept in {}", path.display()),
        None => "no samples are kept, so each run is a first run".to_owned(),
    };
    let mut item = Item::ok("run", text);
    item.notes = notes;
    if verbosity > 0 {
        report.items.push(item);
    }
}

/// Prints the one answer of this run, in one write, and returns its exit code. Only the first caller prints.
fn answer(output: &Output, text: &str, state: State) -> u8 {
    if ANSWERED.swap(true, Ordering::AcqRel) {
        return EXIT_CODE.load(Ordering::Acquire);
    }
    let code = output.exit_code(state);
    EXIT_CODE.store(code, Ordering::Release);
    write(&format!("{}{}{text}", screen::close(), progress::end()));
    code
}

/// Writes `text` at once: not through `Stdout`, which would write line by line. A reader that is gone changes nothing.
fn write(text: &str) {
    if let Ok(stdout) = std::io::stdout().as_fd().try_clone_to_owned() {
        let _ = File::from(stdout).write_all(text.as_bytes());
    }
}

fn usage_error(output: &Output, reason: &str) -> u8 {
    let text = format!("{reason}; see {} --help", output.style.plugin);
    let report = Report::single(State::Unknown, "usage", text);
    answer(output, &render_single(&report, output), State::Unknown)
}

/// A report of one finding. Its line is the whole answer in the plugin standard's form.
fn render_single(report: &Report, output: &Output) -> String {
    let text = render::render(report, &output.style);
    match output.style.format {
        Format::Nagios => text.lines().next().map(|line| format!("{line}\n")).unwrap_or_default(),
        Format::Json | Format::OpenMetrics => text,
    }
}

/// Ends the run when its time is over, whatever it is doing.
fn watch(deadline: Deadline, state: State) {
    let watchdog = move || {
        loop {
            let remaining = deadline.remaining();
            if remaining.is_zero() {
                break;
            }
            thread::sleep(remaining);
        }
        if !ANSWERED.load(Ordering::Acquire) {
            let shared = deadline.clone();
            // On a thread of its own: a reader that does not read must not hold this one.
            let last_words = thread::Builder::new().spawn(move || exit(answer_timeout(&shared, state)));
            if last_words.is_err() {
                exit(answer_timeout(&deadline, state));
            }
        }
        // The answer is being written, or the sample is; neither may hold the run for long.
        thread::sleep(Duration::from_millis(300));
        exit(EXIT_CODE.load(Ordering::Acquire));
    };
    // Without a thread there is no watchdog; the monitoring core has one of its own.
    let _ = thread::Builder::new().name("watchdog".to_owned()).stack_size(256 * 1024).spawn(watchdog);
}

fn answer_timeout(deadline: &Deadline, state: State) -> u8 {
    let output = current_output();
    let allowed = crate::units::duration(deadline.allowed().as_secs_f64());
    let pending = deadline.pending();
    let unexplained = UNEXPLAINED.write().unwrap_or_else(PoisonError::into_inner).take();
    if let Some(mut report) = unexplained {
        // What was found out is worth more than that its explanation is missing.
        let text = format!("no explanation within {allowed}, still waiting for {pending}");
        let found = report.state();
        let state = if found == State::Ok { State::Ok } else { State::Unknown };
        report.items.push(Item::new("run", state, text));
        return answer(&output, &render::render(&report, &output.style), found);
    }
    let mut report =
        Report::single(state, "timeout", format!("no answer within {allowed}, still waiting for {pending}"));
    if let Some(item) = report.items.first_mut() {
        item.next.push("--timeout allows more time, --timeout-state chooses another state".into());
    }
    answer(&output, &render::render(&report, &output.style), state)
}

fn answer_panic(panic: &PanicHookInfo<'_>) {
    let output = current_output();
    let place = panic.location().map(|at| format!(" at {}:{}", at.file(), at.line())).unwrap_or_default();
    let reason = panic.payload_as_str().unwrap_or("no reason given");
    let text = format!("internal error{place}: {}; please report it", Text::limited(reason, 200));
    let report = Report::single(State::Unknown, "internal error", text);
    let code = answer(&output, &render_single(&report, &output), State::Unknown);
    exit(code);
}

/// Ends the process from a thread that is not the main one, leaving behind threads that hang in the kernel.
#[expect(clippy::exit, reason = "the watchdog and the panic hook have no caller to return to")]
fn exit(code: u8) -> ! {
    child::end_all();
    std::process::exit(code.into())
}

fn set_output(output: &Output) {
    *OUTPUT.write().unwrap_or_else(PoisonError::into_inner) = Some(output.clone());
}

fn current_output() -> Output {
    OUTPUT.read().unwrap_or_else(PoisonError::into_inner).clone().unwrap_or_default()
}
