//! Open files: of the system, and of the process that is nearest to its own limit.

use common::number::{Number, percent};
use common::state::State;
use common::units::whole;

use super::processes::{HIDDEN, is_hidden};
use super::{Context, Finding, culprits, readable};
use crate::cli::Group;
use crate::metrics::{CONNTRACK_USED_PERCENT, FILE_HANDLES, FILE_HANDLES_USED_PERCENT, PROCESS_FILES_USED_PERCENT};
use crate::snapshot::{Process, Processes};

/// A maximum of open files this large is none.
const NO_LIMIT: u64 = 1 << 62;

pub(super) fn files(context: &Context) -> Finding {
    let processes = match readable(Group::Files, context.snapshot.processes.as_ref()) {
        Ok(processes) => processes,
        Err(finding) => return *finding,
    };
    let mut judging = context.verdict(Group::Files);
    let mut said = Vec::new();
    if let Some(limits) = &context.snapshot.limits {
        match &limits.files {
            Ok((open, maximum)) => {
                judging.add(&FILE_HANDLES, Number::from(*open), "file handles");
                judging.add(
                    &FILE_HANDLES_USED_PERCENT,
                    percent(*open, *maximum).and_then(Number::real),
                    "file handles",
                );
                let of = if *maximum >= NO_LIMIT { " without limit".to_owned() } else { format!(" of {maximum}") };
                said.push(format!("{open} file handles{of}"));
            }
            Err(fault) => judging.unreadable("file handles", fault),
        }
        match &limits.conntrack {
            Some(Ok((entries, maximum))) => {
                let share = percent(*entries, *maximum);
                judging.add(&CONNTRACK_USED_PERCENT, share.and_then(Number::real), "connection tracking");
                said.push(format!("connection tracking {} %", whole(share.unwrap_or(0.0))));
            }
            Some(Err(fault)) => judging.unreadable("connection tracking", fault),
            None => {}
        }
    }
    if let Some((share, worst)) = worst(processes) {
        let name = culprits::describe(context, worst);
        let phrase = format!("{name} has {{}} of the files it may open");
        judging.add(&PROCESS_FILES_USED_PERCENT, Number::real(share), &phrase);
        let (open, limit) = (worst.files.unwrap_or(0), worst.files_limit.unwrap_or(0));
        said.push(format!("nearest to its limit is {name} with {open} of {limit}"));
    }
    if processes.files_hidden > 0 {
        said.push(format!(
            "the open files of {} of {} processes are hidden from this user",
            processes.files_hidden,
            processes.list.len()
        ));
    }
    if is_hidden(processes) {
        judging.item.causes.push(HIDDEN.into());
        judging.problem(State::Unknown, "the open files of other users' processes are hidden");
    }
    if judging.wants_culprits() {
        judging.item.causes.extend(culprits::lines(context, "most open files", &culprits::by_files(context)));
    }
    judging.item.next.push(
        "lsof -p PID (what it has open); raise its limit (ulimits in docker-compose.yml, LimitNOFILE) or restart it"
            .into(),
    );
    Finding { item: judging.finish(said.join(", ")), brief: None }
}

/// The process that uses most of its own limit, and how much, in percent.
pub(super) fn worst(processes: &Processes) -> Option<(f64, &Process)> {
    let share = |process: &Process| percent(process.files?, process.files_limit?);
    processes
        .list
        .iter()
        .filter_map(|process| Some((share(process)?, process)))
        // Of equals the one with the lower PID, so that two runs on the same data agree.
        .max_by(|(a, left), (b, right)| a.total_cmp(b).then(right.pid.cmp(&left.pid)))
}
