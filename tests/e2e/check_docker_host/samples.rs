//! Runs that follow closely, overlap, or are killed.

use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use crate::check::{Check, Said, binary, sample_in};

#[track_caller]
fn no_negative_figure(said: &Said) {
    for (label, value) in &said.figures {
        assert!(*value >= 0.0, "{label}={value} in: {}", said.text());
    }
    said.says_not("damaged").says_not("set aside");
}

#[test]
fn a_run_every_100_ms_tells_no_nonsense() {
    let check = Check::new(["--no-docker"]);
    let end = Instant::now() + Duration::from_secs(5);
    let mut runs = 0;
    while Instant::now() < end {
        let begin = Instant::now();
        no_negative_figure(&check.run(&["-v"]));
        check.read_sample();
        runs += 1;
        // The pace is the point here, nothing is waited for.
        thread::sleep(Duration::from_millis(100).saturating_sub(begin.elapsed()));
    }
    assert!(runs >= 5, "only {runs} runs in 5 s");
}

#[test]
fn runs_at_once_keep_the_sample_intact() {
    let check = Check::new(["--no-docker"]);
    check.run(&[]);
    let end = Instant::now() + Duration::from_secs(3);
    thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                while Instant::now() < end {
                    no_negative_figure(&check.run(&["-v"]));
                }
            });
        }
    });
    check.read_sample();
    check.run(&["-v"]).says_not("another run is under way");
}

#[test]
fn a_run_that_is_killed_leaves_no_damage() {
    let check = Check::new(["--no-docker"]);
    check.run(&[]);
    let begin = Instant::now();
    check.run(&[]);
    let whole = begin.elapsed();
    let mut killed = 0;
    for moment in 0..40u32 {
        let mut child = Command::new(binary())
            .args(["--no-docker", "--state-dir"])
            .arg(check.state.path())
            .env_clear()
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .spawn()
            .unwrap();
        // From the very beginning to beyond the end of a run.
        thread::sleep(whole * moment / 36);
        let ended_itself = child.try_wait().unwrap().is_some();
        child.kill().unwrap();
        child.wait().unwrap();
        killed += u32::from(!ended_itself);
        assert!(sample_in(check.state.path()).is_some());
        check.read_sample();
    }
    assert!(killed >= 10, "{killed} of 40 runs were killed under way");
    no_negative_figure(&check.run(&["-v"]));
    let files = std::fs::read_dir(check.state.path()).unwrap().flatten().map(|file| file.path());
    let left: Vec<_> =
        files.filter(|path| !path.extension().is_some_and(|end| end == "json" || end == "lock")).collect();
    assert!(left.is_empty(), "{left:?}");
}
