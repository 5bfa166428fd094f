//! Checks containers: what the guide looks at with docker-compose ps, docker stats and docker-compose logs.

pub mod cli;
pub mod collect;
pub mod evaluate;
pub mod metrics;
mod page;
pub mod parse;
pub mod selection;
pub mod snapshot;

pub use crate::page::PAGE;

use common::clock::Clock;
use common::deadline::Deadline;
use common::metric::{Definition, Thresholds};
use common::options::Common;
use common::report::Report;
use common::run::{Plugin, Verdict};
use common::store::Previous;

use crate::cli::{Arguments, Config};
use crate::snapshot::{Fault, Kept, Snapshot};

/// The plugin.
#[derive(Debug)]
pub struct CheckContainers;

impl Plugin for CheckContainers {
    const NAME: &'static str = "check_containers";
    const ABOUT: &'static str =
        "Checks containers: which are up, their health, restarts, CPU, memory and processes, and why one is down";
    const KEPT_VERSION: u32 = 1;
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
        let options = &config.options;
        // Two services that judge different containers would each forget those of the other.
        format!(
            "{} {:?} {:?} {:?} {:?} {:?} {:?} {:?}",
            config.engine,
            options.project,
            options.service,
            options.compose_file,
            options.deploy_dir,
            options.container,
            options.exclude,
            options.stats,
        )
    }

    fn collect(config: &Config, previous: Option<&Previous<Kept>>, deadline: &Deadline) -> Result<Snapshot, Fault> {
        collect::collect(config, previous.map(|previous| &previous.data), deadline)
    }

    fn investigate(
        config: &Config,
        _: Option<&Previous<Kept>>,
        snapshot: &mut Snapshot,
        report: &Report,
        deadline: &Deadline,
    ) -> bool {
        let unexplained = evaluate::unexplained(snapshot, report);
        collect::read_logs(config, &unexplained, snapshot, deadline)
    }

    fn evaluate(
        config: &Config,
        previous: Option<&Previous<Kept>>,
        current: &Result<Snapshot, Fault>,
        now: &Clock,
    ) -> Verdict<Kept> {
        evaluate::evaluate(config, previous.map(|previous| &previous.data), current, now)
    }
}
