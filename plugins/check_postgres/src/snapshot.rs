//! What a run finds, unjudged, and what it keeps for the next one.
//!
//! The groups are read as JSON that the server builds, so field names are those of the statements in `collect::sql`.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// What a group's statement came to; `None` where it was not asked.
pub type Answer<T> = Option<Result<T, QueryFault>>;

/// In the place of an SQLSTATE: what came back is not what was asked for.
pub const OWN_FAULT: &str = "check";

/// Why a statement brought nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct QueryFault {
    /// SQLSTATE; empty where the connection itself broke, [`OWN_FAULT`] where the check is at fault.
    pub code: String,
    /// The server's words, which may repeat data.
    pub message: String,
}

/// The findings of one run.
#[derive(Debug)]
pub struct Snapshot {
    /// The server and the session.
    pub server: Server,
    /// Sessions.
    pub activity: Answer<Activity>,
    /// Who waits for whom; asked only while somebody waits.
    pub locks: Answer<Locks>,
    /// Freeze ages.
    pub wraparound: Answer<Wraparound>,
    /// The archiver.
    pub archiving: Answer<Archiving>,
    /// Standbys and slots.
    pub replication: Answer<Replication>,
    /// Invalid indexes.
    pub integrity: Answer<Integrity>,
    /// Sequences.
    pub sequences: Answer<Sequences>,
    /// Sizes.
    pub sizes: Answer<Sizes>,
    /// Counters of the databases.
    pub databases: Answer<Vec<Database>>,
    /// Vacuum and settings.
    pub maintenance: Answer<Maintenance>,
    /// What the user's own statement says.
    pub custom: Answer<Vec<CustomRow>>,
    /// What explains a verdict.
    pub explanation: Explanation,
}

/// What is asked only where a verdict wants explaining.
#[derive(Debug, Default)]
pub struct Explanation {
    /// Whose the sessions are.
    pub session_counts: Answer<Vec<Count>>,
    /// The oldest tables.
    pub oldest_tables: Answer<OldestTables>,
    /// What holds freezing back: the oldest snapshot of all, if any.
    pub holder: Answer<Option<Holder>>,
}

/// The server and what the session may see.
#[derive(Clone, Debug, Default, Deserialize)]
#[expect(clippy::struct_excessive_bools, reason = "each is a fact of its own")]
pub struct Server {
    /// `server_version_num`: 150014 is 15.14.
    pub version: u32,
    /// `server_version`.
    pub version_text: String,
    /// Whether it is in recovery.
    pub is_standby: bool,
    /// When it was started, in seconds since 1970.
    pub started: f64,
    /// Its clock, in seconds since 1970.
    pub now: f64,
    /// The database of the session.
    pub database: String,
    /// The role of the session.
    pub role: String,
    /// Whether the role may see what others do (`pg_read_all_stats`).
    pub may_see_stats: bool,
    /// Whether the role may see all settings (`pg_read_all_settings`).
    pub may_see_settings: bool,
    /// Whether the role may list `pg_wal`.
    pub may_list_wal: bool,
    /// Whether the role may list the archiver's status files.
    pub may_list_archive_status: bool,
    /// Names the cluster.
    pub system: String,
    /// `max_prepared_transactions`, zero where they are not possible.
    pub max_prepared_transactions: u32,
    /// `max_connections`.
    pub max_connections: u32,
    /// Connections that are reserved.
    pub reserved_connections: u32,
    /// `archive_mode`.
    pub archive_mode: String,
    /// `wal_level`.
    pub wal_level: String,
    /// Whether pages have checksums.
    pub data_checksums: bool,
    /// Whether autovacuum is on.
    pub autovacuum: bool,
    /// `autovacuum_max_workers`.
    pub autovacuum_max_workers: u32,
}

impl Server {
    /// The major version, 10 and above.
    pub const fn major(&self) -> u32 {
        self.version / 10_000
    }
}

/// Sessions.
#[derive(Clone, Debug, Default, Deserialize)]
pub struct Activity {
    /// Sessions of clients.
    pub clients: u64,
    /// Those that wait for a lock.
    pub waiting: u64,
    /// Autovacuum workers.
    pub autovacuum_workers: u64,
    /// Sessions idle in a transaction that holds something, the longest first.
    pub idle: Vec<Session>,
    /// How many there are.
    pub idle_count: u64,
    /// Running statements, the longest first.
    pub running: Vec<Session>,
    /// Prepared transactions, the oldest first.
    pub prepared: Vec<Prepared>,
    /// How many there are.
    pub prepared_count: u64,
}

/// How many sessions share something.
#[derive(Clone, Debug, Deserialize)]
pub struct Count {
    /// What: `state`, `database` or `user`.
    pub by: String,
    /// Which; `None` where the session has none or hides it.
    pub name: Option<String>,
    /// How many.
    pub count: u64,
}

/// A session that is to blame.
#[derive(Clone, Debug, Default, Deserialize)]
pub struct Session {
    /// Its process.
    pub pid: i64,
    /// Its user.
    pub user: Option<String>,
    /// Its database.
    pub database: Option<String>,
    /// What it calls itself.
    pub application: Option<String>,
    /// Where its client is.
    pub client: Option<String>,
    /// Its state.
    pub state: Option<String>,
    /// For how long, in seconds.
    pub age: Option<f64>,
    /// Its statement, where that was asked for.
    pub query: Option<String>,
}

/// A prepared transaction.
#[derive(Clone, Debug, Deserialize)]
pub struct Prepared {
    /// Its name.
    pub gid: String,
    /// Who prepared it.
    pub user: String,
    /// Where.
    pub database: String,
    /// Seconds since then.
    pub age: f64,
}

/// Who waits for whom.
#[derive(Clone, Debug, Default, Deserialize)]
pub struct Locks {
    /// Those who wait, the longest first.
    pub waiting: Vec<Waiting>,
    /// Those whom they wait for and who do not wait themselves, or are not listed as waiting.
    pub blocking: Vec<Session>,
}

/// A session that waits for a lock.
#[derive(Clone, Debug, Default, Deserialize)]
pub struct Waiting {
    /// The session; its age is that of the wait.
    #[serde(flatten)]
    pub session: Session,
    /// What the lock is on.
    pub on: Option<String>,
    /// Processes that it waits for; 0 stands for a prepared transaction.
    pub blockers: Vec<i64>,
}

/// Freeze ages.
#[derive(Clone, Debug, Default, Deserialize)]
pub struct Wraparound {
    /// The database with the oldest transaction ID.
    pub xid: Option<Age>,
    /// The database with the oldest multixact ID.
    pub mxid: Option<Age>,
}

/// The tables of the session's database with the oldest IDs.
#[derive(Clone, Debug, Default, Deserialize)]
pub struct OldestTables {
    /// Of a transaction.
    pub xid: Option<Age>,
    /// Of a multixact.
    pub mxid: Option<Age>,
}

/// An age in transactions.
#[derive(Clone, Debug, Deserialize)]
pub struct Age {
    /// Whose.
    pub name: String,
    /// The age.
    pub age: i64,
}

/// What keeps old rows from being frozen.
#[derive(Clone, Debug, Deserialize)]
pub struct Holder {
    /// `session`, `prepared` or `slot`.
    pub kind: String,
    /// Its process or name.
    pub name: String,
    /// Age of its snapshot, in transactions.
    pub age: i64,
}

/// The archiver.
#[derive(Clone, Debug, Default, Deserialize)]
pub struct Archiving {
    /// Files archived.
    pub archived: i64,
    /// Seconds since the last one.
    pub archived_age: Option<f64>,
    /// Failed attempts.
    pub failed: i64,
    /// Seconds since the last one.
    pub failed_age: Option<f64>,
    /// The file of the last one.
    pub failed_file: Option<String>,
    /// Seconds since 1970 of the last reset of these counters.
    pub reset: Option<f64>,
    /// Files that wait; `None` where the role may not know.
    pub ready: Option<i64>,
}

/// Standbys and slots.
#[derive(Clone, Debug, Default, Deserialize)]
pub struct Replication {
    /// Who receives WAL from here.
    pub standbys: Vec<Standby>,
    /// Slots.
    pub slots: Vec<Slot>,
    /// What the server itself receives, if it is a standby.
    pub receiver: Option<Receiver>,
}

/// A receiver of WAL.
#[derive(Clone, Debug, Default, Deserialize)]
pub struct Standby {
    /// Its `application_name`.
    pub name: Option<String>,
    /// Its process here.
    pub pid: i64,
    /// Where it is.
    pub client: Option<String>,
    /// `streaming`, `catchup`, `backup` and so on.
    pub state: Option<String>,
    /// `async`, `sync` and so on.
    pub sync: Option<String>,
    /// Bytes not replayed.
    pub lag_bytes: Option<i64>,
    /// Seconds not replayed, as last measured.
    pub lag: Option<f64>,
}

/// A replication slot.
#[derive(Clone, Debug, Default, Deserialize)]
#[expect(clippy::struct_excessive_bools, reason = "the columns of the view")]
pub struct Slot {
    /// Its name.
    pub name: String,
    /// `physical` or `logical`.
    pub kind: String,
    /// Its database, if it is logical.
    pub database: Option<String>,
    /// Whether somebody reads from it.
    pub active: bool,
    /// Whether it ends with its session.
    pub temporary: bool,
    /// Whether it is a copy of the primary's.
    pub synced: bool,
    /// `reserved`, `extended`, `unreserved` or `lost`, from version 13 on.
    pub wal_status: Option<String>,
    /// Why it was invalidated, from version 17 on.
    pub invalidated: Option<String>,
    /// Whether it conflicts with recovery, from version 16 on.
    pub conflicting: bool,
    /// Bytes of WAL that it retains.
    pub retained: Option<i64>,
    /// Age of the oldest transaction that it retains rows for.
    pub xmin_age: Option<i64>,
    /// Seconds since it became inactive, from version 17 on.
    pub inactive: Option<f64>,
}

/// A standby's own reception.
#[derive(Clone, Debug, Default, Deserialize)]
pub struct Receiver {
    /// Whether a WAL receiver runs.
    pub is_running: bool,
    /// Its state, where the role may know.
    pub status: Option<String>,
    /// Whether the server was told to stream; `None` where the role may not know.
    pub is_configured: Option<bool>,
    /// Whether it has received anything by streaming.
    pub has_received: bool,
    /// Whether replay is paused.
    pub is_paused: bool,
    /// Bytes received and not replayed.
    pub lag_bytes: Option<i64>,
    /// Seconds since the last replayed transaction was committed on the primary.
    pub replayed_age: Option<f64>,
}

/// Invalid indexes of the database.
#[derive(Clone, Debug, Default, Deserialize)]
pub struct Integrity {
    /// How many.
    pub invalid: i64,
    /// The first of them, with their tables; asked only while there are any.
    pub names: Vec<String>,
}

/// Sequences of the database.
#[derive(Clone, Debug, Default, Deserialize)]
pub struct Sequences {
    /// How many.
    pub count: i64,
    /// How many the role may not read.
    pub hidden: i64,
    /// The schemas of those.
    pub hidden_schemas: Vec<String>,
    /// Those used up most.
    pub worst: Vec<Sequence>,
}

/// A sequence.
#[derive(Clone, Debug, Deserialize)]
pub struct Sequence {
    /// Its name.
    pub name: String,
    /// Percent of its numbers that are used.
    pub used: f64,
    /// Its last number.
    pub last: i64,
    /// The number at which it ends.
    pub end: i64,
    /// The type of its column, where that ends earlier than the sequence.
    pub column: Option<String>,
}

/// Sizes.
#[derive(Clone, Debug, Default, Deserialize)]
pub struct Sizes {
    /// Databases, the largest first.
    pub databases: Vec<DatabaseSize>,
    /// Databases whose size the role may not know.
    pub hidden: Vec<String>,
    /// Bytes in `pg_wal`; `None` where the role may not know.
    pub wal: Option<i64>,
}

/// Size of a database.
#[derive(Clone, Debug, Deserialize)]
pub struct DatabaseSize {
    /// Its name.
    pub name: String,
    /// Its size.
    pub bytes: u64,
}

/// Counters of a database.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Database {
    /// Its name; empty for what all databases share.
    pub name: String,
    /// Its object ID.
    pub oid: i64,
    /// Seconds since 1970 of the last reset.
    pub reset: Option<f64>,
    /// Commits.
    pub commits: u64,
    /// Rollbacks.
    pub rollbacks: u64,
    /// Deadlocks.
    pub deadlocks: u64,
    /// Pages read.
    pub reads: u64,
    /// Pages found in shared buffers.
    pub hits: u64,
    /// Rows read.
    pub rows_read: u64,
    /// Rows written.
    pub rows_written: u64,
    /// Temporary files.
    pub temp_files: u64,
    /// Their bytes.
    pub temp_bytes: u64,
    /// Pages with a wrong checksum; `None` without checksums and before version 12.
    pub checksum_failures: Option<u64>,
    /// Seconds since the last of them.
    pub checksum_age: Option<f64>,
}

/// Vacuum of large tables, and settings.
#[derive(Clone, Debug, Default, Deserialize)]
pub struct Maintenance {
    /// Large tables.
    pub tables: i64,
    /// Those that were never vacuumed.
    pub never_vacuumed: i64,
    /// Those that were never analyzed.
    pub never_analyzed: i64,
    /// The longest time since a vacuum.
    pub vacuum: Option<TableAge>,
    /// The longest time since an analyze.
    pub analyze: Option<TableAge>,
    /// Tables with the largest shares of dead rows.
    pub dead: Vec<DeadRows>,
    /// Settings that wait for a restart.
    pub pending: Vec<String>,
}

/// A table and a time.
#[derive(Clone, Debug, Deserialize)]
pub struct TableAge {
    /// Its name.
    pub name: String,
    /// Seconds.
    pub age: f64,
}

/// Dead rows of a table.
#[derive(Clone, Debug, Deserialize)]
pub struct DeadRows {
    /// Its name.
    pub name: String,
    /// Dead rows.
    pub dead: u64,
    /// Live rows.
    pub live: u64,
}

/// A row of the user's own statement.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CustomRow {
    /// Its name.
    pub name: Option<String>,
    /// Its value, as the server writes it.
    pub value: Option<String>,
    /// Its warning range.
    pub warning: Option<String>,
    /// Its critical range.
    pub critical: Option<String>,
}

/// What is kept for the next run.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Kept {
    /// Names the cluster.
    pub system: String,
    /// When the server was started.
    pub started: f64,
    /// When the counters of the databases were read, by the server's clock.
    pub counted: f64,
    /// Counters of the databases.
    pub databases: Vec<Database>,
    /// Failed attempts to archive, and when that counter was reset.
    pub archive_failures: Option<(i64, Option<f64>)>,
    /// Sizes of databases: (seconds since 1970, bytes), the oldest first.
    pub sizes: BTreeMap<String, Vec<(f64, u64)>>,
}

impl Snapshot {
    /// A snapshot in which nothing but the server is known yet.
    pub const fn of(server: Server) -> Self {
        Self {
            server,
            activity: None,
            locks: None,
            wraparound: None,
            archiving: None,
            replication: None,
            integrity: None,
            sequences: None,
            sizes: None,
            databases: None,
            maintenance: None,
            custom: None,
            explanation: Explanation { session_counts: None, oldest_tables: None, holder: None },
        }
    }
}
