//! This machine as it is, compared with what other programs say of it.

use std::path::Path;

use support::contract::assert_openmetrics;
use support::live::{Engine, df};
use support::need;
use support::run::Output;
use support::tool::run;

use crate::check::{Check, Said};

/// What every run tells of every Linux host, and what takes an earlier run.
const AT_ONCE: [&str; 24] = [
    "cpu_percent",
    "cpu_iowait_percent",
    "cpu_steal_percent",
    "context_switches_per_second",
    "load1",
    "load5_per_core",
    "run_queue",
    "blocked",
    "memory_used_percent",
    "memory_available",
    "/:used_percent",
    "/:inodes_used_percent",
    "/:read_only",
    "processes",
    "threads",
    "zombies",
    "uninterruptible",
    "pids_used_percent",
    "file_handles_used_percent",
    "process_files_used_percent",
    "docker_ping",
    "docker_root_used_percent",
    "docker_containers_running",
    "uptime",
];
const SINCE_LAST_RUN: [&str; 1] = ["oom_kills"];

#[test]
fn all_groups_are_judged() {
    let engine = Engine::given();
    let check = Check::new(["--docker-host", &engine.address()]);
    let first = check.run(&["-v"]);
    for name in AT_ONCE {
        first.figure(name);
    }
    for group in "cpu load memory swap pressure disk diskio processes files docker kernel".split(' ') {
        first.line(&format!("] {group}: "));
    }
    first.says_not("cannot be judged");
    if Path::new("/proc/pressure/memory").exists() {
        first.figure("memory_pressure_full");
    }

    let second = check.run(&["-v"]);
    for name in AT_ONCE.iter().chain(&SINCE_LAST_RUN) {
        second.figure(name);
    }
    second.says_not("baseline");
    let has_disk = std::fs::read_dir("/sys/block").unwrap().flatten().any(|disk| disk.path().join("device").exists());
    let rate = second.figures.keys().any(|label| label.ends_with(":read_bytes_per_second"));
    assert_eq!(rate, has_disk, "{}", second.text());
    for (label, value) in &second.figures {
        assert!(*value >= 0.0, "{label}={value}");
    }
}

#[test]
fn figures_are_those_of_other_programs() {
    need("free", "apt-get install procps");
    let engine = Engine::given();
    let check = Check::new(["--docker-host", &engine.address()]);
    let before = others();
    let said = check.run(&[]);
    // What changes meanwhile is between before and after, but for the time that reading takes.
    for ((label, tolerance, before), (_, _, after)) in before.into_iter().zip(others()) {
        let figure = said.figure(label);
        let possible = before.min(after) - tolerance..=before.max(after) + tolerance;
        assert!(possible.contains(&figure), "{label}: {figure}, and others say {before}, then {after}");
    }
    let used = said.figure("memory_used") + said.figure("memory_available");
    close(used, memory()[0], 1.0, "memory used and available");
    let used = 100.0 * said.figure("memory_used") / used;
    close(said.figure("memory_used_percent"), used, 0.01, "memory used");
    let cores = number(run("getconf", &["_NPROCESSORS_ONLN"]).trim());
    close(said.figure("load1_per_core"), said.figure("load1") / cores, 0.01, "load per core");
    let total: f64 = ["user", "system", "iowait", "steal", "idle"]
        .iter()
        .map(|part| said.figure(&format!("cpu_{part}_percent")))
        .sum();
    close(total, 100.0, 0.1, "cpu");

    let count = |state: &str| {
        let list = engine.docker(&["ps", "-aq", "--filter", &format!("status={state}")]).unwrap();
        f64::from(u32::try_from(list.lines().count()).unwrap())
    };
    close(said.figure("docker_containers_running"), count("running"), 0.0, "running containers");
    let version = engine.docker(&["version", "--format", "{{.Server.Version}}"]).unwrap();
    check.run(&["-v"]).line(&format!("engine {version} answers in "));
}

#[test]
fn all_formats_agree_and_promtool_accepts_the_figures() {
    let engine = Engine::given();
    // The one group that no other program on this machine can change.
    for (range, code) in [("~:", 0), ("@~:", 2)] {
        let check = Check::new(["--docker-host", &engine.address(), "--only", "docker,kernel,memory,disk"]);
        let threshold = format!("docker_containers_stopped={range}");
        let calm = ["-c", &threshold, "-w", "uptime=", "--format"];
        let format = |name: &str| check.command().args(calm).arg(name).output();
        let (nagios, json, openmetrics) = (format("nagios"), format("json"), format("openmetrics"));
        let codes = |output: &Output| (output.code, output.stderr.clone());
        assert_eq!(codes(&nagios), (code, String::new()), "{}", nagios.stdout);
        assert_eq!(codes(&json), codes(&nagios), "{}", json.stdout);
        assert_eq!(codes(&openmetrics), codes(&nagios), "{}", openmetrics.stdout);
        let document: serde_json::Value = serde_json::from_str(&json.stdout).unwrap();
        assert_eq!(document["exit_code"], code);
        assert_openmetrics(&openmetrics.stdout);
        let _ = Said::of(nagios);
    }
    let everything = Check::new(["--docker-host", &engine.address(), "--format", "openmetrics"]);
    for _ in 0..2 {
        assert_openmetrics(&everything.command().output().stdout);
    }
}

/// Labels, how far a figure may be off, and what other programs say of it.
fn others() -> Vec<(&'static str, f64, f64)> {
    let is_pid = |name: &std::ffi::OsStr| name.to_str().is_some_and(|name| name.parse::<u32>().is_ok());
    let processes = std::fs::read_dir("/proc").unwrap().flatten().filter(|entry| is_pid(&entry.file_name())).count();
    let first = |path: &str| number(std::fs::read_to_string(path).unwrap().split_whitespace().next().unwrap());
    let memory = memory();
    vec![
        ("processes", 10.0, f64::from(u32::try_from(processes).unwrap())),
        ("uptime", 0.02, first("/proc/uptime")),
        ("load1", 0.0, first("/proc/loadavg")),
        ("file_handles", 500.0, first("/proc/sys/fs/file-nr")),
        ("memory_available", memory[0] * 0.02, memory[5]),
        // df rounds up.
        ("/:used_percent", 1.0, whole(df(Path::new("/"), "pcent"))),
        ("/:inodes_used_percent", 1.0, whole(df(Path::new("/"), "ipcent"))),
        ("/:size", 0.0, 1024.0 * whole(df(Path::new("/"), "size"))),
    ]
}

/// Total, used, free, shared, buff/cache and available.
fn memory() -> Vec<f64> {
    let free = run("free", &["-b"]);
    free.lines().nth(1).unwrap().split_whitespace().skip(1).map(number).collect()
}

#[track_caller]
fn close(actual: f64, expected: f64, tolerance: f64, what: &str) {
    assert!((actual - expected).abs() <= tolerance, "{what}: {actual}, and others say {expected}");
}

fn number(text: &str) -> f64 {
    text.parse().unwrap_or_else(|_| panic!("{text} is not a number"))
}

#[expect(clippy::cast_precision_loss, reason = "a disk is small enough")]
fn whole(value: u64) -> f64 {
    value as f64
}
