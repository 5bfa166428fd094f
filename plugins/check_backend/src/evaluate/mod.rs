//! Verdicts. Pure: no I/O, and no clock but the one that is given.

mod cause;
mod check;
mod init;
mod problem;
mod story;
mod tree;

use common::clock::Clock;
use common::number::Number;
use common::report::{Item, Report};
use common::run::Verdict;
use common::state::State;
use common::units::{counted, duration};

use self::problem::Problem;
use crate::cli::Config;
use crate::metrics::{CHECKS, CONSEQUENCES, PROBLEMS};
use crate::snapshot::{Checks, Fault, Kept, KeptCheck, Looked, Outcome, Snapshot};

/// The report of a run and what it leaves for the next one.
pub fn evaluate(
    config: &Config,
    previous: Option<&Kept>,
    current: &Result<Snapshot, Fault>,
    now: &Clock,
) -> Verdict<Kept> {
    match current {
        Ok(Snapshot::Checks(checks)) => judge(config, previous, checks, now),
        Ok(Snapshot::Init(written)) => Verdict { report: init::report(config, written), keep: None },
        Err(fault) => {
            let mut report = Report::single(State::Unknown, "file", fault.text.as_str());
            let steps = report.items.iter_mut().zip(&fault.next);
            steps.for_each(|(item, next)| item.next.push(next.as_str().into()));
            Verdict { report, keep: None }
        }
    }
}

/// The file itself, where it is to be printed.
pub fn printed(config: &Config, snapshot: &Snapshot) -> Option<String> {
    match snapshot {
        Snapshot::Init(written) if config.init.as_ref().is_some_and(|init| init.is_printed) => {
            Some(written.text.clone())
        }
        _ => None,
    }
}

fn judge(config: &Config, previous: Option<&Kept>, checks: &Checks, now: &Clock) -> Verdict<Kept> {
    let reports: Vec<Item> = checks.checks.iter().map(|looked| check::item(config, looked)).collect();
    let states: Vec<State> = reports.iter().map(Item::worst).collect();
    let problems = problem::list(&checks.checks, &reports, previous, now.wall);
    let causes = cause::find(&checks.checks, &problems);
    let keep = keep(config, previous, &checks.checks, &problems, now.wall);
    let mut items = tree::build(&checks.checks, &reports, &problems, &causes, checks.utc_offset);
    // What explains most comes first among what is equally bad.
    items.sort_by_key(|item| std::cmp::Reverse(item.following()));
    let consequences = causes.iter().filter(|cause| cause.is_some()).count();
    let own = own(config, &checks.checks, problems.len() - consequences, consequences);
    let well = states.iter().filter(|state| **state == State::Ok).count();
    let mut report = Report::new(format!("{} OK", counted(states.len(), "check")));
    report.context = format!("{well} of {} OK", counted(states.len(), "check")).into();
    report.list_items = true;
    report.items = items;
    report.items.push(own);
    Verdict { report, keep: Some(keep) }
}

/// What the check says of itself.
fn own(config: &Config, checks: &[Looked], problems: usize, consequences: usize) -> Item {
    let took = |looked: &Looked| match &looked.outcome {
        Outcome::Ran(ran) => ran.took.as_secs_f64(),
        Outcome::Missing(_) | Outcome::Refused(..) => 0.0,
    };
    let slowest = checks.iter().max_by(|one, other| took(one).total_cmp(&took(other)));
    let time = slowest.map(|slowest| duration(took(slowest))).unwrap_or_default();
    let mut item = Item::ok("run", format!("{} at the same time, in {time}", counted(checks.len(), "check")));
    if let Some(slowest) = slowest {
        item = item.note(2, format!("the slowest was {}", slowest.check.name));
    }
    for (metric, count) in [(&CHECKS, checks.len()), (&PROBLEMS, problems), (&CONSEQUENCES, consequences)] {
        item.push(config.thresholds.judge(metric, None, Number::from(count)));
    }
    if let Some(breach) = item.breach() {
        item = item.headline(format!("run of {} ({breach})", counted(checks.len(), "check")));
    }
    item
}

/// Since when what is not OK is so. What is known of checks that were left out stays.
fn keep(config: &Config, previous: Option<&Kept>, checks: &[Looked], problems: &[Problem], now: f64) -> Kept {
    let is_part = !config.only.is_empty() || !config.skip.is_empty();
    let mut kept = previous.filter(|_| is_part).cloned().unwrap_or_default();
    for (position, looked) in checks.iter().enumerate() {
        let own = problems.iter().filter(|problem| problem.place.check == position);
        let problems = own.map(|problem| (problem.key.clone(), problem.seen)).collect();
        kept.checks.insert(looked.check.name.clone(), KeptCheck { at: now, problems });
    }
    kept
}

#[cfg(test)]
mod tests;
