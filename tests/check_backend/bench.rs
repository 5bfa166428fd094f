//! A file of checks, and plugins that are shell scripts.

use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

use support::run::{Output, Run};
use support::said::Said;
use tempfile::TempDir;

/// A directory with a file of checks and the plugins that it names.
pub struct Bench {
    directory: TempDir,
}

impl Bench {
    pub fn new() -> Self {
        Self { directory: tempfile::tempdir().unwrap() }
    }

    pub fn path(&self) -> &Path {
        self.directory.path()
    }

    /// The file of checks.
    pub fn file(&self) -> PathBuf {
        self.path().join("backend.toml")
    }

    /// The arguments that name it.
    pub fn arguments(&self) -> Vec<String> {
        vec!["--config".to_owned(), self.file().display().to_string()]
    }

    /// Adds a check whose plugin is `script`, and further lines of it.
    pub fn add_with(&self, name: &str, plugin: &str, script: &str, lines: &str) {
        let folder = self.path().join(name);
        std::fs::create_dir(&folder).unwrap();
        std::fs::write(folder.join("script"), script).unwrap();
        // Not a program of its own: one that has just been written cannot be run while another thread of the test forks.
        symlink("/bin/sh", folder.join(plugin)).unwrap();
        self.append(&format!(
            "[[check]]\nname = '{name}'\nplugin = '{}'\narguments = ['{}']\n{lines}\n",
            folder.join(plugin).display(),
            folder.join("script").display(),
        ));
    }

    pub fn add(&self, name: &str, plugin: &str, script: &str) {
        self.add_with(name, plugin, script, "");
    }

    /// Adds `text` to the file.
    pub fn append(&self, text: &str) {
        let before = std::fs::read_to_string(self.file()).unwrap_or_default();
        std::fs::write(self.file(), before + text).unwrap();
    }

    /// A run with it and further arguments.
    pub fn command(&self, arguments: &[&str]) -> Run {
        Run::new(super::binary()).args(self.arguments()).args(arguments)
    }

    #[track_caller]
    pub fn run(&self, arguments: &[&str]) -> Said {
        Said::of(self.command(arguments).output())
    }

    /// A golden file, without the directory and without times.
    #[track_caller]
    pub fn golden(&self, name: &str, output: &Output) {
        let path = format!("{}/../../tests/check_backend/{name}.out", env!("CARGO_MANIFEST_DIR"));
        let golden = support::Golden::new(path).replace(self.path().display().to_string(), "{bench}");
        golden.mask(support::golden::timings).assert(&output.stdout);
    }
}

/// A script that prints a report of one item with these figures, and exits as it should.
pub fn says(state: &str, figures: &str, text: &str) -> String {
    let code = ["OK", "WARNING", "CRITICAL", "UNKNOWN"].iter().position(|word| *word == state).unwrap();
    let metrics = if figures == "[]" { String::new() } else { format!(r#", "metrics": {figures}"#) };
    let item = format!(r#"{{"label": "thing", "state": "{state}", "text": "{text}", "headline": "{text}"{metrics}}}"#);
    let document = format!(
        r#"{{"schema": 1, "plugin": "check_x", "version": "1", "state": "{state}", "exit_code": {code}, "summary": "{text}", "items": [{item}]}}"#
    );
    // With the shell alone, whatever PATH is.
    format!("printf '%s\\n' '{document}'\nexit {code}\n")
}

/// A figure as a report holds it.
pub fn figure(name: &str, instance: &str, value: &str, rest: &str) -> String {
    let instance = if instance.is_empty() { String::new() } else { format!(r#""instance": "{instance}", "#) };
    format!(
        r#"{{{instance}"name": "{name}", "value": {value}, "unit": "percent", "kind": "gauge", "state": "OK"{rest}}}"#
    )
}
