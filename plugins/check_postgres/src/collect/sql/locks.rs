//! Who waits for whom.

use super::activity::session;
use super::list;
use crate::snapshot::Server;
use crate::wants::Wants;

/// Waiting sessions that are looked at; finding whom one waits for locks the whole lock table for a moment.
const MAX_WAITING: u8 = 50;

/// Asked only while somebody waits, because the lock table can be long.
pub(super) fn sql(server: &Server, wants: &Wants) -> String {
    let begin = if server.version >= 140_000 { "coalesce(l.waitstart, a.query_start)" } else { "a.query_start" };
    format!(
        "WITH w AS (SELECT DISTINCT ON (a.pid) a.*, {begin} AS wait_start, pg_blocking_pids(a.pid) AS blockers, CASE
   WHEN l.relation IS NOT NULL AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())
    THEN l.relation::regclass::text ELSE l.locktype END AS lock_on
  FROM (SELECT * FROM pg_stat_get_activity(NULL) WHERE wait_event_type = 'Lock'
   ORDER BY query_start LIMIT {MAX_WAITING}) a
  LEFT JOIN pg_locks l ON l.pid = a.pid AND NOT l.granted)
SELECT json_build_object(
 'waiting', {},
 'blocking', {})",
        list(&format!(
            "SELECT {}, lock_on AS \"on\", blockers FROM w ORDER BY wait_start",
            session("wait_start", wants)
        )),
        list(&format!(
            "SELECT {} FROM pg_stat_get_activity(NULL) WHERE pid IN (SELECT unnest(blockers) FROM w)
 AND pid NOT IN (SELECT pid FROM w) ORDER BY xact_start",
            session("coalesce(xact_start, query_start)", wants)
        )),
    )
}
