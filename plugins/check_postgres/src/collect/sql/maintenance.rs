//! Vacuum of large tables, and settings that wait for a restart.

use super::{age, list};
use crate::wants::Wants;

/// Pages of the usual size; a table that was never vacuumed has none in the catalogue and is measured if it has rows.
const PAGE: u64 = 8192;

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
  FROM pg_class WHERE relkind IN ('r', 'm') AND relnamespace <> ALL (SELECT oid FROM pg_namespace
   WHERE nspname IN ('pg_catalog', 'information_schema')) AND relpersistence <> 't'
   AND (relpages >= {pages} OR (relpages = 0 OR pg_stat_get_tuples_inserted(oid) > 2 * abs(reltuples))
    AND pg_stat_get_live_tuples(oid) + pg_stat_get_dead_tuples(oid) > 0 AND pg_relation_size(oid) >= {size}))
SELECT json_build_object('tables', (SELECT count(*) FROM t),
 'never_vacuumed', (SELECT count(*) FROM t WHERE vacuumed IS NULL),
 'never_analyzed', (SELECT count(*) FROM t WHERE analyzed IS NULL),
 'vacuum', {}, 'analyze', {}, 'dead', {},
 'pending', (SELECT coalesce(json_agg(name), '[]') FROM (
  SELECT name FROM pg_settings WHERE pending_restart ORDER BY name LIMIT 50) x))",
        oldest("vacuumed"),
        oldest("analyzed"),
        list(&format!(
            "SELECT oid::regclass::text AS name, dead, live FROM t WHERE dead > 0
 ORDER BY dead::float8 / (dead + live) DESC, dead DESC LIMIT {}",
            wants.top.max(1)
        )),
    )
}
