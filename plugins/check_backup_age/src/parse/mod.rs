//! Reads and verifies dumps of PostgreSQL, as streams: whatever the size of a dump, little memory is used and no more is
//! read than the level of verification asks for.
//!
//! - [`inspection`]: what is learnt of a dump.
//! - [`fault`]: what is wrong with one, in words.
//! - [`digest`]: SHA-256 of a file, and the files that keep it.
//! - `input`, `wrapper`: bytes in order, without what wraps them.
//! - `archive`: the header and the table of contents that tar, custom and directory dumps share.
//! - `tar`, `custom`, `directory`, `plain`: a walker for each format, `walk` their common state.
//! - `stranger`: what is none of them.

mod archive;
mod custom;
mod data;
pub mod digest;
mod directory;
pub mod fault;
mod input;
pub mod inspection;
mod objects;
mod plain;
mod stranger;
mod tar;
mod walk;
mod wrapper;

use std::io::{self, Read, Seek, Write};

use input::{Bytes, Raw, Stop, Watch};
use walk::Walk;
use wrapper::Unwrapped;

pub use directory::Directory;
pub use fault::{Fault, Kind, Unverified};
pub use inspection::{
    Compression, Contents, Format, Header, Inspection, Level, LocalTime, Outcome, Table, Version, Wrapper,
};

/// Looks at a dump that is a file.
///
/// `keep_going` is asked before each 128 KiB at most; when it says no, the outcome is [`Unverified::Interrupted`].
pub fn inspect(file: impl Read + Seek, level: Level, keep_going: &dyn Fn() -> bool) -> Inspection {
    inspected(level, keep_going, |watch, walk| {
        let bytes = Bytes::new(Raw::new(file, watch)?, None, watch);
        whole(bytes, watch, walk)
    })
}

/// Looks at a dump that is a directory; see [`inspect`].
pub fn inspect_directory(directory: &impl Directory, level: Level, keep_going: &dyn Fn() -> bool) -> Inspection {
    inspected(level, keep_going, |watch, walk| directory::walk(directory, watch, walk))
}

/// Copies what a file holds to `output`, without its wrapper.
pub fn unwrap_into(file: impl Read + Seek, output: &mut impl Write, keep_going: &dyn Fn() -> bool) -> io::Result<u64> {
    let watch = Watch::new(keep_going);
    let failed = |_| io::Error::other("it cannot be unwrapped");
    let mut bytes = Bytes::new(Raw::new(file, &watch).map_err(failed)?, None, &watch);
    match wrapper::recognise(bytes.peek(64).map_err(failed)?) {
        Some(wrapper) => io::copy(&mut Unwrapped::new(wrapper, bytes, &watch).map_err(failed)?, output),
        None => io::copy(&mut bytes, output),
    }
}

fn inspected(
    level: Level,
    keep_going: &dyn Fn() -> bool,
    look: impl FnOnce(&Watch, &mut Walk) -> Result<(), Stop>,
) -> Inspection {
    let watch = Watch::new(keep_going);
    let mut found = Inspection::new(level);
    let mut walk = Walk::new(&mut found);
    let result = look(&watch, &mut walk);
    walk.conclude(result);
    found.consumed = watch.consumed();
    found
}

/// A file, wrapped or not.
fn whole<'a>(mut file: Bytes<'a>, watch: &'a Watch<'a>, walk: &mut Walk) -> Result<(), Stop> {
    let head = file.peek(64)?;
    if head.is_empty() {
        return Err(Stop::Broken(Level::Header, Kind::Empty));
    }
    let Some(wrapper) = wrapper::recognise(head) else { return dump(&mut file, watch, walk) };
    walk.found.wrapper = Some(wrapper);
    let mut inside = Bytes::new(Unwrapped::new(wrapper, file, watch)?, Some(wrapper), watch);
    if inside.is_at_end()? {
        return Err(Stop::Broken(Level::Header, Kind::NothingInside(wrapper)));
    }
    if wrapper::recognise(inside.peek(64)?).is_some() {
        return Err(Stop::Broken(Level::Header, Kind::Foreign("something that is wrapped twice".into())));
    }
    dump(&mut inside, watch, walk)
}

/// A dump without its wrapper.
fn dump(bytes: &mut Bytes, watch: &Watch, walk: &mut Walk) -> Result<(), Stop> {
    let head = bytes.peek(stranger::HEAD)?;
    let is_converted = stranger::is_converted(head);
    let format = format(head);
    walk.found.format = format;
    let result = match format {
        Some(Format::Custom) => custom::walk(bytes, watch, walk),
        Some(Format::Tar) => tar::walk(bytes, walk),
        Some(format @ (Format::Plain | Format::Cluster)) => plain::walk(bytes, format, walk),
        Some(Format::Directory) | None => Err(match stranger::judge(head) {
            Some(kind) => Stop::Broken(Level::Header, kind),
            None => Stop::End,
        }),
    };
    match result {
        // What a conversion of line ends does to an archive has many faces.
        Err(Stop::Broken(level, _)) if is_converted && format.is_some() => Err(Stop::Broken(level, Kind::LineEnds)),
        Err(Stop::End) if is_converted => Err(Stop::Broken(Level::Header, Kind::LineEnds)),
        result => result,
    }
}

fn format(head: &[u8]) -> Option<Format> {
    if head.starts_with(archive::MAGIC) {
        Some(Format::Custom)
    } else if tar::is_tar(head) {
        Some(Format::Tar)
    } else {
        plain::recognise(head)
    }
}
