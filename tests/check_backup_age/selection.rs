//! Which files are looked at, and which of them is the newest.

use std::fs;
use std::os::unix::fs::symlink;
use std::time::Duration;

use crate::backups::{Backups, HOUR, RECENT, touch};

#[test]
fn a_copy_does_not_become_newer() {
    let backups = Backups::new();
    for name in ["kwanza.tar", "kwanza.dump"] {
        let path = backups.dump(name, name, RECENT + 96 * HOUR);
        touch(&path, 60);
        let said = backups.check(&[&format!("{{}}/{name}"), "-v"]);
        said.has_code(2).headlines("4d 3h old (over 2d 2h)").says("a copy, which does not make it newer");
    }
    backups.dump("kwanza.tar", "new.tar", RECENT);
    backups.check(&["{}", "-v"]).has_code(0).headlines("new.tar begun 3h 10m ago");
}

#[test]
fn several_paths_are_one_series() {
    let backups = Backups::new();
    backups.dump("kwanza.tar", "a.tar", RECENT + 24 * HOUR);
    backups.dump("kwanza.dump", "b.dump", RECENT);
    let said = backups.check(&["{}/a.tar", "{}/b.dump"]);
    said.has_code(0).headlines("b.dump");
    assert!(said.text().contains(" count=2 dumps=2 "), "{}", said.text());
    let one = backups.check(&["{}/a.tar", "{}/c.tar"]);
    one.has_code(2).says("c.tar does not exist");
}

#[test]
fn a_directory_dump_is_one_thing_among_files() {
    let backups = Backups::new();
    backups.directory_dump("kwanza-2", RECENT);
    backups.dump("kwanza.tar", "kwanza-1.tar", RECENT + 24 * HOUR);
    fs::create_dir(backups.path("lost+found")).unwrap();
    let said = backups.check(&["{}"]);
    said.has_code(0).headlines("kwanza-2 begun 3h 10m ago");
    assert!(said.text().contains(" dumps=2 "), "{}", said.text());
    fs::remove_file(backups.path("kwanza-2/3351.dat.gz")).unwrap();
    // What was just changed may be being written.
    backups.check(&["{}"]).has_code(1).says_not("3351");
    backups.check(&["{}", "--grace", "0"]).has_code(2).headlines("3351.dat");
}

#[test]
fn names_are_chosen_by_pattern() {
    let backups = Backups::new();
    backups.dump("kwanza.tar", "kwanza-1.tar", RECENT + 24 * HOUR);
    backups.dump("kwanza.tar", "kwanza-2.tar", RECENT);
    backups.write("README", b"These are backups.\n", 60);
    backups.write(".kwanza-3.tar.rsync", b"half", 60);
    backups.write("kwanza-2.tar.sha256", b"x", 60);
    backups.check(&["{}"]).has_code(2).headlines("README").says("--pattern");
    backups.check(&["{}", "--pattern", "kwanza-*.tar"]).has_code(0);
    backups.check(&["{}", "--pattern", "kwanza-*.dump"]).has_code(2).headlines("nothing that is looked for is in");
}

#[test]
fn links_are_followed_and_counted_once() {
    let backups = Backups::new();
    backups.dump("kwanza.tar", "kwanza-1.tar", RECENT + 24 * HOUR);
    backups.dump("kwanza.tar", "kwanza-2.tar", RECENT);
    symlink("kwanza-2.tar", backups.path("latest.tar")).unwrap();
    fs::hard_link(backups.path("kwanza-1.tar"), backups.path("weekly.tar")).unwrap();
    symlink("gone.tar", backups.path("gone-link.tar")).unwrap();
    let said = backups.check(&["{}", "-v"]);
    said.has_code(0).says("gone-link.tar is a symbolic link to what does not exist");
    assert!(said.text().contains(" dumps=2 "), "{}", said.text());
    backups.check(&["{}/latest.tar", "-vv"]).has_code(0).says("the path is a symbolic link");
}

#[test]
fn pipes_and_sockets_are_not_opened() {
    let backups = Backups::new();
    backups.dump("kwanza.tar", "kwanza-1.tar", RECENT + 24 * HOUR);
    backups.dump("kwanza.tar", "kwanza-2.tar", RECENT);
    support::tool::run("mkfifo", &[&backups.path("pipe.tar").display().to_string()]);
    backups.check(&["{}"]).has_code(0);
    backups.check(&["{}/pipe.tar"]).has_code(2).headlines("neither a file nor a directory");
}

#[test]
fn a_directory_of_a_hundred_thousand_files_is_no_trouble() {
    let backups = Backups::new();
    backups.dump("kwanza.tar", "kwanza-1.tar", RECENT + 24 * HOUR);
    backups.dump("kwanza.tar", "kwanza-2.tar", RECENT);
    for number in 0..100_000 {
        fs::File::create(backups.path(&format!("old-{number}"))).unwrap();
    }
    let run = backups.run(&["{}", "--pattern", "kwanza-*", "-t", "50s"]).output();
    assert_eq!(run.code, 0, "{}", run.stdout);
    // All of them, the newest first: what is not a dump is told of the newest, and the rest is only counted.
    let run = backups.run(&["{}", "--grace", "0", "-t", "50s"]).output();
    assert_eq!(run.code, 2, "{}", run.stdout);
    assert!(run.stdout.lines().count() < 30, "{}", run.stdout);
    assert!(run.stdout.contains("dumps=100002") && run.elapsed < Duration::from_secs(25), "{}", run.stdout);
}

#[test]
fn broken_dumps_do_not_count() {
    let backups = Backups::new();
    backups.dump("kwanza.tar", "kwanza-2.tar", RECENT);
    backups.write("kwanza-1.tar", b"", RECENT + 24 * HOUR);
    let said = backups.check(&["{}"]);
    said.has_code(1).headlines("valid dumps: 1 (below 2)").says("kwanza-1.tar: it is empty");
    backups.check(&["{}", "--min-count", "1"]).has_code(0);
    backups.check(&["{}", "--min-count", "1", "-c", "count=2:"]).has_code(2);
    backups.check(&["{}", "--min-count", "5", "-w", "count=1:"]).has_code(0);
}

#[test]
fn no_more_are_verified_than_count_needs() {
    let backups = Backups::new();
    for day in 0..6 {
        backups.dump("kwanza.tar", &format!("kwanza-{day}.tar"), RECENT + 24 * HOUR * day);
    }
    for (arguments, count) in [(&["{}"][..], 2), (&["{}", "--min-count", "4"], 4), (&["{}", "-w", "count=3:9"], 6)] {
        backups.check(arguments).says(&format!(" count={count};"));
    }
    backups.check(&["{}", "-v"]).says("6 dumps, 2 known to be valid, 4 not looked at");
}
