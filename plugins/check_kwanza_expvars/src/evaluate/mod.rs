//! Verdicts. Pure: no I/O and no clock.

mod fault;
mod figures;
mod flaws;
mod memory;
mod past;
mod variables;

use std::collections::BTreeMap;

use common::judging::Judging;
use common::metric::{Definition, Metric};
use common::number::Number;
use common::report::{Item, Report};
use common::run::Verdict;
use common::state::State;

use crate::cli::Config;
use crate::parse::path;
use crate::snapshot::{Fault, Kept, Snapshot};

/// The context of a report on a program that was started anew.
const RESTARTED: &str = "restarted since the last run";

/// The report of a run and what it leaves for the next one.
pub fn evaluate(config: &Config, previous: Option<&Kept>, current: &Result<Snapshot, Fault>) -> Verdict<Kept> {
    let snapshot = match current {
        Ok(snapshot) => snapshot,
        Err(fault) => return Verdict { report: fault::report(config, fault), keep: None },
    };
    let context = Context::new(config, previous, snapshot);
    let mut items = vec![flaws::page(&context)];
    items.extend([
        figures::streams(&context),
        figures::notifications(&context),
        figures::requests(&context),
        figures::panics(&context),
    ]);
    items.extend(figures::subscribers(&context));
    items.extend(memory::memory(&context));
    items.extend(variables::variables(&context));
    items.extend(unmatched(&context));
    let summary = summary(&items);
    let mut report = if context.was_restarted {
        Report { context: RESTARTED.into(), ..Report::new(format!("{summary}, {RESTARTED}")) }
    } else {
        Report::new(summary)
    };
    report.items = items;
    Verdict { report, keep: Some(past::keep(&context)) }
}

/// What everything is judged with.
struct Context<'a> {
    config: &'a Config,
    snapshot: &'a Snapshot,
    /// What the last run kept, of whatever life of the program.
    kept: Option<&'a Kept>,
    /// Whether the program was started anew since the last run.
    was_restarted: bool,
    /// What every counter is now.
    counters: BTreeMap<String, Number>,
}

impl<'a> Context<'a> {
    fn new(config: &'a Config, kept: Option<&'a Kept>, snapshot: &'a Snapshot) -> Self {
        let counters = past::counters(config, &snapshot.page);
        let was_restarted = kept.is_some_and(|kept| past::was_restarted(kept, &counters, &snapshot.page));
        Self { config, snapshot, kept, was_restarted, counters }
    }

    /// The number that variable `name` is.
    fn number(&self, name: &str) -> Option<Number> {
        path::number(self.snapshot.page.variables.get(name)?)
    }

    /// What the last run kept of this life of the program.
    fn baseline(&self) -> Option<&'a Kept> {
        self.kept.filter(|_| !self.was_restarted)
    }

    /// Seconds since the last run, unless the program or this machine was started anew.
    fn elapsed(&self) -> Option<f64> {
        self.snapshot.at.since(self.baseline()?.at.as_ref()?).filter(|elapsed| *elapsed > 0.0)
    }

    /// How much counter `name` has grown since the last run.
    fn growth(&self, name: &str) -> Option<Number> {
        past::difference(*self.counters.get(name)?, *self.baseline()?.counters.get(name)?)
    }

    /// The same per second.
    fn rate(&self, name: &str) -> Option<Number> {
        Number::real(self.growth(name)?.to_f64() / self.elapsed()?)
    }

    fn judging(&self, label: &str) -> Judging<'a> {
        Judging::new(&self.config.thresholds, label, None)
    }

    /// Whether `-w` or `-c` says anything of `metric`.
    fn is_asked_for(&self, metric: &Definition) -> bool {
        self.config.thresholds.are_given(metric, None)
    }
}

/// The first line of a report that is OK.
fn summary(items: &[Item]) -> String {
    let figures: Vec<&Metric> = items.iter().flat_map(|item| &item.metrics).collect();
    let value = |name: &str| figures.iter().find(|figure| figure.definition.name == name).map(|figure| figure.value);
    let rate = |name: &str, own: &str| value(name).or_else(|| value(own)).map(|rate| rate.rounded(1));
    let parts = [
        value("Streams").map(|streams| format!("{streams} streams")),
        value("subscribers").map(|subscribers| format!("{subscribers} subscribers")),
        rate("Notifications_per_second", "NotificationsPrSec").map(|rate| format!("{rate} notifications/s")),
        rate("Requests_per_second", "RequestsPrSec").map(|rate| format!("{rate} requests/s")),
        Some(panics_in_words(&figures)),
    ];
    parts.into_iter().flatten().collect::<Vec<_>>().join(", ")
}

fn panics_in_words(figures: &[&Metric]) -> String {
    let recent = figures.iter().filter(|figure| figure.definition.name.ends_with("Panics_last_hour"));
    let sum: f64 = recent.map(|figure| figure.value.to_f64()).sum();
    match Number::real(sum) {
        Some(sum) if sum > Number::ZERO => format!("{sum} panics in the last hour"),
        _ => "no new panics".to_owned(),
    }
}

/// Thresholds for a variable or subscriber that is not there: whoever wrote them believes it is watched.
fn unmatched(context: &Context) -> Option<Item> {
    let known: Vec<String> = variables::known(context);
    let metrics = crate::metrics::METRICS.iter().filter(|metric| metric.per == Some("variable"));
    let strangers: std::collections::BTreeSet<&str> = metrics
        .flat_map(|metric| context.config.thresholds.named_instances(metric))
        .filter(|instance| !known.iter().any(|known| known == instance))
        .collect();
    if strangers.is_empty() {
        return None;
    }
    let names = strangers.into_iter().collect::<Vec<_>>().join(", ");
    let text = format!("thresholds are given for {names}, which no --var or --counter finds");
    Some(Item::new("thresholds", State::Unknown, text.clone()).headline(text))
}
