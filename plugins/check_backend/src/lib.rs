//! Checks the whole backend: runs the other plugins beside each other and tells the cause from what follows of it.

pub mod cli;
pub mod collect;
pub mod evaluate;
pub mod metrics;
mod page;
pub mod parse;
pub mod plan;
pub mod snapshot;

pub use crate::page::PAGE;

use std::time::Duration;

use common::clock::Clock;
use common::deadline::Deadline;
use common::metric::{Definition, Thresholds};
use common::options::Common;
use common::run::{Plugin, Verdict};
use common::store::Previous;

use crate::cli::{Arguments, Config};
use crate::snapshot::{Fault, Kept, Snapshot};

/// The plugin.
#[derive(Debug)]
pub struct CheckBackend;

impl Plugin for CheckBackend {
    const NAME: &'static str = "check_backend";
    const ABOUT: &'static str =
        "Checks the whole backend: runs the other plugins and tells the cause from what follows of it";
    const KEPT_VERSION: u32 = 1;
    const RUNS_PROGRAMS: bool = true;
    type Args = Arguments;
    type Config = Config;
    type Snapshot = Snapshot;
    type Error = Fault;
    type Kept = Kept;

    fn metrics(_: &Arguments) -> Vec<Definition> {
        metrics::METRICS.iter().copied().cloned().collect()
    }

    fn configure(arguments: Arguments, thresholds: Thresholds, common: &Common) -> Result<Config, String> {
        cli::configure(arguments, thresholds, common)
    }

    fn target(config: &Config) -> String {
        config.file.display().to_string()
    }

    fn collect(config: &Config, _: Option<&Previous<Kept>>, deadline: &Deadline) -> Result<Snapshot, Fault> {
        collect::collect(config, deadline)
    }

    fn evaluate(
        config: &Config,
        previous: Option<&Previous<Kept>>,
        current: &Result<Snapshot, Fault>,
        now: &Clock,
    ) -> Verdict<Kept> {
        evaluate::evaluate(config, previous.map(|previous| &previous.data), current, now)
    }

    fn watch(config: &Config) -> Option<Duration> {
        config.watch
    }

    fn printed(config: &Config, snapshot: &Snapshot) -> Option<String> {
        evaluate::printed(config, snapshot)
    }
}
