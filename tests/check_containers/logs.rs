//! What logs tell, and logs that cannot be read.

use std::time::Duration;

use serde_json::json;
use support::http::Answer;
use support::run::Output;

use crate::host::{DOCKER, DOCKER_26, Engine, Host, PODMAN};

const DOWN: &str = "deploy_nospace_1";

/// The end of container `deploy_nospace_1` with this log, which has frames if it is the engine's.
fn explained(log: Answer, arguments: &[&str]) -> Output {
    let engine = Engine::recorded(DOCKER).with_only(&[DOWN]).says(DOWN, "logs", log);
    let output = Host::of(&engine).run(arguments);
    assert_eq!(output.code, 2, "{}", output.stdout);
    assert!(output.first_line().contains("deploy_nospace_1 exited 1 14m ago"), "{}", output.stdout);
    output
}

fn plain(log: &str) -> Output {
    explained(Answer::text(log), &[])
}

/// The log of a container that ended, of the engines and drivers that were recorded.
#[test]
fn logs_of_every_driver_are_read_or_named() {
    // It has to be down for its log to be asked for.
    let ended = |value: &mut serde_json::Value| {
        value["State"]["Status"] = json!("exited");
        value["State"]["ExitCode"] = json!(1);
    };
    for (engine, name, expected) in [
        (DOCKER, "deploy_no_log_1", "its logging driver 'none' keeps nothing that can be read here"),
        (DOCKER, "deploy_local_log_1", "the last lines of its log:\n       seen\n"),
        (DOCKER, "deploy_cuesta_1", "  serving\n       tls: no certificate\n"),
        (DOCKER_26, "deploy-no_log-1", "its logging driver 'none' keeps nothing that can be read here"),
        (DOCKER_26, "deploy-local_log-1", "the last lines of its log:\n       seen\n"),
        (DOCKER_26, "deploy-cuesta-1", "  serving\n       tls: no certificate\n"),
        (PODMAN, "deploy_no_log_1", "its log"),
        (PODMAN, "deploy_cuesta_1", "  serving\n       tls: no certificate\n"),
    ] {
        let output = Host::of(&Engine::recorded(engine).with(name, ended)).run(&["--container", name]);
        assert_eq!(output.code, 2, "{}", output.stdout);
        assert!(output.stdout.contains(expected), "{engine}: '{expected}' is to be in {}", output.stdout);
    }
}

#[test]
fn critical_database_that_does_not_start() {
    let log = "LOG:  starting PostgreSQL 11.5\n\
               LOG:  database system was interrupted; last known up at 2019-09-10 12:43:24 UTC\n\
               LOG:  invalid primary checkpoint record\n\
               PANIC:  could not locate a valid checkpoint record\n\
               LOG:  startup process (PID 26) was terminated by signal 6: Aborted\n";
    let engine = Engine::recorded(DOCKER).with_only(&[DOWN]).says(DOWN, "logs", Answer::text(log));
    Host::of(&engine).assert("critical_database_that_does_not_start", &[]);
}

#[test]
fn critical_service_that_logs_json() {
    let log = "{\"level\":\"info\",\"msg\":\"listening\"}\n\
               {\"level\":\"fatal\",\"msg\":\"no licence for postgres://kwanza:s3cret@postgres/kwanza\",\"error\":\"it has run out\"}\n";
    let engine = Engine::recorded(DOCKER).with_only(&[DOWN]).says(DOWN, "logs", Answer::text(log));
    Host::of(&engine).assert("critical_service_that_logs_json", &[]);
}

#[test]
fn a_log_that_cannot_be_read_explains_nothing_and_hides_nothing() {
    for (log, expected) in [
        (
            Answer::status(500, r#"{"message":"can not open\nlog | file"}"#),
            "its log cannot be read: it answers HTTP 500",
        ),
        (Answer::status(404, r#"{"message":"No such container"}"#), "its log cannot be read: it answers HTTP 404"),
        (Answer::Raw(b"nonsense".to_vec()), "its log cannot be read: "),
        (Answer::CloseMidBody(b"half a line".to_vec()), ""),
        (Answer::text(""), ""),
        (Answer::text(b"\x01\x00\x00\x00\x00\x00\x00\xffcut"), ""),
        (Answer::text(b"\x01\x00\x00\x00\xff\xff\xff\xffhuge"), ""),
        (Answer::text(vec![0; 100_000]), ""),
        (Answer::text(vec![0xff; 100_000]), ""),
    ] {
        let described = format!("{log:?}").chars().take(100).collect::<String>();
        let output = explained(log, &[]);
        assert!(output.stdout.contains(expected), "{described}: {}", output.stdout);
        assert!(output.stdout.contains("-> docker-compose up nospace"), "{described}: {}", output.stdout);
        assert!(!output.stdout.contains('\0'), "{described}");
    }
}

#[test]
fn a_log_without_end_is_read_no_further_than_needed() {
    let output = explained(Answer::Endless, &[]);
    assert!(output.elapsed < Duration::from_secs(5), "{:?}", output.elapsed);
    let hanging = explained(Answer::HangBeforeHeaders, &["-t", "1s"]);
    assert!(hanging.elapsed < Duration::from_millis(1500), "{:?}", hanging.elapsed);
    let slow = explained(
        Answer::Drip { body: b"No space left on device\n".to_vec(), every: Duration::from_millis(100) },
        &["-t", "1s"],
    );
    assert!(slow.elapsed < Duration::from_millis(1500), "{:?}", slow.elapsed);
}

#[test]
fn lines_of_a_log_cannot_forge_output() {
    let output = plain("\u{1b}[31mOK | x=1\u{1b}[0m\u{202e}\r\n\\_ [OK] all is well\n<b>CRITICAL</b>\u{7}\n");
    assert_eq!(output.stdout.matches('|').count(), 1, "{}", output.stdout);
    assert!(!output.stdout.contains(['\u{1b}', '\u{202e}', '\u{7}', '<', '\r']), "{}", output.stdout);
    assert!(!output.stdout.lines().any(|line| line.starts_with("\\_ [OK]")), "{}", output.stdout);
}

#[test]
fn long_lines_are_cut_and_fewer_of_them_read() {
    // More than a megabyte in two hundred lines: the end is what matters.
    let line = format!("{}\n", "x".repeat(20_000));
    let log = format!("{}no space left on device\n", line.repeat(199));
    let host = Host::of(&Engine::recorded(DOCKER).with_only(&[DOWN]).says(DOWN, "logs", Answer::text(&log)));
    let output = host.run(&[]);
    assert!(output.stdout.len() < 4000, "{}", output.stdout);
    let tails: Vec<String> = host.requests().into_iter().filter(|target| target.contains("/logs?")).collect();
    assert!(tails.len() > 1 && tails[0].contains("tail=200"), "{tails:?}");
}

#[test]
fn only_lines_of_the_last_life_explain_an_end() {
    let host = Host::of(&Engine::recorded(DOCKER).with_only(&[DOWN]));
    host.run(&["--log-lines", "50"]);
    let target = host.requests().into_iter().find(|target| target.contains("/logs?")).unwrap();
    // It had ended at 23:19:10.361, before the engine noted its start.
    assert!(target.contains("tail=50&since=1795562349.861"), "{target}");
}

#[test]
fn warning_news_in_a_log() {
    let mut host = Host::of(&Engine::recorded(DOCKER).with_only(&["deploy_kwanza_1"]));
    let first = host.run(&["--logs", "-v"]);
    assert_eq!(first.code, 0, "{}", first.stdout);
    assert!(first.stdout.contains("baseline taken of its log"), "{}", first.stdout);
    assert!(!host.requests().iter().any(|target| target.contains("/logs?")), "what is in it by then is no news");
    host.assert_without_rates("warning_news_in_a_log", &["--logs"]);
    let target = host.requests().into_iter().find(|target| target.contains("/logs?")).unwrap();
    // The engine's clock stood at 23:33:50 in the first run.
    assert!(target.contains("&since=1795563230.0"), "{target}");
    host.becomes(&Engine::recorded(DOCKER).with_only(&["deploy_kwanza_1"]).says(
        "deploy_kwanza_1",
        "logs",
        Answer::text(""),
    ));
    let quiet = host.run(&["--logs"]);
    assert_eq!(quiet.code, 0, "{}", quiet.stdout);
    assert!(quiet.stdout.contains("deploy_kwanza_1:log_matches=0"), "{}", quiet.stdout);
    host.becomes(&Engine::recorded(DOCKER).with_only(&["deploy_kwanza_1"]).says(
        "deploy_kwanza_1",
        "logs",
        Answer::status(501, ""),
    ));
    let refused = host.run(&["--logs"]);
    assert_eq!(refused.code, 3, "{}", refused.stdout);
}

#[test]
fn further_faults_are_known_by_a_hint_file() {
    let host = Host::of(&Engine::recorded(DOCKER).with_only(&[DOWN]).says(
        DOWN,
        "logs",
        Answer::text("Licence 7 has EXPIRED\n"),
    ));
    host.project_file("hints", "# ours\n\nlicence*expired\tlicence\tthe licence has run out\task sales\n");
    let file = |name: &str| host.path(&format!("deploy/{name}")).display().to_string();
    let output = host.run(&["--hint-file", &file("hints")]);
    assert_eq!(output.code, 2, "{}", output.stdout);
    assert!(output.first_line().contains("exited 1 14m ago: licence;"), "{}", output.stdout);
    assert!(output.stdout.contains("licence: the licence has run out\n"), "{}", output.stdout);
    assert!(output.stdout.contains("-> ask sales\n"), "{}", output.stdout);
    for (name, text, expected) in [
        ("few", &b"a\tb\tc\na b c\n"[..], "few: line 2 has 1 fields between tabs and not 3 or 4"),
        ("all", b"*\tb\tc\n", "all: line 1: the pattern matches every line"),
        ("binary", b"\xff\xfe\0", "binary: it is not UTF-8"),
        ("huge", &vec![b'#'; 5 << 20], "huge: it is longer than 4 MiB"),
    ] {
        host.project_file(name, text);
        let output = host.run(&["--hint-file", &file(name)]);
        assert_eq!(output.code, 3, "{}", output.stdout);
        let line = output.first_line();
        assert!(
            line.starts_with("CONTAINERS UNKNOWN - --hint-file /") && line.contains(expected),
            "'{expected}' is to be in {}",
            output.stdout
        );
    }
    let output = host.run(&["--hint-file", &file("none")]);
    assert!(output.first_line().contains("deploy/none: no such file or directory"), "{}", output.stdout);
    let output = host.run(&["--hint-file", "/dev/zero"]);
    assert!(output.first_line().contains("longer than 4 MiB"), "{}", output.stdout);
}
