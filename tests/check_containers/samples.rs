//! What one run leaves for the next: rates, throttling, restarts and kills.

use std::time::Instant;

use serde_json::{Value, json};

use crate::host::{DOCKER, DOCKER_26, DOCKER_V2, Engine, Host, PODMAN, between_samples, figure, find, tree};

/// The second run on a host whose kernel has gone on counting.
fn second_run(engine: &'static str, container: &str) -> support::run::Output {
    let host = Host::new(engine);
    host.run(&["--container", container]);
    host.at_second_sample(engine);
    host.run(&["--container", container])
}

#[test]
fn ok_second_run_v1() {
    let host = Host::new(DOCKER);
    host.run(&["--container", "deploy_kwanza_1"]);
    host.at_second_sample(DOCKER);
    host.assert_without_rates("ok_second_run_v1", &["--container", "deploy_kwanza_1", "-v"]);
}

#[test]
fn critical_throttled_v1() {
    let host = Host::new(DOCKER);
    host.run(&["--container", "deploy_busy_1"]);
    host.at_second_sample(DOCKER);
    host.assert_without_rates("critical_throttled_v1", &["--container", "deploy_busy_1"]);
}

#[test]
fn critical_throttled_v2() {
    let host = Host::new(DOCKER_V2);
    host.run(&["--container", "deploy_busy_1"]);
    host.at_second_sample(DOCKER_V2);
    host.assert_without_rates("critical_throttled_v2", &["--container", "deploy_busy_1"]);
}

/// By the engine the rates rest on its own clock, so that the whole output is known.
#[test]
fn critical_throttled_by_the_engine() {
    for (name, engine) in [
        ("critical_throttled_by_engine_20", Engine::recorded(DOCKER)),
        ("critical_throttled_by_engine_26", Engine::recorded(DOCKER_26)),
    ] {
        let host = Host::of(&engine);
        let options = ["--container", "deploy?busy?1", "--stats", "api"];
        let first = host.run(&options);
        assert_eq!(first.code, 0, "{}", first.stdout);
        assert!(!first.stdout.contains("cpu_percent"), "one reading has no rate: {}", first.stdout);
        host.assert(name, &options);
    }
}

#[test]
fn ok_second_run_by_podman() {
    let host = Host::of(&Engine::recorded(PODMAN));
    let options = ["--container", "deploy_kwanza_1", "--stats", "api", "-vv"];
    host.run(&options);
    host.assert("ok_second_run_by_podman", &options);
}

#[test]
fn ok_two_readings_by_the_engine() {
    let engine = Engine::recorded(DOCKER).with_two_readings("deploy_kwanza_1");
    Host::of(&engine)
        .assert("ok_two_readings_by_the_engine", &["--container", "deploy_kwanza_1", "--stats", "api", "-vv"]);
}

/// Rates that rest on this machine's clock: the time between the samples, and what the two runs took.
#[test]
fn rates_of_a_second_run_are_those_of_the_kernels_counters() {
    let growth = |engine: &str, name: &str, file: &str, field: &str| {
        let id = Engine::recorded(DOCKER).id(name).to_owned();
        let read = |sample: u8| {
            let directory = tree(engine, sample).unpack();
            let path = directory.path().join(file.replace("ID", &id));
            let text = std::fs::read_to_string(&path).unwrap();
            let value = |line: &str| line.strip_prefix(field)?.trim().parse::<f64>().ok();
            text.lines().find_map(value).unwrap_or_else(|| panic!("no {field} in {text}"))
        };
        read(2) - read(1)
    };
    let begin = Instant::now();
    let busy = second_run(DOCKER, "deploy_busy_1");
    let nanoseconds = growth(DOCKER, "deploy_busy_1", "sys/fs/cgroup/cpuacct/docker/ID/cpuacct.usage", "");
    let cores = figure(&busy, "deploy_busy_1:cpu_cores");
    let between = between_samples(DOCKER);
    let most = nanoseconds / 1e9 / between;
    let least = nanoseconds / 1e9 / (between + begin.elapsed().as_secs_f64());
    assert!((least - 0.005..=most + 0.005).contains(&cores), "{cores} and {least} to {most}");
    let percent = figure(&busy, "deploy_busy_1:cpu_percent");
    assert!((percent - 100.0 * cores / 0.1).abs() < 1.0, "{percent} % of a tenth of a core, {cores}");
    let periods = growth(DOCKER, "deploy_busy_1", "sys/fs/cgroup/cpu/docker/ID/cpu.stat", "nr_periods ");
    let throttled = growth(DOCKER, "deploy_busy_1", "sys/fs/cgroup/cpu/docker/ID/cpu.stat", "nr_throttled ");
    let share = figure(&busy, "deploy_busy_1:cpu_throttled_percent");
    assert!((share - 100.0 * throttled / periods).abs() < 0.51, "{share} of {throttled} in {periods}");
}

#[test]
fn bytes_are_counted_between_two_runs() {
    let host = Host::new(DOCKER);
    let options = ["--container", "deploy_kwanza_1"];
    host.run(&options);
    // The recording's container was idle by then: let it read, write and receive.
    let id = Engine::recorded(DOCKER).id("deploy_kwanza_1").to_owned();
    let net = |bytes: u64, errors: u64| {
        format!("  lo: 9 1 0 0 0 0 0 0 9 1 0 0 0 0 0 0\neth0: {bytes} 1 {errors} 0 0 0 0 0 {bytes} 1 0 0 0 0 0 0\n")
    };
    let blkio = format!("sys/fs/cgroup/blkio/docker/{id}/blkio.throttle.io_service_bytes_recursive");
    let at = |bytes: u64, errors: u64| {
        support::tree::Tree::new()
            .file("proc/2320/net/dev", net(bytes, errors))
            .file(&blkio, format!("254:0 Read {bytes}\n254:0 Write {}\n254:0 Total 0\nTotal 0\n", 2 * bytes))
    };
    at(1_000_000, 3).unpack_into(host.directory.path());
    let begin = Instant::now();
    host.run(&options);
    host.after(10.0, &at(2_000_000, 5));
    let output = host.run(&options);
    let slowest = 10.0 / (10.0 + begin.elapsed().as_secs_f64());
    for (metric, expected) in [
        ("read_bytes_per_second", 100_000.0),
        ("write_bytes_per_second", 200_000.0),
        ("rx_bytes_per_second", 100_000.0),
        ("tx_bytes_per_second", 100_000.0),
    ] {
        let value = figure(&output, &format!("deploy_kwanza_1:{metric}"));
        assert!(value <= expected && value >= expected * slowest - 1.0, "{metric}: {value}");
    }
    assert!((figure(&output, "deploy_kwanza_1:rx_errors") - 2.0).abs() < 0.1, "{}", output.stdout);
    // The counters fall, as they do where an interface was made anew: no rate, and none that is negative.
    host.after(10.0, &at(5, 0));
    let fallen = host.run(&options);
    assert_eq!(fallen.code, 0, "{}", fallen.stdout);
    assert_eq!(find(&fallen, "deploy_kwanza_1:rx_bytes_per_second"), None, "{}", fallen.stdout);
    assert!(!fallen.stdout.contains("=-"), "{}", fallen.stdout);
}

/// Its state as `inspect` tells it, with another start.
fn started_again(value: &mut Value, restarts: u64) {
    value["State"]["StartedAt"] = json!("2026-11-24T23:33:00.000000001Z");
    value["RestartCount"] = json!(restarts);
}

#[test]
fn warning_restarted_between_two_runs() {
    let mut host = Host::new(DOCKER);
    let options = ["--container", "deploy_kwanza_1", "-v"];
    assert_eq!(host.run(&options).code, 0);
    host.becomes(&Engine::recorded(DOCKER).with("deploy_kwanza_1", |value| started_again(value, 1)));
    host.assert("warning_restarted_between_two_runs", &options);
    let again = host.run(&options);
    assert_eq!(again.code, 1, "a core asks three times before it alerts: {}", again.stdout);
    // An hour later it is forgotten.
    host.edit_kept(|container| {
        let at = container["restarts"][0][0].as_u64().unwrap();
        container["restarts"][0][0] = json!(at - 3601);
    });
    assert_eq!(host.run(&options).code, 0);
}

#[test]
fn critical_restarts_in_a_row() {
    let mut host = Host::new(DOCKER);
    let options = ["--container", "deploy_kwanza_1"];
    assert_eq!(host.run(&options).code, 0);
    host.becomes(&Engine::recorded(DOCKER).with("deploy_kwanza_1", |value| started_again(value, 4)));
    host.assert("critical_restarts_in_a_row", &options);
}

#[test]
fn a_start_by_hand_is_a_new_baseline_and_no_restart() {
    let mut host = Host::new(DOCKER);
    let options = ["--container", "deploy_kwanza_1", "-v"];
    host.run(&options);
    host.edit_kept(|container| {
        // More than the new life has used so far.
        container["counters"]["cpu"] = json!(u64::MAX / 2);
    });
    host.becomes(&Engine::recorded(DOCKER).with("deploy_kwanza_1", |value| started_again(value, 0)));
    let output = host.run(&options);
    assert_eq!(output.code, 0, "{}", output.stdout);
    assert!(output.stdout.contains("started by hand since the last run"), "{}", output.stdout);
    assert!(!output.stdout.contains("=-"), "{}", output.stdout);
}

#[test]
fn counters_that_fall_have_no_rate() {
    let host = Host::new(DOCKER);
    let options = ["--container", "deploy_busy_1"];
    host.run(&options);
    host.after(10.0, &tree(DOCKER, 1));
    host.edit_kept(|container| {
        for name in ["cpu", "periods", "throttled"] {
            container["counters"][name] = json!(u64::MAX / 2);
        }
    });
    let output = host.run(&options);
    assert_eq!(output.code, 0, "{}", output.stdout);
    for metric in ["cpu_percent", "cpu_throttled_percent"] {
        assert_eq!(find(&output, &format!("deploy_busy_1:{metric}")), None, "{}", output.stdout);
    }
    assert!(!output.stdout.contains("=-"), "{}", output.stdout);
}

#[test]
fn counters_of_another_source_are_not_compared() {
    let mut host = Host::new(DOCKER);
    let options = ["--container", "deploy_busy_1", "-vv"];
    host.run(&options);
    // The groups are gone from view, as they are for a check that was moved into a container.
    std::fs::remove_dir_all(host.path("sys/fs/cgroup")).unwrap();
    host.becomes(&Engine::recorded(DOCKER));
    let output = host.run(&options);
    assert_eq!(output.code, 0, "{}", output.stdout);
    assert!(output.stdout.contains("figures from the Engine API"), "{}", output.stdout);
    assert!(output.stdout.contains("baseline taken"), "{}", output.stdout);
    assert_eq!(find(&output, "deploy_busy_1:cpu_percent"), None, "{}", output.stdout);
}

#[test]
fn kills_are_counted_once_and_for_an_hour() {
    let host = Host::new(DOCKER);
    let options = ["--container", "deploy_oom_survivor_1"];
    assert_eq!(host.run(&options).code, 2, "killed within this hour");
    let again = host.run(&options);
    assert_eq!(again.code, 2, "{}", again.stdout);
    assert!((figure(&again, "deploy_oom_survivor_1:oom_kills") - 1.0).abs() < 0.1, "{}", again.stdout);
    // On an engine whose containers started long ago, the first run knows of no new kill.
    let late = Host::of(&Engine::recorded(DOCKER).later("Wed, 25 Nov 2026 12:00:00 GMT"));
    let first = late.run(&options);
    assert_eq!(first.code, 0, "{}", first.stdout);
    let id = Engine::recorded(DOCKER).id("deploy_oom_survivor_1").to_owned();
    let control = late.path(&format!("sys/fs/cgroup/memory/docker/{id}/memory.oom_control"));
    let text = std::fs::read_to_string(&control).unwrap();
    assert!(text.contains("oom_kill 1"), "{text}");
    std::fs::write(&control, text.replace("oom_kill 1", "oom_kill 4")).unwrap();
    let killed = late.run(&options);
    assert_eq!(killed.code, 2, "{}", killed.stdout);
    assert!((figure(&killed, "deploy_oom_survivor_1:oom_kills") - 3.0).abs() < 0.1, "{}", killed.stdout);
}

#[test]
fn what_stays_paused_becomes_critical() {
    let host = Host::new(DOCKER);
    let options = ["--container", "deploy_paused_1"];
    assert_eq!(host.run(&options).code, 1);
    assert_eq!(host.run(&options).code, 1, "a moment later");
    host.edit_kept(|container| {
        let since = container["unsettled"].as_f64().unwrap();
        container["unsettled"] = json!(since - 90.0);
    });
    let output = host.run(&options);
    assert_eq!(output.code, 2, "{}", output.stdout);
    assert!(output.first_line().contains("deploy_paused_1 paused, for 1m 3"), "{}", output.stdout);
    let patient = Host::new(DOCKER);
    assert_eq!(patient.run(&["--container", "deploy_created_1", "--grace", "1h"]).code, 1);
    assert_eq!(patient.run(&["--container", "deploy_created_1", "--grace", "1s"]).code, 2);
}

#[test]
fn services_that_judge_different_containers_keep_apart() {
    let mut host = Host::new(DOCKER);
    let options: [&[&str]; 2] = [&["--container", "deploy_kwanza_1"], &["--container", "deploy_postgres_1"]];
    for options in options {
        assert_eq!(host.run(options).code, 0);
    }
    host.becomes(&Engine::recorded(DOCKER).with("deploy_kwanza_1", |value| started_again(value, 5)));
    for (options, code) in options.into_iter().zip([2, 0]) {
        let output = host.run(options);
        assert_eq!(output.code, code, "{}", output.stdout);
    }
}
