//! Reading below the roots of `/proc` and `/sys`, wherever they are.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};

use common::deadline::Deadline;
use common::text::io_error;

use crate::cli::Arguments;
use crate::parse;
use crate::snapshot::{Fact, Fault, Usage};

/// No file of the kernel that is read here is longer; one that is was put there by somebody else.
const MAX_BYTES: u64 = 16 << 20;

/// Where the host's file systems are.
#[derive(Debug)]
pub struct Root {
    /// `/proc`.
    pub procfs: PathBuf,
    /// `/sys`.
    pub sysfs: PathBuf,
    /// `/`.
    pub rootfs: PathBuf,
    /// Figures of filesystems to use instead of the kernel's, by mount point.
    pub recorded: Option<BTreeMap<PathBuf, Usage>>,
    /// To whom each file that is read is announced, because any of them may hang.
    deadline: Deadline,
}

impl Root {
    /// The roots that the options name.
    pub fn new(options: &Arguments, deadline: &Deadline) -> Fact<Self> {
        let _step = deadline.step("the recorded figures");
        Ok(Self {
            procfs: options.procfs.clone(),
            sysfs: options.sysfs.clone(),
            rootfs: options.rootfs.clone(),
            recorded: options.statvfs.as_deref().map(recorded).transpose()?,
            deadline: deadline.clone(),
        })
    }

    /// `path` of the host as it is reached from here.
    pub fn host(&self, path: &Path) -> PathBuf {
        self.rootfs.join(path.strip_prefix("/").unwrap_or(path))
    }

    /// Whether there is a procfs at all, so that a wrong path is one fault and not one per file.
    pub fn check_procfs(&self) -> Result<(), Fault> {
        std::fs::read_dir(&self.procfs)
            .map(drop)
            .map_err(|error| Fault { source: self.procfs.display().to_string(), reason: io_error(&error) })
    }

    /// The bytes of file `name` of procfs.
    pub fn proc_bytes(&self, name: &str) -> Fact<Vec<u8>> {
        self.read(name).map_err(|error| self.fault(name, io_error(&error)))
    }

    /// The text of file `name` of procfs.
    pub fn proc(&self, name: &str) -> Fact<String> {
        self.proc_bytes(name).map(lossy)
    }

    /// The text of file `name` of procfs, read by `parse`.
    pub fn parse<T>(&self, name: &str, parse: impl FnOnce(&str) -> Result<T, String>) -> Fact<T> {
        parse(&self.proc(name)?).map_err(|reason| self.fault(name, reason))
    }

    /// The same of a file that this kernel may not offer: `None` then.
    pub fn read_optional(&self, name: &str) -> Option<Fact<String>> {
        match self.read(name) {
            Err(error) if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::Unsupported) => None,
            result => Some(result.map(lossy).map_err(|error| self.fault(name, io_error(&error)))),
        }
    }

    fn read(&self, name: &str) -> io::Result<Vec<u8>> {
        let path = self.procfs.join(name);
        let _step = self.deadline.step(path.display().to_string());
        read_bytes(&path)
    }

    /// Whether procfs has file `name`.
    pub fn exists(&self, name: &str) -> bool {
        self.procfs.join(name).exists()
    }

    /// A fault of file `name` of procfs.
    pub fn fault(&self, name: &str, reason: String) -> Fault {
        Fault { source: self.procfs.join(name).display().to_string(), reason }
    }
}

fn recorded(path: &Path) -> Fact<BTreeMap<PathBuf, Usage>> {
    let fault = |reason| Fault { source: path.display().to_string(), reason };
    parse::usages(&read(path).map_err(|error| fault(io_error(&error)))?).map_err(fault)
}

/// The text of a file, whatever its bytes.
pub fn read(path: &Path) -> io::Result<String> {
    read_bytes(path).map(lossy)
}

fn read_bytes(path: &Path) -> io::Result<Vec<u8>> {
    // Most files fit. Without room to begin with, the first read asks for 32 bytes, and each one doubles that.
    let mut bytes = Vec::with_capacity(8 * 1024);
    read_into(path, &mut bytes)?;
    Ok(bytes)
}

fn lossy(bytes: Vec<u8>) -> String {
    String::from_utf8(bytes).unwrap_or_else(|error| String::from_utf8_lossy(error.as_bytes()).into_owned())
}

/// Bytes as text, whatever they are.
pub fn text(bytes: &[u8]) -> Cow<'_, str> {
    // The lossy way looks at each byte; nearly always there is nothing to lose.
    std::str::from_utf8(bytes).map_or_else(|_| String::from_utf8_lossy(bytes), Cow::Borrowed)
}

/// The bytes of a file, into a buffer that is used again.
pub fn read_into(path: &Path, bytes: &mut Vec<u8>) -> io::Result<()> {
    bytes.clear();
    File::open(path)?.take(MAX_BYTES).read_to_end(bytes)?;
    Ok(())
}
