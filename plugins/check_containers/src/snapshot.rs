//! What a run finds, unjudged, and what it keeps for the next one.

use std::collections::BTreeMap;
use std::time::Duration;

use common::docker::{Container, EngineError};
use common::pressure::Stall;
use serde::{Deserialize, Serialize};

use crate::selection::{Expectation, Selection};
use common::docker::hints::Rule;

/// Why nothing was found.
#[derive(Debug)]
pub enum Fault {
    /// The engine does not answer as it should.
    Engine(EngineError),
    /// A file that an option names cannot be used: which, and why.
    File(String),
}

/// The findings of one run.
#[derive(Debug, Default)]
pub struct Snapshot {
    /// Seconds since 1970, by the engine's clock.
    pub engine_now: f64,
    /// How long the engine took to answer a ping.
    pub ping: Duration,
    /// What should be there.
    pub expectation: Expectation,
    /// What is there and is to be judged.
    pub selection: Selection,
    /// What is known of each container that is judged, by ID. One that went away meanwhile is missing.
    pub containers: BTreeMap<String, Found>,
    /// Memory of the engine's host, in bytes, where that is this machine.
    pub host_memory: Option<u64>,
    /// IDs of the images that names stand for now, for `--image-drift`.
    pub images: BTreeMap<String, Result<String, String>>,
    /// What containers have logged since the last run, by ID, for `--logs`; or why that cannot be read.
    pub news: BTreeMap<String, LogText>,
    /// The last lines of containers that are not as they should be, by ID; or why they cannot be read.
    pub logs: BTreeMap<String, LogText>,
    /// The rules of `--hint-file`.
    pub rules: Vec<Rule>,
}

/// Lines of a log, both streams together; or why they cannot be read.
pub type LogText = Result<Vec<u8>, String>;

/// One container.
#[derive(Debug)]
pub struct Found {
    /// What the engine knows of it.
    pub details: Result<Container, EngineError>,
    /// Its figures, or why there are none; `None` where it does not run or none were asked for.
    pub figures: Option<Result<Figures, String>>,
    /// Counters of a moment before, where no earlier run can be compared with.
    pub first: Option<Counters>,
}

/// What a running container uses.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Figures {
    /// Where they come from.
    pub source: Source,
    /// Counters since its start.
    pub counters: Counters,
    /// Memory used, without page cache, in bytes.
    pub memory: Option<u64>,
    /// Its memory limit in bytes; `None` if it has none.
    pub memory_limit: Option<u64>,
    /// Swap used, in bytes.
    pub swap: Option<u64>,
    /// Cores that it may use, by quota, cpuset and what the host has.
    pub cores: Option<f64>,
    /// Processes and threads.
    pub pids: Option<u64>,
    /// Their limit; `None` if there is none.
    pub pids_limit: Option<u64>,
    /// Pressure, where the container has a group of cgroup v2.
    pub pressure: Pressure,
}

/// Where figures come from.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Source {
    /// The container's cgroup, version 1.
    #[default]
    CgroupV1,
    /// The container's cgroup, version 2.
    CgroupV2,
    /// The Engine API.
    Api,
}

impl Source {
    /// What it is, for a reader.
    pub const fn describe(self) -> &'static str {
        match self {
            Self::CgroupV1 => "its cgroup (v1)",
            Self::CgroupV2 => "its cgroup (v2)",
            Self::Api => "the Engine API",
        }
    }
}

/// Counters of one moment, since the container's start. A part that has no value is left out of the figures.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Counters {
    /// Seconds, by the clock of the source: since boot, or since 1970 by the engine.
    pub at: f64,
    /// CPU time in nanoseconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cpu: Option<u64>,
    /// Periods of the CPU quota in which it wanted to run.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub periods: Option<u64>,
    /// Those of them in which the quota ran out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub throttled: Option<u64>,
    /// Kills for lack of memory.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub oom_kills: Option<u64>,
    /// Bytes read from and written to block devices.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub io: Option<(u64, u64)>,
    /// What its network interfaces did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub network: Option<Network>,
}

/// Sums over the network interfaces of a container but the loopback.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Network {
    /// Bytes received.
    pub rx_bytes: u64,
    /// Bytes sent.
    pub tx_bytes: u64,
    /// Errors while receiving.
    pub rx_errors: u64,
    /// Errors while sending.
    pub tx_errors: u64,
}

/// Pressure stall information of a cgroup.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Pressure {
    /// `cpu.pressure`.
    pub cpu: Option<Stall>,
    /// `memory.pressure`.
    pub memory: Option<Stall>,
    /// `io.pressure`.
    pub io: Option<Stall>,
}

/// What is kept for the next run.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Kept {
    /// Each container that was judged, by ID.
    pub containers: BTreeMap<String, KeptContainer>,
}

/// What is kept of one container.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct KeptContainer {
    /// Begin of the life to which the counters belong, as the engine writes it.
    pub started: String,
    /// Restarts by its policy so far.
    pub restart_count: u64,
    /// Where the counters come from.
    pub source: Source,
    /// Its counters.
    pub counters: Counters,
    /// Restarts of the last hour: (seconds since 1970, count).
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub restarts: Vec<(u64, u64)>,
    /// Kills for lack of memory of the last hour: (seconds since 1970, count).
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub kills: Vec<(u64, u64)>,
    /// Since when it is in a state in which it should not stay, in seconds since 1970.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unsettled: Option<f64>,
    /// Up to when its log was read by `--logs`, in seconds since 1970 by the engine's clock.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub log_read: Option<f64>,
}
