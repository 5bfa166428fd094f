//! The few GETs of the Docker Engine API that the checks need, in models that tolerate every engine.
//!
//! Every field is optional: engines drop fields between versions, and Podman never had some.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use serde::de::DeserializeOwned;
use serde::{Deserialize, Deserializer, Serialize};

use crate::http::{Client, Endpoint, HttpError};

/// The newest API version that the models here were read against; newer engines are asked in this one.
const NEWEST_API: (u32, u32) = (1, 51);
/// A list of containers or of disk usage longer than this is refused.
const MAX_LIST_BYTES: u64 = 16 << 20;
/// Longest answer to the small requests.
const MAX_SMALL_BYTES: u64 = 1 << 20;

/// Sockets where an engine listens by default, rootful and rootless, Docker before Podman.
pub fn default_endpoint() -> Endpoint {
    let runtime = std::env::var_os("XDG_RUNTIME_DIR").map(PathBuf::from);
    let mut candidates = vec![PathBuf::from("/var/run/docker.sock")];
    candidates.extend(runtime.as_ref().map(|dir| dir.join("docker.sock")));
    candidates.push(PathBuf::from("/run/podman/podman.sock"));
    candidates.extend(runtime.map(|dir| dir.join("podman/podman.sock")));
    let found = candidates.iter().find(|path| path.symlink_metadata().is_ok());
    // Where there is none, the first is the one to name.
    Endpoint::Unix(found.cloned().unwrap_or_else(|| PathBuf::from("/var/run/docker.sock")))
}

/// Reads an address as the docker client writes it: `unix:///path`, `tcp://host:port`, `/path`.
pub fn parse_endpoint(text: &str) -> Result<Endpoint, String> {
    if let Some(path) = text.strip_prefix("unix://") {
        return unix(path, text);
    }
    if text.starts_with('/') {
        return unix(text, text);
    }
    if let Some(authority) = text.strip_prefix("tcp://").or_else(|| text.strip_prefix("http://")) {
        let authority = authority.trim_end_matches('/');
        let (host, port) = authority.rsplit_once(':').unwrap_or((authority, "2375"));
        let is_whole = !host.is_empty() && (!host.contains(':') || (host.starts_with('[') && host.ends_with(']')));
        let is_host = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_' | ':' | '[' | ']' | '%');
        if !is_whole || port.parse::<u16>().is_err() || !host.chars().all(is_host) {
            return Err(format!("'{text}' is not tcp://HOST:PORT"));
        }
        return Ok(Endpoint::Tcp(format!("{host}:{port}")));
    }
    match text.split_once("://") {
        Some(("ssh", _)) => Err("ssh:// is not supported: run the check on the Docker host itself".to_owned()),
        Some(("https", _)) => Err("TLS to the engine is not supported here: use its unix socket".to_owned()),
        _ => Err(format!("'{text}' is not an address: write unix:///PATH or tcp://HOST:PORT")),
    }
}

fn unix(path: &str, text: &str) -> Result<Endpoint, String> {
    if path.starts_with('/') { Ok(Endpoint::Unix(path.into())) } else { Err(format!("'{text}' has no absolute path")) }
}

/// The endpoint that an option, else `DOCKER_HOST`, else a default socket names.
///
/// The error says what is wrong with the one that was named.
pub fn endpoint(option: Option<&str>) -> Result<Endpoint, String> {
    if let Some(text) = option {
        return parse_endpoint(text).map_err(|reason| format!("--docker-host: {reason}"));
    }
    let Some(text) = std::env::var_os("DOCKER_HOST").filter(|text| !text.is_empty()) else {
        return Ok(default_endpoint());
    };
    let endpoint = parse_endpoint(&text.to_string_lossy()).map_err(|reason| format!("DOCKER_HOST: {reason}"))?;
    let wants_tls = std::env::var_os("DOCKER_TLS_VERIFY").is_some_and(|value| !value.is_empty());
    if wants_tls && matches!(endpoint, Endpoint::Tcp(_)) {
        return Err("DOCKER_TLS_VERIFY: TLS to the engine is not supported here: use its unix socket".to_owned());
    }
    Ok(endpoint)
}

/// Why the engine did not answer as it should.
#[derive(Debug)]
pub enum EngineError {
    /// The socket refuses this user.
    Permission,
    /// Nothing listens, or it broke off, hung or spoke something else.
    Http(HttpError),
    /// The engine refused the request.
    Status {
        /// HTTP status.
        status: u16,
        /// The engine's own words, unchecked.
        message: String,
    },
    /// The answer is not what the API promises.
    Garbage(String),
}

impl std::fmt::Display for EngineError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Permission => f.write_str("permission denied"),
            Self::Http(error) => error.fmt(f),
            Self::Status { status, message } if message.is_empty() => write!(f, "it answers HTTP {status}"),
            Self::Status { status, message } => write!(f, "it answers HTTP {status}: {message}"),
            Self::Garbage(reason) => write!(f, "the answer is not that of a Docker Engine ({reason})"),
        }
    }
}

impl From<HttpError> for EngineError {
    fn from(error: HttpError) -> Self {
        match error {
            HttpError::Connect(error) if error.kind() == std::io::ErrorKind::PermissionDenied => Self::Permission,
            error => Self::Http(error),
        }
    }
}

/// An engine that has answered a ping.
#[derive(Debug)]
pub struct Engine {
    client: Client,
    /// `/v1.41` or empty, which leaves the choice to the engine.
    prefix: String,
    /// How long the ping took, connecting included.
    pub ping: Duration,
}

impl Engine {
    /// Connects to `endpoint` and pings. The engine's API version is pinned for what follows.
    pub fn connect(endpoint: &Endpoint, timeout: Duration) -> Result<Self, EngineError> {
        let client = Client::new(endpoint);
        let begin = Instant::now();
        let answer = client.get("/_ping", timeout, MAX_SMALL_BYTES)?;
        let ping = begin.elapsed();
        if answer.status != 200 {
            return Err(refused(answer.status, &answer.body));
        }
        if answer.body.trim_ascii() != b"OK" {
            return Err(EngineError::Garbage("the ping was not answered with OK".to_owned()));
        }
        let prefix = answer.header("api-version").and_then(pinned).unwrap_or_default();
        Ok(Self { client, prefix, ping })
    }

    /// `/info`: what the engine says of itself.
    pub fn info(&self, timeout: Duration) -> Result<Info, EngineError> {
        self.get("/info", timeout, MAX_SMALL_BYTES)
    }

    /// `/containers/json?all=1`: every container, in a few words each.
    pub fn containers(&self, timeout: Duration) -> Result<Vec<ContainerSummary>, EngineError> {
        self.get::<Option<Vec<ContainerSummary>>>("/containers/json?all=1", timeout, MAX_LIST_BYTES)
            .map(Option::unwrap_or_default)
    }

    /// `/system/df`: what images, containers, volumes and the build cache take. The engine walks the disk for it.
    pub fn disk_usage(&self, timeout: Duration) -> Result<DiskUsage, EngineError> {
        self.get("/system/df", timeout, MAX_LIST_BYTES)
    }

    fn get<T: DeserializeOwned>(&self, path: &str, timeout: Duration, limit: u64) -> Result<T, EngineError> {
        let answer = self.client.get(&format!("{}{path}", self.prefix), timeout, limit)?;
        if answer.status != 200 {
            return Err(refused(answer.status, &answer.body));
        }
        serde_json::from_slice(&answer.body).map_err(|error| EngineError::Garbage(format!("{path}: {error}")))
    }
}

/// The path prefix for an engine that offers up to `offered`.
fn pinned(offered: &str) -> Option<String> {
    let (major, minor) = offered.trim().split_once('.')?;
    let offered = (major.parse().ok()?, minor.parse().ok()?);
    let (major, minor) = NEWEST_API.min(offered);
    Some(format!("/v{major}.{minor}"))
}

fn refused(status: u16, body: &[u8]) -> EngineError {
    #[derive(Deserialize)]
    struct Message {
        message: String,
    }
    let message = serde_json::from_slice::<Message>(body).map(|body| body.message).unwrap_or_default();
    EngineError::Status { status, message }
}

/// A field that an engine writes in a way of its own is absent, and the others are not lost with it.
fn lenient<'de, D: Deserializer<'de>, T: DeserializeOwned>(deserializer: D) -> Result<Option<T>, D::Error> {
    let value = serde_json::Value::deserialize(deserializer)?;
    Ok(serde_json::from_value(value).ok())
}

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
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct ContainerSummary {
    /// 64 hexadecimal digits.
    pub id: Option<String>,
    /// Names, each with a leading slash; links give a container further ones.
    pub names: Option<Vec<String>>,
}

impl ContainerSummary {
    /// The container's own name, without the slash.
    pub fn name(&self) -> Option<&str> {
        let names = self.names.as_deref().unwrap_or_default();
        // A link's alias holds a second slash.
        let own = names.iter().find(|name| !name.trim_start_matches('/').contains('/')).or(names.first())?;
        Some(own.trim_start_matches('/'))
    }
}

/// The part of `/system/df` that the checks use. Sizes are bytes; -1 is "not computed".
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct DiskUsage {
    layers_size: Option<i64>,
    images: Option<Vec<ImageUsage>>,
    containers: Option<Vec<ContainerUsage>>,
    volumes: Option<Vec<VolumeUsage>>,
    build_cache: Option<Vec<CacheUsage>>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct ImageUsage {
    size: Option<i64>,
    shared_size: Option<i64>,
    containers: Option<i64>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct ContainerUsage {
    state: Option<String>,
    size_rw: Option<i64>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct VolumeUsage {
    usage_data: Option<VolumeSize>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct VolumeSize {
    size: Option<i64>,
    ref_count: Option<i64>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct CacheUsage {
    size: Option<i64>,
    in_use: Option<bool>,
    shared: Option<bool>,
}

/// Bytes that `docker system prune` and its kin would free, by what they are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Reclaimable {
    /// Layers of images that no container uses.
    pub images: u64,
    /// Writable layers of containers that do not run.
    pub containers: u64,
    /// Volumes that no container mounts.
    pub volumes: u64,
    /// Build cache that is not in use.
    pub build_cache: u64,
}

impl DiskUsage {
    /// What could be freed, computed as `docker system df` does.
    pub fn reclaimable(&self) -> Reclaimable {
        let used_images: u64 = self
            .images
            .iter()
            .flatten()
            .filter(|image| image.containers.is_some_and(|count| count > 0))
            .map(|image| bytes(image.size).saturating_sub(bytes(image.shared_size)))
            .sum();
        let stopped = |container: &&ContainerUsage| {
            !matches!(container.state.as_deref(), Some("running" | "paused" | "restarting"))
        };
        let unused = |volume: &VolumeSize| volume.ref_count.is_some_and(|count| count == 0);
        let idle = |cache: &&CacheUsage| cache.in_use == Some(false) && cache.shared != Some(true);
        let volumes = self.volumes.iter().flatten().filter_map(|volume| volume.usage_data.as_ref());
        Reclaimable {
            images: bytes(self.layers_size).saturating_sub(used_images),
            containers: self.containers.iter().flatten().filter(stopped).map(|each| bytes(each.size_rw)).sum(),
            volumes: volumes.filter(|volume| unused(volume)).map(|volume| bytes(volume.size)).sum(),
            build_cache: self.build_cache.iter().flatten().filter(idle).map(|each| bytes(each.size)).sum(),
        }
    }
}

fn bytes(size: Option<i64>) -> u64 {
    size.and_then(|size| u64::try_from(size).ok()).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_read_as_the_docker_client_writes_them() {
        let tcp = |text: &str| Ok(Endpoint::Tcp(text.to_owned()));
        assert_eq!(parse_endpoint("unix:///run/d.sock"), Ok(Endpoint::Unix("/run/d.sock".into())));
        assert_eq!(parse_endpoint("/run/d.sock"), Ok(Endpoint::Unix("/run/d.sock".into())));
        assert_eq!(parse_endpoint("tcp://127.0.0.1:2375"), tcp("127.0.0.1:2375"));
        assert_eq!(parse_endpoint("tcp://docker"), tcp("docker:2375"));
        assert_eq!(parse_endpoint("tcp://[::1]:2375/"), tcp("[::1]:2375"));
        for (bad, reason) in [
            ("ssh://root@host", "run the check on the Docker host"),
            ("https://host:2376", "TLS"),
            ("unix://relative", "absolute"),
            ("tcp://", "tcp://HOST:PORT"),
            ("tcp://host:99999", "tcp://HOST:PORT"),
            ("tcp://host:1/path", "tcp://HOST:PORT"),
            ("tcp://ho|st\n:1", "tcp://HOST:PORT"),
            ("", "not an address"),
        ] {
            let refusal = parse_endpoint(bad).unwrap_err();
            assert!(refusal.contains(reason), "{bad}: {refusal}");
        }
    }

    #[test]
    fn the_api_version_is_pinned_inside_what_is_offered() {
        for (offered, prefix) in
            [("1.41", Some("/v1.41")), ("1.56", Some("/v1.51")), ("2.0", Some("/v1.51")), ("x", None), ("", None)]
        {
            assert_eq!(pinned(offered).as_deref(), prefix, "{offered}");
        }
    }

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
    fn reclaimable_space_is_that_of_docker_system_df() {
        let usage: DiskUsage = serde_json::from_str(
            r#"{"LayersSize": 1000,
                "Images": [{"Size": 700, "SharedSize": 100, "Containers": 1}, {"Size": 500, "SharedSize": 100, "Containers": 0}],
                "Containers": [{"State": "running", "SizeRw": 9}, {"State": "exited", "SizeRw": 20}, {"State": "exited"}],
                "Volumes": [{"UsageData": {"Size": 30, "RefCount": 0}}, {"UsageData": {"Size": 8, "RefCount": 2}}, {"UsageData": null}],
                "BuildCache": [{"Size": 5, "InUse": false, "Shared": false}, {"Size": 6, "InUse": true}]}"#,
        )
        .unwrap();
        assert_eq!(usage.reclaimable(), Reclaimable { images: 400, containers: 20, volumes: 30, build_cache: 5 });
        let empty: DiskUsage = serde_json::from_str(r#"{"LayersSize": -1, "Images": null}"#).unwrap();
        assert_eq!(empty.reclaimable(), Reclaimable::default());
    }
}
