//! Answers of HTTP.

use common::judging::Judging;
use common::number::Number;
use common::state::State;
use common::text::Text;
use common::units::bytes;

use super::Subject;
use crate::metrics::{SIZE, STATUS};
use crate::snapshot::HttpAnswer;
use crate::target::Url;

/// How much of a body that is not as expected is shown.
const SHOWN: usize = 80;

/// Judges `answer` and says it, part by part.
pub(super) fn judge(subject: &Subject, judging: &mut Judging, answer: &HttpAnswer) -> Vec<String> {
    let status = answer.head.status;
    let has_path = subject.target.url.path.is_some() || !subject.found.followed.is_empty();
    let instance = &subject.target.instance;
    judging.add(&STATUS, Number::from(u64::from(status)), &format!("{instance} status"));
    judging.add(&SIZE, Number::from(answer.body.len()), &format!("{instance} body of"));
    let is_unchecked = judge_status(subject, judging, status, has_path);
    judge_headers(subject, judging, answer);
    judge_body(subject, judging, answer);
    let leads = judge_redirect(subject, judging, answer);
    let mut said = vec![format!("HTTP {status}")];
    if !answer.body.is_empty() {
        said.push(bytes(u64::try_from(answer.body.len()).unwrap_or(u64::MAX)));
    }
    said.extend(leads);
    if is_unchecked {
        said.push("listener answers, no path checked".to_owned());
    }
    said
}

/// Judges the status, and says whether it tells only that somebody listens.
fn judge_status(subject: &Subject, judging: &mut Judging, status: u16, has_path: bool) -> bool {
    let instance = &subject.target.instance;
    if let Some(expected) = &subject.config.statuses {
        if !expected.iter().any(|(from, to)| (*from..=*to).contains(&status)) {
            let wanted = subject.config.options.expect_status.as_deref().unwrap_or_default();
            judging.problem(State::Critical, format!("{instance} answers HTTP {status}, expected {wanted}"));
        }
        return false;
    }
    match status {
        200..=399 => {}
        // The server says so itself, whatever the path.
        500..=599 if !has_path => {
            judging.problem(State::Warning, format!("{instance} answers HTTP {status}"));
            super::guide::not_well(subject.target, &mut judging.item);
        }
        _ if !has_path => {}
        _ => {
            judging.problem(State::Critical, format!("{instance} answers HTTP {status}"));
            let step = match status {
                401 | 403 | 407 => Some("--header-file sends credentials; --expect-status takes it for alive"),
                404 | 410 => Some("is the path right? Without one, any answer will do"),
                405 | 501 => Some("--method asks in another way"),
                _ => None,
            };
            judging.item.next.extend(step.map(Text::from));
        }
    }
    !has_path
}

fn judge_headers(subject: &Subject, judging: &mut Judging, answer: &HttpAnswer) {
    let instance = &subject.target.instance;
    for (name, wanted) in &subject.config.headers {
        let values = answer.head.headers.iter().filter(|(key, _)| key == name);
        let values: Vec<&str> = values.map(|(_, value)| value.as_str()).collect();
        if values.is_empty() {
            judging.problem(State::Critical, format!("{instance} sends no header {name}"));
        } else if !values.iter().any(|value| value.contains(wanted.as_str())) {
            // Its value may be a secret of a session.
            judging.problem(State::Critical, format!("{instance} sends a header {name} without '{wanted}'"));
        }
    }
}

fn judge_body(subject: &Subject, judging: &mut Judging, answer: &HttpAnswer) {
    let instance = &subject.target.instance;
    if subject.config.bodies.is_empty() {
        return;
    }
    if let Some(coding) = answer.head.header("content-encoding").filter(|coding| *coding != "identity") {
        judging.problem(
            State::Critical,
            format!("{instance} sends a body packed as {coding}, which was not asked for, so it cannot be looked at"),
        );
        return;
    }
    let body = String::from_utf8_lossy(&answer.body);
    for expected in &subject.config.bodies {
        if !expected.is_match(&body) {
            judging.problem(State::Critical, format!("{instance}: the body does not match '{expected}'"));
            let begin = if body.trim().is_empty() {
                "the body is empty".to_owned()
            } else {
                format!("the body begins: {}", Text::limited(body.trim_start(), SHOWN))
            };
            judging.item.causes.push(begin.into());
        }
    }
}

/// Judges where the answer leads, and says it.
fn judge_redirect(subject: &Subject, judging: &mut Judging, answer: &HttpAnswer) -> Option<String> {
    let instance = &subject.target.instance;
    let expected: Option<&Url> = subject.config.redirect.as_ref();
    match (&answer.leads_to, expected) {
        (Some(Ok(next)), Some(expected)) if !is_same(next, expected) => {
            judging.problem(State::Critical, format!("{instance} leads to {next}, expected {expected}"));
        }
        (Some(Err(reason)), _) => {
            judging.problem(State::Critical, format!("{instance} leads nowhere: {reason}"));
        }
        (None, Some(expected)) => {
            judging.problem(State::Critical, format!("{instance} does not lead to {expected}, it leads nowhere"));
        }
        _ => {}
    }
    let next = answer.leads_to.as_ref()?.as_ref().ok()?;
    Some(format!("leads to {next}"))
}

/// A URL without a path is one with the shortest.
fn is_same(one: &Url, other: &Url) -> bool {
    (one.scheme, &one.host, one.port, one.request_target())
        == (other.scheme, &other.host, other.port, other.request_target())
}
