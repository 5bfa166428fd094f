//! Processes, zombies and what is stuck.

use common::number::{Number, float, percent};
use common::state::State;

use super::{Context, Finding, culprits, readable};
use crate::cli::Group;
use crate::metrics::{PIDS_USED_PERCENT, PROCESSES, THREADS, UNINTERRUPTIBLE, ZOMBIES};
use crate::snapshot::{Process, Processes};

/// A zombie younger than this, in seconds, may yet be taken notice of.
const ZOMBIE_GRACE: f64 = 60.0;

pub(super) fn processes(context: &Context) -> Finding {
    let processes = match readable(Group::Processes, context.snapshot.processes.as_ref()) {
        Ok(processes) => processes,
        Err(finding) => return *finding,
    };
    let mut judging = context.verdict(Group::Processes);
    let count = processes.list.len();
    let zombies = old_zombies(context, processes).len();
    let stuck = processes.list.iter().filter(|process| process.state == 'D').count();
    judging.add(&PROCESSES, Number::from(count), "{} processes");
    judging.add(&ZOMBIES, Number::from(zombies), "{} zombies");
    judging.add(&UNINTERRUPTIBLE, Number::from(stuck), "{} processes in uninterruptible sleep");
    let mut text = format!("{count} processes, {zombies} zombies, {stuck} in uninterruptible sleep");
    if let Some(Ok(load)) = &context.snapshot.load {
        judging.add(&THREADS, Number::from(load.threads), "{} threads");
        if let Some(Ok(limit)) = context.snapshot.limits.as_ref().map(|limits| &limits.threads) {
            judging.add(&PIDS_USED_PERCENT, percent(load.threads, *limit).and_then(Number::real), "process IDs used");
            text = format!("{text}, {} threads of {limit}", load.threads);
        }
    }
    let faults = context.snapshot.load.as_ref().and_then(|load| load.as_ref().err()).into_iter();
    for fault in faults.chain(context.snapshot.limits.as_ref().and_then(|limits| limits.threads.as_ref().err())) {
        judging.unreadable("threads", fault);
    }
    if is_hidden(processes) {
        judging.item.causes.push(HIDDEN.into());
        judging.problem(State::Unknown, "the processes of other users are hidden");
    }
    if processes.unreadable > 0 {
        judging.item.notes.push((1, format!("processes that could not be read: {}", processes.unreadable).into()));
    }
    if judging.wants_culprits() {
        judging.item.causes.extend(culprits::lines(context, "zombies", &culprits::zombies(context)));
        judging.item.causes.extend(culprits::lines(
            context,
            "in uninterruptible sleep",
            &culprits::uninterruptible(context),
        ));
    }
    if zombies > 0 {
        judging.item.next.push("restart the parent of the zombies; they cannot be killed themselves".into());
    }
    if stuck > 0 {
        judging.item.next.push("dmesg -T --level=err,warn; they wait for a disk or a network filesystem".into());
    }
    judging.item.next.push("top".into());
    Finding { item: judging.finish(text), brief: Some(format!("{count} processes")) }
}

/// What to do where this user sees only its own processes.
pub(super) const HIDDEN: &str =
    "this user sees only its own processes: mount /proc with the option gid= of a group that it is in, or run as root";

/// Whether processes are hidden from this user (option hidepid of /proc): the first one always exists.
pub(super) fn is_hidden(processes: &Processes) -> bool {
    processes.list.first().is_none_or(|process| process.pid != 1) && processes.unreadable == 0
}

/// The zombies that have been so for longer than the grace: since they were first seen so or, without an
/// earlier run to tell, since they were started.
pub(super) fn old_zombies<'a>(context: &Context, processes: &'a Processes) -> Vec<&'a Process> {
    let now = context.snapshot.counters.uptime;
    let kept = context.kept_in_this_boot();
    let since = |process: &Process| match kept {
        Some(kept) => {
            let seen = kept.zombies.iter().find(|(pid, start, _)| (*pid, *start) == (process.pid, process.start));
            seen.map_or(now, |(_, _, seen)| *seen)
        }
        None => float(process.start) / float(processes.ticks_per_second.max(1)),
    };
    let is_old = |process: &&Process| process.state == 'Z' && now - since(process) >= ZOMBIE_GRACE;
    processes.list.iter().filter(is_old).collect()
}
