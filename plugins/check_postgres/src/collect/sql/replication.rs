//! Standbys, slots and the server's own reception of WAL.

use super::{age, list, wal_bytes};
use crate::snapshot::Server;

/// At most this many standbys and slots.
const MAX_LISTED: u8 = 100;

pub(super) fn sql(server: &Server) -> String {
    let here = if server.is_standby { "pg_last_wal_replay_lsn()" } else { "pg_current_wal_lsn()" };
    format!(
        "SELECT json_build_object('standbys', {}, 'slots', {}, 'receiver', {})",
        list(&format!(
            "SELECT nullif(application_name, '') AS name, pid, coalesce(host(client_addr), 'socket') AS client, w.state,
 sync_state AS sync, {} AS lag_bytes, extract(epoch FROM replay_lag) AS lag
 FROM pg_stat_get_wal_senders() w JOIN pg_stat_get_activity(NULL) a USING (pid)
 ORDER BY application_name, client_addr, pid LIMIT {MAX_LISTED}",
            wal_bytes(here, "replay_lsn")
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
        "SELECT slot_name AS name, slot_type AS kind,
 (SELECT datname FROM pg_database WHERE oid = datoid) AS database, active, temporary, {} AS synced, {} AS wal_status,
 {} AS invalidated, {} AS conflicting, {} AS retained,
 greatest(age(xmin), age(catalog_xmin)) AS xmin_age, {} AS inactive
 FROM pg_get_replication_slots() ORDER BY slot_name LIMIT {MAX_LISTED}",
        since(170_000, "synced", "false"),
        since(130_000, "wal_status", "NULL::text"),
        since(170_000, "invalidation_reason", "NULL::text"),
        since(160_000, "coalesce(conflicting, false)", "false"),
        wal_bytes(here, "restart_lsn"),
        since(170_000, "extract(epoch FROM clock_timestamp() - inactive_since)", "NULL::float8"),
    )
}

/// A standby without a receiver may be one that restores from an archive; `primary_conninfo` tells, to whom may see it.
fn receiver(server: &Server) -> String {
    if !server.is_standby {
        return "NULL::json".to_owned();
    }
    let is_visible = server.version >= 120_000 && server.may_see_settings;
    let configured = if is_visible { "current_setting('primary_conninfo') <> ''" } else { "NULL::bool" };
    format!(
        "json_build_object('is_running', EXISTS (SELECT FROM pg_stat_wal_receiver),
 'status', (SELECT status FROM pg_stat_wal_receiver), 'is_configured', {configured},
 'has_received', pg_last_wal_receive_lsn() IS NOT NULL, 'is_paused', pg_is_wal_replay_paused(),
 'lag_bytes', {}, 'replayed_age', {})",
        wal_bytes("pg_last_wal_receive_lsn()", "pg_last_wal_replay_lsn()"),
        age("pg_last_xact_replay_timestamp()"),
    )
}
