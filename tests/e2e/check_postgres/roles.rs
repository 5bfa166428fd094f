//! What roles of different power see.

use std::path::Path;

use support::postgres::Cluster;

use crate::check::Check;

/// Grants what packaging/postgres/monitoring-role.sql grants.
#[track_caller]
pub fn make_monitoring_role(cluster: &Cluster, database: &str) {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../packaging/postgres/monitoring-role.sql");
    let output = cluster.client(database).arg("-f").arg(script).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

fn cluster() -> Cluster {
    let plan = Cluster::plan().setting("archive_mode", "on").setting("archive_command", "true");
    let cluster = plan.setting("wal_level", "logical").start();
    cluster.psql("CREATE ROLE kwanza LOGIN");
    cluster.psql("CREATE DATABASE kwanza OWNER kwanza");
    cluster.psql_in("kwanza", "SET ROLE kwanza; CREATE SCHEMA app; CREATE TABLE app.orders (id serial)");
    cluster.psql_in("kwanza", "INSERT INTO app.orders DEFAULT VALUES");
    cluster.psql("CREATE DATABASE closed");
    cluster.psql("REVOKE CONNECT ON DATABASE closed FROM public");
    cluster
}

#[test]
fn the_packaged_role_sees_every_group_and_no_table() {
    let cluster = cluster();
    for _ in 0..2 {
        make_monitoring_role(&cluster, "kwanza");
    }
    let said = Check::of(&cluster, "monitoring", "kwanza").run(&["-v"]);
    said.has_code(0).says_not("UNKNOWN");
    for figure in ["wal_size", "wal_ready_files", "sequence_used_percent", "closed:database_size", "waiting_on_locks"] {
        said.figure(figure);
    }
    // A sequence that is made later is seen too.
    cluster.psql_in("kwanza", "SET ROLE kwanza; CREATE SEQUENCE app.later; SELECT nextval('app.later')");
    Check::of(&cluster, "monitoring", "kwanza").run(&["-v"]).has_code(0).says("2 sequences in kwanza");
    let mut client = cluster.client("kwanza");
    let denied = client.args(["-U", "monitoring", "-c", "SELECT * FROM app.orders"]).output().unwrap();
    assert!(String::from_utf8_lossy(&denied.stderr).contains("permission denied"));
}

#[test]
fn a_role_that_may_only_connect_is_told_what_helps() {
    let cluster = cluster();
    cluster.psql("CREATE ROLE \"Only | one\" LOGIN");
    let said = Check::of(&cluster, "Only | one", "kwanza").run(&[]);
    said.has_code(3).says("-> GRANT pg_monitor TO \"Only / one\"");
    said.says("-> in kwanza: GRANT SELECT ON ALL SEQUENCES IN SCHEMA app TO \"Only / one\"");
    for group in ["backends", "transactions", "archiving", "sequences", "size"] {
        said.says(&format!("[UNKNOWN] {group}: "));
    }
    said.says("the role may not see the size of closed and the size of pg_wal");
    // The others are judged all the same.
    for figure in ["connections_used_percent", "xid_age", "invalid_indexes", "kwanza:database_size", "uptime"] {
        said.figure(figure);
    }
}

#[test]
fn pg_monitor_alone_lacks_the_sequences() {
    let cluster = cluster();
    cluster.psql("CREATE ROLE monitor LOGIN; GRANT pg_monitor TO monitor");
    let said = Check::of(&cluster, "monitor", "kwanza").run(&[]);
    said.has_code(3).headlines("the role may not read 1 sequence of kwanza").says_not("GRANT pg_monitor");
    Check::of(&cluster, "postgres", "kwanza").run(&[]).has_code(0);
}

#[test]
fn the_check_writes_nothing() {
    let cluster = cluster();
    let position = || cluster.psql("SELECT pg_current_wal_insert_lsn()");
    Check::of(&cluster, "postgres", "kwanza").run(&[]);
    cluster.psql("CHECKPOINT");
    let before = position();
    Check::of(&cluster, "postgres", "kwanza").run(&[]);
    assert_eq!(before, position());
}

#[test]
fn nobody_puts_a_function_in_the_place_of_a_system_function() {
    let cluster = cluster();
    let body = "AS 'BEGIN RAISE EXCEPTION ''captured''; END' LANGUAGE plpgsql";
    cluster.psql_in("kwanza", &format!("CREATE FUNCTION public.has_sequence_privilege(oid, text) RETURNS bool {body}"));
    cluster.psql_in("kwanza", &format!("CREATE FUNCTION public.pg_has_role(name, text) RETURNS bool {body}"));
    cluster.psql_in("kwanza", &format!("CREATE FUNCTION public.current_setting(text) RETURNS text {body}"));
    cluster.psql("ALTER ROLE postgres SET search_path = public, pg_catalog");
    Check::of(&cluster, "postgres", "kwanza").run(&[]).has_code(0).says_not("captured");
}
