//! The Docker Engine.

use common::docker::{self, EngineError};
use common::number::Number;
use common::report::Item;
use common::state::State;
use common::units::{duration, whole};

use super::disk::used_percent;
use super::{Context, Finding, Judging, culprits};
use crate::cli::Group;
use crate::metrics::{
    DOCKER_PAUSED, DOCKER_PING, DOCKER_ROOT_USED_PERCENT, DOCKER_RUNNING, DOCKER_STOPPED, DOCKER_WARNINGS,
};
use crate::snapshot::{Engine, NoUsage};

pub(super) fn docker(context: &Context) -> Finding {
    let Some(engine) = &context.snapshot.engine else {
        let item = Item::new(Group::Docker.name(), State::Unknown, "was not looked at");
        return Finding { item, brief: None };
    };
    let mut judging = context.verdict(Group::Docker);
    let (mut text, brief) = match &engine.ping {
        Ok(ping) => {
            judging.add(&DOCKER_PING, Number::real(ping.as_secs_f64()), "docker ping");
            account(&mut judging, engine, ping.as_secs_f64())
        }
        Err(error) => (unreachable(&mut judging, error), None),
    };
    if let Some(root) = root(&mut judging, engine) {
        text = format!("{text}, {root}");
    }
    Finding { item: judging.finish(text), brief }
}

/// What an engine that answers says of itself.
fn account(judging: &mut Judging, engine: &Engine, ping: f64) -> (String, Option<String>) {
    let answered = format!("answers in {}", duration(ping));
    let info = match &engine.info {
        Some(Ok(info)) => info,
        Some(Err(error @ EngineError::Status { status: 401 | 403, .. })) => {
            judging.problem(
                State::Unknown,
                format!("docker answers a ping, but does not let us ask for its state: {error}"),
            );
            judging
                .item
                .next
                .push("let the proxy before the engine pass GET of /info, /containers/json and /system/df".into());
            return (format!("{answered}, but does not let us ask for its state: {error}"), None);
        }
        Some(Err(error)) => {
            judging.problem(State::Critical, format!("docker answers a ping, but not for its state: {error}"));
            judging.item.next.push("journalctl -u docker --since -1h; systemctl restart docker".into());
            return (format!("{answered}, but not for its state: {error}"), None);
        }
        None => return (answered, None),
    };
    let version = info.server_version.as_deref().unwrap_or("of unknown version");
    for (metric, count, phrase) in [
        (&DOCKER_RUNNING, info.containers_running, "running containers:"),
        (&DOCKER_PAUSED, info.containers_paused, "paused containers:"),
        (&DOCKER_STOPPED, info.containers_stopped, "stopped containers:"),
    ] {
        judging.add(metric, count.map(Number::from), phrase);
    }
    let warnings = info.warnings.as_deref().unwrap_or_default();
    judging.add(&DOCKER_WARNINGS, Number::from(warnings.len()), "warnings of the engine:");
    for warning in warnings {
        judging.item.notes.push((1, format!("the engine warns: {}", warning.trim_start_matches("WARNING: ")).into()));
    }
    let count = |count: Option<u64>| count.map_or_else(|| "?".to_owned(), |count| count.to_string());
    let text = format!(
        "engine {version} {answered}, containers: {} running, {} paused, {} stopped",
        count(info.containers_running),
        count(info.containers_paused),
        count(info.containers_stopped)
    );
    (text, Some(format!("docker {version} with {} running", count(info.containers_running))))
}

/// Why the engine cannot be reached.
fn unreachable(judging: &mut Judging, error: &EngineError) -> String {
    let fault = docker::unreachable(error, &judging.context.config.engine);
    judging.problem(fault.state, format!("docker: {}", fault.reason));
    judging.item.next.push(format!("{}; --no-docker leaves the engine out", fault.next).into());
    fault.reason
}

/// The filesystem of Docker's data.
fn root(judging: &mut Judging, engine: &Engine) -> Option<String> {
    let (path, usage) = engine.root.as_ref()?;
    match usage {
        Ok(usage) => {
            let share = used_percent(usage)?;
            let state = judging.add(&DOCKER_ROOT_USED_PERCENT, Number::real(share), "disk of docker's data");
            if state != State::Ok {
                let causes = culprits::docker_root(judging.context);
                judging.item.causes.extend(causes);
                judging.item.next.push("docker system df; docker system prune removes what nothing uses".into());
            }
            Some(format!("data in {path} on a filesystem {} % used", whole(share)))
        }
        Err(NoUsage::Silent(allowed)) => {
            let text = format!("data in {path}, no answer within {}", duration(allowed.as_secs_f64()));
            let state = judging.context.config.timeout_state;
            judging.problem(state, format!("docker: {text}"));
            Some(text)
        }
        // In a container without the host's root, or for a user who may not look there.
        Err(NoUsage::Failed(reason)) => {
            judging.item.notes.push((1, format!("its data in {path} cannot be looked at: {reason}").into()));
            None
        }
    }
}
