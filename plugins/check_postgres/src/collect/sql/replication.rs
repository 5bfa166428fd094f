//! Standbys, slots and the server's own reception of WAL.

use super::list;
use crate::snapshot::Server;
use crate::wants::Wants;

/// At most this many standbys and slots.
const MAX_LISTED: u8 = 100;

pub(super) fn sql(server: &Server, wants: &Wants) -> String {
    let here = if server.is_standby { "pg_last_wal_replay_lsn()" } else { "pg_current_wal_lsn()" };
    let _ = wants;
    format!(
        "SELECT json_build_object('standbys', {}, 'slots', {}, 'receiver', {})",
        list(&format!(
            "SELECT nullif(application_name, '') AS name, pid, coalesce(host(client_addr), 'socket') AS client, state,
 sync_state AS sync, greatest(pg_wal_lsn_diff({here}, replay_lsn), 0) AS lag_bytes,
 extract(epoch FROM replay_lag) AS lag FROM pg_stat_replication
 ORDER BY application_name, client_addr, pid LIMIT {MAX_LISTED}"
        )),
        list(&slots(server, here)),
        receiver(server),
    )
}

fn slots(server: &Server, here: &str) -> String {
    let since = |version: u32, column: &'static str, before: &'static str| {
        if server.version >= version { column } else { before }
    };
    format!(
        "SELECT slot_name AS name, slot_type AS kind, database, active, temporary, {} AS synced, {} AS wal_status,
 {} AS invalidated, {} AS conflicting, greatest(pg_wal_lsn_diff({here}, restart_lsn), 0) AS retained,
 greatest(age(xmin), age(catalog_xmin)) AS xmin_age, {} AS inactive
 FROM pg_replication_slots ORDER BY slot_name LIMIT {MAX_LISTED}",
        since(170_000, "synced", "false"),
        since(130_000, "wal_status", "NULL::text"),
        since(170_000, "invalidation_reason", "NULL::text"),
        since(160_000, "coalesce(conflicting, false)", "false"),
        since(170_000, "extract(epoch FROM clock_timestamp() - inactive_since)", "NULL::float8"),
    )
}

/// A standby without a receiver may be one that restores from an archive; `primary_conninfo` tells, to whom may see it.
fn receiver(server: &Server) -> &'static str {
    if !server.is_standby {
        return "NULL::json";
    }
    match (server.version >= 120_000, server.may_see_settings) {
        (true, true) => {
            "json_build_object('is_running', EXISTS (SELECT FROM pg_stat_wal_receiver),
 'status', (SELECT status FROM pg_stat_wal_receiver),
 'is_configured', current_setting('primary_conninfo') <> '',
 'has_received', pg_last_wal_receive_lsn() IS NOT NULL, 'is_paused', pg_is_wal_replay_paused(),
 'lag_bytes', greatest(pg_wal_lsn_diff(pg_last_wal_receive_lsn(), pg_last_wal_replay_lsn()), 0),
 'replayed_age', greatest(extract(epoch FROM clock_timestamp() - pg_last_xact_replay_timestamp()), 0))"
        }
        _ => {
            "json_build_object('is_running', EXISTS (SELECT FROM pg_stat_wal_receiver),
 'status', (SELECT status FROM pg_stat_wal_receiver), 'is_configured', NULL,
 'has_received', pg_last_wal_receive_lsn() IS NOT NULL, 'is_paused', pg_is_wal_replay_paused(),
 'lag_bytes', greatest(pg_wal_lsn_diff(pg_last_wal_receive_lsn(), pg_last_wal_replay_lsn()), 0),
 'replayed_age', greatest(extract(epoch FROM clock_timestamp() - pg_last_xact_replay_timestamp()), 0))"
        }
    }
}
