//! One check: what its plugin says, or why it says nothing that can be used.

use common::child::{End, Ran};
use common::metric::Metric;
use common::number::Number;
use common::report::Item;
use common::state::State;
use common::text::Text;
use common::units::duration;

use crate::cli::Config;
use crate::metrics::{CHECK_STATE, CHECK_TIME};
use crate::parse::answer::{self, Answer};
use crate::parse::config::Check;
use crate::snapshot::{Looked, Outcome};

/// What a figure of a plugin is said to be, where its own table has the words.
const HELP: &str = "A figure of the plugin that the check runs; its --list-metrics explains it";
/// Signals that end programs, by their usual names.
const SIGNALS: [(i32, &str); 8] = [
    (4, "SIGILL"),
    (6, "SIGABRT"),
    (7, "SIGBUS"),
    (8, "SIGFPE"),
    (9, "SIGKILL"),
    (11, "SIGSEGV"),
    (13, "SIGPIPE"),
    (15, "SIGTERM"),
];

/// The item of a check. All that it says carries the check's name, in the first line and in the figures.
pub(super) fn item(config: &Config, looked: &Looked) -> Item {
    let check = &looked.check;
    let mut item = match &looked.outcome {
        Outcome::Ran(ran) => ran_item(config, check, ran),
        Outcome::Missing(folders) => {
            let folders: Vec<String> = folders.iter().map(|folder| folder.display().to_string()).collect();
            failed(check, State::Unknown, "is not installed", "install it, or take the check out of the file")
                .because(format!("looked for in {}", folders.join(", ")))
        }
        Outcome::Refused(path, reason) => {
            let text = format!("cannot be run: {reason}");
            failed(
                check,
                State::Unknown,
                &text,
                &format!("ls -l {}", common::text::shell_word(&path.display().to_string())),
            )
        }
    };
    name(&mut item, &check.name);
    let state = Number::from(u32::from(item.worst().exit_code()));
    item.push(config.thresholds.judge(&CHECK_STATE, Some(&check.name), state));
    if let Outcome::Ran(ran) = &looked.outcome
        && let Some(took) = Number::real(ran.took.as_secs_f64())
    {
        // To a tenth of a millisecond, below which it is noise.
        item.push(config.thresholds.judge(&CHECK_TIME, Some(&check.name), took.rounded(4)));
    }
    if let Some(breach) = item.breach().filter(|_| item.headline.is_empty()) {
        item.headline = format!("{}: {} ({breach})", check.name, item.text).into();
    }
    item
}

/// An item on a plugin that gives no report.
fn failed(check: &Check, state: State, text: &str, next: &str) -> Item {
    Item::new(check.name.as_str(), state, format!("{} {text}", check.kind())).then(next)
}

fn ran_item(config: &Config, check: &Check, ran: &Ran) -> Item {
    let by_hand = "run it by hand with its arguments in the file";
    match ran.end {
        End::OutOfTime => {
            let text = format!("did not answer within {} and was ended", duration(ran.took.as_secs_f64()));
            failed(check, config.timeout_state, &text, "-t gives all checks more time, timeout in the file this one")
        }
        End::TooMuch => failed(check, State::Unknown, "printed without end and was ended", by_hand),
        End::Killed(signal) => {
            let name = SIGNALS.iter().find(|(number, _)| *number == signal).map(|(_, name)| format!(" ({name})"));
            let text = format!("was ended by signal {signal}{}", name.unwrap_or_default());
            failed(check, State::Unknown, &text, "dmesg -T --level=err,warn")
        }
        End::Exited(code) => match answer::parse(&ran.stdout, code) {
            Ok(answer) => answered(check, answer, &ran.stderr),
            Err(reason) => complaint(&ran.stderr)
                .into_iter()
                .fold(failed(check, State::Unknown, &reason, by_hand), |item, said| {
                    item.because(format!("stderr: {said}"))
                }),
        },
    }
}

/// What a plugin says that can be believed. One that complains beside its report is not quite well itself.
fn answered(check: &Check, answer: Answer, stderr: &[u8]) -> Item {
    let mut item = Item::ok(check.name.as_str(), answer.summary);
    item.children = answer.items;
    if item.children.is_empty() {
        item.state = State::Unknown;
    }
    if let Some(said) = complaint(stderr) {
        let text = format!("{} wrote to stderr: {said}", check.kind());
        item.children.push(Item::new("stderr", State::Unknown, text.clone()).headline(text));
    }
    item
}

/// The first line of what a program complained of.
fn complaint(stderr: &[u8]) -> Option<Text> {
    let line = stderr.trim_ascii().split(|byte| *byte == b'\n').next().filter(|line| !line.is_empty())?;
    Some(Text::limited(&String::from_utf8_lossy(line), 120))
}

/// Puts `name` before what `item` and its parts say in the first line, and before their figures.
fn name(item: &mut Item, name: &str) {
    let is_top = item.label.as_str() == name && item.headline.is_empty();
    if item.state != State::Ok {
        let said = match (item.headline.is_empty(), is_top) {
            (false, _) => item.headline.to_string(),
            (true, true) => item.text.to_string(),
            (true, false) => format!("{} {}", item.label, item.text),
        };
        item.headline = format!("{name}: {said}").into();
    }
    item.metrics.iter_mut().for_each(|metric| name_figure(metric, name));
    item.children.iter_mut().for_each(|child| self::name(child, name));
}

fn name_figure(metric: &mut Metric, name: &str) {
    let full = metric.instance.as_ref().map_or_else(|| name.to_owned(), |instance| format!("{name}:{instance}"));
    metric.instance = Some(full.into());
    metric.definition.per = Some("check");
    metric.definition.help = HELP.into();
}
