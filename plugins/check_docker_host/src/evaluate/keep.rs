//! What a run leaves for the next one.

use std::collections::{BTreeMap, BTreeSet};

use common::recent::whole_seconds;

use super::{Context, forecast, memory};
use crate::snapshot::{Kept, Mount};

pub(super) fn keep(context: &Context) -> Kept {
    let snapshot = context.snapshot;
    Kept {
        boot_id: snapshot.boot_id.clone(),
        counters: snapshot.counters.clone(),
        zombies: zombies(context),
        writable: writable(context),
        history: history(context),
        docker_root: context.docker_root().map(str::to_owned),
        // A run that could not count forgets none.
        kills: memory::kills(context).or_else(|| Some(context.kept?.kills.clone())).unwrap_or_default(),
    }
}

/// When each zombie of now was first seen.
fn zombies(context: &Context) -> Vec<(u32, u64, f64)> {
    let Some(Ok(processes)) = &context.snapshot.processes else { return Vec::new() };
    let now = context.snapshot.counters.uptime;
    let known = context.kept_in_this_boot().map(|kept| kept.zombies.as_slice()).unwrap_or_default();
    processes
        .list
        .iter()
        .filter(|process| process.state == 'Z')
        .map(|process| {
            let seen = known.iter().find(|(pid, start, _)| (*pid, *start) == (process.pid, process.start));
            (process.pid, process.start, seen.map_or(now, |(_, _, seen)| *seen))
        })
        .collect()
}

fn mounts<'a>(context: &Context<'a>) -> &'a [Mount] {
    match &context.snapshot.mounts {
        Some(Ok(mounts)) => &mounts.found,
        _ => &[],
    }
}

/// The mounts that are writable, or were before they became read-only: that stays a fault until it is mended.
fn writable(context: &Context) -> Vec<String> {
    let known = context.kept_in_this_boot().map(|kept| kept.writable.as_slice()).unwrap_or_default();
    let mut writable: BTreeSet<String> = known.iter().cloned().collect();
    let writable_now = mounts(context).iter().filter(|mount| !mount.read_only);
    writable.extend(writable_now.map(|mount| mount.path.to_string_lossy().into_owned()));
    // A mount that was taken away by its administrator may come back read-only.
    if let Some(Ok(mounts)) = &context.snapshot.mounts {
        writable.retain(|path| mounts.all.iter().any(|(mounted, _)| mounted.to_string_lossy() == *path));
    }
    writable.into_iter().collect()
}

/// Space used over time. A mount that was not looked at now keeps what is known of it.
fn history(context: &Context) -> BTreeMap<String, Vec<(u64, u64)>> {
    let now = whole_seconds(context.now.wall);
    let mut history = context.kept.map(|kept| kept.history.clone()).unwrap_or_default();
    history.retain(|_, points| points.last().is_some_and(|(at, _)| now.saturating_sub(*at) <= forecast::OLDEST));
    for mount in mounts(context) {
        if let Ok(usage) = &mount.usage {
            let points = history.entry(mount.path.to_string_lossy().into_owned()).or_default();
            *points = forecast::extend(points, now, usage.used());
        }
    }
    history
}
