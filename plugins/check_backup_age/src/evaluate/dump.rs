//! The newest dump, and the newest that is valid.

use common::number::Number;
use common::report::Item;
use common::state::State;
use common::units::{bytes, counted};

use crate::evaluate::{Context, advice, figures, name, policies};
use crate::metrics::{AGE, SIZE};
use crate::parse::{Format, Header, Inspection, Outcome, Unverified};
use crate::snapshot::{Clock, Dump};

/// Dumps that are being written are listed, at most.
const LISTED: usize = 5;
/// A copy is written later than its dump by more than this many seconds, which no dump takes.
const LATER: i64 = 2 * 86_400;

/// The newest dump that is not one that is being written.
fn newest_complete<'a>(context: &Context<'a>) -> Option<&'a Dump> {
    context.snapshot.dumps.iter().find(|dump| !context.may_be_unfinished(dump))
}

/// The newest dump, if it is not valid and not one that is being written.
pub fn broken(context: &Context) -> Option<Item> {
    let dump = newest_complete(context).filter(|dump| !context.is_valid(dump))?;
    let label = name(dump);
    let about = format!("{}, written {}", bytes(dump.file.identity.size), context.ago(dump.file.identity.written()));
    let item = match &dump.inspection.outcome {
        Outcome::Broken(fault) => {
            let mut item = Item::new(label.clone(), State::Critical, format!("{fault} ({about})"));
            item.causes.extend(fault.kind.cause().map(Into::into));
            item.next = advice::after(fault, dump, context);
            item.headline(format!("newest dump {label}: {fault}"))
        }
        Outcome::Unverified(reason) => {
            let mut item = Item::new(label.clone(), State::Unknown, format!("{reason} ({about})"));
            item.next.extend(remedy(reason).map(Into::into));
            item.headline(format!("newest dump {label}: {reason}"))
        }
        Outcome::Sound => {
            let text = format!("it changed while it was verified ({about})");
            Item::new(label.clone(), State::Unknown, text).headline(format!("{label} changed while it was verified"))
        }
    };
    Some(item)
}

fn remedy(reason: &Unverified) -> Option<&'static str> {
    Some(match reason {
        Unverified::Interrupted => {
            "give it more time (-t 5m), or look less closely (--verify header); what is verified is remembered"
        }
        Unverified::Encrypted(_) => "--allow-encrypted makes this OK; better verify it before it is encrypted",
        Unverified::Newer(_) => {
            "a newer version of this check may know it; pg_restore -l with the newest pg_restore until then"
        }
        Unverified::Unreadable(_) => "look at the disk: dmesg, smartctl -a",
        Unverified::Older(_) | Unverified::Window(_) | Unverified::TooManyTables => return None,
    })
}

/// The newest dump that is valid, with its figures and the policies that it must keep.
pub fn newest(context: &Context, dump: &Dump) -> Item {
    let label = name(dump);
    let mut judging = context.judging(label.as_str());
    let is_newest = newest_complete(context).is_some_and(|newest| newest.file.path == dump.file.path);
    if !context.snapshot.is_incomplete && (is_newest || !context.snapshot.was_interrupted) {
        figures::judge(context, dump, &mut judging);
    } else {
        // A newer one may be valid too.
        judging.show(&AGE, Number::real(context.since(dump.made.at).max(0.0)).unwrap_or(Number::ZERO));
        judging.show(&SIZE, Number::from(dump.file.identity.size));
    }
    let advice = policies::of_dump(context, dump, &mut judging);
    let is_bad = judging.item.state != State::Ok;
    let which = if is_newest { "newest" } else { "newest valid" };
    let headline = format!("{which} dump {label}: {}", judging.problems().join(", "));
    let mut item = judging.finish(description(context, dump));
    if is_bad {
        item.headline = headline.into();
    }
    item.next.extend(advice.into_iter().map(Into::into));
    // What to do about a newer one that is broken stands with that.
    if is_bad && is_newest && item.next.is_empty() {
        item.next.push(advice::dump_again(dump, context).into());
    }
    with_notes(item, context, dump)
}

/// `tar of database kwanza, 12 MiB, begun 3h ago, by pg_dump 15.14, 14 tables, 14 with data`.
fn description(context: &Context, dump: &Dump) -> String {
    let Inspection { format, wrapper, header, contents, .. } = &dump.inspection;
    let mut kind = format.map_or_else(|| "dump".to_owned(), |format| format.to_string());
    if let Some(wrapper) = wrapper {
        kind = format!("{kind} in {wrapper}");
    }
    if let Some(database) = header.as_ref().and_then(|header| header.database.as_ref()) {
        kind = format!("{kind} of database {database}");
    }
    let mut parts = vec![kind, bytes(dump.file.identity.size), format!("begun {}", context.ago(dump.made.at))];
    if let Some(version) = header.as_ref().and_then(pg_dump) {
        parts.push(format!("by pg_dump {version}"));
    }
    if let Some(tables) = contents.tables {
        let with_data = contents.tables_with_data.map(|count| format!(", {count} with data")).unwrap_or_default();
        parts.push(format!("{}{with_data}", counted(tables, "table")));
    }
    parts.join(", ")
}

/// `15.14` of `15.14 (Debian 15.14-0+deb12u1)`.
pub fn pg_dump(header: &Header) -> Option<&str> {
    header.pg_dump_version.as_deref()?.split_whitespace().next()
}

fn with_notes(mut item: Item, context: &Context, dump: &Dump) -> Item {
    let took = common::units::duration(dump.verify_time);
    let when = if dump.is_remembered { "by an earlier run, and unchanged since" } else { "by this run" };
    let mut note = |level: u8, text: String| item.notes.push((level, text.into()));
    if !dump.is_encrypted() {
        note(1, format!("verified ({}) in {took}, {when}", context.config.level));
    }
    if dump.file.identity.written().saturating_sub(dump.inspection.ended.unwrap_or(dump.made.at)) > LATER {
        note(
            1,
            format!(
                "its file was written {}: a copy, which does not make it newer",
                context.ago(dump.file.identity.written())
            ),
        );
    }
    for text in restoring(dump) {
        note(1, text);
    }
    if let Some((path, is_same)) = &context.snapshot.data_directory {
        let relation = if *is_same { "on the same device as" } else { "on another device than" };
        note(1, format!("it is {relation} the data in {}", path.display()));
    }
    note(2, format!("{}: {}", dump.file.path.display(), clock(dump.made.clock)));
    if dump.file.is_link {
        note(2, "the path is a symbolic link".to_owned());
    }
    item
}

fn clock(clock: Clock) -> &'static str {
    match clock {
        Clock::Inside => "its time is that of its first member, in UTC",
        Clock::Given => "its time is inside it, in the zone of --dump-timezone",
        Clock::Local => "its time is inside it, taken for that of this machine",
        Clock::Utc => "its time is inside it, taken for UTC, as that of this machine does not fit its mtime",
        Clock::Mtime => "its time is its mtime, as there is none inside it",
    }
}

/// What somebody who restores it should know.
fn restoring(dump: &Dump) -> Vec<String> {
    let mut notes = Vec::new();
    let archive = matches!(dump.inspection.format, Some(Format::Tar | Format::Custom | Format::Directory));
    if dump.inspection.format == Some(Format::Tar) {
        notes.push("to restore: a tar dump cannot be restored in parallel (-j); -F c and -F d can".to_owned());
    }
    if archive && !dump.inspection.contents.has_database_entry {
        notes.push(
            "to restore: without --create, into a database made before, as it has no entry of its database".to_owned(),
        );
    }
    if archive && let Some(version) = dump.inspection.header.as_ref().and_then(pg_dump) {
        let major = version.split('.').next().unwrap_or(version);
        notes.push(format!("to restore: with pg_restore {major} or newer"));
    }
    notes
}

/// Dumps that may still be being written.
pub fn unfinished(context: &Context) -> Vec<Item> {
    let unfinished = context.snapshot.dumps.iter().filter(|dump| context.may_be_unfinished(dump));
    let item = |dump: &Dump| {
        let written = context.ago(dump.file.identity.written());
        let item = Item::ok(
            name(dump),
            format!("not complete, {}, written {written}: may be being written", bytes(dump.file.identity.size)),
        );
        match &dump.inspection.outcome {
            Outcome::Broken(fault) => item.note(1, format!("so far {fault}")),
            _ => item,
        }
    };
    unfinished.take(LISTED).map(item).collect()
}
