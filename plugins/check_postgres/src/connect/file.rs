//! Small files that a connection takes: services, passwords, keys.

use std::os::unix::fs::MetadataExt as _;
use std::path::Path;

use common::file;
use common::text::io_error;

/// A file that is longer is another file.
const MAX_BYTES: u64 = 1 << 20;

/// The text of a file. The error repeats neither its path nor its content.
pub fn read(path: &Path) -> Result<String, String> {
    let read = file::open(path).and_then(|file| file::all_of(file, MAX_BYTES)).and_then(file::text);
    read.map_err(|error| io_error(&error))
}

/// Who may do what with a file: its mode and its owner; `None` where there is none.
pub fn rights(path: &Path) -> Option<(u32, u32)> {
    let metadata = std::fs::metadata(path).ok()?;
    Some((metadata.mode(), metadata.uid()))
}
