//! Checks what Kwanza publishes of itself: the guide's expvars, judged.

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
use common::run::{Plugin, Verdict};
use common::store::Previous;

use crate::cli::{Arguments, Config};
use crate::snapshot::{Fault, Kept, Snapshot};

/// The plugin.
#[derive(Debug)]
pub struct CheckKwanzaExpvars;

impl Plugin for CheckKwanzaExpvars {
    const NAME: &'static str = "check_kwanza_expvars";
    const ABOUT: &'static str =
        "Checks the expvars of Kwanza: streams, notifications, requests, authentication, panics and subscribers";
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
        // Two services that judge different variables would each forget those of the other.
        format!("{:?} {} {} {:?} {:?}", config.source, options.port, config.path, options.var, options.counter)
    }

    fn collect(config: &Config, _: Option<&Previous<Kept>>, deadline: &Deadline) -> Result<Snapshot, Fault> {
        collect::collect(config, deadline)
    }

    fn evaluate(
        config: &Config,
        previous: Option<&Previous<Kept>>,
        current: &Result<Snapshot, Fault>,
        _: &Clock,
    ) -> Verdict<Kept> {
        evaluate::evaluate(config, previous.map(|previous| &previous.data), current)
    }
}
