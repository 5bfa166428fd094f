//! The metric table.

use common::metric::Definition;
use common::units::Unit::{Bytes, Number, Percent, Seconds};

common::metrics! {
    /// Connecting.
    CONNECT_TIME = Definition::gauge("connection", "connect_time", Seconds, "Time until the session was ready, login included").defaults("2", "8");
    /// Asking.
    QUERY_TIME = Definition::gauge("connection", "query_time", Seconds, "Time that all statements of the check took").defaults("2", "8");
    /// Sessions.
    CONNECTIONS = Definition::gauge("backends", "connections", Number, "Sessions of clients, that of the check included");
    /// Share of the connections.
    CONNECTIONS_USED_PERCENT = Definition::gauge("backends", "connections_used_percent", Percent, "Sessions of clients, of max_connections without the reserved ones").defaults("80", "90");
    /// Sessions that wait for a lock.
    WAITING_ON_LOCKS = Definition::gauge("backends", "waiting_on_locks", Number, "Sessions that wait for a lock");
    /// Idle in transaction.
    IDLE_IN_TRANSACTION = Definition::gauge("transactions", "idle_in_transaction", Seconds, "Longest time that a session has been idle in a transaction that holds a transaction ID or a snapshot").defaults("10m", "60m");
    /// The longest statement.
    LONGEST_QUERY = Definition::gauge("transactions", "longest_query", Seconds, "Age of the longest running statement of a client, pg_dump apart").defaults("30m", "2h");
    /// The longest wait for a lock.
    LOCK_WAIT = Definition::gauge("transactions", "lock_wait", Seconds, "Longest wait for a lock; before version 14 the time since the waiting statement began").defaults("1m", "5m");
    /// Prepared transactions.
    PREPARED = Definition::gauge("transactions", "prepared", Number, "Prepared transactions that wait for their second phase");
    /// The oldest prepared transaction.
    PREPARED_OLDEST = Definition::gauge("transactions", "prepared_oldest", Seconds, "Age of the oldest prepared transaction").defaults("5m", "30m");
    /// Transaction IDs.
    XID_AGE = Definition::gauge("wraparound", "xid_age", Number, "Transactions since the oldest one that is not frozen, in the worst database; writes stop near 2147483647").defaults("500000000", "1000000000");
    /// Multixact IDs.
    MXID_AGE = Definition::gauge("wraparound", "mxid_age", Number, "The same of multixact IDs, which rows locked by several transactions use").defaults("500000000", "1000000000");
    /// Age of the last archived file.
    ARCHIVE_AGE = Definition::gauge("archiving", "archive_age", Seconds, "Time since the last WAL file was archived; without writes none is due");
    /// Files that wait.
    WAL_READY_FILES = Definition::gauge("archiving", "wal_ready_files", Number, "WAL files that wait to be archived").defaults("10", "50");
    /// Failures of the archiver.
    ARCHIVE_FAILURES = Definition::gauge("archiving", "archive_failures", Number, "Failed attempts to archive a WAL file since the last run");
    /// Standbys that are connected.
    STANDBYS = Definition::gauge("replication", "standbys", Number, "Standbys and other receivers of WAL that are connected");
    /// Bytes that a standby has not replayed.
    REPLAY_LAG_BYTES = Definition::gauge("replication", "replay_lag_bytes", Bytes, "WAL that the standby has not replayed; on a standby itself, of what it has received").per("standby");
    /// Time that a standby lags.
    REPLAY_LAG = Definition::gauge("replication", "replay_lag", Seconds, "Time that the standby lags; 0 while there is nothing to replay").per("standby");
    /// WAL that a slot retains.
    SLOT_RETAINED = Definition::gauge("replication", "slot_retained", Bytes, "WAL that the slot retains").defaults("1GiB", "5GiB").per("slot");
    /// Pages whose checksum is wrong.
    CHECKSUM_FAILURES = Definition::gauge("integrity", "checksum_failures", Number, "Pages that were read with a wrong checksum since the statistics were reset, from version 12 on").defaults("0", "0");
    /// The same since the last run.
    CHECKSUM_FAILURES_DELTA = Definition::gauge("integrity", "checksum_failures_delta", Number, "The same since the last run").defaults("0", "0");
    /// Indexes that are not valid.
    INVALID_INDEXES = Definition::gauge("integrity", "invalid_indexes", Number, "Indexes of the database that are not valid and that nobody is building").defaults("0", "");
    /// The sequence that is used up most.
    SEQUENCE_USED_PERCENT = Definition::gauge("sequences", "sequence_used_percent", Percent, "Numbers used of the sequence of the database that is used up most, by its own limit and that of its column").defaults("85", "95");
    /// Size of a database.
    DATABASE_SIZE = Definition::gauge("size", "database_size", Bytes, "Size on disk").per("database");
    /// Growth of a database.
    GROWTH_PER_DAY = Definition::gauge("size", "growth_per_day", Bytes, "Growth per day over the samples of up to a week, once they span an hour").per("database");
    /// Temporary files.
    TEMP_BYTES_PER_SECOND = Definition::gauge("size", "temp_bytes_per_second", Number, "Bytes written to temporary files per second since the last run");
    /// Size of the WAL.
    WAL_SIZE = Definition::gauge("size", "wal_size", Bytes, "Size of the files in pg_wal");
    /// Commits.
    COMMITS_PER_SECOND = Definition::gauge("rates", "commits_per_second", Number, "Transactions committed per second since the last run");
    /// Rollbacks.
    ROLLBACKS_PER_SECOND = Definition::gauge("rates", "rollbacks_per_second", Number, "Transactions rolled back per second since the last run");
    /// Share of rollbacks.
    ROLLBACK_PERCENT = Definition::gauge("rates", "rollback_percent", Percent, "Transactions rolled back, of those since the last run");
    /// Deadlocks.
    DEADLOCKS = Definition::gauge("rates", "deadlocks", Number, "Deadlocks since the last run");
    /// Deadlocks per second.
    DEADLOCKS_PER_SECOND = Definition::gauge("rates", "deadlocks_per_second", Number, "Deadlocks per second since the last run");
    /// Cache hits.
    CACHE_HIT_PERCENT = Definition::gauge("rates", "cache_hit_percent", Percent, "Pages found in shared buffers, of those read since the last run");
    /// Rows read.
    TUPLES_READ_PER_SECOND = Definition::gauge("rates", "tuples_read_per_second", Number, "Rows read by scans per second since the last run");
    /// Rows written.
    TUPLES_WRITTEN_PER_SECOND = Definition::gauge("rates", "tuples_written_per_second", Number, "Rows inserted, updated and deleted per second since the last run");
    /// Temporary files.
    TEMP_FILES_PER_SECOND = Definition::gauge("rates", "temp_files_per_second", Number, "Temporary files made per second since the last run");
    /// Workers of autovacuum.
    AUTOVACUUM_WORKERS_USED_PERCENT = Definition::gauge("maintenance", "autovacuum_workers_used_percent", Percent, "Autovacuum workers that run, of autovacuum_max_workers");
    /// The oldest vacuum.
    OLDEST_VACUUM = Definition::gauge("maintenance", "oldest_vacuum", Seconds, "Time since the last vacuum of the table for which it is longest, of those over --min-table-size");
    /// The oldest analyze.
    OLDEST_ANALYZE = Definition::gauge("maintenance", "oldest_analyze", Seconds, "Time since the last analyze of the table for which it is longest, of those over --min-table-size");
    /// Dead rows.
    DEAD_TUPLE_PERCENT = Definition::gauge("maintenance", "dead_tuple_percent", Percent, "Dead rows of the table with the largest share of them, of those over --min-table-size");
    /// Settings that wait for a restart.
    SETTINGS_PENDING_RESTART = Definition::gauge("maintenance", "settings_pending_restart", Number, "Settings that were changed and need a restart to take effect").defaults("0", "");
    /// Uptime.
    UPTIME = Definition::gauge("server", "uptime", Seconds, "Time since the server was started").defaults("10m:", "");
    /// Time to the end of life.
    END_OF_LIFE = Definition::gauge("server", "end_of_life", Seconds, "Time until this major version gets no more corrections; negative once it is past").defaults("0:", "");
    /// Missing corrections.
    MINOR_BEHIND = Definition::gauge("server", "minor_behind", Number, "Minor releases that the server is behind the one of --latest-minor").defaults("0", "");
    /// What a query of the user's own says.
    VALUE = Definition::gauge("custom", "value", Number, "What a row of --query-file says; its columns warning and critical are the defaults").per("query");
}
