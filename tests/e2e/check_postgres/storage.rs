//! What is stored: ages, indexes, sequences, pages, dead rows, the archive, settings.

use std::fs;
use std::io::{Seek as _, SeekFrom, Write as _};
use std::time::{Duration, Instant};

use support::live::eventually;
use support::postgres::Cluster;
use support::tool::run;

use crate::check::{Check, idle_after, wait_for};

#[test]
fn an_old_transaction_id_names_database_table_and_who_holds_it_back() {
    let cluster = Cluster::plan().start();
    cluster.psql("CREATE TABLE old (id int); INSERT INTO old VALUES (1)");
    let (_session, pid) = idle_after(&cluster, "holder", "BEGIN; SELECT txid_current()");
    for _ in 0..20 {
        cluster.psql("SELECT txid_current()");
    }
    let said = Check::new(&cluster).run(&["-w", "xid_age=10", "-c", "xid_age=1000000", "--only", "wraparound"]);
    said.has_code(1).headlines("xid_age of postgres is").says("oldest table: ").says("-> in postgres: VACUUM (FREEZE");
    said.says(&format!("the session with pid {pid} holds back freezing the most: its snapshot is 2"));
    let elsewhere = Check::of(&cluster, "postgres", "template1").run(&["-w", "xid_age=10", "--only", "wraparound"]);
    elsewhere.has_code(1).says("database ");
}

#[test]
fn a_billion_transactions_without_freezing_are_critical() {
    let mut cluster = Cluster::plan().start();
    let server = fs::read_link(format!("/proc/{}/exe", cluster.process().pid())).unwrap();
    cluster.stop();
    let data = cluster.data();
    // The next number is the first of a file of the commit log, which is not there as nobody has come that far.
    let (next, file) = ("1000341504", data.join("pg_xact/03BA"));
    fs::write(&file, vec![0; 256 << 10]).unwrap();
    run("chown", &["postgres:", &file.display().to_string()]);
    let reset = server.with_file_name("pg_resetwal").display().to_string();
    let user = ["--reuid", "postgres", "--regid", "postgres", "--init-groups"];
    run("setpriv", &[&user[..], &[&reset, "-x", next, "-D", &data.display().to_string()]].concat());
    cluster.start();
    let said = Check::new(&cluster).run(&["--only", "wraparound"]);
    said.has_code(2).headlines("xid_age of postgres is 10003").headlines("(over 1000000000)");
    said.says("oldest table: pg_").says("with 10003");
    assert!(said.figure("xid_age") > 1e9);
}

#[test]
fn a_sequence_near_its_end_is_named() {
    let cluster = Cluster::plan().start();
    cluster.psql("CREATE SEQUENCE tickets MAXVALUE 1000; SELECT setval('tickets', 970)");
    cluster.psql("CREATE SEQUENCE down INCREMENT -1 MINVALUE -100; SELECT setval('down', -90)");
    cluster.psql("CREATE SEQUENCE ring MAXVALUE 10 CYCLE; SELECT setval('ring', 10)");
    cluster.psql("CREATE SEQUENCE wide; CREATE TABLE narrow (id int DEFAULT nextval('wide'))");
    cluster.psql("ALTER SEQUENCE wide OWNED BY narrow.id; SELECT setval('wide', 1900000000)");
    let said = Check::new(&cluster).run(&[]);
    said.has_code(2).headlines("sequence public.tickets of postgres is used up to 97 % (over 95 %)");
    said.says("tickets: 970 of 1000, 97.0 %").says("down: -90 of -100, 90.0 %");
    said.says("wide: 1900000000 of 2147483647 of its integer column, 88.5 %").says_not("ring");
    assert!((said.figure("sequence_used_percent") - 97.0).abs() < 0.01);
}

#[test]
fn an_invalid_index_is_named() {
    let cluster = Cluster::plan().start();
    cluster.psql("CREATE TABLE twice (id int); INSERT INTO twice VALUES (1), (1)");
    let failed =
        cluster.client("postgres").args(["-c", "CREATE UNIQUE INDEX CONCURRENTLY broken ON twice (id)"]).output();
    assert!(!failed.unwrap().status.success());
    let said = Check::new(&cluster).run(&[]);
    said.has_code(1).headlines("1 invalid index in postgres, public.broken on public.twice: 1 (over 0)");
    said.says("-> in postgres: REINDEX INDEX CONCURRENTLY public.broken");
}

#[test]
fn a_damaged_page_is_counted_until_the_statistics_are_reset() {
    let mut cluster = Cluster::plan().initdb("--data-checksums").start();
    cluster.psql("CREATE DATABASE kwanza");
    cluster.psql_in("kwanza", "CREATE TABLE damaged AS SELECT generate_series(1, 1000)");
    let path = cluster.psql_in("kwanza", "SELECT pg_relation_filepath('damaged')");
    let check = Check::new(&cluster);
    check.run(&[]).has_code(0);
    cluster.stop();
    let mut file = fs::File::options().write(true).open(cluster.data().join(path)).unwrap();
    file.seek(SeekFrom::Start(4000)).unwrap();
    file.write_all(b"?").unwrap();
    drop(file);
    cluster.start();
    check.run(&[]).has_code(0);
    let failed = cluster.client("kwanza").args(["-c", "SELECT count(*) FROM damaged"]).output().unwrap();
    assert!(!failed.status.success(), "the damage is to be found");
    let mut said = check.run(&[]);
    // The statistics of a session are there a moment after its end.
    eventually("the failure to be counted", || {
        said = check.run(&[]);
        said.figure("checksum_failures") > 0.0
    });
    said.has_code(2).headlines("pages with a wrong checksum in kwanza: 1 (over 0)").says("page verification failed");
    cluster.psql_in("kwanza", "SELECT pg_stat_reset()");
    check.run(&[]).has_code(0);
}

#[test]
fn without_checksums_that_is_said() {
    let cluster = Cluster::plan().start();
    let said = Check::new(&cluster).run(&["-v"]);
    said.has_code(0);
    assert_eq!(said.text().contains("data checksums are off"), cluster.psql("SHOW data_checksums") == "off");
}

#[test]
fn dead_rows_are_counted_and_their_table_named() {
    let cluster = Cluster::plan().setting("autovacuum", "off").start();
    cluster.psql("CREATE TABLE bloated AS SELECT generate_series(1, 10000) AS id");
    cluster.psql("DELETE FROM bloated WHERE id <= 6000");
    wait_for(&cluster, "SELECT n_dead_tup FROM pg_stat_user_tables WHERE relname = 'bloated'", "6000");
    let check = Check::new(&cluster).with(&["--min-table-size", "64KiB", "-w", "dead_tuple_percent=50"]);
    let said = check.run(&["-v"]);
    said.has_code(1).headlines("bloated has 60 % dead rows (over 50 %)");
    said.says("bloated: 6000 dead and 4000 live rows, 60 %")
        .says("autovacuum is off")
        .says("VACUUM (VERBOSE) public.bloated");
    said.says("never vacuumed: 1");
    cluster.psql("VACUUM ANALYZE bloated");
    wait_for(&cluster, "SELECT n_dead_tup FROM pg_stat_user_tables WHERE relname = 'bloated'", "0");
    let said = check.run(&[]);
    said.has_code(0);
    assert!(said.figure("oldest_vacuum") < 60.0 && said.figure("oldest_analyze") < 60.0);
    Check::new(&cluster).run(&["-v"]).says("0 tables over 100 MiB");
}

#[test]
fn settings_that_wait_for_a_restart_are_named() {
    let mut cluster = Cluster::plan().start();
    cluster.configure(&[("max_connections", "42")]);
    cluster.reload();
    wait_for(&cluster, "SELECT count(*) FROM pg_settings WHERE pending_restart", "1");
    let check = Check::new(&cluster);
    check.run(&[]).has_code(1).headlines("settings that wait for a restart (max_connections): 1 (over 0)");
    cluster.restart();
    check.run(&["-v"]).has_code(0).says("the server was restarted since the last run");
}

#[test]
fn a_server_that_was_just_started_is_warned_of() {
    let cluster = Cluster::plan().start();
    let said = Check::new(&cluster).run(&["-w", "uptime=10m:"]);
    said.has_code(1).headlines("the server is up for").headlines("(below 10m)");
}

#[test]
fn an_archiver_that_fails_and_recovers() {
    let cluster = Cluster::plan().setting("archive_mode", "on").setting("archive_command", "false").start();
    let check = Check::new(&cluster);
    cluster.psql("CREATE TABLE t (id int); SELECT pg_switch_wal()");
    eventually("the archiver to fail", || cluster.psql("SELECT failed_count > 0 FROM pg_stat_archiver") == "t");
    let said = check.run(&[]);
    said.has_code(2).headlines("archiving fails: 0000000100000000000000").headlines("nothing was ever archived");
    said.says("(what archive_command says)");
    assert!(said.figure("wal_ready_files") >= 1.0);
    for step in 0..11 {
        cluster.psql(&format!("INSERT INTO t VALUES ({step}); SELECT pg_switch_wal()"));
    }
    check.run(&[]).has_code(2).says("WAL files wait to be archived");
    cluster.configure(&[("archive_command", "true")]);
    cluster.reload();
    let begin = Instant::now();
    // The archiver waits up to a minute after three failures.
    while cluster.psql("SELECT last_archived_time > last_failed_time FROM pg_stat_archiver") != "t" {
        assert!(begin.elapsed() < Duration::from_secs(90), "the archiver does not recover");
        std::thread::sleep(Duration::from_millis(200));
    }
    wait_for(&cluster, "SELECT count(*) FROM pg_ls_archive_statusdir() WHERE name LIKE '%.ready'", "0");
    let said = check.run(&["-v"]);
    said.has_code(0).says("the last failure was");
    assert!(said.figure("archive_age") < 60.0 && said.figure("archive_failures") >= 0.0);
}

#[test]
fn recovery_that_is_required_needs_an_archive() {
    let cluster = Cluster::plan().start();
    let check = Check::new(&cluster);
    check.run(&[]).has_code(0).says_not("archiv");
    check.run(&["--require-pitr"]).has_code(2).headlines("archive_mode is off");
}

#[test]
fn ten_thousand_tables_are_looked_at_in_time() {
    let cluster = Cluster::plan().setting("max_locks_per_transaction", "2000").start();
    let check = Check::new(&cluster);
    let sql = "DO $$ BEGIN FOR i IN 1..10000 LOOP EXECUTE format('CREATE TABLE t%s (id int)', i); END LOOP; END $$";
    cluster.psql(sql);
    cluster.psql("VACUUM ANALYZE pg_class");
    let said = check.run(&["-t", "3s"]);
    said.has_code(0);
    assert!(said.figure("postgres:database_size") > 3e7 && said.figure("query_time") < 2.0, "{}", said.text());
}
