//! Mounts: chosen, read-only, filling up.

use crate::host::{Host, healthy_engine, scenario};

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
fn remote_mounts_are_named_and_not_touched() {
    let output = Host::new("healthy").run(&["--only", "disk", "-v"]);
    assert!(output.stdout.contains("not touched without --remote: /mnt/backup"), "{}", output.stdout);
}

#[test]
fn a_run_that_looks_elsewhere_forgets_nothing() {
    let host = Host::new("healthy");
    assert_eq!(host.run(&[]).code, 0);
    let mountinfo = host.path("proc/self/mountinfo");
    std::fs::remove_file(&mountinfo).unwrap();
    assert_eq!(host.run(&[]).code, 3, "the mounts cannot be read");
    host.becomes("read_only_remount");
    let output = host.run(&[]);
    assert!(output.first_line().contains("/ became read-only"), "{}", output.stdout);
}

#[test]
fn unknown_thresholds_for_what_is_not_there() {
    let host = Host::new("healthy");
    let output = host.run(&["-c", "/vra:used_percent=10", "-w", "vda:busy_percent=90", "-w", "/boot*:used_percent=50"]);
    assert_eq!(output.code, 3, "{}", output.stdout);
    assert!(output.first_line().contains("thresholds are given for /vra, and nothing"), "{}", output.stdout);
    assert_eq!(host.run(&["-c", "/vra:used_percent=10", "--only", "cpu"]).code, 0, "disks are not looked at");
}

#[test]
fn mounts_that_are_not_utf8_are_read() {
    let line = b"40 22 8:33 / /srv/caf\xe9 rw - ext4 /dev/sdc1 rw\n";
    let host = Host::new("healthy");
    let path = host.path("proc/self/mountinfo");
    let text = [std::fs::read(&path).unwrap(), line.to_vec()].concat();
    std::fs::write(&path, text).unwrap();
    let output = host.run(&["--only", "disk", "-v"]);
    assert_eq!(output.code, 0, "{}", output.stdout);
    assert!(output.stdout.contains("/srv/caf\u{fffd}:used_percent=21.05%"), "{}", output.stdout);
}

#[test]
fn unknown_where_no_filesystem_is_judged() {
    let tree = scenario("healthy").file("proc/self/mountinfo", "22 1 0:21 / / rw - virtiofs root rw\n");
    let output = Host::of(&tree).run(&["--only", "disk"]);
    assert_eq!(output.code, 3, "{}", output.stdout);
    assert!(output.stdout.contains("--remote adds network and FUSE mounts"), "{}", output.stdout);
}
