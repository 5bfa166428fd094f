//! What is wrong with a dump, in words.

use std::borrow::Cow;
use std::fmt;

use serde::{Deserialize, Serialize};

use super::inspection::{Level, Version, Wrapper};

/// Why a dump would not restore, or not wholly.
///
/// Its words are the reason for an operator ("ends within the data of public.devices, after 3 of 12 tables"). They hold
/// names from the dump as they are there: print them as `Text`. They never hold bytes that stand in front of a dump,
/// which may be a password.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fault {
    /// What it is.
    pub kind: Kind,
    /// The level of what was done when it was met. A lower one may find it too, by something else.
    pub level: Level,
    /// Where it was seen: bytes from the start of the dump (of what the wrapper holds), in the file of a directory dump.
    pub offset: u64,
    /// The table or part of the dump it was seen in, such as `the data of public.devices` or `the table of contents`.
    pub within: Option<String>,
    /// Tables whose data was whole before it, and tables whose data is due. `None` before the contents are known.
    pub progress: Option<(u64, u64)>,
}

/// The ways in which dumps are bad.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Kind {
    /// A file of no bytes.
    Empty,
    /// A wrapper that holds nothing: the command in front of the pipe failed.
    NothingInside(Wrapper),
    /// It begins with zeros: never written, or lost by the filesystem.
    Zeros,
    /// A password prompt stands in front of the dump.
    Prompt,
    /// So many bytes of something stand in front of the dump.
    InFront(u64),
    /// A message instead of a dump: its first line, where that cannot hold a secret.
    Message(Option<String>),
    /// Line feeds became carriage return and line feed.
    LineEnds,
    /// Text in UTF-16, as a redirection of PowerShell writes it.
    Utf16,
    /// Something else, by what it is.
    Foreign(Cow<'static, str>),
    /// It ends too early.
    Truncated,
    /// Zeros follow where something is due.
    ZeroTail,
    /// Something follows the end.
    Trailing,
    /// A part that is not as any version of `pg_dump` writes it: which.
    Damaged(Cow<'static, str>),
    /// Data, or a file or member that holds it, is missing: its name.
    Missing(String),
    /// The data of a table does not end as it must.
    Unfinished,
    /// Data does not fit its checksum, or cannot be decompressed.
    Corrupt,
    /// Zeros within text: a hole.
    Hole,
    /// Large objects are listed and not there, or the other way round.
    LargeObjects {
        /// Listed.
        listed: u64,
        /// There.
        found: u64,
    },
    /// The wrapper ends too early.
    WrapperTruncated(Wrapper),
    /// The wrapper is damaged, or something follows it.
    WrapperCorrupt(Wrapper),
}

/// Why nobody knows whether a dump is good.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Unverified {
    /// A newer PostgreSQL than is known here has written it.
    Newer(Version),
    /// One older than 9.0 has.
    Older(Version),
    /// It is encrypted.
    Encrypted(Wrapper),
    /// It can be decompressed only with a window or blocks of more than so many bytes, which would take too much memory.
    Window(u64),
    /// It holds more tables than can be kept in mind.
    TooManyTables,
    /// Time was over.
    Interrupted,
    /// It could not be read: why.
    Unreadable(String),
}

impl Kind {
    /// What most often does this, and what helps.
    #[must_use]
    pub const fn cause(&self) -> Option<&'static str> {
        Some(match self {
            Self::Empty | Self::NothingInside(_) => {
                "the command that should have written it failed; see its own messages"
            }
            Self::Zeros | Self::ZeroTail | Self::Hole => {
                "the disk was full, or the machine went down before the data was on it"
            }
            Self::Prompt => {
                "dump with ~/.pgpass instead of -W, and run docker exec without -t; a password may be in this file"
            }
            Self::InFront(_) | Self::Message(_) => "keep standard error out of the file, and look at exit codes",
            Self::LineEnds => "it passed through a terminal (docker exec -t) or a transfer in text mode",
            Self::Utf16 => "PowerShell wrote it; use pg_dump --file instead of >",
            Self::Truncated | Self::WrapperTruncated(_) | Self::Unfinished | Self::Missing(_) => {
                "pg_dump was killed, the disk was full, or the copy was cut short"
            }
            Self::Corrupt | Self::WrapperCorrupt(_) | Self::Damaged(_) | Self::LargeObjects { .. } => {
                "the file was damaged after it was written; copy it again, or look at the disk"
            }
            Self::Trailing | Self::Foreign(_) => return None,
        })
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.kind.fmt(f)?;
        if let Some(within) = &self.within {
            write!(f, " in {within}")?;
        }
        match self.progress {
            Some((done, due)) if due > 0 => write!(f, ", after {done} of {due} tables"),
            _ => Ok(()),
        }
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Empty => f.write_str("it is empty"),
            Self::NothingInside(wrapper) => write!(f, "nothing is in its {wrapper}"),
            Self::Zeros => f.write_str("it begins with zeros"),
            Self::Prompt => f.write_str("written through a terminal: a password prompt stands in front of the dump"),
            Self::InFront(bytes) => write!(f, "{bytes} bytes of something else stand in front of the dump"),
            Self::Message(None) => f.write_str("a message is there instead of a dump"),
            Self::Message(Some(line)) => write!(f, "a message is there instead of a dump: {line}"),
            Self::LineEnds => f.write_str("its line feeds were converted to CR LF"),
            Self::Utf16 => f.write_str("it was converted to UTF-16"),
            Self::Foreign(what) => write!(f, "it is {what}, not a dump"),
            Self::Truncated => f.write_str("it ends too early"),
            Self::ZeroTail => f.write_str("it goes on with zeros"),
            Self::Trailing => f.write_str("something follows its end"),
            Self::Damaged(what) => write!(f, "{what} is damaged"),
            Self::Missing(what) => write!(f, "{what} is missing"),
            Self::Unfinished => f.write_str("the end of the rows is missing"),
            Self::Corrupt => f.write_str("data does not fit its checksum"),
            Self::Hole => f.write_str("there are zeros"),
            Self::LargeObjects { listed, found } => {
                write!(f, "{listed} large objects are listed and {found} are there")
            }
            Self::WrapperTruncated(wrapper) => write!(f, "its {wrapper} ends too early"),
            Self::WrapperCorrupt(wrapper) => write!(f, "its {wrapper} is damaged"),
        }
    }
}

impl fmt::Display for Unverified {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Newer(version) => {
                write!(f, "archive version {version} is newer than 1.16, the newest that is known")
            }
            Self::Older(version) => write!(f, "archive version {version} is older than PostgreSQL 9.0"),
            Self::Encrypted(wrapper) => write!(f, "it is encrypted ({wrapper}), its contents cannot be verified"),
            Self::Window(bytes) => {
                write!(f, "to decompress it takes a window of more than {} MiB, too much for a check", bytes >> 20)
            }
            Self::TooManyTables => f.write_str("it has more tables than the check can keep in mind"),
            Self::Interrupted => f.write_str("time was over before it was verified"),
            Self::Unreadable(reason) => write!(f, "it cannot be read: {reason}"),
        }
    }
}
