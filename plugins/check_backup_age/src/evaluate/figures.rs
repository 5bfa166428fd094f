//! Figures of a dump.

use common::judging::Judging;
use common::number::{Number, float};
use common::state::State;
use common::units::bytes;

use crate::evaluate::Context;
use crate::metrics::{
    AGE, DURATION, SIZE, SIZE_CHANGE_PERCENT, TABLES, TABLES_WITH_DATA, TOC_ENTRIES, VERIFY_TIME, WORLD_READABLE,
};
use crate::snapshot::{Dump, Size};

/// A change by less than this many bytes says nothing.
const LEAST_CHANGE: u64 = 10 << 20;
/// Clocks of two machines may be apart by this many seconds.
const SLACK: f64 = 60.0;

/// What tells the size of a dump from those of others.
pub fn size_of(dump: &Dump) -> Size {
    Size {
        made: dump.made.at,
        bytes: dump.file.identity.size,
        format: dump.inspection.format,
        wrapper: dump.inspection.wrapper,
    }
}

/// Judges the figures of the newest valid dump. What they are about stands before them in the first line.
pub fn judge(context: &Context, dump: &Dump, judging: &mut Judging) {
    let age = context.since(dump.made.at);
    if age < -SLACK {
        let text = format!("its time is {}: see --dump-timezone, and the clocks", context.ago(dump.made.at));
        judging.problem(State::Unknown, text);
    }
    judging.add(&AGE, Number::real(age.max(0.0)), "{} old");
    judging.add(&SIZE, Number::from(dump.file.identity.size), "it has {}");
    size_change(context, dump, judging);
    contents(context, dump, judging);
    let inspection = &dump.inspection;
    let duration = inspection.started.zip(inspection.ended).and_then(|(start, end)| end.checked_sub(start));
    judging.add(&DURATION, duration.map(|seconds| Number::from(seconds.max(0))), "it took {}");
    judging.add(&VERIFY_TIME, Number::real(dump.verify_time), "verification took {}");
    judging.flag(&WORLD_READABLE, dump.file.mode & 0o004 != 0, "every user of this machine can read it");
}

fn contents(context: &Context, dump: &Dump, judging: &mut Judging) {
    let contents = &dump.inspection.contents;
    judging.add(&TABLES, contents.tables.map(Number::from), "{} tables");
    let with_data = contents.tables_with_data.map(Number::from);
    if context.config.options.schema_only && !context.is_asked_for(&TABLES_WITH_DATA) {
        if let Some(value) = with_data {
            judging.show(&TABLES_WITH_DATA, value);
        }
    } else {
        judging.add(&TABLES_WITH_DATA, with_data, "{} tables with data");
    }
    judging.add(&TOC_ENTRIES, contents.entries.map(Number::from), "{} entries in its table of contents");
}

/// Against the median of those before it.
fn size_change(context: &Context, dump: &Dump, judging: &mut Judging) {
    let Some(median) = median_before(context, dump).filter(|median| *median > 0) else { return };
    let size = dump.file.identity.size;
    let Some(change) = Number::real(100.0 * (float(size) - float(median)) / float(median)) else { return };
    let phrase = format!("{} instead of {}: changed by", bytes(size), bytes(median));
    let judged = context.config.thresholds.judge(&SIZE_CHANGE_PERCENT, None, change);
    if size.abs_diff(median) < LEAST_CHANGE && !context.is_asked_for(&SIZE_CHANGE_PERCENT) {
        judging.show(&SIZE_CHANGE_PERCENT, change);
    } else if size > median && judged.state == State::Critical {
        // Whatever has grown can still be restored.
        judging.show(&SIZE_CHANGE_PERCENT, change);
        let breach = judged.breach().unwrap_or_default();
        judging.problem(State::Warning, format!("{phrase} {} ({breach})", judged.human()));
    } else {
        judging.add(&SIZE_CHANGE_PERCENT, change, &phrase);
    }
}

/// The median size of the dumps before `dump` that are of its kind.
fn median_before(context: &Context, dump: &Dump) -> Option<u64> {
    let own = size_of(dump);
    let is_like = |size: &Size| size.made < own.made && (size.format, size.wrapper) == (own.format, own.wrapper);
    let known = super::sizes(context);
    let mut sizes: Vec<u64> = known.iter().filter(|size| is_like(size)).map(|size| size.bytes).collect();
    sizes.sort_unstable();
    let (low, high) = (sizes.get(sizes.len().checked_sub(1)? / 2)?, sizes.get(sizes.len() / 2)?);
    Some(low.midpoint(*high))
}
