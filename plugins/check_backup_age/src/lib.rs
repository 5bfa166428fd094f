//! Checks that there is a recent PostgreSQL dump, and that it would restore.

pub mod cli;
pub mod collect;
pub mod evaluate;
pub mod made;
pub mod metrics;
mod page;
pub mod parse;
pub mod pitr;
pub mod rows;
pub mod snapshot;

pub use crate::page::PAGE;

use std::convert::Infallible;

use common::clock::Clock;
use common::deadline::Deadline;
use common::metric::{Definition, Thresholds};
use common::options::Common;
use common::run::{Plugin, Verdict};
use common::store::Previous;

use crate::cli::{Arguments, Config};
use crate::snapshot::{Kept, Snapshot};

/// The plugin.
#[derive(Debug)]
pub struct CheckBackupAge;

impl Plugin for CheckBackupAge {
    const NAME: &'static str = "check_backup_age";
    const ABOUT: &'static str = "Checks that there is a recent PostgreSQL dump, and that it would restore";
    const KEPT_VERSION: u32 = 1;
    const PRIMARY: Option<&'static str> = Some("age");
    const RUNS_PROGRAMS: bool = true;
    type Args = Arguments;
    type Config = Config;
    type Snapshot = Snapshot;
    type Error = Infallible;
    type Kept = Kept;

    fn metrics(_: &Arguments) -> Vec<Definition> {
        metrics::METRICS.iter().copied().cloned().collect()
    }

    fn configure(arguments: Arguments, thresholds: Thresholds, common: &Common) -> Result<Config, String> {
        cli::configure(arguments, thresholds, common)
    }

    fn target(config: &Config) -> String {
        let options = &config.options;
        // What was found at one level, with some tables, on one server, is not what another check wants to know.
        format!(
            "{:?} {:?} {} {:?} {:?} {:?}",
            options.paths,
            options.pattern,
            config.level,
            options.require_table,
            options.restore_test,
            options.base_backup
        )
    }

    fn collect(
        config: &Config,
        previous: Option<&Previous<Kept>>,
        deadline: &Deadline,
    ) -> Result<Snapshot, Infallible> {
        Ok(collect::collect(config, previous.map(|previous| &previous.data), &Clock::now(), deadline))
    }

    fn evaluate(
        config: &Config,
        previous: Option<&Previous<Kept>>,
        current: &Result<Snapshot, Infallible>,
        now: &Clock,
    ) -> Verdict<Kept> {
        match current {
            Ok(snapshot) => evaluate::evaluate(config, previous.map(|previous| &previous.data), snapshot, now),
            Err(never) => match *never {},
        }
    }
}
