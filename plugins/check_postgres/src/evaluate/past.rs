//! What earlier runs tell, and what this one leaves for the next.

use std::collections::BTreeMap;

use common::number::{Number, float};

use super::groups::Context;
use crate::snapshot::{Archiving, Database, DatabaseSize, Kept};

/// Sizes are kept this far apart, in seconds, and this long.
const SIZE_STEP: f64 = 3600.0;
const SIZE_SPAN: f64 = 7.0 * 86_400.0;
const DAY: f64 = 86_400.0;
/// Two readings of one start differ by less.
const SAME_START: f64 = 0.001;

/// What was counted since the last run.
#[derive(Debug)]
pub(super) struct Rates {
    /// Seconds since then, by the server's clock.
    pub(super) elapsed: f64,
    /// The growth in all databases.
    pub(super) sum: Database,
    /// The growth in each database that was there.
    pub(super) each: Vec<Database>,
}

impl Rates {
    /// The growth since the last run; `None` without one, and after a restart, a reset or a crash.
    pub(super) fn of(context: &Context) -> Option<Self> {
        let Some(Ok(databases)) = &context.snapshot.databases else { return None };
        let kept = baseline(context)?;
        let elapsed = context.server().now - kept.counted;
        if elapsed <= 0.0 {
            return None;
        }
        let before: BTreeMap<i64, &Database> = kept.databases.iter().map(|database| (database.oid, database)).collect();
        let each: Vec<Database> = databases.iter().filter_map(|now| growth(now, before.get(&now.oid)?)).collect();
        if each.is_empty() {
            return None;
        }
        let sum = each.iter().fold(Database::default(), add);
        Some(Self { elapsed, sum, each })
    }

    /// `count` per second.
    pub(super) fn per_second(&self, count: u64) -> Number {
        Number::real(float(count) / self.elapsed).unwrap_or(Number::ZERO)
    }
}

/// Whether the server was started since the last run, or is another one.
pub(super) fn was_restarted(context: &Context) -> bool {
    let server = context.server();
    context.kept.is_some_and(|kept| kept.system == server.system && (kept.started - server.started).abs() > SAME_START)
}

/// What the last run kept of this life of the server.
fn baseline<'a>(context: &Context<'a>) -> Option<&'a Kept> {
    let server = context.server();
    context.kept.filter(|kept| kept.system == server.system && !was_restarted(context))
}

/// The growth of one database; `None` if its counters began anew.
fn growth(now: &Database, before: &Database) -> Option<Database> {
    if now.reset != before.reset {
        return None;
    }
    Some(Database {
        name: now.name.clone(),
        oid: now.oid,
        reset: now.reset,
        commits: now.commits.checked_sub(before.commits)?,
        rollbacks: now.rollbacks.checked_sub(before.rollbacks)?,
        deadlocks: now.deadlocks.checked_sub(before.deadlocks)?,
        reads: now.reads.checked_sub(before.reads)?,
        hits: now.hits.checked_sub(before.hits)?,
        rows_read: now.rows_read.checked_sub(before.rows_read)?,
        rows_written: now.rows_written.checked_sub(before.rows_written)?,
        temp_files: now.temp_files.checked_sub(before.temp_files)?,
        temp_bytes: now.temp_bytes.checked_sub(before.temp_bytes)?,
        checksum_failures: now.checksum_failures.map(|now| now.saturating_sub(before.checksum_failures.unwrap_or(0))),
        checksum_age: None,
    })
}

fn add(sum: Database, one: &Database) -> Database {
    Database {
        commits: sum.commits.saturating_add(one.commits),
        rollbacks: sum.rollbacks.saturating_add(one.rollbacks),
        deadlocks: sum.deadlocks.saturating_add(one.deadlocks),
        reads: sum.reads.saturating_add(one.reads),
        hits: sum.hits.saturating_add(one.hits),
        rows_read: sum.rows_read.saturating_add(one.rows_read),
        rows_written: sum.rows_written.saturating_add(one.rows_written),
        temp_files: sum.temp_files.saturating_add(one.temp_files),
        temp_bytes: sum.temp_bytes.saturating_add(one.temp_bytes),
        checksum_failures: Some(sum.checksum_failures.unwrap_or(0).saturating_add(one.checksum_failures.unwrap_or(0))),
        ..sum
    }
}

/// Attempts to archive that failed since the last run.
pub(super) fn archive_failures(context: &Context, found: &Archiving) -> Option<Number> {
    let (before, reset) = baseline(context)?.archive_failures?;
    let grown = found.failed.checked_sub(before).filter(|grown| *grown >= 0 && reset == found.reset)?;
    Some(Number::from(grown))
}

/// The growth of a database per day, over the longest time that is known of.
pub(super) fn growth_per_day(context: &Context, database: &DatabaseSize) -> Option<f64> {
    let kept = context.kept.filter(|kept| kept.system == context.server().system)?;
    let now = context.server().now;
    let (at, bytes) = kept.sizes.get(&database.name)?.iter().find(|(at, _)| now - at <= SIZE_SPAN)?;
    let span = now - at;
    (span >= SIZE_STEP).then(|| (float(database.bytes) - float(*bytes)) * DAY / span)
}

/// Samples of a size with the newest one, where the last is old enough.
fn with_size(known: &[(f64, u64)], now: f64, bytes: u64) -> Vec<(f64, u64)> {
    let mut sizes: Vec<(f64, u64)> =
        known.iter().copied().filter(|(at, _)| *at <= now && now - at <= SIZE_SPAN).collect();
    if sizes.last().is_none_or(|(at, _)| now - at >= SIZE_STEP) {
        sizes.push((now, bytes));
    }
    sizes
}

/// What is kept. What was not asked for this time stays as it was.
pub(super) fn keep(context: &Context) -> Kept {
    let (server, snapshot) = (context.server(), context.snapshot);
    let kept = context.kept.filter(|kept| kept.system == server.system);
    let sizes = match &snapshot.sizes {
        Some(Ok(sizes)) => sizes
            .databases
            .iter()
            .map(|database| {
                let known = kept.and_then(|kept| kept.sizes.get(&database.name)).map(Vec::as_slice).unwrap_or_default();
                (database.name.clone(), with_size(known, server.now, database.bytes))
            })
            .collect(),
        _ => kept.map(|kept| kept.sizes.clone()).unwrap_or_default(),
    };
    let same_life = baseline(context);
    let (counted, databases) = match &snapshot.databases {
        Some(Ok(databases)) => (server.now, databases.clone()),
        _ => same_life.map(|kept| (kept.counted, kept.databases.clone())).unwrap_or_default(),
    };
    let archive_failures = match &snapshot.archiving {
        Some(Ok(archiving)) => Some((archiving.failed, archiving.reset)),
        _ => same_life.and_then(|kept| kept.archive_failures),
    };
    let system = server.system.clone();
    Kept { system, started: server.started, counted, databases, archive_failures, sizes }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counters_that_fell_or_were_reset_have_no_growth() {
        let before = Database { commits: 5, reset: Some(1.0), ..Database::default() };
        let now = Database { commits: 7, ..before.clone() };
        assert_eq!(growth(&now, &before).map(|growth| growth.commits), Some(2));
        assert_eq!(growth(&before, &now), None);
        assert_eq!(growth(&Database { reset: Some(2.0), ..now }, &before), None);
    }

    #[test]
    fn sizes_are_kept_an_hour_apart_for_a_week() {
        let sizes = with_size(&[(0.0, 1), (600_000.0, 2)], 604_801.0, 3);
        assert_eq!(sizes, [(600_000.0, 2), (604_801.0, 3)]);
        assert_eq!(with_size(&sizes, 604_900.0, 4), sizes);
        // A clock that went back leaves no sample of the future.
        assert_eq!(with_size(&sizes, 601_000.0, 5), [(600_000.0, 2)]);
    }
}
