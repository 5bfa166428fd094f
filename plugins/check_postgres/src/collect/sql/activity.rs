//! Sessions and prepared transactions.

use super::{age, list};
use crate::wants::Wants;

/// Client sessions; where the role may not see what a session is, those that have a database.
const IS_CLIENT: &str =
    "coalesce(backend_type, CASE WHEN datid IS NOT NULL THEN 'client backend' END) = 'client backend'";
/// At most this many states, databases and users.
const MAX_COUNTS: u8 = 60;

/// Walsenders and autovacuum workers are no client backends; `pg_dump` runs as long as it has to.
pub(super) fn sql(wants: &Wants) -> String {
    let top = wants.top.max(1);
    let counts = list(&format!(
        "SELECT CASE grouping(state, datname, usename) WHEN 3 THEN 'state' WHEN 5 THEN 'database' ELSE 'user' END AS by,
 coalesce(state, datname, usename) AS name, count(*) AS count FROM a WHERE client
 GROUP BY GROUPING SETS ((state), (datname), (usename)) ORDER BY count(*) DESC, 1, 2 LIMIT {MAX_COUNTS}"
    ));
    let idle = "client AND state LIKE 'idle in transaction%' AND (backend_xid IS NOT NULL OR backend_xmin IS NOT NULL)";
    let running = "client AND state = 'active' AND pid <> pg_backend_pid()
 AND coalesce(application_name, '') NOT IN ('pg_dump', 'pg_dumpall')";
    format!(
        "WITH a AS (SELECT *, {IS_CLIENT} AS client FROM pg_stat_activity)
SELECT json_build_object(
 'clients', (SELECT count(*) FROM a WHERE client),
 'waiting', (SELECT count(*) FROM a WHERE wait_event_type = 'Lock'),
 'autovacuum_workers', (SELECT count(*) FROM a WHERE backend_type = 'autovacuum worker'),
 'counts', {counts},
 'idle', {},
 'idle_count', (SELECT count(*) FROM a WHERE {idle}),
 'running', {},
 'prepared', {},
 'prepared_count', (SELECT count(*) FROM pg_prepared_xacts))",
        list(&format!(
            "SELECT {} FROM a WHERE {idle} ORDER BY state_change LIMIT {top}",
            session("state_change", wants)
        )),
        list(&format!(
            "SELECT {} FROM a WHERE {running} ORDER BY query_start LIMIT {top}",
            session("query_start", wants)
        )),
        list(&format!(
            "SELECT gid, owner AS user, database, {} AS age FROM pg_prepared_xacts ORDER BY prepared LIMIT {top}",
            age("prepared")
        )),
    )
}

/// The columns of a session that is so since `begin`.
pub(super) fn session(begin: &str, wants: &Wants) -> String {
    let query = if wants.queries { "left(query, 300)" } else { "NULL::text" };
    format!(
        "pid, usename AS user, datname AS database, nullif(application_name, '') AS application,
 host(client_addr) AS client, state, {} AS age, {query} AS query",
        age(begin)
    )
}
