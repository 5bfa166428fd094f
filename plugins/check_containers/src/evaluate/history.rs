//! What earlier runs tell, and what this one leaves for the next.

use common::docker::Status;
use common::number::float;
use common::recent::{Events, HOUR, extended, whole_seconds};

use super::{Context, Subject};
use crate::parse::time::engine_time;
use crate::snapshot::{Kept, KeptContainer};

/// Whether `time`, in seconds since 1970, is less than an hour ago.
fn is_recent(context: &Context, time: Option<f64>) -> bool {
    time.is_some_and(|time| context.snapshot.engine_now - time < float(HOUR))
}

/// Restarts by its policy in the last hour: (seconds since 1970, count).
pub(super) fn restarts(context: &Context, subject: &Subject) -> Events {
    let Some(details) = subject.details else { return Vec::new() };
    let count = details.restart_count.unwrap_or(0);
    let known = subject.kept.map(|kept| kept.restarts.as_slice()).unwrap_or_default();
    let new = match subject.kept {
        // A start by hand makes the engine count anew.
        Some(kept) => count.checked_sub(kept.restart_count).unwrap_or(count),
        // Those of a container that was made in this hour are all of this hour; those of another are history.
        None if is_recent(context, subject.judged.row.created_at()) => count,
        None => 0,
    };
    extended(known, context.snapshot.engine_now, context.snapshot.engine_now, new)
}

/// Kills for lack of memory in the last hour: (seconds since 1970, count).
pub(super) fn kills(context: &Context, subject: &Subject) -> Events {
    let Some(details) = subject.details else { return Vec::new() };
    let counted = match &subject.found.figures {
        Some(Ok(figures)) => figures.counters.oom_kills.unwrap_or(0),
        _ => 0,
    };
    let known = subject.kept.map(|kept| kept.kills.as_slice()).unwrap_or_default();
    let before = subject.kept_of_this_life().map(|kept| kept.counters.oom_kills.unwrap_or(0));
    let new = match before {
        Some(before) => counted.saturating_sub(before),
        // A life that began since the last run, or in this hour, has nothing but new ones.
        None if subject.kept.is_some() || is_recent(context, subject.started().and_then(engine_time)) => counted,
        None => 0,
    };
    let events = extended(known, context.snapshot.engine_now, context.snapshot.engine_now, new);
    // The cgroup of a container that ended is gone; the engine remembers how its last life ended.
    let ended = details.state.finished_at.as_deref().and_then(engine_time);
    let is_killed = details.state.oom_killed == Some(true) && *subject.status() != Status::Running;
    match ended.filter(|ended| is_killed && is_recent(context, Some(*ended))) {
        Some(ended) if !events.iter().any(|(at, _)| is_the_same(*at, ended)) => {
            extended(&events, context.snapshot.engine_now, ended, 1)
        }
        _ => events,
    }
}

/// Whether a kill that a run counted at `at` is the one that ended a life at `ended`.
fn is_the_same(at: u64, ended: f64) -> bool {
    whole_seconds(ended).abs_diff(at) <= 1
}

/// Since when, in seconds since 1970, the container is in a state in which it should not stay.
pub(super) fn unsettled(context: &Context, subject: &Subject) -> Option<f64> {
    let known = subject.kept.and_then(|kept| kept.unsettled);
    match subject.status() {
        Status::Created => {
            let by_our_clock = |created: f64| created + context.now.wall - context.snapshot.engine_now;
            known.or(subject.judged.row.created_at().map(by_our_clock)).or(Some(context.now.wall))
        }
        Status::Paused | Status::Restarting | Status::Stopping => known.or(Some(context.now.wall)),
        // In a restart loop it runs now and then.
        Status::Running if has_restarted(subject) => known,
        _ => None,
    }
}

fn has_restarted(subject: &Subject) -> bool {
    let count = subject.details.and_then(|details| details.restart_count).unwrap_or(0);
    subject.kept.is_some_and(|kept| count > kept.restart_count)
}

/// Whether somebody started it since the last run: another life, and not by its policy.
pub(super) fn was_started_by_hand(subject: &Subject) -> bool {
    let is_another_life = subject.kept.is_some() && subject.kept_of_this_life().is_none();
    is_another_life && *subject.status() == Status::Running && !has_restarted(subject)
}

/// What is kept of every container that is judged.
pub(super) fn keep(context: &Context, subjects: &[Subject]) -> Kept {
    let containers = subjects.iter().map(|subject| {
        let kept = match subject.details {
            Some(_) => keep_one(context, subject),
            // A run that could not look forgets nothing.
            None => subject.kept.cloned().unwrap_or_default(),
        };
        (subject.judged.row.id.clone(), kept)
    });
    Kept { containers: containers.collect() }
}

fn keep_one(context: &Context, subject: &Subject) -> KeptContainer {
    let figures = match &subject.found.figures {
        Some(Ok(figures)) => Some((figures.source, figures.counters.clone())),
        _ => subject.kept_of_this_life().map(|kept| (kept.source, kept.counters.clone())),
    };
    let (source, counters) = figures.unwrap_or_default();
    let log_read = subject.kept.and_then(|kept| kept.log_read);
    KeptContainer {
        started: subject.started().unwrap_or_default().to_owned(),
        restart_count: subject.details.and_then(|details| details.restart_count).unwrap_or(0),
        source,
        counters,
        restarts: restarts(context, subject),
        kills: kills(context, subject),
        unsettled: unsettled(context, subject),
        log_read: if context.config.options.logs { Some(context.snapshot.engine_now) } else { log_read },
    }
}
