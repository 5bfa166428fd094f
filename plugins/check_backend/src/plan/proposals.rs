//! Which checks suit what runs here.

use std::collections::BTreeSet;

use super::{Candidate, Deployment, Port, Project, Proposal, Role, Service};

/// The role that packaging/postgres/monitoring-role.sql makes, and the one that every server has.
const USERS: [(&str, &str); 2] = [
    ("monitoring", "the role of packaging/postgres/monitoring-role.sql; its password from ~/.pgpass or PGPASSWORD"),
    ("postgres", "the superuser; a role that may only look is in packaging/postgres/monitoring-role.sql"),
];

impl Proposal {
    fn new(name: &str, plugin: &'static str, title: impl Into<String>) -> Self {
        Self {
            name: name.to_owned(),
            plugin,
            title: title.into(),
            candidates: Vec::new(),
            parent: None,
            is_example: false,
            needs_success: false,
            instead_of: None,
        }
    }

    fn with(mut self, arguments: &[&str], comment: impl Into<String>) -> Self {
        let arguments = arguments.iter().map(ToString::to_string).collect();
        self.candidates.push(Candidate { arguments, comment: comment.into() });
        self
    }

    fn below(mut self, service: &Service) -> Self {
        self.parent = Some(format!("containers:{}", service.name));
        self
    }

    fn example(mut self) -> Self {
        self.is_example = true;
        self
    }
}

/// The checks that suit `deployment`, and examples of those that would suit the guide's where it lacks something.
pub fn proposals(deployment: &Deployment) -> Vec<Proposal> {
    let services = deployment.project.as_ref().map(|project| project.services.as_slice()).unwrap_or_default();
    let of = |role: Role| services.iter().find(|service| service.role == role);
    let (kwanza, cuesta) = (of(Role::Kwanza), of(Role::Cuesta));
    let mut proposals = vec![host(deployment), containers(deployment)];
    proposals.extend(database(deployment, of(Role::Postgres)));
    proposals.extend([expvars(deployment, kwanza), endpoints(kwanza), page(cuesta), backup(deployment)]);
    proposals.extend(services.iter().filter(|service| service.role == Role::Other).filter_map(others));
    let mut names = BTreeSet::new();
    proposals.retain(|proposal| names.insert(proposal.name.clone()));
    proposals
}

/// `arguments` with the engine, where it is not the usual one.
fn with_engine<'a>(deployment: &'a Deployment, arguments: &[&'a str]) -> Vec<&'a str> {
    let engine = deployment.docker_host.as_deref().map(|engine| ["--docker-host", engine]);
    arguments.iter().copied().chain(engine.into_iter().flatten()).collect()
}

fn host(deployment: &Deployment) -> Proposal {
    let title = "the host: CPU, memory, swap, disks, processes, open files and the Docker Engine";
    let comment = "thresholds, for instance: \"-w\", \"/var:used_percent=80\"";
    Proposal::new("host", "check_docker_host", title).with(&with_engine(deployment, &[]), comment)
}

fn containers(deployment: &Deployment) -> Proposal {
    let Some(project) = &deployment.project else {
        return Proposal::new(
            "containers",
            "check_containers",
            "the containers; no project of docker-compose was found",
        )
        .with(&["--deploy-dir", "/root/deploy"], "the folder of docker-compose.yml")
        .example();
    };
    let title = format!("the services of project {}", project.name);
    let mut proposal = Proposal::new("containers", "check_containers", title);
    if let Some(folder) = project.folder.as_ref().and_then(|folder| folder.to_str()) {
        let comment = "what must run is in the compose file there";
        proposal = proposal.with(&with_engine(deployment, &["--deploy-dir", folder]), comment);
    }
    proposal.with(
        &with_engine(deployment, &by_name(project)),
        "what must run are the services that ran when this was written",
    )
}

fn by_name(project: &Project) -> Vec<&str> {
    let services = project.services.iter().flat_map(|service| ["--service", service.name.as_str()]);
    ["--project", project.name.as_str()].into_iter().chain(services).collect()
}

/// Host and port as options take them.
fn split(address: &str) -> (&str, &str) {
    let (host, port) = address.rsplit_once(':').unwrap_or((address, ""));
    (host.trim_start_matches('[').trim_end_matches(']'), port)
}

fn published(service: &Service, inner: u16) -> Option<&str> {
    service.ports.iter().find(|port| port.inner == inner)?.published.as_deref()
}

fn database(deployment: &Deployment, service: Option<&Service>) -> Vec<Proposal> {
    let Some(service) = service else {
        let example = Proposal::new("database", "check_postgres", "PostgreSQL; no service of that kind was found");
        let arguments = ["-H", "127.0.0.1", "-p", "5444", "-U", "monitoring"];
        return vec![example.with(&arguments, "where the guide publishes it").example()];
    };
    let address = published(service, 5432);
    let place = match address.map(split) {
        Some((host, port)) => vec!["-H", host, "-p", port],
        None => with_engine(deployment, &["--container", &service.container]),
    };
    let title = format!("PostgreSQL in {}", service.container);
    let mut proposal = Proposal::new("database", "check_postgres", title).below(service);
    for (user, comment) in USERS {
        proposal = proposal.with(&[&place[..], &["-U", user]].concat(), comment);
    }
    proposal.needs_success = true;
    let port = address.map(|address| {
        let title = format!("whether anybody listens at the port of {}, as no login is known", service.container);
        let mut proposal = Proposal::new("database-port", "check_endpoint", title)
            .with(&[&format!("postgres=tcp://{address}")], "no more than a connection; better is check_postgres above")
            .below(service);
        proposal.instead_of = Some("database");
        proposal
    });
    [proposal].into_iter().chain(port).collect()
}

fn expvars(deployment: &Deployment, service: Option<&Service>) -> Proposal {
    let Some(service) = service else {
        let title = "Kwanza's expvars; no service of that kind was found";
        let example = Proposal::new("kwanza", "check_kwanza_expvars", title);
        return example.with(&["--container", "deploy_kwanza_1"], "the guide's container").example();
    };
    let title = format!("what Kwanza in {} tells of itself (expvars)", service.container);
    let mut proposal = Proposal::new("kwanza", "check_kwanza_expvars", title).below(service);
    for (inner, comment) in [(8080, "the port of its expvars"), (6060, "the profiling port, which has its expvars too")]
    {
        if let Some((host, port)) = published(service, inner).map(split) {
            proposal = proposal.with(&["-H", host, "-p", port], comment);
        }
    }
    let by_name = with_engine(deployment, &["--container", &service.container]);
    proposal.with(&by_name, "its port is not published; the engine tells where it is")
}

/// How to ask a published port.
fn endpoint(role: Role, name: &str, port: &Port) -> Option<String> {
    let address = port.published.as_deref()?;
    let url = match (role, port.inner) {
        (Role::Kwanza, 8000) | (Role::Cuesta, 80) => format!("{name}-http=http://{address}"),
        (Role::Kwanza, 8001) => format!("{name}-grpc=grpc://{address}"),
        (Role::Kwanza, 6060) => format!("{name}-profiling=http://{address}"),
        (Role::Kwanza, 8080) => format!("{name}-expvars=http://{address}"),
        (Role::Cuesta, 443) => format!("{name}=https://{address}/"),
        (_, inner) => format!("{name}-{inner}=tcp://{address}"),
    };
    Some(url)
}

/// A service and how to ask what it publishes, if it publishes anything.
fn published_urls(service: &Service) -> Option<(&Service, Vec<String>)> {
    let urls: Vec<String> =
        service.ports.iter().filter_map(|port| endpoint(service.role, &service.name, port)).collect();
    (!urls.is_empty()).then_some((service, urls))
}

fn words(texts: &[String]) -> Vec<&str> {
    texts.iter().map(String::as_str).collect()
}

fn endpoints(service: Option<&Service>) -> Proposal {
    let Some((service, urls)) = service.and_then(published_urls) else {
        let example = Proposal::new("kwanza-endpoints", "check_endpoint", "whether Kwanza answers; no port was found");
        let urls = ["kwanza-http=http://127.0.0.1:8000", "kwanza-grpc=grpc://127.0.0.1:8001"];
        return example.with(&urls, "the guide's ports").example();
    };
    let title = format!("whether what {} publishes answers", service.container);
    Proposal::new("kwanza-endpoints", "check_endpoint", title).below(service).with(&words(&urls), "its published ports")
}

fn page(service: Option<&Service>) -> Proposal {
    let Some((service, urls)) = service.and_then(published_urls) else {
        let example = Proposal::new("cuesta", "check_endpoint", "whether Cuesta's page answers; no port was found");
        let arguments = ["cuesta=https://127.0.0.1:443/", "--insecure"];
        return example.with(&arguments, "the guide's port, whoever signed its certificate").example();
    };
    let title = format!("Cuesta's page in {}, and how long its certificate lasts", service.container);
    let proposal = Proposal::new("cuesta", "check_endpoint", title).below(service);
    let proposal = proposal.with(&words(&urls), "its published ports");
    if !urls.iter().any(|url| url.contains("=https:")) {
        return proposal;
    }
    let insecure = "nobody known here signed its certificate, or for another name; --ca-file FILE would verify it";
    proposal.with(&[&words(&urls)[..], &["--insecure"]].concat(), insecure)
}

fn others(service: &Service) -> Option<Proposal> {
    let (_, urls) = published_urls(service)?;
    let is_plain = |c: &char| c.is_ascii_alphanumeric() || "-_.".contains(*c);
    let name: String = service.name.chars().filter(is_plain).take(32).collect();
    let title = format!("whether what {} publishes answers", service.container);
    let proposal = Proposal::new(&name, "check_endpoint", title).below(service);
    (!name.is_empty()).then(|| proposal.with(&words(&urls), "its published ports"))
}

fn backup(deployment: &Deployment) -> Proposal {
    let found = deployment.dump.as_ref().and_then(|dump| Some((dump, dump.folder.to_str()?)));
    match found {
        Some((dump, folder)) => {
            let title = format!("the dumps beside {}", dump.newest);
            let missing = if deployment.has_backup_plugin { "" } else { "; check_backup_age is not installed here" };
            let proposal = Proposal::new("backup", "check_backup_age", format!("{title}{missing}"))
                .with(&[folder, "--pattern", &dump.pattern], "the newest of them, its age and its content");
            if deployment.has_backup_plugin { proposal } else { proposal.example() }
        }
        None => {
            Proposal::new("backup", "check_backup_age", "the dumps of the database; none was found near the deployment")
                .with(&["/root/deploy/backup", "--pattern", "*.tar"], "where the guide's pg_dump writes to")
                .example()
        }
    }
}
