//! What every plugin keeps, whatever it checks. Written once; [`contract_tests!`](crate::contract_tests) makes a
//! test of each rule for one plugin.
//!
//! ```text
//! support::contract_tests!(Plugin {
//!     name: "check_x",
//!     binary: env!("CARGO_BIN_EXE_check_x").into(),
//!     good: Arguments::new(["--procfs", fixture]).keeping(fixture_dir),
//!     hang: || Arguments::new(["--socket", path]).keeping(server),
//!     hangs_at: "the Docker Engine",
//!     judged: "used_percent",
//!     schema: Some("../../packaging/schema/check_x.schema.json".into()),
//!     foreign_names: &[],
//! });
//! ```

mod environment;
mod limits;
mod metrics;
mod output;
mod usage;

use std::any::Any;
use std::fmt;
use std::path::{Path, PathBuf};

use serde_json::Value;

pub use environment::*;
pub use limits::*;
pub use metrics::*;
pub use output::*;
pub use usage::*;

use crate::perfdata::{self, Datum};
use crate::run::{Output, Run};

/// The schema of every plugin's JSON, where a plugin has none of its own.
const GENERAL_SCHEMA: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../common/tests/report.schema.json");

/// The plugin under test.
#[derive(Debug)]
pub struct Plugin {
    /// Its name, `check_x`.
    pub name: &'static str,
    /// The program.
    pub binary: PathBuf,
    /// A run that works, prints perfdata and finds the same each time: on a fixture, say.
    pub good: Arguments,
    /// Makes a run that no timeout of a few seconds is enough for, all else being well.
    pub hang: fn() -> Arguments,
    /// What that run waits for, as its first line names it.
    pub hangs_at: &'static str,
    /// A metric of the good run, without instance, that `-w` and `-c` judge whatever else was found.
    pub judged: &'static str,
    /// The JSON schema of its reports; `None` for the one that all plugins share.
    pub schema: Option<PathBuf>,
    /// Metrics whose names come from elsewhere and so are not in snake case.
    pub foreign_names: &'static [&'static str],
}

/// Arguments, and what has to live as long as they are used: a temporary directory, a server.
pub struct Arguments {
    words: Vec<String>,
    kept: Vec<Box<dyn Any>>,
}

impl Arguments {
    /// These arguments.
    pub fn new<W: Into<String>>(words: impl IntoIterator<Item = W>) -> Self {
        Self { words: words.into_iter().map(Into::into).collect(), kept: Vec::new() }
    }

    /// These arguments, which point at `thing`.
    #[must_use]
    pub fn keeping(mut self, thing: impl Any) -> Self {
        self.kept.push(Box::new(thing));
        self
    }
}

impl fmt::Debug for Arguments {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?} and {} things", self.words, self.kept.len())
    }
}

/// One test for each rule of the contract, in a module `contract`.
///
/// The expression makes the [`Plugin`] anew for every test.
#[macro_export]
macro_rules! contract_tests {
    ($plugin:expr) => {
        $crate::contract_tests! { $plugin =>
            help_names_every_common_option
            version_is_one_line
            an_unknown_option_is_refused
            a_missing_value_is_refused
            a_bad_range_is_refused
            an_unknown_metric_is_refused_with_the_nearest
            a_bad_duration_is_refused
            a_bad_word_is_refused
            a_bad_options_file_is_refused
            hostile_arguments_are_printed_safely
            usage_errors_come_in_the_format_asked_for
            exit_zero_makes_every_exit_0
            an_options_file_equals_the_command_line
            a_run_that_takes_too_long_is_cut_off
            the_state_of_a_timeout_is_chosen
            a_closed_stdout_changes_nothing
            a_broken_pipe_changes_nothing
            a_full_pipe_does_not_hold_a_run
            a_full_pipe_does_not_hold_a_timeout
            formats_agree_on_the_state
            json_is_valid_by_its_schema
            openmetrics_pass_promtool
            perfdata_is_strict_and_on_the_first_line
            perfdata_can_be_chosen
            output_is_bounded
            stderr_is_empty_at_any_verbosity
            colour_is_for_terminals
            no_color_is_heeded
            the_metric_table_is_well_formed
            default_ranges_are_accepted
            every_figure_is_in_the_metric_table
            arguments_that_are_not_utf8_do_no_harm
            a_strange_environment_does_no_harm
            a_strange_name_does_no_harm
            a_damaged_sample_does_no_harm
            a_planted_sample_does_no_harm
            an_unusable_state_directory_does_no_harm
        }
    };
    ($plugin:expr => $($rule:ident)+) => {
        mod contract {
            #[allow(unused_imports)]
            use super::*;
            $(
                #[test]
                fn $rule() {
                    $crate::contract::$rule(&$plugin);
                }
            )+
        }
    };
}

impl Plugin {
    /// A run with no arguments yet.
    fn run(&self) -> Run {
        Run::new(&self.binary)
    }

    /// The run that works.
    fn good(&self) -> Run {
        self.run().args(&self.good.words)
    }

    /// The run that works, with `arguments`.
    #[track_caller]
    fn good_with(&self, arguments: &[&str]) -> Output {
        checked(self.good().args(arguments).output())
    }

    /// `METRIC=RANGE` for the metric that can be judged.
    fn threshold(&self, range: &str) -> String {
        format!("{}={range}", self.judged)
    }

    /// How the status line of `state` begins.
    fn status(&self, state: &str) -> String {
        let service = self.name.strip_prefix("check_").unwrap_or(self.name).to_ascii_uppercase();
        format!("{service} {state} - ")
    }

    fn schema(&self) -> &Path {
        self.schema.as_deref().unwrap_or(Path::new(GENERAL_SCHEMA))
    }

    /// The JSON document in `output`, which must be valid and stand alone on one line.
    #[track_caller]
    fn document(&self, output: &Output) -> Value {
        assert_eq!(output.stdout.lines().count(), 1, "JSON is one line: {}", output.stdout);
        let document = crate::schema::assert_valid(self.schema(), &output.stdout);
        assert_eq!(document["plugin"], self.name);
        document
    }

    /// The rows of `--list-metrics --format json`.
    #[track_caller]
    fn metrics(&self) -> Vec<Value> {
        let output = checked(self.good().args(["--list-metrics", "--format", "json"]).output());
        match serde_json::from_str(&output.stdout) {
            Ok(Value::Array(rows)) if !rows.is_empty() => rows,
            other => panic!("a list of metrics is expected: {other:?}\n{}", output.stdout),
        }
    }
}

/// `output` of a run that has ended as every run must: an exit code of the standard, nothing on stderr, no panic.
#[track_caller]
fn checked(output: Output) -> Output {
    assert!((0..=3).contains(&output.code), "exit code {} with: {}{}", output.code, output.stdout, output.stderr);
    assert_eq!(output.stderr, "", "stderr is to be empty; stdout: {}", output.stdout);
    assert!(!output.stdout.contains("internal error"), "a panic: {}", output.stdout);
    output
}

/// The perfdata of `output`, which must be on its first line and follow the rules.
#[track_caller]
fn perfdata_of(output: &Output) -> Vec<Datum> {
    let Some((_, text)) = output.first_line().split_once(" | ") else {
        assert!(!output.stdout.contains('|'), "a '|' but no perfdata: {}", output.stdout);
        return Vec::new();
    };
    assert_eq!(output.stdout.matches('|').count(), 1, "one '|' only: {}", output.stdout);
    perfdata::parse_strictly(text).unwrap_or_else(|reason| panic!("{reason}\nin {}", output.first_line()))
}

/// All figures of `items` and their children in a JSON document.
fn figures_of(items: &Value) -> Vec<&Value> {
    let mut figures = Vec::new();
    for item in list(items) {
        figures.extend(list(&item["metrics"]));
        figures.extend(figures_of(&item["children"]));
    }
    figures
}

/// The elements of an array that may be absent.
fn list(value: &Value) -> &[Value] {
    value.as_array().map(Vec::as_slice).unwrap_or_default()
}

/// The state that the status line of `output` begins with.
#[track_caller]
fn state_of(output: &Output) -> &str {
    output.first_line().split(' ').nth(1).unwrap_or_else(|| panic!("no status line: {}", output.stdout))
}

/// The exit code of a state's word.
fn exit_code(state: &str) -> i32 {
    match state {
        "OK" => 0,
        "WARNING" => 1,
        "CRITICAL" => 2,
        "UNKNOWN" => 3,
        _ => panic!("'{state}' is not a state"),
    }
}
