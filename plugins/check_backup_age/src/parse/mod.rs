//! Reads and verifies dumps of PostgreSQL, as streams: whatever the size of a dump, little memory is used and no more is
//! read than the level of verification asks for.
//!
//! - [`inspection`]: what is learnt of a dump.
//! - [`fault`]: what is wrong with one, in words.
//! - [`archive`]: the header and the table of contents that tar, custom and directory dumps share.
//!
//! `inspect(input: impl Read + Seek, level: Level, keep_going: &dyn Fn() -> bool) -> Inspection` looks at a file,
//! `inspect_directory(directory: &impl Directory, level, keep_going) -> Inspection` at a directory dump. `keep_going` is
//! asked every 128 KiB at most; when it says no, the outcome is [`Unverified::Interrupted`]. Neither fails: an error of
//! reading is [`Unverified::Unreadable`].

use std::io::{self, Read, Seek};

pub mod archive;
pub mod fault;
mod input;
pub mod inspection;

pub use fault::{Fault, Kind, Unverified};
pub use inspection::{
    Compression, Contents, Format, Header, Inspection, Level, LocalTime, Outcome, Table, Version, Wrapper,
};

/// The files of a directory dump.
pub trait Directory {
    /// A file that is open.
    type File: Read + Seek;

    /// Opens the file `name`, which holds no separator. One that is not there is [`io::ErrorKind::NotFound`].
    fn open(&self, name: &str) -> io::Result<Self::File>;
}
