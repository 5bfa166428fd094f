//! Block devices.

use common::number::{Number, float};
use common::report::Item;
use common::units::{duration, size, whole};

use super::{Context, Finding, readable};
use crate::cli::Group;
use crate::metrics::{AWAIT, BUSY_PERCENT, READ_BYTES, WRITE_BYTES};
use crate::snapshot::Disk;

/// Bytes a sector, whatever the device.
const SECTOR: f64 = 512.0;

pub(super) fn diskio(context: &Context) -> Finding {
    let disks = match readable(Group::Diskio, context.snapshot.disks.as_ref()) {
        Ok(disks) => disks,
        Err(finding) => return *finding,
    };
    let mut item = Item::ok(Group::Diskio.name(), format!("{} devices", disks.len()));
    if disks.len() == 1 {
        item.text = "1 device".into();
    }
    let Some((before, elapsed)) = context.since_last_run() else {
        item.text = format!("{}, baseline taken", item.text).into();
        return Finding { item, brief: None };
    };
    let judged = |(name, now): (&String, &Disk)| {
        let activity = Activity::between(before.disks.get(name)?, now, elapsed)?;
        Some(judge(context, name, &activity))
    };
    item.children = disks.iter().filter_map(judged).collect();
    Finding { item, brief: None }
}

/// What a device did between two samples.
#[derive(Debug, PartialEq)]
struct Activity {
    busy_percent: f64,
    read: f64,
    written: f64,
    /// Mean seconds a request; `None` without requests.
    wait: Option<f64>,
}

impl Activity {
    /// `None` if the counters began anew.
    fn between(before: &Disk, now: &Disk, elapsed: f64) -> Option<Self> {
        let delta = |field: fn(&Disk) -> u64| field(now).checked_sub(field(before)).map(float);
        let requests = delta(|disk| disk.reads)? + delta(|disk| disk.writes)?;
        // The kernel counts milliseconds in 32 bits.
        let elapsed_ms = |field: fn(&Disk) -> u64| {
            let (before, now) = (field(before), field(now));
            let wrapped = now < before && u32::try_from(before).is_ok();
            now.checked_add(if wrapped { 1 << 32 } else { 0 })?.checked_sub(before).map(float)
        };
        let waited = elapsed_ms(|disk| disk.read_ms)? + elapsed_ms(|disk| disk.write_ms)?;
        Some(Self {
            // The kernel rounds to a tick, which can exceed the interval.
            busy_percent: (elapsed_ms(|disk| disk.busy_ms)? / (elapsed * 10.0)).min(100.0),
            read: delta(|disk| disk.sectors_read)? * SECTOR / elapsed,
            written: delta(|disk| disk.sectors_written)? * SECTOR / elapsed,
            wait: (requests > 0.0).then(|| waited / requests / 1000.0),
        })
    }
}

fn judge(context: &Context, name: &str, activity: &Activity) -> Item {
    let mut judging = context.verdict(Group::Diskio);
    judging.item.label = name.into();
    judging.instance = Some(name.to_owned());
    judging.add(&BUSY_PERCENT, Number::real(activity.busy_percent), &format!("{name} busy"));
    judging.add(&READ_BYTES, Number::real(activity.read), &format!("{name} bytes read/s"));
    judging.add(&WRITE_BYTES, Number::real(activity.written), &format!("{name} bytes written/s"));
    judging.add(&AWAIT, activity.wait.and_then(Number::real), &format!("{name} mean wait"));
    judging.item.next.push("vmstat 1 5 (bi, bo, wa); vmstat -d".into());
    let wait = activity.wait.map(|wait| format!(", {} a request", duration(wait))).unwrap_or_default();
    let text = format!(
        "{} % busy, reads {}/s, writes {}/s{wait}",
        whole(activity.busy_percent),
        size(activity.read),
        size(activity.written)
    );
    judging.finish(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn milliseconds_may_wrap() {
        let before = Disk { reads: 1, read_ms: u64::from(u32::MAX) - 9, ..Disk::default() };
        let now = Disk { reads: 2, read_ms: 10, ..Disk::default() };
        assert_eq!(Activity::between(&before, &now, 1.0).unwrap().wait, Some(0.02));
    }

    #[test]
    fn rates_come_from_the_difference() {
        let before = Disk { reads: 10, sectors_read: 100, read_ms: 50, busy_ms: 100, ..Disk::default() };
        let now = Disk { reads: 30, sectors_read: 300, read_ms: 150, busy_ms: 1100, ..before };
        let activity = Activity::between(&before, &now, 2.0).unwrap();
        assert_eq!(activity, Activity { busy_percent: 50.0, read: 51_200.0, written: 0.0, wait: Some(0.005) });
        assert_eq!(Activity::between(&now, &before, 2.0), None, "the device was replaced");
        assert_eq!(Activity::between(&now, &now, 2.0).unwrap().wait, None);
    }
}
