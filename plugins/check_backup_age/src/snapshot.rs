//! What a run finds, unjudged, and what it keeps for the next one.

use std::path::PathBuf;

use common::number::Number;
use serde::{Deserialize, Serialize};

use crate::parse::digest::Digest;
use crate::parse::{Format, Inspection, Kind, Outcome, Table, Wrapper};
use crate::pitr::manifest::Manifest;
use crate::pitr::wal::Continuity;

/// The clock of a file server may be ahead by this many seconds.
const CLOCK_SLACK: f64 = 60.0;

/// What tells that a file is the one that was looked at before, unchanged. Of a directory dump: of all its files.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Identity {
    /// Bytes.
    pub size: u64,
    /// Last change of the content, in nanoseconds since 1970; of a directory dump the last of all.
    pub mtime: i64,
    /// Last change of content or owner, likewise.
    pub ctime: i64,
    /// The inode.
    pub inode: u64,
    /// The device of the filesystem.
    pub device: u64,
    /// Files; 1 unless it is a directory.
    pub files: u64,
}

impl Identity {
    /// When it was written, in seconds since 1970.
    pub fn written(&self) -> i64 {
        self.mtime.div_euclid(1_000_000_000)
    }
}

/// Where the time of a dump is from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Clock {
    /// Inside the dump, with its zone.
    Inside,
    /// Inside the dump, without its zone, which was given with `--dump-timezone`.
    Given,
    /// Inside the dump, without its zone, taken for that of this machine.
    Local,
    /// Inside the dump, without its zone, taken for UTC, because the zone of this machine does not fit mtime.
    Utc,
    /// mtime: there is none inside.
    Mtime,
}

/// When a dump was begun.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Made {
    /// Seconds since 1970.
    pub at: i64,
    /// By which clock.
    pub clock: Clock,
}

/// A dump as its directory entry shows it.
#[derive(Clone, Debug)]
pub struct Candidate {
    /// Where it is.
    pub path: PathBuf,
    /// Which file it is.
    pub identity: Identity,
    /// Permission bits.
    pub mode: u32,
    /// Whether it is a dump in directory format.
    pub is_directory: bool,
    /// Whether the path is a symbolic link.
    pub is_link: bool,
}

/// A dump that was looked at.
#[derive(Clone, Debug)]
pub struct Dump {
    /// The file.
    pub file: Candidate,
    /// When it was begun.
    pub made: Made,
    /// What verification found.
    pub inspection: Inspection,
    /// Seconds that it took.
    pub verify_time: f64,
    /// Whether an earlier run found it, and the file has not changed since.
    pub is_remembered: bool,
    /// Whether it changed while it was read.
    pub has_changed: bool,
}

impl Dump {
    /// Whether it is as good as verification can tell. An encrypted one is where those are allowed.
    pub fn is_valid(&self, allow_encrypted: bool) -> bool {
        match &self.inspection.outcome {
            Outcome::Sound => !self.has_changed,
            Outcome::Broken(_) => false,
            Outcome::Unverified(_) => self.is_encrypted() && allow_encrypted,
        }
    }

    /// Whether nobody can see what it holds.
    pub fn is_encrypted(&self) -> bool {
        self.inspection.wrapper.is_some_and(Wrapper::is_encrypted)
    }

    /// Whether it may be one that is still being written at `now`, in seconds since 1970.
    pub fn may_be_unfinished(&self, now: f64, grace: f64) -> bool {
        let is_incomplete = match &self.inspection.outcome {
            Outcome::Broken(fault) => !is_final(&fault.kind),
            _ => self.has_changed,
        };
        let since = now - Number::from(self.file.identity.written()).to_f64();
        is_incomplete && (-CLOCK_SLACK..grace).contains(&since)
    }
}

/// Whether it stays a fault whatever is written yet.
const fn is_final(kind: &Kind) -> bool {
    matches!(kind, Kind::Prompt | Kind::InFront(_) | Kind::Message(_) | Kind::LineEnds | Kind::Utf16 | Kind::Foreign(_))
}

/// Whether `name`, with a schema or without, is that of `table`.
pub fn is_named(table: &Table, name: &str) -> bool {
    let with_schema = name.strip_suffix(table.name.as_str()).and_then(|schema| schema.strip_suffix('.'));
    table.name == name || with_schema.is_some_and(|schema| schema == table.schema)
}

/// A path that is no dump that could be looked at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Trouble {
    /// Which.
    pub path: PathBuf,
    /// What it is about.
    pub kind: TroubleKind,
}

/// Why a path is no dump that could be looked at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TroubleKind {
    /// It does not exist.
    Missing,
    /// A symbolic link whose target does not exist.
    Dangling,
    /// The check may not read it.
    Forbidden,
    /// It is a device, a socket or a pipe.
    NotAFile,
    /// Nothing in the directory matches.
    NothingThere,
    /// Reading it failed: why.
    Failed(String),
}

/// Free space.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Space {
    /// Bytes that an ordinary user can write.
    pub free: u64,
}

/// A dump of roles and tablespaces, or why there is none.
#[derive(Debug)]
pub struct Globals {
    /// What was looked for.
    pub pattern: PathBuf,
    /// The newest that matches.
    pub newest: Result<Dump, Trouble>,
}

/// The SHA-256 of the newest dump.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sum {
    /// The file that says what it must be.
    pub file: PathBuf,
    /// What it must be, or why that is not known.
    pub expected: Result<Digest, String>,
    /// What it is; `None` if time was over, or there is nothing to compare it with.
    pub actual: Option<Result<Digest, String>>,
}

/// What became of a restore.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Restore {
    /// It went well.
    Done(Restored),
    /// It failed: the words of `pg_restore`.
    Failed(String),
    /// The server could not be used: why.
    Server(String),
    /// A program is missing or too old: which, and how to get it.
    Tool(String),
    /// Dumps of this kind are not restored: why.
    NotPossible(String),
    /// Time was over, in this step.
    TimedOut(String),
    /// Another run is at it.
    Busy,
}

/// A restore that went well.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Restored {
    /// Seconds that it took.
    pub seconds: f64,
    /// Tables that were compared.
    pub tables: u64,
    /// Rows in them.
    pub rows: u64,
    /// Tables that have other rows than the dump, at most ten: name, rows in the dump, rows after the restore.
    pub different: Vec<(String, u64, Option<u64>)>,
    /// The version of `pg_restore`.
    pub version: String,
}

/// The restore of the newest dump.
#[derive(Clone, Debug)]
pub struct RestoreTest {
    /// What became of it.
    pub outcome: Restore,
    /// Whether an earlier run did it, and the dump has not changed since.
    pub is_remembered: bool,
    /// Databases of earlier runs that were dropped.
    pub dropped: Vec<String>,
    /// Databases that look like such and do not say that they are.
    pub strangers: Vec<String>,
    /// A scratch database that could not be dropped: its name and why.
    pub left: Option<(String, String)>,
}

/// A WAL archive.
#[derive(Debug)]
pub struct WalArchive {
    /// Segments that are there.
    pub segments: usize,
    /// Files that are none of an archive's.
    pub others: usize,
    /// Where a recovery comes; `None` without a segment.
    pub continuity: Option<Continuity>,
    /// Whether it must begin where the base backup does.
    pub from_base_backup: bool,
}

/// A base backup.
#[derive(Debug)]
pub struct BaseBackup {
    /// Where it is.
    pub path: PathBuf,
    /// What its manifest says, `None` where the version of the server wrote none yet; or why that cannot be trusted.
    pub manifest: Result<Option<Manifest>, String>,
    /// Whether it is one of tar files, whose content is not compared with the manifest.
    pub is_tar: bool,
    /// When it was made, in seconds since 1970.
    pub at: Option<i64>,
    /// Where the recovery begins.
    pub start: Option<crate::pitr::wal::Start>,
    /// What is wrong with its files, at most ten.
    pub faults: Vec<String>,
    /// How many there are.
    pub fault_count: u64,
    /// Whether checksums were compared.
    pub checksums: Checksums,
}

/// Whether the checksums of a base backup were compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Checksums {
    /// That was not asked for, or cannot be done.
    No,
    /// In this run.
    Now,
    /// In an earlier run, and no file has changed since.
    Remembered,
    /// Time was over.
    TimedOut,
}

/// The findings of one run.
#[derive(Debug, Default)]
pub struct Snapshot {
    /// Dumps that were found, looked at or not.
    pub found: u64,
    /// Whether all PATHs are dumps themselves, so that there can be no more of them.
    pub only_named: bool,
    /// Those that were verified, the newest first.
    pub dumps: Vec<Dump>,
    /// Whether time was over before all were found and put into order.
    pub is_incomplete: bool,
    /// Whether time was over before as many as needed were verified.
    pub was_interrupted: bool,
    /// Paths that are no dumps that could be looked at.
    pub troubles: Vec<Trouble>,
    /// The filesystem of the newest valid dump.
    pub space: Option<Result<Space, String>>,
    /// The data directory, and whether the newest valid dump is on the same device.
    pub data_directory: Option<(PathBuf, bool)>,
    /// The SHA-256 of the newest dump.
    pub sum: Option<Sum>,
    /// Roles and tablespaces.
    pub globals: Option<Globals>,
    /// The restore of the newest dump.
    pub restore: Option<RestoreTest>,
    /// The WAL archive, or why it cannot be read.
    pub wal: Option<Result<WalArchive, Trouble>>,
    /// The base backup, or why there is none.
    pub base: Option<Result<BaseBackup, Trouble>>,
    /// That base backup, if its checksums are known to be right: which manifest, and which files.
    pub base_verified: Option<(Identity, Identity)>,
}

impl Snapshot {
    /// The newest dump that is valid.
    pub fn newest_valid(&self, allow_encrypted: bool) -> Option<&Dump> {
        self.dumps.iter().find(|dump| dump.is_valid(allow_encrypted))
    }
}

/// What is kept for the next run.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Kept {
    /// Verified dumps, so that no unchanged one is verified again.
    pub verified: Vec<Remembered>,
    /// Sizes of the newest dumps of earlier runs, the latest last.
    pub sizes: Vec<Size>,
    /// The last restore that went well.
    pub restored: Option<(Identity, Restored)>,
    /// The base backup whose checksums were compared: of its manifest, and of all its files together.
    pub base: Option<(Identity, Identity)>,
    /// SHA-256 of the newest dump.
    pub sum: Option<(Identity, Digest)>,
}

/// A dump as an earlier run found it.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Remembered {
    /// Where it is.
    pub path: PathBuf,
    /// Which file it was.
    pub identity: Identity,
    /// What was found, with the names of required tables alone.
    pub inspection: Inspection,
    /// Seconds that it took.
    pub verify_time: f64,
}

/// The size of a dump.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Size {
    /// When it was begun, in seconds since 1970.
    pub made: i64,
    /// Bytes.
    pub bytes: u64,
    /// Only dumps of one format are compared.
    pub format: Option<Format>,
    /// And of one wrapper.
    pub wrapper: Option<Wrapper>,
}
