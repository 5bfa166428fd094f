//! A run of the plugin on this machine and what it said.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use support::live::need_root;
use support::perfdata;
use support::run::{Output, Run};
use tempfile::TempDir;

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

/// What a run said.
pub struct Said {
    pub output: Output,
    pub figures: BTreeMap<String, f64>,
}

impl Said {
    #[track_caller]
    pub fn of(output: Output) -> Self {
        assert_eq!(output.stderr, "");
        assert!((0..=3).contains(&output.code), "exit code {}: {}", output.code, output.stdout);
        let text = output.first_line().split_once(" | ").map_or("", |(_, perfdata)| perfdata);
        let data = perfdata::parse_strictly(text).unwrap_or_else(|reason| panic!("{reason}: {}", output.stdout));
        let figures = data.into_iter().map(|datum| (datum.label, datum.value.value)).collect();
        Self { output, figures }
    }

    pub fn text(&self) -> &str {
        &self.output.stdout
    }

    /// The first line without its figures.
    pub fn headline(&self) -> &str {
        self.output.first_line().split(" | ").next().unwrap_or_default()
    }

    #[track_caller]
    pub fn figure(&self, label: &str) -> f64 {
        *self.figures.get(label).unwrap_or_else(|| panic!("no {label} in: {}", self.text()))
    }

    #[track_caller]
    pub fn has_code(&self, code: i32) -> &Self {
        assert_eq!(self.output.code, code, "{}", self.text());
        self
    }

    #[track_caller]
    pub fn says(&self, words: &str) -> &Self {
        assert!(self.text().contains(words), "{words:?} is expected in: {}", self.text());
        self
    }

    #[track_caller]
    pub fn says_not(&self, words: &str) -> &Self {
        assert!(!self.text().contains(words), "{words:?} is not expected in: {}", self.text());
        self
    }

    #[track_caller]
    pub fn headlines(&self, words: &str) -> &Self {
        assert!(self.headline().contains(words), "{words:?} is expected in: {}", self.headline());
        self
    }

    /// The line that holds `words`.
    #[track_caller]
    pub fn line(&self, words: &str) -> &str {
        let line = self.text().lines().skip(1).find(|line| line.contains(words));
        line.unwrap_or_else(|| panic!("a line with {words:?} is expected in: {}", self.text())).trim()
    }
}
