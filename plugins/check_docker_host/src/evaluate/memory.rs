//! Memory and swap.

use common::number::{Number, float, percent};
use common::recent::{self, Events};
use common::state::State;
use common::units::{bytes, whole};

use super::{Context, Finding, culprits, rate, readable};
use crate::cli::Group;
use crate::metrics::{
    MEMORY_AVAILABLE, MEMORY_CACHE, MEMORY_DIRTY, MEMORY_USED, MEMORY_USED_PERCENT, OOM_KILLS, SWAP_IN, SWAP_OUT,
    SWAP_USED, SWAP_USED_PERCENT,
};
use crate::snapshot::Snapshot;

/// Below this share of time, in percent, nobody waits for memory.
const NOBODY_WAITS: f64 = 1.0;

pub(super) fn memory(context: &Context) -> Finding {
    let memory = match readable(Group::Memory, context.snapshot.memory.as_ref()) {
        Ok(memory) => memory,
        Err(finding) => return *finding,
    };
    let mut judging = context.verdict(Group::Memory);
    // A container shows its own memory and the host's ZFS: a cache that does not fit into what is used is not its.
    let fits = memory.zfs_reclaimable <= memory.total.saturating_sub(memory.available);
    let zfs = if fits { memory.zfs_reclaimable } else { 0 };
    let available = memory.available.saturating_add(zfs).min(memory.total);
    let used = memory.total - available;
    let share = percent(used, memory.total).unwrap_or(0.0);
    let total = Number::from(memory.total);
    let state = judging.add(&MEMORY_USED_PERCENT, Number::real(share), "memory");
    judging.add(&MEMORY_USED, Number::from(used), "memory used");
    judging.add(&MEMORY_AVAILABLE, Number::from(available), "memory available");
    judging.add(&MEMORY_CACHE, Number::from(memory.cache), "buffers and cache");
    judging.add(&MEMORY_DIRTY, Number::from(memory.dirty), "dirty memory");
    for metric in judging.item.metrics.iter_mut().filter(|metric| metric.min.is_none()) {
        *metric = metric.clone().within(Number::ZERO, total);
    }
    // The share alone says how well memory is used; the pressure says whether that hurts anybody.
    if state == State::Critical
        && !context.config.options.no_pressure_gate
        && nobody_waits(context.snapshot)
        && judging.item.metrics.iter().skip(1).all(|metric| metric.state != State::Critical)
    {
        judging.item.state = State::Warning;
        if let Some(share) = judging.item.metrics.first_mut() {
            share.state = State::Warning;
        }
        judging.item.causes.push("nothing waits for memory (no pressure), so this is WARNING at most".into());
    }
    if judging.wants_culprits() {
        judging.item.causes.extend(culprits::lines(context, "most memory", &culprits::by_memory(context)));
    }
    judging.item.next.push("free -m; top -o %MEM".into());
    if zfs > 0 {
        let text = format!("{} of the ZFS cache counted as available", bytes(zfs));
        judging.item.notes.push((1, text.into()));
    }
    let text = format!(
        "{} % used, {} of {} available, {} buffers and cache",
        whole(share),
        bytes(available),
        bytes(memory.total),
        bytes(memory.cache)
    );
    Finding { item: judging.finish(text), brief: Some(format!("memory {} %", whole(share))) }
}

/// Whether the kernel measures pressure and finds none. Where it does not measure, nobody knows.
fn nobody_waits(snapshot: &Snapshot) -> bool {
    let stall = snapshot.pressure.as_ref().and_then(|pressure| pressure.memory.as_ref());
    matches!(stall, Some(Ok(stall)) if stall.full.is_some_and(|full| full.iter().all(|share| *share < NOBODY_WAITS)))
}

/// Whether any swap is used, so that its users are worth asking for.
pub(super) fn uses_swap(snapshot: &Snapshot) -> bool {
    matches!(&snapshot.memory, Some(Ok(memory)) if memory.swap_free < memory.swap_total)
}

/// The kills for lack of memory of the last hour, as (seconds since 1970, count): those that are kept and those
/// since the last run. An hour, because a core that asks three times before it alerts would miss what holds for
/// one run. `None` where no run came before or the kernel does not count.
pub(super) fn kills(context: &Context) -> Option<Events> {
    let kept = context.kept?;
    let now = context.snapshot.vmstat.as_ref()?.as_ref().ok()?.oom_kills?;
    // After a reboot all kills of this boot are new.
    let before = match context.kept_in_this_boot() {
        Some(kept) => kept.counters.swap?.oom_kills?,
        None => 0,
    };
    Some(recent::extended(&kept.kills, context.now.wall, context.now.wall, now.saturating_sub(before)))
}

pub(super) fn swap(context: &Context) -> Finding {
    let memory = match readable(Group::Swap, context.snapshot.memory.as_ref()) {
        Ok(memory) => memory,
        Err(finding) => return *finding,
    };
    let mut judging = context.verdict(Group::Swap);
    let used = memory.swap_total.saturating_sub(memory.swap_free);
    let share = percent(used, memory.swap_total);
    let mut text = match share {
        None => "none is configured".to_owned(),
        Some(share) => {
            judging.add(&SWAP_USED_PERCENT, Number::real(share), "swap");
            judging.add(&SWAP_USED, Number::from(used), "swap used");
            format!("{} % used, {} of {} free", whole(share), bytes(memory.swap_free), bytes(memory.swap_total))
        }
    };
    match context.snapshot.vmstat.as_ref() {
        Some(Ok(now)) => match context.kept_in_this_boot().and_then(|kept| kept.counters.swap) {
            Some(before) => {
                if share.is_some()
                    && let Some((_, elapsed)) = context.since_last_run()
                {
                    judging.add(&SWAP_IN, rate(now.swapped_in, before.swapped_in, elapsed), "pages swapped in/s");
                    judging.add(&SWAP_OUT, rate(now.swapped_out, before.swapped_out, elapsed), "pages swapped out/s");
                }
            }
            None => text.push_str("; baseline of swapping taken"),
        },
        Some(Err(fault)) => judging.unreadable("swapping", fault),
        None => {}
    }
    let events = kills(context);
    let latest = events.as_ref().and_then(|kills| kills.iter().map(|(at, _)| *at).max());
    let kills = events.map(|kills| recent::sum(&kills));
    judging.add(&OOM_KILLS, kills.map(Number::from), "{} killed for lack of memory in the last hour");
    if let Some(kills) = kills.filter(|kills| *kills > 0) {
        text = format!("{kills} killed for lack of memory in the last hour; {text}");
        judging.item.since = latest.map(float);
        judging.item.next.push("dmesg -T --level=err (who was killed)".into());
    }
    if judging.wants_culprits() {
        judging.item.causes.extend(culprits::lines(context, "most swap", &culprits::by_swap(context)));
    }
    judging.item.next.push("free -m; vmstat 1 5 (si and so tell whether it is in use now)".into());
    Finding { item: judging.finish(text), brief: share.map(|share| format!("swap {} %", whole(share))) }
}
