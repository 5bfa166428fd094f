//! A run of the plugin against a cluster, and what it said.

use std::fmt::Write as _;

use support::live::{Process, eventually};
use support::postgres::Cluster;
use support::run::Run;
pub use support::said::Said;
use tempfile::TempDir;

/// Thresholds off that a cluster breaks that was just made, or that is old.
const CALM: &[&str] = &["-w", "uptime=", "-w", "end_of_life="];

/// Runs of the plugin that follow one another and share a sample.
pub struct Check {
    dsn: String,
    options: Vec<String>,
    state: TempDir,
}

impl Check {
    /// As the superuser in database postgres.
    #[track_caller]
    pub fn new(cluster: &Cluster) -> Self {
        Self::of(cluster, "postgres", "postgres")
    }

    #[track_caller]
    pub fn of(cluster: &Cluster, user: &str, database: &str) -> Self {
        let mut dsn = format!("host={} port={}", cluster.socket_dir().display(), cluster.port());
        for (key, value) in [("user", user), ("dbname", database)] {
            let _ = write!(dsn, " {key}='{}'", value.replace('\\', "\\\\").replace('\'', "\\'"));
        }
        let options = CALM.iter().map(ToString::to_string).collect();
        Self { dsn, options, state: tempfile::tempdir().unwrap() }
    }

    /// With further options in each run.
    pub fn with(mut self, options: &[&str]) -> Self {
        self.options.extend(options.iter().map(ToString::to_string));
        self
    }

    /// A run, which must keep to exit codes 0 to 3 and to stdout.
    #[track_caller]
    pub fn run(&self, further: &[&str]) -> Said {
        let run = Run::new(env!("CARGO_BIN_EXE_check_postgres")).args(["--dsn", &self.dsn]).args(&self.options);
        Said::of(run.args(further).state_dir(self.state.path()).output())
    }
}

/// Waits until `sql` brings `wanted` in database postgres.
#[track_caller]
pub fn wait_for(cluster: &Cluster, sql: &str, wanted: &str) {
    eventually(&format!("{sql} to bring {wanted}"), || cluster.psql(sql) == wanted);
}

/// A session that has done what `sql` says, its transaction open, with its process on the server.
#[track_caller]
pub fn idle_after(cluster: &Cluster, name: &str, sql: &str) -> (Process, String) {
    let session = cluster.session("postgres", &format!("SET application_name = '{name}'; {sql}"));
    let found = format!("FROM pg_stat_activity WHERE application_name = '{name}' AND state LIKE 'idle%'");
    wait_for(cluster, &format!("SELECT count(*) {found}"), "1");
    (session, cluster.psql(&format!("SELECT pid {found}")))
}

/// A session that waits for a lock in `sql`, with its process on the server.
#[track_caller]
pub fn waits_in(cluster: &Cluster, name: &str, sql: &str) -> (Process, String) {
    let session = cluster.session("postgres", &format!("SET application_name = '{name}'; {sql}"));
    let found = format!("FROM pg_stat_activity WHERE application_name = '{name}' AND wait_event_type = 'Lock'");
    wait_for(cluster, &format!("SELECT count(*) {found}"), "1");
    (session, cluster.psql(&format!("SELECT pid {found}")))
}
