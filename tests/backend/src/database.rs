//! Kwanza's database and its backup: a PostgreSQL of this machine where there is one, else a recording of one.

use std::net::{Ipv4Addr, TcpListener};
use std::panic::catch_unwind;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread::{self, JoinHandle};

use support::postgres::{self, Cluster};

use crate::recorded::Recorded;

const REPOSITORY: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../..");
/// A dump of this database that was made once.
pub const DUMP: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../fixtures/backend/kwanza.tar");

/// The thread that runs a server. Where it panics, that is told as the reason for the recording.
pub const THREAD: &str = "database";

/// Who answers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Source {
    /// A PostgreSQL of this machine, of this version.
    Machine(String),
    /// A recording, and why.
    Recording(String),
}

/// The database, until it is dropped.
#[derive(Debug)]
pub struct Database {
    /// Who answers.
    pub source: Source,
    /// What `pg_dump -F t` makes of it.
    pub dump: Vec<u8>,
    /// Either of them.
    _server: (Option<Server>, Option<Recorded>),
}

/// A database that is being made.
#[derive(Debug)]
pub struct Starting {
    port: u16,
    server: Server,
    ready: Receiver<Result<Made, String>>,
}

/// A server that was made.
#[derive(Debug)]
struct Made {
    version: String,
    dump: Vec<u8>,
}

/// The thread of a server. The server ends with its thread, and that with this value.
#[derive(Debug)]
struct Server {
    ends: Option<Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Starting {
    /// Begins to make a database, which takes a second.
    pub fn begin() -> Result<Self, String> {
        Self::unless(postgres::lacking())
    }

    /// The recording, as where PostgreSQL is not installed.
    pub fn recorded() -> Result<Self, String> {
        Self::unless(Some("no server was asked for".to_owned()))
    }

    fn unless(lacking: Option<String>) -> Result<Self, String> {
        // A free port, which the engine publishes before the server is there.
        let free = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).and_then(|listener| listener.local_addr());
        let port = free.map_err(|error| format!("no free port: {error}"))?.port();
        let ((sender, ready), (ends, end)) = (channel(), channel());
        let thread = thread::Builder::new().name(THREAD.to_owned());
        let thread = thread.spawn(move || serve(port, lacking, &sender, &end)).map_err(|error| error.to_string())?;
        Ok(Self { port, server: Server { ends: Some(ends), thread: Some(thread) }, ready })
    }

    /// Where it listens, on 127.0.0.1.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Waits until it answers.
    pub fn wait(self) -> Result<Database, String> {
        let made = self.ready.recv().unwrap_or_else(|_| Err("PostgreSQL does not start".to_owned()));
        match made {
            Ok(Made { version, dump }) => {
                Ok(Database { source: Source::Machine(version), dump, _server: (Some(self.server), None) })
            }
            Err(reason) => {
                let listener =
                    TcpListener::bind((Ipv4Addr::LOCALHOST, self.port)).map_err(|error| error.to_string())?;
                let recorded = Recorded::start(listener)?;
                let dump = std::fs::read(DUMP).map_err(|error| format!("{DUMP}: {error}"))?;
                Ok(Database { source: Source::Recording(reason), dump, _server: (None, Some(recorded)) })
            }
        }
    }
}

/// Runs a server until `end` is closed. The kernel ends its processes with this thread.
fn serve(port: u16, lacking: Option<String>, ready: &Sender<Result<Made, String>>, end: &Receiver<()>) {
    let made = match lacking {
        Some(reason) => Err(reason),
        None => catch_unwind(|| make(port)).map_err(|panic| {
            let reason = panic.downcast_ref::<String>().map_or("it does not start", String::as_str);
            reason.lines().next().unwrap_or_default().to_owned()
        }),
    };
    let (made, cluster) = match made {
        Ok((cluster, made)) => (Ok(made), Some(cluster)),
        Err(reason) => (Err(reason), None),
    };
    let _ = ready.send(made);
    if cluster.is_some() {
        let _ = end.recv();
    }
}

/// A server that runs, with Kwanza's database.
fn make(port: u16) -> (Cluster, Made) {
    let cluster = Cluster::plan().port(port).start();
    cluster.psql("CREATE DATABASE kwanza");
    fill(&cluster);
    let made = Made { version: cluster.psql("SHOW server_version"), dump: dump(&cluster) };
    (cluster, made)
}

/// Kwanza's tables, and the role that `check_postgres` asks for.
#[track_caller]
pub fn fill(cluster: &Cluster) {
    let files = ["tests/fixtures/backend/kwanza.sql", "packaging/postgres/monitoring-role.sql"];
    let files = files.iter().flat_map(|file| [PathBuf::from("-f"), Path::new(REPOSITORY).join(file)]);
    succeed(cluster.client("kwanza").args(files));
}

/// What the guide's `pg_dump` makes of the database.
#[track_caller]
pub fn dump(cluster: &Cluster) -> Vec<u8> {
    let mut command = Command::new(cluster.programs().join("pg_dump"));
    command.args(["-U", "postgres", "-F", "t", "-p", &cluster.port().to_string()]).arg("-h").arg(cluster.socket_dir());
    succeed(command.env("TZ", "UTC").arg("kwanza"))
}

/// What `command` prints; it must succeed.
#[track_caller]
fn succeed(command: &mut Command) -> Vec<u8> {
    let output = command.output().unwrap_or_else(|error| panic!("{command:?}: {error}"));
    assert!(output.status.success(), "{command:?}: {}", String::from_utf8_lossy(&output.stderr));
    output.stdout
}

impl Drop for Server {
    fn drop(&mut self) {
        self.ends = None;
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}
