//! Verdicts. Pure: no I/O and no clock.

mod groups;

use common::report::Report;
use common::run::Verdict;
use common::state::State;

use crate::cli::Config;
use crate::snapshot::{Kept, QueryFault, Snapshot};

/// The report of a run and what it leaves for the next one.
pub fn evaluate(config: &Config, previous: Option<&Kept>, current: &Result<Snapshot, QueryFault>) -> Verdict<Kept> {
    match current {
        Ok(snapshot) => {
            let context = groups::Context::new(&config.groups, &config.thresholds, previous, snapshot);
            let mut report = Report::new(groups::summary(&context));
            report.items = groups::groups(&context);
            Verdict { report, keep: Some(groups::keep(&context)) }
        }
        Err(fault) => {
            Verdict { report: Report::single(State::Critical, "connection", fault.message.clone()), keep: None }
        }
    }
}
