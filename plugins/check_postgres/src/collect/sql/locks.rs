//! Who waits for whom.

use super::activity::session;
use super::{age, list};
use crate::snapshot::Server;
use crate::wants::Wants;

/// Waiting sessions that are looked at; finding whom one waits for locks the whole lock table for a moment.
const MAX_WAITING: u8 = 50;

/// Asked only while somebody waits, because the lock table can be long.
pub(super) fn sql(server: &Server, wants: &Wants) -> String {
    let begin = if server.version >= 140_000 { "coalesce(l.waitstart, a.query_start)" } else { "a.query_start" };
    let columns = session("a.query_start", wants);
    format!(
        "WITH w AS (SELECT DISTINCT ON (a.pid) a.pid, a.usename, a.datname, a.application_name, a.client_addr, a.state,
  a.query, {} AS waited, pg_blocking_pids(a.pid) AS blockers, CASE
   WHEN l.relation IS NOT NULL AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())
    THEN l.relation::regclass::text ELSE l.locktype END AS lock_on
  FROM (SELECT * FROM pg_stat_activity WHERE wait_event_type = 'Lock' ORDER BY query_start LIMIT {MAX_WAITING}) a
  LEFT JOIN pg_locks l ON l.pid = a.pid AND NOT l.granted)
SELECT json_build_object(
 'waiting', {},
 'blocking', {})",
        age(begin),
        list(&format!(
            "SELECT pid, usename AS user, datname AS database, nullif(application_name, '') AS application,
 host(client_addr) AS client, state, waited AS age, {} AS query, lock_on AS \"on\", blockers FROM w ORDER BY waited DESC",
            if wants.queries { "left(query, 300)" } else { "NULL::text" }
        )),
        list(&format!(
            "SELECT {} FROM pg_stat_activity a WHERE pid IN (SELECT unnest(blockers) FROM w)
 AND pid NOT IN (SELECT pid FROM w) ORDER BY xact_start",
            columns.replace("a.query_start", "coalesce(a.xact_start, a.query_start)")
        )),
    )
}
