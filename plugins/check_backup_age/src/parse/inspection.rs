//! What is learnt of a dump.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::fault::{Fault, Unverified};

/// How closely a dump is looked at. Each level holds what the one before holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Level {
    /// What kind of dump it is, its header and its table of contents.
    Header,
    /// Every block or member to the exact end, and that the data of every entry is there.
    Structure,
    /// All data: decompressed, with its checksums, searched for holes, rows counted.
    Full,
}

/// The formats that `pg_dump` and `pg_dumpall` write.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Format {
    /// `pg_dump -F t`.
    Tar,
    /// `pg_dump -F c`.
    Custom,
    /// `pg_dump -F d`.
    Directory,
    /// `pg_dump -F p`: SQL.
    Plain,
    /// `pg_dumpall`: SQL, of all databases or of what is common to them alone (`--globals-only`).
    Cluster,
}

/// What a dump is wrapped in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Wrapper {
    /// gzip.
    Gzip,
    /// Zstandard.
    Zstd,
    /// LZ4 frames.
    Lz4,
    /// xz.
    Xz,
    /// bzip2.
    Bzip2,
    /// An `OpenPGP` message, binary or in ASCII armour. What it holds cannot be seen.
    Pgp,
    /// age. What it holds cannot be seen.
    Age,
}

impl Wrapper {
    /// Whether what is inside cannot be seen without a key.
    #[must_use]
    pub const fn is_encrypted(self) -> bool {
        matches!(self, Self::Pgp | Self::Age)
    }
}

/// The version of the archive format: 1.12 to 1.16 are known.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Version {
    /// Always 1 so far.
    pub major: u8,
    /// 12: 9.0 to 10.2; 13: 10.3 to 11; 14: 12 to 15; 15: 16; 16: 17 to 19.
    pub minor: u8,
    /// Always 0 in what releases write.
    pub revision: u8,
}

/// A point in time as a clock on the wall of `pg_dump`'s machine shows it, without its zone.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct LocalTime {
    /// With the century.
    pub year: i16,
    /// 1 to 12.
    pub month: i8,
    /// 1 to 31.
    pub day: i8,
    /// 0 to 23.
    pub hour: i8,
    /// 0 to 59.
    pub minute: i8,
    /// 0 to 60.
    pub second: i8,
    /// Whether daylight saving time was in force, where that is known.
    pub is_daylight_saving: Option<bool>,
}

/// What compresses the data inside an archive.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Compression {
    /// Nothing.
    None,
    /// zlib in custom, gzip files in directory dumps.
    Gzip,
    /// LZ4 frames.
    Lz4,
    /// Zstandard.
    Zstd,
}

/// The head of a dump.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Header {
    /// Of the archive format; `None` for SQL.
    pub version: Option<Version>,
    /// Of the data inside. `None` as well for SQL.
    pub compression: Compression,
    /// When the dump was begun. SQL tells only if it was written with `--verbose`.
    pub created: Option<LocalTime>,
    /// SQL tells only if it was written with `--create`; a dump of the cluster has none.
    pub database: Option<String>,
    /// The version of the server as it is written there, such as `15.14 (Debian 15.14-0+deb12u1)`.
    pub server_version: Option<String>,
    /// The version of `pg_dump`, likewise.
    pub pg_dump_version: Option<String>,
}

/// A table that a dump holds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Table {
    /// Its schema; empty where the dump names none.
    pub schema: String,
    /// Its name, without quotes.
    pub name: String,
    /// Rows of data, if it has data, all of it was read ([`Level::Full`], or SQL) and it was written with `COPY`.
    pub rows: Option<u64>,
}

/// How many tables are kept by name; more are counted in [`Contents::names_left_out`].
pub const MAX_NAMES: usize = 5_000;

/// What a dump holds, by its table of contents; a dump in SQL has none, so its comments count.
///
/// `None` is what nobody knows: SQL has to be read to its end to know its tables, which happens at [`Level::Full`], and
/// at [`Level::Structure`] within a wrapper.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Contents {
    /// Entries of the table of contents.
    pub entries: Option<u64>,
    /// Tables that are defined, partitioned and foreign tables among them.
    pub tables: Option<u64>,
    /// Tables whose data is there, be it no rows.
    pub tables_with_data: Option<u64>,
    /// The tables that are defined: the first [`MAX_NAMES`].
    pub defined: Vec<Table>,
    /// The tables whose data is there: the first [`MAX_NAMES`].
    pub with_data: Vec<Table>,
    /// Tables that the two lists lack.
    pub names_left_out: u64,
    /// Large objects whose data is there, where they were counted ([`Level::Structure`]).
    pub large_objects: Option<u64>,
    /// Roles, which only `pg_dumpall` writes.
    pub roles: Option<u64>,
    /// Whether there is an entry for the database itself, which `pg_restore --create` needs (and any dump but one in SQL
    /// without `--create` has).
    pub has_database_entry: bool,
}

impl Contents {
    /// Keeps a table in one of the lists while there is room; says at which place.
    pub(super) fn keep(&mut self, table: Table, list: impl FnOnce(&mut Self) -> &mut Vec<Table>) -> Option<u16> {
        let tables = list(self);
        if tables.len() < MAX_NAMES {
            tables.push(table);
            u16::try_from(tables.len() - 1).ok()
        } else {
            self.names_left_out += 1;
            None
        }
    }

    /// Whether there are tables and none has data, as `--schema-only` makes it.
    #[must_use]
    pub fn is_schema_only(&self) -> bool {
        self.tables > Some(0) && self.tables_with_data == Some(0)
    }

    /// Whether there is data and no table is defined, as `--data-only` makes it.
    #[must_use]
    pub fn is_data_only(&self) -> bool {
        self.tables == Some(0) && self.tables_with_data > Some(0)
    }
}

/// What verification found.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Outcome {
    /// Nothing is wrong at the level that was asked for.
    Sound,
    /// It would not restore, or not wholly.
    Broken(Fault),
    /// Nobody knows: it could not be looked at to the end.
    Unverified(Unverified),
}

/// What is known of a dump. What was learnt before a fault is kept.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Inspection {
    /// The level that was asked for.
    pub level: Level,
    /// What was found.
    pub outcome: Outcome,
    /// `None` if it is none that is known.
    pub format: Option<Format>,
    /// The outermost wrapper, if any.
    pub wrapper: Option<Wrapper>,
    /// The head of the dump.
    pub header: Option<Header>,
    /// What it holds.
    pub contents: Contents,
    /// When it was begun, in seconds since 1970 UTC: tar members carry it. Else there is [`Header::created`].
    pub started: Option<i64>,
    /// When it was completed, likewise.
    pub ended: Option<i64>,
    /// Bytes that were read, before they were decompressed.
    pub consumed: u64,
}

impl Inspection {
    /// Of what was not looked at yet.
    pub(super) fn new(level: Level) -> Self {
        Self {
            level,
            outcome: Outcome::Sound,
            format: None,
            wrapper: None,
            header: None,
            contents: Contents::default(),
            started: None,
            ended: None,
            consumed: 0,
        }
    }
}

/// `schema.name`, or the name alone.
impl fmt::Display for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.schema.is_empty() {
            write!(f, "{}.", self.schema)?;
        }
        f.write_str(&self.name)
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.major, self.minor)
    }
}

impl fmt::Display for Format {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Tar => "tar",
            Self::Custom => "custom",
            Self::Directory => "directory",
            Self::Plain => "plain SQL",
            Self::Cluster => "SQL of pg_dumpall",
        })
    }
}

impl fmt::Display for Wrapper {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Gzip => "gzip",
            Self::Zstd => "zstd",
            Self::Lz4 => "lz4",
            Self::Xz => "xz",
            Self::Bzip2 => "bzip2",
            Self::Pgp => "OpenPGP",
            Self::Age => "age",
        })
    }
}

impl fmt::Display for Level {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Header => "header",
            Self::Structure => "structure",
            Self::Full => "full",
        })
    }
}
