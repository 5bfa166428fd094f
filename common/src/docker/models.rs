//! What the engine says of itself and its containers, as far as the checks use it.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{lenient, or_default};

/// The part of `/info` that the checks use.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct Info {
    /// Engine version, `20.10.24`.
    #[serde(deserialize_with = "lenient")]
    pub server_version: Option<String>,
    /// Where the engine keeps its data.
    #[serde(deserialize_with = "lenient")]
    pub docker_root_dir: Option<String>,
    /// Containers in state running.
    #[serde(deserialize_with = "lenient")]
    pub containers_running: Option<u64>,
    /// Containers in state paused.
    #[serde(deserialize_with = "lenient")]
    pub containers_paused: Option<u64>,
    /// Containers in any other state.
    #[serde(deserialize_with = "lenient")]
    pub containers_stopped: Option<u64>,
    /// What the engine warns of, in its own words.
    #[serde(deserialize_with = "lenient")]
    pub warnings: Option<Vec<String>>,
}

/// The part of a row of `/containers/json` that the checks use.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct ContainerSummary {
    /// 64 hexadecimal digits.
    #[serde(deserialize_with = "lenient")]
    pub id: Option<String>,
    /// Names, each with a leading slash; links give a container further ones.
    #[serde(deserialize_with = "lenient")]
    pub names: Option<Vec<String>>,
    /// What it is doing.
    #[serde(deserialize_with = "lenient")]
    pub state: Option<Status>,
    /// The image as it was asked for; its ID where another took its name since.
    #[serde(deserialize_with = "lenient")]
    pub image: Option<String>,
    /// Seconds since 1970 when it was created. Podman writes it in a way of its own.
    #[serde(deserialize_with = "lenient")]
    pub created: Option<i64>,
    /// Labels, those of docker-compose among them.
    #[serde(deserialize_with = "lenient")]
    pub labels: Option<BTreeMap<String, String>>,
}

impl ContainerSummary {
    /// The container's own name, without the slash.
    pub fn name(&self) -> Option<&str> {
        let names = self.names.as_deref().unwrap_or_default();
        // A link's alias holds a second slash.
        let own = names.iter().find(|name| !name.trim_start_matches('/').contains('/')).or(names.first())?;
        Some(own.trim_start_matches('/'))
    }

    /// The value of label `name`, if it has one.
    pub fn label(&self, name: &str) -> Option<&str> {
        self.labels.as_ref()?.get(name).map(String::as_str).filter(|value| !value.is_empty())
    }
}

/// What a container is doing, in the words of Docker and Podman.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(from = "String", into = "String")]
pub enum Status {
    /// Made and never started; Podman's `configured` and `initialized` too.
    Created,
    /// Running.
    Running,
    /// Frozen by `docker pause`.
    Paused,
    /// Ended, and about to be started again by its restart policy.
    Restarting,
    /// Ended; Podman's `stopped` too.
    Exited,
    /// Being stopped, a word of Podman's.
    Stopping,
    /// Being removed.
    Removing,
    /// Could not be removed.
    Dead,
    /// A word that nobody knows here, as it came.
    Other(String),
}

impl Status {
    /// Docker's word for it.
    pub fn word(&self) -> &str {
        match self {
            Self::Created => "created",
            Self::Running => "running",
            Self::Paused => "paused",
            Self::Restarting => "restarting",
            Self::Exited => "exited",
            Self::Stopping => "stopping",
            Self::Removing => "removing",
            Self::Dead => "dead",
            Self::Other(word) => word,
        }
    }
}

impl From<String> for Status {
    fn from(word: String) -> Self {
        match word.to_ascii_lowercase().as_str() {
            "created" | "configured" | "initialized" => Self::Created,
            "running" => Self::Running,
            "paused" => Self::Paused,
            "restarting" => Self::Restarting,
            "exited" | "stopped" => Self::Exited,
            "stopping" => Self::Stopping,
            "removing" => Self::Removing,
            "dead" => Self::Dead,
            _ => Self::Other(word),
        }
    }
}

impl From<Status> for String {
    fn from(status: Status) -> Self {
        status.word().to_owned()
    }
}

/// The part of `/containers/ID/json` that the checks use.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct Container {
    /// 64 hexadecimal digits.
    #[serde(deserialize_with = "lenient")]
    pub id: Option<String>,
    /// ID of the image that it was made from.
    #[serde(deserialize_with = "lenient")]
    pub image: Option<String>,
    /// Restarts by its restart policy since it was last started by hand.
    #[serde(deserialize_with = "lenient")]
    pub restart_count: Option<u64>,
    /// Bytes of its writable layer, where they were asked for.
    #[serde(deserialize_with = "lenient")]
    pub size_rw: Option<u64>,
    /// What it is doing.
    #[serde(deserialize_with = "or_default")]
    pub state: ContainerState,
    /// What it was made from.
    #[serde(deserialize_with = "or_default")]
    pub config: ContainerConfig,
    /// What the host gives it.
    #[serde(deserialize_with = "or_default")]
    pub host_config: HostConfig,
    /// Where it is on the network.
    #[serde(deserialize_with = "or_default")]
    pub network_settings: NetworkSettings,
}

/// `State` of a container.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct ContainerState {
    /// What it is doing.
    #[serde(deserialize_with = "lenient")]
    pub status: Option<Status>,
    /// Process ID of its first process on the engine's host; 0 while it does not run.
    #[serde(deserialize_with = "lenient")]
    pub pid: Option<u32>,
    /// Exit code of its last life.
    #[serde(deserialize_with = "lenient")]
    pub exit_code: Option<i64>,
    /// Whether its last life was ended for lack of memory, as far as the engine noticed. Stale on one that runs.
    #[serde(rename = "OOMKilled", deserialize_with = "lenient")]
    pub oom_killed: Option<bool>,
    /// Why it could not be started, in the engine's words; mostly empty.
    #[serde(deserialize_with = "lenient")]
    pub error: Option<String>,
    /// Begin of its last life; in the year 1 if there was none.
    #[serde(deserialize_with = "lenient")]
    pub started_at: Option<String>,
    /// End of its last life; in the year 1 if it was never ended.
    #[serde(deserialize_with = "lenient")]
    pub finished_at: Option<String>,
    /// Its health check; absent without one, and never so with Podman, which leaves it empty.
    #[serde(deserialize_with = "lenient", alias = "Healthcheck")]
    pub health: Option<HealthState>,
}

/// `State.Health` of a container.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct HealthState {
    /// `starting`, `healthy`, `unhealthy`, `none`, or empty.
    #[serde(deserialize_with = "lenient")]
    pub status: Option<String>,
    /// Checks that failed in a row.
    #[serde(deserialize_with = "lenient")]
    pub failing_streak: Option<u64>,
    /// The last few checks, the newest last.
    #[serde(deserialize_with = "lenient")]
    pub log: Option<Vec<HealthCheck>>,
}

/// One run of a health check.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct HealthCheck {
    /// Exit code; -1 if it took too long.
    #[serde(deserialize_with = "lenient")]
    pub exit_code: Option<i64>,
    /// What it printed.
    #[serde(deserialize_with = "lenient")]
    pub output: Option<String>,
}

/// `Config` of a container.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct ContainerConfig {
    /// The image as it was asked for.
    #[serde(deserialize_with = "lenient")]
    pub image: Option<String>,
    /// Whether it has a terminal, whose log is not split into streams.
    #[serde(deserialize_with = "lenient")]
    pub tty: Option<bool>,
    /// Its health check.
    #[serde(deserialize_with = "lenient")]
    pub healthcheck: Option<HealthConfig>,
}

/// `Config.Healthcheck` of a container.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct HealthConfig {
    /// Nanoseconds in which failures do not count yet.
    #[serde(deserialize_with = "lenient")]
    pub start_period: Option<u64>,
    /// Nanoseconds between two checks; 0 is the engine's default.
    #[serde(deserialize_with = "lenient")]
    pub interval: Option<u64>,
}

/// `HostConfig` of a container. A limit that is zero or negative is none.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct HostConfig {
    /// CPU limit in billionths of a core.
    #[serde(deserialize_with = "lenient")]
    pub nano_cpus: Option<i64>,
    /// CPU limit in microseconds a period.
    #[serde(deserialize_with = "lenient")]
    pub cpu_quota: Option<i64>,
    /// That period in microseconds; 0 is 100,000.
    #[serde(deserialize_with = "lenient")]
    pub cpu_period: Option<i64>,
    /// Cores that it may use, as in `0-2,7`.
    #[serde(deserialize_with = "lenient")]
    pub cpuset_cpus: Option<String>,
    /// Memory limit in bytes.
    #[serde(deserialize_with = "lenient")]
    pub memory: Option<i64>,
    /// Limit of processes and threads.
    #[serde(deserialize_with = "lenient")]
    pub pids_limit: Option<i64>,
    /// `host`, `none`, or a network.
    #[serde(deserialize_with = "lenient")]
    pub network_mode: Option<String>,
    /// What restarts it.
    #[serde(deserialize_with = "lenient")]
    pub restart_policy: Option<RestartPolicy>,
    /// Where its log goes.
    #[serde(deserialize_with = "lenient")]
    pub log_config: Option<LogConfig>,
}

/// `HostConfig.RestartPolicy` of a container.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct RestartPolicy {
    /// `no`, `always`, `on-failure`, `unless-stopped`, or empty.
    #[serde(deserialize_with = "lenient")]
    pub name: Option<String>,
}

/// `HostConfig.LogConfig` of a container.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct LogConfig {
    /// The driver, `json-file` for instance.
    #[serde(rename = "Type", deserialize_with = "lenient")]
    pub driver: Option<String>,
}

/// `NetworkSettings` of a container.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct NetworkSettings {
    /// Its place in each network, by the network's name.
    #[serde(deserialize_with = "lenient")]
    pub networks: Option<BTreeMap<String, NetworkPlace>>,
    /// Where its ports (`8080/tcp`) are published; nowhere for one without an entry.
    #[serde(deserialize_with = "lenient")]
    pub ports: Option<BTreeMap<String, Option<Vec<PortBinding>>>>,
}

/// The place of a container in a network.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct NetworkPlace {
    /// Its address; empty while it does not run.
    #[serde(rename = "IPAddress", deserialize_with = "lenient")]
    pub ip_address: Option<String>,
}

/// Where a port is published on the engine's host.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct PortBinding {
    /// Address; `0.0.0.0`, `::` or empty for all of the host's.
    #[serde(rename = "HostIp", deserialize_with = "lenient")]
    pub host_ip: Option<String>,
    /// Port.
    #[serde(deserialize_with = "lenient")]
    pub host_port: Option<String>,
}

/// The part of `/images/NAME/json` that the checks use.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct Image {
    /// `sha256:` and 64 hexadecimal digits.
    #[serde(deserialize_with = "lenient")]
    pub id: Option<String>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_container_is_called_by_its_own_name() {
        let names = |names: &[&str]| ContainerSummary {
            names: Some(names.iter().map(ToString::to_string).collect()),
            ..ContainerSummary::default()
        };
        assert_eq!(names(&["/kwanza/db", "/deploy_postgres_1"]).name(), Some("deploy_postgres_1"));
        assert_eq!(names(&[]).name(), None);
        assert_eq!(ContainerSummary::default().name(), None);
    }

    #[test]
    fn the_words_of_engines_are_known_and_others_are_kept() {
        let status = |word: &str| Status::from(word.to_owned());
        assert_eq!(
            (status("running"), status("stopped"), status("Initialized")),
            (Status::Running, Status::Exited, Status::Created)
        );
        assert_eq!(status("hibernating"), Status::Other("hibernating".to_owned()));
        let row: ContainerSummary =
            serde_json::from_str(r#"{"State": "hibernating", "Labels": null, "Created": "2026-01-01"}"#).unwrap();
        assert_eq!((row.state, row.labels, row.created), (Some(status("hibernating")), None, None));
    }

    #[test]
    fn a_container_without_most_fields_is_one_still() {
        for text in
            ["{}", r#"{"State": {"Health": {"Status": "", "Log": null}, "Pid": -1}, "HostConfig": {"LogConfig": 7}}"#]
        {
            let container: Container = serde_json::from_str(text).unwrap();
            assert_eq!((container.state.status, container.state.pid), (None, None));
        }
    }
}
