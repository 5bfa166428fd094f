//! What the engine says of the container of a server that is not there.

use std::fmt::Write as _;

use common::docker::{Container, EngineError, Status};

/// A container that was looked up in one line, and what to do.
pub(super) fn looked_up(name: &str, container: &Result<Box<Container>, EngineError>) -> (String, Vec<String>) {
    match container {
        Ok(container) => explain(name, container),
        Err(EngineError::Status { status: 404, .. }) => {
            (format!("there is no container {name}"), vec!["docker-compose ps".to_owned()])
        }
        Err(error) => (format!("the engine does not tell how container {name} is: {error}"), Vec::new()),
    }
}

/// The container in one line, and what to do.
pub(super) fn explain(name: &str, container: &Container) -> (String, Vec<String>) {
    let state = &container.state;
    let word = state.status.as_ref().map_or("in no known state", Status::word);
    let mut text = format!("container {name} is {word}");
    if state.status != Some(Status::Running) {
        if let Some(code) = state.exit_code {
            let killed = if state.oom_killed == Some(true) { ", killed for lack of memory" } else { "" };
            let _ = write!(text, ", its exit code is {code}{killed}");
        }
        if let Some(error) = state.error.as_deref().filter(|error| !error.is_empty()) {
            let _ = write!(text, ": {error}");
        }
    } else if let Some(health) = state.health.as_ref().and_then(|health| health.status.as_deref()) {
        let _ = write!(text, ", {health}");
    }
    (text, vec![format!("check_containers --container {name} explains it by the log")])
}
