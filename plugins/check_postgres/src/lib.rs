//! Checks a PostgreSQL server in one connection.

pub mod cli;
pub mod collect;
pub mod evaluate;
pub mod metrics;
pub mod snapshot;
pub mod wants;

use common::clock::Clock;
use common::deadline::Deadline;
use common::metric::{Definition, Thresholds};
use common::options::Common;
use common::run::{Plugin, Verdict};
use common::store::Previous;

use crate::cli::{Arguments, Config};
use crate::snapshot::{Kept, QueryFault, Snapshot};

/// The plugin.
#[derive(Debug)]
pub struct CheckPostgres;

impl Plugin for CheckPostgres {
    const NAME: &'static str = "check_postgres";
    const ABOUT: &'static str = "Checks a PostgreSQL server in one connection";
    const KEPT_VERSION: u32 = 1;
    type Args = Arguments;
    type Config = Config;
    type Snapshot = Snapshot;
    type Error = QueryFault;
    type Kept = Kept;

    fn metrics(_: &Arguments) -> Vec<Definition> {
        metrics::METRICS.iter().copied().cloned().collect()
    }

    fn configure(arguments: Arguments, thresholds: Thresholds, common: &Common) -> Result<Config, String> {
        cli::configure(arguments, thresholds, common)
    }

    fn target(config: &Config) -> String {
        config.dsn.clone()
    }

    fn collect(config: &Config, _: Option<&Previous<Kept>>, deadline: &Deadline) -> Result<Snapshot, QueryFault> {
        collect::collect(config, deadline)
    }

    fn evaluate(
        config: &Config,
        previous: Option<&Previous<Kept>>,
        current: &Result<Snapshot, QueryFault>,
        _: &Clock,
    ) -> Verdict<Kept> {
        evaluate::evaluate(config, previous.map(|previous| &previous.data), current)
    }
}
