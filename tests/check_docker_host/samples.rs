//! What one run leaves for the next.

use crate::host::{Host, healthy_engine, scenario};

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
fn kills_for_lack_of_memory_are_judged_for_an_hour() {
    let kills = |count: u32| format!("pswpin 0\npswpout 0\noom_kill {count}\n");
    let host = Host::new("healthy");
    let code = |count: u32| {
        std::fs::write(host.path("proc/vmstat"), kills(count)).unwrap();
        host.run(&["--only", "swap"]).code
    };
    assert_eq!((code(3), code(3)), (0, 0), "those before the first run are history");
    assert_eq!((code(4), code(4), code(4)), (2, 2, 2), "a core asks three times before it alerts");

    let file = host.sample();
    let aged = std::fs::read_to_string(&file).unwrap();
    let mut sample: serde_json::Value = serde_json::from_str(&aged).unwrap();
    let killed = sample["data"]["kills"][0][0].as_u64().unwrap();
    sample["data"]["kills"][0][0] = (killed - 3601).into();
    std::fs::write(&file, sample.to_string()).unwrap();
    assert_eq!(code(4), 0, "an hour later");

    std::fs::write(host.path("proc/sys/kernel/random/boot_id"), "another\n").unwrap();
    assert_eq!(code(2), 2, "all kills since a reboot are new");
}

#[test]
fn the_cache_of_another_machines_zfs_does_not_count() {
    // lxcfs shows the memory of the container, and the host's ZFS shines through.
    let arc = "size 4 34359738368\nc_min 4 1073741824\n";
    let tree = scenario("memory_full_without_pressure").file("proc/spl/kstat/zfs/arcstats", arc);
    let output = Host::of(&tree).run(&["--only", "memory"]);
    assert!(output.stdout.contains("memory_used_percent=97%"), "{}", output.stdout);
}

#[test]
fn a_file_that_cannot_be_read_for_once_is_no_reboot() {
    let host = Host::new("healthy");
    std::fs::write(host.path("proc/vmstat"), "pswpin 0\npswpout 0\noom_kill 3\n").unwrap();
    assert_eq!(host.run(&[]).code, 0);
    for file in ["proc/uptime", "proc/sys/kernel/random/boot_id", "proc/vmstat"] {
        let path = host.path(file);
        let text = std::fs::read(&path).unwrap();
        std::fs::remove_file(&path).unwrap();
        let blind = host.run(&["-v"]);
        assert!(!blind.stdout.contains("rebooted") && blind.code != 2, "{file}: {}", blind.stdout);
        std::fs::write(&path, text).unwrap();
        let mended = host.run(&["-v"]);
        assert!(!mended.stdout.contains("rebooted") && mended.code == 0, "{file}: {}", mended.stdout);
    }
    host.becomes("read_only_remount");
    assert_eq!(host.run(&["--skip", "kernel"]).code, 0, "another set of groups has a sample of its own");
    assert!(host.run(&[]).first_line().contains("/ became read-only"), "what was writable is still known");
}
