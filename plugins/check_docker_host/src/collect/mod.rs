//! All the I/O of the plugin, and no verdict.

pub mod busy;
pub mod details;
mod disks;
mod engine;
mod processes;
mod root;

use std::path::Path;
use std::thread;
use std::time::Instant;

use common::deadline::Deadline;

use self::root::Root;
use crate::cli::{Config, Group};
use crate::evaluate::Subjects;
use crate::parse;
use crate::snapshot::{Counters, Fact, Fault, Kept, Limits, Pressure, Snapshot};

/// An earlier run closer than this tells nothing of the CPU, whose time is counted in hundredths of a second.
const SHORTEST_BETWEEN_RUNS: f64 = 0.2;

/// Looks at everything that `config` asks for.
pub fn collect(config: &Config, previous: Option<&Kept>, deadline: &Deadline) -> Result<Snapshot, Fault> {
    let root = Root::new(&config.options, deadline)?;
    if let Some(path) = &config.options.busy {
        return Ok(users_of(config, &root, path, deadline));
    }
    root.check_procfs()?;
    thread::scope(|scope| {
        // What waits for others goes beside the rest.
        let engine =
            config.wants(Group::Docker).then(|| scope.spawn(|| engine::collect(config, &root, previous, deadline)));
        let mounts = config.wants(Group::Disk).then(|| disks::mounts(config, &root, deadline));
        let mut snapshot = kernel(config, &root, previous, deadline);
        snapshot.mounts = mounts.map(|mounts| mounts.map(disks::Pending::wait));
        snapshot.engine = engine.and_then(|thread| thread.join().ok());
        Ok(snapshot)
    })
}

/// Who uses `path`, and in which containers they run.
fn users_of(config: &Config, root: &Root, path: &Path, deadline: &Deadline) -> Snapshot {
    let busy = {
        let _step = deadline.step(format!("the users of {}", path.display()));
        busy::collect(root, path)
    };
    let users = busy.iter().flat_map(|busy| &busy.users).map(|user| user.pid).collect();
    let mut snapshot = Snapshot { busy: Some(busy), ..Snapshot::default() };
    details::collect(config, &mut snapshot, &Subjects { processes: users, ..Subjects::default() }, deadline);
    snapshot
}

/// Everything that the kernel answers at once.
fn kernel(config: &Config, root: &Root, previous: Option<&Kept>, deadline: &Deadline) -> Snapshot {
    let mut snapshot = Snapshot {
        boot_id: root.proc("sys/kernel/random/boot_id").map(|text| text.trim().to_owned()).unwrap_or_default(),
        ..Snapshot::default()
    };
    let uptime = root.parse("uptime", parse::uptime);
    if config.wants(Group::Cpu) && !is_usable(previous, &snapshot.boot_id, uptime.as_ref().ok()) {
        let _step = deadline.step("a second sample");
        let begin = Instant::now();
        let mut first = Snapshot::default();
        count(config, root, &mut first, deadline);
        snapshot.first = Some(first.counters);
        thread::sleep(config.sample.saturating_sub(begin.elapsed()).min(deadline.budget()));
    }
    count(config, root, &mut snapshot, deadline);
    if config.wants(Group::Load) || config.wants(Group::Processes) {
        snapshot.load = Some(root.parse("loadavg", parse::load));
    }
    if config.wants(Group::Memory) || config.wants(Group::Swap) {
        snapshot.memory = Some(memory(root));
    }
    if config.wants(Group::Pressure) || config.wants(Group::Memory) {
        snapshot.pressure = Some(pressure(root));
    }
    if config.wants(Group::Files) || config.wants(Group::Processes) {
        snapshot.limits = Some(limits(root));
    }
    snapshot
}

/// Whether the counters of the last run can be compared with those of now.
fn is_usable(previous: Option<&Kept>, boot_id: &str, uptime: Option<&f64>) -> bool {
    let (Some(previous), Some(uptime)) = (previous, uptime) else { return false };
    previous.counters.cpu.is_some()
        && previous.boot_id == boot_id
        && uptime - previous.counters.uptime >= SHORTEST_BETWEEN_RUNS
}

/// Reads all counters and what stands in the same files.
fn count(config: &Config, root: &Root, snapshot: &mut Snapshot, deadline: &Deadline) {
    let uptime = root.parse("uptime", parse::uptime);
    let mut counters = Counters { uptime: uptime.clone().unwrap_or_default(), ..Counters::default() };
    snapshot.uptime = Some(uptime);
    if config.wants(Group::Cpu) || config.wants(Group::Load) {
        let stat = root.parse("stat", parse::stat);
        counters.cpu = stat.as_ref().ok().map(|stat| stat.counters);
        snapshot.stat = Some(stat);
    }
    if config.wants(Group::Swap) {
        let vmstat = root.parse("vmstat", parse::vmstat);
        counters.swap = vmstat.as_ref().ok().copied();
        snapshot.vmstat = Some(vmstat);
    }
    if config.wants(Group::Diskio) {
        let disks = disks::counters(root);
        counters.disks = disks.as_ref().ok().cloned().unwrap_or_default();
        snapshot.disks = Some(disks);
    }
    // Who is to blame in the other groups is looked for only if something is wrong.
    let wants_processes = [Group::Cpu, Group::Processes, Group::Files];
    if wants_processes.iter().any(|group| config.wants(*group)) {
        let _step = deadline.step("the processes");
        let processes = processes::collect(root, config.wants(Group::Files));
        if config.wants(Group::Cpu)
            && let Ok(processes) = &processes
        {
            counters.processes =
                processes.list.iter().map(|process| (process.pid, process.start, process.cpu)).collect();
        }
        snapshot.processes = Some(processes);
    }
    snapshot.counters = counters;
}

fn memory(root: &Root) -> Fact<crate::snapshot::Memory> {
    let mut memory = root.parse("meminfo", parse::memory)?;
    if let Ok(text) = root.proc("spl/kstat/zfs/arcstats") {
        memory.zfs_reclaimable = parse::zfs_reclaimable(&text).unwrap_or(0);
    }
    Ok(memory)
}

fn pressure(root: &Root) -> Pressure {
    let read = |resource: &str| {
        let name = format!("pressure/{resource}");
        // A kernel without PSI has no such file, one with psi=0 refuses to read it (EOPNOTSUPP).
        let text = root.read_optional(&name)?;
        Some(text.and_then(|text| common::pressure::parse(&text).map_err(|reason| root.fault(&name, reason))))
    };
    Pressure { cpu: read("cpu"), memory: read("memory"), io: read("io") }
}

fn limits(root: &Root) -> Limits {
    let garbled = |name: &str| root.fault(name, "it is garbled".to_owned());
    let number = |name: &str| root.proc(name).and_then(|text| parse::number(&text).ok_or_else(|| garbled(name)));
    let file_nr = "sys/fs/file-nr";
    let files = root.proc(file_nr).and_then(|text| parse::first_and_last(&text).ok_or_else(|| garbled(file_nr)));
    let conntrack = root
        .exists("sys/net/netfilter/nf_conntrack_max")
        .then(|| Ok((number("sys/net/netfilter/nf_conntrack_count")?, number("sys/net/netfilter/nf_conntrack_max")?)));
    let threads = number("sys/kernel/pid_max").and_then(|pid_max| Ok(pid_max.min(number("sys/kernel/threads-max")?)));
    Limits { files, conntrack, threads }
}
