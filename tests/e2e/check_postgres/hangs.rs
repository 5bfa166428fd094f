//! A server that does not answer, or not at once.

use std::thread;
use std::time::Duration;

use support::live::eventually;
use support::postgres::Cluster;
use support::tool::run;

use crate::check::{Check, idle_after};

/// A file with a statement that takes a minute.
fn slow_query() -> tempfile::NamedTempFile {
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), "SELECT 'slow' AS name, 1 AS value FROM pg_sleep(60)").unwrap();
    file
}

#[test]
fn a_group_that_waits_for_a_lock_is_unknown_and_the_others_are_judged() {
    let cluster = Cluster::plan().start();
    let (_holder, _) = idle_after(&cluster, "holder", "BEGIN; LOCK TABLE pg_sequence");
    let said = Check::new(&cluster).run(&["-v", "-w", "query_time="]);
    said.has_code(3).headlines("sequences: a lock was not to be had in time").says("[OK] wraparound");
    said.figure("connections_used_percent");
    said.figure("wal_size");
}

#[test]
fn a_statement_that_takes_too_long_is_cancelled() {
    let cluster = Cluster::plan().start();
    let file = slow_query();
    let said =
        Check::new(&cluster).run(&["-t", "3s", "-w", "query_time=", "--query-file", file.path().to_str().unwrap()]);
    assert_ne!(said.output.code, 0, "{}", said.text());
    assert!(said.output.elapsed < Duration::from_secs(4), "{:?}", said.output.elapsed);
    said.headlines("custom: the statement was cancelled");
    said.figure("xid_age");
    cluster.psql("SELECT 1");
}

#[test]
fn a_server_that_stops_within_a_statement_is_told_in_time() {
    let cluster = Cluster::plan().start();
    let file = slow_query();
    let check = Check::new(&cluster).with(&["-t", "3s", "--query-file", file.path().to_str().unwrap()]);
    thread::scope(|scope| {
        let checking = scope.spawn(|| check.run(&[]));
        let mut pid = String::new();
        eventually("the slow statement to run", || {
            pid = cluster.psql("SELECT pid FROM pg_stat_activity WHERE wait_event = 'PgSleep'");
            !pid.is_empty()
        });
        run("kill", &["-s", "STOP", &pid]);
        let said = checking.join();
        run("kill", &["-s", "CONT", &pid]);
        let said = said.unwrap();
        said.has_code(2).says("the statement of --query-file");
        assert!(said.output.elapsed < Duration::from_secs(4), "{:?}", said.output.elapsed);
    });
}
