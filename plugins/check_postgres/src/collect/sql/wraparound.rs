//! Freeze ages.

use crate::snapshot::Server;

/// `mxid_age` of a table or database without multixacts is the largest integer, which says nothing.
pub(super) fn sql(server: &Server) -> String {
    let database = |column: &str, function: &str| {
        format!(
            "(SELECT row_to_json(x) FROM (SELECT datname AS name, {function}({column}) AS age FROM pg_database
  ORDER BY {function}({column}) DESC, datname LIMIT 1) x)"
        )
    };
    let table = |column: &str, function: &str| {
        format!(
            "(SELECT json_build_object('name', oid::regclass::text, 'age', age) FROM (
  SELECT oid, {function}({column}) AS age FROM pg_class
  WHERE relkind IN ('r', 'm', 't') AND {column} <> '0' ORDER BY age DESC LIMIT 1) x)"
        )
    };
    // On a standby the primary's sessions hold back, not its own.
    let holder = if server.is_standby {
        "NULL::json".to_owned()
    } else {
        "(SELECT row_to_json(x) FROM (SELECT kind, name, age FROM (
  SELECT 'session' AS kind, pid::text AS name, greatest(age(backend_xmin), age(backend_xid)) AS age
   FROM pg_stat_activity WHERE backend_type = 'client backend'
  UNION ALL SELECT 'prepared', gid, age(transaction) FROM pg_prepared_xacts
  UNION ALL SELECT 'slot', slot_name, greatest(age(xmin), age(catalog_xmin)) FROM pg_replication_slots) h
  WHERE age IS NOT NULL ORDER BY age DESC, kind, name LIMIT 1) x)"
            .to_owned()
    };
    format!(
        "SELECT json_build_object('xid', {}, 'mxid', {}, 'xid_table', {}, 'mxid_table', {}, 'holder', {holder})",
        database("datfrozenxid", "age"),
        database("datminmxid", "mxid_age"),
        table("relfrozenxid", "age"),
        table("relminmxid", "mxid_age"),
    )
}
