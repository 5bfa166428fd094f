//! `check_docker_host` on hosts in a box: whole output by scenario, and the contract of all plugins.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test that cannot go on fails")]
#![allow(clippy::indexing_slicing, reason = "a test that is wrong fails")]

#[path = "check_docker_host/disks.rs"]
mod disks;
#[path = "check_docker_host/engine.rs"]
mod engine;
#[path = "check_docker_host/host.rs"]
mod host;
#[path = "check_docker_host/privileges.rs"]
mod privileges;
#[path = "check_docker_host/samples.rs"]
mod samples;

use std::path::Path;
use std::time::Duration;

use host::{FIXTURES, Host, binary, healthy_engine, scenario};
use support::contract::{Arguments, Plugin};
use support::run::Run;

support::contract_tests!(Plugin {
    name: "check_docker_host",
    binary: binary(),
    good: {
        let host = Host::new("healthy");
        Arguments::new(host.options()).keeping(host)
    },
    hang: || {
        // A pipe that nobody writes to stands for a file that never answers.
        let host = Host::new("healthy");
        let uptime = host.path("proc/uptime");
        std::fs::remove_file(&uptime).expect("to remove the file");
        support::tool::run("mkfifo", &[&uptime.display().to_string()]);
        Arguments::new(host.options()).keeping(host)
    },
    hangs_at: "proc/uptime",
    judged: "processes",
    schema: Some(Path::new(FIXTURES).join("../../../packaging/schema/check_docker_host.schema.json")),
    foreign_names: &[],
});

/// Runs each scenario once and compares the whole output.
macro_rules! scenarios {
    ($($name:ident => $scenario:literal;)+) => {
        $(
            #[test]
            fn $name() {
                Host::new($scenario).assert(stringify!($name), &[]);
            }
        )+
    };
}

scenarios! {
    ok_healthy => "healthy";
    ok_no_swap => "no_swap";
    ok_file_max_is_2_63 => "file_max";
    ok_cgroup_v1 => "cgroup_v1";
    ok_kernel_without_psi => "no_psi";
    ok_old_kernel => "old_kernel";
    ok_memory_full_of_zfs_cache => "memory_zfs";
    critical_memory_full_with_pressure => "memory_full_with_pressure";
    warning_memory_full_without_pressure => "memory_full_without_pressure";
    critical_swap_full => "swap_full";
    critical_disk_96 => "disk_96";
    critical_inodes => "inodes";
    warning_zombies => "zombies";
    warning_uninterruptible => "d_state";
    critical_process_at_its_file_limit => "file_limit";
    critical_conntrack_full => "conntrack_full";
    critical_load_high => "load_high";
    critical_io_pressure => "io_pressure";
    warning_just_booted => "rebooted";
    unknown_garbage_in_every_file => "garbage";
    unknown_files_missing => "missing_files";
}

#[test]
fn ok_verbose_names_everything() {
    Host::new("healthy").with_engine(healthy_engine).assert("ok_verbose_names_everything", &["-vv"]);
}

#[test]
fn critical_without_pressure_gate() {
    let host = Host::new("memory_full_without_pressure");
    assert_eq!(host.run(&["--only", "memory"]).code, 1);
    assert_eq!(host.run(&["--only", "memory", "--no-pressure-gate"]).code, 2);
}

#[test]
fn the_pressure_gate_stays_open_where_pressure_is_not_measured() {
    let tree = scenario("memory_full_without_pressure").without("proc/pressure");
    assert_eq!(Host::of(&tree).run(&["--only", "memory"]).code, 2);
}

#[test]
fn culprits_are_named_with_their_container_on_every_cgroup_version() {
    for name in ["healthy", "cgroup_v1"] {
        let output = Host::new(name).with_engine(healthy_engine).run(&["-v"]);
        assert!(output.stdout.contains("412 MiB postgres (deploy_postgres_1) pid 1500"), "{name}: {}", output.stdout);
    }
    let output = Host::new("healthy").run(&["-v"]);
    assert!(output.stdout.contains("postgres (container 5ce82ea06a8e) pid 1500"), "no engine: {}", output.stdout);
}

#[test]
fn critical_even_where_the_explanation_hangs() {
    // A process that is stuck in the kernel does not tell its arguments.
    let host = Host::new("file_limit");
    for process in std::fs::read_dir(host.path("proc")).unwrap().flatten() {
        let arguments = process.path().join("cmdline");
        if process.path().join("stat").exists() && process.file_name().to_string_lossy().parse::<u32>().is_ok() {
            let _ = std::fs::remove_file(&arguments);
            support::tool::run("mkfifo", &[&arguments.display().to_string()]);
        }
    }
    let options = ["--only", "files", "--show-args", "-t", "1s"];
    let output = host.run(&options);
    assert_eq!(output.code, 2, "{}", output.stdout);
    assert!(output.first_line().contains("of the files it may open (over 90 %)"), "{}", output.stdout);
    assert!(output.stdout.contains("no explanation within 1s, still waiting for "), "{}", output.stdout);
    assert!(output.elapsed < Duration::from_millis(1500), "{:?}", output.elapsed);
    // A verdict that is OK stays so.
    let calm = host.run(&[&options[..], &["-v", "-c", "process_files_used_percent="]].concat());
    let calm_code = host.run(&["--only", "files", "-c", "process_files_used_percent="]).code;
    assert_eq!(calm.code, calm_code, "{}", calm.stdout);
}

#[test]
fn ok_five_thousand_processes() {
    let mut tree = scenario("healthy");
    for pid in 10_000..15_000 {
        let stat = format!("{pid} (worker) S 812 1 1 0 -1 0 0 0 0 0 5 5 0 0 20 0 1 0 5000 1000 100 0\n");
        tree = tree.file(&format!("proc/{pid}/stat"), stat).numbered(&format!("proc/{pid}/fd"), 3);
        tree = tree.file(
            &format!("proc/{pid}/limits"),
            "Max open files            1024                 524288               files\n",
        );
    }
    Host::of(&tree).assert("ok_five_thousand_processes", &[]);
}

#[test]
fn services_that_judge_different_mounts_keep_apart() {
    let host = Host::new("healthy");
    let services = [&["--only", "disk", "--mount", "/var"], &["--only", "disk", "--mount", "/"]];
    for service in services {
        assert_eq!(host.run(service).code, 0);
    }
    host.becomes("read_only_remount");
    for (service, code) in services.into_iter().zip([0, 2]) {
        let output = host.run(service);
        assert_eq!(output.code, code, "{}", output.stdout);
    }
}

#[test]
fn groups_are_chosen() {
    let host = Host::new("healthy");
    let line = host.run(&["--only", "memory,swap"]).first_line().to_owned();
    assert!(line.starts_with("DOCKER_HOST OK - memory 48 %, swap 0 % | memory_used_percent="), "{line}");
    assert!(!host.run(&["--skip", "cpu"]).stdout.contains("cpu_percent"));
    let nothing = host.run(&["--only", "docker"]);
    assert_eq!((nothing.code, nothing.first_line().contains("no group is left")), (3, true), "{}", nothing.stdout);
}

#[test]
fn bad_addresses_and_places_are_one_line() {
    let run = |arguments: &[&str], docker_host: &str| {
        let output = Run::new(binary()).args(arguments).env("DOCKER_HOST", docker_host).output();
        assert_eq!((output.code, output.stderr.as_str()), (3, ""), "{}", output.stdout);
        assert!(output.first_line().starts_with("DOCKER_HOST UNKNOWN - "), "{}", output.stdout);
        output.first_line().to_owned()
    };
    assert!(run(&[], "ssh://root@host").contains("run the check on the Docker host itself"));
    assert!(run(&["-H", "nonsense"], "").contains("write unix:///PATH or tcp://HOST:PORT"));
    assert!(run(&["-H", "https://h:2376"], "").contains("TLS to the engine is not supported"));
    assert!(
        run(&["--no-docker", "--rootfs", "/host", "--procfs", "/proc/nonexistent"], "")
            .contains("/proc/nonexistent: no such file or directory")
    );
    assert!(run(&["--no-docker", "--statvfs", "/proc/nonexistent"], "").contains("/proc/nonexistent: no such file"));
    assert!(run(&["--procfs", "/host/proc"], "").contains("needs its root too: --rootfs"));
    assert!(run(&["--sample", "10ms"], "").contains("--sample must be 50ms or longer"));
    assert!(run(&["--sample", "20s"], "").contains("--sample must be shorter than --timeout"));
    assert!(run(&["--busy", "/proc/nonexistent"], "").contains("/proc/nonexistent: no such file or directory"));
    assert!(run(&["--only", "cpus"], "").contains("a similar value exists: 'cpu'"));
    assert!(run(&["--top", "-1"], "").contains("--top"));
}

#[test]
fn the_readme_shows_what_is_printed() {
    let host = Host::new("memory_full_with_pressure").with_engine(healthy_engine);
    let output = host.run(&["--only", "memory", "--top", "3"]);
    let readme = std::fs::read_to_string(Path::new(FIXTURES).join("../../../README.md")).unwrap();
    assert!(readme.contains(&output.stdout), "the README lacks\n{}", output.stdout);
}

#[test]
fn processes_are_read_only_where_they_are_needed() {
    // Reading this process would never end.
    let hanging = |name: &str| {
        let host = Host::new(name);
        let stat = host.path("proc/1500/stat");
        std::fs::remove_file(&stat).unwrap();
        support::tool::run("mkfifo", &[&stat.display().to_string()]);
        host.run(&["--only", "load,memory,swap,pressure", "-t", "1s"])
    };
    assert_eq!(hanging("healthy").code, 0, "all is well, so nobody is to blame");
    let said = hanging("memory_full_with_pressure").stdout;
    assert!(said.contains("no explanation within 1s, still waiting for the processes"), "{said}");
    let said = Host::new("memory_full_with_pressure").run(&["--only", "pressure"]).stdout;
    assert!(said.contains("412 MiB postgres"), "{said}");
}
