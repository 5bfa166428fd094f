//! Files and directory dumps: which they are, and how they are opened.

use std::fs::{self, File, Metadata};
use std::io;
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;

use common::file;

use crate::parse::Directory;
use crate::snapshot::{Candidate, Identity, TroubleKind};

/// The file that a dump in directory format begins with.
pub const TOC: &str = "toc.dat";

/// What a path leads to.
#[derive(Debug)]
pub enum Place {
    /// A dump, by its looks.
    Dump(Candidate),
    /// A directory that is none.
    Directory,
}

/// What `path` leads to.
pub fn look_at(path: &Path) -> Result<Place, TroubleKind> {
    let is_link = fs::symlink_metadata(path).map_err(|error| trouble(&error))?.is_symlink();
    let metadata = fs::metadata(path).map_err(|error| match trouble(&error) {
        TroubleKind::Missing if is_link => TroubleKind::Dangling,
        other => other,
    })?;
    let candidate = |identity, mode, is_directory| {
        Ok(Place::Dump(Candidate { path: path.to_owned(), identity, mode, is_directory, is_link }))
    };
    if metadata.is_file() {
        return candidate(identity(&metadata), metadata.mode() & 0o7777, false);
    }
    if !metadata.is_dir() {
        return Err(TroubleKind::NotAFile);
    }
    let toc = match fs::metadata(path.join(TOC)) {
        Ok(toc) if toc.is_file() => toc,
        Ok(_) => return Ok(Place::Directory),
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Place::Directory),
        Err(error) => return Err(trouble(&error)),
    };
    // Whoever may not enter the directory cannot read the files.
    let mode = if metadata.mode() & 0o001 == 0 { 0 } else { toc.mode() & 0o7777 };
    candidate(identity_of_all(path, &metadata).map_err(|error| trouble(&error))?, mode, true)
}

/// An error as it is told.
pub fn trouble(error: &io::Error) -> TroubleKind {
    match error.kind() {
        io::ErrorKind::NotFound | io::ErrorKind::NotADirectory => TroubleKind::Missing,
        io::ErrorKind::PermissionDenied => TroubleKind::Forbidden,
        _ => TroubleKind::Failed(common::text::io_error(error)),
    }
}

/// Which file `metadata` is of.
pub fn identity(metadata: &Metadata) -> Identity {
    let nanoseconds = |seconds: i64, rest: i64| seconds.saturating_mul(1_000_000_000).saturating_add(rest);
    Identity {
        size: metadata.size(),
        mtime: nanoseconds(metadata.mtime(), metadata.mtime_nsec()),
        ctime: nanoseconds(metadata.ctime(), metadata.ctime_nsec()),
        inode: metadata.ino(),
        device: metadata.dev(),
        files: 1,
    }
}

/// Which directory dump this is: the sum and the newest of its files.
fn identity_of_all(path: &Path, directory: &Metadata) -> io::Result<Identity> {
    let mut all = Identity { size: 0, files: 0, ..identity(directory) };
    for entry in fs::read_dir(path)? {
        let file = match entry?.metadata() {
            Ok(metadata) if metadata.is_file() => identity(&metadata),
            Ok(_) => continue,
            // It is being written, or removed.
            Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
            Err(error) => return Err(error),
        };
        all.size = all.size.saturating_add(file.size);
        all.mtime = all.mtime.max(file.mtime);
        all.ctime = all.ctime.max(file.ctime);
        all.files += 1;
    }
    Ok(all)
}

/// The files of a dump in directory format.
#[derive(Debug)]
pub struct Folder<'a>(pub &'a Path);

impl Directory for Folder<'_> {
    type File = File;

    fn open(&self, name: &str) -> io::Result<File> {
        file::open(&self.0.join(name))
    }
}
