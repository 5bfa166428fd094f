//! Large objects of tar and directory dumps: a file for each, and lists that name them.

use super::archive::{Data, Due, LARGE_OBJECTS};
use super::fault::Kind;
use super::input::{Bytes, Stop};
use super::walk::broken;

/// The longest line of a list: a number of 32 bits, and a file name that holds it.
const MAX_LINE: usize = 64;

/// What the lists name and what is there, however many there are: by their number and a sum over them.
#[derive(Debug, Default)]
pub(crate) struct Objects {
    listed: Tally,
    found: Tally,
}

#[derive(Debug, Default, PartialEq, Eq)]
struct Tally {
    count: u64,
    sum: u64,
}

impl Tally {
    fn add(&mut self, oid: u32) {
        self.count += 1;
        // Spread over all bits (splitmix64), so that two errors hardly ever cancel each other.
        let mut spread = (u64::from(oid) + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        spread = (spread ^ (spread >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        spread = (spread ^ (spread >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        self.sum = self.sum.wrapping_add(spread ^ (spread >> 31));
    }
}

impl Objects {
    /// A list names an object.
    pub(crate) fn list(&mut self, oid: u32) {
        self.listed.add(oid);
    }

    /// An object is there.
    pub(crate) fn find(&mut self, oid: u32) {
        self.found.add(oid);
    }

    /// How many are there.
    pub(crate) fn found(&self) -> u64 {
        self.found.count
    }

    /// Refuses other objects than those that are listed.
    pub(crate) fn require_match(&self) -> Result<(), Stop> {
        if self.listed == self.found {
            Ok(())
        } else {
            Err(broken(Kind::LargeObjects { listed: self.listed.count, found: self.found.count }))
        }
    }
}

/// The number in the name of the file that holds an object.
pub(crate) fn of_file(name: &str) -> Option<u32> {
    name.strip_prefix("blob_")?.strip_suffix(".dat")?.parse().ok()
}

/// The name of that file.
pub(crate) fn file(oid: u32) -> String {
    format!("blob_{oid}.dat")
}

/// The entry that a list belongs to, if this is the name of one.
pub(crate) fn of_list(name: &str, due: &[Due]) -> Option<u32> {
    if name == LARGE_OBJECTS {
        let is_next = |due: &&Due| due.data == Data::LargeObjects && !due.is_there;
        return due.iter().find(is_next).map(|due| due.id);
    }
    name.strip_prefix("blobs_")?.strip_suffix(".toc")?.parse().ok()
}

/// Reads a list of `size` bytes.
pub(crate) fn list(bytes: &mut Bytes, size: u64, mut each: impl FnMut(u32) -> Result<(), Stop>) -> Result<(), Stop> {
    let damaged = || broken(Kind::Damaged("the list of large objects".into()));
    let mut line = Vec::new();
    bytes.each(size, |piece| {
        for byte in piece {
            if *byte != b'\n' && line.len() < MAX_LINE {
                line.push(*byte);
                continue;
            }
            each(object(&line).ok_or_else(damaged)?)?;
            line.clear();
        }
        Ok(())
    })?;
    if line.is_empty() { Ok(()) } else { Err(damaged()) }
}

/// A line: a number and the name of a file.
fn object(line: &[u8]) -> Option<u32> {
    let (oid, name) = std::str::from_utf8(line).ok()?.split_once(' ')?;
    let oid = oid.parse().ok()?;
    (of_file(name) == Some(oid)).then_some(oid)
}
