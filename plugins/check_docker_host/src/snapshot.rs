//! What a run finds, unjudged, and what it keeps for the next one.

use std::collections::BTreeMap;
use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

use common::docker::{EngineError, Info, Reclaimable};
use common::pressure::Stall;
use serde::{Deserialize, Serialize};

/// Something read, or why it could not be.
pub type Fact<T> = Result<T, Fault>;

/// Why something could not be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// What was read: a file, mostly.
    pub source: String,
    /// What went wrong.
    pub reason: String,
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.source, self.reason)
    }
}

/// The findings of one run. A group that was not asked for is `None`.
#[derive(Debug, Default)]
pub struct Snapshot {
    /// Seconds since boot, by the host's own clock.
    pub uptime: Option<Fact<f64>>,
    /// The kernel's name for this boot; empty where it has none.
    pub boot_id: String,
    /// Counters now.
    pub counters: Counters,
    /// Counters a moment before, where no earlier run can be compared with.
    pub first: Option<Counters>,
    /// `/proc/stat`, for what is no counter.
    pub stat: Option<Fact<Stat>>,
    /// `/proc/loadavg`.
    pub load: Option<Fact<Load>>,
    /// `/proc/meminfo`.
    pub memory: Option<Fact<Memory>>,
    /// `/proc/vmstat`.
    pub vmstat: Option<Fact<VmStat>>,
    /// `/proc/pressure`.
    pub pressure: Option<Pressure>,
    /// Mounted filesystems that are to be judged.
    pub mounts: Option<Fact<Mounts>>,
    /// `/proc/diskstats`.
    pub disks: Option<Fact<BTreeMap<String, Disk>>>,
    /// One pass over `/proc`, by the second look where no group needed it before.
    pub processes: Option<Fact<Processes>>,
    /// System-wide limits.
    pub limits: Option<Limits>,
    /// The Docker Engine.
    pub engine: Option<Engine>,
    /// Who uses the path of `--busy`.
    pub busy: Option<Fact<Busy>>,
    /// What was found on a second look.
    pub details: Details,
}

/// Counters of one moment, from which rates are made.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Counters {
    /// Seconds since boot.
    pub uptime: f64,
    /// `/proc/stat`.
    pub cpu: Option<CpuCounters>,
    /// `/proc/vmstat`.
    pub swap: Option<VmStat>,
    /// `/proc/diskstats` by device.
    pub disks: BTreeMap<String, Disk>,
    /// CPU time of each process, in ticks, with the tick at which it started: (PID, start, used).
    pub processes: Vec<(u32, u64, u64)>,
}

/// CPU time in ticks and event counts, all since boot.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct CpuCounters {
    /// Programs, niced ones and guests included.
    pub user: u64,
    /// The kernel, interrupts included.
    pub system: u64,
    /// Idle.
    pub idle: u64,
    /// Idle while I/O was pending. May fall.
    pub iowait: u64,
    /// Given to others by the hypervisor.
    pub steal: u64,
    /// Context switches.
    pub context_switches: u64,
    /// Interrupts.
    pub interrupts: u64,
    /// Processes and threads created.
    pub forks: u64,
}

/// `/proc/stat`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stat {
    /// Its counters.
    pub counters: CpuCounters,
    /// CPU cores that are online, at least 1.
    pub cores: u32,
    /// Threads that run or could.
    pub running: u64,
    /// Threads that wait for I/O.
    pub blocked: u64,
}

/// `/proc/loadavg`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Load {
    /// Over 1, 5 and 15 minutes.
    pub averages: [f64; 3],
    /// Threads that exist.
    pub threads: u64,
}

/// `/proc/meminfo`, in bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Memory {
    /// All.
    pub total: u64,
    /// What programs can still get without swapping, by the kernel's estimate.
    pub available: u64,
    /// Buffers, page cache and reclaimable kernel memory.
    pub cache: u64,
    /// Writes that wait for the disk.
    pub dirty: u64,
    /// Swap space.
    pub swap_total: u64,
    /// Swap space not used.
    pub swap_free: u64,
    /// What ZFS would give back of its cache, which the kernel does not count as available.
    pub zfs_reclaimable: u64,
}

/// The counters of `/proc/vmstat` that the checks use, since boot.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct VmStat {
    /// Pages read from swap.
    pub swapped_in: u64,
    /// Pages written to swap.
    pub swapped_out: u64,
    /// Processes killed for lack of memory; `None` before Linux 4.13.
    pub oom_kills: Option<u64>,
}

/// Pressure stall information; `None` where the kernel has none.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Pressure {
    /// `/proc/pressure/cpu`.
    pub cpu: Option<Fact<Stall>>,
    /// `/proc/pressure/memory`.
    pub memory: Option<Fact<Stall>>,
    /// `/proc/pressure/io`.
    pub io: Option<Fact<Stall>>,
}

/// The mounts that are to be judged.
#[derive(Clone, Debug, Default)]
pub struct Mounts {
    /// Those that are judged.
    pub found: Vec<Mount>,
    /// Path and device of every mount, judged or not.
    pub all: Vec<(PathBuf, String)>,
    /// Lines of mountinfo that could not be read.
    pub garbled: usize,
    /// Network and FUSE mounts that were not touched.
    pub untouched: Vec<String>,
    /// Mounts that this user may not look at.
    pub denied: usize,
    /// Mounts that went away while they were looked at, or lie below another.
    pub gone: usize,
    /// Mounts named literally by `--mount` that are not mounted.
    pub missing: Vec<String>,
}

/// A mounted filesystem.
#[derive(Clone, Debug)]
pub struct Mount {
    /// Where it is mounted.
    pub path: PathBuf,
    /// Its type, `ext4`.
    pub kind: String,
    /// What is mounted, `/dev/vda1`.
    pub source: String,
    /// Its device, `254:1`.
    pub device: String,
    /// Whether it, or this mount of it, is read-only.
    pub read_only: bool,
    /// Its figures.
    pub usage: Result<Usage, NoUsage>,
}

/// Why a mount has no figures.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NoUsage {
    /// It did not answer in this time.
    Silent(Duration),
    /// The kernel said no.
    Failed(String),
}

/// The figures of a filesystem, in bytes and inodes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Usage {
    /// Size.
    pub size: u64,
    /// Free, the reserve of root included.
    pub free: u64,
    /// Free for unprivileged users.
    pub available: u64,
    /// Inodes; 0 where the filesystem has no fixed number.
    pub inodes: u64,
    /// Inodes not used.
    pub inodes_free: u64,
}

impl Usage {
    /// Bytes used.
    pub const fn used(&self) -> u64 {
        self.size.saturating_sub(self.free)
    }
}

/// One line of `/proc/diskstats`: requests, sectors of 512 bytes and milliseconds since boot.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Disk {
    /// Reads completed.
    pub reads: u64,
    /// Sectors read.
    pub sectors_read: u64,
    /// Time of all reads.
    pub read_ms: u64,
    /// Writes completed.
    pub writes: u64,
    /// Sectors written.
    pub sectors_written: u64,
    /// Time of all writes.
    pub write_ms: u64,
    /// Time in which the device had work.
    pub busy_ms: u64,
}

/// All processes of the host.
#[derive(Clone, Debug, Default)]
pub struct Processes {
    /// Those that could be read, by PID.
    pub list: Vec<Process>,
    /// Those whose entry could not be read although they were there.
    pub unreadable: usize,
    /// Those whose number of open files is hidden from this user.
    pub files_hidden: usize,
    /// Ticks a second, the unit of process times.
    pub ticks_per_second: u64,
    /// Bytes a page, the unit of resident memory.
    pub page_size: u64,
}

/// One process.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Process {
    /// Process ID.
    pub pid: u32,
    /// Parent's process ID.
    pub parent: u32,
    /// Name, at most 15 bytes, not its arguments.
    pub name: String,
    /// `R`, `S`, `D`, `Z` and so on.
    pub state: char,
    /// Start, in ticks after boot.
    pub start: u64,
    /// CPU time used, in ticks.
    pub cpu: u64,
    /// Resident memory, in pages.
    pub resident: u64,
    /// Open files; `None` if hidden or not asked for.
    pub files: Option<u64>,
    /// Soft limit of open files; `None` if unlimited, hidden or not asked for.
    pub files_limit: Option<u64>,
}

/// System-wide limits and what is used of them.
#[derive(Clone, Debug)]
pub struct Limits {
    /// `/proc/sys/fs/file-nr`: open handles and their maximum.
    pub files: Fact<(u64, u64)>,
    /// Connection tracking: entries and their maximum; `None` where it is not loaded.
    pub conntrack: Option<Fact<(u64, u64)>>,
    /// The smaller of `pid_max` and `threads-max`.
    pub threads: Fact<u64>,
}

/// What the Docker Engine says.
#[derive(Debug)]
pub struct Engine {
    /// How long it took to answer a ping, or why it did not.
    pub ping: Result<Duration, EngineError>,
    /// Its `/info`, or why there is none.
    pub info: Option<Result<Info, EngineError>>,
    /// Its data root and the figures of the filesystem that holds it.
    pub root: Option<(String, Result<Usage, NoUsage>)>,
}

/// Who uses a path.
#[derive(Clone, Debug, Default)]
pub struct Busy {
    /// The path, with symbolic links resolved.
    pub path: PathBuf,
    /// Whether a filesystem is mounted on it.
    pub is_mount: bool,
    /// The processes that use it.
    pub users: Vec<User>,
    /// Processes that this user may not look into.
    pub hidden: usize,
}

/// One user of a path.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct User {
    /// Process ID.
    pub pid: u32,
    /// Process name.
    pub name: String,
    /// Number of open files below the path.
    pub files: usize,
    /// One of them.
    pub example: Option<String>,
    /// Number of files below the path that are mapped into memory.
    pub mappings: usize,
    /// Working directory below the path.
    pub works_there: bool,
    /// Root directory below the path.
    pub is_rooted_there: bool,
    /// Program file below the path.
    pub runs_from_there: bool,
}

/// What a second look found, for the processes and mounts that the first verdict points at.
#[derive(Debug, Default)]
pub struct Details {
    /// Container ID by PID, for the processes that are named.
    pub containers: BTreeMap<u32, String>,
    /// Container name by ID.
    pub names: BTreeMap<String, String>,
    /// Arguments by PID, where asked for.
    pub arguments: BTreeMap<u32, String>,
    /// Swap used by PID, in bytes.
    pub swap: BTreeMap<u32, u64>,
    /// Deleted files that are still open: bytes by device (`254:1`) and PID.
    pub deleted: BTreeMap<String, BTreeMap<u32, u64>>,
    /// The largest container logs: bytes by container ID.
    pub logs: Vec<(String, u64)>,
    /// What pruning would free, or why that is not known.
    pub reclaimable: Option<Result<Reclaimable, String>>,
}

/// What is kept for the next run.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Kept {
    /// The boot to which the counters belong.
    pub boot_id: String,
    /// The counters.
    pub counters: Counters,
    /// When each zombie was first seen as one, in seconds since boot: (PID, start, seen).
    pub zombies: Vec<(u32, u64, f64)>,
    /// Mounts that were writable when they were last so, in this boot.
    pub writable: Vec<String>,
    /// Space used over time by mount: (seconds since 1970, bytes).
    pub history: BTreeMap<String, Vec<(u64, u64)>>,
    /// What the engine said of itself and does not change while it runs.
    pub docker_root: Option<String>,
    /// Kills for lack of memory of the last hour: (seconds since 1970, count).
    pub kills: Vec<(u64, u64)>,
}
