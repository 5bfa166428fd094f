//! Checks the Docker host: what the guide looks at with vmstat, free, df, top and lsof, and the engine itself.

pub mod cli;
pub mod collect;
pub mod evaluate;
pub mod metrics;
mod page;
pub mod parse;
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
pub struct CheckDockerHost;

impl Plugin for CheckDockerHost {
    const NAME: &'static str = "check_docker_host";
    const ABOUT: &'static str =
        "Checks the Docker host: CPU, load, memory, swap, pressure, disks, processes, open files and the Docker Engine";
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
        let groups: Vec<&str> = config.groups.iter().map(|group| group.name()).collect();
        let mut target = format!("{} {} {}", config.options.procfs.display(), config.engine, groups.join(","));
        // Two services that judge different mounts would each forget those of the other.
        for (option, mounts) in [("mount", &config.options.mount), ("exclude-mount", &config.options.exclude_mount)] {
            if !mounts.is_empty() {
                target = format!("{target} --{option} {}", mounts.join(" "));
            }
        }
        target
    }

    fn collect(config: &Config, previous: Option<&Previous<Kept>>, deadline: &Deadline) -> Result<Snapshot, Fault> {
        collect::collect(config, previous.map(|previous| &previous.data), deadline)
    }

    fn investigate(
        config: &Config,
        previous: Option<&Previous<Kept>>,
        snapshot: &mut Snapshot,
        report: &Report,
        deadline: &Deadline,
    ) -> bool {
        if config.options.busy.is_some() {
            return false;
        }
        collect::details::read_processes(config, snapshot, deadline);
        let subjects = evaluate::subjects(config, previous, snapshot, report);
        collect::details::collect(config, snapshot, &subjects, deadline)
    }

    fn evaluate(
        config: &Config,
        previous: Option<&Previous<Kept>>,
        current: &Result<Snapshot, Fault>,
        now: &Clock,
    ) -> Verdict<Kept> {
        evaluate::evaluate(config, previous, current, now)
    }
}
