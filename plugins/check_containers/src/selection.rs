//! Which containers are judged, and what is missing among them. Pure.

use std::collections::{BTreeMap, BTreeSet};

use common::docker::{ContainerSummary, Status};
use common::glob::Glob;

const PROJECT: &str = "com.docker.compose.project";
const SERVICE: &str = "com.docker.compose.service";
const NUMBER: &str = "com.docker.compose.container-number";
const ONE_OFF: &str = "com.docker.compose.oneoff";
const CONFIG_HASH: &str = "com.docker.compose.config-hash";
const WORKING_DIR: &str = "com.docker.compose.project.working_dir";
const VERSION: &str = "com.docker.compose.version";

/// Characters of a name in the report. Names that must be names in DNS have 63 at most.
const INSTANCE_CHARS: usize = 100;

/// What should be there.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Expectation {
    /// The project that is watched; `None` for all.
    pub project: Option<String>,
    /// The directory of its compose file, by which the project is found where its name was changed.
    pub directory: Option<String>,
    /// The services that should be up and how many replicas each; `None` where nobody said.
    pub services: BTreeMap<String, Option<u32>>,
    /// Services that the compose file has and nobody expects: their profile is not chosen, or they have no replica.
    pub idle: BTreeSet<String>,
    /// Whether a compose file said all services, so that another one is an orphan.
    pub is_complete: bool,
    /// Whether only these services are asked for.
    pub is_narrow: bool,
}

/// A container of the engine's list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row {
    /// Its ID.
    pub id: String,
    /// Its name.
    pub name: String,
    /// What it is doing.
    pub status: Status,
    /// The image as it was asked for.
    pub image: Option<String>,
    /// When it was created, in seconds since 1970.
    pub created: Option<i64>,
    /// What docker-compose wrote on it.
    pub compose: Option<Compose>,
}

/// The labels of docker-compose.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Compose {
    /// Project.
    pub project: String,
    /// Service.
    pub service: String,
    /// Number of the replica, from 1.
    pub number: u32,
    /// Whether it was made by `docker-compose run`.
    pub is_one_off: bool,
    /// What tells one configuration of the service from another.
    pub config_hash: Option<String>,
    /// Directory of the compose file.
    pub directory: Option<String>,
    /// Whether it was made by version 2, which is called `docker compose`.
    pub is_v2: bool,
}

impl Row {
    /// The row of `summary`; `None` if it names no container.
    pub fn of(summary: &ContainerSummary) -> Option<Self> {
        let id = summary.id.clone().filter(|id| !id.is_empty())?;
        let name = summary.name().filter(|name| !name.is_empty()).unwrap_or(id.get(..12).unwrap_or(&id)).to_owned();
        let label = |name: &str| summary.label(name).map(str::to_owned);
        let compose = label(PROJECT).zip(label(SERVICE)).map(|(project, service)| Compose {
            project,
            service,
            number: label(NUMBER).and_then(|number| number.parse().ok()).unwrap_or(1),
            is_one_off: label(ONE_OFF).is_some_and(|value| value.eq_ignore_ascii_case("true")),
            config_hash: label(CONFIG_HASH),
            directory: label(WORKING_DIR),
            is_v2: label(VERSION).is_some_and(|version| !version.trim_start_matches('v').starts_with('1')),
        });
        let status = summary.state.clone().unwrap_or_else(|| Status::Other(String::new()));
        Some(Self { id, name, status, image: summary.image.clone(), created: summary.created, compose })
    }

    /// Whether docker-compose renamed it for the time in which it is replaced: `<12 hex>_NAME`.
    fn has_temporary_name(&self) -> bool {
        let prefix = self.name.split_once('_').map_or("", |(prefix, _)| prefix);
        matches!(prefix.len(), 10 | 12) && self.id.starts_with(prefix)
    }

    /// When it was created, in seconds since 1970.
    pub fn created_at(&self) -> Option<f64> {
        // They fit until 2106.
        self.created.and_then(|created| u32::try_from(created).ok()).map(f64::from)
    }

    fn is_up(&self) -> bool {
        self.status == Status::Running
    }
}

/// A container that is judged.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Judged {
    /// The container.
    pub row: Row,
    /// What it is called in the report and in thresholds: its service where one project is watched, else its name.
    pub instance: String,
}

/// Why a container is not judged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ignored {
    /// Made by `docker-compose run`.
    OneOff,
    /// Another container is replacing it.
    Replaced,
    /// Left from an older configuration of a service that runs in a newer one.
    Leftover,
}

/// What is judged of all the engine's containers.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Selection {
    /// The project that is watched, if it is one.
    pub project: Option<String>,
    /// The containers, by instance.
    pub judged: Vec<Judged>,
    /// Expected services without a container.
    pub missing_services: Vec<String>,
    /// Expected services that have containers, but fewer than replicas: service, containers, replicas.
    pub short_services: Vec<(String, u32, u32)>,
    /// Names that `--container` gives without a pattern and no container has.
    pub missing_names: Vec<String>,
    /// Names of the containers of services that the compose file does not have.
    pub orphans: Vec<String>,
    /// Names of containers that are left out, and why.
    pub ignored: Vec<(String, Ignored)>,
    /// The projects that have an expected service, where these are several and none was chosen.
    pub ambiguous: Vec<String>,
}

/// Chooses from `rows` what is to be judged. `is_scoped` says whether one project is watched.
pub fn select(
    expectation: &Expectation,
    is_scoped: bool,
    containers: &[Glob],
    excluded: &[Glob],
    rows: Vec<Row>,
) -> Selection {
    let mut selection = Selection { project: project(expectation, &rows), ..Selection::default() };
    if selection.project.is_none() && !expectation.services.is_empty() {
        selection.ambiguous = projects_with(expectation, &rows);
        if let [only] = selection.ambiguous.as_slice() {
            selection.project = Some(only.clone());
            selection.ambiguous.clear();
        }
    }
    let is_asked_for = |row: &Row| {
        let named = containers.is_empty() || containers.iter().any(|glob| glob.matches(&row.name));
        named && !excluded.iter().any(|glob| glob.matches(&row.name))
    };
    let names: BTreeSet<String> = rows.iter().map(|row| row.name.clone()).collect();
    let literal = containers.iter().filter_map(Glob::literal).filter(|name| !names.contains(*name));
    selection.missing_names = literal.map(str::to_owned).collect();
    let candidates: Vec<Row> = rows
        .into_iter()
        .filter(is_asked_for)
        .filter(|row| !is_scoped || is_in_scope(expectation, selection.project.as_deref(), row))
        .collect();
    for row in &candidates {
        // Whoever names a container wants it judged, whatever it is.
        let is_named = containers.iter().any(|glob| glob.literal() == Some(row.name.as_str()));
        match reason_to_ignore(row, &candidates).filter(|_| !is_named) {
            Some(reason) => selection.ignored.push((row.name.clone(), reason)),
            None if is_orphan(expectation, row) => selection.orphans.push(row.name.clone()),
            None => selection.judged.push(Judged { instance: instance(row, is_scoped), row: row.clone() }),
        }
    }
    selection.judged.sort_by(|a, b| (&a.instance, &a.row.name).cmp(&(&b.instance, &b.row.name)));
    selection.orphans.sort();
    selection.ignored.sort_by(|(a, _), (b, _)| a.cmp(b));
    (selection.missing_services, selection.short_services) = missing(expectation, &selection.judged);
    selection
}

/// The project that is watched. A project that was given another name is found by its directory.
fn project(expectation: &Expectation, rows: &[Row]) -> Option<String> {
    let wanted = expectation.project.as_deref()?;
    let labels = || rows.iter().filter_map(|row| row.compose.as_ref());
    if !labels().any(|compose| compose.project == wanted)
        && let Some(directory) = &expectation.directory
        && let Some(compose) = labels().find(|compose| compose.directory.as_ref() == Some(directory))
    {
        return Some(compose.project.clone());
    }
    Some(wanted.to_owned())
}

fn projects_with(expectation: &Expectation, rows: &[Row]) -> Vec<String> {
    let labels = rows.iter().filter_map(|row| row.compose.as_ref());
    let wanted = labels.filter(|compose| !compose.is_one_off && expectation.services.contains_key(&compose.service));
    let projects: BTreeSet<String> = wanted.map(|compose| compose.project.clone()).collect();
    projects.into_iter().collect()
}

fn is_in_scope(expectation: &Expectation, project: Option<&str>, row: &Row) -> bool {
    row.compose.as_ref().is_some_and(|compose| {
        project.is_none_or(|project| project == compose.project)
            && (!expectation.is_narrow || expectation.services.contains_key(&compose.service))
    })
}

fn reason_to_ignore(row: &Row, all: &[Row]) -> Option<Ignored> {
    let compose = row.compose.as_ref()?;
    if compose.is_one_off {
        return Some(Ignored::OneOff);
    }
    let siblings = all.iter().filter(|other| {
        other.id != row.id
            && other.compose.as_ref().is_some_and(|other| {
                !other.is_one_off && (&other.project, &other.service) == (&compose.project, &compose.service)
            })
    });
    let number = |row: &Row| row.compose.as_ref().map(|compose| compose.number);
    let hash = |row: &Row| row.compose.as_ref().and_then(|compose| compose.config_hash.clone());
    for sibling in siblings {
        if row.has_temporary_name() && !sibling.has_temporary_name() && number(sibling) == number(row) {
            return Some(Ignored::Replaced);
        }
        if !row.is_up() && sibling.is_up() && hash(sibling) != hash(row) && sibling.created >= row.created {
            return Some(Ignored::Leftover);
        }
    }
    None
}

fn is_orphan(expectation: &Expectation, row: &Row) -> bool {
    expectation.is_complete
        && row.compose.as_ref().is_some_and(|compose| {
            !expectation.services.contains_key(&compose.service) && !expectation.idle.contains(&compose.service)
        })
}

/// The name that stays the same when a container is made anew or another replica is added.
fn instance(row: &Row, is_scoped: bool) -> String {
    match &row.compose {
        Some(compose) if is_scoped && compose.number > 1 => format!("{}_{}", short(&compose.service), compose.number),
        Some(compose) if is_scoped => short(&compose.service),
        _ => short(&row.name),
    }
}

/// `name`, without its end where it would leave no room for what is said of it.
fn short(name: &str) -> String {
    match name.char_indices().nth(INSTANCE_CHARS) {
        Some((end, _)) => format!("{}…", name.get(..end).unwrap_or_default()),
        None => name.to_owned(),
    }
}

/// Services without a container, and those with fewer containers than replicas.
fn missing(expectation: &Expectation, judged: &[Judged]) -> (Vec<String>, Vec<(String, u32, u32)>) {
    let mut missing = Vec::new();
    let mut short = Vec::new();
    for (service, replicas) in &expectation.services {
        let of_service = judged
            .iter()
            .filter(|judged| judged.row.compose.as_ref().is_some_and(|compose| compose.service == *service));
        let count = u32::try_from(of_service.count()).unwrap_or(u32::MAX);
        match replicas {
            _ if count == 0 => missing.push(service.clone()),
            Some(replicas) if count < *replicas => short.push((service.clone(), count, *replicas)),
            _ => {}
        }
    }
    (missing, short)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `STATE NAME SERVICE [NUMBER [HASH [CREATED]]]`; a service of `-` is none.
    fn row(text: &str) -> Row {
        let words: Vec<&str> = text.split(' ').collect();
        let number = |index: usize, default: u32| words.get(index).map_or(default, |word| word.parse().unwrap());
        let compose = (words[2] != "-").then(|| Compose {
            project: "deploy".to_owned(),
            service: words[2].to_owned(),
            number: number(3, 1),
            config_hash: words.get(4).map(ToString::to_string),
            directory: Some("/srv/deploy".to_owned()),
            ..Compose::default()
        });
        let id = words[1].split_once('_').map_or("", |(prefix, _)| prefix);
        Row {
            id: format!("{id:0<12}{}", words[1]),
            name: words[1].to_owned(),
            status: Status::from(words[0].to_owned()),
            image: None,
            created: Some(number(5, 1).into()),
            compose,
        }
    }

    fn expecting(services: &[(&str, Option<u32>)]) -> Expectation {
        Expectation {
            project: Some("deploy".to_owned()),
            services: services.iter().map(|(name, replicas)| ((*name).to_owned(), *replicas)).collect(),
            is_complete: true,
            ..Expectation::default()
        }
    }

    fn selected(expectation: &Expectation, rows: &[&str]) -> Selection {
        select(expectation, true, &[], &[], rows.iter().map(|text| row(text)).collect())
    }

    fn instances(selection: &Selection) -> Vec<&str> {
        selection.judged.iter().map(|judged| judged.instance.as_str()).collect()
    }

    #[test]
    fn a_service_without_a_container_is_missing_and_one_that_exited_is_judged() {
        let selection = selected(
            &expecting(&[("postgres", None), ("kwanza", None)]),
            &["exited deploy_postgres_1 postgres", "running deploy_old_1 old", "running other -"],
        );
        assert_eq!(instances(&selection), ["postgres"]);
        assert_eq!(selection.missing_services, ["kwanza"]);
        assert_eq!(selection.orphans, ["deploy_old_1"]);
    }

    #[test]
    fn a_long_name_leaves_room_for_what_is_said_of_it() {
        let long = "x".repeat(5000);
        let rows = [1, 2].map(|number| format!("exited long_{number} {long} {number}"));
        let selection = selected(&expecting(&[(&long, None)]), &rows.each_ref().map(String::as_str));
        let shown = "x".repeat(INSTANCE_CHARS) + "…";
        assert_eq!(instances(&selection), [shown.clone(), shown + "_2"]);
    }

    #[test]
    fn replicas_are_counted_and_told_apart() {
        let rows = ["running deploy_kwanza_1 kwanza 1", "exited deploy_kwanza_3 kwanza 3"];
        let selection = selected(&expecting(&[("kwanza", Some(3))]), &rows);
        assert_eq!(instances(&selection), ["kwanza", "kwanza_3"]);
        assert_eq!(selection.short_services, [("kwanza".to_owned(), 2, 3)]);
        assert!(selected(&expecting(&[("kwanza", Some(2))]), &rows).short_services.is_empty());
    }

    #[test]
    fn what_is_left_of_an_older_configuration_is_not_judged() {
        let rows = ["running deploy_kwanza_1 kwanza 1 new 2", "exited deploy_kwanza_2 kwanza 2 old 1"];
        let selection = selected(&expecting(&[("kwanza", None)]), &rows);
        assert_eq!(instances(&selection), ["kwanza"]);
        assert_eq!(selection.ignored, [("deploy_kwanza_2".to_owned(), Ignored::Leftover)]);
        // A replica of the same configuration is down, and a newer one that did not start is no leftover.
        for rows in [
            ["running deploy_kwanza_1 kwanza 1 new 2", "exited deploy_kwanza_2 kwanza 2 new 1"],
            ["running deploy_kwanza_1 kwanza 1 old 1", "created deploy_kwanza_2 kwanza 2 new 2"],
        ] {
            assert_eq!(instances(&selected(&expecting(&[("kwanza", None)]), &rows)), ["kwanza", "kwanza_2"]);
        }
    }

    #[test]
    fn a_container_that_is_replaced_is_judged_only_while_it_is_alone() {
        let old = "running 0123456789ab_deploy_kwanza_1 kwanza 1 old 1";
        let alone = selected(&expecting(&[("kwanza", None)]), &[old]);
        assert_eq!((instances(&alone), alone.ignored.len()), (vec!["kwanza"], 0));
        let both = selected(&expecting(&[("kwanza", None)]), &[old, "created deploy_kwanza_1 kwanza 1 new 2"]);
        assert_eq!(both.judged[0].row.name, "deploy_kwanza_1");
        assert_eq!(both.ignored, [("0123456789ab_deploy_kwanza_1".to_owned(), Ignored::Replaced)]);
    }

    #[test]
    fn one_offs_are_not_judged() {
        let mut one_off = row("exited deploy_kwanza_run_1 kwanza");
        one_off.compose.as_mut().unwrap().is_one_off = true;
        let selection = select(&Expectation::default(), false, &[], &[], vec![one_off, row("running other -")]);
        assert_eq!(instances(&selection), ["other"]);
        assert_eq!(selection.ignored[0].1, Ignored::OneOff);
    }

    #[test]
    fn names_choose_and_a_name_that_nobody_has_is_missing() {
        let globs = |patterns: &[&str]| patterns.iter().map(|pattern| Glob::new(pattern)).collect::<Vec<_>>();
        let rows = vec![row("running deploy_kwanza_1 kwanza"), row("running proxy -")];
        let selection =
            select(&Expectation::default(), false, &globs(&["deploy_*", "gone", "g?ne"]), &globs(&["*_2"]), rows);
        assert_eq!(instances(&selection), ["deploy_kwanza_1"]);
        assert_eq!(selection.missing_names, ["gone"]);
    }

    #[test]
    fn a_renamed_project_is_found_by_its_directory() {
        let expectation = Expectation {
            project: Some("else".to_owned()),
            directory: Some("/srv/deploy".to_owned()),
            ..expecting(&[("kwanza", None)])
        };
        let selection = selected(&expectation, &["running deploy_kwanza_1 kwanza"]);
        assert_eq!((selection.project.as_deref(), instances(&selection)), (Some("deploy"), vec!["kwanza"]));
        let strict = Expectation { directory: None, ..expectation };
        assert_eq!(selected(&strict, &["running deploy_kwanza_1 kwanza"]).missing_services, ["kwanza"]);
    }

    #[test]
    fn a_service_of_several_projects_is_ambiguous() {
        let expectation =
            Expectation { project: None, is_complete: false, is_narrow: true, ..expecting(&[("kwanza", None)]) };
        let mut other = row("running test_kwanza_1 kwanza");
        other.compose.as_mut().unwrap().project = "test".to_owned();
        let rows = vec![row("running deploy_kwanza_1 kwanza"), other];
        assert_eq!(select(&expectation, true, &[], &[], rows).ambiguous, ["deploy", "test"]);
        let one = selected(&expectation, &["running deploy_kwanza_1 kwanza", "running deploy_cuesta_1 cuesta"]);
        assert_eq!((one.project.as_deref(), instances(&one)), (Some("deploy"), vec!["kwanza"]));
    }
}
