//! CPU and load.

use common::number::{Number, float};
use common::units::{duration, whole};

use super::{Context, Finding, culprits, rate, readable};
use crate::cli::Group;
use crate::metrics::{
    BLOCKED, CONTEXT_SWITCHES, CPU_IDLE, CPU_IOWAIT, CPU_PERCENT, CPU_STEAL, CPU_SYSTEM, CPU_USER, FORKS, INTERRUPTS,
    LOAD1, LOAD1_PER_CORE, LOAD5, LOAD5_PER_CORE, LOAD15, LOAD15_PER_CORE, RUN_QUEUE,
};
use crate::snapshot::CpuCounters;

/// Percent of CPU time by what it went to.
struct Shares {
    user: f64,
    system: f64,
    idle: f64,
    iowait: f64,
    steal: f64,
}

/// The shares between two samples; `None` if no time passed or the counters began anew.
fn shares(now: &CpuCounters, before: &CpuCounters) -> Option<Shares> {
    let user = now.user.checked_sub(before.user)?;
    let system = now.system.checked_sub(before.system)?;
    let idle = now.idle.checked_sub(before.idle)?;
    // The kernel says that this one can fall.
    let iowait = now.iowait.saturating_sub(before.iowait);
    let steal = now.steal.checked_sub(before.steal)?;
    let total = user.checked_add(system)?.checked_add(idle)?.checked_add(iowait)?.checked_add(steal)?;
    let share = |ticks: u64| common::number::percent(ticks, total);
    Some(Shares {
        user: share(user)?,
        system: share(system)?,
        idle: share(idle)?,
        iowait: share(iowait)?,
        steal: share(steal)?,
    })
}

pub(super) fn cpu(context: &Context) -> Finding {
    let stat = match readable(Group::Cpu, context.snapshot.stat.as_ref()) {
        Ok(stat) => stat,
        Err(finding) => return *finding,
    };
    let mut judging = context.verdict(Group::Cpu);
    let sample = context.since_last_sample().and_then(|(before, elapsed)| {
        let before = before.cpu.as_ref()?;
        Some((before, elapsed, shares(&stat.counters, before)?))
    });
    let Some((before, elapsed, shares)) = sample else {
        return Finding { item: judging.finish("baseline taken"), brief: None };
    };
    let busy = shares.user + shares.system;
    judging.add(&CPU_PERCENT, Number::real(busy), "cpu");
    judging.add(&CPU_USER, Number::real(shares.user), "cpu user");
    judging.add(&CPU_SYSTEM, Number::real(shares.system), "cpu system");
    judging.add(&CPU_IOWAIT, Number::real(shares.iowait), "cpu I/O wait");
    judging.add(&CPU_STEAL, Number::real(shares.steal), "cpu steal");
    judging.add(&CPU_IDLE, Number::real(shares.idle), "cpu idle");
    let now = &stat.counters;
    judging.add(&CONTEXT_SWITCHES, rate(now.context_switches, before.context_switches, elapsed), "context switches/s");
    judging.add(&INTERRUPTS, rate(now.interrupts, before.interrupts, elapsed), "interrupts/s");
    judging.add(&FORKS, rate(now.forks, before.forks, elapsed), "forks/s");
    if judging.wants_culprits() {
        judging.item.causes = culprits::lines(context, "most CPU time", &culprits::by_cpu(context));
    }
    judging.item.next.push("vmstat 1 5; top".into());
    let since = if context.snapshot.first.is_some() { "the first of two samples of this run" } else { "the last run" };
    judging.item.notes.push((2, format!("since {since}").into()));
    let text = format!(
        "{} % busy (user {} %, system {} %), I/O wait {} %, steal {} %, over {} on {} cores",
        whole(busy),
        whole(shares.user),
        whole(shares.system),
        whole(shares.iowait),
        whole(shares.steal),
        duration(elapsed),
        stat.cores
    );
    Finding { item: judging.finish(text), brief: Some(format!("cpu {} %", whole(busy))) }
}

pub(super) fn load(context: &Context) -> Finding {
    let (stat, load) = match (
        readable(Group::Load, context.snapshot.stat.as_ref()),
        readable(Group::Load, context.snapshot.load.as_ref()),
    ) {
        (Ok(stat), Ok(load)) => (stat, load),
        (Err(finding), _) | (_, Err(finding)) => return *finding,
    };
    let mut judging = context.verdict(Group::Load);
    let [one, five, fifteen] = load.averages;
    let cores = float(stat.cores.into());
    judging.add(&LOAD1, Number::real(one), "load over 1 minute");
    judging.add(&LOAD5, Number::real(five), "load over 5 minutes");
    judging.add(&LOAD15, Number::real(fifteen), "load over 15 minutes");
    judging.add(&LOAD1_PER_CORE, Number::real(one / cores), "load per core over 1 minute");
    judging.add(&LOAD5_PER_CORE, Number::real(five / cores), "load per core over 5 minutes");
    judging.add(&LOAD15_PER_CORE, Number::real(fifteen / cores), "load per core over 15 minutes");
    // This check runs while it looks.
    let queue = stat.running.saturating_sub(1);
    judging.add(&RUN_QUEUE, Number::from(queue), "run queue");
    judging.add(&BLOCKED, Number::from(stat.blocked), "blocked threads");
    if judging.wants_culprits() {
        judging.item.causes = culprits::lines(context, "most CPU time", &culprits::by_cpu(context));
        judging.item.causes.extend(culprits::lines(
            context,
            "in uninterruptible sleep",
            &culprits::uninterruptible(context),
        ));
    }
    judging.item.next.push("vmstat 1 5 (r waits for the CPU, b for disks); top".into());
    let places = |average: f64| Number::real(average).unwrap_or(Number::ZERO).rounded(2);
    let text = format!(
        "{}, {}, {} over 1, 5 and 15 minutes on {} cores; {queue} runnable, {} blocked",
        places(one),
        places(five),
        places(fifteen),
        stat.cores,
        stat.blocked
    );
    Finding { item: judging.finish(text), brief: None }
}

#[cfg(test)]
mod tests {
    use super::*;

    const BEFORE: CpuCounters = CpuCounters {
        user: 100,
        system: 100,
        idle: 1000,
        iowait: 50,
        steal: 0,
        context_switches: 0,
        interrupts: 0,
        forks: 0,
    };

    #[test]
    fn shares_are_of_the_time_between_the_samples() {
        let now = CpuCounters { user: 130, system: 110, idle: 1060, ..BEFORE };
        let shares = shares(&now, &BEFORE).unwrap();
        assert_eq!([shares.user, shares.system, shares.idle].map(whole), ["30", "10", "60"]);
    }

    #[test]
    fn io_wait_may_fall_and_nothing_else() {
        assert!(shares(&CpuCounters { iowait: 40, idle: 1001, ..BEFORE }, &BEFORE).is_some());
        assert!(shares(&CpuCounters { user: 99, idle: 2000, ..BEFORE }, &BEFORE).is_none());
        assert!(shares(&BEFORE, &BEFORE).is_none(), "no time passed");
    }
}
