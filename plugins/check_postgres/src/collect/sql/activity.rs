//! Sessions and prepared transactions.

use super::{age, list};
use crate::snapshot::Server;
use crate::wants::Wants;

/// Client sessions; where the role may not see what a session is, those that have a database.
const IS_CLIENT: &str =
    "coalesce(backend_type, CASE WHEN datid IS NOT NULL THEN 'client backend' END) = 'client backend'";
/// At most this many states, databases and users.
const MAX_COUNTS: u8 = 60;
/// The name of the database `datid`.
const DATABASE: &str = "(SELECT datname FROM pg_database WHERE oid = datid)";

/// Walsenders and autovacuum workers are no client backends; `pg_dump` runs as long as it has to.
pub(super) fn sql(server: &Server, wants: &Wants) -> String {
    let top = wants.top.max(1);
    let idle = "client AND state LIKE 'idle in transaction%' AND (backend_xid IS NOT NULL OR backend_xmin IS NOT NULL)";
    let running = "client AND state = 'active' AND pid <> pg_backend_pid()
 AND coalesce(application_name, '') NOT IN ('pg_dump', 'pg_dumpall')";
    format!(
        "WITH a AS (SELECT *, {IS_CLIENT} AS client FROM pg_stat_get_activity(NULL))
SELECT json_build_object(
 'clients', count(*) FILTER (WHERE client),
 'waiting', count(*) FILTER (WHERE wait_event_type = 'Lock'),
 'autovacuum_workers', count(*) FILTER (WHERE backend_type = 'autovacuum worker'),
 'idle', {},
 'idle_count', count(*) FILTER (WHERE {idle}),
 'running', {},
 {}) FROM a",
        list(&format!(
            "SELECT {} FROM a WHERE {idle} ORDER BY state_change LIMIT {top}",
            session("state_change", wants)
        )),
        list(&format!(
            "SELECT {} FROM a WHERE {running} ORDER BY query_start LIMIT {top}",
            session("query_start", wants)
        )),
        prepared(server, top),
    )
}

/// Prepared transactions, where they are possible.
fn prepared(server: &Server, top: u8) -> String {
    if server.max_prepared_transactions == 0 {
        return "'prepared', '[]'::json, 'prepared_count', 0".to_owned();
    }
    let oldest = list(&format!(
        "SELECT gid, pg_get_userbyid(ownerid) AS user, (SELECT datname FROM pg_database WHERE oid = dbid) AS database,
 {} AS age FROM pg_prepared_xact() ORDER BY prepared LIMIT {top}",
        age("prepared")
    ));
    format!("'prepared', {oldest}, 'prepared_count', (SELECT count(*) FROM pg_prepared_xact())")
}

/// How many sessions each state, database and user has.
pub(super) fn counts() -> String {
    let rows = list(&format!(
        "SELECT CASE grouping(state, datid, usesysid) WHEN 3 THEN 'state' WHEN 5 THEN 'database' ELSE 'user' END AS by,
 coalesce(state, {DATABASE}, pg_get_userbyid(usesysid)) AS name, count(*) AS count
 FROM pg_stat_get_activity(NULL) WHERE {IS_CLIENT}
 GROUP BY GROUPING SETS ((state), (datid), (usesysid)) ORDER BY count(*) DESC, 1, 2 LIMIT {MAX_COUNTS}"
    ));
    format!("SELECT {rows}")
}

/// The columns of a session that is so since `begin`.
pub(super) fn session(begin: &str, wants: &Wants) -> String {
    let query = if wants.queries { "left(query, 300)" } else { "NULL::text" };
    format!(
        "pid, pg_get_userbyid(usesysid) AS user, {DATABASE} AS database,
 nullif(application_name, '') AS application, host(client_addr) AS client, state, {} AS age, {query} AS query",
        age(begin)
    )
}
