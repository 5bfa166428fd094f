//! The backend of the operations guide, run by docker-compose on a real engine: PostgreSQL as it is, Kwanza and Cuesta
//! played by the program of `tests/backend`. It ends with the test, however that ends.
//!
//! ```no_run
//! use support::live::Engine;
//! use support::stand::Stand;
//!
//! let engine = Engine::given();
//! let stand = Stand::start(&engine);
//! stand.docker(&["kill", "deploy_postgres_1"]).unwrap();
//! assert!(stand.compose(&["ps"]).unwrap().contains("Exit 137"));
//! ```

mod images;

use std::collections::BTreeSet;
use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::{Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use tempfile::TempDir;

use crate::live::Engine;
use crate::tool::need;

/// The files of the deployment and of its images.
const FILES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../e2e/backend");

/// How long the services may take to answer, on a busy machine.
const PATIENCE: Duration = Duration::from_mins(1);

/// What is published: service, port in the container, and the variable of the compose file for that of the host.
const PORTS: [(&str, u16, &str); 6] = [
    ("postgres", 5432, "POSTGRES_PORT"),
    ("kwanza", 6060, "KWANZA_PROFILING_PORT"),
    ("kwanza", 8000, "KWANZA_HTTP_PORT"),
    ("kwanza", 8001, "KWANZA_GRPC_PORT"),
    ("cuesta", 80, "CUESTA_HTTP_PORT"),
    ("cuesta", 443, "CUESTA_HTTPS_PORT"),
];

/// A deployment of the backend. An engine may hold several, of different projects.
#[derive(Debug)]
pub struct Stand<'a> {
    engine: &'a Engine,
    project: String,
    directory: TempDir,
    /// Those of the host, in the order of [`PORTS`].
    ports: Vec<u16>,
}

impl<'a> Stand<'a> {
    /// The guide's deployment, up and answering.
    #[track_caller]
    pub fn start(engine: &'a Engine) -> Self {
        let stand = Self::prepare(engine, "deploy");
        stand.up();
        stand
    }

    /// The images and a folder `deploy` of its own, whose files a test may change; nothing runs. Containers are called
    /// `{project}_postgres_1` and so on.
    #[track_caller]
    pub fn prepare(engine: &'a Engine, project: &str) -> Self {
        need("docker-compose", "apt-get install docker-compose");
        images::make(engine);
        let directory = tempfile::Builder::new().prefix("stand-").tempdir().expect("a temporary directory");
        let stand = Self { engine, project: project.to_owned(), directory, ports: free_ports() };
        std::fs::create_dir(stand.folder()).expect("a folder for the deployment");
        let file = "docker-compose.yml";
        std::fs::copy(Path::new(FILES).join("deploy").join(file), stand.folder().join(file)).expect("to copy it");
        std::fs::write(stand.folder().join(".env"), stand.settings()).expect("to write the settings");
        // Left by a test that was killed.
        stand.clear();
        stand
    }

    /// Starts what the compose file says, and waits until all three services answer.
    #[track_caller]
    pub fn up(&self) {
        self.compose(&["up", "-d"]).unwrap_or_else(|error| panic!("docker-compose up: {error}"));
        // Kwanza serves once it has found its database.
        self.wait("kwanza", 8000);
        self.wait("cuesta", 80);
    }

    /// Waits until a web server answers at `port` of `service`.
    #[track_caller]
    pub fn wait(&self, service: &str, port: u16) {
        let (end, published) = (Instant::now() + PATIENCE, self.port(service, port));
        while !answers(published) {
            if Instant::now() > end || self.has_ended(service) {
                let tell = |arguments: &[&str]| self.compose(arguments).unwrap_or_else(|error| error);
                panic!("{service} does not answer\n{}\n{}", tell(&["ps"]), tell(&["logs", "--no-color"]));
            }
            thread::sleep(Duration::from_millis(20));
        }
    }

    /// Whether the container of `service` has.
    fn has_ended(&self, service: &str) -> bool {
        let labels = [("project", self.project.as_str()), ("service", service)];
        let filters = labels.map(|(key, value)| format!("label=com.docker.compose.{key}={value}"));
        let filters = filters.each_ref().map(|filter| ["--filter", filter.as_str()]).concat();
        self.docker(&[&["ps", "--quiet", "--filter", "status=exited"], &filters[..]].concat())
            .is_ok_and(|id| !id.is_empty())
    }

    /// Runs `docker-compose` in the folder.
    pub fn compose(&self, arguments: &[&str]) -> Result<String, String> {
        let mut command = Command::new(need("docker-compose", "apt-get install docker-compose"));
        command.current_dir(self.folder()).env("DOCKER_HOST", self.engine.address());
        let output = command.args(arguments).stdin(Stdio::null()).output().map_err(|error| error.to_string())?;
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).trim_end().to_owned();
        if output.status.success() { Ok(text(&output.stdout)) } else { Err(text(&output.stderr)) }
    }

    /// Runs `docker`.
    pub fn docker(&self, arguments: &[&str]) -> Result<String, String> {
        self.engine.docker(arguments)
    }

    /// The port of the host, at 127.0.0.1, for `port` in the container of `service`.
    #[track_caller]
    pub fn port(&self, service: &str, port: u16) -> u16 {
        let place = PORTS.iter().position(|(name, inner, _)| (*name, *inner) == (service, port));
        place.map_or_else(|| panic!("{service} does not publish {port}"), |place| self.ports[place])
    }

    /// The folder of the deployment.
    pub fn folder(&self) -> PathBuf {
        self.directory.path().join("deploy")
    }

    /// What docker-compose reads from `.env`, so that it needs nothing else whoever runs it there.
    fn settings(&self) -> String {
        let ports = PORTS.iter().zip(&self.ports).map(|((_, _, variable), port)| format!("{variable}={port}\n"));
        ports.chain([format!("COMPOSE_PROJECT_NAME={}\n", self.project)]).collect()
    }

    /// Removes all that belongs to the project, whatever the compose file says by now.
    fn clear(&self) {
        let filter = format!("label=com.docker.compose.project={}", self.project);
        let all = |list: &[&str], remove: &[&str]| {
            let names = self.docker(&[list, &["--quiet", "--filter", &filter]].concat()).unwrap_or_default();
            let names: Vec<&str> = names.lines().collect();
            if !names.is_empty() {
                let _ = self.docker(&[remove, &names].concat());
            }
        };
        all(&["ps", "--all"], &["rm", "--force", "--volumes"]);
        all(&["network", "ls"], &["network", "rm"]);
        all(&["volume", "ls"], &["volume", "rm"]);
    }
}

impl Drop for Stand<'_> {
    fn drop(&mut self) {
        self.clear();
    }
}

/// As many ports as are published, which nobody uses now and no other stand of this process will.
fn free_ports() -> Vec<u16> {
    static GIVEN: Mutex<BTreeSet<u16>> = Mutex::new(BTreeSet::new());
    let mut given = GIVEN.lock().unwrap_or_else(PoisonError::into_inner);
    let mut listeners = Vec::new();
    let mut ports = Vec::new();
    while ports.len() < PORTS.len() {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let port = listener.local_addr().expect("an address").port();
        // Held until all are found, so that none is found twice.
        listeners.push(listener);
        if given.insert(port) {
            ports.push(port);
        }
    }
    ports
}

/// Whether a web server answers. That somebody accepts says nothing: the engine does so for a container.
fn answers(port: u16) -> bool {
    let ask = || {
        let mut stream = TcpStream::connect(("127.0.0.1", port))?;
        stream.set_read_timeout(Some(Duration::from_secs(5)))?;
        stream.write_all(b"GET / HTTP/1.0\r\n\r\n")?;
        let mut head = [0; 5];
        stream.read_exact(&mut head)?;
        Ok::<_, std::io::Error>(head)
    };
    ask().is_ok_and(|head| &head == b"HTTP/")
}
