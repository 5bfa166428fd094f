//! Command lines that are wrong, and those that ask for information.

use super::{Plugin, checked, list};
use crate::run::Output;

/// Each option that all plugins share.
const COMMON_OPTIONS: [&str; 18] = [
    "-w",
    "--warning",
    "-c",
    "--critical",
    "-t",
    "--timeout",
    "--timeout-state",
    "-v",
    "--verbose",
    "--format",
    "--exit-zero",
    "--perfdata",
    "--state-dir",
    "--options-file",
    "--list-metrics",
    "-h",
    "--help",
    "--version",
];

/// A usage error is exactly one line and exit code 3.
#[track_caller]
fn assert_refused(plugin: &Plugin, arguments: &[&str], hint: &str) -> Output {
    let output = checked(plugin.run().args(arguments).output());
    let line = output.stdout.as_str();
    assert_eq!(output.code, 3, "{arguments:?}: {line}");
    assert!(line.starts_with(&plugin.status("UNKNOWN")), "{arguments:?}: {line}");
    assert!(line.ends_with('\n') && line.lines().count() == 1, "{arguments:?}: one line: {line}");
    assert!(!line.contains('|'), "{arguments:?}: {line}");
    assert!(line.contains(hint), "{arguments:?}: '{hint}' is expected in: {line}");
    output
}

/// `--help` exits 3 and names every common option.
pub fn help_names_every_common_option(plugin: &Plugin) {
    for option in ["--help", "-h"] {
        let output = checked(plugin.run().arg(option).output());
        assert_eq!(output.code, 3);
        let words: Vec<&str> = output.stdout.split(|c: char| !c.is_alphanumeric() && c != '-').collect();
        for option in COMMON_OPTIONS {
            assert!(words.contains(&option), "{option} is not in the help:\n{}", output.stdout);
        }
        assert!(output.stdout.contains(plugin.name));
    }
}

/// `--version` exits 3 and is one line.
pub fn version_is_one_line(plugin: &Plugin) {
    for option in ["--version", "-V"] {
        let output = checked(plugin.run().arg(option).output());
        assert_eq!((output.code, output.stdout.lines().count()), (3, 1), "{}", output.stdout);
        assert!(output.stdout.starts_with(&format!("{} ", plugin.name)), "{}", output.stdout);
    }
}

/// An option that does not exist is named.
pub fn an_unknown_option_is_refused(plugin: &Plugin) {
    assert_refused(plugin, &["--no-such-option"], "--no-such-option");
    assert_refused(plugin, &["--no-such-option=5"], "--no-such-option");
    assert_refused(plugin, &["-%"], "-%");
    assert_refused(plugin, &["--exit-zeroo", "--verbose=7"], "");
}

/// An option without its value is named.
pub fn a_missing_value_is_refused(plugin: &Plugin) {
    for option in
        ["--warning", "--critical", "--timeout", "--format", "--perfdata", "--timeout-state", "--options-file"]
    {
        assert_refused(plugin, &[option], option);
    }
    for option in ["--timeout=", "--format=", "--options-file="] {
        assert_refused(plugin, &[option], option.trim_end_matches('='));
    }
}

/// A range that is none is refused with a hint at what was meant.
pub fn a_bad_range_is_refused(plugin: &Plugin) {
    for option in ["-w", "-c"] {
        for (range, hint) in [
            ("inf", "not a finite number"),
            ("~:nan", "not a finite number"),
            ("2:1", "1:2"),
            ("-10", "~:-10"),
            ("10:~", "10:"),
            ("@:", "neither start nor end"),
            ("1,5", "decimals with a point"),
            ("1e3", "without an exponent"),
            ("1-10", "1:10"),
            ("ten", "'ten' is not a number"),
            ("5parsec", "5parsec"),
        ] {
            let output = assert_refused(plugin, &[option, &plugin.threshold(range)], hint);
            assert!(output.stdout.contains(plugin.judged), "the metric is to be named: {}", output.stdout);
        }
    }
    assert_refused(plugin, &["-w", ""], "");
    assert_refused(plugin, &["-w="], "");
    assert_refused(plugin, &["-c", "=5"], "");
}

/// A metric that does not exist is refused with the nearest one.
pub fn an_unknown_metric_is_refused_with_the_nearest(plugin: &Plugin) {
    let mistyped = format!("{}x=5", plugin.judged);
    assert_refused(plugin, &["-w", &mistyped], "did you mean ");
    assert_refused(plugin, &["-c", "there is nothing like it=5"], "--list-metrics");
}

/// A duration that is none is refused.
pub fn a_bad_duration_is_refused(plugin: &Plugin) {
    for duration in ["ten", "0", "-1", "1e3", "inf", "5x", "5 MiB", "99999999999999999999999999w"] {
        assert_refused(plugin, &["-t", duration], "--timeout");
    }
}

/// Where one of several words is expected, another is refused and those are named.
pub fn a_bad_word_is_refused(plugin: &Plugin) {
    assert_refused(plugin, &["--format", "xml"], "openmetrics");
    assert_refused(plugin, &["--timeout-state", "bad"], "critical");
}

/// An options file that cannot be read, or that is wrong, is refused.
pub fn a_bad_options_file_is_refused(plugin: &Plugin) {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let path = |name: &str| dir.path().join(name).to_str().expect("a readable path").to_owned();
    std::fs::write(path("nested"), format!("--options-file {}\n", path("other"))).expect("a file");
    std::fs::write(path("wrong"), "# fine\n--no-such-option\n").expect("a file");
    assert_refused(plugin, &["--options-file", &path("none")], "no such file");
    assert_refused(plugin, &["--options-file", &path("")], "not a regular file");
    crate::tool::run("mkfifo", &[&path("pipe")]);
    assert_refused(plugin, &["--options-file", &path("pipe")], "not a regular file");
    assert_refused(plugin, &["--options-file", &path("nested")], "cannot name another");
    assert_refused(plugin, &["--options-file", &path("wrong")], "--no-such-option");
}

/// What a caller passes on from elsewhere cannot forge a line, perfdata or an escape sequence.
pub fn hostile_arguments_are_printed_safely(plugin: &Plugin) {
    let hostile = "--x|y=1\n\u{1b}[31mOK\u{202e}\r\nOK - fine | a=1";
    let value = plugin.threshold(hostile);
    for arguments in [&[hostile][..], &["--format", hostile], &["-w", &value], &["-t", hostile], &["-w", hostile]] {
        let output = assert_refused(plugin, arguments, "");
        let safe = |c: char| !c.is_control() && c != '\u{202e}';
        assert!(output.first_line().chars().all(safe), "{:?}", output.stdout);
    }
    let long = "x".repeat(100_000);
    assert!(assert_refused(plugin, &["-w", &long], "").stdout.len() < 10_000);
}

/// A reader of JSON or OpenMetrics gets just that, even when the command line is wrong.
pub fn usage_errors_come_in_the_format_asked_for(plugin: &Plugin) {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let file = dir.path().join("options");
    std::fs::write(&file, "--format json\n--no-such-option\n").expect("a file");
    let file = file.to_str().expect("a readable path");
    for arguments in [
        &["--format", "json", "--no-such-option"][..],
        &["--no-such-option", "--format=json"],
        &["--format=json", "-w", "no such metric=5"],
        &["--format=json", "-t"],
        &["--options-file", file],
    ] {
        let output = checked(plugin.run().args(arguments).output());
        let document = plugin.document(&output);
        assert_eq!((output.code, document["exit_code"].as_i64()), (3, Some(3)), "{arguments:?}");
        assert_eq!(document["state"], "UNKNOWN");
        assert!(!list(&document["items"]).is_empty());
    }
    let output = checked(plugin.run().args(["--format", "openmetrics", "--no-such-option"]).output());
    assert_eq!(output.code, 3);
    assert!(output.stdout.contains(&format!("\n{}_state{{state=\"unknown\"}} 1\n", plugin.name)), "{}", output.stdout);
    super::assert_openmetrics(&output.stdout);
}

/// `--exit-zero` makes 0 of every exit code, those of usage errors included.
pub fn exit_zero_makes_every_exit_0(plugin: &Plugin) {
    let always = plugin.threshold("@~:");
    for arguments in [
        &["--no-such-option"][..],
        &["-t"],
        &["-t", "ten"],
        &["-w", "no such metric=5"],
        &["--format", "xml"],
        &["--options-file", "/proc/nonexistent"],
        &["--help"],
        &["--version"],
        &["--list-metrics"],
    ] {
        let output = checked(plugin.run().arg("--exit-zero").args(arguments).output());
        assert_eq!(output.code, 0, "{arguments:?}: {}", output.stdout);
        assert!(!output.stdout.is_empty());
    }
    let output = plugin.good_with(&["--exit-zero", "-c", &always]);
    assert_eq!(output.code, 0);
    assert!(output.stdout.starts_with(&plugin.status("CRITICAL")), "{}", output.stdout);
    let output = plugin.good_with(&["--exit-zero", "-c", &always, "--format", "json"]);
    assert_eq!((output.code, plugin.document(&output)["exit_code"].as_i64()), (0, Some(2)));
}

/// The same options in a file are the same options.
pub fn an_options_file_equals_the_command_line(plugin: &Plugin) {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let file = dir.path().join("options");
    let always = plugin.threshold("@~:");
    for further in [&["-w", &always, "-v"][..], &["-c", &always, "--format", "json"], &["--perfdata", plugin.judged]] {
        let arguments: Vec<&str> =
            plugin.good.words.iter().map(String::as_str).chain(further.iter().copied()).collect();
        std::fs::write(&file, format!("# comment\n\n{}\n", arguments.join("\n"))).expect("a file");
        let direct = checked(plugin.run().args(&arguments).output());
        let from_file = checked(plugin.run().arg("--options-file").arg(&file).output());
        assert_eq!(from_file.code, direct.code, "{arguments:?}: {}", from_file.stdout);
        // The figures may be those of another moment.
        assert_eq!(shape(&from_file.stdout), shape(&direct.stdout), "{arguments:?}");
    }
    std::fs::write(&file, "--list-metrics\n").expect("a file");
    let from_file = checked(plugin.good().arg("--options-file").arg(&file).output());
    assert_eq!(from_file.stdout, plugin.good_with(&["--list-metrics"]).stdout);
}

/// `text` with every run of digits as one, so that figures and temporary names do not count.
fn shape(text: &str) -> String {
    let mut shape = String::new();
    for line in text.lines().filter(|line| !line.contains("samples are kept")) {
        let mut last = ' ';
        for c in line.chars().map(|c| if c.is_ascii_digit() || c == '.' { '0' } else { c }) {
            if !(c == '0' && last == '0') {
                shape.push(c);
            }
            last = c;
        }
        shape.push('\n');
    }
    shape
}
