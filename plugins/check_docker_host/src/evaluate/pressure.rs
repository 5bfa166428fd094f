//! Pressure stall information.

use common::metric::Definition;
use common::number::Number;
use common::pressure::Stall;
use common::report::Item;
use common::state::State;
use common::units::whole;

use super::{Context, Finding, culprits};
use crate::cli::Group;
use crate::metrics::{
    CPU_PRESSURE_SOME, CPU_PRESSURE_SOME_AVG10, IO_PRESSURE_FULL, IO_PRESSURE_FULL_AVG10, IO_PRESSURE_SOME,
    IO_PRESSURE_SOME_AVG10, MEMORY_PRESSURE_FULL, MEMORY_PRESSURE_FULL_AVG10, MEMORY_PRESSURE_SOME,
    MEMORY_PRESSURE_SOME_AVG10,
};
use crate::snapshot::{Fact, Pressure};

/// The metrics of one resource: over 60 and 10 seconds.
struct Row<'a> {
    name: &'static str,
    stall: Option<&'a Fact<Stall>>,
    some: [&'static Definition; 2],
    full: Option<[&'static Definition; 2]>,
    /// Who makes it scarce.
    culprits: for<'c> fn(&Context<'c>) -> (&'static str, Vec<culprits::Culprit<'c>>),
}

pub(super) fn pressure(context: &Context) -> Finding {
    let Some(Pressure { cpu, memory, io }) = &context.snapshot.pressure else {
        return Finding { item: Item::ok(Group::Pressure.name(), "was not looked at"), brief: None };
    };
    let rows = [
        Row {
            name: "cpu",
            stall: cpu.as_ref(),
            some: [&CPU_PRESSURE_SOME, &CPU_PRESSURE_SOME_AVG10],
            full: None,
            culprits: |context| ("most CPU time", culprits::by_cpu(context)),
        },
        Row {
            name: "memory",
            stall: memory.as_ref(),
            some: [&MEMORY_PRESSURE_SOME, &MEMORY_PRESSURE_SOME_AVG10],
            full: Some([&MEMORY_PRESSURE_FULL, &MEMORY_PRESSURE_FULL_AVG10]),
            culprits: |context| ("most memory", culprits::by_memory(context)),
        },
        Row {
            name: "io",
            stall: io.as_ref(),
            some: [&IO_PRESSURE_SOME, &IO_PRESSURE_SOME_AVG10],
            full: Some([&IO_PRESSURE_FULL, &IO_PRESSURE_FULL_AVG10]),
            culprits: |context| ("in uninterruptible sleep", culprits::uninterruptible(context)),
        },
    ];
    let mut judging = context.verdict(Group::Pressure);
    let mut said = Vec::new();
    for row in &rows {
        let stall = match row.stall {
            None => continue,
            Some(Ok(stall)) => stall,
            Some(Err(fault)) => {
                judging.unreadable(&format!("{} pressure", row.name), fault);
                continue;
            }
        };
        let mut worst = State::Ok;
        let mut add = |[minute, moment]: [&Definition; 2], [last10, last60]: [f64; 2], what: &str| {
            let minute = judging.add(minute, Number::real(last60), &format!("{} pressure {what}", row.name));
            let moment =
                judging.add(moment, Number::real(last10), &format!("{} pressure {what}, last 10 s,", row.name));
            worst = worst.max(minute).max(moment);
            said.push(format!("{} {what} {} %", row.name, whole(last60)));
        };
        add(row.some, stall.some, "some");
        if let (Some(metrics), Some(full)) = (row.full, stall.full) {
            add(metrics, full, "full");
        }
        if worst != State::Ok {
            let (heading, culprits) = (row.culprits)(context);
            judging.item.causes.extend(culprits::lines(context, heading, &culprits));
        }
    }
    judging.item.next.push("vmstat 1 5; top".into());
    let text = match (said.is_empty(), judging.item.state) {
        (false, _) => format!("{}, of the last 60 s", said.join(", ")),
        (true, State::Ok) => "not measured by this kernel".to_owned(),
        (true, _) => "cannot be judged".to_owned(),
    };
    Finding { item: judging.finish(text), brief: None }
}
