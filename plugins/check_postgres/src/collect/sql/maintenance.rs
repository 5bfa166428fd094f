//! Vacuum of large tables, and settings that wait for a restart.

use super::{age, list};
use crate::wants::Wants;

/// Pages of the usual size. The catalogue knows those of the last vacuum or analyze; a table that has grown a lot since
/// is measured.
const PAGE: u64 = 8192;
/// Object IDs below are those of the system's own catalogues (`FirstNormalObjectId`).
const FIRST_NORMAL_OID: u16 = 16384;

pub(super) fn sql(wants: &Wants) -> String {
    let size = wants.min_table_size;
    let pages = size.div_ceil(PAGE);
    let oldest = |column: &str| {
        format!(
            "(SELECT row_to_json(x) FROM (SELECT oid::regclass::text AS name, {} AS age FROM t
  WHERE {column} IS NOT NULL ORDER BY {column} LIMIT 1) x)",
            age(column)
        )
    };
    format!(
        "WITH t AS (SELECT oid, pg_stat_get_live_tuples(oid) AS live, pg_stat_get_dead_tuples(oid) AS dead,
  greatest(pg_stat_get_last_vacuum_time(oid), pg_stat_get_last_autovacuum_time(oid)) AS vacuumed,
  greatest(pg_stat_get_last_analyze_time(oid), pg_stat_get_last_autoanalyze_time(oid)) AS analyzed
  FROM pg_class WHERE relkind IN ('r', 'm') AND oid >= {FIRST_NORMAL_OID} AND relpersistence <> 't'
   AND (relpages >= {pages}
    OR pg_stat_get_tuples_inserted(oid) > 2 * greatest(reltuples, 0) AND pg_relation_size(oid) >= {size}))
SELECT json_build_object('tables', count(*),
 'never_vacuumed', count(*) FILTER (WHERE vacuumed IS NULL),
 'never_analyzed', count(*) FILTER (WHERE analyzed IS NULL),
 'vacuum', {}, 'analyze', {}, 'dead', {},
 'pending', (SELECT coalesce(json_agg(name), '[]') FROM (
  SELECT name FROM pg_show_all_settings() WHERE pending_restart ORDER BY name LIMIT 50) x)) FROM t",
        oldest("vacuumed"),
        oldest("analyzed"),
        list(&format!(
            "SELECT oid::regclass::text AS name, dead, live FROM t WHERE dead > 0
 ORDER BY dead::float8 / (dead + live) DESC, dead DESC LIMIT {}",
            wants.top.max(1)
        )),
    )
}
