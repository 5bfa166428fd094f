//! `check_backend` on the guide's deployment, on a real engine. tests/run starts that and runs this as root:
//!
//! `cargo test -p check_backend --test e2e_check_backend -- --test-threads=1`

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test that cannot go on fails")]
#![allow(clippy::indexing_slicing, reason = "a test that is wrong fails")]

use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use support::Run;
use support::live::{Engine, Mount, Process, eventually, need_root};
use support::said::Said;
use support::stand::Stand;
use support::tool::{need, plugin};
use tempfile::TempDir;

const PLUGINS: [&str; 5] =
    ["check_containers", "check_docker_host", "check_endpoint", "check_kwanza_expvars", "check_postgres"];

/// How long a fault may take to show, on a busy machine.
const PATIENCE: Duration = Duration::from_secs(30);

/// The health check of a deployment, with the file that `--init` has written.
struct Health {
    home: TempDir,
    state: TempDir,
}

impl Health {
    /// Lets `--init` look at the deployment of `project`.
    #[track_caller]
    fn of(engine: &Engine, project: &str) -> Self {
        need_root();
        for name in PLUGINS {
            plugin(name);
        }
        let health = Self { home: tempfile::tempdir().unwrap(), state: tempfile::tempdir().unwrap() };
        // What an administrator has who looks after the database.
        let passwords = health.home.path().join(".pgpass");
        std::fs::write(&passwords, "*:*:*:postgres:postgres\n").unwrap();
        std::fs::set_permissions(&passwords, std::fs::Permissions::from_mode(0o600)).unwrap();
        let said = health.run(&["--init", "--docker-host", &engine.address(), "--project", project]);
        said.has_code(0).headlines("wrote ").says(&format!("project {project} in "));
        health
    }

    fn file(&self) -> PathBuf {
        self.home.path().join("backend.toml")
    }

    /// A run, which must keep to exit codes 0 to 3 and to stdout.
    #[track_caller]
    fn run(&self, arguments: &[&str]) -> Said {
        let run = Run::new(env!("CARGO_BIN_EXE_check_backend")).arg("--config").arg(self.file()).args(arguments);
        Said::of(run.env("HOME", self.home.path()).state_dir(self.state.path()).output())
    }

    /// Waits until the first line says `words`, which names the cause before all else that may be wrong with the machine.
    #[track_caller]
    fn names_first(&self, words: &str, arguments: &[&str]) -> Said {
        let begin = format!("BACKEND CRITICAL - {words}");
        let end = Instant::now() + PATIENCE;
        loop {
            let said = self.run(arguments);
            if said.headline().starts_with(&begin) {
                return said;
            }
            assert!(Instant::now() < end, "{begin:?} is expected in: {}", said.text());
        }
    }

    /// Demands that all is well but for the host, of which the machine decides that other tests and people use too, and
    /// for a server that was started less than ten minutes ago.
    #[track_caller]
    fn is_well(&self) -> Said {
        let said = self.run(&["--skip", "host"]);
        if said.output.code == 1 {
            said.headlines("BACKEND WARNING - database: the server is up for ").says(" problems=1 consequences=0");
        } else {
            said.has_code(0).headlines("BACKEND OK - 5 checks OK").says(" problems=0 consequences=0");
        }
        said
    }
}

#[test]
fn what_init_writes_is_ok_without_an_edit() {
    let engine = Engine::given();
    let stand = Stand::start(&engine);
    let health = Health::of(&engine, "deploy");
    let file = std::fs::read_to_string(health.file()).unwrap();
    for line in file.lines().filter(|line| !line.is_empty()) {
        assert!(line.contains('#'), "every line has a comment: {line}");
    }
    assert!(file.contains(&format!("\"--deploy-dir\", \"{}\"", stand.folder().display())), "{file}");
    assert!(file.contains("\"-U\", \"postgres\""), "the role that may log in: {file}");
    assert!(file.contains("\"--insecure\""), "nobody known signed the certificate: {file}");
    assert!(file.contains("\n#plugin = \"check_backup_age\""), "there is no dump: {file}");

    let said = health.is_well();
    for name in ["containers", "kwanza", "kwanza-endpoints", "cuesta"] {
        said.says(&format!(" {name}:check_state=0 ")).says(&format!("\\_ [OK] {name}: "));
    }
    said.says(" containers:postgres:up=1 ").says(" cuesta:cuesta:up=1 ").says("] database: ");
    assert!(said.figure("kwanza:Streams") > 0.0 && said.figure("database:connections") >= 1.0);
    let said = health.run(&["--only", "host"]);
    said.says(&format!(" host:check_state={} ", said.output.code));

    let again = health.run(&["--init", "--docker-host", &engine.address()]);
    again.has_code(3).headlines("is there already");
}

#[test]
fn a_database_that_was_stopped_is_the_cause() {
    let engine = Engine::given();
    let stand = Stand::start(&engine);
    let health = Health::of(&engine, "deploy");
    health.is_well();
    stand.compose(&["stop", "postgres"]).unwrap();
    let said = health.names_first("containers: postgres exited 0 ", &[]);
    said.headlines(" (1 problem follows from it)").says("    \\_ [CRITICAL] follows: database: ");
    said.says("-> docker-compose up -d postgres");
    said.says(" consequences=1");
    // Kwanza finds its registry gone when it starts again, and gives up.
    std::fs::write(stand.folder().join(".env"), {
        let own = std::fs::read_to_string(stand.folder().join(".env")).unwrap();
        format!("{own}KWANZA_POSTGRES_TRIES=1\n")
    })
    .unwrap();
    stand.compose(&["up", "-d", "--no-deps", "--force-recreate", "kwanza"]).unwrap();
    eventually("kwanza to give up", || {
        let state = stand.docker(&["inspect", "--format", "{{.State.Status}}", "deploy_kwanza_1"]);
        state.is_ok_and(|state| state == "exited")
    });
    let said = health.names_first("containers: postgres exited 0 ", &[]);
    said.says("    \\_ [CRITICAL] follows: kwanza: exited ").says("      \\_ [CRITICAL] follows: kwanza-endpoints: ");
    said.says("      \\_ [CRITICAL] follows: kwanza: ");
    // The guide's steps mend it.
    stand.compose(&["up", "-d"]).unwrap();
    stand.wait("kwanza", 8000);
    eventually("the database to be up", || health.run(&["--only", "database"]).output.code < 2);
    health.is_well();
}

#[test]
fn a_kwanza_that_was_killed_is_the_cause() {
    let engine = Engine::given();
    let stand = Stand::start(&engine);
    let health = Health::of(&engine, "deploy");
    health.is_well();
    stand.docker(&["kill", "deploy_kwanza_1"]).unwrap();
    let said = health.names_first("containers: kwanza exited 137 (SIGKILL) ", &[]);
    said.headlines(" (2 problems follow from it)");
    said.says("    \\_ [CRITICAL] follows: kwanza: ").says("    \\_ [CRITICAL] follows: kwanza-endpoints: ");
    said.says("] database: the server is up").says("\\_ [OK] cuesta: ");
}

#[test]
fn a_full_volume_is_the_cause_of_a_database_that_does_not_start() {
    let engine = Engine::given();
    let disk = Mount::tmpfs("96m");
    let stand = Stand::prepare(&engine, "deploy");
    let compose = stand.folder().join("docker-compose.yml");
    let file = std::fs::read_to_string(&compose).unwrap();
    std::fs::write(&compose, file.replace("- postgres:/var", &format!("- {}:/var", disk.name()))).unwrap();
    stand.up();
    let health = Health::of(&engine, "deploy");
    health.is_well();
    // What it frees when it stops is taken too.
    stand.compose(&["stop", "postgres"]).unwrap();
    disk.fill(100);
    stand.compose(&["start", "postgres"]).unwrap();
    let said = health.names_first("containers: postgres exited 1 ", &[]);
    said.headlines(" ago: disk full (1 problem follows from it)").says("No space left on device");
    said.says("    \\_ [CRITICAL] follows: database: ").says("-> df -h; docker system df");
}

#[test]
fn a_certificate_that_has_ended_follows_from_nothing() {
    let engine = Engine::given();
    let stand = Stand::start(&engine);
    let health = Health::of(&engine, "deploy");
    health.is_well();
    // In Cuesta's place, as that makes a good certificate whenever it starts.
    let directory = tempfile::tempdir().unwrap();
    let [key, certificate] =
        ["key.pem", "certificate.pem"].map(|name| directory.path().join(name).display().to_string());
    let pair = rcgen::KeyPair::generate().unwrap();
    let mut parameters = rcgen::CertificateParams::new(vec!["cuesta".to_owned()]).unwrap();
    parameters.not_after = rcgen::date_time_ymd(2026, 1, 1);
    std::fs::write(&certificate, parameters.self_signed(&pair).unwrap().pem()).unwrap();
    std::fs::write(&key, pair.serialize_pem()).unwrap();
    let compose = stand.folder().join("docker-compose.yml");
    let file = std::fs::read_to_string(&compose).unwrap();
    let (before, after) = file.split_once("      - \"127.0.0.1:${CUESTA_HTTPS_PORT:-443}:443\"\n").unwrap();
    std::fs::write(&compose, format!("{before}{after}")).unwrap();
    stand.compose(&["up", "-d", "--no-deps", "cuesta"]).unwrap();
    let address = format!("127.0.0.1:{}", stand.port("cuesta", 443));
    let server = ["s_server", "-accept", &address, "-cert", &certificate, "-key", &key, "-www", "-quiet"];
    need("openssl", "apt-get install openssl");
    let _server = Process::start("openssl", server);
    // Of a busy machine its CPU may come first.
    let said = health.names_first("cuesta: cuesta: certificate has expired", &["--skip", "host"]);
    said.says_not("follows");
    assert!(said.figure("cuesta:cuesta:cert_expiry") < 0.0, "{}", said.text());
}
