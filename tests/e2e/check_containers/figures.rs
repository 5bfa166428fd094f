//! Figures against what is known: by the deployment, by `docker stats`, by the Engine API.

use std::thread;
use std::time::Duration;

use support::live::{Engine, eventually};
use support::stand::Stand;
use support::tool::run;

use crate::check::{
    Check, MIB, Said, assert_golden, assert_golden_text, compose, deployment, docker_stats, without_disks,
};

#[track_caller]
fn close(what: &str, a: f64, b: f64, tolerance: f64) {
    assert!((a - b).abs() <= tolerance, "{what}: {a} and {b} are further apart than {tolerance}");
}

#[test]
fn figures_are_those_of_the_containers() {
    let engine = Engine::given();
    let directory = tempfile::tempdir().unwrap();
    let large = directory.path().join("large").display().to_string();
    // Past the page cache, whose pages belong to whom has brought them there.
    run("dd", &["if=/dev/zero", &format!("of={large}"), "bs=1M", "count=200", "oflag=direct", "status=none"]);
    let stand = deployment(&engine, "figures", include_str!("deploy/figures.yml"), &format!("LARGE={large}\n"));
    compose(&stand, &["up", "-d"]);
    for container in ["reader", "writer", "hungry"].map(|service| format!("figures_{service}_1")) {
        eventually(&format!("{container} to have written"), || {
            engine.docker(&["logs", &container]).unwrap().contains("done")
        });
    }
    let check = Check::of(&stand, &engine, &[]);
    let api = Check::of(&stand, &engine, &["--stats", "api"]);
    check.run(&[]);
    api.run(&[]);
    thread::sleep(Duration::from_secs(3));
    let said = check.run(&[]);
    let asked = api.run(&[]);
    for said in [&said, &asked] {
        said.says_not("baseline taken").has_code(2);
        busy(said);
        memory(said);
        assert_eq!(said.figure("crowded:pids"), 19.0, "{}", said.text());
        assert_eq!(said.figure("crowded:pids_used_percent"), 95.0);
        said.line("[CRITICAL] crowded: ");
        for metric in ["rx_bytes_per_second", "rx_errors"] {
            assert!(!said.figures.contains_key(&format!("host:{metric}")), "{}", said.text());
            assert!(said.figure(&format!("networked:{metric}")) >= 0.0);
        }
    }
    same(&said, &asked);
    as_docker_stats(&engine, &said);
    let folder = stand.folder().display().to_string();
    assert_golden("figures/cgroup", &said, &[(&folder, "{deploy}")]);
    assert_golden_text("figures/api", &without_disks(asked.text()), &[(&folder, "{deploy}")]);
    each_alone(&engine, &stand);
}

/// A loop that may use a tenth of a core.
#[track_caller]
fn busy(said: &Said) {
    close("cpu of its quota", said.figure("busy:cpu_percent"), 100.0, 10.0);
    close("cores", said.figure("busy:cpu_cores"), 0.1, 0.01);
    // On a busy machine it does not get its share in every period. CRITICAL begins at 50.
    assert!(said.figure("busy:cpu_throttled_percent") > 50.0, "{}", said.text());
    said.says("busy: up ").says(" % of 0.1 cores, throttled ");
}

/// What was written to a disk can be dropped; a tmpfs cannot. What was read may count as in use, see
/// [`as_docker_stats`].
#[track_caller]
fn memory(said: &Said) {
    let used = said.figure("writer:memory_used");
    assert!(used < 20.0 * MIB, "{used}: {}", said.text());
    assert_eq!(said.figure("reader:memory_limit"), 400.0 * MIB);
    assert!(!said.figures.contains_key("writer:memory_limit"), "{}", said.text());
    assert!(said.figure("hungry:memory_used") >= 60.0 * MIB, "{}", said.text());
    let share = said.figure("hungry:memory_used_percent");
    close("memory of the limit", share, 100.0 * said.figure("hungry:memory_used") / (64.0 * MIB), 0.01);
}

/// Bytes by which two readings may differ. The kernel sums the lists of the page cache up every other second.
fn memory_tolerance(service: &str) -> f64 {
    if matches!(service, "reader" | "writer") { 16.0 * MIB } else { MIB }
}

/// The cgroups and the Engine API tell the same.
#[track_caller]
fn same(ours: &Said, asked: &Said) {
    let mut compared = 0;
    for (label, value) in &ours.figures {
        let (service, metric) = label.rsplit_once(':').unwrap();
        let tolerance = match metric {
            "memory_used" => memory_tolerance(service),
            "memory_used_percent" => 4.0,
            "cpu_percent" => 5.0,
            "cpu_cores" => 0.02,
            "cpu_throttled_percent" | "uptime" => 10.0,
            // These the API does not tell.
            "cpu_pressure_some" | "memory_pressure_full" | "io_pressure_full" | "swap_used" => continue,
            // Nor these of a container that has not touched a disk yet.
            "read_bytes_per_second" | "write_bytes_per_second" if !asked.figures.contains_key(label) => {
                assert_eq!(*value, 0.0, "{label}");
                continue;
            }
            "read_bytes_per_second" | "write_bytes_per_second" | "rx_bytes_per_second" | "tx_bytes_per_second" => 2e5,
            _ => 0.0,
        };
        close(label, *value, asked.figure(label), tolerance);
        compared += 1;
    }
    assert!(compared > 50, "{compared}");
}

#[track_caller]
fn as_docker_stats(engine: &Engine, said: &Said) {
    let services = ["busy", "reader", "writer", "hungry", "crowded"];
    let names = services.map(|service| format!("figures_{service}_1"));
    for (service, (cpu, memory, pids)) in services.iter().zip(docker_stats(engine, &names)) {
        close("cpu", 100.0 * said.figure(&format!("{service}:cpu_cores")), cpu, 5.0);
        close(service, said.figure(&format!("{service}:memory_used")), memory, memory_tolerance(service));
        close("processes", said.figure(&format!("{service}:pids")), pids, 0.0);
    }
}

/// The first line of each that is short of something, and of those that are not.
#[track_caller]
fn each_alone(engine: &Engine, stand: &Stand) {
    for (service, code, words) in [
        ("busy", 2, "busy cpu throttled "),
        ("hungry", 1, "hungry memory "),
        ("crowded", 2, "crowded processes 95 % (over 90 %)"),
        ("reader", 0, "1 of 1 service up"),
        ("writer", 0, "1 of 1 service up"),
    ] {
        let said = Check::of(stand, engine, &["--service", service, "--sample", "1500ms"]).run(&["-v"]);
        said.has_code(code).headlines(words);
        assert_golden(&format!("figures/{service}"), &said, &[(&stand.folder().display().to_string(), "{deploy}")]);
    }
}
