//! The statement of --query-file.

use std::path::PathBuf;

use support::postgres::Cluster;
use tempfile::TempDir;

use crate::check::{Check, Said};

struct Query {
    cluster: Cluster,
    directory: TempDir,
}

impl Query {
    fn new() -> Self {
        Self { cluster: Cluster::plan().start(), directory: tempfile::tempdir().unwrap() }
    }

    #[track_caller]
    fn run(&self, sql: &str, further: &[&str]) -> Said {
        let path: PathBuf = self.directory.path().join("query.sql");
        std::fs::write(&path, sql).unwrap();
        Check::new(&self.cluster).with(&["--query-file", path.to_str().unwrap()]).run(further)
    }
}

#[test]
fn rows_are_judged_by_their_own_ranges_and_those_of_the_command_line() {
    let query = Query::new();
    let sql = "SELECT * FROM (VALUES ('orders', 7.5, '5', '10'), ('queue', 3, NULL, NULL)) q (name, value, warning, critical);  -- why";
    let said = query.run(&sql.replace(";  -- why", " -- why"), &["-v"]);
    said.has_code(1).headlines("orders 7.5 (over 5)");
    assert!((said.figure("queue:value") - 3.0).abs() < f64::EPSILON);
    query.run("SELECT 'orders' AS name, 7 AS value, 5 AS warning;", &["-w", "orders:value=9"]).has_code(0);
    query.run("SELECT 'orders' AS name, 7 AS value", &["-c", "value=6"]).has_code(2).headlines("orders 7 (over 6)");
}

#[test]
fn a_statement_of_no_use_is_unknown_and_says_why() {
    let query = Query::new();
    query.run("SELECT 1 AS name WHERE false", &[]).has_code(3).headlines("brings no row");
    query.run("SELECT 1 AS one", &[]).has_code(3).headlines("no columns 'name' and 'value'");
    query.run("SELECT 'x' AS name, 'many' AS value", &[]).has_code(3).headlines("'many' is not a number");
    query.run("SELECT 'x' AS name, NULL AS value", &[]).has_code(3).headlines("x has no value");
    query.run("SELECT 'x' AS name, 1 AS value, '9:3' AS warning", &[]).has_code(3).headlines("warning: ");
    query.run("SELEC", &[]).has_code(3).headlines("syntax error");
    query
        .run("SELECT i AS name, i AS value FROM generate_series(1, 1000000) i", &[])
        .has_code(3)
        .headlines("more than 1000 rows");
}

#[test]
fn a_statement_cannot_write() {
    let query = Query::new();
    query.cluster.psql("CREATE TABLE t (name text, value int); CREATE SEQUENCE s");
    query.run("INSERT INTO t VALUES ('x', 1) RETURNING name, value", &[]).has_code(3);
    query.run("SELECT 'x' AS name, nextval('s') AS value", &[]).has_code(3).headlines("read-only transaction");
    assert_eq!(query.cluster.psql("SELECT count(*) FROM t"), "0");
}
