//! Indexes and sequences of the database.

use super::list;
use crate::snapshot::Server;
use crate::wants::Wants;

/// Indexes that are not valid, without those that are just being built.
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
/// A sequence that starts anew at its end never ends. On a standby one that is not logged cannot be read.
pub(super) fn sequences(server: &Server, wants: &Wants) -> String {
    let top = wants.top.max(1);
    let unlogged = if server.is_standby { "AND c.relpersistence = 'p'" } else { "" };
    format!(
        "WITH s AS (SELECT c.oid, c.relnamespace, s.seqincrement::numeric AS step, s.seqmin, s.seqmax, t.typname,
  CASE t.typname WHEN 'int2' THEN 32767 WHEN 'int4' THEN 2147483647 ELSE 9223372036854775807 END AS column_max,
  has_sequence_privilege(c.oid, 'SELECT,USAGE') AS may
  FROM pg_sequence s JOIN pg_class c ON c.oid = s.seqrelid
  LEFT JOIN pg_depend d ON d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.objsubid = 0
   AND d.refclassid = 'pg_class'::regclass AND d.refobjsubid > 0 AND d.deptype IN ('a', 'i')
  LEFT JOIN pg_attribute a ON a.attrelid = d.refobjid AND a.attnum = d.refobjsubid
  LEFT JOIN pg_type t ON t.oid = a.atttypid
  WHERE NOT s.seqcycle AND NOT pg_is_other_temp_schema(c.relnamespace) {unlogged}),
 v AS (SELECT *, CASE WHEN may THEN pg_sequence_last_value(oid) END AS last, CASE WHEN step > 0
   THEN least(seqmax, column_max) ELSE greatest(seqmin, -column_max - 1) END AS ending FROM s),
 u AS (SELECT *, CASE WHEN step > 0 THEN seqmin ELSE seqmax END::numeric AS begin FROM v WHERE last IS NOT NULL)
SELECT json_build_object('count', (SELECT count(*) FROM s), 'hidden', (SELECT count(*) FROM s WHERE NOT may),
 'hidden_schemas', (SELECT coalesce(json_agg(name), '[]') FROM (
  SELECT DISTINCT relnamespace::regnamespace::text AS name FROM s WHERE NOT may ORDER BY 1 LIMIT {top}) x),
 'worst', {})",
        list(&format!(
            "SELECT oid::regclass::text AS name, least(used, 100)::float8 AS used, last, ending AS \"end\",
 CASE WHEN ending IN (column_max, -column_max - 1) THEN nullif(typname, 'int8') END AS column
 FROM (SELECT *, 100 * (floor((last - begin) / step) + 1) / greatest(floor((ending - begin) / step) + 1, 1) AS used
  FROM u ORDER BY used DESC, oid LIMIT {top}) y ORDER BY used DESC, oid"
        ))
    )
}
