//! All I/O: the file of the checks, the plugins, and what runs here. No verdict.

mod deployment;
mod dumps;
mod file;
mod programs;

use common::child::End;
use common::deadline::Deadline;
use common::glob::Glob;
use common::pool;
use common::report::Item;
use common::state::State;
use jiff::Timestamp;
use jiff::tz::TimeZone;

use crate::cli::{Config, Init};
use crate::parse::{answer, config};
use crate::plan::{self, Candidate, Proposal, Trial};
use crate::snapshot::{Checks, Fault, Looked, Outcome, Snapshot, Written};

/// Checks that run at the same time, at most.
const WORKERS: usize = 64;

/// Runs the checks, or looks at what runs here.
pub fn collect(config: &Config, deadline: &Deadline) -> Result<Snapshot, Fault> {
    match &config.init {
        Some(init) => write_file(config, init, deadline).map(|written| Snapshot::Init(Box::new(written))),
        None => run(config, deadline).map(Snapshot::Checks),
    }
}

/// Runs all checks at once.
fn run(config: &Config, deadline: &Deadline) -> Result<Checks, Fault> {
    let path = config.file.display();
    let text = {
        let _step = deadline.step(format!("the file {path}"));
        file::read(&config.file)?
    };
    let checks = config::parse(&text).map_err(|reason| Fault::plain(format!("{path}: {reason}")))?;
    let checks = chosen(config, checks)?;
    let looked = pool::each(&checks, checks.len().min(WORKERS), |check| Looked {
        check: check.clone(),
        outcome: programs::run(config, check, deadline),
    });
    Ok(Checks { checks: looked, utc_offset: utc_offset() })
}

/// The checks that are asked for.
fn chosen(config: &Config, mut checks: Vec<config::Check>) -> Result<Vec<config::Check>, Fault> {
    let names: Vec<String> = checks.iter().map(|check| check.name.clone()).collect();
    for (option, globs) in [("--only", &config.only), ("--skip", &config.skip)] {
        let is_idle = |glob: &&Glob| !names.iter().any(|name| glob.matches(name));
        if let Some(glob) = globs.iter().find(is_idle) {
            let text = format!("{option} {}: no check is called so", glob.text());
            return Err(Fault::new(text, format!("checks are called {}", names.join(", "))));
        }
    }
    let any = |globs: &[Glob], name: &str| globs.iter().any(|glob| glob.matches(name));
    checks
        .retain(|check| (config.only.is_empty() || any(&config.only, &check.name)) && !any(&config.skip, &check.name));
    if checks.is_empty() {
        return Err(Fault::new("--only and --skip leave no check", format!("checks are called {}", names.join(", "))));
    }
    Ok(checks)
}

/// Seconds that the clocks of this machine are ahead of UTC.
fn utc_offset() -> i32 {
    TimeZone::system().to_offset(Timestamp::now()).seconds()
}

/// Looks at what runs here, tries which arguments suit it, and writes the file.
fn write_file(config: &Config, init: &Init, deadline: &Deadline) -> Result<Written, Fault> {
    if !init.is_printed && !init.is_forced {
        file::must_not_exist(&config.file)?;
    }
    let deployment = deployment::look(init, deadline);
    let proposals = plan::proposals(&deployment);
    let trials = pool::each(&proposals, WORKERS, |proposal| attempt(config, proposal, deadline));
    let text = plan::file(&trials);
    if !init.is_printed {
        let _step = deadline.step(format!("the file {}", config.file.display()));
        file::write(&config.file, &text, init.is_forced)?;
    }
    Ok(Written { deployment, trials, text })
}

/// Tries the candidates in turn, until one goes well.
fn attempt(config: &Config, proposal: &Proposal, deadline: &Deadline) -> Trial {
    let mut tried = Vec::new();
    let is_chosen_by_trial = proposal.candidates.len() > 1 && !proposal.is_example;
    for candidate in proposal.candidates.iter().filter(|_| is_chosen_by_trial) {
        let came_to = came_to(config, proposal, candidate, deadline);
        let is_well = came_to.0 == State::Ok;
        tried.push(came_to);
        if is_well {
            break;
        }
    }
    Trial { proposal: proposal.clone(), tried }
}

/// What a plugin says with these arguments.
fn came_to(config: &Config, proposal: &Proposal, candidate: &Candidate, deadline: &Deadline) -> (State, String) {
    let check = config::Check {
        name: proposal.name.clone(),
        plugin: proposal.plugin.to_owned(),
        arguments: candidate.arguments.clone(),
        timeout: None,
        parent: None,
    };
    match programs::run(config, &check, deadline) {
        Outcome::Ran(ran) => match ran.end {
            End::Exited(code) => match answer::parse(&ran.stdout, code) {
                Ok(answer) => (State::worst(answer.items.iter().map(Item::worst)), answer.summary.to_string()),
                Err(reason) => (State::Unknown, format!("{} {reason}", proposal.plugin)),
            },
            _ => (State::Unknown, format!("{} did not answer", proposal.plugin)),
        },
        Outcome::Missing(_) => (State::Unknown, format!("{} is not installed", proposal.plugin)),
        Outcome::Refused(path, reason) => (State::Unknown, format!("{} cannot be run: {reason}", path.display())),
    }
}
