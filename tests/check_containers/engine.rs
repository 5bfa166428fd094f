//! Engines that are down, hang, refuse or answer nonsense.

use std::time::Duration;

use serde_json::{Value, json};
use support::http::Answer;
use support::run::Output;

use crate::host::{DOCKER, Engine, Host};

/// The engine with one healthy container and one that is down, so that logs are read too.
fn two() -> Engine {
    Engine::recorded(DOCKER).with_only(&["deploy_postgres_1", "deploy_nospace_1"])
}

fn run(engine: &Engine, arguments: &[&str]) -> Output {
    let output = Host::of(engine).run(arguments);
    assert!(output.elapsed < Duration::from_secs(11), "{:?}", output.elapsed);
    assert!(!output.stdout.contains("internal error"), "{}", output.stdout);
    output
}

#[track_caller]
fn assert_says(output: &Output, code: i32, sentence: &str) {
    assert_eq!(output.code, code, "{}", output.stdout);
    assert!(output.first_line().contains(sentence), "'{sentence}' is to be in {}", output.stdout);
}

#[test]
fn critical_engine_down() {
    Host::without_engine().assert("critical_engine_down", &[]);
    // A socket that is left behind.
    let host = Host::without_engine();
    drop(std::os::unix::net::UnixListener::bind(host.path("docker.sock")).unwrap());
    let output = host.run(&[]);
    assert_says(&output, 2, "the engine is down, nothing listens at unix://");
    let output = support::run::Run::new(crate::host::binary()).args(["-H", "tcp://127.0.0.1:1"]).output();
    assert_says(&output, 2, "the engine is down, nothing listens at tcp://127.0.0.1:1");
}

#[test]
fn critical_engine_that_is_none() {
    let faults: [(&str, Answer); 7] = [
        ("does not answer as it should", Answer::Raw(b"SSH-2.0-OpenSSH_9.2\r\n".to_vec())),
        ("does not answer as it should", Answer::Raw(vec![0xff; 4096])),
        ("it answers HTTP 500: no space left", Answer::status(500, r#"{"message":"no space left"}"#)),
        ("not answered with OK", Answer::text("<!DOCTYPE html><html><body>nginx</body></html>")),
        ("longer than 1 MiB", Answer::Endless),
        ("broke off", Answer::CloseMidBody(b"O".to_vec())),
        ("it answers HTTP 404", Answer::status(404, "404 page not found")),
    ];
    for (sentence, answer) in faults {
        assert_says(&run(&two().answers("/_ping", answer), &["-t", "5s"]), 2, sentence);
    }
}

/// Whatever hangs, the run ends in time and says what it waited for.
#[test]
fn what_hangs_is_named_in_time() {
    let slow = |body: &[u8]| Answer::Drip { body: body.to_vec(), every: Duration::from_millis(50) };
    let list = "/containers/json";
    let cases: [(&str, &str, Engine); 7] = [
        ("GET /_ping", "", two().answers("/_ping", Answer::HangBeforeHeaders)),
        ("GET /_ping", "", two().answers("/_ping", Answer::HangAfterHeaders)),
        ("GET /_ping", "", two().answers("/_ping", slow(b"OK"))),
        ("GET /containers/json", "", two().answers(list, Answer::HangBeforeHeaders)),
        ("GET /containers/json", "", two().answers(list, Answer::HangAfterHeaders)),
        ("GET /containers/json", "", two().answers(list, slow(&[b' '; 10_000]))),
        (
            "GET /containers/deploy_postgres_1/stats",
            "api",
            two().says("deploy_postgres_1", "stats", Answer::HangBeforeHeaders),
        ),
    ];
    for (pending, stats, engine) in cases {
        let source = if stats.is_empty() { "auto" } else { stats };
        let output = run(&engine, &["-t", "1s", "--stats", source]);
        assert!(output.elapsed < Duration::from_millis(1500), "{pending}: {:?}", output.elapsed);
        if stats.is_empty() {
            assert_says(&output, 2, "accepts connections and does not answer");
        } else {
            // The other container is judged all the same.
            assert_says(&output, 2, "deploy_nospace_1 exited 1");
            assert!(
                output.stdout.contains("deploy_postgres_1: up 14m, healthy, no figures: no answer in time"),
                "{}",
                output.stdout
            );
        }
    }
}

#[test]
fn one_container_that_hangs_hides_no_other() {
    let output = run(&two().says("deploy_postgres_1", "json", Answer::HangBeforeHeaders), &["-t", "1s"]);
    assert!(output.elapsed < Duration::from_millis(1500), "{:?}", output.elapsed);
    assert_says(&output, 2, "deploy_nospace_1 exited 1 14m ago: disk full; 1 more; ");
    let unanswered = "[UNKNOWN] deploy_postgres_1: running, and the engine tells no more of it: no answer in time";
    assert!(output.stdout.contains(unanswered), "{}", output.stdout);
}

#[test]
fn an_answer_without_end_is_refused_and_not_kept() {
    for path in ["/containers/json", "json", "stats"] {
        let engine = match path {
            "/containers/json" => two().answers(path, Answer::Endless),
            what => two().says("deploy_postgres_1", what, Answer::Endless),
        };
        let output = run(&engine, &["--stats", "api"]);
        assert!(output.stdout.contains("longer than 1"), "{path}: {}", output.stdout);
    }
}

#[test]
fn a_list_that_is_none_is_critical_and_an_empty_one_unknown() {
    let list = |answer: Answer| run(&Engine::recorded(DOCKER).answers("/containers/json", answer), &[]);
    for nonsense in ["", "{}", "[{\"Id\": \"a\"}, 7]", "[{\"Id\"", "<html>", "\"text\""] {
        let output = list(Answer::json(nonsense));
        assert_eq!(output.code, 2, "{nonsense}: {}", output.stdout);
    }
    for none in ["[]", "null", "[{}]", "[[]]", "[{\"Names\": [\"/x\"]}]"] {
        assert_says(&list(Answer::json(none)), 3, "there is no container");
    }
    let output = list(Answer::CloseMidBody(b"[".to_vec()));
    assert_says(&output, 2, "broke off");
    // Rows that tell next to nothing are judged as far as they go.
    let sparse = r#"[{"Id": "abc", "Names": null, "Labels": null, "State": null, "Image": null}]"#;
    let engine = Engine::recorded(DOCKER).answers("/containers/json", Answer::json(sparse));
    let output = run(&engine.answers("/containers/abc/json", Answer::json("{}")), &[]);
    assert_says(&output, 3, "abc in no state that the engine tells");
}

#[test]
fn unknown_where_a_proxy_forbids_to_ask() {
    for status in [401, 403] {
        let answer = || Answer::status(status, r#"{"message":"forbidden by the proxy"}"#);
        let output = run(&two().answers("/_ping", answer()), &[]);
        assert_says(&output, 3, "does not let us ask");
        let output = run(&two().answers("/containers/json", answer()), &[]);
        assert_says(&output, 3, "does not let us ask");
        assert!(
            output.stdout.contains("-> let the proxy before the engine pass the GET requests"),
            "{}",
            output.stdout
        );
        let output = run(&two().says("deploy_postgres_1", "json", answer()), &["--container", "deploy_postgres_1"]);
        assert_eq!(output.code, 3, "{}", output.stdout);
        let output = run(
            &two().says("deploy_postgres_1", "stats", answer()),
            &["--container", "deploy_postgres_1", "--stats", "api"],
        );
        assert_eq!(output.code, 3, "{}", output.stdout);
        let output = run(&two().says("deploy_nospace_1", "logs", answer()), &["--container", "deploy_nospace_1"]);
        assert_says(&output, 2, "deploy_nospace_1 exited 1");
        let output = run(
            &two().answers("/images/sirenia/busybox:1/json", answer()),
            &["--image-drift", "-v", "--container", "deploy_postgres_1"],
        );
        assert_eq!(output.code, 0, "{}", output.stdout);
        let said = format!("image sirenia/busybox:1: it answers HTTP {status}: forbidden by the proxy");
        assert!(output.stdout.contains(&said), "{}", output.stdout);
    }
}

#[test]
fn unknown_where_a_container_vanishes_meanwhile() {
    let gone = || Answer::status(404, r#"{"message":"No such container: x"}"#);
    let output = run(&two().says("deploy_nospace_1", "json", gone()), &["-v"]);
    assert_says(&output, 3, "deploy_nospace_1 went away while it was looked at");
    let output = run(&two().says("deploy_nospace_1", "json", gone()), &["--container", "deploy_nospace_1"]);
    assert_says(&output, 3, "deploy_nospace_1 went away while it was looked at");
    let output = run(&two().says("deploy_nospace_1", "json", gone()), &["--service", "nospace"]);
    assert_says(&output, 3, "nospace went away while it was looked at; 0 of 1 service up");
    let output =
        run(&two().says("deploy_postgres_1", "stats", gone()), &["--container", "deploy_postgres_1", "--stats", "api"]);
    assert_says(&output, 3, "deploy_postgres_1 tells no figures: it answers HTTP 404: No such container");
}

#[test]
fn critical_inspect_that_fails() {
    let engine = two().says("deploy_postgres_1", "json", Answer::status(500, r#"{"message":"layer | not\nfound"}"#));
    Host::of(&engine).assert("critical_inspect_that_fails", &["--container", "deploy_postgres_1"]);
    for nonsense in ["", "[]", "null", "<html>"] {
        let output = run(&two().says("deploy_postgres_1", "json", Answer::json(nonsense)), &[]);
        assert_eq!(output.code, 2, "{nonsense}: {}", output.stdout);
    }
}

#[test]
fn words_that_nobody_knows_are_unknown() {
    let name = "deploy_postgres_1";
    let options = ["--container", name];
    let status = |word: Value| {
        run(
            &two()
                .with_row(name, |row| row["State"] = word.clone())
                .with(name, |value| value["State"]["Status"] = word.clone()),
            &options,
        )
    };
    assert_says(&status(json!("hibernating")), 3, "in a state that is not known here: hibernating");
    for none in [json!(""), json!(null), json!(7)] {
        let output = status(none);
        assert_says(&output, 3, "in no state that the engine tells");
    }
    for (word, code) in [("dead", 2), ("removing", 2), ("stopping", 1), ("configured", 2), ("EXITED", 2)] {
        let output = status(json!(word));
        assert_eq!(output.code, code, "{word}: {}", output.stdout);
    }
    let health = |health: Value| run(&two().with(name, |value| value["State"]["Health"] = health.clone()), &options);
    assert_says(&health(json!({"Status": "dizzy"})), 3, "health is 'dizzy', a word that is not known here");
    for none in [json!(null), json!({}), json!({"Status": ""}), json!({"Status": "none", "Log": null}), json!([1])] {
        assert_eq!(health(none.clone()).code, 0, "{none}");
    }
    let sick = json!({"Status": "unhealthy", "FailingStreak": null, "Log": [{"ExitCode": -1, "Output": "a | b\u{1b}[31m\nx"}]});
    let output = health(sick);
    assert_says(&output, 2, "deploy_postgres_1 unhealthy");
}

#[test]
fn warning_health_that_is_still_starting() {
    let engine = two().with("deploy_postgres_1", |value| {
        value["State"]["Health"] =
            json!({"Status": "starting", "FailingStreak": 2, "Log": [{"ExitCode": 1, "Output": "no answer\n"}]});
        value["Config"]["Healthcheck"] = json!({"Test": ["CMD", "x"], "StartPeriod": 60_000_000_000u64});
    });
    Host::of(&engine).assert("warning_health_that_is_still_starting", &["--container", "deploy_postgres_1"]);
}

#[test]
fn figures_that_are_none_are_unknown() {
    let name = "deploy_postgres_1";
    let options = ["--container", name, "--stats", "api"];
    let (engine, mut host) = (two(), Host::of(&two()));
    let mut ask = |engine: &Engine| {
        host.becomes(engine);
        host.run(&options)
    };
    let nonsense =
        ["", "null", "{}", "[]", "<html>", r#"{"read": "yesterday"}"#, r#"{"read": "0001-01-01T00:00:00Z"}"#];
    for nonsense in nonsense {
        let output = ask(&engine.clone().says(name, "stats", Answer::json(nonsense)));
        assert_says(&output, 3, "deploy_postgres_1 tells no figures: ");
        assert!(output.stdout.contains("up 14m, healthy"), "{nonsense}: {}", output.stdout);
    }
    // Parts that are missing are left out.
    let path = engine.path(name, "stats");
    for part in ["memory_stats", "cpu_stats", "pids_stats", "blkio_stats", "networks"] {
        for value in [json!(null), json!({}), json!([]), json!("x")] {
            let output = ask(&engine.clone().edited(&path, |stats| stats[part] = value.clone()));
            assert_eq!(output.code, 0, "{part} {value}: {}", output.stdout);
        }
    }
}

#[test]
fn labels_that_are_null_belong_to_no_project() {
    let engine = two().with_row("deploy_nospace_1", |row| row["Labels"] = json!(null));
    let output = run(&engine, &["--project", "deploy"]);
    assert_eq!(output.code, 0, "{}", output.stdout);
    let output = run(&engine, &[]);
    assert_says(&output, 2, "deploy_nospace_1 exited 1");
    assert!(output.stdout.contains("-> docker start --attach deploy_nospace_1"), "{}", output.stdout);
}

#[test]
fn names_cannot_forge_output() {
    let evil = "/x | evil=1;2\n\u{1b}[31mCRITICAL\u{202e}'=\"<b>";
    let engine = two().with_row("deploy_nospace_1", |row| row["Names"] = json!([evil]));
    let output = run(&engine, &["-v"]);
    assert_eq!(output.code, 2);
    assert_eq!(output.stdout.matches('|').count(), 1, "{}", output.stdout);
    assert!(!output.stdout.contains(['\u{1b}', '\u{202e}', '<']), "{}", output.stdout);
    let (_, perfdata) = output.first_line().split_once(" | ").unwrap();
    let data = support::perfdata::parse_strictly(perfdata).unwrap();
    assert!(data.iter().any(|datum| datum.label.contains("evil")), "{}", output.stdout);
}

#[test]
fn no_container_is_asked_about_that_is_not_judged() {
    let host = Host::of(&two());
    host.run(&["--container", "deploy_postgres_1"]);
    let requests = host.requests();
    let id = two().id("deploy_postgres_1").to_owned();
    assert_eq!(requests, ["/_ping".to_owned(), "/containers/json?all=1".to_owned(), format!("/containers/{id}/json")]);
}
