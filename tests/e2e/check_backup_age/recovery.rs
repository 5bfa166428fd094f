//! Base backups and WAL archives that a server makes.

use std::fs::{self, File};
use std::io::{Seek as _, SeekFrom, Write as _};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use support::live::eventually;
use support::postgres::Cluster;
use tempfile::TempDir;

use crate::site::{Site, run};

/// A directory that the server's user may write to.
fn archive() -> (TempDir, String) {
    let directory = tempfile::tempdir().unwrap();
    fs::set_permissions(directory.path(), fs::Permissions::from_mode(0o777)).unwrap();
    let command = format!("cp %p {}/%f", directory.path().display());
    (directory, command)
}

fn server(command: &str) -> Site {
    let plan = Cluster::plan().setting("archive_mode", "always").setting("archive_command", command);
    Site::of(plan.setting("wal_level", "replica").start())
}

/// Fills segments of WAL, and waits until they are archived.
#[track_caller]
fn archive_segments(cluster: &Cluster, count: usize) {
    for _ in 0..count {
        cluster.psql("SELECT pg_create_restore_point('test')");
        let last = cluster.psql("SELECT pg_walfile_name(pg_switch_wal())");
        eventually("the archiver", || cluster.psql("SELECT last_archived_wal FROM pg_stat_archiver") >= last);
    }
}

/// The segments of an archive, in order.
fn segments(directory: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().path());
    let mut paths: Vec<PathBuf> = entries.filter(|path| path.file_name().unwrap().len() == 24).collect();
    paths.sort();
    paths
}

#[test]
fn a_base_backup_and_its_wal_are_enough_until_something_is_missing() {
    let (wal, command) = archive();
    let site = server(&command);
    archive_segments(&site.cluster, 2);
    run(site.client("pg_basebackup").args(["-c", "fast", "-D"]).arg(site.path("base")));
    archive_segments(&site.cluster, 3);
    let wal_path = wal.path().display().to_string();
    let arguments = ["--base-backup", "{}/base", "--wal-archive", &wal_path, "-v"];
    site.check(&arguments).has_code(0).says("all files have their sizes").says("where the base backup begins");
    let full = [&arguments[..], &["--verify", "full"]].concat();
    site.check(&full).has_code(0).says("the checksums of all files are right");
    site.check(&full).has_code(0).says("were right in an earlier run, and none has changed since");

    // What was before the base backup is not needed.
    let all = segments(wal.path());
    fs::remove_file(&all[0]).unwrap();
    site.check(&arguments).has_code(0).says("none missing");
    let lost = &all[all.len() - 2];
    fs::remove_file(lost).unwrap();
    let name = lost.file_name().unwrap().to_str().unwrap();
    site.check(&arguments).has_code(2).says(&format!("{name} is missing")).says("take a new base backup");
}

#[test]
fn a_damaged_base_backup_is_found_out() {
    let (_wal, command) = archive();
    let site = server(&command);
    let base = site.path("base");
    run(site.client("pg_basebackup").args(["-c", "fast", "-D"]).arg(&base));
    let check = |words: &[&str]| site.check(&[&["--base-backup", "{}"], words].concat());
    check(&["-v"]).has_code(0).says(&base.display().to_string());

    let path = base.join("global/pg_control");
    let mut file = File::options().write(true).open(&path).unwrap();
    file.seek(SeekFrom::Start(100)).unwrap();
    file.write_all(b"\xff\xfe").unwrap();
    check(&[]).has_code(0);
    check(&["--verify", "full"]).has_code(2).says("global/pg_control does not fit its checksum");
    file.set_len(17).unwrap();
    check(&[]).has_code(2).says("global/pg_control has 17 bytes instead of 8192");
    fs::remove_file(&path).unwrap();
    check(&[]).has_code(2).says("global/pg_control: no such file or directory").says("pg_verifybackup");

    let manifest = base.join("backup_manifest");
    let text = fs::read_to_string(&manifest).unwrap();
    fs::write(&manifest, text.replacen("\"Size\": 8192", "\"Size\": 17", 1)).unwrap();
    check(&[]).has_code(2).headlines("its backup_manifest was changed");
    fs::write(&manifest, &text[..text.len() / 2]).unwrap();
    check(&[]).has_code(2).headlines("its backup_manifest ends too early");
    fs::remove_file(&manifest).unwrap();
    check(&[]).has_code(2).headlines("there is no backup_manifest");
}

#[test]
fn a_base_backup_of_tar_files_is_known_by_its_manifest() {
    let (_wal, command) = archive();
    let site = server(&command);
    for (name, algorithm) in [("old", "NONE"), ("new", "SHA512")] {
        let checksums = format!("--manifest-checksums={algorithm}");
        run(site.client("pg_basebackup").args(["-c", "fast", "-F", "t", "-z", &checksums, "-D"]).arg(site.path(name)));
    }
    let said = site.check(&["--base-backup", "{}", "--verify", "full", "-v"]);
    said.has_code(0).says("/new: tar files, which are there");
    fs::write(site.path("new").join("base.tar.gz"), "").unwrap();
    site.check(&["--base-backup", "{}"]).has_code(2).says("base.tar.gz is empty");
    fs::remove_file(site.path("new").join("base.tar.gz")).unwrap();
    site.check(&["--base-backup", "{}/new"]).has_code(2).says("neither PG_VERSION nor base.tar is there");
}

#[test]
fn checksums_of_every_kind_are_compared() {
    let (_wal, command) = archive();
    let site = server(&command);
    for algorithm in ["CRC32C", "SHA224", "SHA256", "SHA384", "SHA512"] {
        let checksums = format!("--manifest-checksums={algorithm}");
        run(site.client("pg_basebackup").args(["-c", "fast", &checksums, "-D"]).arg(site.path(algorithm)));
        let said = site.check(&["--base-backup", &format!("{{}}/{algorithm}"), "--verify", "full", "-v"]);
        said.has_code(0).says("the checksums of all files are right");
    }
}

#[test]
fn a_promotion_is_followed() {
    let (wal, command) = archive();
    let site = server(&command);
    let plan = Cluster::plan().setting("archive_mode", "on").setting("archive_command", &command);
    let standby = plan.start_standby_of(&site.cluster, None);
    archive_segments(&site.cluster, 2);
    eventually("the standby to follow", || {
        let there = site.cluster.psql("SELECT pg_current_wal_lsn()");
        standby.psql(&format!("SELECT pg_last_wal_replay_lsn() >= '{there}'")) == "t"
    });
    standby.psql("SELECT pg_promote()");
    archive_segments(&standby, 2);
    let wal_path = wal.path().display().to_string();
    site.check(&["--wal-archive", &wal_path, "-v"]).has_code(0).says("needed on timeline 2").says("none missing");
    fs::remove_file(wal.path().join("00000002.history")).unwrap();
    site.check(&["--wal-archive", &wal_path]).has_code(2).headlines("00000002.history is missing");
}
