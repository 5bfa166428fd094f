//! `check_docker_host` on hosts in a box: whole output by scenario, and the contract of all plugins.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test that cannot go on fails")]
#![allow(clippy::indexing_slicing, reason = "a test that is wrong fails")]

#[path = "check_docker_host/host.rs"]
mod host;

use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use host::{FIXTURES, Host, binary, healthy_engine, recorded, scenario};
use support::contract::{Arguments, Plugin};
use support::http::Answer;
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
fn the_second_run_has_rates_and_culprits() {
    let host = Host::new("healthy").with_engine(healthy_engine);
    let first = host.run(&["-v"]);
    assert!(first.stdout.contains("cpu: baseline taken"), "{}", first.stdout);
    assert!(!first.stdout.contains("_per_second="), "{}", first.stdout);
    host.becomes("cpu_busy");
    host.assert("critical_cpu_busy_after_a_minute", &[]);
}

#[test]
fn a_reboot_is_said_and_has_no_negative_rate() {
    let host = Host::new("healthy");
    host.run(&[]);
    host.becomes("rebooted");
    host.assert("warning_rebooted_since_the_last_run", &["-v"]);
}

#[test]
fn counters_that_fall_are_a_new_baseline() {
    let host = Host::new("cpu_busy");
    host.run(&[]);
    // The boot is the same and time went on, and yet every counter is lower than before.
    let uptime = std::fs::read_to_string(host.path("proc/uptime")).unwrap().replace("18902", "18903");
    host.becomes("healthy");
    std::fs::write(host.path("proc/uptime"), uptime).unwrap();
    let output = host.run(&["-v"]);
    assert_eq!(output.code, 0, "{}", output.stdout);
    assert!(!output.stdout.contains("=-"), "{}", output.stdout);
    assert!(output.stdout.contains("cpu: baseline taken"), "{}", output.stdout);
}

#[test]
fn a_remount_stays_critical_until_it_is_mended() {
    let host = Host::new("healthy");
    assert_eq!(host.run(&[]).code, 0);
    host.becomes("read_only_remount");
    host.assert("critical_read_only_remount", &[]);
    assert_eq!(host.run(&[]).code, 2, "the second run after it");
    assert_eq!(host.run(&["-c", "/:read_only="]).code, 0, "it is meant to be");
    host.becomes("healthy");
    assert_eq!(host.run(&[]).code, 0);
    assert_eq!(Host::new("read_only_remount").run(&[]).code, 0, "it never was writable as far as is known");
}

#[test]
fn critical_read_only_docker_data() {
    let host = Host::new("docker_root_read_only").with_engine(healthy_engine);
    host.assert("critical_read_only_docker_data", &[]);
}

#[test]
fn critical_disk_of_docker() {
    Host::new("disk_96").with_engine(healthy_engine).assert("critical_disk_of_docker", &[]);
}

#[test]
fn critical_engine_down() {
    let host = Host::new("healthy").with_engine(healthy_engine);
    assert_eq!(host.run(&[]).code, 0);
    std::fs::remove_file(host.path("docker.sock")).unwrap();
    // The data root is remembered, so its disk is still judged.
    host.assert("critical_engine_down", &[]);
}

#[test]
fn critical_engine_hangs() {
    let host = Host::new("healthy").with_engine(|routes| routes.on("GET", "/_ping", Answer::HangBeforeHeaders));
    let output = host.run(&["-t", "1s"]);
    assert_eq!(output.code, 2, "{}", output.stdout);
    assert!(output.first_line().contains("accepts connections and does not answer"), "{}", output.stdout);
    assert!(output.elapsed < Duration::from_millis(1500), "{:?}", output.elapsed);
    assert!(output.stdout.contains("memory_used_percent="), "the rest is judged: {}", output.stdout);
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
fn critical_engine_that_is_none() {
    let faults: [(&str, Answer); 6] = [
        ("does not answer as it should", Answer::Raw(b"SSH-2.0-OpenSSH_9.2\r\n".to_vec())),
        (
            "does not answer as it should: it answers HTTP 500: no space left",
            Answer::status(500, r#"{"message":"no space left"}"#),
        ),
        ("not answered with OK", Answer::text("<html>")),
        ("longer than 1 MiB", Answer::Endless),
        ("connection broke off", Answer::CloseMidBody(b"O".to_vec())),
        ("does not answer", Answer::HangAfterHeaders),
    ];
    for (sentence, answer) in faults {
        let described = format!("{answer:?}");
        let host = Host::new("healthy").with_engine(|routes| routes.on("GET", "/_ping", answer));
        let output = host.run(&["-t", "2s"]);
        assert_eq!(output.code, 2, "{described}: {}", output.stdout);
        assert!(output.first_line().contains(sentence), "{described}: {}", output.stdout);
    }
}

#[test]
fn engine_without_info_is_critical_and_with_odd_info_is_not() {
    let info = |answer: Answer| {
        Host::new("healthy")
            .with_engine(|routes| {
                routes.on("GET", "/_ping", Answer::text("OK").header("Api-Version", "1.99")).on(
                    "GET",
                    "/v1.51/info",
                    answer,
                )
            })
            .run(&[])
    };
    let broken = info(Answer::json("{\"Containers"));
    assert_eq!(broken.code, 2, "{}", broken.stdout);
    assert!(broken.first_line().contains("answers a ping, but not for its state"), "{}", broken.stdout);
    for odd in ["{}", r#"{"Warnings": null, "ContainersRunning": null, "New": [1]}"#] {
        let output = info(Answer::json(odd));
        assert_eq!(output.code, 0, "{odd}: {}", output.stdout);
    }
}

#[test]
fn warnings_of_the_engine_are_counted_and_cannot_forge_output() {
    let text = String::from_utf8(recorded("info.json")).unwrap();
    let warned = text
        .replace("\"Warnings\":null", r#""Warnings":["WARNING: No swap limit support","a | b=1\nCRITICAL\u001b[31m"]"#);
    assert_ne!(warned, text);
    let host = Host::new("healthy").with_engine(|routes| {
        routes.on("GET", "/_ping", Answer::text("OK").header("Api-Version", "1.41")).on(
            "GET",
            "/v1.41/info",
            Answer::json(warned),
        )
    });
    let output = host.run(&["-v"]);
    assert!(output.stdout.contains("docker_warnings=2"), "{}", output.stdout);
    assert!(output.stdout.contains("(the engine warns: a / b=1 CRITICAL)"), "{}", output.stdout);
    assert_eq!(output.code, 0);
}

#[test]
fn unknown_socket_without_permission() {
    let run = Unprivileged::new();
    let host = Host::new("healthy").with_engine(healthy_engine);
    Unprivileged::may_enter(&host);
    let socket = host.path("docker.sock");
    std::fs::set_permissions(&socket, std::fs::Permissions::from_mode(0o600)).unwrap();
    let output = run.run(&host, &["--only", "docker"]);
    assert_eq!(output.code, 3, "{}{}", output.stdout, output.stderr);
    assert!(output.first_line().contains("permission denied on unix://"), "{}", output.stdout);
    assert!(output.stdout.contains("-> add the monitoring user to the group docker"), "{}", output.stdout);
}

#[test]
fn what_is_hidden_is_counted_and_not_guessed() {
    let run = Unprivileged::new();
    let host = Host::new("healthy");
    Unprivileged::may_enter(&host);
    for pid in [812, 1500, 1600] {
        let fd = host.path(&format!("proc/{pid}/fd"));
        std::fs::set_permissions(fd, std::fs::Permissions::from_mode(0o000)).unwrap();
    }
    let stat = host.path("proc/1700/stat");
    std::fs::set_permissions(stat, std::fs::Permissions::from_mode(0o000)).unwrap();
    let output = run.run(&host, &["-v"]);
    assert_eq!(output.code, 0, "{}{}", output.stdout, output.stderr);
    assert!(
        output.stdout.contains("the open files of 3 of 7 processes are hidden from this user"),
        "{}",
        output.stdout
    );
    assert!(output.stdout.contains("1 processes could not be read"), "{}", output.stdout);
}

/// Runs the check as `nobody`; as an ordinary user the tests are unprivileged already.
struct Unprivileged {
    program: PathBuf,
    is_root: bool,
    _directory: tempfile::TempDir,
}

impl Unprivileged {
    fn new() -> Self {
        let id = support::tool::run("id", &["-u"]);
        // The build directory may be closed to nobody.
        let directory = tempfile::tempdir().unwrap();
        let program = directory.path().join("check_docker_host");
        std::fs::copy(binary(), &program).unwrap();
        std::fs::set_permissions(directory.path(), std::fs::Permissions::from_mode(0o755)).unwrap();
        Self { program, is_root: id.trim() == "0", _directory: directory }
    }

    /// Lets it enter the directories of `host`, which are closed to others.
    fn may_enter(host: &Host) {
        for directory in [host.directory.path(), host.state.path()] {
            std::fs::set_permissions(directory, std::fs::Permissions::from_mode(0o755)).unwrap();
        }
    }

    fn run(&self, host: &Host, arguments: &[&str]) -> support::run::Output {
        let run = if self.is_root {
            Run::new(support::tool::need("setpriv", "apt-get install util-linux"))
                .args(["--reuid", "65534", "--regid", "65534", "--clear-groups"])
                .arg(&self.program)
        } else {
            Run::new(&self.program)
        };
        run.args(host.options()).args(arguments).no_state_dir().output()
    }
}

#[test]
fn five_thousand_processes_are_read() {
    let mut tree = scenario("healthy");
    for pid in 10_000..15_000 {
        let stat = format!("{pid} (worker) S 812 1 1 0 -1 0 0 0 0 0 5 5 0 0 20 0 1 0 5000 1000 100 0\n");
        tree = tree.file(&format!("proc/{pid}/stat"), stat).numbered(&format!("proc/{pid}/fd"), 3);
        tree = tree.file(
            &format!("proc/{pid}/limits"),
            "Max open files            1024                 524288               files\n",
        );
    }
    let output = Host::of(&tree).run(&[]);
    assert_eq!(output.code, 0, "{}", output.stdout);
    assert!(output.stdout.contains("processes=5008"), "{}", output.stdout);
}

#[test]
fn a_history_of_growth_becomes_a_forecast() {
    let host = Host::new("disk_96");
    host.run(&["--only", "disk"]);
    let file = std::fs::read_dir(host.state.path())
        .unwrap()
        .flatten()
        .find(|file| file.path().extension() == Some("json".as_ref()))
        .unwrap()
        .path();
    let mut sample: serde_json::Value = serde_json::from_slice(&std::fs::read(&file).unwrap()).unwrap();
    let history = &mut sample["data"]["history"]["/var"];
    let (now, used) = (history[0][0].as_u64().unwrap(), history[0][1].as_u64().unwrap());
    let gib = 1u64 << 30;
    *history =
        (0..12).map(|quarter| serde_json::json!([now - quarter * 900, used - quarter * gib / 4])).rev().collect();
    std::fs::write(&file, serde_json::to_vec(&sample).unwrap()).unwrap();

    let output = host.run(&["--only", "disk"]);
    assert!(output.first_line().contains("disk /var full in 3h 47m (below 4h)"), "{}", output.stdout);
    assert!(output.stdout.contains("full in 3h 47m at 1 GiB/h if it goes on like this"), "{}", output.stdout);
    assert!(!output.first_line().contains(" /:full_in="), "no trend there: {}", output.stdout);
}

#[test]
fn mounts_are_chosen_by_name() {
    let host = Host::new("healthy");
    let perfdata = |arguments: &[&str]| {
        let output = host.run(&[&["--only", "disk", "--perfdata", "used_percent"], arguments].concat());
        (output.first_line().split(" | ").nth(1).unwrap_or_default().to_owned(), output.code)
    };
    assert_eq!(perfdata(&["--mount", "/var"]), ("/var:used_percent=61.05%;90;95;0;100".to_owned(), 0));
    assert_eq!(
        perfdata(&["--exclude-mount", "/boot/*", "--exclude-mount", "/"]).0,
        "/var:used_percent=61.05%;90;95;0;100"
    );
    // The same device as /var, and named.
    assert!(perfdata(&["--mount", "/srv/volumes"]).0.starts_with("/srv/volumes:used_percent="));
    let missing = host.run(&["--only", "disk", "--mount", "/data"]);
    assert_eq!(missing.code, 2);
    assert!(missing.first_line().contains("/data is not mounted"), "{}", missing.stdout);
    assert_eq!(host.run(&["--only", "disk", "--mount", "/data*"]).code, 3, "a pattern that matches nothing");
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
fn remote_mounts_are_named_and_not_touched() {
    let output = Host::new("healthy").run(&["--only", "disk", "-v"]);
    assert!(output.stdout.contains("not touched without --remote: /mnt/backup"), "{}", output.stdout);
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
        run(&["--no-docker", "--procfs", "/proc/nonexistent"], "")
            .contains("/proc/nonexistent: no such file or directory")
    );
    assert!(run(&["--no-docker", "--statvfs", "/proc/nonexistent"], "").contains("/proc/nonexistent: no such file"));
    assert!(run(&["--sample", "20s"], "").contains("--sample must be shorter than --timeout"));
    assert!(run(&["--busy", "/proc/nonexistent"], "").contains("/proc/nonexistent: no such file or directory"));
    assert!(run(&["--only", "cpus"], "").contains("a similar value exists: 'cpu'"));
    assert!(run(&["--top", "-1"], "").contains("--top"));
}
