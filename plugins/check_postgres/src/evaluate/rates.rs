//! What was done since the last run.

use common::number::{Number, percent};
use common::report::Item;
use common::state::State;
use common::text::Text;
use common::units::duration;

use super::groups::{Context, LOG, finish};
use super::past::Rates;
use crate::metrics::{
    CACHE_HIT_PERCENT, COMMITS_PER_SECOND, DEADLOCKS, DEADLOCKS_PER_SECOND, ROLLBACK_PERCENT, ROLLBACKS_PER_SECOND,
    TEMP_FILES_PER_SECOND, TUPLES_READ_PER_SECOND, TUPLES_WRITTEN_PER_SECOND,
};
use crate::snapshot::Database;

pub(super) fn rates(context: &Context, _: &[Database]) -> Item {
    let mut judging = context.judging("rates");
    let Some(rates) = Rates::of(context) else {
        return finish(
            judging,
            match context.kept {
                Some(_) => "the server or its statistics began anew; a new baseline is taken",
                None => "baseline taken",
            },
        );
    };
    let sum = &rates.sum;
    let per_second = |count: u64| rates.per_second(count);
    judging.add(&COMMITS_PER_SECOND, per_second(sum.commits), "commits/s:");
    judging.add(&ROLLBACKS_PER_SECOND, per_second(sum.rollbacks), "rollbacks/s:");
    let rolled_back = percent(sum.rollbacks, sum.commits.saturating_add(sum.rollbacks)).and_then(Number::real);
    let most = |of: fn(&Database) -> u64| worst(&rates.each, of);
    let phrase = format!("{{}} of the transactions were rolled back{}", most(|database| database.rollbacks));
    if judging.add(&ROLLBACK_PERCENT, rolled_back, &phrase) != State::Ok {
        judging.item.next.push(format!("{LOG} (the errors that made them roll back)").into());
    }
    let phrase =
        format!("{} deadlocks since the last run{}, deadlocks", sum.deadlocks, most(|database| database.deadlocks));
    let mut deadlocks = judging.add(&DEADLOCKS, Number::from(sum.deadlocks), &phrase);
    deadlocks = deadlocks.max(judging.add(&DEADLOCKS_PER_SECOND, per_second(sum.deadlocks), "deadlocks/s:"));
    if deadlocks != State::Ok {
        judging.item.next.push(format!("{LOG} ('deadlock detected' names both statements)").into());
    }
    judging.add(
        &CACHE_HIT_PERCENT,
        percent(sum.hits, sum.hits.saturating_add(sum.reads)).and_then(Number::real),
        "{} of the pages were in shared buffers",
    );
    judging.add(&TUPLES_READ_PER_SECOND, per_second(sum.rows_read), "rows read/s:");
    judging.add(&TUPLES_WRITTEN_PER_SECOND, per_second(sum.rows_written), "rows written/s:");
    judging.add(&TEMP_FILES_PER_SECOND, per_second(sum.temp_files), "temporary files/s:");
    let deadlocks = match sum.deadlocks {
        0 => String::new(),
        count => format!(", {count} deadlocks{}", most(|database| database.deadlocks)),
    };
    let rolled_back = rolled_back.map(|share| format!(", {} % rolled back", share.rounded(1))).unwrap_or_default();
    finish(
        judging,
        format!(
            "{} commits/s{rolled_back}{deadlocks} over {}",
            per_second(sum.commits).rounded(1),
            duration(rates.elapsed)
        ),
    )
}

/// The database with most of what `of` counts, in words; nothing where none has any.
fn worst(each: &[Database], of: fn(&Database) -> u64) -> String {
    match each.iter().max_by_key(|database| of(database)).filter(|database| of(database) > 0) {
        Some(database) => format!(" (most in {}: {})", Text::limited(&database.name, 60), of(database)),
        None => String::new(),
    }
}
