//! A run of the plugin against a cluster, and what it said.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use support::live::{Process, eventually};
use support::perfdata;
use support::postgres::Cluster;
use support::run::{Output, Run};
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

/// What a run said.
pub struct Said {
    pub output: Output,
    figures: BTreeMap<String, f64>,
}

impl Said {
    #[track_caller]
    fn of(output: Output) -> Self {
        assert_eq!(output.stderr, "");
        assert!((0..=3).contains(&output.code), "exit code {}: {}", output.code, output.stdout);
        let text = output.first_line().split_once(" | ").map_or("", |(_, perfdata)| perfdata);
        let data = perfdata::parse_strictly(text).unwrap_or_else(|reason| panic!("{reason}: {}", output.stdout));
        let figures = data.into_iter().map(|datum| (datum.label, datum.value.value)).collect();
        Self { output, figures }
    }

    pub fn text(&self) -> &str {
        &self.output.stdout
    }

    /// The first line without its figures.
    pub fn headline(&self) -> &str {
        self.output.first_line().split(" | ").next().unwrap_or_default()
    }

    #[track_caller]
    pub fn figure(&self, label: &str) -> f64 {
        *self.figures.get(label).unwrap_or_else(|| panic!("no {label} in: {}", self.text()))
    }

    pub fn has_figure(&self, label: &str) -> bool {
        self.figures.contains_key(label)
    }

    #[track_caller]
    pub fn has_code(&self, code: i32) -> &Self {
        assert_eq!(self.output.code, code, "{}", self.text());
        self
    }

    #[track_caller]
    pub fn says(&self, words: &str) -> &Self {
        assert!(self.text().contains(words), "{words:?} is expected in: {}", self.text());
        self
    }

    #[track_caller]
    pub fn says_not(&self, words: &str) -> &Self {
        assert!(!self.text().contains(words), "{words:?} is not expected in: {}", self.text());
        self
    }

    #[track_caller]
    pub fn headlines(&self, words: &str) -> &Self {
        assert!(self.headline().contains(words), "{words:?} is expected in: {}", self.headline());
        self
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
