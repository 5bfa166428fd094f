//! `/containers/ID/stats`: counters and gauges of one container.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::{lenient, or_default};

/// The part of `/containers/ID/stats` that the checks use. Counters are since the container's start.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(default)]
pub struct Stats {
    /// When this was read, by the engine's clock; in the year 1 for a container that does not run.
    #[serde(deserialize_with = "lenient")]
    pub read: Option<String>,
    /// CPU time.
    #[serde(deserialize_with = "or_default")]
    pub cpu_stats: CpuStats,
    /// Memory; empty where the engine has no figures.
    #[serde(deserialize_with = "or_default")]
    pub memory_stats: MemoryStats,
    /// Processes and threads.
    #[serde(deserialize_with = "or_default")]
    pub pids_stats: PidsStats,
    /// Block devices.
    #[serde(deserialize_with = "or_default")]
    pub blkio_stats: BlkioStats,
    /// Network interfaces by name; absent in host mode.
    #[serde(deserialize_with = "lenient")]
    pub networks: Option<BTreeMap<String, NetworkStats>>,
}

/// `cpu_stats`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct CpuStats {
    /// Time used.
    #[serde(deserialize_with = "or_default")]
    pub cpu_usage: CpuUsage,
    /// Cores of the host that are online.
    #[serde(deserialize_with = "lenient")]
    pub online_cpus: Option<u32>,
    /// What the quota held back.
    #[serde(deserialize_with = "or_default")]
    pub throttling_data: ThrottlingData,
}

/// `cpu_usage`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct CpuUsage {
    /// Nanoseconds of all cores.
    #[serde(deserialize_with = "lenient")]
    pub total_usage: Option<u64>,
}

/// `throttling_data`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct ThrottlingData {
    /// Periods in which it wanted to run.
    #[serde(deserialize_with = "lenient")]
    pub periods: Option<u64>,
    /// Those in which its quota ran out.
    #[serde(deserialize_with = "lenient")]
    pub throttled_periods: Option<u64>,
}

/// `memory_stats`, in bytes.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct MemoryStats {
    /// Used, page cache included.
    #[serde(deserialize_with = "lenient")]
    pub usage: Option<u64>,
    /// The limit; the host's memory where it has none.
    #[serde(deserialize_with = "lenient")]
    pub limit: Option<u64>,
    /// `memory.stat` of the cgroup.
    #[serde(deserialize_with = "or_default")]
    pub stats: MemoryDetails,
}

/// `memory_stats.stats`, in bytes.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct MemoryDetails {
    /// Page cache that can be dropped, on cgroup v1.
    #[serde(deserialize_with = "lenient")]
    pub total_inactive_file: Option<u64>,
    /// The same on cgroup v2.
    #[serde(deserialize_with = "lenient")]
    pub inactive_file: Option<u64>,
    /// Swap used, on cgroup v1 with swap accounting.
    #[serde(deserialize_with = "lenient")]
    pub total_swap: Option<u64>,
}

/// `pids_stats`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct PidsStats {
    /// Processes and threads.
    #[serde(deserialize_with = "lenient")]
    pub current: Option<u64>,
    /// Their limit; huge where there is none.
    #[serde(deserialize_with = "lenient")]
    pub limit: Option<u64>,
}

/// `blkio_stats`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct BlkioStats {
    /// Bytes by device and operation.
    #[serde(deserialize_with = "lenient")]
    pub io_service_bytes_recursive: Option<Vec<BlkioEntry>>,
}

/// One row of `io_service_bytes_recursive`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct BlkioEntry {
    /// `Read` or `read`, `Write` or `write`, and others.
    pub op: String,
    /// Bytes.
    pub value: u64,
}

impl BlkioStats {
    /// Bytes read and written on all devices; `None` where the engine lists none.
    pub fn bytes(&self) -> Option<(u64, u64)> {
        let rows = self.io_service_bytes_recursive.as_deref().filter(|rows| !rows.is_empty())?;
        let sum = |initial: char| {
            let matching = rows.iter().filter(|row| row.op.to_ascii_lowercase().starts_with(initial));
            matching.fold(0u64, |sum, row| sum.saturating_add(row.value))
        };
        Some((sum('r'), sum('w')))
    }
}

/// One network interface, as the container sees it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct NetworkStats {
    /// Bytes received.
    pub rx_bytes: u64,
    /// Bytes sent.
    pub tx_bytes: u64,
    /// Errors while receiving.
    pub rx_errors: u64,
    /// Errors while sending.
    pub tx_errors: u64,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_are_summed_over_devices_in_either_spelling() {
        let stats = |text: &str| serde_json::from_str::<Stats>(text).unwrap().blkio_stats.bytes();
        let v1 = r#"{"blkio_stats": {"io_service_bytes_recursive": [{"op": "Read", "value": 5}, {"op": "Total", "value": 12},
            {"op": "Write", "value": 7}, {"op": "Read", "value": 1}]}}"#;
        assert_eq!(stats(v1), Some((6, 7)));
        assert_eq!(
            stats(r#"{"blkio_stats": {"io_service_bytes_recursive": [{"op": "write", "value": 9}]}}"#),
            Some((0, 9))
        );
        assert_eq!(stats(r#"{"blkio_stats": {"io_service_bytes_recursive": null}}"#), None);
    }

    #[test]
    fn stats_without_figures_have_none() {
        for text in ["{}", r#"{"cpu_stats": null, "memory_stats": {}, "pids_stats": 7, "networks": null}"#] {
            let stats: Stats = serde_json::from_str(text).unwrap();
            assert_eq!(stats, Stats::default(), "{text}");
        }
    }
}
