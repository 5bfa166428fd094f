//! Checks endpoints: whether what Kwanza and Cuesta publish answers, how fast, and with which certificate.

pub mod cli;
pub mod collect;
pub mod evaluate;
pub mod metrics;
mod page;
pub mod parse;
pub mod snapshot;
pub mod target;

pub use crate::page::PAGE;

use common::clock::Clock;
use common::deadline::Deadline;
use common::metric::{Definition, Thresholds};
use common::options::Common;
use common::run::{Plugin, Verdict};
use common::store::Previous;

use crate::cli::{Arguments, Config};
use crate::snapshot::{Fault, Snapshot};

/// The plugin.
#[derive(Debug)]
pub struct CheckEndpoint;

impl Plugin for CheckEndpoint {
    const NAME: &'static str = "check_endpoint";
    const ABOUT: &'static str =
        "Checks endpoints: whether HTTP, TLS, TCP and gRPC servers answer, how fast, and how long certificates last";
    const KEPT_VERSION: u32 = 1;
    const PRIMARY: Option<&'static str> = Some("time");
    type Args = Arguments;
    type Config = Config;
    type Snapshot = Snapshot;
    type Error = Fault;
    /// Nothing here is compared with an earlier run.
    type Kept = ();

    fn metrics(_: &Arguments) -> Vec<Definition> {
        metrics::METRICS.iter().copied().cloned().collect()
    }

    fn configure(arguments: Arguments, thresholds: Thresholds, common: &Common) -> Result<Config, String> {
        cli::configure(arguments, thresholds, common)
    }

    fn target(config: &Config) -> String {
        let instances: Vec<&str> = config.targets.iter().map(|target| target.instance.as_str()).collect();
        instances.join(" ")
    }

    fn collect(config: &Config, _: Option<&Previous<()>>, deadline: &Deadline) -> Result<Snapshot, Fault> {
        collect::collect(config, deadline)
    }

    fn evaluate(
        config: &Config,
        _: Option<&Previous<()>>,
        current: &Result<Snapshot, Fault>,
        now: &Clock,
    ) -> Verdict<()> {
        Verdict { report: evaluate::evaluate(config, current, now), keep: None }
    }
}
