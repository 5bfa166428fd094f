//! Why an engine cannot be asked, and what to do about it. The same words in every plugin.

use std::io::ErrorKind;

use super::EngineError;
use crate::http::{Endpoint, HttpError};
use crate::state::State;

/// A verdict on an engine that does not answer as it should.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unreachable {
    /// UNKNOWN where this user may not ask, which is the check's fault; else CRITICAL.
    pub state: State,
    /// What is wrong.
    pub reason: String,
    /// What to do next.
    pub next: &'static str,
}

/// The verdict on the engine at `endpoint`, which answered a ping by `error`.
pub fn unreachable(error: &EngineError, endpoint: &Endpoint) -> Unreachable {
    let (state, reason, next) = match error {
        EngineError::Permission => (
            State::Unknown,
            format!("permission denied on {endpoint}"),
            "add the monitoring user to the group docker (as good as root), or point --docker-host at a read-only socket proxy",
        ),
        EngineError::Status { status: 401 | 403, .. } => (
            State::Unknown,
            format!("the engine at {endpoint} does not let us ask: {error}"),
            "let the proxy before the engine pass the GET requests that the man page lists under PRIVILEGES",
        ),
        error if error.is_ours() => (
            State::Unknown,
            format!("the engine at {endpoint} cannot be asked: {error}"),
            "--docker-host, --tls-ca, --tls-cert and --tls-key, or DOCKER_HOST, DOCKER_TLS_VERIFY and DOCKER_CERT_PATH, say how",
        ),
        EngineError::Http(HttpError::Timeout) => (
            State::Critical,
            format!("the engine at {endpoint} accepts connections and does not answer"),
            "journalctl -u docker --since -1h; systemctl restart docker",
        ),
        EngineError::Http(HttpError::Connect(cause))
            if cause.kind() == ErrorKind::NotFound && matches!(endpoint, Endpoint::Unix(_)) =>
        {
            (
                State::Critical,
                format!("the engine is down, there is no socket at {endpoint}"),
                "systemctl start docker; --docker-host names another socket",
            )
        }
        EngineError::Http(HttpError::Connect(cause)) if cause.kind() == ErrorKind::ConnectionRefused => (
            State::Critical,
            format!("the engine is down, nothing listens at {endpoint}"),
            "systemctl start docker; journalctl -u docker --since -1h",
        ),
        error => (
            State::Critical,
            format!("the engine at {endpoint} does not answer as it should: {error}"),
            "systemctl status docker; journalctl -u docker --since -1h",
        ),
    };
    Unreachable { state, reason, next }
}
