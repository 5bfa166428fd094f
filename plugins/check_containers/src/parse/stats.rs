//! Figures of the Engine API.

use common::docker::{CpuStats, Stats};

use super::time::engine_time;
use crate::snapshot::{Counters, Figures, Network, Source};

/// The figures of `stats`. The error says what is missing.
pub fn figures(stats: &Stats) -> Result<Figures, String> {
    let at = stats.read.as_deref().and_then(engine_time).ok_or("the engine has read no figures of it")?;
    let memory = &stats.memory_stats;
    let dispensable = memory.stats.total_inactive_file.or(memory.stats.inactive_file).unwrap_or(0);
    Ok(Figures {
        source: Source::Api,
        counters: Counters { io: stats.blkio_stats.bytes(), network: network(stats), ..cpu(&stats.cpu_stats, at) },
        // Taken off only where it is a part.
        memory: memory.usage.map(|usage| if dispensable < usage { usage - dispensable } else { usage }),
        memory_limit: memory.limit,
        swap: memory.stats.total_swap,
        cores: stats.cpu_stats.online_cpus.map(f64::from),
        pids: stats.pids_stats.current,
        pids_limit: stats.pids_stats.limit.filter(|limit| *limit < i64::MAX.unsigned_abs()),
        ..Figures::default()
    })
}

fn cpu(stats: &CpuStats, at: f64) -> Counters {
    Counters {
        at,
        cpu: stats.cpu_usage.total_usage,
        periods: stats.throttling_data.periods,
        throttled: stats.throttling_data.throttled_periods,
        ..Counters::default()
    }
}

fn network(stats: &Stats) -> Option<Network> {
    let interfaces = stats.networks.as_ref().filter(|interfaces| !interfaces.is_empty())?;
    let sum = |value: fn(&common::docker::NetworkStats) -> u64| {
        interfaces.values().map(value).fold(0u64, u64::saturating_add)
    };
    Some(Network {
        rx_bytes: sum(|interface| interface.rx_bytes),
        tx_bytes: sum(|interface| interface.tx_bytes),
        rx_errors: sum(|interface| interface.rx_errors),
        tx_errors: sum(|interface| interface.tx_errors),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Figures, String> {
        figures(&serde_json::from_str(text).unwrap())
    }

    #[test]
    fn page_cache_that_can_be_dropped_is_not_used() {
        let memory = |stats: &str| {
            let text = format!(r#"{{"read": "2026-11-24T12:00:00Z", "memory_stats": {stats}}}"#);
            read(&text).unwrap().memory
        };
        assert_eq!(memory(r#"{"usage": 100, "stats": {"total_inactive_file": 30, "inactive_file": 1}}"#), Some(70));
        assert_eq!(memory(r#"{"usage": 100, "stats": {"inactive_file": 30}}"#), Some(70));
        assert_eq!(memory(r#"{"usage": 100, "stats": {"inactive_file": 300}}"#), Some(100));
        assert_eq!(memory("{}"), None);
    }

    #[test]
    fn a_container_that_does_not_run_has_no_figures() {
        assert!(read(r#"{"read": "0001-01-01T00:00:00Z"}"#).is_err());
    }
}
