//! The verdict, from what was found and what the last run kept. Pure.

mod advice;
mod dump;
mod figures;
mod pitr;
mod policies;
mod restore;
mod retention;
mod troubles;

use common::clock::Clock;
use common::judging::Judging;
use common::metric::Definition;
use common::number::Number;
use common::report::{Item, Report};
use common::run::Verdict;
use common::text::Text;
use common::units::Unit;
use common::units::{bytes, counted};

use crate::cli::Config;
use crate::parse::{Outcome, Unverified};
use crate::snapshot::{Dump, Kept, Remembered, Size, Snapshot};

/// Sizes that are kept for the median.
const SIZES: usize = 10;
/// Dumps that are remembered as verified.
const MOST_REMEMBERED: usize = 1000;

/// Judges a run.
pub fn evaluate(config: &Config, kept: Option<&Kept>, snapshot: &Snapshot, now: &Clock) -> Verdict<Kept> {
    let context = Context::new(config, kept, snapshot, now);
    let mut items = Vec::new();
    if !config.options.paths.is_empty() {
        items.extend(dump::broken(&context));
        items.extend(context.newest.map(|newest| dump::newest(&context, newest)));
        items.extend(troubles::troubles(&context));
        items.extend(dump::unfinished(&context));
        items.push(retention::retention(&context));
        items.extend(retention::space(&context));
        items.extend(policies::globals(&context));
        items.extend(restore::restore(&context));
    }
    items.extend(pitr::base_backup(&context));
    items.extend(pitr::wal_archive(&context));
    let mut report = Report::new(summary(&context, &items));
    report.items = items;
    Verdict { report, keep: Some(keep(&context)) }
}

/// What everything is judged with.
struct Context<'a> {
    config: &'a Config,
    kept: Option<&'a Kept>,
    snapshot: &'a Snapshot,
    /// Seconds since 1970.
    now: f64,
    /// The newest dump that is valid.
    newest: Option<&'a Dump>,
}

impl<'a> Context<'a> {
    fn new(config: &'a Config, kept: Option<&'a Kept>, snapshot: &'a Snapshot, now: &Clock) -> Self {
        let newest = snapshot.newest_valid(config.options.allow_encrypted);
        Self { config, kept, snapshot, now: now.wall, newest }
    }

    fn judging(&self, label: &str) -> Judging<'a> {
        Judging::new(&self.config.thresholds, label, None)
    }

    /// Whether `-w` or `-c` says anything of `metric`.
    fn is_asked_for(&self, metric: &Definition) -> bool {
        self.config.thresholds.are_given(metric, None)
    }

    fn is_valid(&self, dump: &Dump) -> bool {
        dump.is_valid(self.config.options.allow_encrypted)
    }

    /// Whether the dump may be one that is still being written.
    fn may_be_unfinished(&self, dump: &Dump) -> bool {
        dump.may_be_unfinished(self.now, self.config.options.grace.as_secs_f64())
    }

    /// Seconds since `at`, which is in seconds since 1970; below zero for the future.
    fn since(&self, at: i64) -> f64 {
        (self.now - Number::from(at).to_f64()).round()
    }

    /// How long ago `at` was, for a reader.
    fn ago(&self, at: i64) -> String {
        let seconds = self.since(at);
        let human = |seconds: f64| Number::real(seconds).map_or_else(String::new, |value| Unit::Seconds.human(value));
        if seconds < 0.0 { format!("{} in the future", human(-seconds)) } else { format!("{} ago", human(seconds)) }
    }

    /// Whether it is not known of some dump whether it is valid.
    fn is_unclear(&self) -> bool {
        let is_unverified = |dump: &Dump| matches!(dump.inspection.outcome, Outcome::Unverified(_));
        self.snapshot.was_interrupted
            || self.snapshot.is_incomplete
            || self.snapshot.dumps.iter().any(|dump| is_unverified(dump) && !self.is_valid(dump))
            || self.snapshot.troubles.iter().any(troubles::is_own_side)
    }
}

/// The name of a dump for a reader.
fn name(dump: &Dump) -> Text {
    let name = dump.file.path.file_name().unwrap_or(dump.file.path.as_os_str());
    Text::limited(&name.to_string_lossy(), 100)
}

/// The first line of a report that is OK.
fn summary(context: &Context, items: &[Item]) -> String {
    let mut parts = Vec::new();
    if let Some(dump) = context.newest {
        parts.push(format!("{} begun {}, {}", name(dump), context.ago(dump.made.at), bytes(dump.file.identity.size)));
        if let Some(tables) = dump.inspection.contents.tables {
            parts.push(counted(tables, "table"));
        }
        let level = context.config.level;
        parts.push(if dump.is_encrypted() { "encrypted".to_owned() } else { format!("verified ({level})") });
    }
    if context.snapshot.found > 1 {
        parts.push(format!("{} dumps", context.snapshot.found));
    }
    let of_others = ["restore test", "base backup", "WAL archive"];
    let others = items.iter().filter(|item| of_others.contains(&item.label.as_str()));
    parts.extend(others.map(|item| format!("{} {}", item.label, item.text)));
    if parts.is_empty() { "no dump is known to be valid".to_owned() } else { parts.join(", ") }
}

/// What the next run is to know.
fn keep(context: &Context) -> Kept {
    let snapshot = context.snapshot;
    let is_known = |dump: &&Dump| {
        let is_over =
            matches!(dump.inspection.outcome, Outcome::Unverified(Unverified::Interrupted | Unverified::Unreadable(_)));
        // A sample cannot hold a path that is not UTF-8.
        !is_over && !dump.has_changed && dump.file.path.to_str().is_some()
    };
    let remember = |dump: &Dump| Remembered {
        path: dump.file.path.clone(),
        identity: dump.file.identity,
        inspection: dump.inspection.clone(),
        verify_time: dump.verify_time,
    };
    let globals = snapshot.globals.as_ref().and_then(|globals| globals.newest.as_ref().ok());
    let verified = snapshot.dumps.iter().chain(globals).filter(is_known).take(MOST_REMEMBERED).map(remember).collect();
    let mut kept = Kept { verified, sizes: sizes(context), ..Kept::default() };
    kept.restored = restore::keep(context);
    kept.base = snapshot.base_verified;
    kept.sum = policies::keep_sum(context);
    kept
}

/// The sizes of the newest dumps, the latest last.
fn sizes(context: &Context) -> Vec<Size> {
    let mut sizes = context.kept.map(|kept| kept.sizes.clone()).unwrap_or_default();
    let valid = context.snapshot.dumps.iter().filter(|dump| context.is_valid(dump));
    for size in valid.map(figures::size_of) {
        // Of a dump that was written anew with the same time the later size counts.
        sizes.retain(|known| known.made != size.made);
        sizes.push(size);
    }
    sizes.sort_by_key(|size| size.made);
    let surplus = sizes.len().saturating_sub(SIZES + 1);
    sizes.drain(..surplus);
    sizes
}
