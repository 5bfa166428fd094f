//! Figures from the cgroup of a container on this machine.

use std::fs::File;
use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use common::clock::since_boot;
use common::docker::Container;
use common::number::float;
use common::pressure::{self, Stall};

use crate::cli::Arguments;
use crate::parse::cgroup::{self, Place};
use crate::snapshot::{Counters, Figures, Network, Pressure, Source};

/// No file of a cgroup that is read here is longer; one that is was put there by somebody else.
const MAX_BYTES: u64 = 1 << 20;

/// This machine, as far as containers share it.
#[derive(Debug)]
pub struct Host {
    procfs: PathBuf,
    sysfs: PathBuf,
    cores: OnceLock<Option<u32>>,
}

impl Host {
    /// The machine whose filesystems the options name.
    pub fn new(options: &Arguments) -> Self {
        Self { procfs: options.procfs.clone(), sysfs: options.sysfs.clone(), cores: OnceLock::new() }
    }

    /// All memory in bytes.
    pub fn memory(&self) -> Option<u64> {
        let text = read(&self.procfs.join("meminfo"))?;
        let kib: u64 =
            text.lines().find_map(|line| line.strip_prefix("MemTotal:"))?.trim().strip_suffix(" kB")?.parse().ok()?;
        Some(kib.saturating_mul(1024))
    }

    /// Cores that are online.
    fn cores(&self) -> Option<u32> {
        let online = || cgroup::cores(&read(&self.sysfs.join("devices/system/cpu/online"))?);
        *self.cores.get_or_init(online)
    }
}

/// The figures of container `id`, whose first process is `pid`; `None` if that is not a process of this machine.
pub fn figures(host: &Host, pid: u32, id: &str, details: &Container) -> Option<Figures> {
    let process = host.procfs.join(pid.to_string());
    let place = cgroup::place(&read(&process.join("cgroup"))?, id);
    let root = host.sysfs.join("fs/cgroup");
    let mut figures = match place {
        Place::V2(path) => v2(&below(&root, &path))?,
        Place::V1(places) => v1(&Controllers { root, places })?,
        Place::Elsewhere => return None,
    };
    figures.counters.network = network(&process, details);
    figures.cores =
        smallest(figures.cores, details.host_config.cpuset_cpus.as_deref().and_then(cgroup::cores).map(f64::from));
    figures.cores = smallest(figures.cores, host.cores().map(f64::from));
    Some(figures)
}

/// What the container's interfaces did; with the host's network they are not its own.
fn network(process: &Path, details: &Container) -> Option<Network> {
    let is_own = details.host_config.network_mode.as_deref() != Some("host");
    is_own.then(|| cgroup::network(&read(&process.join("net/dev"))?)).flatten()
}

/// Where the hierarchy of version 2 is mounted beside those of version 1.
const UNIFIED: &str = "unified";

/// The hierarchies of version 1 in which the container has a group.
struct Controllers {
    root: PathBuf,
    places: Vec<(String, String)>,
}

impl Controllers {
    /// Its group in the hierarchy of version 2, which knows the pressure.
    fn unified(&self) -> Option<PathBuf> {
        let (_, path) = self.places.iter().find(|(names, _)| names.is_empty())?;
        Some(below(&self.root.join(UNIFIED), path))
    }

    /// File `name` of `controller`.
    fn read(&self, controller: &str, name: &str) -> Option<String> {
        let (controllers, path) =
            self.places.iter().find(|(names, _)| names.split(',').any(|each| each == controller))?;
        // Mounted under all the names of the hierarchy, and mostly linked under each of them.
        let mounts = [controllers.as_str(), controller];
        mounts.iter().find_map(|mount| read(&below(&self.root.join(mount), path).join(name)))
    }
}

fn v1(controllers: &Controllers) -> Option<Figures> {
    let at = since_boot();
    let number = |controller, name| controllers.read(controller, name).as_deref().and_then(cgroup::number);
    let field = |text: &Option<String>, name| text.as_deref().and_then(|text| cgroup::field(text, name));
    let cpu = number("cpuacct", "cpuacct.usage");
    let usage = number("memory", "memory.usage_in_bytes");
    if cpu.is_none() && usage.is_none() {
        return None;
    }
    let throttling = controllers.read("cpu", "cpu.stat");
    let memory = controllers.read("memory", "memory.stat");
    let oom = controllers.read("memory", "memory.oom_control");
    let quota = number("cpu", "cpu.cfs_quota_us").zip(number("cpu", "cpu.cfs_period_us"));
    Some(Figures {
        source: Source::CgroupV1,
        counters: Counters {
            at,
            cpu,
            periods: field(&throttling, "nr_periods"),
            throttled: field(&throttling, "nr_throttled"),
            oom_kills: field(&oom, "oom_kill"),
            io: controllers
                .read("blkio", "blkio.throttle.io_service_bytes_recursive")
                .as_deref()
                .and_then(cgroup::blkio),
            network: None,
        },
        memory: used(usage, field(&memory, "total_inactive_file")),
        memory_limit: controllers.read("memory", "memory.limit_in_bytes").as_deref().and_then(cgroup::limit),
        // Only with swap accounting is it told apart.
        swap: number("memory", "memory.memsw.usage_in_bytes").and(field(&memory, "total_swap")),
        cores: quota.and_then(cores),
        pids: number("pids", "pids.current"),
        pids_limit: number("pids", "pids.max"),
        pressure: controllers.unified().map_or_else(Pressure::default, |group| pressure(&group)),
    })
}

fn v2(group: &Path) -> Option<Figures> {
    let at = since_boot();
    let text = |name: &str| read(&group.join(name));
    let number = |name: &str| text(name).as_deref().and_then(cgroup::number);
    let field = |text: &Option<String>, name| text.as_deref().and_then(|text| cgroup::field(text, name));
    let cpu = text("cpu.stat");
    let usage = number("memory.current");
    if cpu.is_none() && usage.is_none() {
        return None;
    }
    Some(Figures {
        source: Source::CgroupV2,
        pressure: pressure(group),
        counters: Counters {
            at,
            cpu: field(&cpu, "usage_usec").map(|micros| micros.saturating_mul(1000)),
            periods: field(&cpu, "nr_periods"),
            throttled: field(&cpu, "nr_throttled"),
            oom_kills: field(&text("memory.events"), "oom_kill"),
            io: text("io.stat").as_deref().map(cgroup::io_stat),
            network: None,
        },
        memory: used(usage, field(&text("memory.stat"), "inactive_file")),
        memory_limit: text("memory.max").as_deref().and_then(cgroup::limit),
        swap: number("memory.swap.current"),
        cores: smallest(
            text("cpu.max").as_deref().and_then(cgroup::cpu_max).and_then(cores),
            text("cpuset.cpus.effective").as_deref().and_then(cgroup::cores).map(f64::from),
        ),
        pids: number("pids.current"),
        pids_limit: number("pids.max"),
    })
}

/// The pressure in a group of version 2. A kernel that does not measure it has no such files, or refuses to read them.
fn pressure(group: &Path) -> Pressure {
    let stall = |name: &str| -> Option<Stall> { pressure::parse(&read(&group.join(name))?).ok() };
    Pressure { cpu: stall("cpu.pressure"), memory: stall("memory.pressure"), io: stall("io.pressure") }
}

/// Memory used without the page cache that can be dropped, which is taken off only where it is a part.
fn used(usage: Option<u64>, dispensable: Option<u64>) -> Option<u64> {
    usage.map(|usage| usage.checked_sub(dispensable.unwrap_or(0)).unwrap_or(usage))
}

/// Cores of a quota and its period, in microseconds.
fn cores((quota, period): (u64, u64)) -> Option<f64> {
    (period > 0 && quota > 0).then(|| float(quota) / float(period))
}

/// The smaller of two limits, each of which may be none.
fn smallest(a: Option<f64>, b: Option<f64>) -> Option<f64> {
    match (a, b) {
        (Some(a), Some(b)) => Some(a.min(b)),
        (a, b) => a.or(b),
    }
}

/// `path`, which begins with a slash, below `root`.
fn below(root: &Path, path: &str) -> PathBuf {
    root.join(path.trim_start_matches('/'))
}

/// The text of a file; `None` if it cannot be read, as it is with one that this kernel does not have.
fn read(path: &Path) -> Option<String> {
    // Most files fit; without room to begin with, each read doubles what the last one asked for.
    let mut bytes = Vec::with_capacity(4 << 10);
    File::open(path).ok()?.take(MAX_BYTES).read_to_end(&mut bytes).ok()?;
    Some(String::from_utf8_lossy(&bytes).into_owned())
}
