//! Pages with wrong checksums, and indexes that are not valid.

use common::judging::Judging;
use common::number::Number;
use common::report::Item;
use common::state::State;
use common::text::Text;
use common::units::{counted, duration};

use super::groups::{Context, failed, finish};
use super::past;
use crate::metrics::{CHECKSUM_FAILURES, CHECKSUM_FAILURES_DELTA, INVALID_INDEXES};
use crate::snapshot::{Database, Integrity};

pub(super) fn integrity(context: &Context, found: &Integrity) -> Item {
    let mut judging = context.judging("integrity");
    let mut parts = Vec::new();
    match &context.snapshot.databases {
        Some(Ok(databases)) => parts.extend(checksums(context, &mut judging, databases)),
        Some(Err(fault)) => judging.item.children.push(failed(context, "checksums", fault)),
        None => {}
    }
    if !context.server().data_checksums {
        judging
            .item
            .notes
            .push((1, "data checksums are off, so damaged pages go unnoticed (pg_checksums --enable)".into()));
    }
    let database = Text::limited(&context.server().database, 60);
    let first = found.names.first().map(|name| format!(", {}", Text::limited(name, 120))).unwrap_or_default();
    let phrase = format!("{} in {database}{first}:", counted(found.invalid, "invalid index"));
    if judging.add(&INVALID_INDEXES, Number::from(found.invalid), &phrase) != State::Ok {
        judging
            .item
            .causes
            .extend(found.names.iter().take(context.top()).map(|name| format!("invalid: {name}").into()));
        judging
            .item
            .causes
            .push("it costs every write and serves no statement: its CREATE INDEX CONCURRENTLY failed".into());
        let how = if context.server().major() >= 12 { "REINDEX INDEX CONCURRENTLY" } else { "DROP INDEX CONCURRENTLY" };
        let name = found.names.first().and_then(|name| name.split(" on ").next()).unwrap_or("…");
        judging.item.next.push(format!("in {database}: {how} {name}").into());
    }
    parts.push(format!("{} in {database}", counted(found.invalid, "invalid index")));
    finish(judging, parts.join(", "))
}

/// Judges the failures of all databases; says how many.
fn checksums(context: &Context, judging: &mut Judging, databases: &[Database]) -> Option<String> {
    let failures: Vec<(&Database, u64)> =
        databases.iter().filter_map(|database| Some((database, database.checksum_failures?))).collect();
    if failures.is_empty() {
        return None;
    }
    let total: u64 = failures.iter().map(|(_, count)| count).sum();
    let damaged: Vec<&(&Database, u64)> = failures.iter().filter(|(_, count)| *count > 0).collect();
    let names = damaged.iter().map(|(database, _)| called(database)).collect::<Vec<_>>().join(", ");
    let phrase = format!("pages with a wrong checksum in {names}:");
    let mut worst = judging.add(&CHECKSUM_FAILURES, Number::from(total), &phrase);
    let delta = past::Rates::of(context).map(|rates| rates.sum.checksum_failures.unwrap_or(0));
    worst = worst.max(judging.add(&CHECKSUM_FAILURES_DELTA, delta.map(Number::from), "of them since the last run:"));
    if worst != State::Ok {
        for (database, count) in damaged {
            let age = database.checksum_age.map(|age| format!(", the last {} ago", duration(age))).unwrap_or_default();
            judging.item.causes.push(format!("{}: {count}{age}", called(database)).into());
        }
        judging
            .item
            .causes
            .push("the disk, its controller or the memory damages data; dumps that read such a page fail".into());
        judging
            .item
            .next
            .push("docker-compose logs postgres, for 'page verification failed': it names the file and block".into());
        judging.item.next.push(
            "restore from a backup onto other hardware; afterwards SELECT pg_stat_reset() in that database".into(),
        );
    }
    Some(format!("{total} checksum failures"))
}

fn called(database: &Database) -> String {
    if database.name.is_empty() {
        "what all databases share".to_owned()
    } else {
        Text::limited(&database.name, 60).to_string()
    }
}
