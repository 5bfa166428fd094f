//! Restores into a real server, which has afterwards what it had before.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::process::Command;

use support::live::{Process, eventually};
use support::postgres::Cluster;

use crate::site::{Site, TABLES, run};

#[test]
fn every_archive_is_restored_and_its_rows_are_counted() {
    let site = Site::new();
    let (_, with_data, rows) = TABLES;
    for letter in ["t", "c", "d"] {
        site.dump(letter, &["-F", letter, "kwanza"]);
        let arguments = [&format!("{{}}/{letter}"), "--restore-test", &site.dsn(), "--jobs", "2", "-v"];
        let said = site.check(&arguments);
        said.has_code(0).says(&format!("restore test: {rows} rows of {with_data} tables")).says("in this run");
        assert!(said.figure("restore_time") > 0.0);
        site.check(&arguments).has_code(0).says("in an earlier run, and the dump is unchanged since");
        assert!(site.scratch_databases().is_empty());
    }
    run(Command::new("gzip").arg(site.path("t")));
    let said = site.check(&["{}/t.gz", "--restore-test", &site.dsn()]);
    said.has_code(0).headlines(&format!("restore test {rows} rows"));
}

#[test]
fn a_partitioned_table_can_be_dumped_as_one() {
    let site = Site::new();
    site.dump("root", &["-F", "c", "--load-via-partition-root", "kwanza"]);
    site.check(&["{}/root", "--restore-test", &site.dsn()]).has_code(0).headlines("restore test 5405 rows");
}

#[test]
fn a_dump_of_inserts_is_restored_and_its_rows_are_not_compared() {
    let site = Site::new();
    site.dump("inserts", &["-F", "c", "--inserts", "kwanza"]);
    let said = site.check(&["{}/inserts", "--restore-test", &site.dsn()]);
    said.has_code(0).headlines("the dump has no COPY whose rows could be compared");
}

#[test]
fn a_dump_that_postgresql_does_not_take_is_critical() {
    let site = Site::new();
    let path = site.dump("bad", &["-F", "c", "-Z", "0", "kwanza"]);
    let mut bytes = fs::read(&path).unwrap();
    let at = bytes.windows(20).position(|window| window == b"CREATE TABLE public.").unwrap();
    bytes[at..at + 12].copy_from_slice(b"CREATE TABEL");
    fs::write(&path, bytes).unwrap();
    site.check(&["{}/bad"]).has_code(0);
    let said = site.check(&["{}/bad", "--restore-test", &site.dsn()]);
    said.has_code(2).headlines("restore test failed: ").says("syntax error");
    assert!(site.scratch_databases().is_empty());
}

#[test]
fn rows_that_a_restore_loses_are_told() {
    let site = Site::new();
    site.dump("good", &["-F", "c", "kwanza"]);
    // A pg_restore that loses what it should bring.
    let programs = site.path("programs");
    fs::create_dir(&programs).unwrap();
    let found = |program: &str| support::need(program, "apt-get install postgresql-client").display().to_string();
    std::os::unix::fs::symlink(found("psql"), programs.join("psql")).unwrap();
    let script = format!(
        "#!/bin/sh\nfor word; do case $word in --dbname=*) dsn=${{word#--dbname=}};; esac; done\n{} \"$@\" || exit\n\
         [ -z \"$dsn\" ] || psql -qX -d \"$dsn\" -c 'DELETE FROM devices WHERE id = 7' -c 'DROP TABLE nothing'\n",
        found("pg_restore")
    );
    fs::write(programs.join("pg_restore"), script).unwrap();
    fs::set_permissions(programs.join("pg_restore"), fs::Permissions::from_mode(0o755)).unwrap();
    let programs = programs.display().to_string();
    let said = site.check(&["{}/good", "--restore-test", &site.dsn(), "--pg-bindir", &programs]);
    said.has_code(2).headlines("2 tables with other rows after a restore than in the dump");
    said.says("public.devices: 4999 rows instead of 5000").says("public.nothing with 0 rows is missing");
}

#[test]
fn a_role_with_a_password_is_enough_and_the_password_is_nowhere() {
    let plan = Cluster::plan().hba("host all all 127.0.0.1/32 scram-sha-256");
    let site = Site::of(plan.start());
    site.cluster.psql("CREATE ROLE backuptest LOGIN CREATEDB PASSWORD 'pa55-w0rd'");
    site.cluster.psql("CREATE TABLE t AS SELECT generate_series(1, 10) i");
    site.dump("t.dump", &["-F", "c", "postgres"]);
    let passfile = site.path("pgpass");
    fs::write(&passfile, "127.0.0.1:*:*:backuptest:pa55-w0rd\n").unwrap();
    fs::set_permissions(&passfile, fs::Permissions::from_mode(0o600)).unwrap();
    let dsn = format!("postgresql://backuptest@127.0.0.1:{}/postgres", site.cluster.port());
    let arguments = ["{}/t.dump", "--restore-test", &dsn, "-vvv"];
    let without = support::said::Said::of(site.run(&arguments).output());
    without.has_code(3).says("restore test: the server could not be used").says("PGPASSFILE");
    let with = support::said::Said::of(site.run(&arguments).env("PGPASSFILE", &passfile).output());
    with.has_code(0).says("restore test: 10 rows of 1 table").says_not("pa55-w0rd");
}

#[test]
fn a_restore_that_takes_too_long_is_unknown_and_leaves_nothing() {
    let site = slow_site();
    let said = site.check(&["{}/slow", "--restore-test", &site.dsn(), "-t", "8s"]);
    said.has_code(3).headlines("restore test not done in time, it was at pg_restore");
    assert!(site.scratch_databases().is_empty());
}

#[test]
fn two_tests_do_not_disturb_each_other() {
    let site = slow_site();
    let run = site.run(&["{}/slow", "--restore-test", &site.dsn(), "-t", "30s"]).describe();
    let mut first = Process::script(&format!("exec {run}"), &[""; 0]);
    eventually("the scratch database", || site.scratch_databases().len() == 1);
    let state = tempfile::tempdir().unwrap();
    // From another database too.
    let dsn = format!("{} dbname=template1", site.dsn());
    let second = site.run(&["{}/slow", "--restore-test", &dsn]).state_dir(state.path());
    let second = support::said::Said::of(second.output());
    second.has_code(3).headlines("another restore test is under way on that server");
    assert!(site.scratch_databases().len() == 1 && !first.has_ended());
}

/// A server with a dump whose restore takes half a minute.
pub fn slow_site() -> Site {
    let site = Site::of(Cluster::plan().start());
    site.cluster.psql(
        "CREATE FUNCTION slow(i integer) RETURNS integer IMMUTABLE LANGUAGE sql AS 'SELECT i'; \
         CREATE TABLE t AS SELECT 1 AS i; CREATE INDEX ON t (slow(i)); \
         CREATE OR REPLACE FUNCTION slow(i integer) RETURNS integer IMMUTABLE LANGUAGE plpgsql \
         AS 'BEGIN PERFORM pg_sleep(30); RETURN i; END'",
    );
    site.dump("slow", &["-F", "c", "postgres"]);
    site
}
