//! What a run leaves for the next one: one small file per plugin and target.
//!
//! Losing it costs a baseline and never a verdict, so no fault here is an error. Each becomes a note.

use std::fs::File;
use std::io::{self, Read as _, Write as _};
use std::os::fd::OwnedFd;
use std::os::unix::fs::{DirBuilderExt as _, MetadataExt as _};
use std::path::{Path, PathBuf};

use nix::errno::Errno;
use nix::fcntl::{OFlag, open, openat, renameat};
use nix::sys::stat::Mode;
use nix::unistd::{AccessFlags, UnlinkatFlags, faccessat, geteuid, unlinkat};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::clock::Clock;

/// Where packages keep the samples.
pub const PACKAGED_DIR: &str = "/var/lib/monitoring-plugins-sirenia";
const DIR_NAME: &str = "monitoring-plugins-sirenia";
/// Version of the envelope around a plugin's data.
const FORMAT: u32 = 1;
/// A file larger than this is not ours.
const MAX_BYTES: u64 = 16 << 20;
/// A clock may be corrected by this many seconds before a file counts as written in the future.
const CLOCK_SLACK: f64 = 60.0;

/// What the previous run left.
#[derive(Clone, Debug)]
pub struct Previous<K> {
    /// The plugin's own data.
    pub data: K,
    /// When that run began.
    pub at: Clock,
}

impl<K> Previous<K> {
    /// Seconds from that run to `now`; `None` across a reboot.
    pub fn elapsed(&self, now: &Clock) -> Option<f64> {
        now.since(&self.at)
    }
}

/// The place of one plugin's samples of one target.
#[derive(Debug, Default)]
pub struct Store {
    place: Option<Place>,
    notes: Vec<String>,
}

#[derive(Debug)]
struct Place {
    directory: OwnedFd,
    path: PathBuf,
    file: String,
    target: String,
    /// Held for the whole run; `None` if another run holds it, and then this one does not write.
    lock: Option<File>,
}

#[derive(Serialize, Deserialize)]
struct Envelope<K> {
    format: u32,
    version: u32,
    target: String,
    at: Clock,
    data: K,
}

/// Only what tells whether the rest can be read.
#[derive(Deserialize)]
struct Head {
    format: u32,
    version: u32,
    target: String,
    at: Clock,
}

impl Store {
    /// The first usable directory: `chosen` alone if given, else `$STATE_DIRECTORY`, the packaged one, the user's own.
    pub fn open(chosen: Option<&Path>, plugin: &str, target: &str) -> Self {
        let mut store = Self::default();
        let candidates = match chosen {
            Some(path) => vec![(path.to_owned(), true)],
            None => default_directories(),
        };
        for (path, create) in candidates {
            match Place::open(&path, create, plugin, target) {
                Ok(place) => {
                    // That an earlier candidate was not there is nobody's concern now.
                    store.notes.clear();
                    if place.lock.is_none() {
                        store.notes.push("another run is under way, so this one stores nothing".to_owned());
                    }
                    store.place = Some(place);
                    return store;
                }
                Err(reason) => store.notes.push(format!("samples cannot be kept in {}: {reason}", path.display())),
            }
        }
        store
    }

    /// What the previous run left, if it can be used. `version` is that of the plugin's data.
    pub fn read<K: DeserializeOwned>(&mut self, version: u32, now: &Clock) -> Option<Previous<K>> {
        let place = self.place.as_ref()?;
        match place.read(version, now) {
            Ok(previous) => previous,
            Err(reason) => {
                let aside = if place.lock.is_some() { place.set_aside() } else { "left" };
                self.notes.push(format!("the sample in {} was {aside}: {reason}", place.path.display()));
                None
            }
        }
    }

    /// Leaves `data` for the next run, unless another run is at it.
    pub fn write<K: Serialize>(&mut self, version: u32, now: &Clock, data: &K) {
        let Some(place) = self.place.as_ref().filter(|place| place.lock.is_some()) else { return };
        if let Err(error) = place.write(version, now, data) {
            self.notes.push(format!("the sample in {} was not written: {error}", place.path.display()));
        }
    }

    /// Whether samples are kept at all.
    pub const fn is_usable(&self) -> bool {
        self.place.is_some()
    }

    /// What went wrong, one sentence each.
    pub fn notes(&self) -> &[String] {
        &self.notes
    }

    /// The file that holds the samples.
    pub fn path(&self) -> Option<PathBuf> {
        self.place.as_ref().map(|place| place.path.clone())
    }
}

/// The directories to try, in order, and whether each may be created.
fn default_directories() -> Vec<(PathBuf, bool)> {
    let variable = |name: &str| std::env::var_os(name).filter(|value| !value.is_empty());
    let mut candidates = Vec::new();
    // systemd gives a list; the first is ours.
    if let Some(list) = variable("STATE_DIRECTORY")
        && let Some(first) = std::env::split_paths(&list).next().filter(|path| path.is_absolute())
    {
        candidates.push((first, true));
    }
    // Made by the package for the monitoring user; made by anybody else it would belong to the wrong one.
    candidates.push((PathBuf::from(PACKAGED_DIR), false));
    let home = variable("XDG_STATE_HOME")
        .map(PathBuf::from)
        .or_else(|| variable("HOME").map(|home| PathBuf::from(home).join(".local/state")))
        .filter(|path| path.is_absolute());
    candidates.extend(home.map(|path| (path.join(DIR_NAME), true)));
    candidates
}

impl Place {
    fn open(path: &Path, create: bool, plugin: &str, target: &str) -> Result<Self, String> {
        if create {
            // An existing directory is no error; one that cannot be made shows when it is opened.
            let _ = std::fs::DirBuilder::new().recursive(true).mode(0o700).create(path);
        }
        let flags = OFlag::O_DIRECTORY | OFlag::O_NOFOLLOW | OFlag::O_CLOEXEC;
        let directory = open(path, flags, Mode::empty()).map_err(|errno| match errno {
            Errno::ELOOP | Errno::ENOTDIR if path.is_symlink() => "it is a symbolic link".to_owned(),
            errno => describe(&errno.into()),
        })?;
        let directory = File::from(directory);
        let mode = directory.metadata().map_err(|error| describe(&error))?.mode();
        // In a world-writable directory only the sticky bit keeps others from replacing our file.
        if mode & 0o002 != 0 && mode & 0o1000 == 0 {
            return Err("everybody can write to it and it has no sticky bit".to_owned());
        }
        faccessat(&directory, ".", AccessFlags::W_OK | AccessFlags::X_OK, nix::fcntl::AtFlags::AT_EACCESS)
            .map_err(|errno| describe(&errno.into()))?;
        let user = geteuid();
        // By user, so that an operator's run does not take the file from the monitoring user.
        let file = format!("{plugin}-{:016x}-{user}.json", fnv1a(target.as_bytes()));
        let directory = OwnedFd::from(directory);
        let lock = Self::lock(&directory, &format!("{file}.lock"))?;
        Ok(Self { path: path.join(&file), directory, file, target: target.to_owned(), lock })
    }

    fn lock(directory: &OwnedFd, name: &str) -> Result<Option<File>, String> {
        let file = open_file(directory, name, OFlag::O_RDWR | OFlag::O_CREAT).map_err(|error| describe(&error))?;
        match file.try_lock() {
            Ok(()) => Ok(Some(file)),
            Err(std::fs::TryLockError::WouldBlock) => Ok(None),
            Err(std::fs::TryLockError::Error(error)) => Err(describe(&error)),
        }
    }

    fn read<K: DeserializeOwned>(&self, version: u32, now: &Clock) -> Result<Option<Previous<K>>, String> {
        let file = match open_file(&self.directory, &self.file, OFlag::O_RDONLY) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(describe(&error)),
        };
        let length = file.metadata().map_err(|error| describe(&error))?.len();
        if length > MAX_BYTES {
            return Err(format!("it has {length} bytes"));
        }
        let mut text = Vec::with_capacity(usize::try_from(length).unwrap_or(0) + 1);
        file.take(MAX_BYTES).read_to_end(&mut text).map_err(|error| describe(&error))?;
        let head: Head = serde_json::from_slice(&text).map_err(|error| format!("it is damaged ({error})"))?;
        if (head.format, head.version) != (FORMAT, version) {
            return Err("it was written by another version".to_owned());
        }
        if head.target != self.target {
            return Err(format!("it belongs to another target, {}", head.target));
        }
        if head.at.wall > now.wall + CLOCK_SLACK {
            return Err("it was written in the future, the clock went back".to_owned());
        }
        let envelope: Envelope<K> =
            serde_json::from_slice(&text).map_err(|error| format!("it is damaged ({error})"))?;
        Ok(Some(Previous { data: envelope.data, at: envelope.at }))
    }

    fn write<K: Serialize>(&self, version: u32, now: &Clock, data: &K) -> io::Result<()> {
        let target = self.target.clone();
        let envelope = Envelope { format: FORMAT, version, target, at: now.clone(), data };
        let text = serde_json::to_vec(&envelope)?;
        let temporary = format!("{}.tmp", self.file);
        // Only the holder of the lock writes, so a file of that name was left by a run that was killed.
        let _ = unlinkat(&self.directory, temporary.as_str(), UnlinkatFlags::NoRemoveDir);
        let mut file = open_file(&self.directory, &temporary, OFlag::O_WRONLY | OFlag::O_CREAT | OFlag::O_EXCL)?;
        let written = file.write_all(&text).and_then(|()| {
            renameat(&self.directory, temporary.as_str(), &self.directory, self.file.as_str()).map_err(io::Error::from)
        });
        if written.is_err() {
            let _ = unlinkat(&self.directory, temporary.as_str(), UnlinkatFlags::NoRemoveDir);
        }
        written
    }

    /// Keeps a file that cannot be used for whoever wants to know why. Says what became of it.
    fn set_aside(&self) -> &'static str {
        let aside = format!("{}.bad", self.file);
        match renameat(&self.directory, self.file.as_str(), &self.directory, aside.as_str()) {
            Ok(()) => "set aside (.bad)",
            Err(_) => "ignored",
        }
    }
}

/// Opens a file of ours in `directory`: never through a symbolic link, never another user's, never a device or pipe.
fn open_file(directory: &OwnedFd, name: &str, flags: OFlag) -> io::Result<File> {
    let flags = flags | OFlag::O_NOFOLLOW | OFlag::O_CLOEXEC | OFlag::O_NONBLOCK;
    let file = openat(directory, name, flags, Mode::S_IRUSR | Mode::S_IWUSR).map_err(|errno| match errno {
        Errno::ELOOP => io::Error::other("it is a symbolic link"),
        errno => errno.into(),
    })?;
    let file = File::from(file);
    let metadata = file.metadata()?;
    if !metadata.is_file() {
        return Err(io::Error::other("it is not a regular file"));
    }
    if metadata.uid() != geteuid().as_raw() {
        return Err(io::Error::other(format!("it belongs to user {}", metadata.uid())));
    }
    Ok(file)
}

/// An error in the words of the operating system, without its number.
fn describe(error: &io::Error) -> String {
    crate::text::io_error(error)
}

/// FNV-1a, 64 bits: a short file name for any target. The target itself stands in the file.
fn fnv1a(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3))
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::{PermissionsExt as _, symlink};

    use super::*;

    const VERSION: u32 = 3;

    fn at(wall: f64) -> Clock {
        Clock { wall, boot: wall - 1000.0, boot_id: "boot".to_owned() }
    }

    fn open_in(directory: &Path) -> Store {
        Store::open(Some(directory), "check_x", "target")
    }

    fn write(directory: &Path, wall: f64, value: u32) {
        let mut store = open_in(directory);
        store.write(VERSION, &at(wall), &value);
        assert_eq!(store.notes(), [""; 0]);
    }

    fn read(directory: &Path, wall: f64) -> (Option<u32>, String) {
        let mut store = open_in(directory);
        let value = store.read::<u32>(VERSION, &at(wall)).map(|previous| previous.data);
        (value, store.notes().join("; "))
    }

    fn file_in(directory: &Path) -> PathBuf {
        open_in(directory).path().unwrap()
    }

    #[test]
    fn what_one_run_leaves_the_next_one_finds() {
        let dir = tempfile::tempdir().unwrap();
        assert_eq!(read(dir.path(), 2000.0), (None, String::new()));
        write(dir.path(), 2000.0, 7);
        let previous = open_in(dir.path()).read::<u32>(VERSION, &at(2060.0)).unwrap();
        assert_eq!((previous.data, previous.elapsed(&at(2060.0))), (7, Some(60.0)));
        assert_eq!(std::fs::metadata(file_in(dir.path())).unwrap().permissions().mode() & 0o777, 0o600);
    }

    #[test]
    fn each_target_and_version_has_its_own() {
        let dir = tempfile::tempdir().unwrap();
        write(dir.path(), 2000.0, 7);
        let mut other = Store::open(Some(dir.path()), "check_x", "other");
        assert!(other.read::<u32>(VERSION, &at(2001.0)).is_none());
        let mut newer = open_in(dir.path());
        assert!(newer.read::<u32>(VERSION + 1, &at(2001.0)).is_none());
        assert!(newer.notes()[0].contains("another version"), "{:?}", newer.notes());
    }

    #[test]
    fn a_damaged_file_is_set_aside_and_replaced() {
        let dir = tempfile::tempdir().unwrap();
        for damage in [&b"{\"format\":1"[..], b"", b"\0\0\0", b"[]", b"{\"format\":1,\"version\":3,\"target\":\"target\",\"at\":{\"wall\":1,\"boot\":1,\"boot_id\":\"\"},\"data\":\"seven\"}"] {
            std::fs::write(file_in(dir.path()), damage).unwrap();
            let (value, notes) = read(dir.path(), 2000.0);
            assert!(value.is_none() && notes.contains("set aside (.bad): it is damaged"), "{notes}");
            assert_eq!(std::fs::read(file_in(dir.path()).with_extension("json.bad")).unwrap(), damage);
            write(dir.path(), 2000.0, 8);
            assert_eq!(read(dir.path(), 2001.0), (Some(8), String::new()));
        }
    }

    #[test]
    fn a_file_of_the_future_is_set_aside() {
        let dir = tempfile::tempdir().unwrap();
        write(dir.path(), 5000.0, 7);
        assert_eq!(read(dir.path(), 4990.0).0, Some(7), "a small correction of the clock");
        let (value, notes) = read(dir.path(), 2000.0);
        assert!(value.is_none() && notes.contains("the clock went back"), "{notes}");
    }

    #[test]
    fn a_reboot_keeps_the_data_and_has_no_elapsed_time() {
        let dir = tempfile::tempdir().unwrap();
        write(dir.path(), 2000.0, 7);
        let after = Clock { boot: 5.0, boot_id: "other".to_owned(), ..at(2060.0) };
        let previous = open_in(dir.path()).read::<u32>(VERSION, &after).unwrap();
        assert_eq!((previous.data, previous.elapsed(&after)), (7, None));
    }

    #[test]
    fn nothing_is_read_or_written_through_a_symbolic_link() {
        let dir = tempfile::tempdir().unwrap();
        let victim = dir.path().join("victim");
        std::fs::write(&victim, "untouched").unwrap();
        let inner = dir.path().join("inner");
        std::fs::create_dir(&inner).unwrap();
        symlink(&victim, file_in(&inner)).unwrap();
        let (value, notes) = read(&inner, 2000.0);
        assert!(value.is_none() && notes.contains("symbolic link"), "{notes}");
        write(&inner, 2000.0, 7);
        assert_eq!(std::fs::read_to_string(&victim).unwrap(), "untouched");

        let link = dir.path().join("link");
        symlink(&inner, &link).unwrap();
        let store = open_in(&link);
        assert!(!store.is_usable() && store.notes()[0].contains("symbolic link"), "{:?}", store.notes());
    }

    #[test]
    fn a_world_writable_directory_needs_the_sticky_bit() {
        let dir = tempfile::tempdir().unwrap();
        let mode = |mode| std::fs::set_permissions(dir.path(), std::fs::Permissions::from_mode(mode)).unwrap();
        mode(0o777);
        let store = open_in(dir.path());
        assert!(!store.is_usable() && store.notes()[0].contains("sticky"), "{:?}", store.notes());
        mode(0o1777);
        assert!(open_in(dir.path()).is_usable());
    }

    #[test]
    fn nowhere_to_write_is_a_first_run_each_time() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("file");
        std::fs::write(&file, "").unwrap();
        let mut store = open_in(&file.join("below"));
        store.write(VERSION, &at(1.0), &7u32);
        assert!(store.read::<u32>(VERSION, &at(2.0)).is_none());
        assert!(!store.is_usable() && store.notes()[0].contains("cannot be kept"), "{:?}", store.notes());
    }

    #[test]
    fn the_loser_of_the_lock_reads_and_does_not_write() {
        let dir = tempfile::tempdir().unwrap();
        write(dir.path(), 2000.0, 7);
        let mut winner = open_in(dir.path());
        let mut loser = open_in(dir.path());
        assert_eq!(loser.read::<u32>(VERSION, &at(2001.0)).unwrap().data, 7);
        loser.write(VERSION, &at(2001.0), &8u32);
        assert!(loser.notes()[0].contains("another run"), "{:?}", loser.notes());
        winner.write(VERSION, &at(2002.0), &9u32);
        drop(winner);
        assert_eq!(read(dir.path(), 2003.0), (Some(9), String::new()));
    }

    #[test]
    fn a_pipe_in_place_of_the_file_does_not_hang() {
        let dir = tempfile::tempdir().unwrap();
        nix::unistd::mkfifo(&file_in(dir.path()), Mode::S_IRWXU).unwrap();
        let (value, notes) = read(dir.path(), 2000.0);
        assert!(value.is_none() && notes.contains("not a regular file"), "{notes}");
    }
}
