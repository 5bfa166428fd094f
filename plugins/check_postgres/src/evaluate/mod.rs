//! Verdicts. Pure: no I/O and no clock.

mod connection;
mod container;
mod fault;
mod groups;

use common::report::Report;
use common::run::Verdict;

use crate::cli::Config;
use crate::outcome::{Fault, Found};
use crate::snapshot::Kept;

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
