//! What only a plugin that misbehaves on request can show.

#![allow(clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "a test that cannot go on fails")]

mod example;

use std::fs;
use std::time::{Duration, Instant};

use serde_json::Value;
use support::perfdata::parse_strictly;
use support::{Output, Stdout};

const MAX_BYTES: usize = 60 * 1024;

/// The change that a run reports in its perfdata, where it does.
fn change(output: &Output) -> Option<f64> {
    let (_, perfdata) = output.first_line().split_once(" | ").expect("perfdata");
    let items = parse_strictly(perfdata).expect("perfdata by the rules");
    items.into_iter().find(|item| item.label == "change_per_second").map(|item| item.value.value)
}

#[test]
fn a_panic_is_one_unknown_line() {
    let output = example::run(&["--panic"]).output();
    assert_eq!((output.code, output.stderr.as_str(), output.stdout.lines().count()), (3, "", 1), "{}", output.stdout);
    assert!(output.stdout.starts_with("EXAMPLE UNKNOWN - internal error at "), "{}", output.stdout);
    assert!(output.stdout.ends_with(": asked to / panic here; please report it\n"), "{}", output.stdout);
    assert_eq!(example::run(&["--panic", "--exit-zero"]).output().code, 0);
    let loud = example::run(&["--panic"]).env("RUST_BACKTRACE", "full").output();
    assert_eq!((loud.stdout, loud.stderr), (output.stdout, output.stderr));
}

#[test]
fn a_panic_is_json_where_that_is_asked_for() {
    let output = example::run(&["--panic", "--format", "json"]).output();
    let schema = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/report.schema.json");
    let document = support::schema::assert_valid(schema.as_ref(), &output.stdout);
    assert_eq!((output.code, &document["state"]), (3, &"UNKNOWN".into()));
}

#[test]
fn a_panic_that_nobody_hears_ends_all_the_same() {
    for stdout in [Stdout::Closed, Stdout::Broken, Stdout::Full] {
        let output = example::run(&["--panic", "-t", "500ms"]).stdout(stdout).output();
        assert_eq!(output.code, 3, "{stdout:?}");
        assert!(output.elapsed < Duration::from_secs(2), "{stdout:?}: {:?}", output.elapsed);
    }
}

#[test]
fn the_pending_step_of_a_hang_is_named() {
    let output = example::run(&["--hang", "60s", "-t", "300ms"]).output();
    assert_eq!(output.code, 3);
    let expected = "EXAMPLE UNKNOWN - no answer within 300ms, still waiting for the example's nap\n\
                    \\_ [UNKNOWN] timeout: no answer within 300ms, still waiting for the example's nap\n     \
                    -> --timeout allows more time, --timeout-state chooses another state\n";
    assert_eq!(output.stdout, expected);
}

#[test]
fn long_output_is_cut_and_perfdata_is_not() {
    let long = example::run(&["25", "--lines", "5000"]).output();
    assert!(long.stdout.len() <= MAX_BYTES, "{} bytes", long.stdout.len());
    assert!(long.stdout.len() > MAX_BYTES - 200, "no more is left out than must be: {} bytes", long.stdout.len());
    assert!(long.first_line().ends_with(" | value=25;10;20"), "{}", long.first_line());
    let last = long.stdout.lines().last().expect("a line");
    let left_out: usize = last.split(' ').nth(1).and_then(|word| word.parse().ok()).expect(last);
    assert_eq!(last, format!("... {left_out} more lines left out, see --format json"));
    let shown = long.stdout.lines().filter(|line| line.contains("] line ")).count();
    assert_eq!(shown + left_out, 4999);

    let whole = example::run(&["25", "--lines", "5000", "--format", "json"]).output();
    let document: Value = serde_json::from_str(&whole.stdout).expect("JSON");
    assert_eq!(document["items"].as_array().map(Vec::len), Some(5000));
}

#[test]
fn a_long_output_survives_a_slow_reader_and_a_gone_one() {
    // More than a pipe holds, so that the write is under way when the reader goes.
    let arguments = ["25", "--lines", "5000", "--format", "json", "-t", "1s"];
    assert_eq!(example::run(&arguments).stdout(Stdout::Broken).output().code, 2);
    let unread = example::run(&arguments).stdout(Stdout::Full).output();
    assert_eq!(unread.code, 2);
    assert!(unread.elapsed < Duration::from_secs(2), "{:?}", unread.elapsed);
}

#[test]
fn what_one_run_saw_the_next_one_compares_with() {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let run = |value: &str| example::run(&[value]).state_dir(dir.path()).output();
    assert_eq!(change(&run("5")), None, "the first run has nothing to compare with");
    let rising = change(&run("7")).expect("a change");
    assert!(rising > 0.0);
    let falling = change(&run("6")).expect("a change");
    assert!(falling < 0.0);
    assert_eq!(change(&run("6")), Some(0.0));
}

#[test]
fn a_run_that_failed_keeps_the_sample_of_the_one_before() {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let run = |arguments: &[&str]| example::run(arguments).state_dir(dir.path()).output();
    run(&["5"]);
    assert_eq!(run(&["--panic"]).code, 3);
    assert_eq!(run(&["--hang", "60s", "-t", "200ms"]).code, 3);
    assert_eq!(change(&run(&["5"])), Some(0.0));
}

#[test]
fn of_two_runs_at_once_one_keeps_its_sample_and_both_answer() {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let run = |arguments: &[&str]| example::run(arguments).state_dir(dir.path()).output();
    run(&["5"]);
    std::thread::scope(|scope| {
        let slow = scope.spawn(|| run(&["6", "--hang", "1s", "-v"]));
        std::thread::sleep(Duration::from_millis(400));
        let quick = run(&["7", "-v"]);
        assert!(quick.stdout.contains("another run"), "{}", quick.stdout);
        assert!(change(&quick).is_some(), "it reads what it may not write");
        let slow = slow.join().expect("the slow run");
        assert_eq!((slow.code, quick.code), (0, 0));
        assert!(!slow.stdout.contains("another run"), "{}", slow.stdout);
    });
    assert_eq!(change(&run(&["6"])), Some(0.0), "the sample is that of the slow run");
}

#[test]
fn a_run_every_50_ms_damages_no_sample_and_loses_no_lock() {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let run = |value: &str| example::run(&[value, "-v"]).state_dir(dir.path()).output();
    run("0");
    let end = Instant::now() + Duration::from_secs(3);
    std::thread::scope(|scope| {
        for value in ["1", "2"] {
            scope.spawn(move || {
                while Instant::now() < end {
                    let output = run(value);
                    assert_eq!((output.code, output.stderr.as_str()), (0, ""), "{}", output.stdout);
                    assert!(!output.stdout.contains("set aside"), "{}", output.stdout);
                    std::thread::sleep(Duration::from_millis(50));
                }
            });
        }
    });
    let names =
        fs::read_dir(dir.path()).expect("the state directory").map(|entry| entry.expect("an entry").file_name());
    let mut names: Vec<String> = names.map(|name| name.to_string_lossy().into_owned()).collect();
    names.sort();
    assert_eq!(names.len(), 2, "the sample and its lock, and no remains: {names:?}");
    assert_eq!(names[1], format!("{}.lock", names[0]));
    let output = run("3");
    assert!(!output.stdout.contains("another run"), "the lock is free again: {}", output.stdout);
    assert!(change(&output).is_some(), "the last sample is whole: {}", output.stdout);
}
