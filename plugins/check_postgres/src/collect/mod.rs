//! All the I/O of the plugin, and no verdict.

pub mod sql;

use common::deadline::Deadline;

use crate::cli::Config;
use crate::snapshot::{QueryFault, Snapshot};
use crate::wants::Wants;

/// Connects and asks.
pub fn collect(config: &Config, deadline: &Deadline) -> Result<Snapshot, QueryFault> {
    let plain = |message: String| QueryFault { code: String::new(), message };
    let custom = config.groups.query_file.as_ref().map(std::fs::read_to_string).transpose();
    let wants = Wants::new(&config.groups, custom.map_err(|error| plain(error.to_string()))?);
    let mut client = {
        let _step = deadline.step("the connection");
        postgres::Client::connect(&config.dsn, postgres::NoTls).map_err(|error| plain(error.to_string()))?
    };
    sql::collect(&mut client, &wants, deadline)
}
