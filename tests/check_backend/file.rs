//! The file of checks: what is wrong with it, and who may write to it.

use std::fs::Permissions;
use std::os::unix::fs::{PermissionsExt as _, chown, symlink};

use crate::bench::{Bench, says};

fn bench() -> Bench {
    let bench = Bench::new();
    bench.add("host", "check_a", &says("OK", "[]", "fine"));
    bench
}

#[test]
fn a_file_that_is_not_there_says_how_to_make_one() {
    let bench = Bench::new();
    bench.run(&[]).has_code(3).headlines("backend.toml: no such file").says("-> check_backend --init");
}

#[test]
fn faults_tell_line_and_column() {
    let bench = bench();
    bench.append("colour = 'red'\n");
    bench.run(&[]).has_code(3).headlines(", column 1: unknown field `colour`");
    std::fs::write(bench.file(), b"name = '\xff'").unwrap();
    bench.run(&[]).has_code(3).headlines("byte 8 is not UTF-8");
    std::fs::write(bench.file(), vec![b'#'; (1 << 20) + 1]).unwrap();
    bench.run(&[]).has_code(3).headlines("longer than 1 MiB");
    std::fs::remove_file(bench.file()).unwrap();
    support::tool::run("mkfifo", &[&bench.file().display().to_string()]);
    bench.run(&[]).has_code(3).headlines("not a regular file");
}

#[test]
fn what_others_may_write_to_is_not_run() {
    let bench = bench();
    let mode = |path: &std::path::Path, mode| std::fs::set_permissions(path, Permissions::from_mode(mode)).unwrap();
    for (bits, who) in [(0o664, "its group"), (0o646, "anybody"), (0o602, "anybody")] {
        mode(&bench.file(), bits);
        let said = bench.run(&[]);
        said.has_code(3).headlines(&format!("backend.toml may be written to by {who}, and what it lists is run as "));
        said.says("-> chmod go-w ").says_not("[OK] host");
    }
    mode(&bench.file(), 0o444);
    bench.run(&[]).has_code(0);
    mode(bench.path(), 0o770);
    bench.run(&[]).has_code(3).headlines("may be written to by its group");
    // Where only one's own files can be replaced.
    mode(bench.path(), 0o1777);
    bench.run(&[]).has_code(0);
    mode(bench.path(), 0o700);
}

#[test]
fn links_lead_to_nothing_that_others_may_write_to() {
    let (bench, open) = (bench(), tempfile::tempdir().unwrap());
    let link = open.path().join("link.toml");
    symlink(bench.file(), &link).unwrap();
    let run = || support::said::Said::of(support::Run::new(crate::binary()).arg("--config").arg(&link).output());
    run().has_code(0);
    for directory in [open.path(), bench.path()] {
        std::fs::set_permissions(directory, Permissions::from_mode(0o777)).unwrap();
        run().has_code(3).headlines("may be written to by anybody");
        std::fs::set_permissions(directory, Permissions::from_mode(0o700)).unwrap();
    }
}

#[test]
fn what_belongs_to_another_user_is_not_run() {
    if support::tool::run("id", &["-u"]).trim() == "0" {
        let bench = bench();
        chown(bench.file(), Some(65_534), None).unwrap();
        let said = bench.run(&[]);
        said.has_code(3).headlines("backend.toml belongs to nobody, and what it lists is run as root");
        said.says("-> chown root ");
    } else {
        // An ordinary user cannot give a file away, and root's are trusted.
        let said =
            support::said::Said::of(support::Run::new(crate::binary()).args(["--config", "/etc/passwd"]).output());
        said.has_code(3).headlines("line 1, column ");
    }
}
