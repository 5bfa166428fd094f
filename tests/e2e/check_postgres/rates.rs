//! What was counted since the last run.

use std::thread;
use std::time::Duration;

use support::live::eventually;
use support::postgres::Cluster;

use crate::check::{Check, Said, wait_for};

#[track_caller]
fn no_negative_figure(said: &Said) {
    let (_, data) = said.output.first_line().split_once(" | ").unwrap();
    for datum in data.split(' ').filter(|datum| !datum.starts_with("end_of_life")) {
        assert!(!datum.contains("=-"), "{datum} in: {}", said.text());
    }
}

#[test]
fn the_first_run_takes_a_baseline_and_the_second_tells_rates() {
    let cluster = Cluster::plan().start();
    let check = Check::new(&cluster);
    let first = check.run(&["-v"]);
    first.has_code(0).says("rates: baseline taken");
    assert!(!first.has_figure("commits_per_second"));
    for _ in 0..20 {
        cluster.psql("SELECT 1");
    }
    thread::sleep(Duration::from_secs(1));
    let second = check.run(&["-v"]);
    second.has_code(0).says("commits/s");
    assert!(second.figure("commits_per_second") > 1.0, "{}", second.text());
    assert!(second.figure("cache_hit_percent") > 50.0);
    no_negative_figure(&second);
}

#[test]
fn a_restart_and_a_reset_are_new_baselines() {
    let mut cluster = Cluster::plan().start();
    let check = Check::new(&cluster);
    check.run(&[]);
    cluster.psql("SELECT pg_stat_reset()");
    no_negative_figure(&check.run(&["-v"]));
    cluster.restart();
    let said = check.run(&["-v"]);
    said.says("the server was restarted since the last run; a new baseline is taken");
    assert!(!said.has_figure("commits_per_second"), "{}", said.text());
    cluster.crash();
    cluster.start();
    let said = check.run(&["-v"]);
    said.says("the server was restarted since the last run");
    no_negative_figure(&said);
    no_negative_figure(&check.run(&["-v"]));
}

#[test]
fn a_run_that_asks_for_something_else_keeps_the_baseline() {
    let cluster = Cluster::plan().start();
    let check = Check::new(&cluster);
    check.run(&[]);
    check.run(&["--only", "backends"]);
    let said = check.run(&[]);
    assert!(said.has_figure("commits_per_second"), "{}", said.text());
}

#[test]
fn a_deadlock_is_counted_and_its_database_named() {
    let cluster = Cluster::plan().setting("deadlock_timeout", "10ms").start();
    let check = Check::new(&cluster).with(&["-w", "deadlocks=0"]);
    check.run(&[]).has_code(0);
    let ring = |name: &str, first: u8, then: u8| {
        cluster.session(
            "postgres",
            &format!("SET application_name = '{name}'; {}; SELECT pg_sleep(2); {}", advisory(first), advisory(then)),
        )
    };
    let _rings = [ring("a", 1, 2), ring("b", 2, 1)];
    wait_for(&cluster, "SELECT deadlocks FROM pg_stat_database WHERE datname = 'postgres'", "1");
    let said = check.run(&[]);
    said.has_code(1).headlines("1 deadlocks since the last run (most in postgres: 1)").says("'deadlock detected'");
    eventually("the next run to be calm", || check.run(&[]).output.code == 0);
}

fn advisory(key: u8) -> String {
    format!("SELECT pg_advisory_xact_lock({key})")
}
