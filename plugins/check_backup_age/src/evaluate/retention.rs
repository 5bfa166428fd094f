//! How many valid dumps there are, and room for the next.

use common::number::{Number, float};
use common::report::Item;
use common::state::State;
use common::text::{Text, shell_word};
use common::units::{bytes, counted};

use crate::evaluate::{Context, name};
use crate::metrics::{COUNT, DUMPS, FREE_SPACE_RATIO};
use crate::parse::Outcome;
use crate::snapshot::Dump;

/// Dumps that are listed at `-v`, at most.
const LISTED: usize = 20;
/// Broken dumps that are named, at most.
const NAMED: usize = 5;

/// The valid dumps.
pub fn retention(context: &Context) -> Item {
    let snapshot = context.snapshot;
    let mut judging = context.judging("retention");
    let valid = snapshot.dumps.iter().filter(|dump| context.is_valid(dump) && !context.may_be_unfinished(dump)).count();
    let count = Number::from(valid);
    if is_enough_of_named(context, valid) {
        judging.show(&COUNT, count);
    } else if context.is_unclear() && context.config.thresholds.judge(&COUNT, None, count).state != State::Ok {
        judging.show(&COUNT, count);
        let text = match valid {
            0 => "no dump is known to be valid".to_owned(),
            _ => format!("only {} known to be valid", counted(valid, "dump")),
        };
        judging.problem(State::Unknown, text);
    } else if valid == 0 && is_overwritten(context) {
        judging.show(&COUNT, count);
        judging.problem(State::Warning, "the only dump is being overwritten, so that there is none now");
        judging.item.next.push("write to another name and mv it over the old one when it is complete".into());
    } else {
        judging.add(&COUNT, count, "valid dumps:");
    }
    if snapshot.is_incomplete {
        judging.problem(State::Unknown, "time was over before all dumps were looked for");
        judging.item.next.push("give it more time (-t 60s), or name fewer with --pattern".into());
    }
    judging.show(&DUMPS, Number::from(snapshot.found));
    let is_bad = judging.item.state != State::Ok;
    let mut item = judging.finish(text(context, valid));
    if is_bad && snapshot.dumps.is_empty() && snapshot.troubles.is_empty() {
        item.next.push("look at the backup job: no dump was found".into());
    }
    // The newest has an item of its own.
    let older = snapshot.dumps.iter().filter(|dump| !context.may_be_unfinished(dump)).skip(1);
    let broken = older.filter_map(|dump| Some(format!("{}: {}", name(dump), fault(dump)?).into()));
    item.causes.extend(at_most(NAMED, broken.collect()));
    item.children = snapshot.dumps.iter().take(LISTED).map(|dump| listed(context, dump)).collect();
    item
}

fn count_of(count: usize) -> u64 {
    u64::try_from(count).unwrap_or(u64::MAX)
}

/// Of dumps that are named one by one there can be no more than those; one that is overwritten each night is one.
fn is_enough_of_named(context: &Context, valid: usize) -> bool {
    let named = context.config.options.paths.len();
    context.snapshot.only_named && valid > 0 && valid >= named.min(2) && !context.is_asked_for(&COUNT)
}

/// Whether the only dump was valid in an earlier run, and is being written now.
fn is_overwritten(context: &Context) -> bool {
    let Some(dump) = context.snapshot.dumps.first() else { return false };
    let was_valid = |kept: &crate::snapshot::Kept| !kept.sizes.is_empty();
    context.may_be_unfinished(dump) && context.kept.is_some_and(was_valid)
}

/// The first of `lines`, and how many there are besides.
fn at_most(limit: usize, mut lines: Vec<Text>) -> Vec<Text> {
    let surplus = lines.len().saturating_sub(limit);
    lines.truncate(limit);
    if surplus > 0 {
        lines.push(format!("{surplus} more").into());
    }
    lines
}

fn fault(dump: &Dump) -> Option<String> {
    match &dump.inspection.outcome {
        Outcome::Broken(fault) => Some(fault.to_string()),
        _ => None,
    }
}

fn text(context: &Context, valid: usize) -> String {
    let found = context.snapshot.found;
    let unverified = found.saturating_sub(count_of(context.snapshot.dumps.len()));
    let rest = if unverified > 0 { format!(", {unverified} not looked at") } else { String::new() };
    format!("{}, {valid} known to be valid{rest}", counted(found, "dump"))
}

fn listed(context: &Context, dump: &Dump) -> Item {
    let state = match &dump.inspection.outcome {
        _ if context.may_be_unfinished(dump) => "not complete yet".to_owned(),
        Outcome::Sound => "valid".to_owned(),
        Outcome::Broken(fault) => fault.to_string(),
        Outcome::Unverified(reason) => reason.to_string(),
    };
    Item::ok(name(dump), format!("begun {}, {}, {state}", context.ago(dump.made.at), bytes(dump.file.identity.size)))
}

/// Room for the next dump.
pub fn space(context: &Context) -> Option<Item> {
    let (dump, space) = (context.newest?, context.snapshot.space.as_ref()?);
    let mut judging = context.judging("space");
    let directory = dump.file.path.parent().map(|path| path.to_string_lossy().into_owned()).unwrap_or_default();
    let text = match space {
        Err(reason) => {
            let text = format!("free space is not known: {reason}");
            judging.problem(State::Unknown, text.clone());
            text
        }
        Ok(space) => {
            let ratio = Number::real(float(space.free) / float(dump.file.identity.size.max(1)));
            judging.add(&FREE_SPACE_RATIO, ratio, "room for {} times the newest dump");
            format!("{} free, the newest dump has {}", bytes(space.free), bytes(dump.file.identity.size))
        }
    };
    let is_bad = judging.item.state != State::Ok;
    let item = judging.finish(text);
    Some(if is_bad {
        item.then(format!("df -h {0}; ls -lt {0} (which dumps can go?)", shell_word(&directory)))
    } else {
        item
    })
}
