//! Verdicts. Pure: no I/O and no clock.

mod archiving;
mod backends;
mod connection;
mod container;
mod custom;
mod fault;
pub mod groups;
mod integrity;
mod maintenance;
mod past;
mod people;
mod rates;
mod replication;
mod sequences;
mod server;
mod size;
mod transactions;
mod wraparound;

use common::report::Report;
use common::run::Verdict;
use common::state::State;

use crate::cli::Config;
use crate::collect::Detail;
use crate::outcome::{Fault, Found};
use crate::snapshot::Kept;

/// What would explain the items that are not OK; with `-v` also those that are.
pub fn unexplained(config: &Config, report: &Report) -> Vec<Detail> {
    let wants = |label: &str| {
        let mut items = report.items.iter().filter(|item| item.label.to_string() == label);
        items.any(|item| item.state != State::Ok || config.verbosity > 0)
    };
    let details =
        [("backends", Detail::SessionCounts), ("wraparound", Detail::OldestTables), ("wraparound", Detail::Holder)];
    details.into_iter().filter_map(|(label, detail)| wants(label).then_some(detail)).collect()
}

/// The report of a run and what it leaves for the next one.
pub fn evaluate(config: &Config, previous: Option<&Kept>, current: &Result<Found, Fault>) -> Verdict<Kept> {
    let found = match current {
        Ok(found) => found,
        Err(fault) => return Verdict { report: fault::report(config, fault), keep: None },
    };
    let context = groups::Context::new(&config.options.groups, &config.thresholds, previous, &found.snapshot);
    let mut report = Report::new(groups::summary(&context));
    report.items.push(connection::connection(config, found));
    report.items.extend(groups::groups(&context));
    Verdict { report, keep: Some(groups::keep(&context)) }
}
