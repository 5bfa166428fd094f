//! Which checks suit what runs here.

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
    let project = deployment.project.as_ref();
    let of =
        |role: Role| project.into_iter().flat_map(|project| &project.services).filter(move |found| found.role == role);
    let mut proposals = vec![host(deployment), containers(deployment)];
    match of(Role::Postgres).next() {
        Some(service) => proposals.extend(database(deployment, service)),
        None => proposals.push(
            Proposal::new("database", "check_postgres", "PostgreSQL; no service of that kind was found")
                .with(&["-H", "127.0.0.1", "-p", "5444", "-U", "monitoring"], "where the guide publishes it")
                .example(),
        ),
    }
    match of(Role::Kwanza).next() {
        Some(service) => proposals.extend([expvars(deployment, service)].into_iter().chain(endpoints(service))),
        None => proposals.extend([
            Proposal::new("kwanza", "check_kwanza_expvars", "Kwanza's expvars; no service of that kind was found")
                .with(&["--container", "deploy_kwanza_1"], "the guide's container")
                .example(),
            Proposal::new("kwanza-endpoints", "check_endpoint", "whether Kwanza answers")
                .with(&["kwanza-http=http://127.0.0.1:8000", "kwanza-grpc=grpc://127.0.0.1:8001"], "the guide's ports")
                .example(),
        ]),
    }
    match of(Role::Cuesta).next() {
        Some(service) => proposals.extend(page(service)),
        None => proposals.push(
            Proposal::new("cuesta", "check_endpoint", "Cuesta's page; no service of that kind was found")
                .with(
                    &["cuesta=https://127.0.0.1:443/", "--insecure"],
                    "the guide's port, whoever signed its certificate",
                )
                .example(),
        ),
    }
    proposals.extend(of(Role::Other).filter_map(others));
    proposals.push(backup(deployment));
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

fn database(deployment: &Deployment, service: &Service) -> Vec<Proposal> {
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

fn expvars(deployment: &Deployment, service: &Service) -> Proposal {
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

fn urls(service: &Service) -> Vec<String> {
    service.ports.iter().filter_map(|port| endpoint(service.role, &service.name, port)).collect()
}

fn endpoints(service: &Service) -> Option<Proposal> {
    let urls = urls(service);
    let urls: Vec<&str> = urls.iter().map(String::as_str).collect();
    let title = format!("whether what {} publishes answers", service.container);
    let proposal = Proposal::new("kwanza-endpoints", "check_endpoint", title).below(service);
    (!urls.is_empty()).then(|| proposal.with(&urls, "its published ports"))
}

fn page(service: &Service) -> Option<Proposal> {
    let urls = urls(service);
    let urls: Vec<&str> = urls.iter().map(String::as_str).collect();
    let title = format!("Cuesta's page in {}, and how long its certificate lasts", service.container);
    let proposal = Proposal::new("cuesta", "check_endpoint", title).below(service);
    let insecure = "nobody known here signed its certificate, or for another name; --ca-file FILE would verify it";
    (!urls.is_empty()).then(|| {
        let proposal = proposal.with(&urls, "its published ports");
        if urls.iter().any(|url| url.contains("=https:")) {
            proposal.with(&[&urls[..], &["--insecure"]].concat(), insecure)
        } else {
            proposal
        }
    })
}

fn others(service: &Service) -> Option<Proposal> {
    let urls = urls(service);
    let urls: Vec<&str> = urls.iter().map(String::as_str).collect();
    let name: String =
        service.name.chars().filter(|c| c.is_ascii_alphanumeric() || "-_.".contains(*c)).take(32).collect();
    let is_named = !name.is_empty()
        && !["host", "containers", "database", "database-port", "kwanza", "backup"].contains(&name.as_str());
    let title = format!("whether what {} publishes answers", service.container);
    let proposal = Proposal::new(&name, "check_endpoint", title).below(service);
    (is_named && !urls.is_empty()).then(|| proposal.with(&urls, "its published ports"))
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
