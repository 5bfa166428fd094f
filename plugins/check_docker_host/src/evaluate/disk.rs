//! Mounted filesystems.

use std::collections::BTreeSet;

use common::number::{Number, float, percent};
use common::recent::whole_seconds;
use common::report::{Item, Report};
use common::state::State;
use common::units::{bytes, duration, size, whole};

use super::{Context, Finding, Judging, culprits, forecast, readable};
use crate::cli::Group;
use crate::metrics::{DISK_FREE, DISK_SIZE, DISK_USED, DISK_USED_PERCENT, FULL_IN, INODES_USED_PERCENT, READ_ONLY};
use crate::snapshot::{Mount, NoUsage, Snapshot, Usage};

/// A forecast is judged from this share of space used on, in percent, unless a threshold asks for it.
const FORECAST_FROM: f64 = 80.0;

/// The share of space used as df computes it: of what unprivileged users can use, so that root's reserve counts as used.
pub(super) fn used_percent(usage: &Usage) -> Option<f64> {
    percent(usage.used(), usage.used().saturating_add(usage.available))
}

pub(super) fn disk(context: &Context) -> Finding {
    let mounts = match readable(Group::Disk, context.snapshot.mounts.as_ref()) {
        Ok(mounts) => mounts,
        Err(finding) => return *finding,
    };
    let mut item = Item::ok(Group::Disk.name(), "");
    item.children = mounts.found.iter().map(|mount| judge(context, mount)).collect();
    item.children.extend(mounts.missing.iter().map(|path| {
        Item::new(path.as_str(), State::Critical, "is not mounted")
            .headline(format!("{path} is not mounted"))
            .then(format!("mount {path}"))
    }));
    let fullest = mounts
        .found
        .iter()
        .filter_map(|mount| Some((used_percent(mount.usage.as_ref().ok()?)?, mount.path.display())))
        .max_by(|(a, _), (b, _)| a.total_cmp(b));
    let brief = fullest.map(|(share, path)| format!("disk {} % ({path})", whole(share)));
    item.text = match item.children.len() {
        0 => "no filesystem to judge".to_owned(),
        1 => "1 filesystem".to_owned(),
        count => format!("{count} filesystems"),
    }
    .into();
    if item.children.is_empty() {
        item.raise(State::Unknown);
        if !context.config.mounts.is_empty() {
            item.text = "no mount matches --mount".into();
        }
        item.next.push("--mount names a filesystem of any type, --remote adds network and FUSE mounts".into());
    }
    if mounts.garbled > 0 {
        item.raise(State::Unknown);
        item.text = format!("{}; {} lines of mountinfo are garbled", item.text, mounts.garbled).into();
    }
    if !mounts.untouched.is_empty() {
        let text = format!("network and FUSE mounts are not touched without --remote: {}", mounts.untouched.join(", "));
        item.notes.push((1, text.into()));
    }
    if mounts.gone > 0 {
        item.notes.push((1, format!("{} mounts are hidden by others or went away", mounts.gone).into()));
    }
    if mounts.denied > 0 {
        item.notes.push((1, format!("{} mounts may not be looked at by this user", mounts.denied).into()));
    }
    Finding { item, brief }
}

fn judge(context: &Context, mount: &Mount) -> Item {
    let path = mount.path.to_string_lossy();
    let mut judging = context.verdict(Group::Disk);
    judging.item.label = path.as_ref().into();
    judging.instance = Some(path.clone().into_owned());
    judging.item.notes.push((2, format!("{} on {}", mount.kind, mount.source).into()));
    let text = match &mount.usage {
        Ok(usage) => space(&mut judging, mount, usage),
        Err(NoUsage::Silent(allowed)) => {
            let text = format!("no answer within {}", duration(allowed.as_secs_f64()));
            judging.problem(context.config.timeout_state, format!("{path}: {text}"));
            let step = format!("see whether what serves {} is up; umount -l {path} detaches it", mount.source);
            judging.item.next.push(step.into());
            text
        }
        Err(NoUsage::Failed(reason)) => {
            judging.problem(State::Critical, format!("{path}: {reason}"));
            judging.item.next.push(format!("findmnt {path}; dmesg -T --level=err,warn (disk errors?)").into());
            reason.clone()
        }
    };
    let read_only = judge_read_only(&mut judging, mount);
    judging.finish(if read_only { format!("{text}, read-only") } else { text })
}

/// Space, inodes and the forecast of a filesystem that answered.
fn space(judging: &mut Judging, mount: &Mount, usage: &Usage) -> String {
    let path = mount.path.to_string_lossy();
    let total = Number::from(usage.size);
    let share = used_percent(usage);
    let mut text = format!("{} of {} free", bytes(usage.available), bytes(usage.size));
    if let Some(share) = share {
        let state = judging.add(&DISK_USED_PERCENT, Number::real(share), &format!("disk {path}"));
        text = format!("{} % used, {text}", whole(share));
        if state != State::Ok {
            judging.item.next.push(format!("df -h {path}; du -xh --max-depth=1 {path} (what is large)").into());
        }
    }
    // btrfs and the like have no fixed number of inodes.
    let inodes = percent(usage.inodes.saturating_sub(usage.inodes_free), usage.inodes);
    if let Some(inodes) = inodes {
        let state = judging.add(&INODES_USED_PERCENT, Number::real(inodes), &format!("inodes of {path}"));
        text = format!("{text}, inodes {} %", whole(inodes));
        if state != State::Ok {
            judging.item.next.push(format!("du -x --inodes --max-depth=1 {path} (where the files are)").into());
        }
    }
    for (metric, value) in [(&DISK_USED, usage.used()), (&DISK_FREE, usage.available), (&DISK_SIZE, usage.size)] {
        judging.add(metric, Number::from(value), &format!("{path} {}", metric.name));
        if let Some(last) = judging.item.metrics.last_mut() {
            *last = last.clone().within(Number::ZERO, total);
        }
    }
    if let Some(forecast) = judge_forecast(judging, mount, usage, share.unwrap_or(0.0)) {
        text = format!("{text}, {forecast}");
    }
    if judging.item.state != State::Ok {
        let filling = culprits::filling(judging.context, mount);
        judging.item.causes.extend(filling);
        if judging.context.snapshot.details.deleted.contains_key(&mount.device) {
            judging.item.next.push("restart what holds deleted files open; that frees them".into());
        }
    }
    text
}

fn judge_forecast(judging: &mut Judging, mount: &Mount, usage: &Usage, share: f64) -> Option<String> {
    let path = mount.path.to_string_lossy();
    let context = judging.context;
    let history = context.kept?.history.get(path.as_ref())?;
    let slope = forecast::growth(&forecast::extend(history, whole_seconds(context.now.wall), usage.used()))?;
    let full_in = float(usage.available) / slope;
    let value = Number::real(full_in)?;
    if share >= FORECAST_FROM || context.config.thresholds.are_given(&FULL_IN, Some(&path)) {
        judging.add(&FULL_IN, value, &format!("disk {path} full in"));
    } else {
        judging.show(&FULL_IN, value);
    }
    Some(format!("full in {} at {}/h if it goes on like this", duration(full_in), size(slope * 3600.0)))
}

/// A read-only mount is a fault where it was writable before or must be writable for Docker.
fn judge_read_only(judging: &mut Judging, mount: &Mount) -> bool {
    let path = mount.path.to_string_lossy();
    let context = judging.context;
    let value = Number::from(u32::from(mount.read_only));
    let was_writable =
        context.kept_in_this_boot().is_some_and(|kept| kept.writable.iter().any(|writable| *writable == path));
    let holds_docker = context.docker_mount().is_some_and(|docker| docker.path == mount.path);
    if !(was_writable || holds_docker || context.config.thresholds.are_given(&READ_ONLY, Some(&path))) {
        judging.show(&READ_ONLY, value);
        return mount.read_only;
    }
    let metric = context.config.thresholds.judge(&READ_ONLY, Some(&path), value);
    if metric.state != State::Ok {
        let why = if was_writable { "became read-only" } else { "is read-only" };
        let docker = if holds_docker { " and holds Docker's data" } else { "" };
        judging.problem(metric.state, format!("{path} {why}{docker}"));
        if was_writable {
            judging.item.causes.push("the kernel remounts a filesystem read-only when it finds it damaged".into());
        }
        judging
            .item
            .next
            .push(format!("dmesg -T --level=err,warn (disk errors?); fsck; mount -o remount,rw {path}").into());
        judging.item.next.push(format!("if it is meant to be so: -c '{path}:read_only='").into());
    }
    judging.item.push(metric);
    mount.read_only
}

/// The devices of the filesystems that `report` finds short of space.
pub(super) fn filling(report: &Report, snapshot: &Snapshot) -> BTreeSet<String> {
    let short = |item: &&Item| {
        let names = [DISK_USED_PERCENT.name.as_ref(), FULL_IN.name.as_ref(), DISK_FREE.name.as_ref()];
        item.metrics.iter().any(|metric| metric.broken.is_some() && names.contains(&metric.definition.name.as_ref()))
    };
    let disk = report.items.iter().filter(|item| item.label.as_str() == Group::Disk.name());
    let labels: BTreeSet<&str> =
        disk.flat_map(|item| &item.children).filter(short).map(|item| item.label.as_str()).collect();
    let Some(Ok(mounts)) = &snapshot.mounts else { return BTreeSet::new() };
    let is_short = |mount: &&Mount| labels.contains(common::text::Text::new(&mount.path.to_string_lossy()).as_str());
    mounts.found.iter().filter(is_short).map(|mount| mount.device.clone()).collect()
}
