//! The archiver, and sizes.

use super::{age, list};
use crate::snapshot::Server;

/// The archiver.
pub(super) fn archiving(server: &Server) -> String {
    let ready = match server.may_list_archive_status {
        false => "NULL::bigint",
        true if server.version >= 120_000 => {
            "(SELECT count(*) FROM pg_ls_archive_statusdir() WHERE name LIKE '%.ready')"
        }
        true => "(SELECT count(*) FROM pg_ls_dir('pg_wal/archive_status') AS f (name) WHERE name LIKE '%.ready')",
    };
    format!(
        "SELECT json_build_object('archived', archived_count, 'archived_age', {}, 'failed', failed_count,
 'failed_age', {}, 'failed_file', last_failed_wal, 'reset', extract(epoch FROM stats_reset), 'ready', {ready})
 FROM pg_stat_get_archiver()",
        age("last_archived_time"),
        age("last_failed_time"),
    )
}

/// Databases and WAL.
pub(super) fn sizes(server: &Server) -> String {
    let may = if server.may_see_stats { "true" } else { "has_database_privilege(oid, 'CONNECT')" };
    let wal = if server.may_list_wal { "(SELECT sum(size) FROM pg_ls_waldir())" } else { "NULL::bigint" };
    format!(
        "SELECT json_build_object('databases', {}, 'hidden', {}, 'wal', {wal})",
        list(&format!(
            "SELECT datname AS name, pg_database_size(oid) AS bytes FROM pg_database
 WHERE NOT datistemplate AND {may} ORDER BY 2 DESC, 1 LIMIT 100"
        )),
        format_args!(
            "(SELECT coalesce(json_agg(datname), '[]') FROM (SELECT datname FROM pg_database
 WHERE NOT datistemplate AND NOT {may} ORDER BY 1 LIMIT 100) x)"
        ),
    )
}
