//! Freeze ages.

/// `mxid_age` of a table or database without multixacts is the largest integer, which says nothing.
pub(super) fn sql() -> String {
    let database = |column: &str, function: &str| {
        format!(
            "(SELECT json_build_object('name', datname, 'age', {function}({column})) FROM pg_database
  ORDER BY {function}({column}) DESC, datname LIMIT 1)"
        )
    };
    format!(
        "SELECT json_build_object('xid', {}, 'mxid', {})",
        database("datfrozenxid", "age"),
        database("datminmxid", "mxid_age"),
    )
}

/// The tables that hold back the ages of the session's database.
pub(super) fn oldest_tables() -> String {
    let table = |column: &str, function: &str| {
        format!(
            "(SELECT json_build_object('name', oid::regclass::text, 'age', age) FROM (
  SELECT oid, {function}({column}) AS age FROM pg_class
  WHERE relkind IN ('r', 'm', 't') AND {column} <> '0' ORDER BY age DESC LIMIT 1) x)"
        )
    };
    format!(
        "SELECT json_build_object('xid', {}, 'mxid', {})",
        table("relfrozenxid", "age"),
        table("relminmxid", "mxid_age"),
    )
}

/// What keeps rows from being frozen: the session, prepared transaction or slot with the oldest snapshot.
pub(super) const HOLDER: &str = "SELECT coalesce((SELECT row_to_json(x) FROM (SELECT kind, name, age FROM (
  SELECT 'session' AS kind, pid::text AS name, greatest(age(backend_xmin), age(backend_xid)) AS age
   FROM pg_stat_get_activity(NULL) WHERE backend_type = 'client backend'
  UNION ALL SELECT 'prepared', gid, age(transaction) FROM pg_prepared_xact()
  UNION ALL SELECT 'slot', slot_name, greatest(age(xmin), age(catalog_xmin)) FROM pg_get_replication_slots()) h
  WHERE age IS NOT NULL ORDER BY age DESC, kind, name LIMIT 1) x), 'null')";
