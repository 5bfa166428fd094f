//! A server with a database of everything, its dumps, and the runs of the check on them.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use support::need;
use support::postgres::Cluster;
use support::run::Run;
use support::said::Said;
use tempfile::TempDir;

/// Tables of every kind, a large object, and names that must be quoted.
pub const SCHEMA: &str = r#"
    CREATE TABLE devices (id integer PRIMARY KEY, name text);
    INSERT INTO devices SELECT i, 'device ' || i FROM generate_series(1, 5000) i;
    CREATE SCHEMA "Odd schema";
    CREATE TABLE "Odd schema"."my ""table""" (x text);
    INSERT INTO "Odd schema"."my ""table""" VALUES (E'tab\tand\nline'), ('\.');
    CREATE TABLE readings (at date, value integer) PARTITION BY RANGE (at);
    CREATE TABLE readings_2025 PARTITION OF readings FOR VALUES FROM ('2025-01-01') TO ('2026-01-01');
    CREATE TABLE readings_2026 PARTITION OF readings FOR VALUES FROM ('2026-01-01') TO ('2027-01-01');
    INSERT INTO readings SELECT date '2025-06-01' + i, i FROM generate_series(1, 400) i;
    CREATE TABLE parent (id integer); CREATE TABLE child () INHERITS (parent);
    INSERT INTO parent VALUES (1); INSERT INTO child VALUES (2), (3);
    CREATE TABLE nothing (x integer);
    CREATE VIEW names AS SELECT name FROM devices; CREATE SEQUENCE numbers;
    SELECT lo_from_bytea(0, decode(repeat('ab', 100000), 'hex'))
"#;
/// Tables of it, those with data, and rows in them.
pub const TABLES: (u32, u32, u32) = (8, 7, 5405);

pub struct Site {
    pub cluster: Cluster,
    directory: TempDir,
    state: TempDir,
}

impl Site {
    /// A server with database `kwanza` as above.
    #[track_caller]
    pub fn new() -> Self {
        let site = Self::of(Cluster::plan().start());
        site.cluster.psql("CREATE DATABASE kwanza");
        site.cluster.psql_in("kwanza", SCHEMA);
        site
    }

    /// An empty directory beside this server.
    pub fn of(cluster: Cluster) -> Self {
        let directory = tempfile::tempdir().unwrap();
        fs::set_permissions(directory.path(), fs::Permissions::from_mode(0o755)).unwrap();
        Self { cluster, directory, state: tempfile::tempdir().unwrap() }
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    /// How the superuser connects.
    pub fn dsn(&self) -> String {
        format!("host={} port={} user=postgres", self.cluster.socket_dir().display(), self.cluster.port())
    }

    /// A client program that connects as the superuser.
    #[track_caller]
    pub fn client(&self, program: &str) -> Command {
        let mut command = Command::new(need(program, "apt-get install postgresql-client"));
        command.arg("-h").arg(self.cluster.socket_dir());
        command.args(["-p", &self.cluster.port().to_string(), "-U", "postgres"]);
        command
    }

    /// Dumps with these arguments into a file of that name, which others cannot read.
    #[track_caller]
    pub fn dump(&self, name: &str, arguments: &[&str]) -> PathBuf {
        let path = self.path(name);
        run(self.client("pg_dump").args(arguments).arg("-f").arg(&path));
        protect(&path);
        path
    }

    /// A run on a file, or on what the arguments name with `{}` for the directory.
    pub fn run(&self, arguments: &[&str]) -> Run {
        let directory = self.directory.path().display().to_string();
        let arguments = arguments.iter().map(|argument| argument.replace("{}", &directory));
        Run::new(env!("CARGO_BIN_EXE_check_backup_age")).args(arguments).state_dir(self.state.path())
    }

    #[track_caller]
    pub fn check(&self, arguments: &[&str]) -> Said {
        Said::of(self.run(arguments).output())
    }

    /// Databases of restore tests that are there.
    #[track_caller]
    pub fn scratch_databases(&self) -> Vec<String> {
        let names = self.cluster.psql("SELECT datname FROM pg_database WHERE datname ~ '^check_backup_age' ORDER BY 1");
        names.lines().map(str::to_owned).collect()
    }
}

/// Runs a command, which must succeed.
#[track_caller]
pub fn run(command: &mut Command) {
    let child = command.stderr(Stdio::piped()).spawn().unwrap_or_else(|error| panic!("{command:?}: {error}"));
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success(), "{command:?}: {}", String::from_utf8_lossy(&output.stderr));
}

/// Takes the right to read from others.
pub fn protect(path: &Path) {
    let mode = if path.is_dir() { 0o700 } else { 0o600 };
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
}
