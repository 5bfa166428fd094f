//! The options that all plugins share, and the options file.

use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::{OsStrExt as _, OsStringExt as _};
use std::path::PathBuf;
use std::time::Duration;

use clap::{ArgAction, Args, Parser, ValueEnum};

use crate::render::Format;
use crate::state::State;
use crate::units::parse_duration;

/// A whole command line: the plugin's own options `A` and the common ones.
#[derive(Debug, Parser)]
pub struct CommandLine<A: Args> {
    /// The plugin's options.
    #[command(flatten)]
    pub plugin: A,
    /// The common options.
    #[command(flatten)]
    pub common: Common,
}

/// Options common to all plugins.
#[allow(rustdoc::broken_intra_doc_links, reason = "these comments are the help text, where brackets are brackets")]
#[derive(Clone, Debug, Args)]
#[command(next_help_heading = "Common options")]
pub struct Common {
    /// WARNING when METRIC is outside RANGE; repeatable
    ///
    /// INSTANCE may hold * and ?. The most specific match wins, the later of two equals wins. An empty RANGE
    /// switches a default off. RANGE is [@][start:][end], both ends inclusive; ~ is minus infinity, @ inverts.
    /// Numbers may carry a unit that fits the metric: ms s m h d w, B KB MB GB TB, KiB MiB GiB TiB, %.
    #[arg(short, long, value_name = "[INSTANCE:]METRIC=RANGE", allow_hyphen_values = true)]
    pub warning: Vec<String>,
    /// CRITICAL when METRIC is outside RANGE; repeatable, judged before --warning
    #[arg(short, long, value_name = "[INSTANCE:]METRIC=RANGE", allow_hyphen_values = true)]
    pub critical: Vec<String>,
    /// Time that the whole run may take; past it the state is that of --timeout-state
    #[arg(short, long, value_name = "DURATION", default_value = "10s", value_parser = parse_duration, allow_hyphen_values = true)]
    pub timeout: Duration,
    /// State of a run that took too long, and of a part that did not answer in time
    #[arg(long, value_name = "STATE", default_value = "unknown")]
    pub timeout_state: TimeoutState,
    /// Say more; repeatable
    ///
    /// Once lists every item instead of only those that are not OK, twice adds how each value was obtained,
    /// three times adds requests and timings.
    #[arg(short, long, action = ArgAction::Count)]
    pub verbose: u8,
    /// Output format; the exit code is the same in all
    #[arg(long, value_name = "FORMAT", default_value = "nagios")]
    pub format: Format,
    /// Exit 0 whatever the state, for callers that take anything else for a failed script
    #[arg(long)]
    pub exit_zero: bool,
    /// Print figures only of metrics whose name, or INSTANCE:METRIC, matches GLOB; repeatable
    #[arg(long, value_name = "GLOB")]
    pub perfdata: Vec<String>,
    /// Directory that keeps the samples between runs
    ///
    /// Without it: that of systemd's `StateDirectory`, /var/lib/monitoring-plugins-sirenia, or
    /// monitoring-plugins-sirenia in the user's state directory (XDG).
    #[arg(long, value_name = "DIR")]
    pub state_dir: Option<PathBuf>,
    /// Read further arguments from FILE, one option a line; lines that begin with # are comments
    #[arg(long, value_name = "FILE")]
    pub options_file: Option<PathBuf>,
    /// List the metrics with their units, meaning and default thresholds, and exit
    #[arg(long)]
    pub list_metrics: bool,
}

/// Values of `--timeout-state`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
#[expect(missing_docs, reason = "the words of the standard")]
pub enum TimeoutState {
    Ok,
    Warning,
    Critical,
    Unknown,
}

impl From<TimeoutState> for State {
    fn from(state: TimeoutState) -> Self {
        match state {
            TimeoutState::Ok => Self::Ok,
            TimeoutState::Warning => Self::Warning,
            TimeoutState::Critical => Self::Critical,
            TimeoutState::Unknown => Self::Unknown,
        }
    }
}

const OPTIONS_FILE: &str = "--options-file";
/// An options file larger than this is a mistake.
const MAX_OPTIONS_BYTES: u64 = 1 << 20;

/// `arguments` with the lines of each `--options-file` in its place.
pub fn expand(arguments: Vec<OsString>) -> Result<Vec<OsString>, String> {
    let mut expanded = Vec::with_capacity(arguments.len());
    let mut rest = arguments.into_iter();
    while let Some(argument) = rest.next() {
        let joined = argument.as_bytes().strip_prefix(OPTIONS_FILE.as_bytes()).and_then(|tail| tail.strip_prefix(b"="));
        let path = match joined {
            Some(path) => Some(OsStr::from_bytes(path).to_owned()),
            None if argument == OPTIONS_FILE => rest.next(),
            None => {
                expanded.push(argument);
                continue;
            }
        };
        let path = path.ok_or_else(|| format!("{OPTIONS_FILE} needs a file name"))?;
        expanded.extend(read(&PathBuf::from(path))?);
    }
    Ok(expanded)
}

fn read(path: &std::path::Path) -> Result<Vec<OsString>, String> {
    let fault = |error: std::io::Error| format!("{OPTIONS_FILE} {}: {}", path.display(), crate::text::io_error(&error));
    // The watchdog does not run yet, so nothing may be opened that could keep this waiting.
    let text = crate::file::open(path).and_then(|file| crate::file::all_of(file, MAX_OPTIONS_BYTES)).map_err(fault)?;
    let arguments: Vec<OsString> = text.split(|byte| *byte == b'\n').flat_map(line).collect();
    if arguments.iter().any(|argument| argument.as_bytes().starts_with(OPTIONS_FILE.as_bytes())) {
        return Err(format!("{OPTIONS_FILE} {}: an options file cannot name another", path.display()));
    }
    Ok(arguments)
}

/// The arguments of one line: an option and, after white space, its value as it stands; or one bare argument.
fn line(line: &[u8]) -> Vec<OsString> {
    let line = line.trim_ascii();
    let owned = |bytes: &[u8]| OsString::from_vec(bytes.to_vec());
    if line.is_empty() || line.starts_with(b"#") {
        return Vec::new();
    }
    match line.iter().position(u8::is_ascii_whitespace) {
        Some(end) if line.starts_with(b"-") => {
            let (option, value) = line.split_at(end);
            vec![owned(option), owned(value.trim_ascii_start())]
        }
        _ => vec![owned(line)],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(text: &str) -> Vec<String> {
        text.split('\n')
            .flat_map(|text| line(text.as_bytes()))
            .map(|argument| argument.into_string().unwrap())
            .collect()
    }

    #[test]
    fn a_line_is_an_option_with_its_value() {
        assert_eq!(
            lines("# comment\n\n  -w  /my disk:used_percent=80 \n--no-docker\n--timeout=5s\nhttp://x/y z\r\n"),
            ["-w", "/my disk:used_percent=80", "--no-docker", "--timeout=5s", "http://x/y z"]
        );
    }

    #[test]
    fn a_file_takes_the_place_of_its_option() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("options");
        std::fs::write(&path, "-v\n--exit-zero\n").unwrap();
        let expanded = |arguments: &[&str]| expand(arguments.iter().map(OsString::from).collect());
        let name = path.to_str().unwrap();
        assert_eq!(expanded(&["p", "-t", OPTIONS_FILE, name, "-c"]).unwrap(), ["p", "-t", "-v", "--exit-zero", "-c"]);
        assert_eq!(expanded(&["p", &format!("{OPTIONS_FILE}={name}")]).unwrap(), ["p", "-v", "--exit-zero"]);
        assert!(expanded(&["p", OPTIONS_FILE]).unwrap_err().contains("needs a file name"));
        assert!(expanded(&["p", OPTIONS_FILE, "/proc/nonexistent"]).unwrap_err().contains("no such file"));
        std::fs::write(&path, "--options-file x\n").unwrap();
        assert!(expanded(&["p", OPTIONS_FILE, name]).unwrap_err().contains("cannot name another"));
    }
}
