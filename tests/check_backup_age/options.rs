//! Options that are refused, with what would be right.

use crate::backups::{Backups, RECENT};

#[test]
fn wrong_options_are_refused() {
    let backups = Backups::new();
    for (arguments, words) in [
        (&[][..], "PATH"),
        (&["x", "--dump-timezone", "Nowhere"], "is no time zone"),
        (&["x", "--min-count", "0"], "--min-count"),
        (&["x", "--grace", "soon"], "--grace"),
        (&["x", "--verify", "deeply"], "--verify"),
        (&["x", "--jobs", "2"], "--restore-test"),
        (&["x", "--max-newer-than", "new"], "is no version"),
        (&["--wal-archive", "x", "--sha256", "y"], "--sha256 needs the PATH"),
    ] {
        let said = backups.check(arguments);
        said.has_code(3).headlines(words);
    }
}

#[test]
fn a_password_on_the_command_line_is_refused_and_not_repeated() {
    let backups = Backups::new();
    for dsn in ["postgresql://u:s3cret@host/db", "host=x password=s3cret", "postgresql://host/?password=s3cret"] {
        let said = backups.check(&["x", "--restore-test", dsn]);
        said.has_code(3).headlines("PGPASSFILE").says_not("s3cret");
    }
}

#[test]
fn a_bare_range_means_the_age() {
    let backups = Backups::new();
    backups.dump("kwanza.tar", "kwanza.tar", RECENT);
    backups.check(&["{}/kwanza.tar", "-w", "26h", "-c", "50h"]).has_code(0);
    backups.check(&["{}/kwanza.tar", "-w", "2h", "-c", "3h"]).has_code(2).headlines("3h 10m old (over 3h)");
    backups.check(&["{}/kwanza.tar", "-w", "1h", "-c", "4h"]).has_code(1);
}

#[test]
fn a_restore_test_without_programs_or_archive_says_so() {
    let backups = Backups::new();
    backups.dump("kwanza.tar", "kwanza.tar", RECENT);
    backups.dump("kwanza.sql", "kwanza.sql", RECENT);
    let said = backups.check(&["{}/kwanza.tar", "--restore-test", "host=x", "--pg-bindir", "{}"]);
    said.has_code(3).headlines("psql and pg_restore are not in");
    let said = backups.check(&["{}/kwanza.sql", "--restore-test", "host=x"]);
    said.has_code(3).headlines("a dump in SQL runs whatever stands in it");
}
