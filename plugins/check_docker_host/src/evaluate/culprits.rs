//! Who uses what is scarce.

use std::collections::BTreeMap;

use common::docker::Reclaimable;
use common::number::float;
use common::text::Text;
use common::units::{bytes, whole};

use super::{Context, processes::old_zombies};
use crate::cli::Group;
use crate::snapshot::{Details, Mount, Process, Processes};

/// A process and how much it uses, in words.
pub(super) type Culprit<'a> = (&'a Process, String);

/// The processes that the second look at `group` should attribute to their containers.
pub(super) fn of(context: &Context, group: Group) -> Vec<u32> {
    let culprits = match group {
        Group::Cpu => by_cpu(context),
        Group::Memory => by_memory(context),
        Group::Files => by_files(context),
        Group::Load => [by_cpu(context), uninterruptible(context)].concat(),
        Group::Processes => [zombies(context), uninterruptible(context)].concat(),
        Group::Pressure => [by_cpu(context), by_memory(context), uninterruptible(context)].concat(),
        Group::Swap | Group::Disk | Group::Diskio | Group::Docker | Group::Kernel => Vec::new(),
    };
    let worst = (group == Group::Files).then(|| super::files::worst(processes(context)?)).flatten();
    let parents = culprits.iter().filter(|(process, _)| process.state == 'Z').map(|(process, _)| process.parent);
    let pids = culprits.iter().map(|(process, _)| process.pid);
    pids.chain(parents).chain(worst.map(|(_, process)| process.pid)).collect()
}

/// A heading and a line a culprit; nothing if there is none.
pub(super) fn lines(context: &Context, heading: &str, culprits: &[Culprit]) -> Vec<Text> {
    if culprits.is_empty() {
        return Vec::new();
    }
    let line = |(process, measure): &Culprit| {
        let gap = if measure.is_empty() { "" } else { " " };
        Text::from(format!("  {measure}{gap}{}", describe(context, process)))
    };
    std::iter::once(Text::from(format!("{heading}:"))).chain(culprits.iter().map(line)).collect()
}

/// `postgres (deploy_postgres_1) pid 812`
pub(super) fn describe(context: &Context, process: &Process) -> String {
    let details = &context.snapshot.details;
    // The arguments are as long as somebody else makes them.
    let arguments = details.arguments.get(&process.pid).map(|arguments| format!(": {}", Text::limited(arguments, 120)));
    let identity = identity(details, &process.name, process.pid);
    format!("{identity}{}", arguments.unwrap_or_default())
}

/// A process by its name, container and number.
pub(super) fn identity(details: &Details, name: &str, pid: u32) -> String {
    let container = details.containers.get(&pid).map(|id| format!(" ({})", container_name(details, id)));
    format!("{name}{} pid {pid}", container.unwrap_or_default())
}

/// The name of a container, or the beginning of its ID where nobody told it.
fn container_name(details: &Details, id: &str) -> String {
    match details.names.get(id) {
        Some(name) => name.clone(),
        None => format!("container {}", id.get(..12).unwrap_or(id)),
    }
}

fn processes<'a>(context: &Context<'a>) -> Option<&'a Processes> {
    context.snapshot.processes.as_ref()?.as_ref().ok()
}

/// The `limit` processes with the highest `key` above zero; of equals the lowest PID first.
fn top<'a>(
    context: &Context<'a>,
    limit: usize,
    key: impl Fn(&Process) -> u64,
    say: impl Fn(&Processes, u64) -> String,
) -> Vec<Culprit<'a>> {
    let Some(processes) = processes(context) else { return Vec::new() };
    let mut ranked: Vec<(u64, &Process)> =
        processes.list.iter().map(|process| (key(process), process)).filter(|(key, _)| *key > 0).collect();
    ranked.sort_by(|(a, left), (b, right)| b.cmp(a).then(left.pid.cmp(&right.pid)));
    ranked.into_iter().take(limit).map(|(key, process)| (process, say(processes, key))).collect()
}

/// By CPU time since the last sample, in percent of one core; without one, nobody.
pub(super) fn by_cpu<'a>(context: &Context<'a>) -> Vec<Culprit<'a>> {
    let Some((before, elapsed)) = context.since_last_sample() else { return Vec::new() };
    let known: BTreeMap<(u32, u64), u64> =
        before.processes.iter().map(|(pid, start, used)| ((*pid, *start), *used)).collect();
    if known.is_empty() {
        return Vec::new();
    }
    let used = |process: &Process| {
        // A process that was not there before used all of its time since.
        process.cpu.saturating_sub(known.get(&(process.pid, process.start)).copied().unwrap_or(0))
    };
    let say = |processes: &Processes, ticks: u64| {
        let share = 100.0 * float(ticks) / float(processes.ticks_per_second.max(1)) / elapsed;
        format!("{} % of a core", whole(share))
    };
    top(context, context.config.options.top, used, say)
}

/// By resident memory.
pub(super) fn by_memory<'a>(context: &Context<'a>) -> Vec<Culprit<'a>> {
    let say = |processes: &Processes, pages: u64| bytes(pages.saturating_mul(processes.page_size));
    top(context, context.config.options.top, |process| process.resident, say)
}

/// By swap, where the second look found out.
pub(super) fn by_swap<'a>(context: &Context<'a>) -> Vec<Culprit<'a>> {
    let swap = &context.snapshot.details.swap;
    let used = |process: &Process| swap.get(&process.pid).copied().unwrap_or(0);
    top(context, context.config.options.top, used, |_, used| bytes(used))
}

/// By open files: twice as many as of others, the guide's ten.
pub(super) fn by_files<'a>(context: &Context<'a>) -> Vec<Culprit<'a>> {
    let mut culprits = top(
        context,
        context.config.options.top.saturating_mul(2),
        |process| process.files.unwrap_or(0),
        |_, files| files.to_string(),
    );
    for (process, measure) in &mut culprits {
        let limit = process.files_limit.map_or_else(|| "no limit".to_owned(), |limit| format!("of {limit}"));
        *measure = format!("{measure} ({limit})");
    }
    culprits
}

/// Processes in uninterruptible sleep.
pub(super) fn uninterruptible<'a>(context: &Context<'a>) -> Vec<Culprit<'a>> {
    let Some(processes) = processes(context) else { return Vec::new() };
    let stuck = processes.list.iter().filter(|process| process.state == 'D');
    stuck.take(context.config.options.top).map(|process| (process, String::new())).collect()
}

/// Zombies, each with the parent that should take notice.
pub(super) fn zombies<'a>(context: &Context<'a>) -> Vec<Culprit<'a>> {
    let Some(processes) = processes(context) else { return Vec::new() };
    let parent = |zombie: &Process| {
        let parent = processes.list.iter().find(|process| process.pid == zombie.parent);
        parent.map_or_else(|| format!("pid {}", zombie.parent), |parent| describe(context, parent))
    };
    let old = old_zombies(context, processes).into_iter().take(context.config.options.top);
    old.map(|zombie| (zombie, format!("left by {}:", parent(zombie)))).collect()
}

/// What fills the filesystem of `mount`.
pub(super) fn filling(context: &Context, mount: &Mount) -> Vec<Text> {
    let mut lines = Vec::new();
    if let Some(deleted) = context.snapshot.details.deleted.get(&mount.device) {
        let total: u64 = deleted.values().sum();
        let mut holders: Vec<(u64, u32)> = deleted.iter().map(|(pid, size)| (*size, *pid)).collect();
        holders.sort_unstable_by(|a, b| b.cmp(a));
        lines.push(Text::from(format!("{} in deleted files that are still open:", bytes(total))));
        lines.extend(holders.into_iter().take(context.config.options.top).map(|(size, pid)| {
            let process = processes(context).and_then(|all| all.list.iter().find(|process| process.pid == pid));
            let holder = process.map_or_else(|| format!("pid {pid}"), |process| describe(context, process));
            Text::from(format!("  {} {holder}", bytes(size)))
        }));
    }
    if context.docker_mount().is_some_and(|docker| docker.device == mount.device) {
        lines.push(Text::from("Docker keeps its data here, see the group docker"));
    }
    lines
}

/// What Docker keeps: the largest container logs and what pruning would free.
pub(super) fn docker_root(context: &Context) -> Vec<Text> {
    let details = &context.snapshot.details;
    let mut lines = Vec::new();
    if !details.logs.is_empty() {
        lines.push(Text::from("largest container logs:"));
        let line =
            |(id, size): &(String, u64)| Text::from(format!("  {} {}", bytes(*size), container_name(details, id)));
        lines.extend(details.logs.iter().map(line));
    }
    match &details.reclaimable {
        Some(Ok(free)) => lines.push(Text::from(format!("docker could free {}", reclaimable(free)))),
        Some(Err(reason)) => lines.push(Text::from(format!("what docker could free is not known: {reason}"))),
        None => {}
    }
    lines
}

/// What pruning would free, by what it is.
fn reclaimable(free: &Reclaimable) -> String {
    let kinds = [
        (free.images, "images"),
        (free.containers, "stopped containers"),
        (free.volumes, "volumes"),
        (free.build_cache, "build cache"),
    ];
    let parts: Vec<String> =
        kinds.iter().filter(|(size, _)| *size > 0).map(|(size, kind)| format!("{} of {kind}", bytes(*size))).collect();
    if parts.is_empty() { "nothing".to_owned() } else { parts.join(", ") }
}
