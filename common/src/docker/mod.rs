//! The few GETs of the Docker Engine API that the checks need, in models that tolerate every engine.
//!
//! Every field is optional: engines drop fields between versions, and Podman never had some.

mod address;
pub mod diagnosis;
pub mod exit;
pub mod hints;
mod identity;
mod logs;
mod models;
mod reach;
mod stats;
#[cfg(feature = "tls")]
mod tls;
mod unreachable;
mod usage;

use std::fmt::Write as _;
use std::time::{Duration, Instant};

use serde::de::DeserializeOwned;
use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;

pub use self::address::{default_endpoint, endpoint, parse_endpoint};
pub use self::identity::container_id;
pub use self::logs::demultiplexed;
pub use self::models::*;
pub use self::reach::address;
pub use self::stats::*;
#[cfg(feature = "tls")]
pub use self::tls::{TlsOptions, endpoint_with_tls};
pub use self::unreachable::{Unreachable, unreachable};
pub use self::usage::{DiskUsage, Reclaimable};

use crate::http::{Client, Endpoint, HttpError};

/// The newest API version that the models here were read against; newer engines are asked in this one.
const NEWEST_API: (u32, u32) = (1, 51);
/// A list of containers or of disk usage longer than this is refused.
const MAX_LIST_BYTES: u64 = 16 << 20;
/// Longest answer to the small requests.
const MAX_SMALL_BYTES: u64 = 1 << 20;

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

impl EngineError {
    /// Whether the fault is the check's own, its rights, files or options, and says nothing of the engine.
    pub fn is_ours(&self) -> bool {
        match self {
            Self::Permission | Self::Status { status: 401 | 403, .. } => true,
            Self::Http(error) => error.is_ours(),
            Self::Status { .. } | Self::Garbage(_) => false,
        }
    }
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
    /// What the engine's clock showed then, as HTTP writes it, if it said so.
    pub date: Option<String>,
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
        let date = answer.header("date").map(str::to_owned);
        Ok(Self { client, prefix, ping, date })
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

    /// `/containers/ID/json`: all that the engine knows of a container; with `size`, the engine walks its disk.
    pub fn container(&self, id: &str, size: bool, timeout: Duration) -> Result<Container, EngineError> {
        let query = if size { "?size=1" } else { "" };
        self.get(&format!("/containers/{}/json{query}", encoded(id)), timeout, MAX_SMALL_BYTES)
    }

    /// `/containers/ID/stats`: one reading of its figures. Some engines answer at once, others with their next reading,
    /// which they make every second or two.
    pub fn stats(&self, id: &str, timeout: Duration) -> Result<Stats, EngineError> {
        let path = format!("/containers/{}/stats?stream=false&one-shot=true", encoded(id));
        let body = self.body(&path, timeout, MAX_SMALL_BYTES)?;
        if body.trim_ascii().is_empty() {
            // Podman's words for a container that does not run, and for one that is about to start again.
            return Ok(Stats::default());
        }
        parsed::<Option<Stats>>(&path, &body).map(Option::unwrap_or_default)
    }

    /// `/containers/ID/logs`: the last `lines` lines of both streams, of those written since `since` (seconds since
    /// 1970 with decimals, as the engine's clock counts), at most `limit` bytes of them, as they come.
    pub fn logs(
        &self,
        id: &str,
        lines: u32,
        since: Option<&str>,
        limit: u64,
        timeout: Duration,
    ) -> Result<Vec<u8>, EngineError> {
        let since = since.map(|since| format!("&since={since}")).unwrap_or_default();
        let path = format!("{}/containers/{}/logs?stdout=1&stderr=1&tail={lines}{since}", self.prefix, encoded(id));
        let answer = self.client.get_first(&path, timeout, limit)?;
        if answer.status != 200 {
            return Err(refused(answer.status, &answer.body));
        }
        Ok(answer.body)
    }

    /// `/images/NAME/json`: the image that a name stands for now.
    pub fn image(&self, name: &str, timeout: Duration) -> Result<Image, EngineError> {
        self.get(&format!("/images/{}/json", encoded(name)), timeout, MAX_SMALL_BYTES)
    }

    /// `/system/df`: what images, containers, volumes and the build cache take. The engine walks the disk for it.
    pub fn disk_usage(&self, timeout: Duration) -> Result<DiskUsage, EngineError> {
        self.get("/system/df", timeout, MAX_LIST_BYTES)
    }

    fn get<T: DeserializeOwned>(&self, path: &str, timeout: Duration, limit: u64) -> Result<T, EngineError> {
        parsed(path, &self.body(path, timeout, limit)?)
    }

    fn body(&self, path: &str, timeout: Duration, limit: u64) -> Result<Vec<u8>, EngineError> {
        let answer = self.client.get(&format!("{}{path}", self.prefix), timeout, limit)?;
        if answer.status != 200 {
            return Err(refused(answer.status, &answer.body));
        }
        Ok(answer.body)
    }
}

fn parsed<T: DeserializeOwned>(path: &str, body: &[u8]) -> Result<T, EngineError> {
    serde_json::from_slice(body).map_err(|error| EngineError::Garbage(format!("{}: {error}", without_id(path))))
}

/// `path` for a reader, who would lose the rest behind 64 digits.
fn without_id(path: &str) -> String {
    let is_id = |word: &&str| word.len() == 64 && word.bytes().all(|byte| byte.is_ascii_hexdigit());
    path.split('/').map(|word| if is_id(&word) { "ID" } else { word }).collect::<Vec<_>>().join("/")
}

/// `name` as a part of a path. The slashes and colons of image names stay, as the engine wants them.
fn encoded(name: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~/:@".contains(&byte);
    let mut text = String::with_capacity(name.len());
    for byte in name.bytes() {
        if plain(byte) {
            text.push(byte.into());
        } else {
            let _ = write!(text, "%{byte:02X}");
        }
    }
    text
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

/// A part that is null or of another shape counts as empty.
fn or_default<'de, D: Deserializer<'de>, T: DeserializeOwned + Default>(deserializer: D) -> Result<T, D::Error> {
    lenient(deserializer).map(Option::unwrap_or_default)
}

/// A field that an engine writes in a way of its own is absent, and the others are not lost with it.
fn lenient<'de, D: Deserializer<'de>, T: DeserializeOwned>(deserializer: D) -> Result<Option<T>, D::Error> {
    // The text of the field first, which costs nothing: most of an answer is passed over.
    let text = <&RawValue>::deserialize(deserializer)?.get();
    Ok(serde_json::from_slice(text.as_bytes()).ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_cannot_leave_their_place_in_a_path() {
        assert_eq!(encoded("registry:5000/kwanza:1.2"), "registry:5000/kwanza:1.2");
        assert_eq!(encoded("a?b#c d%"), "a%3Fb%23c%20d%25");
    }

    #[test]
    fn the_api_version_is_pinned_inside_what_is_offered() {
        for (offered, prefix) in
            [("1.41", Some("/v1.41")), ("1.56", Some("/v1.51")), ("2.0", Some("/v1.51")), ("x", None), ("", None)]
        {
            assert_eq!(pinned(offered).as_deref(), prefix, "{offered}");
        }
    }
}
