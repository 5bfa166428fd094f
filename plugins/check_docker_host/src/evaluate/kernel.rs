//! Time since boot.

use common::number::Number;
use common::units::duration;

use super::{Context, Finding, readable};
use crate::cli::Group;
use crate::metrics::UPTIME;

pub(super) fn kernel(context: &Context) -> Finding {
    let uptime = match readable(Group::Kernel, context.snapshot.uptime.as_ref()) {
        Ok(uptime) => *uptime,
        Err(finding) => return *finding,
    };
    let mut judging = context.verdict(Group::Kernel);
    let rebooted = context.kept.is_some() && context.kept_in_this_boot().is_none();
    judging.add(&UPTIME, Number::real(uptime), if rebooted { "rebooted since the last run, up" } else { "up" });
    judging.item.next.push("last -x -n 5; journalctl -b -1 -e (why it was rebooted)".into());
    let since = if rebooted { ", rebooted since the last run: counters begin anew" } else { "" };
    Finding {
        item: judging.finish(format!("up {}{since}", duration(uptime))),
        brief: rebooted.then(|| format!("rebooted {} ago", duration(uptime))),
    }
}
