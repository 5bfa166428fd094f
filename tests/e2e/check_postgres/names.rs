//! Names that nobody should give.

use support::postgres::Cluster;

use crate::check::{Check, idle_after};

#[test]
fn odd_names_of_databases_and_roles_do_no_harm() {
    let cluster = Cluster::plan().start();
    let name = "a 'b' \"c\" | d\ne";
    let quoted = name.replace('"', "\"\"");
    cluster.psql(&format!("CREATE ROLE \"{quoted}\" SUPERUSER LOGIN"));
    cluster.psql(&format!("CREATE DATABASE \"{quoted}\""));
    cluster
        .psql_in(name, &format!("CREATE SCHEMA \"{quoted}\"; CREATE SEQUENCE \"{quoted}\".\"{quoted}\" MAXVALUE 10"));
    cluster.psql_in(name, "SELECT setval(oid::regclass, 10) FROM pg_class WHERE relkind = 'S'");
    cluster.psql_in(name, "SELECT pg_create_physical_replication_slot('slot')");
    let (_session, pid) = idle_after(&cluster, "a|b", "BEGIN; SELECT txid_current()");
    let check = Check::of(&cluster, name, name).with(&["-w", "idle_in_transaction=0"]);
    let said = check.run(&["-v"]);
    let shown = "a 'b' \"c\" / d e";
    said.has_code(2).says(&format!("database {shown}: ")).says("is used up to 100 %");
    said.says(&format!("pid {pid} (postgres in postgres) is idle in transaction")).says("from a/b");
    said.says(&format!("by user: 1 {shown}, 1 postgres"));
    assert_eq!(said.output.first_line().matches('|').count(), 1, "{}", said.text());
    check.run(&["-v"]).says("commits/s");
}

#[test]
fn a_name_in_no_encoding_costs_its_groups_alone() {
    let cluster = Cluster::plan().initdb("--encoding=SQL_ASCII").initdb("--locale=C").start();
    cluster.psql("CREATE DATABASE odd");
    cluster.psql("UPDATE pg_database SET datname = 'odd' || chr(255) WHERE datname = 'odd'");
    let said = Check::new(&cluster).run(&[]);
    said.has_code(3).headlines("a name on the server is not UTF-8").says("[UNKNOWN] size").says("RENAME TO");
    said.figure("connections_used_percent");
    said.figure("settings_pending_restart");
}
