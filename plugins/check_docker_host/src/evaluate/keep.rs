//! What a run leaves for the next one.

use std::collections::BTreeMap;

use super::disk::seconds;
use super::{Context, forecast};
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
    mounts(context)
        .iter()
        .map(|mount| (mount.path.to_string_lossy(), mount.read_only))
        .filter(|(path, read_only)| !read_only || known.iter().any(|known| known == path))
        .map(|(path, _)| path.into_owned())
        .collect()
}

/// Space used over time. A mount that did not answer keeps what is known of it.
fn history(context: &Context) -> BTreeMap<String, Vec<(u64, u64)>> {
    let now = seconds(context.now.wall);
    mounts(context)
        .iter()
        .map(|mount| {
            let path = mount.path.to_string_lossy().into_owned();
            let known = context.kept.and_then(|kept| kept.history.get(&path)).map(Vec::as_slice).unwrap_or_default();
            let points = match &mount.usage {
                Ok(usage) => forecast::extend(known, now, usage.used()),
                Err(_) => known.to_vec(),
            };
            (path, points)
        })
        .collect()
}
