//! Small files that a connection takes: services, passwords, keys.

use std::io::Read as _;
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _};
use std::path::Path;

use common::text::io_error;
use nix::fcntl::OFlag;

/// A file that is longer is another file.
const MAX_BYTES: u64 = 1 << 20;

/// The text of a file. The error repeats neither its path nor its content.
pub fn read(path: &Path) -> Result<String, String> {
    let fault = |error: std::io::Error| io_error(&error);
    // A pipe that nobody writes to would keep this waiting.
    let open = std::fs::OpenOptions::new().read(true).custom_flags(OFlag::O_NONBLOCK.bits()).open(path);
    let file = open.map_err(fault)?;
    if !file.metadata().map_err(fault)?.is_file() {
        return Err("it is not a regular file".to_owned());
    }
    let mut bytes = Vec::new();
    file.take(MAX_BYTES).read_to_end(&mut bytes).map_err(fault)?;
    String::from_utf8(bytes).map_err(|_| "it is not text in UTF-8".to_owned())
}

/// Who may do what with a file: its mode and its owner; `None` where there is none.
pub fn rights(path: &Path) -> Option<(u32, u32)> {
    let metadata = std::fs::metadata(path).ok()?;
    Some((metadata.mode(), metadata.uid()))
}
