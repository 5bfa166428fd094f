//! Answers of gRPC's health service.

use common::judging::Judging;
use common::number::Number;
use common::state::State;

use super::Subject;
use crate::metrics::GRPC_STATUS;
use crate::parse::grpc::{Serving, status_name};
use crate::snapshot::GrpcAnswer;

const OK: u32 = 0;
const NOT_FOUND: u32 = 5;
const PERMISSION_DENIED: u32 = 7;
const UNIMPLEMENTED: u32 = 12;
const UNAUTHENTICATED: u32 = 16;

/// Judges `answer` and says it, part by part.
pub(super) fn judge(subject: &Subject, judging: &mut Judging, answer: &GrpcAnswer) -> Vec<String> {
    let instance = &subject.target.instance;
    let service = &subject.config.options.grpc_service;
    let of = if service.is_empty() { String::new() } else { format!(" ({service})") };
    let message = if answer.message.is_empty() { String::new() } else { format!(": {}", answer.message) };
    let Some(status) = answer.status else {
        let text = if answer.content_type.starts_with("application/grpc") {
            "answers without a status of gRPC".to_owned()
        } else {
            format!("speaks HTTP/2 but no gRPC, it answers HTTP {}", answer.http_status)
        };
        judging.problem(State::Critical, format!("{instance} {text}"));
        return vec![text];
    };
    judging.add(&GRPC_STATUS, Number::from(u64::from(status)), &format!("{instance} status of gRPC"));
    let (state, text, step) = match status {
        OK => return vec![serving(judging, answer, instance, &of)],
        UNIMPLEMENTED if subject.config.options.require_health => {
            (State::Critical, format!("has no health service{message}"), None)
        }
        UNIMPLEMENTED => return vec!["alive".to_owned(), "no health service".to_owned()],
        UNAUTHENTICATED | PERMISSION_DENIED => {
            return vec!["alive".to_owned(), format!("gated ({})", status_name(status))];
        }
        NOT_FOUND => (
            State::Unknown,
            format!("has a health service that does not know '{service}'"),
            Some("--grpc-service names another service; without it the whole server is asked for"),
        ),
        _ => (State::Critical, format!("answers {}{message}", status_name(status)), None),
    };
    judging.problem(state, format!("{instance} {text}"));
    judging.item.next.extend(step.map(Into::into));
    vec![text]
}

/// What an answer without a fault says.
fn serving(judging: &mut Judging, answer: &GrpcAnswer, instance: &str, of: &str) -> String {
    let (state, text) = match &answer.serving {
        Ok(Serving::Serving) => return format!("SERVING{of}"),
        Ok(Serving::NotServing) => (State::Critical, format!("is NOT_SERVING{of}")),
        Ok(Serving::Unknown) => (State::Critical, format!("does not know its health{of} (UNKNOWN)")),
        Ok(Serving::ServiceUnknown) => (State::Unknown, format!("does not know the health{of} (SERVICE_UNKNOWN)")),
        Ok(Serving::Other(number)) => (State::Unknown, format!("tells a health{of} that nobody knows here ({number})")),
        Err(reason) => (State::Critical, format!("answers no health{of}: {reason}")),
    };
    judging.problem(state, format!("{instance} {text}"));
    text
}
