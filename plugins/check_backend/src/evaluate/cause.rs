//! Which problem follows from which.

use common::state::State;

use super::problem::{Problem, Subject};
use crate::plan::Role as Kind;
use crate::snapshot::Looked;

/// What was there this much longer than its cause, in seconds, does not follow from it: clocks of engines differ.
const SLACK: f64 = 30.0;

/// For each problem the position of the one that it follows from, the nearest of several.
pub(super) fn find(checks: &[Looked], problems: &[Problem]) -> Vec<Option<usize>> {
    let mut causes: Vec<Option<usize>> = vec![None; problems.len()];
    for (position, effect) in problems.iter().enumerate() {
        // A part goes with what it is a part of.
        if !effect.can_follow || carrier(problems, &causes, effect).is_some() {
            continue;
        }
        let candidates = problems.iter().enumerate().filter_map(|(cause, problem)| {
            let distance = distance(checks, problem, effect)?;
            let is_free = !leads_back(problems, &causes, cause, effect);
            is_free.then_some((distance, std::cmp::Reverse(problem.item.state), cause))
        });
        let nearest = candidates.min().map(|(.., cause)| cause);
        if let Some(slot) = causes.get_mut(position) {
            *slot = nearest;
        }
    }
    causes
}

/// The cause of what `problem` is a part of.
fn carrier(problems: &[Problem], causes: &[Option<usize>], problem: &Problem) -> Option<usize> {
    let mut wholes = problems.iter().zip(causes);
    wholes
        .find_map(|(whole, cause)| cause.filter(|_| whole.place != problem.place && whole.place.holds(&problem.place)))
}

/// Whether the problem at `cause` follows, by however many steps, from `effect` or a part of it.
fn leads_back(problems: &[Problem], causes: &[Option<usize>], cause: usize, effect: &Problem) -> bool {
    let above = |at: &usize| {
        let own = causes.get(*at).copied().flatten();
        own.or_else(|| carrier(problems, causes, problems.get(*at)?))
    };
    // No chain is longer than there are problems.
    std::iter::successors(Some(cause), above)
        .take(problems.len() + 1)
        .any(|at| problems.get(at).is_some_and(|problem| effect.place.holds(&problem.place)))
}

/// How far `cause` is from `effect`, if that can follow from it.
fn distance(checks: &[Looked], cause: &Problem, effect: &Problem) -> Option<u8> {
    let is_apart = !cause.place.holds(&effect.place) && !effect.place.holds(&cause.place);
    let came_first = cause.not_before.is_some_and(|not_before| effect.since + SLACK < not_before);
    if !is_apart || came_first {
        return None;
    }
    if is_declared(checks, cause, effect) {
        return Some(0);
    }
    by_subject(cause, effect)
}

/// Whether the file says so. What is well enough to work explains nothing, nor does what is less bad.
fn is_declared(checks: &[Looked], cause: &Problem, effect: &Problem) -> bool {
    let name = |problem: &Problem| checks.get(problem.place.check).map(|looked| &looked.check);
    let (Some(above), Some(below)) = (name(cause), name(effect)) else { return false };
    let is_parent = below.parent.as_ref().is_some_and(|parent| {
        parent.check == above.name && parent.item.as_ref().is_none_or(|item| *item == cause.label)
    });
    is_parent
        && match cause.subject {
            Subject::Container { is_down, .. } => is_down,
            _ => cause.item.state >= effect.item.state,
        }
}

/// What is known of a backend as the guide describes it.
fn by_subject(cause: &Problem, effect: &Problem) -> Option<u8> {
    use Subject::{Container, Disk, Engine, Kills, Memory, Service};
    match (cause.subject, effect.subject) {
        (Engine, Engine) => is_of_host(cause, effect).then_some(0),
        // An engine that lets this user not ask may be well.
        (Engine, Container { is_down: true, .. } | Service { is_down: true, .. }) => {
            (cause.item.state == State::Critical).then_some(6)
        }
        (Engine, Service { .. }) => effect.said.contains("cannot be looked up").then_some(6),
        (Memory, Kills) => Some(0),
        (Memory, Container { is_down: true, .. }) => was_killed(effect).then_some(5),
        (Memory, Memory) => (cause.label == "memory" && effect.label != "memory").then_some(0),
        (Disk, Disk) => (cause.label == "disk" && effect.label == "docker").then_some(0),
        (Disk, _) => is_out_of_space(effect).then_some(4),
        (Container { is_down: true, .. }, Kills) => was_killed_for_memory(cause).then_some(1),
        (Container { kind: above, is_down: true }, Service { kind: below, .. }) => steps(above, below),
        (
            Container { kind: above, is_down: true } | Service { kind: above, is_down: true },
            Container { kind: below, is_down: true },
        ) => steps(above, below).filter(|steps| *steps > 0 && gave_up(effect)),
        // Its container would be nearer, if that were down.
        (Service { kind: above, is_down: true }, Service { kind: below, .. }) => {
            steps(above, below).filter(|steps| *steps > 0).map(|steps| steps + 1)
        }
        _ => None,
    }
}

/// How many services lie between what works for `below` and that: Cuesta needs Kwanza, and that the database.
fn steps(above: Kind, below: Kind) -> Option<u8> {
    let rank = |kind: Kind| match kind {
        Kind::Postgres => Some(0u8),
        Kind::Kwanza => Some(1),
        Kind::Cuesta => Some(2),
        Kind::Other => None,
    };
    // Their containers lie between services.
    rank(below)?.checked_sub(rank(above)?).map(|steps| 2 * steps)
}

/// The engine as the host sees it comes before the engine as another check does.
fn is_of_host(cause: &Problem, effect: &Problem) -> bool {
    cause.item.state >= effect.item.state && cause.place.check < effect.place.check
}

fn is_out_of_space(effect: &Problem) -> bool {
    ["disk full", "no space left"].iter().any(|words| effect.said.contains(words))
        || effect
            .item
            .metrics
            .iter()
            .any(|metric| metric.definition.name == "free_space_ratio" && metric.state != State::Ok)
}

fn was_killed_for_memory(problem: &Problem) -> bool {
    ["out of memory", "low memory", "lack of memory"].iter().any(|words| problem.said.contains(words))
}

/// Whether a container ended in a way that fits a host without memory.
fn was_killed(problem: &Problem) -> bool {
    was_killed_for_memory(problem) || problem.said.contains("exited 137")
}

/// Whether a container ended because it wanted to: those that were stopped or killed have another reason.
fn gave_up(problem: &Problem) -> bool {
    let is_told = |code: &str| {
        problem.said.contains(&format!("exited {code} ")) || problem.said.ends_with(&format!("exited {code}"))
    };
    !["0", "130", "137", "143"].iter().any(|code| is_told(code))
        && !is_out_of_space(problem)
        && !was_killed_for_memory(problem)
}
