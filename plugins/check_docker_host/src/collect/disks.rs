//! Mounted filesystems and block devices.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError};
use std::thread;
use std::time::{Duration, Instant};

use common::deadline::{Deadline, Step};
use common::text::io_error;
use nix::errno::Errno;
use nix::sys::statvfs::statvfs;

use super::root::Root;
use crate::cli::Config;
use crate::parse::{self, MountLine};
use crate::snapshot::{Disk, Fact, Fault, Mount, Mounts, NoUsage, Usage};

/// Types that live on a server or in another process, and hang when that does.
const REMOTE: [&str; 17] = [
    "nfs",
    "nfs4",
    "cifs",
    "smb3",
    "smbfs",
    "ncpfs",
    "afs",
    "ceph",
    "lustre",
    "gfs",
    "gfs2",
    "ocfs2",
    "9p",
    "virtiofs",
    "glusterfs",
    "beegfs",
    "orangefs",
];

/// Types that hold data although no block device is behind them.
const WITHOUT_DEVICE: [&str; 4] = ["btrfs", "zfs", "bcachefs", "ubifs"];

/// Types of images that are full by design.
const FULL_BY_DESIGN: [&str; 5] = ["squashfs", "iso9660", "erofs", "cramfs", "udf"];

/// Below these, engines mount the parts of each container.
const OF_CONTAINERS: [&str; 6] = [
    "/overlay2/",
    "/zfs/graph/",
    "/devicemapper/mnt/",
    "/run/containerd/",
    "/var/lib/containerd/",
    "/var/lib/kubelet/pods/",
];

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Class {
    Local,
    Remote,
    /// Not a filesystem that fills up: kernel interfaces, memory, images, parts of containers.
    Other,
}

fn classify(mount: &MountLine) -> Class {
    let kind = mount.kind.as_str();
    if REMOTE.contains(&kind) || kind == "fuse" || kind.starts_with("fuse.") {
        return Class::Remote;
    }
    let path = mount.path.to_string_lossy();
    // What an engine mounts over files such as /etc/hosts lies in the directory of its container.
    let is_id = |part: &OsStr| part.len() == 64 && part.as_bytes().iter().all(u8::is_ascii_hexdigit);
    let is_given = mount.root.iter().any(is_id);
    if is_given || FULL_BY_DESIGN.contains(&kind) || OF_CONTAINERS.iter().any(|part| path.contains(part)) {
        return Class::Other;
    }
    // Major 0 is for filesystems without a device; fuseblk has one and runs in a process all the same.
    let has_device = !mount.device.starts_with("0:");
    match (has_device, kind) {
        (true, "fuseblk") => Class::Remote,
        (true, _) => Class::Local,
        (false, kind) if WITHOUT_DEVICE.contains(&kind) => Class::Local,
        (false, _) => Class::Other,
    }
}

/// Mounts whose figures are being asked for.
pub struct Pending {
    mounts: Mounts,
    waiting: Vec<Asked>,
}

struct Asked {
    mount: Mount,
    answer: Receiver<Result<Usage, Errno>>,
    until: Instant,
    step: Step,
}

/// Finds the mounts that `config` wants and asks for their figures. What may hang is asked in a thread of its own.
pub fn mounts(config: &Config, root: &Root, deadline: &Deadline) -> Fact<Pending> {
    let (lines, garbled) = parse::mounts(&mountinfo(root)?);
    if lines.is_empty() && garbled > 0 {
        return Err(root.fault("self/mountinfo", "it is garbled".to_owned()));
    }
    let all = lines.iter().map(|line| (line.path.clone(), line.device.clone())).collect();
    let (lines, hidden) = without_hidden(lines);
    let mut mounts = Mounts { all, garbled, gone: hidden, ..Mounts::default() };
    mounts.missing = config
        .required_mounts
        .iter()
        .filter(|name| !lines.iter().any(|line| line.path == Path::new(name)))
        .cloned()
        .collect();
    let mut waiting = Vec::new();
    for (line, class) in choose(config, lines, &mut mounts.untouched) {
        let mount = |usage| Mount {
            path: line.path.clone(),
            kind: line.kind.clone(),
            source: line.source.clone(),
            device: line.device.clone(),
            read_only: line.read_only,
            usage,
        };
        if root.recorded.is_some() {
            mounts.found.push(mount(usage_within(root, &line.path, Duration::ZERO)));
            continue;
        }
        let path = root.host(&line.path);
        if class == Class::Remote {
            let allowed = deadline.budget();
            let unanswered = mount(Err(NoUsage::Silent(allowed)));
            waiting.push(Asked {
                mount: unanswered,
                answer: ask(path.clone()),
                until: Instant::now() + allowed,
                step: deadline.step(format!("statvfs {}", path.display())),
            });
        } else {
            let _step = deadline.step(format!("statvfs {}", path.display()));
            keep(&mut mounts, mount(Err(NoUsage::Failed(String::new()))), usage(&path));
        }
    }
    Ok(Pending { mounts, waiting })
}

/// In a container the host's own mounts are those of its first process.
fn mountinfo(root: &Root) -> Fact<Vec<u8>> {
    if root.procfs != Path::new("/proc")
        && let Ok(text) = root.proc_bytes("1/mountinfo")
    {
        return Ok(text);
    }
    root.proc_bytes("self/mountinfo")
}

/// The mounts that can be reached, and how many cannot: another was mounted on the same directory or on one above.
fn without_hidden(lines: Vec<MountLine>) -> (Vec<MountLine>, usize) {
    let covers = |upper: &MountLine, lower: &MountLine| {
        let is_on_top = upper.parent == lower.id && upper.path == lower.path;
        let is_above = upper.parent == lower.parent && upper.path != lower.path && lower.path.starts_with(&upper.path);
        upper.id != lower.id && (is_on_top || is_above)
    };
    let mut hidden: BTreeSet<u64> =
        lines.iter().filter(|lower| lines.iter().any(|upper| covers(upper, lower))).map(|line| line.id).collect();
    // What is mounted on a hidden mount is hidden too, however deep.
    loop {
        let below = |line: &&MountLine| hidden.contains(&line.parent) && !is_cover(line, &lines);
        let more: Vec<u64> = lines.iter().filter(below).map(|line| line.id).filter(|id| !hidden.contains(id)).collect();
        if more.is_empty() {
            break;
        }
        hidden.extend(more);
    }
    let visible = lines.into_iter().filter(|line| !hidden.contains(&line.id)).collect();
    (visible, hidden.len())
}

/// Whether `line` is what hides the mount that it is mounted on.
fn is_cover(line: &MountLine, lines: &[MountLine]) -> bool {
    lines.iter().any(|lower| lower.id == line.parent && lower.path == line.path)
}

/// The mounts to ask, each device once. Remote ones that are not to be touched are named.
fn choose(config: &Config, lines: Vec<MountLine>, untouched: &mut Vec<String>) -> Vec<(MountLine, Class)> {
    let mut chosen: Vec<(MountLine, Class)> = Vec::new();
    for line in lines {
        let path = line.path.to_string_lossy().into_owned();
        if config.excluded_mounts.iter().any(|glob| glob.matches(&path)) {
            continue;
        }
        let class = classify(&line);
        let is_named = config.mounts.iter().any(|glob| glob.matches(&path));
        let is_wanted = if config.mounts.is_empty() { class != Class::Other } else { is_named };
        if !is_wanted {
            continue;
        }
        if class == Class::Remote && !is_named && !config.options.remote {
            untouched.push(path);
            continue;
        }
        chosen.push((line, class));
    }
    untouched.sort();
    // Of a device that is mounted more than once, the whole before a part of it, then the shortest path.
    chosen.sort_by(|(a, _), (b, _)| {
        let key = |line: &MountLine| (line.root != Path::new("/"), line.path.as_os_str().len(), line.path.clone());
        key(a).cmp(&key(b))
    });
    let mut devices = BTreeSet::new();
    // Bind mounts share a device, and so do the subvolumes of btrfs; datasets of ZFS have one each.
    chosen.retain(|(line, _)| {
        config.required_mounts.iter().any(|name| line.path == Path::new(name)) || devices.insert(line.device.clone())
    });
    chosen.sort_by(|(a, _), (b, _)| a.path.cmp(&b.path));
    chosen
}

fn usage(path: &Path) -> Result<Usage, Errno> {
    let found = statvfs(path)?;
    let block = found.fragment_size();
    let bytes = |blocks: u64| blocks.saturating_mul(block);
    Ok(Usage {
        size: bytes(found.blocks()),
        free: bytes(found.blocks_free()),
        available: bytes(found.blocks_available()),
        inodes: found.files(),
        inodes_free: found.files_free(),
    })
}

/// Asks in a thread that is left behind if the filesystem never answers.
fn ask(path: PathBuf) -> Receiver<Result<Usage, Errno>> {
    let (sender, answer) = mpsc::channel();
    let asking = thread::Builder::new().name("statvfs".to_owned()).stack_size(128 * 1024);
    // Without a thread the channel closes, which reads as no answer.
    let _ = asking.spawn(move || sender.send(usage(&path)));
    answer
}

/// The figures of the filesystem that holds `path` of the host, if they come within `allowed`.
pub fn usage_within(root: &Root, path: &Path, allowed: Duration) -> Result<Usage, NoUsage> {
    if let Some(recorded) = &root.recorded {
        let usage = path.ancestors().find_map(|path| recorded.get(path)).copied();
        return usage.ok_or_else(|| NoUsage::Failed("it was not recorded".to_owned()));
    }
    match ask(root.host(path)).recv_timeout(allowed) {
        Ok(answer) => answer.map_err(|errno| NoUsage::Failed(io_error(&errno.into()))),
        Err(_) => Err(NoUsage::Silent(allowed)),
    }
}

/// Adds `mount` with its figures. One that this user may not look at is counted; it is nobody's fault.
fn keep(mounts: &mut Mounts, mut mount: Mount, usage: Result<Usage, Errno>) {
    match usage {
        Err(Errno::EACCES | Errno::EPERM) => {
            mounts.denied += 1;
            return;
        }
        // It was unmounted a moment ago, or these are the mounts of another place than --rootfs.
        Err(Errno::ENOENT | Errno::ENOTDIR) => {
            mounts.gone += 1;
            return;
        }
        Err(errno) => mount.usage = Err(NoUsage::Failed(io_error(&errno.into()))),
        Ok(usage) => mount.usage = Ok(usage),
    }
    mounts.found.push(mount);
}

impl Pending {
    /// Waits for the answers that are still to come, each as long as it may take.
    pub fn wait(self) -> Mounts {
        let Self { mut mounts, waiting } = self;
        for asked in waiting {
            let left = asked.until.saturating_duration_since(Instant::now());
            match asked.answer.recv_timeout(left) {
                Ok(usage) => keep(&mut mounts, asked.mount, usage),
                Err(RecvTimeoutError::Timeout | RecvTimeoutError::Disconnected) => mounts.found.push(asked.mount),
            }
            drop(asked.step);
        }
        mounts.found.sort_by(|a, b| a.path.cmp(&b.path));
        mounts
    }
}

/// The counters of whole physical devices: partitions, loops and layers on top count the same bytes again.
pub fn counters(root: &Root) -> Fact<BTreeMap<String, Disk>> {
    let devices = root.sysfs.join("block");
    std::fs::read_dir(&devices)
        .map_err(|error| Fault { source: devices.display().to_string(), reason: io_error(&error) })?;
    let mut disks = root.parse("diskstats", parse::disks)?;
    // The kernel writes a slash in a device's name as an exclamation mark here.
    disks.retain(|name, _| devices.join(name.replace('/', "!")).join("device").exists());
    Ok(disks)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(path: &str, kind: &str, device: &str) -> MountLine {
        MountLine {
            id: 2,
            parent: 1,
            device: device.to_owned(),
            root: "/".into(),
            path: path.into(),
            kind: kind.to_owned(),
            source: String::new(),
            read_only: false,
        }
    }

    #[test]
    fn filesystems_are_told_apart_by_type_before_they_are_touched() {
        for (path, kind, device, class) in [
            ("/", "ext4", "254:0", Class::Local),
            ("/data", "xfs", "8:1", Class::Local),
            ("/pool", "zfs", "0:45", Class::Local),
            ("/", "btrfs", "0:21", Class::Local),
            ("/mnt", "nfs4", "0:50", Class::Remote),
            ("/mnt", "fuse.sshfs", "0:51", Class::Remote),
            ("/mnt", "fuseblk", "8:2", Class::Remote),
            ("/run", "tmpfs", "0:23", Class::Other),
            ("/snap/core/1", "squashfs", "7:0", Class::Other),
            ("/var/lib/docker/overlay2/x/merged", "overlay", "0:60", Class::Other),
            ("/run/docker/netns/default", "nsfs", "0:4", Class::Other),
            ("/var/lib/docker/zfs/graph/x", "zfs", "0:61", Class::Other),
            ("/srv/containers/db", "ext4", "8:33", Class::Local),
            ("/proc", "proc", "0:5", Class::Other),
        ] {
            assert_eq!(classify(&line(path, kind, device)), class, "{kind} on {path}");
        }
        let given = MountLine {
            root: format!("/docker/containers/{}/hosts", "3f2a".repeat(16)).into(),
            ..line("/etc/hosts", "ext4", "8:1")
        };
        assert_eq!(classify(&given), Class::Other, "what an engine mounts into a container");
    }

    #[test]
    fn what_another_mount_hides_is_not_seen() {
        let at = |id, parent, path: &str| MountLine { id, parent, ..line(path, "ext4", "8:1") };
        let visible = |lines: &[MountLine]| -> Vec<u64> {
            without_hidden(lines.to_vec()).0.into_iter().map(|line| line.id).collect()
        };
        assert_eq!(visible(&[at(1, 0, "/"), at(2, 1, "/a"), at(3, 2, "/a/b")]), [1, 2, 3]);
        assert_eq!(visible(&[at(1, 0, "/"), at(2, 1, "/"), at(3, 2, "/a")]), [2, 3], "the first root");
        assert_eq!(visible(&[at(1, 0, "/"), at(2, 1, "/a"), at(3, 2, "/a")]), [1, 3], "one on top of the other");
        assert_eq!(visible(&[at(1, 0, "/"), at(2, 1, "/a/b"), at(3, 1, "/a")]), [1, 3], "one above the other");
        assert_eq!(
            visible(&[at(1, 0, "/"), at(2, 1, "/a"), at(3, 2, "/a/b"), at(4, 2, "/a")]),
            [1, 4],
            "with all below"
        );
    }
}
