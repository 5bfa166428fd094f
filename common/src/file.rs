//! Files that options name, of which no more is read than they may have.

use std::fs::{File, OpenOptions};
use std::io::{self, Read as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;

use nix::fcntl::OFlag;

use crate::units::bytes;

/// Opens a regular file. A pipe in its place is refused and not waited for.
pub fn open(path: &Path) -> io::Result<File> {
    let file = OpenOptions::new().read(true).custom_flags(OFlag::O_NONBLOCK.bits()).open(path)?;
    if file.metadata()?.is_file() { Ok(file) } else { Err(io::Error::other("it is not a regular file")) }
}

/// All of an open file, which may have at most `limit` bytes, or else is [`io::ErrorKind::FileTooLarge`].
pub fn all_of(file: File, limit: u64) -> io::Result<Vec<u8>> {
    let mut content = Vec::new();
    file.take(limit.saturating_add(1)).read_to_end(&mut content)?;
    if u64::try_from(content.len()).is_ok_and(|length| length > limit) {
        let reason = format!("it is longer than {}", bytes(limit));
        return Err(io::Error::new(io::ErrorKind::FileTooLarge, reason));
    }
    Ok(content)
}

/// All of what is at `path`, be it a pipe that a command writes to: only the deadline of the run limits the wait for that.
pub fn read(path: &Path, limit: u64) -> io::Result<Vec<u8>> {
    all_of(File::open(path)?, limit)
}

/// The text of what is at `path`, likewise.
pub fn read_text(path: &Path, limit: u64) -> io::Result<String> {
    text(read(path, limit)?)
}

/// `content` as text. What is not UTF-8 is [`io::ErrorKind::InvalidData`].
pub fn text(content: Vec<u8>) -> io::Result<String> {
    String::from_utf8(content).map_err(|_| io::Error::new(io::ErrorKind::InvalidData, "it is not UTF-8"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_small_regular_file_is_read() {
        let directory = tempfile::tempdir().unwrap();
        let path = |name: &str| directory.path().join(name);
        std::fs::write(path("text"), "1234").unwrap();
        std::fs::write(path("binary"), b"\xff").unwrap();
        nix::unistd::mkfifo(&path("pipe"), nix::sys::stat::Mode::S_IRWXU).unwrap();
        assert_eq!(read_text(&path("text"), 4).unwrap(), "1234");
        let small = |name: &str, limit| open(&path(name)).and_then(|file| all_of(file, limit)).and_then(text);
        for (name, limit, kind, reason) in [
            ("text", 3, io::ErrorKind::FileTooLarge, "it is longer than 3 B"),
            ("binary", 9, io::ErrorKind::InvalidData, "it is not UTF-8"),
            ("pipe", 9, io::ErrorKind::Other, "it is not a regular file"),
            ("", 9, io::ErrorKind::Other, "it is not a regular file"),
            ("gone", 9, io::ErrorKind::NotFound, "No such file"),
        ] {
            let fault = small(name, limit).unwrap_err();
            assert!(fault.kind() == kind && fault.to_string().contains(reason), "{name}: {fault}");
        }
    }
}
