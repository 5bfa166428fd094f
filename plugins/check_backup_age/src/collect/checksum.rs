//! The SHA-256 of a dump, and the file that says what it must be.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use common::deadline::Deadline;
use common::file;

use crate::parse::digest::{self, Digest};
use crate::snapshot::{Dump, Identity, Sum};

/// A list of checksums that is larger is none.
const MOST_BYTES: u64 = 16 << 20;

/// The sum of the newest dump, and what it must be by the file that `pattern` names. `known` is the sum that an earlier
/// run computed.
pub fn sum(
    pattern: &str,
    dump: &Dump,
    known: Option<&(Identity, Digest)>,
    deadline: &Deadline,
    keep_going: &dyn Fn() -> bool,
) -> Sum {
    let file = companion(pattern, &dump.file.path);
    let expected = {
        let _step = deadline.step(format!("the checksum file {}", file.display()));
        expected(&file, dump)
    };
    let actual = match known {
        _ if expected.is_err() => None,
        Some((identity, sum)) if *identity == dump.file.identity => Some(Ok(*sum)),
        _ => {
            let _step = deadline.step("the SHA-256 of the newest dump");
            let sum = file::open(&dump.file.path).and_then(|file| digest::sha256(file, keep_going));
            sum.map_err(|error| common::text::io_error(&error)).transpose()
        }
    };
    Sum { file, expected, actual }
}

/// `pattern` with the dump's path for `{}`, byte by byte.
fn companion(pattern: &str, dump: &Path) -> PathBuf {
    let mut name = OsString::new();
    for (position, part) in pattern.split("{}").enumerate() {
        if position > 0 {
            name.push(dump);
        }
        name.push(part);
    }
    PathBuf::from(name)
}

/// What the sum must be, or why that is not known.
fn expected(sidecar: &Path, dump: &Dump) -> Result<Digest, String> {
    if dump.file.is_directory {
        return Err("a dump in directory format is many files, and has no SHA-256".to_owned());
    }
    let text = file::read(sidecar, MOST_BYTES).map_err(|error| common::text::io_error(&error))?;
    let name = dump.file.path.file_name().unwrap_or_default();
    let expected = digest::expected(&String::from_utf8_lossy(&text), &name.to_string_lossy());
    expected.ok_or_else(|| "it has no SHA-256 of this dump".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_file_is_named_after_the_dump() {
        assert_eq!(companion("{}.sha256", Path::new("/b/x.tar")), Path::new("/b/x.tar.sha256"));
        assert_eq!(companion("/b/SHA256SUMS", Path::new("/b/x.tar")), Path::new("/b/SHA256SUMS"));
    }
}
