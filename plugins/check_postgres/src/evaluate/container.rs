//! What the engine says of the container of a server that is not there.

use std::fmt::Write as _;

use common::docker::diagnosis::diagnose;
use common::docker::{EngineError, Status, exit};

use super::fault::Words;
use crate::outcome::Look;

/// Adds what the engine says of container `name`.
pub(super) fn add(words: &mut Words, name: &str, look: &Result<Box<Look>, EngineError>) {
    match look {
        Ok(look) => {
            words.causes.push(in_a_line(name, look));
            explain(words, name, look);
        }
        Err(EngineError::Status { status: 404, .. }) => words.causes.push(format!("there is no container {name}")),
        Err(error) => words.causes.push(format!("the engine does not tell how container {name} is: {error}")),
    }
}

/// The state of a container.
pub(super) fn in_a_line(name: &str, look: &Look) -> String {
    let state = &look.container.state;
    let word = state.status.as_ref().map_or("in no known state", Status::word);
    let mut text = format!("container {name} is {word}");
    if state.status == Some(Status::Running) {
        if let Some(health) = state.health.as_ref().and_then(|health| health.status.as_deref()) {
            let _ = write!(text, ", {health}");
        }
        return text;
    }
    if let Some(code) = state.exit_code {
        let _ = write!(text, ", exit code {code}");
        let signal = exit::words(code).split(',').next().filter(|word| word.starts_with("SIG"));
        if let Some(signal) = signal {
            let _ = write!(text, " ({signal})");
        }
    }
    if state.oom_killed == Some(true) {
        text.push_str(", killed for lack of memory");
    }
    text
}

/// Adds why a container is as it is, as far as its exit code, the engine and its log tell.
pub(super) fn explain(words: &mut Words, name: &str, look: &Look) {
    let state = &look.container.state;
    if let Some(error) = state.error.as_deref().filter(|error| !error.is_empty()) {
        words.causes.push(format!("the engine says: {error}"));
    }
    let diagnosis = diagnose(&look.log, &[]);
    let ended = state.exit_code.filter(|_| state.status != Some(Status::Running));
    if let Some((cause, next)) = ended.filter(|_| diagnosis.class().is_none()).and_then(exit::explanation) {
        words.causes.push(cause.to_owned());
        if next != exit::JOB {
            words.next.push(next.to_owned());
        }
    }
    words.causes.extend(diagnosis.causes().iter().map(ToString::to_string));
    words.next.extend(diagnosis.next().iter().map(ToString::to_string));
    words.next.push(format!("check_containers --container {name} tells more"));
}
