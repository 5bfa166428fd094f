//! WAL archives. Base backups are tested with those that a server makes.

use std::fs::File;

use crate::backups::{Backups, HOUR, touch};

const SEGMENT: u64 = 16 << 20;

/// An archive of these files, each as long as a segment is unless it is something else.
fn archive(names: &[&str]) -> Backups {
    let backups = Backups::new();
    for (position, name) in names.iter().rev().enumerate() {
        let file = File::create(backups.path(name)).unwrap();
        file.set_len(if name.len() == 24 { SEGMENT } else { 300 }).unwrap();
        touch(&backups.path(name), HOUR * (position as u64 + 1));
    }
    backups
}

const WHOLE: &[&str] = &[
    "0000000100000000000000FE",
    "0000000100000000000000FF.gz",
    "000000010000000100000000.zst",
    "000000010000000100000000.00000028.backup",
    "000000010000000100000001",
];

#[test]
fn ok_when_no_segment_is_missing() {
    let backups = archive(WHOLE);
    backups.assert("ok_wal_archive", &["--wal-archive", "{}", "-v"]);
}

#[test]
fn critical_when_segments_are_missing() {
    let backups = archive(&[WHOLE[0], WHOLE[1], "000000010000000100000003", "000000010000000100000005"]);
    backups.assert("critical_wal_missing", &["--wal-archive", "{}"]);
    backups.check(&["--wal-archive", "{}", "-c", "wal_missing=10"]).has_code(0).says("wal_missing=4;;10 ");
}

#[test]
fn critical_when_a_segment_is_cut() {
    let backups = archive(WHOLE);
    File::options().write(true).open(backups.path(WHOLE[0])).unwrap().set_len(4096).unwrap();
    backups.assert("critical_wal_cut", &["--wal-archive", "{}"]);
}

#[test]
fn a_promotion_is_followed_by_its_history() {
    let names = ["000000010000000000000001", "000000010000000000000002.partial", "000000020000000000000002"];
    let backups = archive(&names);
    let said = backups.check(&["--wal-archive", "{}"]);
    said.has_code(2).headlines("00000002.history is missing");
    std::fs::write(backups.path("00000002.history"), "1\t0/2000100\tno recovery target specified\n").unwrap();
    let follows = || {
        backups
            .check(&["--wal-archive", "{}", "-v"])
            .has_code(0)
            .says("needed on timeline 2: 000000010000000000000001");
    };
    follows();
    support::tool::run("gzip", &[&backups.path("00000002.history").display().to_string()]);
    follows();
}

#[test]
fn an_old_or_empty_archive_is_told() {
    let backups = archive(WHOLE);
    backups
        .check(&["--wal-archive", "{}", "-w", "wal_age=30m"])
        .has_code(1)
        .headlines("newest segment in the WAL archive")
        .says("archive_timeout");
    let empty = Backups::new();
    empty.check(&["--wal-archive", "{}"]).has_code(2).headlines("holds no segment");
    empty.check(&["--wal-archive", "{}/none"]).has_code(2).headlines("WAL archive: ").says("none does not exist");
    empty.check(&["--base-backup", "{}"]).has_code(2).headlines("base backup: nothing that is looked for");
}

#[test]
fn a_base_backup_of_a_version_without_manifests_is_known_by_its_label() {
    let backups = Backups::new();
    std::fs::write(backups.path("PG_VERSION"), "12\n").unwrap();
    let label = "START WAL LOCATION: 0/2000028 (file 000000010000000000000002)\nSTART TIME: 2026-01-02 03:04:05 CET\n";
    std::fs::write(backups.path("backup_label"), label).unwrap();
    touch(&backups.path("backup_label"), 3 * HOUR);
    let said = backups.check(&["--base-backup", "{}", "-v"]);
    said.has_code(0).headlines("base backup made 3h ago").says("PostgreSQL before 13 writes no manifest");
    std::fs::write(backups.path("PG_VERSION"), "13\n").unwrap();
    backups.check(&["--base-backup", "{}"]).has_code(2).headlines("there is no backup_manifest");
}
