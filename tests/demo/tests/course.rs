//! What the demonstration shows, and that nothing is left of it.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test that cannot go on fails")]
#![allow(clippy::indexing_slicing, reason = "a test that is wrong fails")]

use std::io::{BufRead as _, BufReader};
use std::net::TcpStream;
use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::{Child, ChildStdout, Command, Stdio};
use std::sync::LazyLock;

use backend::database::Starting;
use backend::ending::Ending;
use clap::ValueEnum as _;
use demo::course::{self, Stop};
use demo::options::Options;
use demo::scenario::Scenario;
use demo::screen::Screen;
use demo::suite::{Plugin, Suite};
use support::live::eventually;
use support::run::{Output, Run};
use support::tool::run;
use tempfile::TempDir;

static SUITE: LazyLock<Suite> = LazyLock::new(|| Suite::build().unwrap());

/// What is shown of `scenario` where PostgreSQL is not installed.
#[track_caller]
fn shown(scenario: Option<Scenario>) -> String {
    let (mut screen, ending) = (Screen::new(Vec::new(), false), Ending::listen().unwrap());
    let options = Options { scenario, keep: false };
    let ended = course::run(options, &SUITE, &ending, &mut screen, Starting::recorded().unwrap());
    let text = String::from_utf8(screen.into_inner()).unwrap();
    assert!(ended.is_ok(), "{ended:?} after: {text}");
    text
}

/// All of `lines` begin lines of `text`, in this order.
#[track_caller]
fn says(text: &str, lines: &[&str]) {
    let mut rest = text.lines();
    for line in lines {
        assert!(rest.any(|each| each.starts_with(line)), "'{line}' is to come next in: {text}");
    }
}

/// What all plugins say of a backend that is well.
const WELL: [&str; 7] = [
    "DOCKER_HOST OK - cpu ",
    "CONTAINERS OK - 3 of 3 services up",
    "KWANZA_EXPVARS OK - 14 streams",
    "ENDPOINT OK - 3 endpoints answer",
    "POSTGRES OK - PostgreSQL 1",
    "BACKUP_AGE OK - kwanza-",
    "BACKEND OK - 6 checks OK",
];

#[test]
fn every_plugin_is_shown_and_finds_all_well() {
    let text = shown(None);
    says(&text, &WELL);
    for plugin in Plugin::ALL {
        says(
            &text,
            &[&format!("== {}", plugin.name()), plugin.about(), &format!("$ {}", plugin.name()), "[exit code 0, "],
        );
    }
    assert!(text.contains("A recording answers: no server was asked for."), "{text}");
}

#[test]
fn every_scenario_is_found() {
    for scenario in Scenario::value_variants() {
        let Some(story) = scenario.story() else { continue };
        let text = shown(Some(*scenario));
        let (before, after) = text.split_once(&format!("== {}\n", story.what)).unwrap();
        says(before, &WELL);
        let lines: &[&str] = match scenario {
            Scenario::List => &[],
            Scenario::PostgresDown => &[
                "CONTAINERS CRITICAL - postgres exited 137 (SIGKILL) ",
                "POSTGRES CRITICAL - container deploy_postgres_1 is exited, exit code 137",
                "BACKEND CRITICAL - containers: postgres exited 137 (SIGKILL) ",
                "    \\_ [CRITICAL] follows: kwanza_expvars: ",
                "    \\_ [CRITICAL] follows: endpoint: kwanza is NOT_SERVING",
                "    \\_ [CRITICAL] follows: postgres: container deploy_postgres_1 is exited",
            ],
            Scenario::DiskFull => &[
                "DOCKER_HOST CRITICAL - disk /var 100 %",
                "CONTAINERS CRITICAL - postgres exited 1 ",
                "BACKEND CRITICAL - docker_host: disk /var 100 % (over 95 %) (5 problems follow",
                "      \\_ [CRITICAL] follows: containers: postgres exited 1 ",
                "          \\_ [CRITICAL] follows: postgres: container deploy_postgres_1 is",
            ],
            Scenario::Panics => &[
                "KWANZA_EXPVARS CRITICAL - 14 StreamPanics in the last hour (over 10)",
                "BACKEND CRITICAL - kwanza_expvars: 14 StreamPanics",
            ],
            Scenario::StaleBackup => {
                &["BACKUP_AGE CRITICAL - newest dump kwanza-", "BACKEND CRITICAL - backup_age: newest dump kwanza-"]
            }
            Scenario::CertExpiring => &[
                "ENDPOINT CRITICAL - cuesta: certificate ends in 1d 23h",
                "BACKEND CRITICAL - endpoint: cuesta: certificate ends in 1d 23h",
            ],
        };
        says(after, lines);
    }
}

#[test]
fn nothing_is_wider_than_80_columns() {
    for scenario in [None, Some(Scenario::PostgresDown)] {
        for line in shown(scenario).lines() {
            let is_one_word = line.trim_start().split(' ').count() == 1;
            assert!(line.chars().count() <= 80 || is_one_word, "{line}");
        }
    }
}

/// Another process writes it: a child of another thread could hold a file of this one open, which then cannot be run.
fn write_script(path: &Path, script: &str) {
    let write = r#"printf '#!/bin/sh\n%s\n' "$1" >"$0" && chmod 755 "$0""#;
    run("sh", &["-c", write, &path.display().to_string(), script]);
}

#[test]
fn a_plugin_that_is_missing_or_dies_ends_it() {
    let programs = tempfile::tempdir().unwrap();
    let suite = Suite { programs: programs.path().to_owned() };
    let reason = || {
        let (mut screen, ending) = (Screen::new(Vec::new(), false), Ending::listen().unwrap());
        let options = Options { scenario: None, keep: false };
        match course::run(options, &suite, &ending, &mut screen, Starting::recorded().unwrap()) {
            Err(Stop::Failed(reason)) => reason,
            other => panic!("{other:?}"),
        }
    };
    assert!(reason().contains("check_docker_host: No such file"), "{}", reason());
    let program = programs.path().join(Plugin::DockerHost.name());
    write_script(&program, "kill -SEGV $$");
    assert!(reason().contains("check_docker_host: signal: 11"), "{}", reason());
    write_script(&program, "echo 'DOCKER_HOST WARNING - odd'; exit 1");
    assert!(reason().contains("check_docker_host was not to say that: DOCKER_HOST WARNING - odd"), "{}", reason());
}

/// The program, with temporary folders of its own.
struct Demo {
    temporary: TempDir,
    child: Child,
    stdout: Option<BufReader<ChildStdout>>,
}

impl Demo {
    fn start(arguments: &[&str]) -> Self {
        let temporary = tempfile::tempdir().unwrap();
        // So that a PostgreSQL of another user can be below it.
        run("chmod", &["755", &temporary.path().display().to_string()]);
        let mut command = Command::new(env!("CARGO_BIN_EXE_demo"));
        command.args(arguments).env("TMPDIR", temporary.path()).process_group(0);
        let mut child = command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
        let stdout = child.stdout.take().map(BufReader::new);
        Self { temporary, child, stdout }
    }

    /// All that is printed up to a line that begins by `start`.
    #[track_caller]
    fn until(&mut self, start: &str) -> String {
        let mut text = String::new();
        let stdout = self.stdout.as_mut().unwrap();
        loop {
            let begin = text.len();
            assert!(stdout.read_line(&mut text).unwrap() > 0, "no '{start}' in: {text}");
            if text[begin..].starts_with(start) {
                return text;
            }
        }
    }

    /// Sends `signal` to it and its processes, as a terminal does.
    fn signal(&self, signal: &str) {
        run("kill", &["-s", signal, "--", &format!("-{}", self.child.id())]);
    }

    /// Its exit code, once it has ended.
    #[track_caller]
    fn code(&mut self) -> Option<i32> {
        let mut status = None;
        eventually("the demonstration to end", || {
            status = self.child.try_wait().unwrap();
            status.is_some()
        });
        status?.code()
    }

    /// Neither files nor processes.
    #[track_caller]
    fn has_left_nothing(&self) {
        let files: Vec<_> =
            std::fs::read_dir(self.temporary.path()).unwrap().map(|entry| entry.unwrap().path()).collect();
        assert!(files.is_empty(), "{files:?}");
        assert_eq!(processes_in(self.temporary.path()), Vec::<String>::new());
    }
}

impl Drop for Demo {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The command lines that name something below `folder`.
fn processes_in(folder: &Path) -> Vec<String> {
    let folder = folder.display().to_string();
    let entries = std::fs::read_dir("/proc").unwrap().flatten();
    let lines = entries.filter_map(|entry| std::fs::read(entry.path().join("cmdline")).ok());
    lines.map(|line| String::from_utf8_lossy(&line).into_owned()).filter(|line| line.contains(&folder)).collect()
}

#[test]
fn nothing_is_left_after_the_end() {
    let mut demo = Demo::start(&[]);
    assert_eq!(demo.code(), Some(0));
    demo.has_left_nothing();
}

#[test]
fn nothing_is_left_after_a_failure() {
    let mut demo = Demo::start(&[]);
    demo.until("== check_docker_host");
    // Nobody reads what comes next.
    demo.stdout = None;
    assert_eq!(demo.code(), Some(1));
    demo.has_left_nothing();
}

#[test]
fn nothing_is_left_after_ctrl_c() {
    for signal in ["INT", "TERM", "HUP"] {
        for line in ["The backend of the operations guide", "== check_docker_host", "== check_endpoint"] {
            let mut demo = Demo::start(&[]);
            demo.until(line);
            demo.signal(signal);
            assert_eq!(demo.code(), Some(130), "{signal} at {line}");
            demo.has_left_nothing();
        }
    }
}

#[test]
fn no_process_is_left_after_a_kill() {
    let mut demo = Demo::start(&["--keep"]);
    demo.until("== The backend stays up");
    demo.child.kill().unwrap();
    demo.child.wait().unwrap();
    eventually("the processes to end", || processes_in(demo.temporary.path()).is_empty());
}

#[test]
fn what_is_printed_can_be_tried_by_hand() {
    let mut demo = Demo::start(&["--", "--keep"]);
    demo.until("== The backend stays up");
    let commands = demo.until("$ check_backend");
    let script: String = commands
        .lines()
        .map(|line| match line.strip_prefix("$ ") {
            Some(command) => format!("\n{command}"),
            None => format!("\n{line}").replace("\\\n", ""),
        })
        .collect();
    let script = format!("set -e{script}\n").replace("\\\n", "");
    let output = Run::new("/bin/sh").no_state_dir().env("PATH", "/usr/bin:/bin").args(["-c", &script]).output();
    assert_eq!((output.code, output.stderr.as_str()), (0, ""), "{script}\n{}", output.stdout);
    says(&output.stdout, &WELL);

    let ports: Vec<u16> = script
        .split("127.0.0.1:")
        .skip(1)
        .filter_map(|rest| rest.split(['/', ' ', '\n']).next()?.parse().ok())
        .collect();
    assert_eq!(ports.len(), 3, "{script}");
    assert!(ports.iter().all(|port| TcpStream::connect(("127.0.0.1", *port)).is_ok()));
    demo.signal("INT");
    assert_eq!(demo.code(), Some(0));
    demo.has_left_nothing();
    assert!(ports.iter().all(|port| TcpStream::connect(("127.0.0.1", *port)).is_err()));
}

#[test]
fn a_postgres_that_does_not_start_is_replaced_and_told() {
    let programs = tempfile::tempdir().unwrap();
    let psql = programs.path().join("psql");
    write_script(&psql, "echo 'no room' >&2; exit 1");
    let path = format!("{}:{}", programs.path().display(), std::env::var("PATH").unwrap());
    let run = Run::new(env!("CARGO_BIN_EXE_demo")).no_state_dir().env("PATH", path).env("CARGO", env!("CARGO"));
    let output = run.output();
    assert_eq!(output.code, 0, "{}{}", output.stdout, output.stderr);
    assert!(!output.stderr.contains("panicked"), "{}", output.stderr);
    let reason = support::postgres::lacking().unwrap_or("CREATE DATABASE kwanza: no room".to_owned());
    says(&output.stdout, &[&format!("A recording answers: {reason}"), "POSTGRES OK - "]);
}

fn demo(arguments: &[&str]) -> Output {
    Run::new(env!("CARGO_BIN_EXE_demo")).no_state_dir().args(arguments).output()
}

#[test]
fn arguments_are_explained() {
    for arguments in [&["--scenario"][..], &["--scenario", "flood"], &["--unknown"], &["word"]] {
        let output = demo(arguments);
        assert_eq!((output.code, output.stdout.as_str()), (2, ""), "{arguments:?}");
        assert!(output.stderr.contains("--help"), "{}", output.stderr);
    }
    let help = demo(&["--help"]);
    assert_eq!(help.code, 0);
    assert!(help.stdout.contains("Usage: cargo demo -- [OPTIONS]") && help.stdout.contains("postgres-down"));
    let list = demo(&["--", "--scenario", "list"]);
    assert_eq!((list.code, list.stdout.lines().count()), (0, 5), "{}", list.stdout);
    says(&list.stdout, &["postgres-down   PostgreSQL is killed", "cert-expiring   "]);
}
