//! The file of the checks: read where nobody else may write to it, and written.

use std::fs::{DirBuilder, File, Metadata, OpenOptions};
use std::io::Write as _;
use std::os::unix::fs::{DirBuilderExt as _, MetadataExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

use common::file;
use common::text::{io_error, shell_word};
use nix::unistd::{Uid, User};

use crate::snapshot::Fault;

/// A list that is longer is a mistake.
const MAX_BYTES: u64 = 1 << 20;
/// Permission of group and others to write.
const OTHERS_WRITE: u32 = 0o022;
/// Permission to remove only what is one's own.
const STICKY: u32 = 0o1000;

/// The text of the file. The fault says why it is not read.
pub(super) fn read(path: &Path) -> Result<String, Fault> {
    let fault = |error: &std::io::Error| match error.kind() {
        std::io::ErrorKind::NotFound => Fault::new(
            format!("{}: no such file", path.display()),
            "check_backend --init looks at what runs here and writes it; --config names another",
        ),
        _ => Fault::plain(format!("{}: {}", path.display(), io_error(error))),
    };
    let file = file::open(path).map_err(|error| fault(&error))?;
    let metadata = file.metadata().map_err(|error| fault(&error))?;
    trusted(path, &metadata)?;
    for directory in directories(path) {
        let metadata = directory.metadata().map_err(|error| fault(&error))?;
        trusted(&directory, &metadata)?;
    }
    text(path, file)
}

fn text(path: &Path, file: File) -> Result<String, Fault> {
    let fault = |reason: &str| Fault::plain(format!("{}: {reason}", path.display()));
    let bytes = file::all_of(file, MAX_BYTES).map_err(|error| fault(&io_error(&error)))?;
    String::from_utf8(bytes).map_err(|error| fault(&format!("byte {} is not UTF-8", error.utf8_error().valid_up_to())))
}

/// The directories that lead to the file, by its name and by where that leads through links: whoever may write to one of
/// them can put another file in its place.
fn directories(path: &Path) -> Vec<PathBuf> {
    let mut all: Vec<PathBuf> = path.ancestors().skip(1).map(Path::to_owned).collect();
    if let Ok(real) = path.canonicalize() {
        all.extend(real.ancestors().skip(1).map(Path::to_owned));
    }
    all.retain(|directory| !directory.as_os_str().is_empty());
    all.sort();
    all.dedup();
    all
}

/// Whether nobody but root and this user may write there.
fn trusted(path: &Path, metadata: &Metadata) -> Result<(), Fault> {
    let own = Uid::effective();
    let owner = Uid::from_raw(metadata.uid());
    let word = shell_word(&path.display().to_string());
    let danger = format!("and what it lists is run as {}", name(own));
    if !owner.is_root() && owner != own {
        let text = format!("{} belongs to {}, {danger}", path.display(), name(owner));
        return Err(Fault::new(text, format!("chown root {word}")));
    }
    let is_sticky = metadata.is_dir() && metadata.mode() & STICKY != 0;
    if metadata.mode() & OTHERS_WRITE != 0 && !is_sticky {
        let what = if metadata.mode() & 0o002 != 0 { "anybody" } else { "its group" };
        let text = format!("{} may be written to by {what}, {danger}", path.display());
        return Err(Fault::new(text, format!("chmod go-w {word}")));
    }
    Ok(())
}

fn name(user: Uid) -> String {
    User::from_uid(user).ok().flatten().map_or_else(|| format!("user {user}"), |user| user.name)
}

/// A file that is there is written over only on request.
pub(super) fn must_not_exist(path: &Path) -> Result<(), Fault> {
    if path.symlink_metadata().is_ok() {
        return Err(exists(path));
    }
    Ok(())
}

fn exists(path: &Path) -> Fault {
    Fault::new(format!("{} is there already", path.display()), "--init - prints a new one, --force writes over it")
}

/// Writes the file, whole or not at all; over one that is there only with `is_forced`.
pub(super) fn write(path: &Path, text: &str, is_forced: bool) -> Result<(), Fault> {
    let fault = |path: &Path, error: &std::io::Error| Fault::plain(format!("{}: {}", path.display(), io_error(error)));
    if let Some(directory) = path.parent() {
        DirBuilder::new().recursive(true).mode(0o755).create(directory).map_err(|error| fault(directory, &error))?;
    }
    let mut temporary = path.as_os_str().to_owned();
    temporary.push(format!(".{}.tmp", std::process::id()));
    let temporary = PathBuf::from(temporary);
    // The monitoring user reads it.
    let made = OpenOptions::new().write(true).create_new(true).mode(0o644).open(&temporary);
    let written = made.and_then(|mut file| file.write_all(text.as_bytes()).and_then(|()| file.sync_all()));
    let placed = written.and_then(|()| {
        // A link is not made where something is, so that what came meanwhile is safe.
        if is_forced { std::fs::rename(&temporary, path) } else { std::fs::hard_link(&temporary, path) }
    });
    let _ = std::fs::remove_file(&temporary);
    placed.map_err(|error| match error.kind() {
        std::io::ErrorKind::AlreadyExists => exists(path),
        _ => fault(path, &error),
    })
}
