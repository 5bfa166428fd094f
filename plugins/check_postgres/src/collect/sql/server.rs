//! The server, its settings and what the role may see.

/// One row that every version from 10 on answers, for every role.
///
/// Functions are looked up by their names, because one that a version lacks must not fail the statement. Version 10
/// lists directories for superusers alone, whatever is granted.
pub(super) const SQL: &str = "SELECT json_build_object(
 'version', current_setting('server_version_num')::int,
 'version_text', current_setting('server_version'),
 'is_standby', pg_is_in_recovery(),
 'started', extract(epoch FROM pg_postmaster_start_time()),
 'now', extract(epoch FROM clock_timestamp()),
 'database', current_database(),
 'role', current_user,
 'may_see_stats', pg_has_role('pg_read_all_stats', 'USAGE'),
 'may_see_settings', pg_has_role('pg_read_all_settings', 'USAGE'),
 'may_list_wal', has_function_privilege('pg_ls_waldir()', 'EXECUTE'),
 'may_list_archive_status', CASE WHEN current_setting('server_version_num')::int >= 110000 THEN has_function_privilege(
   coalesce(to_regprocedure('pg_ls_archive_statusdir()'), to_regprocedure('pg_ls_dir(text)')), 'EXECUTE')
  ELSE current_setting('is_superuser')::bool END,
 'system', (SELECT system_identifier FROM pg_control_system())::text,
 'max_prepared_transactions', current_setting('max_prepared_transactions')::int,
 'max_connections', current_setting('max_connections')::int,
 'reserved_connections', current_setting('superuser_reserved_connections')::int
   + coalesce(current_setting('reserved_connections', true), '0')::int,
 'archive_mode', current_setting('archive_mode'),
 'wal_level', current_setting('wal_level'),
 'data_checksums', current_setting('data_checksums') = 'on',
 'autovacuum', current_setting('autovacuum')::bool,
 'autovacuum_max_workers', current_setting('autovacuum_max_workers')::int)";
