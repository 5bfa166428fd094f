//! Counters of the databases.

use super::list;
use crate::snapshot::Server;

pub(super) fn sql(server: &Server) -> String {
    let checksums = if server.version >= 120_000 {
        "checksum_failures, extract(epoch FROM clock_timestamp() - checksum_last_failure) AS checksum_age"
    } else {
        "NULL AS checksum_failures, NULL AS checksum_age"
    };
    // From version 12 on a row without a name counts what all databases share.
    let rows = list(&format!(
        "SELECT coalesce(datname, '') AS name, datid::bigint AS oid, extract(epoch FROM stats_reset) AS reset,
 xact_commit AS commits, xact_rollback AS rollbacks, deadlocks, blks_read AS reads, blks_hit AS hits,
 tup_returned AS rows_read, tup_inserted + tup_updated + tup_deleted AS rows_written, temp_files, temp_bytes, {checksums}
 FROM pg_stat_database ORDER BY datname LIMIT 1000"
    ));
    format!("SELECT {rows}")
}
