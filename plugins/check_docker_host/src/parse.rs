//! Text of the kernel to facts. Pure; every text is taken, none panics.
//!
//! procfs-core reads what it reads safely. Its parsers of `PID/stat` and `PID/limits` panic on text
//! that is cut short, that of `meminfo` wants forty fields where eight are used, and that of `mountinfo` takes paths
//! for UTF-8 and keeps their escapes; those are read here.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::os::unix::ffi::OsStringExt as _;
use std::path::PathBuf;

use procfs_core::{DiskStat, FromRead as _, LoadAverage};

use crate::snapshot::{CpuCounters, Disk, Load, Memory, Process, Stat, Usage, VmStat};

/// `/proc/stat`.
pub fn stat(text: &str) -> Result<Stat, String> {
    let mut cpu = None;
    let mut cores = 0;
    let mut fields: BTreeMap<&str, u64> = BTreeMap::new();
    for line in text.lines() {
        let mut words = line.split_ascii_whitespace();
        let Some(name) = words.next() else { continue };
        if name == "cpu" {
            cpu = Some(words.map_while(|word| word.parse().ok()).collect::<Vec<u64>>());
        } else if name.starts_with("cpu") {
            cores += 1;
        } else if let Some(value) = words.next().and_then(|word| word.parse().ok()) {
            fields.insert(name, value);
        }
    }
    // user nice system idle iowait irq softirq steal; guest time is part of user time.
    let ticks = cpu.ok_or("the line 'cpu' is missing")?;
    let [user, nice, system, idle, rest @ ..] = ticks.as_slice() else {
        return Err("the line 'cpu' is garbled".to_owned());
    };
    let tick = |position: usize| rest.get(position).copied().unwrap_or(0);
    let field = |name: &str| fields.get(name).copied().ok_or_else(|| format!("'{name}' is missing or garbled"));
    let sum = |values: &[u64]| values.iter().fold(0, |sum: u64, value| sum.saturating_add(*value));
    Ok(Stat {
        counters: CpuCounters {
            user: sum(&[*user, *nice]),
            system: sum(&[*system, tick(1), tick(2)]),
            idle: *idle,
            iowait: tick(0),
            steal: tick(3),
            context_switches: field("ctxt")?,
            interrupts: field("intr")?,
            forks: field("processes")?,
        },
        cores: cores.max(1),
        running: field("procs_running")?,
        blocked: field("procs_blocked")?,
    })
}

/// `/proc/uptime`, in seconds.
pub fn uptime(text: &str) -> Result<f64, String> {
    let seconds = text.split_ascii_whitespace().next().and_then(|word| word.parse::<f64>().ok());
    seconds.filter(|seconds| seconds.is_finite() && *seconds >= 0.0).ok_or_else(|| "it is garbled".to_owned())
}

/// `/proc/loadavg`.
pub fn load(text: &str) -> Result<Load, String> {
    let load = LoadAverage::from_read(text.as_bytes()).map_err(|_| "it is garbled")?;
    let averages = [load.one, load.five, load.fifteen].map(f64::from);
    if averages.iter().any(|average| !average.is_finite() || *average < 0.0) {
        return Err("it is garbled".to_owned());
    }
    Ok(Load { averages, threads: load.max.into() })
}

/// The value of the line `name value` or `name: value kB`, without the unit.
fn field(text: &str, name: &str) -> Option<u64> {
    let value = |line: &'_ str| -> Option<u64> {
        let rest = line.strip_prefix(name)?.strip_prefix([':', ' ', '\t'])?;
        rest.split_ascii_whitespace().next()?.parse().ok()
    };
    text.lines().find_map(value)
}

/// `/proc/meminfo`, without ZFS.
pub fn memory(text: &str) -> Result<Memory, String> {
    let optional = |name: &str| field(text, name).map(|kilobytes| kilobytes.saturating_mul(1024));
    let bytes = |name: &str| optional(name).ok_or_else(|| format!("'{name}' is missing or garbled"));
    let total = bytes("MemTotal")?;
    if total == 0 {
        return Err("'MemTotal' is 0".to_owned());
    }
    let free = bytes("MemFree")?;
    let cache = [optional("Buffers"), optional("Cached"), optional("SReclaimable")]
        .into_iter()
        .flatten()
        .fold(0, u64::saturating_add);
    // Shared memory is part of the page cache and cannot be given back.
    let shared = optional("Shmem").unwrap_or(0);
    Ok(Memory {
        total,
        // Kernels before 3.14 have no estimate of their own; this is the rule that it replaced.
        available: optional("MemAvailable")
            .unwrap_or_else(|| free.saturating_add(cache).saturating_sub(shared))
            .min(total),
        cache,
        dirty: optional("Dirty").unwrap_or(0),
        swap_total: bytes("SwapTotal")?,
        swap_free: bytes("SwapFree")?,
        zfs_reclaimable: 0,
    })
}

/// `/proc/spl/kstat/zfs/arcstats`: the bytes that ZFS gives back when memory runs short.
pub fn zfs_reclaimable(text: &str) -> Option<u64> {
    // A line is `name type value`.
    let value = |name: &str| {
        let line = text.lines().find(|line| line.split_ascii_whitespace().next() == Some(name))?;
        line.split_ascii_whitespace().nth(2)?.parse::<u64>().ok()
    };
    Some(value("size")?.saturating_sub(value("c_min")?))
}

/// `/proc/vmstat`.
pub fn vmstat(text: &str) -> Result<VmStat, String> {
    let count = |name: &str| field(text, name).ok_or_else(|| format!("'{name}' is missing or garbled"));
    Ok(VmStat { swapped_in: count("pswpin")?, swapped_out: count("pswpout")?, oom_kills: field(text, "oom_kill") })
}

/// `/proc/diskstats` by device.
pub fn disks(text: &str) -> Result<BTreeMap<String, Disk>, String> {
    let disk = |line: &str| -> Result<(String, Disk), String> {
        let row = DiskStat::from_line(line).map_err(|_| "a line is garbled")?;
        let disk = Disk {
            reads: row.reads,
            sectors_read: row.sectors_read,
            read_ms: row.time_reading,
            writes: row.writes,
            sectors_written: row.sectors_written,
            write_ms: row.time_writing,
            busy_ms: row.time_in_progress,
        };
        Ok((row.name, disk))
    };
    text.lines().map(disk).collect()
}

/// One line of `mountinfo`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MountLine {
    /// Mount ID.
    pub id: u64,
    /// ID of the mount that it is mounted on.
    pub parent: u64,
    /// `major:minor`.
    pub device: String,
    /// The directory of the filesystem that is mounted.
    pub root: PathBuf,
    /// Where it is mounted.
    pub path: PathBuf,
    /// Filesystem type.
    pub kind: String,
    /// What is mounted.
    pub source: String,
    /// Whether the mount or the filesystem is read-only.
    pub read_only: bool,
}

/// `/proc/PID/mountinfo`, and how many of its lines could not be read. Paths are bytes, so it is read as bytes.
pub fn mounts(text: &[u8]) -> (Vec<MountLine>, usize) {
    let lines = text.split(|byte| *byte == b'\n').filter(|line| !line.is_empty());
    let mut garbled = 0;
    let mounts = lines.filter_map(|line| {
        let mount = mount(line);
        garbled += usize::from(mount.is_none());
        mount
    });
    (mounts.collect(), garbled)
}

/// `ID parent device root path options [optional fields] - type source superblock-options`
fn mount(line: &[u8]) -> Option<MountLine> {
    let mut fields = line.split(|byte| *byte == b' ');
    let mut next = || fields.next().filter(|field| !field.is_empty());
    let words = |field: &[u8]| String::from_utf8_lossy(&unescape(field)).into_owned();
    let (id, parent, device) = (next()?, next()?, next()?);
    let number = |field: &[u8]| std::str::from_utf8(field).ok()?.parse().ok();
    let (id, parent) = (number(id)?, number(parent)?);
    let is_device = device.contains(&b':') && device.iter().all(|byte| byte.is_ascii_digit() || *byte == b':');
    let (root, path, options) = (next()?, next()?, next()?);
    while next()? != b"-" {}
    let (kind, source, of_filesystem) = (next()?, fields.next()?, fields.next().unwrap_or_default());
    let is_read_only = |options: &[u8]| options.split(|byte| *byte == b',').any(|option| option == b"ro");
    is_device.then(|| MountLine {
        id,
        parent,
        device: words(device),
        root: PathBuf::from(OsString::from_vec(unescape(root))),
        path: PathBuf::from(OsString::from_vec(unescape(path))),
        kind: words(kind),
        source: words(source),
        read_only: is_read_only(options) || is_read_only(of_filesystem),
    })
}

/// The kernel writes white space and backslashes in paths as three octal digits.
fn unescape(field: &[u8]) -> Vec<u8> {
    let mut plain = Vec::with_capacity(field.len());
    let mut rest = field;
    while let Some((&byte, tail)) = rest.split_first() {
        let octal = tail.get(..3).filter(|_| byte == b'\\').and_then(|digits| {
            let digits = std::str::from_utf8(digits).ok()?;
            u8::from_str_radix(digits, 8).ok()
        });
        plain.push(octal.unwrap_or(byte));
        rest = if octal.is_some() { tail.get(3..).unwrap_or_default() } else { tail };
    }
    plain
}

/// The figures of `--statvfs`: a line a mount, `path size free available inodes inodes-free`.
pub fn usages(text: &str) -> Result<BTreeMap<PathBuf, Usage>, String> {
    let lines = text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#'));
    let usage = |line: &str| -> Option<(PathBuf, Usage)> {
        let mut words = line.rsplitn(6, [' ', '\t']);
        let mut number = || words.next()?.parse().ok();
        let (inodes_free, inodes, available, free, size) = (number()?, number()?, number()?, number()?, number()?);
        Some((PathBuf::from(words.next()?.trim()), Usage { size, free, available, inodes, inodes_free }))
    };
    lines.map(|line| usage(line).ok_or_else(|| format!("'{line}' is not PATH and five numbers"))).collect()
}

/// `/proc/PID/stat`, without open files.
pub fn process(text: &str) -> Option<Process> {
    // The name stands in parentheses and may hold any character, parentheses too.
    let (pid, rest) = text.split_once(" (")?;
    let (name, rest) = rest.rsplit_once(')')?;
    let mut words = rest.split_ascii_whitespace();
    let state = words.next()?.chars().next()?;
    // Numbered as in proc_pid_stat(5), where the state is field 3.
    let mut field = 3;
    let mut number = |wanted: usize| -> Option<&str> {
        let value = words.nth(wanted - field - 1);
        field = wanted;
        value
    };
    let parent = number(4)?.parse().ok()?;
    let user: u64 = number(14)?.parse().ok()?;
    let system: u64 = number(15)?.parse().ok()?;
    let start = number(22)?.parse().ok()?;
    // Negative for a moment while a process exits.
    let resident = number(24)?.parse::<i64>().ok()?.max(0).unsigned_abs();
    Some(Process {
        pid: pid.parse().ok()?,
        parent,
        name: name.to_owned(),
        state,
        start,
        cpu: user.saturating_add(system),
        resident,
        files: None,
        files_limit: None,
    })
}

/// `/proc/PID/limits`: the soft limit of open files; `Ok(None)` if there is no limit.
pub fn files_limit(text: &str) -> Option<Option<u64>> {
    let line = text.lines().find_map(|line| line.strip_prefix("Max open files"))?;
    match line.split_ascii_whitespace().next()? {
        "unlimited" => Some(None),
        number => number.parse().ok().map(Some),
    }
}

/// `/proc/PID/status`: swap used, in bytes.
pub fn swap_used(text: &str) -> Option<u64> {
    field(text, "VmSwap").map(|kilobytes| kilobytes.saturating_mul(1024))
}

/// Two numbers, the first and the last of a line: `/proc/sys/fs/file-nr`.
pub fn first_and_last(text: &str) -> Option<(u64, u64)> {
    let numbers: Option<Vec<u64>> = text.split_ascii_whitespace().map(|word| word.parse().ok()).collect();
    let numbers = numbers?;
    Some((*numbers.first()?, *numbers.last()?))
}

/// A single number.
pub fn number(text: &str) -> Option<u64> {
    text.trim().parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_process_name_may_hold_anything() {
        let line = |name: &str| {
            format!(
                "42 ({name}) S 1 42 42 0 -1 4194560 1 0 0 0 7 5 0 0 20 0 1 0 1234 1000000 300 18446744073709551615 1 1"
            )
        };
        for name in ["postgres", "a) S 1 (b", "(sd-pam)", "", "x y|z\n"] {
            let process = process(&line(name)).unwrap();
            assert_eq!((process.name.as_str(), process.state, process.parent), (name, 'S', 1), "{name}");
            assert_eq!((process.cpu, process.start, process.resident), (12, 1234, 300));
        }
        for garbage in ["", "42", "42 (x", "42 (x) ", "42 (x) S", ") (", "x (y) S 1 2 3", "1 (é) Z 0 0"] {
            assert_eq!(process(garbage), None, "{garbage}");
        }
    }

    #[test]
    fn paths_of_mounts_are_unescaped() {
        let (mounts, garbled) =
            mounts(b"36 35 98:0 / /my\\040disk rw,noatime shared:1 - ext4 /dev/sd\\134a rw\nnonsense\n");
        assert_eq!(mounts[0].path, PathBuf::from("/my disk"));
        assert_eq!((mounts[0].source.as_str(), garbled), ("/dev/sd\\a", 1));
        assert_eq!(unescape(b"\\0"), b"\\0");
    }

    #[test]
    fn guest_time_is_not_counted_twice() {
        let text = "cpu 10 2 3 80 4 1 1 5 9 9\ncpu0 0 0 0 0\nintr 7 1 1\nctxt 8\nprocesses 9\nprocs_running 2\nprocs_blocked 1\n";
        let stat = stat(text).unwrap();
        assert_eq!((stat.counters.user, stat.counters.system, stat.counters.steal), (12, 5, 5));
        assert_eq!((stat.counters.interrupts, stat.cores, stat.running), (7, 1, 2));
    }

    #[test]
    fn replayed_figures_may_have_spaces_in_paths() {
        let usages = usages("# path\n/my disk 100 50 40 10 5\n").unwrap();
        assert_eq!(usages[&PathBuf::from("/my disk")].available, 40);
        assert!(super::usages("/ 1 2 3\n").is_err());
    }

    #[test]
    fn garbage_is_refused_by_every_parser() {
        for garbage in [
            "",
            "\0\0\0",
            "some",
            "some avg10=nan avg60=1",
            "cpu",
            "cpu x",
            "MemTotal:",
            "é: 1",
            "-1 -1 -1",
            "1e999 inf nan 1/2 3",
            "(((",
            "size 4 x",
        ] {
            assert!(stat(garbage).is_err(), "{garbage}");
            assert!(memory(garbage).is_err(), "{garbage}");
            assert!(vmstat(garbage).is_err(), "{garbage}");
            assert!(load(garbage).is_err(), "{garbage}");
            assert!(uptime(garbage).is_err() || garbage.starts_with('1'), "{garbage}");
            assert!(disks(garbage).is_err() || garbage.is_empty(), "{garbage}");
            assert!(process(garbage).is_none() && files_limit(garbage).is_none() && zfs_reclaimable(garbage).is_none());
            assert!(first_and_last(garbage).is_none() && number(garbage).is_none());
        }
    }
}
