//! Options to configuration.

use clap::Args;
use common::metric::Thresholds;
use common::options::Common;

use crate::wants::GroupArguments;

/// The plugin's own options.
#[derive(Clone, Debug, Args)]
pub struct Arguments {
    /// Where the server is, `key=value …`
    #[arg(long, value_name = "DSN")]
    pub dsn: String,
    #[expect(missing_docs, reason = "documented where it is defined")]
    #[command(flatten)]
    pub groups: GroupArguments,
}

/// What one run is to do.
#[derive(Clone, Debug)]
pub struct Config {
    /// Where the server is.
    pub dsn: String,
    /// The options of the groups.
    pub groups: GroupArguments,
    /// Thresholds of all metrics.
    pub thresholds: Thresholds,
    /// Number of `-v`.
    pub verbosity: u8,
}

/// Options to configuration.
pub fn configure(arguments: Arguments, thresholds: Thresholds, common: &Common) -> Result<Config, String> {
    Ok(Config { dsn: arguments.dsn, groups: arguments.groups, thresholds, verbosity: common.verbose })
}
