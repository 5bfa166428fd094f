//! Counters of the databases.

use super::list;
use crate::snapshot::Server;

/// The counters of `pg_stat_database`. From version 12 on a database without a name and number counts what all share.
pub(super) fn sql(server: &Server) -> String {
    let (shared, checksums) = if server.version >= 120_000 {
        (
            "SELECT 0::oid AS oid, ''::name AS datname UNION ALL ",
            "pg_stat_get_db_checksum_failures(oid) AS checksum_failures,
 extract(epoch FROM clock_timestamp() - pg_stat_get_db_checksum_last_failure(oid)) AS checksum_age",
        )
    } else {
        ("", "NULL AS checksum_failures, NULL AS checksum_age")
    };
    let rows = list(&format!(
        "SELECT datname AS name, oid::bigint, extract(epoch FROM pg_stat_get_db_stat_reset_time(oid)) AS reset,
 pg_stat_get_db_xact_commit(oid) AS commits, pg_stat_get_db_xact_rollback(oid) AS rollbacks,
 pg_stat_get_db_deadlocks(oid) AS deadlocks, pg_stat_get_db_blocks_hit(oid) AS hits,
 pg_stat_get_db_blocks_fetched(oid) - pg_stat_get_db_blocks_hit(oid) AS reads,
 pg_stat_get_db_tuples_returned(oid) AS rows_read, pg_stat_get_db_tuples_inserted(oid)
  + pg_stat_get_db_tuples_updated(oid) + pg_stat_get_db_tuples_deleted(oid) AS rows_written,
 pg_stat_get_db_temp_files(oid) AS temp_files, pg_stat_get_db_temp_bytes(oid) AS temp_bytes, {checksums}
 FROM ({shared}SELECT oid, datname FROM pg_database) d ORDER BY datname LIMIT 1000"
    ));
    format!("SELECT {rows}")
}
