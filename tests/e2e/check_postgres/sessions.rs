//! Sessions: too many, idle in a transaction, waiting for one another, forgotten in two phases.

use std::thread;
use std::time::Duration;

use support::live::Process;
use support::postgres::Cluster;

use crate::check::{Check, idle_after, wait_for, waits_in};

/// Long enough for an age to be above a threshold of 0.1 s.
fn grow_old() {
    thread::sleep(Duration::from_millis(200));
}

#[test]
fn an_idle_server_is_ok() {
    let cluster = Cluster::plan().start();
    let said = Check::new(&cluster).run(&[]);
    said.has_code(0).headlines("1 of 97 connections").says("POSTGRES OK - PostgreSQL 1");
    for zero in ["waiting_on_locks", "idle_in_transaction", "longest_query", "lock_wait", "prepared_oldest"] {
        assert!(said.figure(zero).abs() < f64::EPSILON, "{zero}");
    }
    assert!(said.figure("xid_age") < 10_000.0 && said.figure("postgres:database_size") > 1e6);
}

#[test]
fn connections_near_their_limit_are_critical_and_named() {
    let cluster = Cluster::plan().setting("max_connections", "23").start();
    cluster.psql("CREATE ROLE kwanza LOGIN");
    let sql = "SET SESSION AUTHORIZATION kwanza";
    let _sessions: Vec<Process> = (0..18).map(|_| cluster.session("postgres", sql)).collect();
    wait_for(&cluster, "SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'client backend'", "19");
    let said = Check::new(&cluster).run(&["-v"]);
    // 18 and the check itself, of 23 - 3.
    said.has_code(2).headlines("19 of 20 connections used, 95 % (over 90 %)").says("database postgres (19)");
    said.says("by state: 18 idle, 1 active");
    assert!((said.figure("connections_used_percent") - 95.0).abs() < 0.01);
}

#[test]
fn a_session_idle_in_a_transaction_is_named() {
    let cluster = Cluster::plan().start();
    cluster.psql("CREATE TABLE orders (id int)");
    let (_session, pid) = idle_after(&cluster, "forgetful", "BEGIN; INSERT INTO orders VALUES (4711)");
    grow_old();
    let check = Check::new(&cluster).with(&["-w", "idle_in_transaction=0.1", "-c", "idle_in_transaction=0.15"]);
    let said = check.run(&[]);
    said.has_code(2).headlines(&format!("pid {pid} (postgres in postgres) is idle in transaction for"));
    said.says("idle in transaction for ").says("from forgetful").says(&format!("SELECT pg_terminate_backend({pid})"));
    said.says_not("4711");
    check.run(&["--show-queries"]).says("INSERT INTO orders VALUES (4711)");
    assert!(said.figure("idle_in_transaction") >= 0.2);
}

#[test]
fn a_transaction_that_holds_nothing_is_nobodys_concern() {
    let cluster = Cluster::plan().start();
    let (_session, _) = idle_after(&cluster, "harmless", "BEGIN; SELECT 1");
    grow_old();
    let said = Check::new(&cluster).run(&["-c", "idle_in_transaction=0.1"]);
    said.has_code(0);
}

#[test]
fn a_long_statement_is_named_and_pg_dump_is_not() {
    let cluster = Cluster::plan().start();
    let sleep = "SELECT pg_sleep(600) AS secret";
    let _slow = cluster.session("postgres", &format!("SET application_name = 'report'; {sleep}"));
    let _dump = cluster.session("postgres", &format!("SET application_name = 'pg_dump'; {sleep}"));
    wait_for(
        &cluster,
        "SELECT count(*) FROM pg_stat_activity WHERE query LIKE '%secret' AND wait_event = 'PgSleep'",
        "2",
    );
    grow_old();
    let pid = cluster.psql("SELECT pid FROM pg_stat_activity WHERE application_name = 'report'");
    let said = Check::new(&cluster).run(&["-w", "longest_query=0.1"]);
    said.has_code(1).headlines(&format!("a statement of pid {pid} (postgres in postgres) runs for"));
    said.says("from report").says(&format!("SELECT pg_cancel_backend({pid})")).says_not("pg_dump").says_not("secret");
}

#[test]
fn a_chain_of_waits_is_followed_to_its_end() {
    let cluster = Cluster::plan().start();
    cluster.psql("CREATE TABLE chain (id int PRIMARY KEY); INSERT INTO chain VALUES (1), (2)");
    let (_first, first) = idle_after(&cluster, "first", "BEGIN; UPDATE chain SET id = id WHERE id = 1");
    let second = "BEGIN; UPDATE chain SET id = id WHERE id = 2; UPDATE chain SET id = id WHERE id = 1";
    let (_second, second) = waits_in(&cluster, "second", second);
    grow_old();
    let (_third, third) = waits_in(&cluster, "third", "UPDATE chain SET id = id WHERE id = 2");
    grow_old();
    let said = Check::new(&cluster).run(&["-w", "lock_wait=0.1", "-c", "lock_wait=1h"]);
    said.has_code(1).headlines(&format!("pid {second} (postgres in postgres) waits "));
    said.headlines(&format!("for a lock of pid {first} (postgres in postgres) (over 100ms)"));
    said.says(&format!("pid {third} (postgres in postgres) waits on transactionid, blocked by pid {second}, for"));
    said.says(&format!("pid {first} (postgres in postgres) blocks, idle in transaction, its transaction open for"));
    said.says(&format!("-> SELECT pg_terminate_backend({first})"));
    said.says_not(&format!("pg_terminate_backend({second})"));
    assert!((said.figure("waiting_on_locks") - 2.0).abs() < f64::EPSILON);
}

#[test]
fn a_table_that_is_waited_for_is_named() {
    let cluster = Cluster::plan().start();
    cluster.psql("CREATE TABLE \"Odd | one\" (id int)");
    let (_holder, holder) = idle_after(&cluster, "holder", "BEGIN; LOCK TABLE \"Odd | one\"");
    let (_waiter, waiter) = waits_in(&cluster, "waiter", "SELECT * FROM \"Odd | one\"");
    grow_old();
    let said = Check::new(&cluster).run(&["-c", "lock_wait=0.1"]);
    said.has_code(2)
        .says(&format!("pid {waiter} (postgres in postgres) waits on public.\"Odd / one\", blocked by pid {holder},"));
}

#[test]
fn a_forgotten_prepared_transaction_is_named() {
    let cluster = Cluster::plan().setting("max_prepared_transactions", "5").start();
    cluster.psql("CREATE TABLE orders (id int)");
    let sql = "BEGIN; INSERT INTO orders VALUES (1); PREPARE TRANSACTION 'it''s order 17'";
    cluster.psql(sql);
    grow_old();
    let (_waiter, waiter) = waits_in(&cluster, "waiter", "LOCK TABLE orders");
    grow_old();
    let said = Check::new(&cluster).run(&["-w", "prepared_oldest=0.1", "-w", "lock_wait=0.1"]);
    said.has_code(1).headlines("transaction it's order 17 is prepared for");
    said.says("-> in postgres: ROLLBACK PREPARED 'it''s order 17', or COMMIT PREPARED");
    said.says(&format!(
        "pid {waiter} (postgres in postgres) waits on public.orders, blocked by a prepared transaction"
    ));
    assert!((said.figure("prepared") - 1.0).abs() < f64::EPSILON);
}
