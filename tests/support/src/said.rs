//! What a run of a plugin said, for tests that look for words and figures in it.

use std::collections::BTreeMap;

use crate::perfdata;
use crate::run::Output;

/// What a run said.
#[derive(Debug)]
pub struct Said {
    /// The output itself.
    pub output: Output,
    /// Its performance data: each label with its value.
    pub figures: BTreeMap<String, f64>,
}

impl Said {
    /// What `output` says, which must keep to exit codes 0 to 3 and to stdout.
    #[track_caller]
    pub fn of(output: Output) -> Self {
        assert_eq!(output.stderr, "");
        assert!((0..=3).contains(&output.code), "exit code {}: {}", output.code, output.stdout);
        let text = output.first_line().split_once(" | ").map_or("", |(_, perfdata)| perfdata);
        let data = perfdata::parse_strictly(text).unwrap_or_else(|reason| panic!("{reason}: {}", output.stdout));
        let figures = data.into_iter().map(|datum| (datum.label, datum.value.value)).collect();
        Self { output, figures }
    }

    /// All of it.
    pub fn text(&self) -> &str {
        &self.output.stdout
    }

    /// The first line without its figures.
    pub fn headline(&self) -> &str {
        self.output.first_line().split(" | ").next().unwrap_or_default()
    }

    /// The value of the performance data `label`.
    #[track_caller]
    pub fn figure(&self, label: &str) -> f64 {
        *self.figures.get(label).unwrap_or_else(|| panic!("no {label} in: {}", self.text()))
    }

    /// Whether there is performance data `label`.
    pub fn has_figure(&self, label: &str) -> bool {
        self.figures.contains_key(label)
    }

    /// Demands an exit code.
    #[track_caller]
    pub fn has_code(&self, code: i32) -> &Self {
        assert_eq!(self.output.code, code, "{}", self.text());
        self
    }

    /// Demands `words` anywhere.
    #[track_caller]
    pub fn says(&self, words: &str) -> &Self {
        assert!(self.text().contains(words), "{words:?} is expected in: {}", self.text());
        self
    }

    /// Demands that `words` are nowhere.
    #[track_caller]
    pub fn says_not(&self, words: &str) -> &Self {
        assert!(!self.text().contains(words), "{words:?} is not expected in: {}", self.text());
        self
    }

    /// Demands `words` in the first line.
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
