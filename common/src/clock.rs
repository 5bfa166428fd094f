//! The clocks of one run, read once and handed on.

use nix::time::{ClockId, clock_gettime};
use serde::{Deserialize, Serialize};

/// The time at which a run began, on the two clocks that matter between runs.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Clock {
    /// Seconds since 1970-01-01 UTC. May jump.
    pub wall: f64,
    /// Seconds since boot, suspended time included. Never falls while the machine is up.
    pub boot: f64,
    /// The kernel's name for this boot; empty where it has none.
    pub boot_id: String,
}

impl Clock {
    /// Reads both clocks.
    pub fn now() -> Self {
        let boot_id = std::fs::read_to_string("/proc/sys/kernel/random/boot_id").unwrap_or_default();
        Self { wall: seconds(ClockId::CLOCK_REALTIME), boot: since_boot(), boot_id: boot_id.trim().to_owned() }
    }

    /// Seconds from `earlier` to this moment; `None` across a reboot.
    pub fn since(&self, earlier: &Self) -> Option<f64> {
        let elapsed = self.boot - earlier.boot;
        (self.boot_id == earlier.boot_id && elapsed >= 0.0).then_some(elapsed)
    }
}

/// Seconds since boot, as in [`Clock::boot`]. For what is read often: the kernel's name for this boot is in a file.
pub fn since_boot() -> f64 {
    seconds(ClockId::CLOCK_BOOTTIME)
}

fn seconds(clock: ClockId) -> f64 {
    clock_gettime(clock).map_or(0.0, |time| std::time::Duration::from(time).as_secs_f64())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_measured_across_a_reboot() {
        let at = |boot: f64, id: &str| Clock { wall: 0.0, boot, boot_id: id.to_owned() };
        assert_eq!(at(70.0, "a").since(&at(10.0, "a")), Some(60.0));
        assert_eq!(at(70.0, "b").since(&at(10.0, "a")), None);
        assert_eq!(at(5.0, "").since(&at(10.0, "")), None);
    }

    #[test]
    fn the_clocks_of_this_machine_run() {
        let now = Clock::now();
        assert!(now.wall > 1_700_000_000.0 && now.boot > 0.0 && !now.boot_id.is_empty());
    }
}
