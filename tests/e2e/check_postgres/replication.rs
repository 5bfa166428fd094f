//! Standbys and slots.

use support::live::eventually;
use support::postgres::{Cluster, Plan};

use crate::check::{Check, wait_for};

const STREAMING: &str = "SELECT count(*) FROM pg_stat_replication WHERE state = 'streaming'";

fn primary() -> Plan {
    Cluster::plan().setting("wal_level", "replica").setting("max_wal_size", "1GB")
}

fn write(cluster: &Cluster) {
    cluster.psql("CREATE TABLE IF NOT EXISTS w (t text); INSERT INTO w SELECT repeat(md5(i::text), 20) FROM generate_series(1, 4000) i");
}

/// Whether the standby has replayed all.
fn catch_up(primary: &Cluster) {
    wait_for(primary, "SELECT bool_and(replay_lsn = pg_current_wal_lsn()) FROM pg_stat_replication", "t");
}

#[test]
fn a_standby_that_is_stopped_is_seen_by_its_slot() {
    let primary = primary().start();
    primary.psql("SELECT pg_create_physical_replication_slot('standby_1')");
    let mut standby =
        Cluster::plan().setting("cluster_name", "standby_1").start_standby_of(&primary, Some("standby_1"));
    wait_for(&primary, STREAMING, "1");
    write(&primary);
    catch_up(&primary);
    let check = Check::new(&primary);
    // An idle primary: what was last measured must not stand, nor grow.
    let said = check.run(&["-v"]);
    said.has_code(0).says("standby standby_1: streaming (async)").says("slot standby_1: physical, active");
    for zero in ["standby_1:replay_lag_bytes", "standby_1:replay_lag"] {
        assert!(said.figure(zero).abs() < f64::EPSILON, "{zero}: {}", said.text());
    }
    let on_standby = Check::new(&standby);
    let said = on_standby.run(&["-v"]);
    said.has_code(0).says("(standby)").says("replay: WAL receiver streaming, 0 B to replay, lag 0s");
    assert!(said.figure("self:replay_lag").abs() < f64::EPSILON);

    standby.stop();
    wait_for(&primary, STREAMING, "0");
    let before = check.run(&[]).figure("standby_1:slot_retained");
    write(&primary);
    let said = check.run(&["-c", "slot_retained=100KiB"]);
    said.has_code(2).headlines("slot standby_1 retains").headlines("(over 100 KiB)");
    said.says("slot standby_1 is inactive").says("-> SELECT pg_drop_replication_slot('standby_1')");
    assert!(said.figure("standby_1:slot_retained") > before + 100_000.0, "{before}: {}", said.text());
    check.run(&[]).has_code(1).headlines("slot standby_1 is inactive");
}

#[test]
fn a_standby_whose_primary_is_gone_says_so() {
    let mut primary = primary().start();
    let standby = Cluster::plan().start_standby_of(&primary, None);
    wait_for(&primary, STREAMING, "1");
    primary.stop();
    eventually("the receiver to end", || standby.psql("SELECT count(*) FROM pg_stat_wal_receiver") == "0");
    let said = Check::new(&standby).run(&[]);
    said.has_code(1).headlines("the standby receives nothing from its primary");
}

#[test]
fn a_standby_that_replays_late_is_named_with_bytes_and_time() {
    let primary = primary().start();
    let plan = Cluster::plan().setting("cluster_name", "late").setting("recovery_min_apply_delay", "10min");
    let standby = plan.start_standby_of(&primary, None);
    wait_for(&primary, STREAMING, "1");
    // What is written after a commit waits with it.
    write(&primary);
    write(&primary);
    wait_for(&primary, "SELECT bool_and(flush_lsn = pg_current_wal_lsn()) FROM pg_stat_replication", "t");
    let said = Check::new(&primary).run(&["-w", "replay_lag_bytes=100KiB"]);
    said.has_code(1).headlines("standby late has").headlines("to replay (over 100 KiB)");
    let said = Check::new(&standby).run(&["-w", "self:replay_lag_bytes=100KiB"]);
    said.has_code(1).headlines("of WAL received and not replayed (over 100 KiB)");
    standby.psql("SELECT pg_wal_replay_pause()");
    Check::new(&standby).run(&[]).has_code(1).says("-> SELECT pg_wal_replay_resume()");
}

#[test]
fn a_slot_that_lost_its_wal_is_critical() {
    let primary = primary()
        .setting("max_slot_wal_keep_size", "1MB")
        .setting("min_wal_size", "32MB")
        .setting("max_wal_size", "32MB")
        .start();
    primary.psql("SELECT pg_create_physical_replication_slot('gone', true)");
    for _ in 0..4 {
        write(&primary);
        primary.psql("SELECT pg_switch_wal()");
    }
    primary.psql("CHECKPOINT");
    wait_for(&primary, "SELECT wal_status FROM pg_replication_slots", "lost");
    Check::new(&primary).run(&[]).has_code(2).headlines("slot gone is lost");
}
