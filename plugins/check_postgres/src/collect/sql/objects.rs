//! Indexes and sequences of the database.

use super::list;
use crate::snapshot::Server;
use crate::wants::Wants;

/// How many indexes are not valid, those included that are just being built.
pub(super) const INVALID_INDEXES: &str = "SELECT count(*) FROM pg_index WHERE NOT indisvalid";

/// Indexes that are not valid, without those that are just being built. Asked only while there are any.
pub(super) fn indexes(server: &Server, wants: &Wants) -> String {
    // Before version 12 nothing tells which index is being built, so one that is locked for it is left out.
    let building = if server.version >= 120_000 {
        "SELECT FROM pg_stat_progress_create_index p WHERE p.index_relid = i.indexrelid"
    } else {
        "SELECT FROM pg_locks l WHERE l.relation = i.indrelid AND l.mode = 'ShareUpdateExclusiveLock' AND l.granted"
    };
    format!(
        "WITH i AS (SELECT i.indexrelid, i.indrelid FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid
 WHERE NOT i.indisvalid AND c.relkind = 'i' AND NOT EXISTS ({building}))
SELECT json_build_object('invalid', (SELECT count(*) FROM i),
 'names', (SELECT coalesce(json_agg(name), '[]') FROM (
  SELECT indexrelid::regclass || ' on ' || indrelid::regclass AS name FROM i ORDER BY 1 LIMIT {}) x))",
        wants.top.max(1)
    )
}

/// How much of each sequence is used, by its own end and that of the column that it feeds.
///
/// A sequence that starts anew at its end never ends. On a standby one that is not logged cannot be read. Whose column
/// it is, `pg_depend` tells (`a` for OWNED BY and serial, `i` for an identity).
pub(super) fn sequences(server: &Server, wants: &Wants) -> String {
    let top = wants.top.max(1);
    let persistence = if server.is_standby { "= 'p'" } else { "<> 't'" };
    format!(
        "WITH s AS (SELECT seqrelid::regclass AS name, seqrelid AS oid, seqincrement > 0 AS up,
  seqincrement::float8 AS step, seqmin, seqmax, has_sequence_privilege(seqrelid, 'SELECT,USAGE') AS may,
  (SELECT (SELECT atttypid FROM pg_attribute WHERE attrelid = refobjid AND attnum = refobjsubid)
   FROM pg_depend WHERE classid = 'pg_class'::regclass AND objid = seqrelid AND deptype IN ('a', 'i') LIMIT 1) AS type
  FROM pg_sequence WHERE NOT seqcycle AND (SELECT relpersistence FROM pg_class c WHERE c.oid = seqrelid) {persistence}),
 v AS (SELECT *, CASE WHEN may THEN pg_sequence_last_value(oid) END AS last, CASE WHEN up THEN seqmin ELSE seqmax END AS begin,
  CASE WHEN up THEN least(seqmax, CASE type WHEN 21 THEN 32767 WHEN 23 THEN 2147483647 END)
   ELSE greatest(seqmin, CASE type WHEN 21 THEN -32768 WHEN 23 THEN -2147483648 END) END AS ending FROM s)
SELECT json_build_object('count', (SELECT count(*) FROM s), 'hidden', (SELECT count(*) FROM s WHERE NOT may),
 'hidden_schemas', (SELECT coalesce(json_agg(name), '[]') FROM (SELECT DISTINCT relnamespace::regnamespace::text AS name
  FROM pg_class WHERE oid IN (SELECT oid FROM s WHERE NOT may) ORDER BY 1 LIMIT {top}) x),
 'worst', {})",
        list(&format!(
            "SELECT name, least(used, 100) AS used, last, ending AS \"end\",
 CASE WHEN ending NOT IN (seqmin, seqmax) THEN type::regtype END AS column
 FROM (SELECT *, 100 * (abs(last::float8 - begin) + abs(step)) / (abs(ending::float8 - begin) + abs(step)) AS used
  FROM v WHERE last IS NOT NULL ORDER BY used DESC, oid LIMIT {top}) y ORDER BY used DESC, oid"
        ))
    )
}
