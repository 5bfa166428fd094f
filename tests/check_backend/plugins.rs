//! Plugins that behave and plugins that do not. What one does wrong costs its own line.

use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;
use support::live::eventually;

use crate::bench::{Bench, figure, says};

#[test]
fn ok_all_checks_are_listed_with_their_figures() {
    let bench = Bench::new();
    let figures = [
        figure("load1", "", "0.5", ""),
        figure("used_percent", "/var", "12.5", r#", "warning": "90", "critical": "95", "min": 0, "max": 100"#),
        figure("age", "a::b", "18446744073709551615", r#", "warning": "@5:6", "critical": "~:7""#),
    ];
    bench.add("host", "check_docker_host", &says("OK", &format!("[{}]", figures.join(", ")), "cpu 3 %, memory 12 %"));
    bench.add("database", "check_postgres", &says("OK", "[]", "PostgreSQL 15, 3 of 97 connections"));
    let said = bench.run(&[]);
    said.has_code(0).headlines("BACKEND OK - 2 checks OK");
    bench.golden("ok", &said.output);
    said.says(" host:load1=0.5% ").says(" host:check_state=0 ").says(" checks=2 ");
    said.says(" host:/var:used_percent=12.5%;90;95;0;100 ").says(" host:a__b:age=18446744073709551615%;@5:6;~:7 ");
    assert!(said.figure("host:check_time") < 60.0);
}

#[test]
fn json_has_all_of_it_and_is_valid() {
    let bench = Bench::new();
    let figures = format!("[{}]", figure("used_percent", "/var", "96", r#", "critical": "95""#));
    bench.add("host", "check_docker_host", &says("WARNING", &figures, "disk full"));
    let said = bench.command(&["--format", "json"]).output();
    let document = support::schema::assert_valid(crate::SCHEMA.as_ref(), &said.stdout);
    assert_eq!(document["state"], "WARNING");
    let figures = document["items"][0]["metrics"].as_array().unwrap();
    let used: Vec<&Value> = figures.iter().filter(|figure| figure["name"] == "used_percent").collect();
    assert_eq!((&used[0]["instance"], &used[0]["critical"]), (&"host:/var".into(), &"95".into()));
    let said = bench.run(&["--format", "openmetrics"]);
    support::contract::assert_openmetrics(said.text());
    said.says("check_backend_used_percent{check=\"host:/var\"} 96\n");
}

#[test]
fn what_is_wrong_with_one_plugin_costs_its_own_line() {
    let bench = Bench::new();
    bench.add("fine", "check_a", &says("OK", "[]", "all is well"));
    bench.add("killed", "check_b", "kill -SEGV $$");
    bench.add("nonsense", "check_c", "echo 'C OK - fine | a=1'");
    bench.add("silent", "check_d", "exit 0");
    bench.add("lies", "check_e", &says("OK", "[]", "all is well").replace("exit 0", "exit 2"));
    bench.add("complains", "check_f", &format!("echo 'warning: | \x1b[31mold' >&2\n{}", says("OK", "[]", "well")));
    bench.add("endless", "check_g", "exec cat /dev/zero");
    bench.add_with("hangs", "check_h", "sleep 61.5 & sleep 61.5", "timeout = '400ms'");
    bench.append("[[check]]\nname = 'missing'\nplugin = '/nonexistent/check_i'\n");
    let directory = bench.path().join("check_dir");
    std::fs::create_dir(&directory).unwrap();
    bench.append(&format!("[[check]]\nname = 'directory'\nplugin = '{}'\n", directory.display()));
    let text = bench.path().join("check_j");
    std::fs::write(&text, "text").unwrap();
    bench.append(&format!("[[check]]\nname = 'text'\nplugin = '{}'\n", text.display()));
    let begin = Instant::now();
    let said = bench.run(&[]);
    assert!(begin.elapsed() < Duration::from_secs(8), "{:?}", begin.elapsed());
    said.has_code(3).headlines("; 1 of 11 checks OK");
    bench.golden("bad_plugins", &said.output);
    let left = support::tool::run("ps", &["-eo", "args"]);
    assert!(!left.contains("sleep 61.5"), "what it started ends with it");
}

#[test]
fn a_plugin_that_is_not_there_says_where_it_was_looked_for() {
    let bench = Bench::new();
    bench.append("[[check]]\nname = 'x'\nplugin = 'check_of_nobody'\n");
    let said = bench.run(&[]);
    said.has_code(3).headlines("x: check_of_nobody is not installed");
    said.says("/usr/lib/nagios/plugins").says(env!("CARGO_BIN_EXE_check_backend").trim_end_matches("/check_backend"));
}

#[test]
fn plugins_run_at_the_same_time() {
    let bench = Bench::new();
    for name in 0..20 {
        bench.add(&format!("c{name}"), "check_a", &format!("sleep 0.5\n{}", says("OK", "[]", "fine")));
    }
    let said = bench.run(&[]);
    said.has_code(0).says("20 checks at the same time");
    assert!(said.output.elapsed < Duration::from_secs(5), "{:?}", said.output.elapsed);
}

#[test]
fn plugins_are_given_what_the_run_is_given() {
    let bench = Bench::new();
    bench.add(
        "x",
        "check_a",
        &format!("echo \"$@\" >'{}'\n{}", bench.path().join("seen").display(), says("OK", "[]", "x")),
    );
    let seen = |arguments: &[&str]| {
        bench.run(arguments).has_code(0);
        std::fs::read_to_string(bench.path().join("seen")).unwrap()
    };
    let words = seen(&["-t", "4s", "-vv"]);
    assert!(words.starts_with("--format json --timeout 3") && words.contains("ms -vv --state-dir /"), "{words}");
    assert!(!seen(&[]).contains("-v"));
    bench.add_with(
        "y",
        "check_b",
        &format!("echo \"$@\" >'{}'\n{}", bench.path().join("y.seen").display(), says("OK", "[]", "x")),
        "timeout = '1s'",
    );
    bench.run(&[]);
    let words = std::fs::read_to_string(bench.path().join("y.seen")).unwrap();
    assert!(words.contains("--timeout 850ms"), "{words}");
}

#[test]
fn a_core_that_ends_the_run_ends_the_plugins_too() {
    let bench = Bench::new();
    let begun = bench.path().join("begun");
    bench.add("slow", "check_a", &format!(": >'{}'; sleep 62.75 & sleep 62.75", begun.display()));
    let mut run = Command::new(crate::binary());
    run.args(bench.arguments()).args(["-t", "50s"]).stdout(Stdio::piped());
    let run = run.env_clear().spawn().unwrap();
    eventually("the plugin to run", || begun.exists());
    support::tool::run("kill", &["-s", "TERM", &run.id().to_string()]);
    let output = run.wait_with_output().unwrap();
    assert_eq!(String::from_utf8_lossy(&output.stdout), "BACKEND UNKNOWN - interrupted by SIGTERM\n");
    assert_eq!(output.status.code(), Some(3));
    eventually("all to end", || !support::tool::run("ps", &["-eo", "args"]).contains("sleep 62.75"));
}

#[test]
fn a_state_for_what_does_not_answer_is_chosen() {
    let bench = Bench::new();
    bench.add("fine", "check_a", &says("OK", "[]", "fine"));
    bench.add_with("slow", "check_b", "exec sleep 60", "timeout = '300ms'");
    bench.run(&[]).has_code(3).headlines("slow: check_b did not answer within 3");
    bench.run(&["--timeout-state", "critical"]).has_code(2);
}

#[test]
fn checks_are_chosen() {
    let bench = Bench::new();
    for (name, state) in [("host", "OK"), ("kwanza", "WARNING"), ("kwanza-endpoints", "OK"), ("cuesta", "CRITICAL")] {
        bench.add(name, "check_a", &says(state, "[]", "so it is"));
    }
    bench.run(&[]).has_code(2).headlines("2 of 4 checks OK");
    bench.run(&["--skip", "cuesta"]).has_code(1).headlines("kwanza: so it is; 2 of 3 checks OK");
    bench.run(&["--only", "kwanza*", "--skip", "kwanza"]).has_code(0).headlines("1 check OK");
    let said = bench.run(&["--only", "kwansa"]);
    said.has_code(3).headlines("--only kwansa: no check is called so");
    said.says("-> checks are called host, kwanza, kwanza-endpoints, cuesta");
    bench.run(&["--skip", "*"]).has_code(3).headlines("--only and --skip leave no check");
}

#[test]
fn thresholds_are_for_its_own_figures() {
    let bench = Bench::new();
    bench.add("host", "check_a", &says("OK", "[]", "fine"));
    bench.run(&["-c", "checks=2:"]).has_code(2).headlines("run of 1 check (below 2)");
    bench.run(&["-w", "host:check_time=0:0"]).has_code(1).headlines("host: fine (over 0s)");
    bench.run(&["-w", "used_percent=80"]).has_code(3).headlines("no metric is called 'used_percent'");
}
