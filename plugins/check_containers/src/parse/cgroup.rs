//! The files of a container's cgroup, of both versions.

use crate::snapshot::Network;

/// Where a container's cgroup is, below the mount points of the hierarchies.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Place {
    /// One hierarchy for all controllers.
    V2(String),
    /// One hierarchy a controller, or several; a path by the names of its controllers (`cpu,cpuacct`). The hierarchy
    /// of version 2 that may stand beside them has no name.
    V1(Vec<(String, String)>),
    /// Somewhere else: the process is not the container's, or lives in another namespace.
    #[default]
    Elsewhere,
}

/// Reads `/proc/PID/cgroup` of a process that should belong to container `id`.
pub fn place(text: &str, id: &str) -> Place {
    let lines = text.lines().filter_map(|line| {
        let (_, rest) = line.split_once(':')?;
        let (controllers, path) = rest.split_once(':')?;
        // A path with `..` leads out of what is mounted here.
        (path.contains(id) && !path.contains("..")).then_some((controllers, path))
    });
    let places: Vec<(String, String)> = lines
        .filter(|(controllers, _)| !controllers.starts_with("name="))
        .map(|(controllers, path)| (controllers.to_owned(), path.to_owned()))
        .collect();
    match places.as_slice() {
        [] => Place::Elsewhere,
        [(controllers, path)] if controllers.is_empty() => Place::V2(path.clone()),
        _ => Place::V1(places),
    }
}

/// The number of field `name` in a file of `name value` lines.
pub fn field(text: &str, name: &str) -> Option<u64> {
    text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' ')?.trim().parse().ok())
}

/// The number that is all of a file; `None` for `max` and for what is none.
pub fn number(text: &str) -> Option<u64> {
    text.trim().parse().ok()
}

/// A limit. `max` is none, and so is what version 1 writes instead, a number beyond all memory.
pub fn limit(text: &str) -> Option<u64> {
    const NONE: u64 = 1 << 62;
    number(text).filter(|limit| *limit < NONE)
}

/// `cpu.max`: quota and period in microseconds; `None` without a quota.
pub fn cpu_max(text: &str) -> Option<(u64, u64)> {
    let (quota, period) = text.trim().split_once(' ')?;
    Some((quota.parse().ok()?, period.parse().ok()?))
}

/// The number of cores in a list such as `0-2,7`; `None` where it names none.
pub fn cores(text: &str) -> Option<u32> {
    let mut count = 0u32;
    for part in text.trim().split(',') {
        let (first, last) = part.split_once('-').unwrap_or((part, part));
        let (first, last): (u32, u32) = (first.trim().parse().ok()?, last.trim().parse().ok()?);
        count = count.checked_add(last.checked_sub(first)?.checked_add(1)?)?;
    }
    Some(count)
}

/// `blkio.throttle.io_service_bytes_recursive`: bytes read and written on all devices; `None` where no device is listed,
/// as Linux counts them only where a limit stands.
pub fn blkio(text: &str) -> Option<(u64, u64)> {
    let mut sum: Option<(u64, u64)> = None;
    for line in text.lines() {
        let mut words = line.split_ascii_whitespace().skip(1);
        let Some((operation, bytes)) = words.next().zip(words.next().and_then(|bytes| bytes.parse::<u64>().ok()))
        else {
            continue;
        };
        let (read, written) = sum.get_or_insert_default();
        match operation {
            "Read" => *read = read.saturating_add(bytes),
            "Write" => *written = written.saturating_add(bytes),
            _ => {}
        }
    }
    sum
}

/// `io.stat`: bytes read and written on all devices.
pub fn io_stat(text: &str) -> (u64, u64) {
    let sum = |name: &str| {
        let words = text.split_ascii_whitespace();
        words.filter_map(|word| word.strip_prefix(name)?.parse::<u64>().ok()).fold(0u64, u64::saturating_add)
    };
    (sum("rbytes="), sum("wbytes="))
}

/// `/proc/PID/net/dev`: all interfaces but the loopback; `None` where there is no other.
pub fn network(text: &str) -> Option<Network> {
    let mut sum: Option<Network> = None;
    for (name, values) in text.lines().filter_map(|line| line.split_once(':')) {
        let values: Option<Vec<u64>> = values.split_ascii_whitespace().map(|word| word.parse().ok()).collect();
        // Eight columns of what was received, then those of what was sent.
        let Some([rx_bytes, _, rx_errors, _, _, _, _, _, tx_bytes, _, tx_errors, ..]) = values.as_deref() else {
            continue;
        };
        if name.trim() == "lo" {
            continue;
        }
        let sum = sum.get_or_insert_default();
        sum.rx_bytes = sum.rx_bytes.saturating_add(*rx_bytes);
        sum.tx_bytes = sum.tx_bytes.saturating_add(*tx_bytes);
        sum.rx_errors = sum.rx_errors.saturating_add(*rx_errors);
        sum.tx_errors = sum.tx_errors.saturating_add(*tx_errors);
    }
    sum
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_container_is_found_on_every_version_and_under_every_driver() {
        let id = "3f2a".repeat(16);
        let v1 = format!(
            "4:memory:/docker/{id}\n2:cpu,cpuacct:/docker/{id}\n1:name=systemd:/docker/{id}\n0::/docker/{id}\n"
        );
        let path = format!("/docker/{id}");
        let Place::V1(places) = place(&v1, &id) else { panic!("version 1") };
        let names = ["memory", "cpu,cpuacct", ""];
        assert_eq!(places, names.map(|name| (name.to_owned(), path.clone())));
        let scope = format!("/system.slice/docker-{id}.scope");
        assert_eq!(place(&format!("0::{scope}\n"), &id), Place::V2(scope));
        for elsewhere in ["0::/\n".to_owned(), format!("0::/../{id}\n"), "garbage".to_owned(), String::new()] {
            assert_eq!(place(&elsewhere, &id), Place::Elsewhere, "{elsewhere}");
        }
    }

    #[test]
    fn limits_that_are_none_are_none() {
        assert_eq!(limit("max\n"), None);
        assert_eq!(limit("9223372036854771712\n"), None);
        assert_eq!(limit("67108864\n"), Some(64 << 20));
        assert_eq!(cpu_max("max 100000\n"), None);
        assert_eq!(cpu_max("50000 100000\n"), Some((50_000, 100_000)));
        assert_eq!(number("-1"), None);
    }

    #[test]
    fn cores_are_counted() {
        for (text, count) in
            [("0-2,7\n", Some(4)), ("3", Some(1)), ("", None), ("2-1", None), ("a", None), ("0-4294967295", None)]
        {
            assert_eq!(cores(text), count, "{text}");
        }
    }

    #[test]
    fn bytes_are_summed_over_devices() {
        assert_eq!(blkio("8:0 Read 5\n8:0 Write 7\n8:0 Total 12\n9:0 Read 1\nTotal 13\n"), Some((6, 7)));
        assert_eq!(io_stat("8:0 rbytes=5 wbytes=7 rios=1 wios=1\n9:0 rbytes=1 wbytes=0\n"), (6, 7));
        assert_eq!((blkio(""), blkio("Total 0\n")), (None, None), "nothing is counted");
        assert_eq!(io_stat("garbage"), (0, 0));
    }

    #[test]
    fn interfaces_are_summed_without_the_loopback() {
        let text = "Inter-|   Receive |  Transmit\n face |bytes packets errs drop fifo frame compressed multicast|bytes ...\n\
                    lo: 9 9 9 0 0 0 0 0 9 9 9 0 0 0 0 0\n  eth0: 100 1 2 0 0 0 0 0 50 1 3 0 0 0 0 0\n eth1:1 0 0 0 0 0 0 0 1 0 0 0 0 0 0 0\n";
        assert_eq!(network(text), Some(Network { rx_bytes: 101, tx_bytes: 51, rx_errors: 2, tx_errors: 3 }));
        assert_eq!(network("lo: 9 9 9 0 0 0 0 0 9 9 9 0 0 0 0 0\n"), None);
        assert_eq!(network("eth0: 1 2\ngarbage"), None);
    }

    #[test]
    fn fields_are_found_by_their_whole_name() {
        let text = "total_inactive_file 7\ninactive_file 5\noom_kill 2\noom_kill_disable 0\n";
        assert_eq!(
            (field(text, "inactive_file"), field(text, "oom_kill"), field(text, "oom")),
            (Some(5), Some(2), None)
        );
    }
}
