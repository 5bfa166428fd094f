//! A host in a box: a scenario's `/proc` and `/sys`, and a stand-in for its engine.

use std::path::{Path, PathBuf};

use support::golden::Golden;
use support::http::{Answer, Routes, Server};
use support::run::{Output, Run};
use support::tree::Tree;
use tempfile::TempDir;

pub const FIXTURES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/fixtures/check_docker_host");

pub fn binary() -> PathBuf {
    env!("CARGO_BIN_EXE_check_docker_host").into()
}

pub fn scenario(name: &str) -> Tree {
    Tree::load(Path::new(FIXTURES).join(format!("{name}.tree")))
}

/// What a real engine answered, see `engine-20.10/README.md`.
pub fn recorded(name: &str) -> Vec<u8> {
    let path = Path::new(FIXTURES).join("engine-20.10").join(name);
    std::fs::read(&path).unwrap_or_else(|error| panic!("cannot read {}: {error}", path.display()))
}

/// The routes of a healthy engine 20.10.
pub fn healthy_engine(routes: Routes) -> Routes {
    routes
        .on("GET", "/_ping", Answer::text("OK").header("Api-Version", "1.41"))
        .on("GET", "/v1.41/info", Answer::json(recorded("info.json")))
        .on("GET", "/v1.41/containers/json", Answer::json(recorded("containers_json.json")))
        .on("GET", "/v1.41/system/df", Answer::json(recorded("system_df.json")))
}

/// A directory with a host's files, the samples of the runs on it, and its engine's socket.
pub struct Host {
    pub directory: TempDir,
    pub state: TempDir,
    engine: Option<Server>,
}

impl Host {
    /// The host of `scenario`, without an engine.
    pub fn new(name: &str) -> Self {
        Self::of(&scenario(name))
    }

    pub fn of(tree: &Tree) -> Self {
        let state = tempfile::tempdir().expect("a directory for samples");
        Self { directory: tree.unpack(), state, engine: None }
    }

    /// This host with an engine that answers by `script`.
    pub fn with_engine(mut self, script: impl FnOnce(Routes) -> Routes) -> Self {
        self.engine = Some(Server::unix(self.path("docker.sock"), script));
        self
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    /// Time passes and the host becomes that of `scenario`.
    pub fn becomes(&self, name: &str) {
        let tree = scenario(name);
        for entry in std::fs::read_dir(self.directory.path()).expect("the host's directory").flatten() {
            let is_directory = entry.file_type().is_ok_and(|kind| kind.is_dir());
            if is_directory {
                std::fs::remove_dir_all(entry.path()).expect("to remove what was there");
            }
        }
        tree.unpack_into(self.directory.path());
    }

    /// The file that holds the samples; there is one.
    pub fn sample(&self) -> PathBuf {
        let files = std::fs::read_dir(self.state.path()).expect("the directory of samples").flatten();
        let mut samples = files.map(|file| file.path()).filter(|path| path.extension() == Some("json".as_ref()));
        samples.next().expect("a sample")
    }

    /// The options that point a run at this host. Without an engine the docker group is left out.
    pub fn options(&self) -> Vec<String> {
        let path = |name: &str| self.path(name).display().to_string();
        let mut options = vec![
            "--procfs".to_owned(),
            path("proc"),
            "--sysfs".to_owned(),
            path("sys"),
            "--statvfs".to_owned(),
            path("statvfs"),
            "--sample".to_owned(),
            "50ms".to_owned(),
        ];
        if self.engine.is_some() {
            options.extend(["--docker-host".to_owned(), format!("unix://{}", path("docker.sock"))]);
        } else {
            options.push("--no-docker".to_owned());
        }
        options
    }

    pub fn run(&self, arguments: &[&str]) -> Output {
        Run::new(binary()).args(self.options()).args(arguments).state_dir(self.state.path()).output()
    }

    /// Compares the whole output and the exit code of a run with the golden file `name`.
    #[track_caller]
    pub fn assert(&self, name: &str, arguments: &[&str]) {
        self.compare(name, &self.run(arguments));
    }

    /// Compares what a run on this host printed, and its exit code, with the golden file `name`.
    #[track_caller]
    pub fn compare(&self, name: &str, output: &Output) {
        assert_eq!(output.stderr, "");
        Golden::new(Path::new(FIXTURES).join(format!("{name}.out")))
            .replace(self.directory.path().display().to_string(), "{host}")
            .replace(self.state.path().display().to_string(), "{state}")
            .mask(mask_ping)
            .mask(mask_sample)
            .assert(&format!("{}exit code {}\n", output.stdout, output.code));
    }
}

/// The name of the sample is made from the host's directory.
fn mask_sample(text: String) -> String {
    let start = "{state}/check_docker_host-";
    match text.split_once(start) {
        Some((before, rest)) => {
            let (_, after) = rest.split_once(".json").unwrap_or((rest, ""));
            format!("{before}{{sample}}{after}")
        }
        None => text,
    }
}

/// The time of a ping is the one figure that no fixture fixes.
fn mask_ping(text: String) -> String {
    let mask = |text: String, before: &str, after: &str| -> String {
        let Some(start) = text.find(before).map(|at| at + before.len()) else { return text };
        let end = text[start..].find(after).map_or(text.len(), |length| start + length);
        format!("{}{{time}}{}", &text[..start], &text[end..])
    };
    mask(mask(text, "docker_ping=", "s "), " answers in ", ",")
}
