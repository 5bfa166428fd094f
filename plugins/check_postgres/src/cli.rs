//! Options to configuration.

use std::path::PathBuf;
use std::time::Duration;

use clap::Args;
use common::docker;
use common::http::Endpoint;
use common::metric::Thresholds;
use common::options::Common;
use common::units::parse_duration;

use crate::connect::sources::{Sources, Values};
use crate::parse::conninfo;
use crate::wants::GroupArguments;

/// The plugin's own options.
#[derive(Clone, Debug, Args)]
pub struct Arguments {
    /// Host of the server, or directory of its socket; several between commas are asked in turn
    #[arg(short = 'H', long, value_name = "HOST")]
    pub host: Option<String>,
    /// Port of the server; several between commas, as many as hosts [default: 5432]
    #[arg(short, long, value_name = "PORT")]
    pub port: Option<String>,
    /// Database [default: kwanza]
    #[arg(short, long, value_name = "NAME")]
    pub dbname: Option<String>,
    /// User of the database [default: that of the system]
    #[arg(short = 'U', long, value_name = "NAME")]
    pub username: Option<String>,
    /// All settings of libpq at once, 'host=… sslmode=…' or postgresql://…, without a password
    ///
    /// An option comes before --dsn, that before a service, and that before the environment (PGHOST and so on).
    #[arg(long, value_name = "DSN")]
    pub dsn: Option<String>,
    /// Take the settings of this service from ~/.`pg_service.conf` or that of the system
    #[arg(long, value_name = "NAME")]
    pub service: Option<String>,
    /// Take the password from the one line of FILE; else PGPASSWORD, or ~/.pgpass
    #[arg(long, value_name = "FILE")]
    pub password_file: Option<PathBuf>,
    /// When to speak TLS and what to verify: disable, allow, prefer, require, verify-ca or verify-full [default: prefer]
    #[arg(long, value_name = "MODE")]
    pub sslmode: Option<String>,
    /// The file of the CAs that may have signed the server's certificate, or `system` for those that the system trusts
    #[arg(long, value_name = "FILE")]
    pub ssl_root_cert: Option<String>,
    /// The certificate to show to the server
    #[arg(long, value_name = "FILE")]
    pub ssl_cert: Option<String>,
    /// The key of --ssl-cert, not encrypted
    #[arg(long, value_name = "FILE")]
    pub ssl_key: Option<String>,
    /// Whether SCRAM is bound to the TLS connection: disable, prefer or require [default: prefer]
    #[arg(long, value_name = "WORD")]
    pub channel_binding: Option<String>,
    /// How long each server may take to let the check in [default: 5s]
    #[arg(long, value_name = "DURATION", value_parser = parse_duration, allow_hyphen_values = true)]
    pub connect_timeout: Option<Duration>,
    /// CRITICAL if the server is a standby
    #[arg(long)]
    pub require_primary: bool,
    /// The server's container: explains why it is down, and tells where it is if nothing else does
    #[arg(long, value_name = "NAME")]
    pub container: Option<String>,
    /// The engine that is asked for the container, `unix:///PATH` or `tcp://HOST:PORT`; else that of `DOCKER_HOST`, else the usual sockets
    #[arg(long, value_name = "URL", requires = "container")]
    pub docker_host: Option<String>,
    /// What is looked at.
    #[command(flatten)]
    pub groups: GroupArguments,
}

/// What one run is to do.
#[derive(Clone, Debug)]
pub struct Config {
    /// Where the settings of the connection come from.
    pub sources: Sources,
    /// The engine of the container.
    pub engine: Endpoint,
    /// Thresholds of all metrics.
    pub thresholds: Thresholds,
    /// Number of `-v`.
    pub verbosity: u8,
    /// The options that need no translation.
    pub options: Arguments,
}

/// The options of the connection, by the names of libpq.
fn values(options: &Arguments) -> Values {
    let given = [
        ("host", &options.host),
        ("port", &options.port),
        ("dbname", &options.dbname),
        ("user", &options.username),
        ("service", &options.service),
        ("sslmode", &options.sslmode),
        ("sslrootcert", &options.ssl_root_cert),
        ("sslcert", &options.ssl_cert),
        ("sslkey", &options.ssl_key),
        ("channel_binding", &options.channel_binding),
    ];
    given.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value.clone()?))).collect()
}

/// Translates the options; the error is one sentence.
pub fn configure(options: Arguments, thresholds: Thresholds, common: &Common) -> Result<Config, String> {
    if options.dbname.as_deref().is_some_and(conninfo::is_conninfo) {
        return Err("-d takes the name of a database; a connection string goes to --dsn".to_owned());
    }
    if options.container.as_deref() == Some("") {
        return Err("--container needs a name".to_owned());
    }
    let variable = |name: &str| std::env::var(name).ok();
    Ok(Config {
        sources: Sources::new(values(&options), options.dsn.as_deref(), variable)?,
        engine: docker::endpoint(options.docker_host.as_deref())?,
        thresholds,
        verbosity: common.verbose,
        options,
    })
}
