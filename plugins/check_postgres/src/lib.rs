//! Checks a PostgreSQL server: everything about it, in one connection.

pub mod cli;
pub mod collect;
pub mod connect;
pub mod evaluate;
pub mod metrics;
pub mod outcome;
mod page;
pub mod parse;
pub mod snapshot;
pub mod wants;

pub use crate::page::PAGE;

use common::clock::Clock;
use common::deadline::Deadline;
use common::metric::{Definition, Thresholds};
use common::options::Common;
use common::report::Report;
use common::run::{Plugin, Verdict};
use common::store::Previous;

use crate::cli::{Arguments, Config};
use crate::outcome::{Fault, Found};
use crate::snapshot::Kept;

/// The plugin.
#[derive(Debug)]
pub struct CheckPostgres;

impl Plugin for CheckPostgres {
    const NAME: &'static str = "check_postgres";
    const ABOUT: &'static str = "Checks a PostgreSQL server in one connection: sessions, transactions, wraparound, archiving, replication, integrity, sequences, sizes, rates and maintenance";
    const KEPT_VERSION: u32 = 1;
    type Args = Arguments;
    type Config = Config;
    type Snapshot = Found;
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
        // Two services that look at different groups would each forget those of the other.
        format!(
            "{} {:?} {:?} {:?} {:?}",
            config.sources.identity(),
            options.container,
            options.groups.only,
            options.groups.skip,
            options.groups.query_file
        )
    }

    fn collect(config: &Config, _: Option<&Previous<Kept>>, deadline: &Deadline) -> Result<Found, Fault> {
        collect::collect(config, deadline)
    }

    fn investigate(
        config: &Config,
        _: Option<&Previous<Kept>>,
        found: &mut Found,
        report: &Report,
        deadline: &Deadline,
    ) -> bool {
        collect::explain(found, evaluate::unexplained(config, report), deadline)
    }

    fn evaluate(
        config: &Config,
        previous: Option<&Previous<Kept>>,
        current: &Result<Found, Fault>,
        _: &Clock,
    ) -> Verdict<Kept> {
        evaluate::evaluate(config, previous.map(|previous| &previous.data), current)
    }
}
