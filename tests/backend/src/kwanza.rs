//! Kwanza: profiling, expvars, HTTP and gRPC, behind a PostgreSQL.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

use hyper::Request;
use hyper::body::Incoming;
use serde_json::Value;

use crate::environment::{port, value};
use crate::expvar::{self, Figures};
use crate::grpc::{self, Health};
use crate::server::Server;
use crate::{http, log, postgres, profiling};

/// How it is set up.
#[derive(Clone, Debug)]
pub struct Config {
    /// Where profiling listens; the guide's port is 6060.
    pub profiling: SocketAddr,
    /// Where the expvars listen, 8080.
    pub expvars: SocketAddr,
    /// Where HTTP listens, 8000.
    pub http: SocketAddr,
    /// Where gRPC listens, 8001.
    pub grpc: SocketAddr,
    /// The database that has to be there first, if any.
    pub registry: Option<Registry>,
    /// The services that the health service of gRPC knows besides the server itself.
    pub services: Vec<String>,
    /// How many times as fast as usual the counters grow.
    pub speed: f64,
    /// Takes a line of the log.
    pub log: fn(&str),
}

/// The PostgreSQL that Kwanza keeps its registry in.
#[derive(Clone, Debug)]
pub struct Registry {
    /// Its `host:port`.
    pub address: String,
    /// How often it is looked for.
    pub tries: u32,
    /// How long a try waits for the next.
    pub pause: Duration,
}

impl Config {
    /// Free ports of loopback, no database, no log.
    pub fn loopback() -> Self {
        let free = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
        Self {
            profiling: free,
            expvars: free,
            http: free,
            grpc: free,
            registry: None,
            services: vec!["kwanza".to_owned()],
            speed: 1.0,
            log: |_| (),
        }
    }

    /// The guide's ports, and what the variables `KWANZA_*` say otherwise.
    pub fn from_environment(log: fn(&str)) -> Result<Self, String> {
        Ok(Self {
            profiling: port("KWANZA_PROFILING_PORT", 6060)?,
            expvars: port("KWANZA_EXPVARS_PORT", 8080)?,
            http: port("KWANZA_HTTP_PORT", 8000)?,
            grpc: port("KWANZA_GRPC_PORT", 8001)?,
            registry: Some(Registry {
                address: value("KWANZA_POSTGRES", "postgres:5432".to_owned())?,
                tries: value("KWANZA_POSTGRES_TRIES", 5)?,
                pause: Duration::from_millis(500),
            }),
            speed: value("KWANZA_SPEED", 1.0)?,
            log,
            ..Self::loopback()
        })
    }
}

/// A Kwanza that runs, until it is dropped.
#[derive(Debug)]
pub struct Kwanza {
    /// Where profiling listens.
    pub profiling: SocketAddr,
    /// Where the expvars listen.
    pub expvars: SocketAddr,
    /// Where HTTP listens.
    pub http: SocketAddr,
    /// Where gRPC listens.
    pub grpc: SocketAddr,
    figures: Arc<Mutex<Figures>>,
    health: Arc<Mutex<Health>>,
    _server: Server,
}

impl Kwanza {
    /// Starts it, in the order that its log tells. The error is what the last line of the log says.
    pub fn start(config: &Config) -> Result<Self, String> {
        let info = |caller: &str, message: &str, fields: &[(&str, Value)]| {
            (config.log)(&log::line("info", caller, message, fields));
        };
        (config.log)("Either cert or key already exists, aborted cert- and key-generation");
        (config.log)("######### INTERACTIVE #########");
        let server = Server::new()?;
        let figures = Arc::new(Mutex::new(Figures::new(config.speed)));
        let health = Arc::new(Mutex::new(Health::of(&config.services)));
        let page = Arc::clone(&figures);
        let shared =
            move |request: &Request<Incoming>| profiling::answer(request.method(), request.uri().path(), &lock(&page));
        let listen = |address| server.listen(address).map_err(|error| fatal(config, "Failed to listen", &error));

        let (listener, expvars) = listen(config.expvars)?;
        let page = Arc::clone(&figures);
        server.http_or_raw(listener, shared.clone(), move || match &lock(&page).answer {
            Some(expvar::Answer::Raw(bytes)) => Some(bytes.clone()),
            _ => None,
        });
        info("runner/runner.go:71", "expvars available", &[("port", expvars.port().into())]);

        if let Some(registry) = &config.registry {
            find(config, registry)?;
            info("runner/runner.go:169", "Successfully initialized PostgreSQL registry", &[]);
        }

        let ((http_listener, http), (grpc_listener, grpc)) = (listen(config.http)?, listen(config.grpc)?);
        server.http(http_listener, |_| http::not_found());
        let asked = Arc::clone(&health);
        server.http2(grpc_listener, move |request| grpc::answer(request, lock(&asked).clone()));
        let ports = [("grpc_port", grpc.port().into()), ("http_port", http.port().into())];
        info("runner/runner.go:136", "Server started", &ports);

        let (listener, profiling) = listen(config.profiling)?;
        server.http(listener, shared);
        info("runner/runner.go:132", &format!("Profiling interface running on port {}", profiling.port()), &[]);
        Ok(Self { profiling, expvars, http, grpc, figures, health, _server: server })
    }

    /// What `/debug/vars` says, to change. Nothing is answered while this is held.
    pub fn figures(&self) -> MutexGuard<'_, Figures> {
        lock(&self.figures)
    }

    /// What the health service of gRPC says, to change.
    pub fn health(&self) -> MutexGuard<'_, Health> {
        lock(&self.health)
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Looks for the database.
fn find(config: &Config, registry: &Registry) -> Result<(), String> {
    let mut attempt = 1;
    loop {
        let Err(error) = postgres::ask(&registry.address) else { return Ok(()) };
        if attempt >= registry.tries {
            return Err(fatal(config, "Failed to initialize PostgreSQL registry", &error));
        }
        let fields = [("attempt", attempt.into()), ("error", error.into())];
        (config.log)(&log::line("error", "runner/runner.go:160", "PostgreSQL registry is not available", &fields));
        attempt += 1;
        thread::sleep(registry.pause);
    }
}

/// Logs what ends it, and gives it back.
fn fatal(config: &Config, message: &str, error: &str) -> String {
    (config.log)(&log::line("fatal", "runner/runner.go:165", message, &[("error", error.into())]));
    format!("{message}: {error}")
}
