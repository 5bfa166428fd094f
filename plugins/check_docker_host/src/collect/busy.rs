//! Who keeps a path busy: the guide's use of lsof for a disk that cannot be unmounted.

use std::collections::BTreeMap;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use common::text::io_error;

use super::processes::pids;
use super::root::{Root, read};
use crate::parse::{self, MountLine};
use crate::snapshot::{Busy, Fact, Fault, User};

/// The users of `path`, in this and in every other mount namespace.
pub fn collect(root: &Root, path: &Path) -> Fact<Busy> {
    let fault = |reason| Fault { source: path.display().to_string(), reason };
    let path = std::fs::canonicalize(path).map_err(|error| fault(io_error(&error)))?;
    let own = parse::mounts(&root.proc_bytes("self/mountinfo")?).0;
    let is_mount = own.iter().any(|line| line.path == path);
    let mut busy = Busy { path: path.clone(), is_mount, ..Busy::default() };
    let place = Place::of(&path, &own);
    let mut namespaces = Namespaces { subject: path, place, prefixes: BTreeMap::new() };
    namespaces.prefixes.insert(namespace(&root.procfs.join("self")), vec![namespaces.subject.clone()]);
    let pids = pids(&root.procfs).map_err(|error| fault(io_error(&error)))?;
    for pid in pids.into_iter().filter(|pid| *pid != std::process::id()) {
        let process = root.procfs.join(pid.to_string());
        let prefixes = namespaces.prefixes_of(&process);
        match user(&process, pid, prefixes) {
            Looked::Hidden => busy.hidden += 1,
            Looked::Uses(user) => busy.users.push(user),
            Looked::DoesNotUse => {}
        }
    }
    Ok(busy)
}

/// The name of a process's mount namespace; `None` if hidden, and then paths are taken as our own.
fn namespace(process: &Path) -> Option<PathBuf> {
    std::fs::read_link(process.join("ns/mnt")).ok()
}

/// A file where it really is, which is the same in every mount namespace.
struct Place {
    device: String,
    /// Its path on that device.
    path: PathBuf,
}

impl Place {
    /// The place of `path`, by the mounts of its namespace.
    fn of(path: &Path, mounts: &[MountLine]) -> Option<Self> {
        // Of mounts on one path the last is on top.
        let mount =
            mounts.iter().filter(|line| path.starts_with(&line.path)).max_by_key(|line| line.path.as_os_str().len())?;
        let below = path.strip_prefix(&mount.path).ok()?;
        Some(Self { device: mount.device.clone(), path: mount.root.join(below) })
    }

    /// Where `mount` shows it, or a part of it.
    fn seen_through(&self, mount: &MountLine) -> Option<PathBuf> {
        if mount.device != self.device {
            return None;
        }
        match self.path.strip_prefix(&mount.root) {
            Ok(below) => Some(mount.path.join(below)),
            Err(_) => mount.root.starts_with(&self.path).then(|| mount.path.clone()),
        }
    }
}

/// Where the subject is seen in each mount namespace.
struct Namespaces {
    subject: PathBuf,
    place: Option<Place>,
    prefixes: BTreeMap<Option<PathBuf>, Vec<PathBuf>>,
}

impl Namespaces {
    fn prefixes_of(&mut self, process: &Path) -> &[PathBuf] {
        let (subject, place) = (&self.subject, &self.place);
        self.prefixes.entry(namespace(process)).or_insert_with_key(|namespace| match (namespace, place) {
            // A container can mount the same filesystem elsewhere, and keeps the device busy there. What it calls
            // by the subject's own path is another file.
            (Some(_), Some(place)) => {
                let lines = parse::mounts(&std::fs::read(process.join("mountinfo")).unwrap_or_default()).0;
                lines.iter().filter_map(|line| place.seen_through(line)).collect()
            }
            _ => vec![subject.clone()],
        })
    }
}

enum Looked {
    Hidden,
    Uses(User),
    DoesNotUse,
}

fn user(process: &Path, pid: u32, prefixes: &[PathBuf]) -> Looked {
    let is_below = |path: &Path| prefixes.iter().any(|prefix| path.starts_with(prefix));
    let links_there = |name: &str| std::fs::read_link(process.join(name)).is_ok_and(|path| is_below(&path));
    let files = match std::fs::read_dir(process.join("fd")) {
        Ok(files) => files,
        Err(error) if error.kind() == ErrorKind::PermissionDenied => return Looked::Hidden,
        // It has ended.
        Err(_) => return Looked::DoesNotUse,
    };
    let mut user = User {
        pid,
        works_there: links_there("cwd"),
        is_rooted_there: links_there("root") && prefixes.iter().all(|prefix| prefix != Path::new("/")),
        runs_from_there: links_there("exe"),
        ..User::default()
    };
    for path in files.flatten().filter_map(|file| std::fs::read_link(file.path()).ok()).filter(|path| is_below(path)) {
        user.files += 1;
        user.example.get_or_insert_with(|| path.to_string_lossy().into_owned());
    }
    user.mappings = mappings(process, &is_below);
    if user == (User { pid, ..User::default() }) {
        return Looked::DoesNotUse;
    }
    read(&process.join("comm")).unwrap_or_default().trim_end().clone_into(&mut user.name);
    Looked::Uses(user)
}

/// The number of files that a process has mapped and `is_below` takes.
fn mappings(process: &Path, is_below: &impl Fn(&Path) -> bool) -> usize {
    let text = read(&process.join("maps")).unwrap_or_default();
    // address permissions offset device inode path
    let mut paths: Vec<&str> = text.lines().filter_map(|line| line.find('/').and_then(|at| line.get(at..))).collect();
    paths.sort_unstable();
    paths.dedup();
    paths.into_iter().filter(|path| is_below(Path::new(path))).count()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_is_found_under_every_name() {
        let own = "25 1 254:0 / / rw - ext4 /dev/vda rw\n26 25 7:0 / /mnt rw - ext4 /dev/loop0 rw\n\
                   27 25 7:1 / /mnt rw - ext4 /dev/loop1 rw\n28 25 7:0 /volumes /srv rw - ext4 /dev/loop0 rw\n";
        let own = parse::mounts(own.as_bytes()).0;
        let place = Place::of(Path::new("/srv/db"), &own).unwrap();
        assert_eq!((place.device.as_str(), place.path.as_path()), ("7:0", Path::new("/volumes/db")));
        assert_eq!(Place::of(Path::new("/mnt/x"), &own).unwrap().device, "7:1");
        for (root, seen) in [
            ("/", Some("/data/volumes/db")),
            ("/volumes", Some("/data/db")),
            ("/volumes/db", Some("/data")),
            ("/volumes/db/deep", Some("/data")),
            ("/volumes/dbs", None),
            ("/other", None),
        ] {
            let mounts = parse::mounts(format!("40 1 7:0 {root} /data rw - ext4 /dev/loop0 rw\n").as_bytes()).0;
            assert_eq!(place.seen_through(&mounts[0]).as_deref(), seen.map(Path::new), "{root}");
        }
        let elsewhere = parse::mounts(b"40 1 7:1 /volumes/db /data rw - ext4 /dev/loop1 rw\n").0;
        assert_eq!(place.seen_through(&elsewhere[0]), None);
    }
}
