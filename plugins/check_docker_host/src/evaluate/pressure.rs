//! Pressure stall information.

use common::metric::Definition;
use common::number::Number;
use common::report::Item;
use common::state::State;

use super::{Context, Finding, culprits, whole};
use crate::cli::Group;
use crate::metrics::{
    CPU_PRESSURE_SOME, CPU_PRESSURE_SOME_AVG10, IO_PRESSURE_FULL, IO_PRESSURE_FULL_AVG10, IO_PRESSURE_SOME,
    IO_PRESSURE_SOME_AVG10, MEMORY_PRESSURE_FULL, MEMORY_PRESSURE_FULL_AVG10, MEMORY_PRESSURE_SOME,
    MEMORY_PRESSURE_SOME_AVG10,
};
use crate::snapshot::{Fact, Pressure, Stall};

/// The metrics of one resource: over 60 and 10 seconds.
struct Row<'a> {
    name: &'static str,
    stall: Option<&'a Fact<Stall>>,
    some: [&'static Definition; 2],
    full: Option<[&'static Definition; 2]>,
}

pub(super) fn pressure(context: &Context) -> Finding {
    let Some(Pressure { cpu, memory, io }) = &context.snapshot.pressure else {
        return Finding { item: Item::ok(Group::Pressure.name(), "was not looked at"), brief: None };
    };
    let rows = [
        Row { name: "cpu", stall: cpu.as_ref(), some: [&CPU_PRESSURE_SOME, &CPU_PRESSURE_SOME_AVG10], full: None },
        Row {
            name: "memory",
            stall: memory.as_ref(),
            some: [&MEMORY_PRESSURE_SOME, &MEMORY_PRESSURE_SOME_AVG10],
            full: Some([&MEMORY_PRESSURE_FULL, &MEMORY_PRESSURE_FULL_AVG10]),
        },
        Row {
            name: "io",
            stall: io.as_ref(),
            some: [&IO_PRESSURE_SOME, &IO_PRESSURE_SOME_AVG10],
            full: Some([&IO_PRESSURE_FULL, &IO_PRESSURE_FULL_AVG10]),
        },
    ];
    let mut judging = context.verdict(Group::Pressure);
    let mut said = Vec::new();
    for row in &rows {
        match row.stall {
            None => {}
            Some(Err(fault)) => {
                judging.problem(State::Unknown, format!("{} pressure cannot be judged: {fault}", row.name));
            }
            Some(Ok(stall)) => {
                let mut add = |[minute, moment]: [&Definition; 2], [last10, last60]: [f64; 2], what: &str| {
                    judging.add(minute, Number::real(last60), &format!("{} pressure {what}", row.name));
                    judging.add(moment, Number::real(last10), &format!("{} pressure {what}, last 10 s,", row.name));
                    said.push(format!("{} {what} {} %", row.name, whole(last60)));
                };
                add(row.some, stall.some, "some");
                if let (Some(metrics), Some(full)) = (row.full, stall.full) {
                    add(metrics, full, "full");
                }
            }
        }
    }
    if judging.item.state != State::Ok {
        judging.item.causes = culprits::lines(context, "most CPU time", &culprits::by_cpu(context));
        judging.item.causes.extend(culprits::lines(context, "most memory", &culprits::by_memory(context)));
        judging.item.causes.extend(culprits::lines(
            context,
            "in uninterruptible sleep",
            &culprits::uninterruptible(context),
        ));
    }
    judging.item.next.push("vmstat 1 5; top".into());
    let text = if said.is_empty() && judging.item.state == State::Ok {
        "not measured by this kernel".to_owned()
    } else {
        format!("{}, of the last 60 s", said.join(", "))
    };
    Finding { item: judging.finish(text), brief: None }
}
