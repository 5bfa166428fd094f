//! A run of the plugin against an engine, and deployments for it.

use std::path::{Path, PathBuf};

use support::Golden;
use support::live::{Engine, eventually, need_root};
use support::run::Run;
use support::stand::Stand;
use tempfile::TempDir;

pub use support::said::Said;

use crate::masks;

pub const MIB: f64 = 1024.0 * 1024.0;

pub fn binary() -> PathBuf {
    env!("CARGO_BIN_EXE_check_containers").into()
}

/// Runs of the plugin that follow one another and share a sample.
pub struct Check {
    address: String,
    options: Vec<String>,
    state: TempDir,
}

impl Check {
    /// Runs with `options` against the engine at `address`.
    #[track_caller]
    pub fn new<S: ToString>(address: &str, options: impl IntoIterator<Item = S>) -> Self {
        need_root();
        let options = options.into_iter().map(|option| option.to_string()).collect();
        Self { address: address.to_owned(), options, state: tempfile::tempdir().unwrap() }
    }

    /// Runs that watch the deployment, and `options`.
    #[track_caller]
    pub fn of(stand: &Stand, engine: &Engine, options: &[&str]) -> Self {
        let folder = stand.folder().display().to_string();
        Self::new(&engine.address(), [&["--deploy-dir", &folder], options].concat())
    }

    pub fn command(&self) -> Run {
        Run::new(binary()).args(["--docker-host", &self.address]).args(&self.options).state_dir(self.state.path())
    }

    /// A run, which must keep to exit codes 0 to 3 and to stdout.
    #[track_caller]
    pub fn run(&self, further: &[&str]) -> Said {
        Said::of(self.command().args(further).output())
    }
}

/// Compares all that was said with a golden file. What differs from run to run is masked.
#[track_caller]
pub fn assert_golden(name: &str, said: &Said, replaced: &[(&str, &str)]) {
    let fixtures = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/fixtures/check_containers/e2e");
    let golden = Golden::new(fixtures.join(format!("{name}.txt")));
    let golden = replaced.iter().fold(golden, |golden, (from, to)| golden.replace(*from, *to));
    let golden = golden.mask(masks::ids).mask(masks::words).mask(masks::figures);
    golden.mask(masks::early_clients).assert(&without_disks(said.text()));
}

/// `text` without figures of disks: they are told of a container that has used one, and whether it has depends on what
/// was in memory.
fn without_disks(text: &str) -> String {
    let is_steady =
        |word: &&str| !["read", "write"].iter().any(|way| word.contains(&format!(":{way}_bytes_per_second=")));
    text.split(' ').filter(is_steady).collect::<Vec<_>>().join(" ")
}

/// A deployment of the project `project` whose compose file is `file` and whose `.env` holds `settings` too.
#[track_caller]
pub fn deployment<'a>(engine: &'a Engine, project: &str, file: &str, settings: &str) -> Stand<'a> {
    let stand = Stand::prepare(engine, project);
    std::fs::write(stand.folder().join("docker-compose.yml"), file).unwrap();
    let path = stand.folder().join(".env");
    let own = std::fs::read_to_string(&path).unwrap();
    std::fs::write(path, own + settings).unwrap();
    stand
}

/// Runs `docker-compose`, which must succeed.
#[track_caller]
pub fn compose(stand: &Stand, arguments: &[&str]) -> String {
    stand.compose(arguments).unwrap_or_else(|error| panic!("docker-compose {arguments:?}: {error}"))
}

/// What `docker inspect` says of `container` in `format`.
#[track_caller]
pub fn inspect(engine: &Engine, container: &str, format: &str) -> String {
    engine.docker(&["inspect", "--format", format, container]).unwrap_or_else(|error| panic!("{container}: {error}"))
}

/// Waits until `docker inspect` says `wanted` of `container` in `format`.
#[track_caller]
pub fn becomes(engine: &Engine, container: &str, format: &str, wanted: &str) {
    eventually(&format!("{container} to have {format} {wanted}"), || inspect(engine, container, format) == wanted);
}

/// What `docker stats` says of each of `containers`: cores in percent, memory in bytes, processes.
#[track_caller]
pub fn docker_stats(engine: &Engine, containers: &[String]) -> Vec<(f64, f64, f64)> {
    let mut arguments = vec!["stats", "--no-stream", "--format", "{{.CPUPerc}} {{.MemUsage}} {{.PIDs}}"];
    arguments.extend(containers.iter().map(String::as_str));
    let text = engine.docker(&arguments).unwrap_or_else(|error| panic!("docker stats: {error}"));
    let number = |word: &str| word.trim_end_matches(|c: char| c.is_alphabetic() || c == '%').parse::<f64>().unwrap();
    let line = |line: &str| {
        let words: Vec<&str> = line.split(' ').collect();
        let unit = match words[1].trim_start_matches(|c: char| c.is_ascii_digit() || c == '.') {
            "B" => 1.0,
            "KiB" => 1024.0,
            "MiB" => MIB,
            other => panic!("{other} in {line}"),
        };
        (number(words[0]), number(words[1]) * unit, number(words[4]))
    };
    let answers: Vec<_> = text.lines().map(line).collect();
    assert_eq!(answers.len(), containers.len(), "{text}");
    answers
}
