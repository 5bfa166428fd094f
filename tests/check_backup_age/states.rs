//! Whole output in every state, as somebody reads it who was woken by it.

use std::os::unix::fs::PermissionsExt as _;

use crate::backups::{Backups, HOUR, RECENT, ago, dump};

/// A directory with a good dump of the night before, and `bytes` as that of last night.
fn after_good_night(name: &str, bytes: &[u8]) -> Backups {
    let backups = Backups::new();
    backups.dump("kwanza.tar", "kwanza-1.tar", RECENT + 24 * HOUR);
    backups.write(name, bytes, RECENT);
    backups
}

#[test]
fn ok_of_every_format() {
    for (fixture, name) in [("kwanza.tar", "tar"), ("kwanza.dump", "custom"), ("kwanza.sql", "plain")] {
        let backups = Backups::new();
        backups.dump(fixture, fixture, RECENT);
        backups.assert(&format!("ok_{name}"), &["-v", &format!("{{}}/{fixture}")]);
    }
    let backups = Backups::new();
    backups.directory_dump("kwanza", RECENT);
    backups.assert("ok_directory", &["-v", "{}/kwanza"]);
}

#[test]
fn ok_with_a_week_of_dumps() {
    let backups = Backups::new();
    for day in 0..7 {
        backups.dump("kwanza.dump", &format!("kwanza-{}.dump", 7 - day), RECENT + 24 * HOUR * day);
    }
    backups.assert("ok_week", &["{}"]);
    backups.assert("ok_week_in_detail", &["{}", "-v", "-w", "count=5:"]);
}

#[test]
fn critical_old() {
    let backups = Backups::new();
    for day in 3..5 {
        backups.dump("kwanza.tar", &format!("kwanza-{day}.tar"), RECENT + 24 * HOUR * day);
    }
    backups.assert("critical_old", &["{}"]);
}

#[test]
fn critical_the_password_prompt_of_the_guide() {
    let mut bytes = b"Password: s3cret\r\n".to_vec();
    bytes.extend(dump("kwanza.tar", ago(RECENT)).split_inclusive(|byte| *byte == b'\n').flat_map(|line| match line {
        [text @ .., b'\n'] => [text, b"\r\n"].concat(),
        rest => rest.to_vec(),
    }));
    let backups = after_good_night("kwanza-2.tar", &bytes);
    backups.assert("critical_password_prompt", &["{}"]);
    for format in ["nagios", "json", "openmetrics"] {
        let said = backups.check(&["{}", "-vvv", "--format", format, "--verify", "full"]).output.stdout;
        assert!(!said.contains("s3cret"), "{said}");
    }
}

#[test]
fn critical_cut() {
    let bytes = dump("kwanza.tar", ago(RECENT));
    after_good_night("kwanza-2.tar", &bytes[..8000]).assert("critical_cut_tar", &["{}"]);
    let bytes = dump("kwanza.dump", ago(RECENT));
    after_good_night("kwanza-2.dump", &bytes[..bytes.len() - 1]).assert("critical_cut_custom", &["{}"]);
}

#[test]
fn critical_nothing_dumped() {
    after_good_night("kwanza-2.tar", b"").assert("critical_empty", &["{}"]);
    // What gzip makes of a pipe that pg_dump wrote nothing into.
    let nothing = [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3, 3, 0, 0, 0, 0, 0, 0, 0, 0, 0];
    after_good_night("kwanza-2.sql.gz", &nothing).assert("critical_empty_pipe", &["{}"]);
    let message = b"pg_dump: error: connection to server at \"postgres\" (172.18.0.2), port 5432 failed: FATAL:  role \"x\" does not exist\n";
    after_good_night("kwanza-2.tar", message).assert("critical_error_text", &["{}"]);
}

#[test]
fn critical_disk_full() {
    let mut bytes = dump("kwanza.tar", ago(RECENT));
    let half = bytes.len() / 2;
    bytes[half..].fill(0);
    after_good_night("kwanza-2.tar", &bytes).assert("critical_disk_full", &["{}"]);
}

#[test]
fn critical_no_data() {
    let backups = Backups::new();
    backups.dump("schema-only.dump", "kwanza.dump", RECENT);
    backups.assert("critical_no_data", &["{}/kwanza.dump"]);
    backups.assert("ok_schema_only", &["{}/kwanza.dump", "--schema-only"]);
}

#[test]
fn critical_nothing_there() {
    let backups = Backups::new();
    backups.assert("critical_no_file", &["{}/kwanza.tar"]);
    backups.assert("critical_empty_directory", &["{}"]);
    std::os::unix::fs::symlink("nowhere.tar", backups.path("latest.tar")).unwrap();
    backups.assert("critical_dangling", &["{}/latest.tar"]);
}

#[test]
fn ok_while_the_next_is_being_written() {
    let backups = Backups::new();
    backups.dump("kwanza.tar", "kwanza-0.tar", RECENT + 48 * HOUR);
    backups.dump("kwanza.tar", "kwanza-1.tar", RECENT + 20 * HOUR);
    let half = &dump("kwanza.tar", ago(25 * 60 + 20))[..6000];
    backups.write("kwanza-2.tar", half, 25);
    backups.assert("ok_being_written", &["{}", "-v"]);
    backups.check(&["{}", "--grace", "10s"]).has_code(2).headlines("kwanza-2.tar");
}

#[test]
fn warning_while_the_only_one_is_being_overwritten() {
    let backups = Backups::new();
    backups.dump("kwanza.tar", "kwanza.tar", RECENT);
    backups.check(&["{}"]).has_code(1);
    backups.write("kwanza.tar", &dump("kwanza.tar", ago(60))[..6000], 25);
    backups.assert("warning_overwritten", &["{}"]);
}

#[test]
fn warning_world_readable() {
    let backups = Backups::new();
    let path = backups.dump("kwanza.tar", "kwanza.tar", RECENT);
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o644)).unwrap();
    backups.assert("warning_world_readable", &["{}/kwanza.tar"]);
    backups.check(&["{}/kwanza.tar", "-w", "world_readable="]).has_code(0);
}

#[test]
fn unknown_encrypted() {
    let backups = Backups::new();
    let bytes = b"age-encryption.org/v1\n-> X25519 abc\nxyz\n--- mac\n\x01\x02\x03";
    backups.write("kwanza.tar.age", bytes, RECENT);
    backups.assert("unknown_encrypted", &["{}/kwanza.tar.age"]);
    backups.assert("ok_encrypted", &["{}/kwanza.tar.age", "--allow-encrypted", "-v"]);
}

#[test]
fn unknown_newer_than_known() {
    let mut bytes = dump("kwanza.dump", ago(RECENT));
    bytes[6] = 17;
    let backups = Backups::new();
    backups.write("kwanza.dump", &bytes, RECENT);
    backups.assert("unknown_newer_archive", &["{}/kwanza.dump"]);
}
