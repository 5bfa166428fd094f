//! What runs here, by the Docker Engine's account.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use common::deadline::Deadline;
use common::docker::{self, Container, ContainerSummary, Engine};
use common::http::Endpoint;

use super::{dumps, programs};
use crate::cli::Init;
use crate::plan::{Deployment, Port, Project, Role, Service};

const PROJECT: &str = "com.docker.compose.project";
const SERVICE: &str = "com.docker.compose.service";
const FOLDER: &str = "com.docker.compose.project.working_dir";
const ONE_OFF: &str = "com.docker.compose.oneoff";

/// Looks at all of it. What cannot be found out is left open.
pub(super) fn look(init: &Init, deadline: &Deadline) -> Deployment {
    let asked = {
        let _step = deadline.step("the Docker Engine");
        ask(init, deadline)
    };
    let (engine, project, others) = match asked {
        Ok((project, others)) => (Ok(describe(&init.engine)), project, others),
        Err(reason) => (Err(reason), None, Vec::new()),
    };
    let folder = project.as_ref().and_then(|project| project.folder.as_deref());
    let dump = {
        let _step = deadline.step("a dump near the deployment");
        dumps::newest(folder)
    };
    let has_backup_plugin = programs::find("check_backup_age").is_ok();
    Deployment { engine, docker_host: init.docker_host.clone(), project, others, dump, has_backup_plugin }
}

fn describe(engine: &Endpoint) -> String {
    match engine {
        Endpoint::Unix(path) => format!("unix://{}", path.display()),
        Endpoint::Tcp(address) => format!("tcp://{address}"),
        #[allow(unreachable_patterns, reason = "one with TLS is there where another crate asks for it")]
        _ => "with TLS".to_owned(),
    }
}

/// The project to check, and the names of the others.
fn ask(init: &Init, deadline: &Deadline) -> Result<(Option<Project>, Vec<String>), String> {
    let reason = |error| docker::unreachable(&error, &init.engine).reason;
    let engine = Engine::connect(&init.engine, deadline.budget()).map_err(reason)?;
    let rows = engine.containers(deadline.budget()).map_err(reason)?;
    let mut projects: BTreeMap<&str, Vec<&ContainerSummary>> = BTreeMap::new();
    for row in rows.iter().filter(|row| row.label(ONE_OFF) != Some("True")) {
        if let (Some(project), Some(_)) = (row.label(PROJECT), row.label(SERVICE)) {
            projects.entry(project).or_default().push(row);
        }
    }
    let mut found: Vec<Project> = Vec::new();
    for (name, rows) in &projects {
        if init.project.as_deref().is_none_or(|wanted| wanted == *name) {
            found.push(project(&engine, name, rows, deadline));
        }
    }
    if let Some(wanted) = init.project.as_deref().filter(|_| found.is_empty()) {
        return Err(format!("no project is called {wanted}"));
    }
    // The one that is most like the guide's, of equals the first by name.
    let likeness = |project: &Project| {
        let roles = project.services.iter().map(|service| service.role).filter(|role| *role != Role::Other);
        roles.map(|role| format!("{role:?}")).collect::<BTreeSet<_>>().len()
    };
    found.reverse();
    let best = found.into_iter().max_by_key(likeness);
    let name = best.as_ref().map(|best| best.name.clone());
    let others = projects.keys().filter(|other| Some(**other) != name.as_deref()).map(ToString::to_string).collect();
    Ok((best, others))
}

fn project(engine: &Engine, name: &str, rows: &[&ContainerSummary], deadline: &Deadline) -> Project {
    let folder =
        rows.iter().find_map(|row| row.label(FOLDER)).map(PathBuf::from).filter(|folder| has_compose_file(folder));
    let mut services: BTreeMap<String, Service> = BTreeMap::new();
    for row in rows {
        let (Some(id), Some(container), Some(service)) = (&row.id, row.name(), row.label(SERVICE)) else { continue };
        if services.contains_key(service) {
            continue;
        }
        let details = engine.container(id, false, deadline.budget()).unwrap_or_default();
        let ports = ports(&details);
        let role = Role::of(service, row.image.as_deref().unwrap_or_default(), &ports);
        let (service, container) = (service.to_owned(), container.to_owned());
        services.insert(service.clone(), Service { name: service, container, role, ports });
    }
    Project { name: name.to_owned(), folder, services: services.into_values().collect() }
}

/// Whether `check_containers` would find the compose file there.
fn has_compose_file(folder: &Path) -> bool {
    let names = ["compose.yaml", "compose.yml", "docker-compose.yml", "docker-compose.yaml"];
    names.iter().any(|name| folder.join(name).is_file())
}

/// The TCP ports of a container, in their order. One that is not published has its number alone.
fn ports(container: &Container) -> Vec<Port> {
    let known = container.network_settings.ports.iter().flatten();
    let mut ports: Vec<Port> = known
        .filter_map(|(port, bindings)| {
            let inner: u16 = port.strip_suffix("/tcp")?.parse().ok()?;
            let is_published = bindings.as_ref().is_some_and(|bindings| !bindings.is_empty());
            let published = is_published.then(|| docker::address(container, inner).ok()).flatten();
            Some(Port { inner, published })
        })
        .collect();
    ports.sort_by_key(|port| port.inner);
    ports
}
