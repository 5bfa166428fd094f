//! A Docker Engine with the guide's three containers, on a unix socket: what a real one answered, with the times, ports
//! and figures of now.
//!
//! `tests/e2e/demo.rs` records it, and compares what `check_containers` says of both.

use std::net::Ipv4Addr;
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use hyper::body::Incoming;
use hyper::header::HeaderValue;
use hyper::{Method, Request, StatusCode};
use jiff::Timestamp;
use serde_json::{Value, json};

use crate::http::{Answer, Body, found};
use crate::logs::Log;
use crate::server::Server;

/// The API that was recorded.
const API: &str = "1.41";
/// How long the containers have been up when the engine starts.
const AGE: Duration = Duration::from_hours(75);

/// What was recorded.
const RECORDING: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../fixtures/backend/engine");

/// A service of the deployment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Service {
    /// `deploy_cuesta_1`.
    Cuesta,
    /// `deploy_kwanza_1`.
    Kwanza,
    /// `deploy_postgres_1`.
    Postgres,
}

impl Service {
    /// All three.
    pub const ALL: [Self; 3] = [Self::Cuesta, Self::Kwanza, Self::Postgres];

    const fn name(self) -> &'static str {
        match self {
            Self::Cuesta => "cuesta",
            Self::Kwanza => "kwanza",
            Self::Postgres => "postgres",
        }
    }

    /// What it uses in a second: of a core, and bytes over the network.
    fn load(self) -> (f64, f64) {
        match self {
            Self::Cuesta => (0.004, 2_000.0),
            Self::Kwanza => (0.045, 30_000.0),
            Self::Postgres => (0.021, 12_000.0),
        }
    }
}

/// How the container of PostgreSQL ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// By `docker kill`.
    Killed,
    /// It was to start again while the disk is full.
    DiskFull,
}

impl End {
    /// Where it is recorded.
    const fn folder(self) -> &'static str {
        match self {
            Self::Killed => "killed",
            Self::DiskFull => "disk_full",
        }
    }
}

/// The engine, until it is dropped.
#[derive(Debug)]
pub struct Engine {
    containers: Arc<Mutex<[Container; 3]>>,
    _server: Server,
}

impl Engine {
    /// Starts it at `socket`. The deployment is in the folder `deploy`; `published` tells at which port of 127.0.0.1 a
    /// port of a service is found, and `address` the address of Kwanza's container.
    pub fn start(
        socket: &Path,
        deploy: &Path,
        published: &[(Service, u16, u16)],
        address: Ipv4Addr,
    ) -> Result<Self, String> {
        let mut containers = Service::ALL.map(Container::new);
        for container in &mut containers {
            for (service, inner, outer) in published {
                if *service == container.service {
                    container.publish(*inner, *outer);
                }
            }
            container.lies_in(deploy);
            if container.service == Service::Kwanza {
                for document in [&mut container.details, &mut container.row] {
                    put(document, "/NetworkSettings/Networks/deploy_default/IPAddress", address.to_string());
                }
            }
        }
        let containers = Arc::new(Mutex::new(containers));
        let server = Server::new()?;
        let shared = Arc::clone(&containers);
        server.http_at(socket, move |request| answer(request, &*lock(&shared)))?;
        Ok(Self { containers, _server: server })
    }

    /// The ID of the container of `service`.
    pub fn id(&self, service: Service) -> String {
        lock(&self.containers)[service as usize].id().to_owned()
    }

    /// The container of PostgreSQL has ended just now.
    pub fn end(&self, end: End) {
        lock(&self.containers)[Service::Postgres as usize].end(end);
    }
}

fn lock(containers: &Mutex<[Container; 3]>) -> MutexGuard<'_, [Container; 3]> {
    containers.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A container, as far as the engine knows it.
#[derive(Debug)]
struct Container {
    service: Service,
    /// Its row in the list.
    row: Value,
    details: Value,
    stats: Value,
    log: Log,
    started: Timestamp,
    /// When and how it has ended.
    ended: Option<(Timestamp, u64)>,
}

impl Container {
    /// One that has been up for a while.
    fn new(service: Service) -> Self {
        let name = service.name();
        let (list, mut details) = (document("up/containers.json"), document(&format!("up/{name}.json")));
        let row = list.as_array().and_then(|rows| rows.iter().find(|row| row["Id"] == details["Id"]));
        let mut row = row.unwrap_or_else(|| panic!("the recording lists no {name}")).clone();
        let started = Timestamp::now() - AGE;
        let log = log(&format!("up/{name}.log")).later(started.duration_since(time(&details, "/State/StartedAt")));
        put(&mut details, "/Created", started.to_string());
        put(&mut details, "/State/StartedAt", started.to_string());
        put(&mut row, "/Created", started.as_second());
        let stats = document(&format!("up/{name}.stats.json"));
        Self { service, row, details, stats, log, started, ended: None }
    }

    fn id(&self) -> &str {
        self.details["Id"].as_str().expect("an ID")
    }

    fn is_called(&self, name: &str) -> bool {
        self.details["Name"].as_str().is_some_and(|full| full[1..] == *name)
            || (name.len() >= 12 && self.id().starts_with(name))
    }

    /// Lets its port `inner` be found at the port `outer` of the host.
    fn publish(&mut self, inner: u16, outer: u16) {
        for place in ["NetworkSettings/Ports", "HostConfig/PortBindings"] {
            put(&mut self.details, &format!("/{place}/{inner}~1tcp/0/HostPort"), outer.to_string());
        }
        let ports = self.row["Ports"].as_array_mut().expect("a list");
        let port = ports.iter_mut().find(|port| port["PrivatePort"] == inner).expect("a port that was published");
        put(port, "/PublicPort", outer);
    }

    /// The folder of the compose file, which docker-compose has written down.
    fn lies_in(&mut self, deploy: &Path) {
        const LABEL: &str = "com.docker.compose.project.working_dir";
        let deploy = deploy.display().to_string();
        self.details["Config"]["Labels"][LABEL] = deploy.clone().into();
        self.row["Labels"][LABEL] = deploy.into();
    }

    fn end(&mut self, end: End) {
        let folder = end.folder();
        let (details, now) = (document(&format!("{folder}/postgres.json")), Timestamp::now());
        let age = now.duration_since(time(&details, "/State/FinishedAt"));
        self.log = log(&format!("{folder}/postgres.log")).later(age);
        // Killed, it had been up for long; else it was started once more.
        if end == End::DiskFull {
            self.started = time(&details, "/State/StartedAt") + age;
        }
        self.ended = Some((now, details["State"]["ExitCode"].as_u64().expect("an exit code")));
        for name in ["State", "NetworkSettings"] {
            self.details[name] = details[name].clone();
        }
        put(&mut self.details, "/State/StartedAt", self.started.to_string());
        put(&mut self.details, "/State/FinishedAt", now.to_string());
        put(&mut self.row, "/Ports", json!([]));
        put(&mut self.row, "/State", "exited");
    }

    fn row(&self, now: Timestamp) -> Value {
        let mut row = self.row.clone();
        let status = match self.ended {
            None => format!("Up {} hours", now.duration_since(self.started).as_hours()),
            Some((at, code)) => format!("Exited ({code}) {} seconds ago", now.duration_since(at).as_secs()),
        };
        put(&mut row, "/Status", status);
        row
    }

    /// Its figures, which the engine reads anew for everyone.
    fn stats(&self, now: Timestamp) -> Value {
        let mut stats = self.stats.clone();
        if self.ended.is_some() {
            return json!({"read": "0001-01-01T00:00:00Z", "name": stats["name"], "id": stats["id"]});
        }
        let seconds = now.duration_since(self.started).as_secs_f64();
        let (cores, bytes) = self.service.load();
        // Memory swings by a tenth, once a minute.
        let swing = 1.0 + (seconds * std::f64::consts::TAU / 60.0).sin() / 10.0;
        put(&mut stats, "/read", now.to_string());
        change(&mut stats, "/cpu_stats/cpu_usage/total_usage", |used| used + cores * seconds * 1e9);
        change(&mut stats, "/cpu_stats/system_cpu_usage", |used| used + 2.0 * seconds * 1e9);
        change(&mut stats, "/memory_stats/usage", |used| used * swing);
        for way in ["rx_bytes", "tx_bytes"] {
            change(&mut stats, &format!("/networks/eth0/{way}"), |used| used + bytes * seconds);
        }
        stats
    }
}

/// Answers one request, as version 1.41 of the API does.
fn answer(request: &Request<Incoming>, containers: &[Container]) -> Answer {
    let path = request.uri().path().trim_start_matches('/');
    let words: Vec<&str> = path.split('/').collect();
    let words = if words[0].starts_with("v1.") { &words[1..] } else { &words[..] };
    if ![Method::GET, Method::HEAD].contains(request.method()) {
        return refusal(StatusCode::FORBIDDEN, "this engine plays a recording and changes nothing");
    }
    let now = Timestamp::now();
    match words {
        ["_ping"] => ping(),
        ["info"] => json_of(&info(containers, now)),
        ["version"] => json_of(&document("version.json")),
        ["system", "df"] => json_of(&document("system_df.json")),
        ["containers", "json"] => {
            let is_all = option(request.uri().query(), "all").is_some();
            // What docker-compose asks for besides: those of `docker-compose run`, of which there are none.
            if option(request.uri().query(), "filters").is_some_and(|filters| filters.contains("oneoff%3DTrue")) {
                return json_of(&json!([]));
            }
            let rows = containers.iter().filter(|each| is_all || each.ended.is_none()).map(|each| each.row(now));
            json_of(&rows.collect())
        }
        ["containers", name, what] => match (containers.iter().find(|each| each.is_called(name)), *what) {
            (None, _) => refusal(StatusCode::NOT_FOUND, &format!("No such container: {name}")),
            (Some(container), "json") => json_of(&container.details),
            (Some(container), "stats") => json_of(&container.stats(now)),
            (Some(container), "logs") => {
                let option = |name: &str| option(request.uri().query(), name);
                let since = option("since").and_then(|since| {
                    let (seconds, nanoseconds) = since.split_once('.').unwrap_or((since, "0"));
                    Timestamp::new(seconds.parse().ok()?, nanoseconds.parse().ok()?).ok()
                });
                let tail = option("tail").and_then(|tail| tail.parse().ok()).unwrap_or(usize::MAX);
                found("application/octet-stream", Body::chunked(container.log.answer(since, tail)))
            }
            _ => refusal(StatusCode::NOT_FOUND, "page not found"),
        },
        _ => refusal(StatusCode::NOT_FOUND, "page not found"),
    }
}

/// The value of an option in the query.
fn option<'a>(query: Option<&'a str>, name: &str) -> Option<&'a str> {
    query?.split('&').find_map(|option| option.strip_prefix(name)?.strip_prefix('='))
}

fn ping() -> Answer {
    let mut answer = found("text/plain; charset=utf-8", Body::whole("OK"));
    answer.headers_mut().insert("Api-Version", HeaderValue::from_static(API));
    answer.headers_mut().insert("Ostype", HeaderValue::from_static("linux"));
    answer
}

/// What the engine says of itself.
fn info(containers: &[Container], now: Timestamp) -> Value {
    let mut info = document("info.json");
    let stopped = containers.iter().filter(|each| each.ended.is_some()).count();
    put(&mut info, "/ContainersRunning", containers.len() - stopped);
    put(&mut info, "/ContainersStopped", stopped);
    put(&mut info, "/SystemTime", now.to_string());
    info
}

fn json_of(value: &Value) -> Answer {
    found("application/json", Body::whole(&format!("{value}\n")))
}

fn refusal(status: StatusCode, message: &str) -> Answer {
    let mut answer = json_of(&json!({ "message": message }));
    *answer.status_mut() = status;
    answer
}

/// A file of the recording.
fn recorded(name: &str) -> Vec<u8> {
    std::fs::read(Path::new(RECORDING).join(name)).unwrap_or_else(|error| panic!("{RECORDING}/{name}: {error}"))
}

fn document(name: &str) -> Value {
    serde_json::from_slice(&recorded(name)).unwrap_or_else(|error| panic!("{RECORDING}/{name}: {error}"))
}

fn log(name: &str) -> Log {
    Log::recorded(&recorded(name)).unwrap_or_else(|| panic!("{RECORDING}/{name} is no log"))
}

/// Replaces what is at `pointer`.
fn put(value: &mut Value, pointer: &str, new: impl Into<Value>) {
    *value.pointer_mut(pointer).unwrap_or_else(|| panic!("the recording has no {pointer}")) = new.into();
}

/// Replaces the count at `pointer`.
fn change(value: &mut Value, pointer: &str, by: impl Fn(f64) -> f64) {
    let count = value.pointer(pointer).and_then(Value::as_f64).unwrap_or_else(|| panic!("no count at {pointer}"));
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "counts of a demonstration are small")]
    put(value, pointer, by(count) as u64);
}

fn time(value: &Value, pointer: &str) -> Timestamp {
    value
        .pointer(pointer)
        .and_then(|text| text.as_str()?.parse().ok())
        .unwrap_or_else(|| panic!("no time at {pointer}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_move_by_the_clock() {
        let kwanza = Container::new(Service::Kwanza);
        let used = |at: Timestamp| kwanza.stats(at)["cpu_stats"]["cpu_usage"]["total_usage"].as_f64().unwrap();
        let (now, later) = (Timestamp::now(), Timestamp::now() + Duration::from_secs(10));
        let cores = (used(later) - used(now)) / 1e10;
        assert!((cores - 0.045).abs() < 0.001, "{cores}");
    }

    #[test]
    fn a_container_that_ends_keeps_what_it_is() {
        let mut postgres = Container::new(Service::Postgres);
        let id = postgres.id().to_owned();
        for (end, code) in [(End::Killed, 137), (End::DiskFull, 1)] {
            postgres.end(end);
            assert_eq!((postgres.id(), &postgres.details["State"]["ExitCode"]), (id.as_str(), &code.into()));
            assert!(
                postgres.row(Timestamp::now())["Status"].as_str().unwrap().starts_with(&format!("Exited ({code}) "))
            );
        }
        // Of its last life the log says only why it ended.
        let since = Some(postgres.started - Duration::from_millis(500));
        let log = String::from_utf8(postgres.log.answer(since, 200)).unwrap();
        assert!(log.contains("No space left on device") && !log.contains("shutdown"), "{log}");
    }
}
