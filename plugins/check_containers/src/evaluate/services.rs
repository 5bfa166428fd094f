//! What should be there: services, replicas, containers of a name, projects.

use std::collections::{BTreeMap, BTreeSet};

use common::judging::Judging;
use common::number::Number;
use common::report::Item;
use common::state::State;
use common::text::Text;
use common::units::counted;

use super::container::command;
use super::{Context, Subject};
use crate::metrics::{ORPHANS, SERVICES_EXPECTED, SERVICES_MISSING, SERVICES_UP};
use crate::selection::Ignored;

/// `2 of 3 services up`, or containers where no project is watched.
pub(super) fn count(context: &Context, subjects: &[Subject]) -> Text {
    let selection = &context.snapshot.selection;
    let (up, all, noun) = if context.config.is_scoped() {
        let services = services(context, subjects, selection.project.as_deref());
        (services.values().filter(|is_up| **is_up).count(), services.len(), "service")
    } else {
        let up = subjects.iter().filter(|subject| subject.is_up(context)).count();
        (up, subjects.len() + selection.missing_names.len(), "container")
    };
    // Nobody could say which of several projects is meant.
    if all == 0 || selection.ambiguous.len() > 1 {
        return Text::default();
    }
    format!("{up} of {} up", counted(all, noun)).into()
}

/// The services of `project`, of all where it is `None`, that are expected or have a container, and whether each is up.
fn services<'a>(context: &'a Context, subjects: &[Subject<'a>], project: Option<&str>) -> BTreeMap<&'a str, bool> {
    let expected = &context.snapshot.expectation.services;
    let mut running: BTreeMap<&str, (u32, u32)> = BTreeMap::new();
    for subject in subjects {
        let Some(compose) = &subject.judged.row.compose else { continue };
        if project.is_none_or(|project| project == compose.project) {
            let (up, all) = running.entry(compose.service.as_str()).or_default();
            *up += u32::from(subject.is_up(context));
            *all += 1;
        }
    }
    let is_up = |service: &str| {
        let (up, all) = running.get(service).copied().unwrap_or_default();
        // Where nobody said how many, all that there are.
        up > 0 && up >= expected.get(service).copied().flatten().unwrap_or(all)
    };
    expected
        .keys()
        .map(String::as_str)
        .chain(running.keys().copied())
        .map(|service| (service, is_up(service)))
        .collect()
}

/// What is missing, and what is there and not judged.
pub(super) fn items(context: &Context, subjects: &[Subject]) -> Vec<Item> {
    let selection = &context.snapshot.selection;
    let mut items: Vec<Item> = projects(context, subjects);
    let (command, place) = start(context, subjects);
    if let [one, another, ..] = selection.ambiguous.as_slice() {
        let text = format!("several projects have such a service ({one}, {another}): choose one with --project");
        items.push(Item::new("project", State::Unknown, text.clone()).headline(text));
    }
    for service in &selection.missing_services {
        let text = "has no container: it was never created, or was removed";
        let step = format!("{command} up -d {service}{place}");
        items.push(
            Item::new(service.as_str(), State::Critical, text)
                .headline(format!("{service} has no container"))
                .then(step),
        );
    }
    for (service, found, replicas) in &selection.short_services {
        let text = format!("{found} of {replicas} replicas have a container");
        let step = format!("{command} up -d --scale {service}={replicas} {service}{place}");
        let headline = format!("{service} has {found} of {replicas} replicas");
        items.push(Item::new(format!("{service} replicas"), State::Critical, text).headline(headline).then(step));
    }
    for name in &selection.missing_names {
        let text = "there is no container of this name";
        items.push(
            Item::new(name.as_str(), State::Critical, text)
                .headline(format!("container {name} is not there"))
                .then("docker ps --all"),
        );
    }
    items.extend(vanished(context));
    items.extend(nothing(context));
    items.extend(unjudged(context));
    items
}

/// The counts of each project.
fn projects(context: &Context, subjects: &[Subject]) -> Vec<Item> {
    let selection = &context.snapshot.selection;
    let seen = subjects.iter().filter_map(|subject| Some(subject.judged.row.compose.as_ref()?.project.as_str()));
    let projects: BTreeSet<&str> = match &selection.project {
        Some(project) => BTreeSet::from([project.as_str()]),
        None => seen.collect(),
    };
    let item = |project: &str| {
        let services = services(context, subjects, Some(project));
        let up = services.values().filter(|is_up| **is_up).count();
        let mut judging = Judging::new(&context.config.thresholds, project, Some(project.to_owned()));
        judging.add(&SERVICES_EXPECTED, Number::from(services.len()), &format!("{project} services expected:"));
        judging.add(&SERVICES_UP, Number::from(up), &format!("{project} services up:"));
        let missing = Number::from(selection.missing_services.len());
        // Each has an item of its own, which says more than their number.
        let figure = context.config.thresholds.judge(&SERVICES_MISSING, Some(project), missing);
        judging.item.metrics.push(figure);
        judging.add(&ORPHANS, Number::from(selection.orphans.len()), &format!("{project} orphans:"));
        judging.finish(format!("{up} of {} up", counted(services.len(), "service")))
    };
    projects.into_iter().map(item).collect()
}

/// Containers that were listed and gone a moment later, as it is while they are made anew.
fn vanished(context: &Context) -> impl Iterator<Item = Item> {
    let judged = context.snapshot.selection.judged.iter();
    let gone = judged.filter(|judged| !context.snapshot.containers.contains_key(&judged.row.id));
    gone.map(|judged| {
        let text = "went away while it was looked at";
        Item::new(judged.instance.as_str(), State::Unknown, text).then("docker-compose ps; it may have been made anew")
    })
}

/// A project or a choice of containers without a single one.
fn nothing(context: &Context) -> Option<Item> {
    let selection = &context.snapshot.selection;
    let is_said = !selection.missing_services.is_empty()
        || !selection.missing_names.is_empty()
        || !selection.ambiguous.is_empty();
    if !selection.judged.is_empty() || is_said {
        return None;
    }
    let text = match &selection.project {
        Some(project) => format!("project {project} has no container"),
        None if context.config.containers.is_empty() => "there is no container".to_owned(),
        None => "no container has such a name".to_owned(),
    };
    // A project that is named should be there; an engine without any container may be new.
    let state = if selection.project.is_some() || !context.config.containers.is_empty() {
        State::Critical
    } else {
        State::Unknown
    };
    Some(Item::new("containers", state, text.clone()).headline(text).then("docker-compose ps; docker ps --all"))
}

/// Containers that are there and not judged, for `-v`.
fn unjudged(context: &Context) -> Option<Item> {
    let selection = &context.snapshot.selection;
    let mut lines: Vec<Text> = Vec::new();
    for name in &selection.orphans {
        lines.push(format!("{name}: an orphan, the compose file has no such service").into());
    }
    for (name, reason) in &selection.ignored {
        let reason = match reason {
            Ignored::OneOff => "made by docker-compose run",
            Ignored::Replaced => "another container is replacing it",
            Ignored::Leftover => "left from an older configuration of its service",
        };
        lines.push(format!("{name}: {reason}").into());
    }
    if lines.is_empty() {
        return None;
    }
    let mut item = Item::ok("not judged", counted(lines.len(), "container"));
    item.causes = lines;
    Some(item)
}

/// The command that starts services of the project, and where.
fn start(context: &Context, subjects: &[Subject]) -> (&'static str, String) {
    let of_project = subjects.iter().map(|subject| &subject.judged.row).find(|row| row.compose.is_some());
    let labelled = of_project.and_then(|row| row.compose.as_ref()?.directory.clone());
    let directory = context.snapshot.expectation.directory.clone().or(labelled);
    (
        of_project.map_or("docker-compose", command),
        directory.map(|directory| format!(" (in {directory})")).unwrap_or_default(),
    )
}
