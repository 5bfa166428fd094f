//! A base backup: its manifest, its label, and whether its files are there.

use std::ffi::OsString;
use std::fs;
use std::io::{self, BufReader, Read as _};
use std::os::unix::ffi::OsStringExt as _;
use std::path::{Path, PathBuf};

use common::file;
use sha2::digest::DynDigest;
use sha2::{Sha224, Sha256, Sha384, Sha512};

use crate::collect::files;
use crate::parse::Level;
use crate::pitr::backup_label::{self, BackupLabel};
use crate::pitr::manifest::{self, File, Manifest};
use crate::pitr::wal::MOST_NAMES;
use crate::snapshot::{BaseBackup, Checksums, Identity, Kept, Trouble, TroubleKind};

const MANIFEST: &str = "backup_manifest";
const LABEL: &str = "backup_label";
const MOST_LABEL_BYTES: u64 = 64 << 10;
const BUFFER: usize = 128 << 10;

/// What was found, and what to keep of it: which manifest, and which files.
type Found = (BaseBackup, Option<(Identity, Identity)>);

/// Looks at the base backup in `directory`, or at the newest in the directories below.
pub fn base_backup(
    directory: &Path,
    level: Level,
    kept: Option<&Kept>,
    keep_going: &dyn Fn() -> bool,
) -> Result<Found, Trouble> {
    let path = find(directory)?;
    let label = read_label(&path);
    let known = kept.and_then(|kept| kept.base);
    let mut files =
        Files { root: &path, all: Identity::default(), faults: Vec::new(), fault_count: 0, forbidden: None };
    let is_tar = !path.join("PG_VERSION").exists();
    let (read, manifest_identity) = read_manifest(&path, |file| {
        if !is_tar {
            files.compare(&file);
        }
    });
    if is_tar {
        files.compare_tar();
    }
    let of_this = manifest_identity.map(|identity| (identity, files.all));
    let mut checksums = Checksums::No;
    if level == Level::Full && !is_tar && read.is_ok() {
        checksums =
            if of_this.is_some() && of_this == known { Checksums::Remembered } else { files.verify(keep_going) };
    }
    if let Some(path) = files.forbidden {
        return Err(Trouble { path, kind: TroubleKind::Forbidden });
    }
    let manifest = manifest_or_reason(read, &path)?;
    let of_manifest = manifest.as_ref().ok().and_then(Option::as_ref);
    let backup = BaseBackup {
        at: of_manifest.and_then(|manifest| manifest.at).or_else(|| time_of_label(label.as_ref(), &path)),
        start: label.as_ref().map(|label| label.start).or_else(|| of_manifest.and_then(|manifest| manifest.start)),
        is_tar,
        faults: files.faults,
        fault_count: files.fault_count,
        checksums,
        manifest,
        path: path.clone(),
    };
    let is_good = backup.fault_count == 0 && matches!(checksums, Checksums::Now | Checksums::Remembered);
    Ok((backup, of_this.filter(|_| is_good)))
}

/// The directory of a base backup: `directory` itself, or the newest of those below it.
fn find(directory: &Path) -> Result<PathBuf, Trouble> {
    let trouble = |kind| Trouble { path: directory.to_owned(), kind };
    let written = |path: &Path| {
        [MANIFEST, LABEL, "base.tar", "base.tar.gz"]
            .iter()
            .filter_map(|name| fs::metadata(path.join(name)).ok()?.modified().ok())
            .max()
    };
    if written(directory).is_some() {
        return Ok(directory.to_owned());
    }
    let entries = fs::read_dir(directory).map_err(|error| trouble(files::trouble(&error)))?;
    let newest = entries.flatten().map(|entry| entry.path()).filter_map(|path| Some((written(&path)?, path))).max();
    newest.map(|(_, path)| path).ok_or_else(|| trouble(TroubleKind::NothingThere))
}

/// The text of a small file of the backup.
fn small(path: &Path) -> io::Result<String> {
    file::open(path).and_then(|file| file::all_of(file, MOST_LABEL_BYTES)).and_then(file::text)
}

fn read_label(path: &Path) -> Option<BackupLabel> {
    backup_label::parse(&small(&path.join(LABEL)).ok()?)
}

fn read_manifest(path: &Path, each: impl FnMut(File)) -> (Result<Manifest, manifest::Fault>, Option<Identity>) {
    match file::open(&path.join(MANIFEST)) {
        Ok(file) => {
            let identity = file.metadata().ok().map(|metadata| files::identity(&metadata));
            (manifest::read(&mut BufReader::new(file), each), identity)
        }
        Err(error) => (Err(manifest::Fault::Read(error)), None),
    }
}

/// When the backup was begun by its label; by mtime where the label has a zone that is not plain.
fn time_of_label(label: Option<&BackupLabel>, path: &Path) -> Option<i64> {
    let written = || Some(files::identity(&fs::metadata(path.join(LABEL)).ok()?).written());
    label.and_then(|label| label.at).or_else(written)
}

/// The manifest, `None` where the version of the server wrote none yet, or why it is not to be trusted.
fn manifest_or_reason(
    read: Result<Manifest, manifest::Fault>,
    path: &Path,
) -> Result<Result<Option<Manifest>, String>, Trouble> {
    let forbidden = || Trouble { path: path.join(MANIFEST), kind: TroubleKind::Forbidden };
    match read {
        Ok(manifest) => Ok(Ok(Some(manifest))),
        Err(manifest::Fault::Read(error)) if error.kind() == io::ErrorKind::PermissionDenied => Err(forbidden()),
        Err(manifest::Fault::Read(error)) if error.kind() == io::ErrorKind::NotFound && has_no_manifest(path) => {
            Ok(Ok(None))
        }
        Err(fault) => Ok(Err(describe(&fault))),
    }
}

/// Whether it is the backup of a server that writes no manifests: of PostgreSQL 12 or older.
fn has_no_manifest(path: &Path) -> bool {
    let version = small(&path.join("PG_VERSION")).unwrap_or_default();
    let major = version.trim().split('.').next().and_then(|major| major.parse::<u32>().ok());
    major.is_some_and(|major| major < 13)
}

fn describe(fault: &manifest::Fault) -> String {
    match fault {
        manifest::Fault::Read(error) if error.kind() == io::ErrorKind::NotFound => {
            "there is no backup_manifest: it was not finished, or made without one".to_owned()
        }
        manifest::Fault::Read(error) => {
            format!("its backup_manifest cannot be read: {}", common::text::io_error(error))
        }
        manifest::Fault::Foreign => "its backup_manifest is not one that is known".to_owned(),
        manifest::Fault::Truncated => "its backup_manifest ends too early".to_owned(),
        manifest::Fault::Checksum => "its backup_manifest was changed: its own checksum does not fit".to_owned(),
    }
}

/// The files of the backup, compared with the manifest.
struct Files<'a> {
    root: &'a Path,
    /// The sum and the newest of all.
    all: Identity,
    faults: Vec<String>,
    fault_count: u64,
    /// What the check may not look at.
    forbidden: Option<PathBuf>,
}

impl Files<'_> {
    fn fault(&mut self, text: String) {
        self.fault_count += 1;
        if self.faults.len() < MOST_NAMES {
            self.faults.push(text);
        }
    }

    fn compare(&mut self, file: &File) {
        let Some(path) = inside(file) else {
            return self.fault("a path in the manifest leads out of the backup".to_owned());
        };
        match fs::metadata(self.root.join(&path)) {
            Ok(metadata) => {
                let identity = files::identity(&metadata);
                self.all.size = self.all.size.saturating_add(identity.size);
                self.all.ctime = self.all.ctime.max(identity.ctime);
                self.all.files += 1;
                if identity.size != file.size {
                    self.fault(format!("{} has {} bytes instead of {}", path.display(), identity.size, file.size));
                }
            }
            Err(error) => self.failed(path, &error),
        }
    }

    fn failed(&mut self, path: PathBuf, error: &io::Error) {
        if error.kind() == io::ErrorKind::PermissionDenied {
            self.forbidden.get_or_insert(self.root.join(path));
        } else {
            self.fault(format!("{}: {}", path.display(), common::text::io_error(error)));
        }
    }

    /// Of a backup that is tar files, only that they are there and not empty.
    fn compare_tar(&mut self) {
        let entries = fs::read_dir(self.root).into_iter().flatten().flatten();
        let tars: Vec<(String, u64)> = entries
            .filter_map(|entry| Some((entry.file_name().to_string_lossy().into_owned(), entry.metadata().ok()?.len())))
            .filter(|(name, _)| name.contains(".tar"))
            .collect();
        if !tars.iter().any(|(name, _)| name.starts_with("base.tar")) {
            self.fault("neither PG_VERSION nor base.tar is there".to_owned());
        }
        for (name, _) in tars.iter().filter(|(_, size)| *size == 0) {
            self.fault(format!("{name} is empty"));
        }
    }

    /// Compares the checksums of all files.
    fn verify(&mut self, keep_going: &dyn Fn() -> bool) -> Checksums {
        let root = self.root;
        let mut is_over = false;
        let _ = read_manifest(root, |file| {
            if is_over || self.fault_count > 0 {
                return;
            }
            let (Some(path), Some(algorithm), Some(expected)) = (inside(&file), &file.algorithm, &file.checksum) else {
                return;
            };
            match checksum(&root.join(&path), algorithm, keep_going) {
                Ok(Some(actual)) if manifest::from_hex(expected).as_deref() == Some(actual.as_slice()) => {}
                Ok(Some(_)) => self.fault(format!("{} does not fit its checksum", path.display())),
                Ok(None) => is_over = true,
                Err(error) => self.failed(path, &error),
            }
        });
        if is_over { Checksums::TimedOut } else { Checksums::Now }
    }
}

/// The path of a file, if it stays below the backup.
fn inside(file: &File) -> Option<PathBuf> {
    let path = PathBuf::from(OsString::from_vec(file.bytes_of_path()?));
    path.components().all(|part| matches!(part, std::path::Component::Normal(_))).then_some(path)
}

/// The checksum; `None` when time is over.
fn checksum(path: &Path, algorithm: &str, keep_going: &dyn Fn() -> bool) -> io::Result<Option<Vec<u8>>> {
    let mut sum =
        Sum::of(algorithm).ok_or_else(|| io::Error::other(format!("checksums of kind {algorithm} are not known")))?;
    let mut file = file::open(path)?;
    let mut buffer = vec![0; BUFFER];
    loop {
        if !keep_going() {
            return Ok(None);
        }
        match file.read(&mut buffer)? {
            0 => return Ok(Some(sum.finish())),
            count => sum.update(buffer.get(..count).unwrap_or_default()),
        }
    }
}

/// A checksum under way.
enum Sum {
    Crc32c(u32),
    Sha(Box<dyn DynDigest>),
}

impl Sum {
    fn of(algorithm: &str) -> Option<Self> {
        Some(match algorithm {
            "CRC32C" => Self::Crc32c(0),
            "SHA224" => Self::Sha(Box::new(Sha224::default())),
            "SHA256" => Self::Sha(Box::new(Sha256::default())),
            "SHA384" => Self::Sha(Box::new(Sha384::default())),
            "SHA512" => Self::Sha(Box::new(Sha512::default())),
            _ => return None,
        })
    }

    fn update(&mut self, bytes: &[u8]) {
        match self {
            Self::Crc32c(sum) => *sum = crc32c::crc32c_append(*sum, bytes),
            Self::Sha(hash) => hash.update(bytes),
        }
    }

    /// The manifest has the bytes of a CRC as they are in memory.
    fn finish(self) -> Vec<u8> {
        match self {
            Self::Crc32c(sum) => sum.to_le_bytes().to_vec(),
            Self::Sha(hash) => hash.finalize().into_vec(),
        }
    }
}
