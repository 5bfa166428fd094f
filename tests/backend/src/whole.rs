//! The guide's backend in one process: host, engine, Kwanza, Cuesta, PostgreSQL and its backups, on loopback and in a
//! folder of its own, with faults to choose from.

use std::fs;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU8, Ordering};
use std::time::Duration;

use tempfile::TempDir;

use crate::database::{Database, Source, Starting};
use crate::engine::{End, Engine, Service};
use crate::grpc::Serving;
use crate::host::Host;
use crate::{Cuesta, Kwanza, cuesta, dumps, kwanza};

/// The guide's deployment.
const COMPOSE_FILE: &str = include_str!("../../e2e/backend/deploy/docker-compose.yml");
/// When the last dumps were made, of which there is one a night.
const NIGHTS: [Duration; 3] = [Duration::from_hours(5), Duration::from_hours(29), Duration::from_hours(53)];
/// How many nights a stale backup has missed.
const MISSED: Duration = Duration::from_hours(96);
/// How long a certificate lasts that is about to expire.
const LAST_DAYS: Duration = Duration::from_hours(48);

/// How often a second those who cannot log in try again.
const EAGERNESS: f64 = 500.0;

/// What goes wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// PostgreSQL is killed.
    PostgresDown,
    /// The disk of Docker's data fills up, and PostgreSQL with it.
    DiskFull,
    /// Kwanza panics.
    Panics,
    /// No dump was made for some nights.
    StaleBackup,
    /// Cuesta's certificate is about to expire.
    CertExpiring,
}

/// The backend, until it is dropped. Where its process is killed, only the folder stays.
#[derive(Debug)]
pub struct Backend {
    database: Slot,
    kwanza: Kwanza,
    /// Nothing only while it starts again.
    cuesta: Option<Cuesta>,
    engine: Engine,
    host: Host,
    port: u16,
    /// The last to go.
    folder: TempDir,
}

/// Where the database is.
#[derive(Debug)]
enum Slot {
    Starting(Starting),
    Up(Database),
    Down,
}

/// Where what is published is found, on 127.0.0.1.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the guide's names")]
pub struct Ports {
    pub postgres: u16,
    pub profiling: u16,
    pub http: u16,
    pub grpc: u16,
    pub cuesta_http: u16,
    pub cuesta_https: u16,
}

impl Backend {
    /// Starts all else beside `database`, which takes longer: [`Backend::database`] waits for it.
    pub fn start(database: Starting) -> Result<Self, String> {
        let folder = tempfile::Builder::new().prefix("sirenia-demo-").tempdir();
        let folder = folder.map_err(|error| format!("no temporary folder: {error}"))?;
        let address = container_address();
        let kwanza = kwanza::Config { expvars: SocketAddr::from((address, 8080)), ..kwanza::Config::loopback() };
        let kwanza = Kwanza::start(&kwanza)?;
        let cuesta = Cuesta::start(&cuesta::Config::loopback())?;
        let deploy = folder.path().join("deploy");
        let published = [
            (Service::Postgres, 5432, database.port()),
            (Service::Kwanza, 6060, kwanza.profiling.port()),
            (Service::Kwanza, 8000, kwanza.http.port()),
            (Service::Kwanza, 8001, kwanza.grpc.port()),
            (Service::Cuesta, 80, cuesta.http.port()),
            (Service::Cuesta, 443, cuesta.https.port()),
        ];
        let engine = Engine::start(&folder.path().join("docker.sock"), &deploy, &published, address)?;
        let host = Host::start(&folder.path().join("host"), &engine);
        let port = database.port();
        let database = Slot::Starting(database);
        let backend = Self { database, kwanza, cuesta: Some(cuesta), engine, host, port, folder };
        let written = backend.write_deployment(&deploy).and_then(|()| backend.write_certificate());
        written.map_err(|error| format!("{}: {error}", backend.folder().display()))?;
        Ok(backend)
    }

    /// The folder that holds `docker.sock`, `host/`, `deploy/` and `cuesta.pem`.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// Where what is published is found.
    pub fn ports(&self) -> Ports {
        let cuesta = |port: fn(&Cuesta) -> u16| self.cuesta.as_ref().map_or(0, port);
        Ports {
            postgres: self.port,
            profiling: self.kwanza.profiling.port(),
            http: self.kwanza.http.port(),
            grpc: self.kwanza.grpc.port(),
            cuesta_http: cuesta(|cuesta| cuesta.http.port()),
            cuesta_https: cuesta(|cuesta| cuesta.https.port()),
        }
    }

    /// Waits until the database answers and its backups are there, and says who answers.
    pub fn database(&mut self) -> Result<Option<&Source>, String> {
        match std::mem::replace(&mut self.database, Slot::Down) {
            Slot::Starting(starting) => {
                let database = starting.wait()?;
                dumps::write(&self.backups(), &database.dump, &NIGHTS)?;
                self.database = Slot::Up(database);
            }
            other => self.database = other,
        }
        match &self.database {
            Slot::Up(database) => Ok(Some(&database.source)),
            _ => Ok(None),
        }
    }

    /// Lets something go wrong, as it would on a real host.
    pub fn fail(&mut self, fault: Fault) -> Result<(), String> {
        self.database()?;
        match fault {
            Fault::PostgresDown => self.end_postgres(End::Killed),
            Fault::DiskFull => {
                self.host.fill_disk();
                self.end_postgres(End::DiskFull);
            }
            Fault::Panics => {
                let mut figures = self.kwanza.figures();
                figures.add("GrpcInterceptorPanics", 2);
                figures.add("StreamPanics", 14);
            }
            Fault::StaleBackup => {
                if let Slot::Up(database) = &self.database {
                    dumps::write(&self.backups(), &database.dump, &NIGHTS.map(|age| age + MISSED))?;
                }
            }
            Fault::CertExpiring => self.restart_cuesta(LAST_DAYS)?,
        }
        Ok(())
    }

    /// The container ends, its port closes, and Kwanza can let nobody in.
    fn end_postgres(&mut self, end: End) {
        self.database = Slot::Down;
        self.engine.end(end);
        self.host.end(Service::Postgres);
        let mut figures = self.kwanza.figures();
        figures.rate("AuthenticationSuccesses", 0.0);
        figures.add("AuthenticationFailures", 40);
        figures.rate("AuthenticationFailures", EAGERNESS);
        drop(figures);
        for serving in self.kwanza.health().services.values_mut() {
            *serving = Serving::NotServing;
        }
    }

    /// With a certificate that lasts for `lasts`, at the same ports.
    fn restart_cuesta(&mut self, lasts: Duration) -> Result<(), String> {
        if let Some(cuesta) = self.cuesta.take() {
            let config = cuesta::Config { http: cuesta.http, https: cuesta.https, lasts, ..cuesta::Config::loopback() };
            drop(cuesta);
            self.cuesta = Some(Cuesta::start(&config)?);
        }
        self.write_certificate().map_err(|error| format!("{}: {error}", self.folder().display()))
    }

    /// Where the dumps are.
    fn backups(&self) -> PathBuf {
        self.folder().join("deploy/backup")
    }

    fn write_deployment(&self, deploy: &Path) -> std::io::Result<()> {
        fs::create_dir(deploy)?;
        fs::write(deploy.join("docker-compose.yml"), COMPOSE_FILE)?;
        let ports = self.ports();
        let settings = [
            ("POSTGRES", ports.postgres),
            ("KWANZA_PROFILING", ports.profiling),
            ("KWANZA_HTTP", ports.http),
            ("KWANZA_GRPC", ports.grpc),
            ("CUESTA_HTTP", ports.cuesta_http),
            ("CUESTA_HTTPS", ports.cuesta_https),
        ];
        fs::write(deploy.join(".env"), settings.map(|(name, port)| format!("{name}_PORT={port}\n")).concat())
    }

    /// What Cuesta shows, for those who are to trust it.
    fn write_certificate(&self) -> std::io::Result<()> {
        let pem = self.cuesta.as_ref().map_or("", |cuesta| &cuesta.pem);
        fs::write(self.folder().join("cuesta.pem"), pem)
    }
}

/// The address of Kwanza's container, which no other backend on this machine is likely to have: a container's own port
/// is not published, and all of 127.0.0.0/8 is this machine.
fn container_address() -> Ipv4Addr {
    static COUNT: AtomicU8 = AtomicU8::new(2);
    let [.., high, low] = std::process::id().to_be_bytes();
    Ipv4Addr::new(127, 128 | high >> 1, low, COUNT.fetch_add(1, Ordering::Relaxed))
}
