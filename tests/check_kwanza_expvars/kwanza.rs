//! A Kwanza in the process of the test, and the runs of the check on it.

use std::path::{Path, PathBuf};

use backend::Kwanza;
use backend::expvar::Answer;
use backend::kwanza::Config;
use support::golden::{Golden, timings};
use support::perfdata;
use support::run::{Output, Run};
use tempfile::TempDir;

pub const FIXTURES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/fixtures/check_kwanza_expvars");
/// The two versions of Go that were recorded.
pub const GO: [&str; 2] = ["go-1.19", "go-1.23"];

pub fn binary() -> PathBuf {
    env!("CARGO_BIN_EXE_check_kwanza_expvars").into()
}

/// What Go answered, see `README.md` there.
pub fn recorded(go: &str, name: &str) -> Vec<u8> {
    let path = Path::new(FIXTURES).join(go).join(name);
    std::fs::read(&path).unwrap_or_else(|error| panic!("cannot read {}: {error}", path.display()))
}

/// Whether `name` ends with this after its last dot.
pub fn is_a(name: &str, extension: &str) -> bool {
    Path::new(name).extension().is_some_and(|found| found == extension)
}

/// A recorded page with `from` changed to `to`, which must be there.
pub fn altered(go: &str, name: &str, changes: &[(&str, &str)]) -> Vec<u8> {
    let mut page = String::from_utf8(recorded(go, name)).unwrap();
    for (from, to) in changes {
        assert!(page.contains(from), "no {from} in {name}");
        page = page.replace(from, to);
    }
    page.into_bytes()
}

/// A Kwanza, and what the runs on it keep.
pub struct Site {
    pub kwanza: Kwanza,
    state: TempDir,
}

impl Site {
    /// The stand-in with figures of its own.
    pub fn live() -> Self {
        Self::at("127.0.0.1")
    }

    /// The same at this address.
    pub fn at(host: &str) -> Self {
        let expvars = (host.parse::<std::net::IpAddr>().unwrap(), 0).into();
        let kwanza = Kwanza::start(&Config { expvars, ..Config::loopback() }).unwrap();
        Self { kwanza, state: tempfile::tempdir().unwrap() }
    }

    /// The stand-in with this page, sent as Go sends it.
    pub fn page(page: impl Into<Vec<u8>>) -> Self {
        let site = Self::live();
        site.says(page);
        site
    }

    /// The stand-in with the bytes of a whole answer.
    pub fn raw(answer: impl Into<Vec<u8>>) -> Self {
        let site = Self::live();
        site.kwanza.figures().answer = Some(Answer::Raw(answer.into()));
        site
    }

    /// A page that was recorded, or its whole answer.
    pub fn recorded(go: &str, name: &str) -> Self {
        let bytes = recorded(go, name);
        // In Go 1.23 every panic is an answer without a byte.
        if is_a(name, "http") || bytes.is_empty() { Self::raw(bytes) } else { Self::page(bytes) }
    }

    /// The page changes to this one.
    pub fn says(&self, page: impl Into<Vec<u8>>) {
        self.kwanza.figures().answer = Some(Answer::Body(page.into()));
    }

    pub fn url(&self) -> String {
        format!("http://{}/debug/vars", self.kwanza.expvars)
    }

    pub fn run(&self, arguments: &[&str]) -> Output {
        let run = Run::new(binary()).state_dir(self.state.path()).args(["--url", &self.url()]).args(arguments);
        checked(run.output())
    }

    /// Runs it and compares the whole output with `GO/NAME.out`.
    #[track_caller]
    pub fn assert(&self, go: &str, name: &str, arguments: &[&str]) {
        let output = self.run(arguments);
        let path = Path::new(FIXTURES).join(go).join(format!("{name}.out"));
        let address = self.kwanza.expvars.to_string();
        Golden::new(path)
            .replace(address, "{address}")
            .mask(|text| sample(&text))
            .mask(timings)
            .mask(rates)
            .assert(&output.stdout);
        let state = name.split('_').next().unwrap().to_uppercase();
        assert!(output.first_line().starts_with(&format!("KWANZA_EXPVARS {state} - ")), "{}", output.stdout);
        assert_eq!(["OK", "WARNING", "CRITICAL", "UNKNOWN"][usize::try_from(output.code).unwrap()], state);
    }

    /// Changes what the last run kept.
    pub fn remember(&self, change: impl FnOnce(&mut serde_json::Value)) {
        let files = std::fs::read_dir(self.state.path()).unwrap().flatten().map(|file| file.path());
        let samples: Vec<PathBuf> = files.filter(|path| path.extension() == Some("json".as_ref())).collect();
        assert_eq!(samples.len(), 1, "{samples:?}");
        let mut sample = serde_json::from_str(&std::fs::read_to_string(&samples[0]).unwrap()).unwrap();
        change(&mut sample);
        std::fs::write(&samples[0], sample.to_string()).unwrap();
    }

    /// The directory that holds what the last run kept.
    pub fn state(&self) -> &Path {
        self.state.path()
    }
}

/// `output` of a run that ended as every run must.
#[track_caller]
pub fn checked(output: Output) -> Output {
    assert!(
        (0..=3).contains(&output.code) && output.stderr.is_empty(),
        "{}: {}{}",
        output.code,
        output.stdout,
        output.stderr
    );
    assert!(!output.stdout.contains("internal error"), "a panic: {}", output.stdout);
    output
}

/// The value of a figure in the perfdata, as it is written there.
#[track_caller]
pub fn figure(output: &Output, label: &str) -> Option<String> {
    let (_, text) = output.first_line().split_once(" | ")?;
    let data = perfdata::parse_strictly(text).unwrap_or_else(|reason| panic!("{reason}\nin {text}"));
    data.into_iter().find(|datum| datum.label == label).map(|datum| datum.value.text)
}

/// The same as a number.
#[track_caller]
pub fn number(output: &Output, label: &str) -> f64 {
    let value = figure(output, label).unwrap_or_else(|| panic!("no {label}: {}", output.stdout));
    value.parse().unwrap()
}

/// Reads the file of the sample as `{sample}`.
fn sample(text: &str) -> String {
    let masked = |line: &str| match line.split_once("samples are kept in ") {
        Some((before, _)) => format!("{before}samples are kept in {{sample}}\n"),
        None => format!("{line}\n"),
    };
    text.lines().map(masked).collect()
}

/// Reads every rate that is measured between two runs as `{rate}`.
fn rates(text: String) -> String {
    if !text.contains("_per_second=") {
        return text;
    }
    let masked = |line: &str| {
        let mut words: Vec<String> = line.split(' ').map(str::to_owned).collect();
        for place in 0..words.len() {
            if let Some((name, _)) = words[place].split_once("_per_second=") {
                words[place] = format!("{name}_per_second={{rate}}");
            }
            if words.get(place + 1).is_some_and(|next| next.trim_end_matches(',').ends_with("/s")) {
                "{rate}".clone_into(&mut words[place]);
            }
        }
        words.join(" ") + "\n"
    };
    text.lines().map(masked).collect()
}
