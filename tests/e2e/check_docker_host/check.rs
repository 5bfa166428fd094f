//! A run of the plugin on this machine and what it said.

use std::path::{Path, PathBuf};

use support::live::need_root;
use support::run::Run;
use tempfile::TempDir;

pub use support::said::Said;

/// Groups that answer at once, without the thresholds that other programs on this machine can break.
pub const CALM: &[&str] = &[
    "--only",
    "memory,disk,swap,files",
    "-c",
    "memory_used_percent=",
    "-c",
    "*:used_percent=",
    "-c",
    "oom_kills=",
    "-c",
    "process_files_used_percent=",
    "-w",
    "memory_used_percent=",
    "-w",
    "*:used_percent=",
    "-w",
    "oom_kills=",
    "-w",
    "process_files_used_percent=",
];

pub fn binary() -> PathBuf {
    env!("CARGO_BIN_EXE_check_docker_host").into()
}

/// Runs of the plugin that follow one another and share a sample.
pub struct Check {
    options: Vec<String>,
    pub state: TempDir,
}

impl Check {
    #[track_caller]
    pub fn new<S: ToString>(options: impl IntoIterator<Item = S>) -> Self {
        need_root();
        let options = options.into_iter().map(|option| option.to_string()).collect();
        Self { options, state: tempfile::tempdir().unwrap() }
    }

    pub fn command(&self) -> Run {
        Run::new(binary()).args(&self.options).state_dir(self.state.path())
    }

    /// A run, which must keep to exit codes 0 to 3 and to stdout.
    #[track_caller]
    pub fn run(&self, further: &[&str]) -> Said {
        Said::of(self.command().args(further).output())
    }

    /// The sample that the last run left.
    pub fn sample(&self) -> PathBuf {
        sample_in(self.state.path()).expect("a sample")
    }

    pub fn read_sample(&self) -> serde_json::Value {
        serde_json::from_slice(&std::fs::read(self.sample()).unwrap()).unwrap()
    }

    pub fn write_sample(&self, sample: &serde_json::Value) {
        std::fs::write(self.sample(), serde_json::to_vec(sample).unwrap()).unwrap();
    }
}

pub fn sample_in(directory: &Path) -> Option<PathBuf> {
    let files = std::fs::read_dir(directory).unwrap().flatten().map(|file| file.path());
    files.into_iter().find(|path| path.extension().is_some_and(|extension| extension == "json"))
}
