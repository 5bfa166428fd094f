//! Verdicts. Pure: no I/O, and no clock but the one that is given.

mod busy;
mod cpu;
mod culprits;
mod disk;
mod diskio;
mod docker;
mod files;
mod forecast;
mod keep;
mod kernel;
mod memory;
mod pressure;
mod processes;

use std::collections::BTreeSet;
use std::ops::{Deref, DerefMut};
use std::path::Path;

use common::clock::Clock;
use common::metric::Definition;
use common::number::Number;
use common::report::{Item, Report};
use common::run::Verdict;
use common::state::State;
use common::store::Previous;

use crate::cli::{Config, Group};
use crate::snapshot::{Counters, Fact, Fault, Kept, Mount, Snapshot};

/// Two samples closer than this, in seconds, tell no rate: `SHORTEST_SAMPLE` less what clocks are read with.
const SHORTEST_BETWEEN_SAMPLES: f64 = 0.04;

/// The report of a run and what it leaves for the next one.
pub fn evaluate(
    config: &Config,
    previous: Option<&Previous<Kept>>,
    current: &Result<Snapshot, Fault>,
    now: &Clock,
) -> Verdict<Kept> {
    let snapshot = match current {
        Ok(snapshot) => snapshot,
        Err(fault) => {
            let report = Report::single(State::Unknown, "host", format!("cannot look at the host: {fault}"));
            return Verdict { report, keep: None };
        }
    };
    if let Some(found) = &snapshot.busy {
        return Verdict { report: busy::report(config, found, &snapshot.details), keep: None };
    }
    let context = Context::new(config, previous.map(|previous| &previous.data), snapshot, now);
    let findings: Vec<Finding> = config
        .groups
        .iter()
        .map(|group| {
            let finding = context.judge(*group);
            Finding { item: finding.item.note(2, format!("from {}", group.source())), ..finding }
        })
        .collect();
    let brief: Vec<&str> = findings.iter().filter_map(|finding| finding.brief.as_deref()).collect();
    // What has no words of its own for the first line says all it has.
    let whole = || findings.iter().map(|finding| format!("{} {}", finding.item.label, finding.item.text));
    let summary = if brief.is_empty() { whole().collect::<Vec<_>>().join(", ") } else { brief.join(", ") };
    let mut report = Report::new(summary);
    report.items = findings.into_iter().map(|finding| finding.item).collect();
    report.items.extend(unmatched(config, snapshot));
    Verdict { report, keep: Some(keep::keep(&context)) }
}

/// Thresholds for a mount or device that is not there: whoever wrote them believes it is watched.
fn unmatched(config: &Config, snapshot: &Snapshot) -> Option<Item> {
    let mut known: BTreeSet<String> = BTreeSet::new();
    if let Some(Ok(mounts)) = &snapshot.mounts {
        known.extend(mounts.found.iter().map(|mount| mount.path.to_string_lossy().into_owned()));
        known.extend(mounts.untouched.iter().chain(&mounts.missing).cloned());
    }
    if let Some(Ok(disks)) = &snapshot.disks {
        known.extend(disks.keys().cloned());
    }
    let looked = |group: Group| match group {
        Group::Disk => matches!(snapshot.mounts, Some(Ok(_))),
        Group::Diskio => matches!(snapshot.disks, Some(Ok(_))),
        _ => false,
    };
    let is_looked_at =
        |metric: &Definition| Group::ALL.iter().any(|group| group.name() == metric.group && looked(*group));
    let metrics = crate::metrics::METRICS.iter().filter(|metric| is_looked_at(metric));
    let strangers: BTreeSet<&str> = metrics
        .flat_map(|metric| config.thresholds.named_instances(metric))
        .filter(|instance| !known.contains(*instance))
        .collect();
    if strangers.is_empty() {
        return None;
    }
    let names = strangers.into_iter().collect::<Vec<_>>().join(", ");
    let text = format!("thresholds are given for {names}, and nothing of that name is judged");
    Some(Item::new("thresholds", State::Unknown, text.clone()).headline(text).then("-v lists what is judged"))
}

/// What a second look should explain.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Subjects {
    /// Processes that will be named.
    pub processes: BTreeSet<u32>,
    /// Whether the users of swap are wanted.
    pub swap: bool,
    /// Devices of filesystems that are filling up.
    pub devices: BTreeSet<String>,
    /// Docker's data root, if it is on one of them.
    pub docker_root: Option<String>,
}

/// What in `report` wants an explanation: each group that is not OK, and all groups at `-v`.
pub fn subjects(config: &Config, previous: Option<&Previous<Kept>>, snapshot: &Snapshot, report: &Report) -> Subjects {
    // Naming culprits needs no clock.
    let clock = Clock { wall: 0.0, boot: 0.0, boot_id: String::new() };
    let context = Context::new(config, previous.map(|previous| &previous.data), snapshot, &clock);
    let bad =
        |group: Group| report.items.iter().any(|item| item.label.as_str() == group.name() && item.worst() != State::Ok);
    let wanted = |group: Group| config.wants(group) && (config.verbosity > 0 || bad(group));
    let processes =
        Group::ALL.into_iter().filter(|group| wanted(*group)).flat_map(|group| culprits::of(&context, group));
    let filling = disk::filling(report, snapshot);
    let root_is_filling =
        bad(Group::Docker) || context.docker_mount().is_some_and(|mount| filling.contains(&mount.device));
    Subjects {
        processes: processes.collect(),
        swap: wanted(Group::Swap) && memory::uses_swap(snapshot),
        docker_root: context.docker_root().filter(|_| root_is_filling).map(str::to_owned),
        devices: filling,
    }
}

/// What every group is judged with.
struct Context<'a> {
    config: &'a Config,
    /// What the last run kept, of whatever boot.
    kept: Option<&'a Kept>,
    snapshot: &'a Snapshot,
    now: &'a Clock,
}

/// One group's part of the report.
struct Finding {
    item: Item,
    /// Its words in the first line of a report that is OK.
    brief: Option<String>,
}

impl<'a> Context<'a> {
    const fn new(config: &'a Config, kept: Option<&'a Kept>, snapshot: &'a Snapshot, now: &'a Clock) -> Self {
        Self { config, kept, snapshot, now }
    }

    fn judge(&self, group: Group) -> Finding {
        match group {
            Group::Cpu => cpu::cpu(self),
            Group::Load => cpu::load(self),
            Group::Memory => memory::memory(self),
            Group::Swap => memory::swap(self),
            Group::Pressure => pressure::pressure(self),
            Group::Disk => disk::disk(self),
            Group::Diskio => diskio::diskio(self),
            Group::Processes => processes::processes(self),
            Group::Files => files::files(self),
            Group::Docker => docker::docker(self),
            Group::Kernel => kernel::kernel(self),
        }
    }

    /// What the last run kept, if the machine was not rebooted since.
    fn kept_in_this_boot(&self) -> Option<&'a Kept> {
        self.kept.filter(|kept| match (kept.boot_id.as_str(), self.snapshot.boot_id.as_str()) {
            // Where the kernel names no boot, a lower uptime is what tells.
            ("", _) | (_, "") => kept.counters.uptime <= self.snapshot.counters.uptime,
            (before, now) => before == now,
        })
    }

    /// The counters of the last run and the seconds since then.
    fn since_last_run(&self) -> Option<(&'a Counters, f64)> {
        let counters = &self.kept_in_this_boot()?.counters;
        let elapsed = self.snapshot.counters.uptime - counters.uptime;
        (elapsed >= SHORTEST_BETWEEN_SAMPLES).then_some((counters, elapsed))
    }

    /// The same, or the first of two samples of this run.
    fn since_last_sample(&self) -> Option<(&'a Counters, f64)> {
        match &self.snapshot.first {
            Some(first) => {
                let elapsed = self.snapshot.counters.uptime - first.uptime;
                (elapsed >= SHORTEST_BETWEEN_SAMPLES).then_some((first, elapsed))
            }
            None => self.since_last_run(),
        }
    }

    /// Docker's data root, as the engine tells or told.
    fn docker_root(&self) -> Option<&'a str> {
        self.snapshot.engine.as_ref().and_then(|engine| engine.root.as_ref()).map(|(path, _)| path.as_str())
    }

    /// The mount that holds Docker's data.
    fn docker_mount(&self) -> Option<&'a Mount> {
        let root = Path::new(self.docker_root()?);
        let mounts = self.snapshot.mounts.as_ref()?.as_ref().ok()?;
        let holding = mounts.all.iter().filter(|(path, _)| root.starts_with(path));
        let (_, device) = holding.max_by_key(|(path, _)| path.as_os_str().len())?;
        mounts.found.iter().find(|mount| mount.device == *device)
    }

    /// Starts the verdict on `group`.
    fn verdict(&self, group: Group) -> Judging<'_> {
        let judging = common::judging::Judging::new(&self.config.thresholds, group.name(), None);
        Judging { context: self, judging }
    }

    /// The finding of a group whose source cannot be read.
    fn unreadable(group: Group, fault: &Fault) -> Finding {
        let text = format!("cannot be judged: {fault}");
        Finding { item: Item::new(group.name(), State::Unknown, text), brief: None }
    }
}

/// A group, or one instance of it, while it is judged.
struct Judging<'a> {
    context: &'a Context<'a>,
    judging: common::judging::Judging<'a>,
}

impl<'a> Deref for Judging<'a> {
    type Target = common::judging::Judging<'a>;

    fn deref(&self) -> &Self::Target {
        &self.judging
    }
}

impl DerefMut for Judging<'_> {
    fn deref_mut(&mut self) -> &mut Self::Target {
        &mut self.judging
    }
}

impl Judging<'_> {
    /// Notes that a part of the group could not be read.
    fn unreadable(&mut self, what: &str, fault: &Fault) {
        let text = format!("{what} cannot be judged: {fault}");
        self.item.causes.push(text.as_str().into());
        self.problem(State::Unknown, text);
    }

    /// Whether the culprits are to be named.
    fn wants_culprits(&self) -> bool {
        self.item.state != State::Ok || self.context.config.verbosity > 0
    }

    /// The item with its text, and a headline of its problems, worst first.
    fn finish(self, text: impl Into<String>) -> Item {
        self.judging.finish(text)
    }
}

/// `value` per second, or nothing for a counter that fell.
fn rate(now: u64, before: u64, elapsed: f64) -> Option<Number> {
    now.checked_sub(before).and_then(|delta| Number::real(common::number::float(delta) / elapsed))
}

/// Whether a fact that was asked for is there; a fault becomes the finding.
fn readable<T>(group: Group, fact: Option<&Fact<T>>) -> Result<&T, Box<Finding>> {
    match fact {
        Some(Ok(fact)) => Ok(fact),
        Some(Err(fault)) => Err(Box::new(Context::unreadable(group, fault))),
        None => {
            Err(Box::new(Finding { item: Item::new(group.name(), State::Unknown, "was not looked at"), brief: None }))
        }
    }
}
