//! The time that a run takes, and readers that are gone or do not read.

use std::time::Duration;

use super::{Plugin, checked};
use crate::run::{Output, Stdout};

/// The timeout of the runs that hang.
const TIMEOUT: Duration = Duration::from_millis(700);
/// What a run may take beyond its timeout.
const SLACK: Duration = Duration::from_millis(500);
/// What a run may take beyond that to give up on a reader that does not read.
const GIVING_UP: Duration = Duration::from_millis(400);

#[track_caller]
fn hanging(plugin: &Plugin, arguments: &[&str], stdout: Stdout) -> Output {
    let hang = (plugin.hang)();
    let run = plugin.run().args(&hang.words).args(["-t", "700ms"]).args(arguments).stdout(stdout);
    let output = checked(run.output());
    // A plugin may give up on a part of its work a little earlier, to report the rest.
    assert!(output.elapsed >= TIMEOUT / 2, "it did not hang: {}", output.stdout);
    output
}

/// A run that takes too long says so in time, is UNKNOWN and names what it was waiting for.
pub fn a_run_that_takes_too_long_is_cut_off(plugin: &Plugin) {
    let output = hanging(plugin, &[], Stdout::Captured);
    assert!(output.elapsed <= TIMEOUT + SLACK, "it took {:?}", output.elapsed);
    assert_eq!(output.code, 3, "{}", output.stdout);
    assert!(output.stdout.starts_with(&plugin.status("UNKNOWN")), "{}", output.stdout);
    let line = output.first_line();
    assert!(line.contains(plugin.hangs_at), "'{}' is to be named as pending: {line}", plugin.hangs_at);
    let document = plugin.document(&hanging(plugin, &["--format", "json"], Stdout::Captured));
    assert_eq!(document["state"], "UNKNOWN");
}

/// `--timeout-state` chooses the state of such a run.
pub fn the_state_of_a_timeout_is_chosen(plugin: &Plugin) {
    for (word, code) in [("critical", 2), ("warning", 1)] {
        let output = hanging(plugin, &["--timeout-state", word], Stdout::Captured);
        assert_eq!(output.code, code, "{}", output.stdout);
        assert!(output.stdout.starts_with(&plugin.status(&word.to_uppercase())), "{}", output.stdout);
    }
    assert_eq!(hanging(plugin, &["--timeout-state", "critical", "--exit-zero"], Stdout::Captured).code, 0);
}

/// With nowhere to print, each exit code is as ever.
#[track_caller]
fn assert_same_codes(plugin: &Plugin, stdout: Stdout) {
    let always = plugin.threshold("@~:");
    for arguments in
        [&[][..], &["-c", &always], &["-w", &always, "--format", "json"], &["--no-such-option"], &["--help"]]
    {
        let expected = checked(plugin.good().args(arguments).output());
        let output = checked(plugin.good().args(arguments).stdout(stdout).output());
        assert_eq!(output.code, expected.code, "{arguments:?}");
    }
    assert_eq!(hanging(plugin, &["--timeout-state", "critical"], stdout).code, 2);
}

/// A closed descriptor in place of stdout changes no exit code.
pub fn a_closed_stdout_changes_nothing(plugin: &Plugin) {
    assert_same_codes(plugin, Stdout::Closed);
}

/// A pipe that nobody reads any more changes no exit code.
pub fn a_broken_pipe_changes_nothing(plugin: &Plugin) {
    assert_same_codes(plugin, Stdout::Broken);
}

/// A run whose output nobody takes ends with its timeout, with the exit code of what it found.
pub fn a_full_pipe_does_not_hold_a_run(plugin: &Plugin) {
    let always = plugin.threshold("@~:");
    let output = checked(plugin.good().args(["-t", "700ms", "-c", &always]).stdout(Stdout::Full).output());
    assert!(output.elapsed <= TIMEOUT + SLACK + GIVING_UP, "it took {:?}", output.elapsed);
    assert_eq!(output.code, 2);
}

/// A run that takes too long and whose output nobody takes ends all the same.
pub fn a_full_pipe_does_not_hold_a_timeout(plugin: &Plugin) {
    let output = hanging(plugin, &["--timeout-state", "critical"], Stdout::Full);
    assert!(output.elapsed <= TIMEOUT + SLACK + GIVING_UP, "it took {:?}", output.elapsed);
    assert_eq!(output.code, 2);
}
