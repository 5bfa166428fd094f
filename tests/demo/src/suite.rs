//! The plugins: built with cargo, pointed at the backend, and run as a monitoring core runs them.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use backend::Backend;
use common::run::Plugin as _;

/// A plugin, in the order of the guide.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "their names")]
pub enum Plugin {
    DockerHost,
    Containers,
    KwanzaExpvars,
    Endpoint,
    Postgres,
    BackupAge,
    Backend,
}

impl Plugin {
    /// All.
    pub const ALL: [Self; 7] = [
        Self::DockerHost,
        Self::Containers,
        Self::KwanzaExpvars,
        Self::Endpoint,
        Self::Postgres,
        Self::BackupAge,
        Self::Backend,
    ];

    /// Its program, which is its package too.
    pub const fn name(self) -> &'static str {
        match self {
            Self::DockerHost => check_docker_host::CheckDockerHost::NAME,
            Self::Containers => check_containers::CheckContainers::NAME,
            Self::KwanzaExpvars => check_kwanza_expvars::CheckKwanzaExpvars::NAME,
            Self::Endpoint => check_endpoint::CheckEndpoint::NAME,
            Self::Postgres => check_postgres::CheckPostgres::NAME,
            Self::BackupAge => check_backup_age::CheckBackupAge::NAME,
            Self::Backend => check_backend::CheckBackend::NAME,
        }
    }

    /// What it is for, in a line.
    pub const fn about(self) -> &'static str {
        match self {
            Self::DockerHost => "The host, as vmstat, free, df, top and lsof show it.",
            Self::Containers => "The containers, as docker-compose ps and docker stats show them.",
            Self::KwanzaExpvars => "What Kwanza counts, at the port that the guide does not publish.",
            Self::Endpoint => "What is published: gRPC and its health, HTTP, TLS and its certificate.",
            Self::Postgres => "The database, found by its container. It was started just now, and may be old.",
            Self::BackupAge => "Three nights of pg_dump, their times set back: each is read to its end.",
            Self::Backend => "All of these at once: the guide's Health Check of a System.",
        }
    }

    /// The arguments for `backend`, as they are typed in its folder.
    pub fn arguments(self, backend: &Backend) -> Vec<String> {
        let ports = backend.ports();
        let words = match self {
            Self::DockerHost => "--procfs host/proc --sysfs host/sys --statvfs host/statvfs".to_owned(),
            Self::Containers => "--deploy-dir deploy".to_owned(),
            Self::KwanzaExpvars => "--container deploy_kwanza_1".to_owned(),
            Self::Endpoint => format!(
                "kwanza=grpc://127.0.0.1:{} profiling=http://127.0.0.1:{}/debug/pprof/ cuesta=https://127.0.0.1:{}/ \
                 --ca-file cuesta.pem",
                ports.grpc, ports.profiling, ports.cuesta_https
            ),
            Self::Postgres => "--container deploy_postgres_1 -U monitoring -w uptime= -w end_of_life=".to_owned(),
            Self::BackupAge => "deploy/backup --database kwanza".to_owned(),
            Self::Backend => format!("--config {CONFIGURATION}"),
        };
        words.split(' ').map(str::to_owned).collect()
    }
}

/// The file that lists the checks of `check_backend`, in the folder of the backend.
pub const CONFIGURATION: &str = "backend.toml";

/// What is in that file: all plugins but itself, as they are run here one by one.
pub fn configuration(backend: &Backend) -> String {
    let check = |plugin: &Plugin| {
        let name = plugin.name().trim_start_matches("check_");
        format!(
            "[[check]]\nname = {name:?}\nplugin = {:?}\narguments = {:?}\n",
            plugin.name(),
            plugin.arguments(backend)
        )
    };
    let others = Plugin::ALL.iter().filter(|plugin| **plugin != Plugin::Backend);
    others.map(check).collect::<Vec<_>>().join("\n")
}

/// What came of a run.
#[derive(Clone, Debug)]
pub struct Outcome {
    /// All that was printed.
    pub text: String,
    /// Exit code.
    pub code: i32,
    /// How long it took.
    pub elapsed: Duration,
}

/// The programs of the suite.
#[derive(Clone, Debug)]
pub struct Suite {
    /// The directory that they are in.
    pub programs: PathBuf,
}

impl Suite {
    /// Builds the plugins.
    pub fn build() -> Result<Self, String> {
        let workspace = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
        let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
        let mut command = Command::new(cargo);
        // With this program, whose dependencies then need not be built in two ways.
        command.args(["build", "--bins", "-p", env!("CARGO_PKG_NAME"), "--manifest-path"]);
        command.arg(workspace.join("Cargo.toml"));
        // What cargo tells this program of its own package would have it build some dependencies anew.
        for (name, _) in std::env::vars_os() {
            let text = name.to_string_lossy();
            if text.starts_with("CARGO_PKG_") || text.starts_with("CARGO_MANIFEST_") {
                command.env_remove(&name);
            }
        }
        command.args(Plugin::ALL.iter().flat_map(|plugin| ["-p", plugin.name()]));
        let status = command.status().map_err(|error| format!("cargo: {error}"))?;
        if !status.success() {
            return Err("the suite does not build".to_owned());
        }
        let target = std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| workspace.join("target"), PathBuf::from);
        let programs = std::path::absolute(target.join("debug")).and_then(|path| path.canonicalize());
        Ok(Self { programs: programs.map_err(|error| format!("target directory: {error}"))? })
    }

    /// What the environment must hold, each with its value. `PATH` comes before what it was.
    pub fn environment(&self, backend: &Backend) -> [(&'static str, String); 3] {
        let folder = backend.folder();
        [
            ("PATH", self.programs.display().to_string()),
            ("DOCKER_HOST", format!("unix://{}", folder.join("docker.sock").display())),
            ("STATE_DIRECTORY", folder.join("state").display().to_string()),
        ]
    }

    /// Runs `program` with `arguments` in the folder of `backend`, and nothing else in its environment. One that a
    /// signal ends is an error.
    pub fn run(&self, program: &str, arguments: &[String], backend: &Backend) -> Result<Outcome, String> {
        let mut command = Command::new(self.programs.join(program));
        command.args(arguments).current_dir(backend.folder()).env_clear().envs(self.environment(backend));
        let begin = Instant::now();
        let output = command.stdin(Stdio::null()).output();
        let output = output.map_err(|error| format!("{program}: {error}"))?;
        let text = String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned();
        let code = output.status.code().ok_or_else(|| format!("{program}: {}", output.status))?;
        Ok(Outcome { text, code, elapsed: begin.elapsed() })
    }
}
