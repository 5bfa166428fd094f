//! The archiver of WAL, on which point in time recovery rests.

use common::judging::Judging;
use common::number::Number;
use common::report::Item;
use common::state::State;
use common::text::Text;
use common::units::{counted, duration};

use super::groups::{Context, LOG, finish, of};
use super::{groups, past};
use crate::metrics::{ARCHIVE_AGE, ARCHIVE_FAILURES, WAL_READY_FILES};
use crate::snapshot::Archiving;

/// The item; none where nothing is archived and nothing need be.
pub(super) fn item(context: &Context) -> Option<Item> {
    let server = context.server();
    // A standby archives only what it is told to archive always.
    let is_archiving = server.archive_mode == "always" || (server.archive_mode == "on" && !server.is_standby);
    if is_archiving {
        return of(context, "archiving", context.snapshot.archiving.as_ref(), archiving);
    }
    if !context.options.require_pitr || server.is_standby {
        return None;
    }
    let text = "archive_mode is off, so no point in time can be recovered to";
    Some(Item::new("archiving", State::Critical, text).headline(text).then(
        "ALTER SYSTEM SET archive_mode = on; ALTER SYSTEM SET archive_command = '…'; docker-compose restart postgres",
    ))
}

fn archiving(context: &Context, found: &Archiving) -> Item {
    let mut judging = context.judging("archiving");
    judging.add(&ARCHIVE_AGE, found.archived_age.and_then(groups::number), "the last WAL file was archived {} ago");
    judging.add(&ARCHIVE_FAILURES, past::archive_failures(context, found), "failures to archive since the last run:");
    failing(&mut judging, found);
    let ready = found.ready.map(Number::from);
    if judging.add(&WAL_READY_FILES, ready, "{} WAL files wait to be archived") != State::Ok {
        judging.item.causes.push("pg_wal grows until its disk is full, and then the server stops".into());
    }
    match context.server().major() {
        _ if ready.is_some() => {}
        10 => judging.item.notes.push((1, "version 10 counts the files that wait for superusers alone".into())),
        major => {
            let grant =
                if major == 11 { "GRANT EXECUTE ON FUNCTION pg_ls_dir(text) TO" } else { groups::GRANT_MONITOR };
            judging.problem(State::Unknown, "the role may not count the WAL files that wait");
            judging.item.next.push(context.grant(grant).into());
        }
    }
    let last =
        found.archived_age.map_or_else(|| "none archived yet".to_owned(), |age| format!("last {} ago", duration(age)));
    let waiting = found.ready.map(|ready| format!(", {ready} waiting")).unwrap_or_default();
    finish(judging, format!("{} archived, {last}{waiting}", counted(found.archived, "file")))
}

/// Whether the last attempt failed.
fn failing(judging: &mut Judging, found: &Archiving) {
    let Some(failed) = found.failed_age else { return };
    let file = Text::limited(found.failed_file.as_deref().unwrap_or("a file"), 60);
    if found.archived_age.is_some_and(|archived| archived <= failed) {
        judging.item.notes.push((1, format!("the last failure was {} ago ({file})", duration(failed)).into()));
        return;
    }
    let since = match found.archived_age {
        Some(archived) => format!("nothing was archived for {}", duration(archived)),
        None => "nothing was ever archived".to_owned(),
    };
    judging.problem(State::Critical, format!("archiving fails: {file} {} ago, {since}", duration(failed)));
    judging.item.causes.push(format!("{} failed attempts since the statistics were reset", found.failed).into());
    judging.item.next.push(format!("{LOG} (what archive_command says)").into());
    judging.item.next.push("SHOW archive_command; is its target reachable, and has it space?".into());
}
