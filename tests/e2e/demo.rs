//! The recording that the embedded engine plays, and a real engine. tests/run starts that and runs this as root:
//!
//! `cargo test -p demo --test e2e_demo -- --test-threads=1`; with `UPDATE_GOLDEN=1` it records anew.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test that cannot go on fails")]
#![allow(clippy::indexing_slicing, reason = "a test that is wrong fails")]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use backend::database::Starting;
use backend::{Backend, Fault};
use demo::suite::{Plugin, Suite};
use support::golden::UPDATE;
use support::live::{Engine, Mount, eventually};
use support::need;
use support::run::Run;
use support::stand::Stand;

const RECORDING: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../fixtures/backend/engine");
const SERVICES: [&str; 3] = ["cuesta", "kwanza", "postgres"];

/// The guide's deployment on a real engine, the same in this process, and the check that is asked about both.
struct Both<'a> {
    engine: &'a Engine,
    stand: &'a Stand<'a>,
    /// What PostgreSQL keeps its data on, if that is not a volume.
    disk: Option<&'a Mount>,
    program: PathBuf,
}

impl Both<'_> {
    /// Records `state`, if that is wanted, and compares what the check says of it with what it says where `fault` is
    /// played.
    #[track_caller]
    fn compare(&self, state: &str, fault: Option<Fault>) {
        if std::env::var_os(UPDATE).is_some_and(|value| value == "1") {
            self.record(state);
        }
        let mut backend = Backend::start(Starting::recorded().unwrap()).unwrap();
        if let Some(fault) = fault {
            backend.fail(fault).unwrap();
        }
        let played = self.said(&backend.folder().join("deploy"), &backend.folder().join("docker.sock"));
        let real = self.said(&self.stand.folder(), &self.socket());
        assert_eq!(played, real, "{state}: UPDATE_GOLDEN=1 records anew");
    }

    /// What the check says, but for numbers, who uses most, lines of logs, and names of folders.
    fn said(&self, deploy: &Path, socket: &Path) -> Vec<String> {
        let deploy = deploy.display().to_string();
        let run = Run::new(&self.program).args(["-v", "--stats", "api", "--deploy-dir", &deploy]);
        let output = run.env("DOCKER_HOST", format!("unix://{}", socket.display())).output();
        let is_left_out =
            |line: &str| [" UTC [", "\"level\"", "samples are kept"].iter().any(|part| line.contains(part));
        let masked = |line: &str| {
            let line = line.split(" | ").next().and_then(|line| line.split(", most ").next()).unwrap_or_default();
            let is_number = |word: &&str| word.starts_with(|letter: char| letter.is_ascii_digit());
            let words = line.split(' ').map(|word| if is_number(&word) { "N" } else { word });
            // Three days and five hours are as good as five seconds.
            words.collect::<Vec<_>>().join(" ").replace("N N", "N").replace(&deploy, "{deploy}")
        };
        output.stdout.lines().filter(|line| !is_left_out(line)).map(masked).collect()
    }

    fn socket(&self) -> PathBuf {
        self.engine.address().replace("unix://", "").into()
    }

    /// All while it is up, and what becomes of PostgreSQL.
    fn record(&self, state: &str) {
        let folder = PathBuf::from(RECORDING).join(state);
        fs::create_dir_all(&folder).unwrap();
        let keep = |service: &str, what: &str, name: &str| {
            self.keep(&format!("/containers/deploy_{service}_1/{what}"), &folder.join(format!("{service}.{name}")));
        };
        let is_up = state == "up";
        for service in if is_up { &SERVICES[..] } else { &["postgres"] } {
            keep(service, "json", "json");
            keep(service, "logs?stdout=1&stderr=1&timestamps=1", "log");
            if is_up {
                keep(service, "stats?stream=false&one-shot=true", "stats.json");
            }
        }
        if is_up {
            self.keep("/containers/json?all=1", &folder.join("containers.json"));
            for name in ["info", "version", "system/df"] {
                self.keep(&format!("/{name}"), &folder.with_file_name(format!("{}.json", name.replace('/', "_"))));
            }
        }
    }

    /// Writes the body of the answer to GET `path` as it was sent, but for what names the workplace.
    fn keep(&self, path: &str, file: &Path) {
        let curl = need("curl", "apt-get install curl");
        let url = format!("http://localhost/v1.41{path}");
        let mut command = Command::new(curl);
        command.args(["--silent", "--show-error", "--max-time", "30", &url, "--unix-socket"]).arg(self.socket());
        let output = command.output().unwrap();
        assert!(output.status.success(), "{path}: {}", String::from_utf8_lossy(&output.stderr));
        let is_text = file.extension().is_some_and(|extension| extension == "json");
        fs::write(file, if is_text { self.scrubbed(output.stdout) } else { output.stdout }).unwrap();
    }

    fn scrubbed(&self, body: Vec<u8>) -> Vec<u8> {
        let host = fs::read_to_string("/proc/sys/kernel/hostname").unwrap();
        let own = self.socket().parent().unwrap().display().to_string();
        let mut names = vec![
            (self.stand.folder().display().to_string(), "/root/deploy"),
            (self.engine.root(), "/var/lib/docker"),
            (own, "/var/run/docker"),
            (format!("\"{}\"", host.trim()), "\"backend\""),
        ];
        names.extend(self.disk.map(|disk| (disk.name(), "/srv/postgres")));
        let text = String::from_utf8(body).unwrap();
        names.iter().fold(text, |text, (from, to)| text.replace(from, to)).into_bytes()
    }

    #[track_caller]
    fn postgres_ends(&self) {
        let format = ["inspect", "--format", "{{.State.Status}}", "deploy_postgres_1"];
        eventually("postgres to end", || self.engine.docker(&format).unwrap() == "exited");
    }
}

fn program() -> PathBuf {
    Suite::build().unwrap().programs.join(Plugin::Containers.name())
}

#[test]
fn the_recording_is_as_a_real_engine_until_postgres_is_killed() {
    let engine = Engine::given();
    let stand = Stand::start(&engine);
    let both = Both { engine: &engine, stand: &stand, disk: None, program: program() };
    both.compare("up", None);
    stand.docker(&["kill", "deploy_postgres_1"]).unwrap();
    both.postgres_ends();
    both.compare("killed", Some(Fault::PostgresDown));
}

#[test]
fn the_recording_is_as_a_real_engine_whose_disk_is_full() {
    let engine = Engine::given();
    let disk = Mount::tmpfs("96m");
    let stand = Stand::prepare(&engine, "deploy");
    let file = stand.folder().join("docker-compose.yml");
    let text = fs::read_to_string(&file).unwrap().replace("- postgres:/var", &format!("- {}:/var", disk.name()));
    fs::write(&file, text).unwrap();
    stand.up();
    // What PostgreSQL frees when it stops is taken too.
    stand.compose(&["stop", "postgres"]).unwrap();
    disk.fill(100);
    stand.compose(&["start", "postgres"]).unwrap();
    let both = Both { engine: &engine, stand: &stand, disk: Some(&disk), program: program() };
    both.postgres_ends();
    both.compare("disk_full", Some(Fault::DiskFull));
}
