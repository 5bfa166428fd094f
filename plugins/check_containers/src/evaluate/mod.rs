//! Verdicts. Pure: no I/O, and no clock but the one that is given.

mod container;
mod figures;
mod history;
mod services;

use std::collections::BTreeSet;

use common::clock::Clock;
use common::docker::{self, Container, Status};
use common::report::{Item, Report};
use common::run::Verdict;
use common::state::State;
use common::text::Text;

use crate::cli::Config;
use crate::metrics::{CPU_PERCENT, MEMORY_USED_PERCENT, METRICS};
use crate::selection::Judged;
use crate::snapshot::{Fault, Found, Kept, KeptContainer, Snapshot};

/// The report of a run and what it leaves for the next one.
pub fn evaluate(
    config: &Config,
    previous: Option<&Kept>,
    current: &Result<Snapshot, Fault>,
    now: &Clock,
) -> Verdict<Kept> {
    let snapshot = match current {
        Ok(snapshot) => snapshot,
        Err(fault) => return Verdict { report: failed(config, fault), keep: None },
    };
    let context = Context { config, previous, snapshot, now };
    let subjects = context.subjects();
    let mut order: Vec<&Subject> = subjects.iter().collect();
    // Of equals the first by name.
    order.sort_by_key(|subject| subject.rank(&context));
    let containers: Vec<Item> = order.into_iter().map(|subject| container::judge(&context, subject)).collect();
    let mut report = Report::new(summary(&context, &subjects, &containers));
    report.context = services::count(&context, &subjects);
    report.items = services::items(&context, &subjects);
    report.items.extend(containers);
    report.items.extend(unmatched(&context));
    Verdict { report, keep: Some(history::keep(&context, &subjects)) }
}

/// The report of a run that found nothing out.
fn failed(config: &Config, fault: &Fault) -> Report {
    match fault {
        Fault::Engine(error) => {
            let fault = docker::unreachable(error, &config.engine);
            let mut report = Report::single(fault.state, "docker", fault.reason);
            report.items.iter_mut().for_each(|item| item.next.push(fault.next.into()));
            report
        }
        Fault::File(reason) => Report::single(State::Unknown, "file", reason.as_str()),
    }
}

/// The containers whose logs may tell why they are not as `report` finds that they should be.
pub fn unexplained(snapshot: &Snapshot, report: &Report) -> BTreeSet<String> {
    let judged = snapshot.selection.judged.iter();
    let bad = |judged: &&Judged| {
        let item = report.items.iter().find(|item| item.label == Text::new(&judged.instance));
        let details = snapshot.containers.get(&judged.row.id).and_then(|found| found.details.as_ref().ok());
        item.is_some_and(|item| item.state != State::Ok)
            && details.is_some_and(|details| container::is_explained_by_log(item, details))
    };
    judged.filter(bad).map(|judged| judged.row.id.clone()).collect()
}

/// What everything is judged with.
struct Context<'a> {
    config: &'a Config,
    previous: Option<&'a Kept>,
    snapshot: &'a Snapshot,
    now: &'a Clock,
}

/// A container and all that is known of it.
struct Subject<'a> {
    judged: &'a Judged,
    found: &'a Found,
    /// What the engine knows of it, if it told.
    details: Option<&'a Container>,
    /// What the last run kept of it, of whatever life.
    kept: Option<&'a KeptContainer>,
}

impl<'a> Context<'a> {
    /// The containers that are judged. One that went away while it was looked at is not there.
    fn subjects(&self) -> Vec<Subject<'a>> {
        let subject = |judged: &'a Judged| {
            let found = self.snapshot.containers.get(&judged.row.id)?;
            let kept = self.previous.and_then(|previous| previous.containers.get(&judged.row.id));
            Some(Subject { judged, found, details: found.details.as_ref().ok(), kept })
        };
        self.snapshot.selection.judged.iter().filter_map(subject).collect()
    }

    /// Whether the container may have ended, as its work is done then.
    fn is_job(&self, subject: &Subject) -> bool {
        let row = &subject.judged.row;
        let names = [Some(row.name.as_str()), row.compose.as_ref().map(|compose| compose.service.as_str())];
        names.into_iter().flatten().any(|name| self.config.jobs.iter().any(|glob| glob.matches(name)))
    }

    /// Seconds from `time`, as the engine writes it, to now by the engine's clock.
    fn since(&self, time: Option<&str>) -> Option<f64> {
        let time = crate::parse::time::engine_time(time?)?;
        Some((self.snapshot.engine_now - time).max(0.0))
    }
}

impl<'a> Subject<'a> {
    /// What the container is doing, as it was last looked at.
    fn status(&self) -> &'a Status {
        self.details.and_then(|details| details.state.status.as_ref()).unwrap_or(&self.judged.row.status)
    }

    /// Begin of its life, as the engine writes it.
    fn started(&self) -> Option<&'a str> {
        self.details?.state.started_at.as_deref()
    }

    /// What the last run kept of this very life of it.
    fn kept_of_this_life(&self) -> Option<&'a KeptContainer> {
        self.kept.filter(|kept| Some(kept.started.as_str()) == self.started())
    }

    /// Its place in the report: what is down before what does not work, and that before what is short of something.
    fn rank(&self, context: &Context) -> u8 {
        let has_failed = self.details.is_some_and(container::has_failed_to_start);
        let is_waiting = matches!(self.status(), Status::Created | Status::Paused) && !has_failed;
        match self.is_up(context) {
            true if self.details.is_none_or(container::is_fit) => 2,
            false if !is_waiting => 0,
            _ => 1,
        }
    }

    /// Whether it runs, or has done its work where it is a job.
    fn is_up(&self, context: &Context) -> bool {
        let is_done = || self.details.is_some_and(|details| details.state.exit_code == Some(0));
        match self.status() {
            Status::Running => true,
            Status::Exited => context.is_job(self) && is_done(),
            _ => false,
        }
    }
}

/// The first line of a report that is OK.
fn summary(context: &Context, subjects: &[Subject], items: &[Item]) -> String {
    let mut said = vec![services::count(context, subjects).to_string()];
    for (metric, what) in [(&CPU_PERCENT, "cpu"), (&MEMORY_USED_PERCENT, "memory")] {
        let values = items.iter().flat_map(|item| &item.metrics).filter(|figure| figure.definition.name == metric.name);
        if let Some(highest) = values.max_by_key(|figure| figure.value) {
            let instance = highest.instance.as_ref().map(Text::as_str).unwrap_or_default();
            said.push(format!("most {what} {} % {instance}", highest.value.rounded(0)));
        }
    }
    said.join(", ")
}

/// Thresholds for a container or project that is not there: whoever wrote them believes it is watched.
fn unmatched(context: &Context) -> Option<Item> {
    let selection = &context.snapshot.selection;
    let mut known: BTreeSet<&str> = selection.judged.iter().map(|judged| judged.instance.as_str()).collect();
    // These have an item of their own already.
    known.extend(selection.missing_services.iter().chain(&selection.missing_names).map(String::as_str));
    known.extend(selection.project.as_deref());
    known.extend(selection.judged.iter().filter_map(|judged| Some(judged.row.compose.as_ref()?.project.as_str())));
    let instances = METRICS.iter().flat_map(|metric| context.config.thresholds.named_instances(metric));
    let strangers: BTreeSet<&str> = instances.filter(|instance| !known.contains(instance)).collect();
    if strangers.is_empty() {
        return None;
    }
    let names = strangers.into_iter().collect::<Vec<_>>().join(", ");
    let text = format!("thresholds are given for {names}, and nothing of that name is judged");
    Some(Item::new("thresholds", State::Unknown, text.clone()).headline(text).then("-v lists what is judged"))
}
