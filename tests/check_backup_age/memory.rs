//! What a run remembers of those before it.

use std::fs;
use std::time::Duration;

use crate::backups::{Backups, HOUR, RECENT, touch};

#[test]
fn an_unchanged_dump_is_not_verified_again() {
    let backups = Backups::new();
    let path = backups.dump("kwanza.tar", "kwanza.tar", RECENT);
    backups.check(&["{}/kwanza.tar", "-v"]).has_code(0).says_not("earlier run");
    backups.check(&["{}/kwanza.tar", "-v"]).has_code(0).says("by an earlier run, and unchanged since");
    backups.check(&["{}/kwanza.tar", "-v", "--verify", "full"]).has_code(0).says_not("earlier run");
    let mut bytes = fs::read(&path).unwrap();
    bytes.truncate(9000);
    fs::write(&path, bytes).unwrap();
    touch(&path, RECENT);
    backups.check(&["{}/kwanza.tar", "-v"]).has_code(2).says("ends too early");
}

#[test]
fn a_broken_dump_stays_so() {
    let backups = Backups::new();
    backups.write("kwanza.tar", b"", RECENT);
    for _ in 0..2 {
        backups.check(&["{}/kwanza.tar"]).has_code(2).headlines("it is empty");
    }
}

#[test]
fn time_that_is_over_is_unknown_and_what_is_known_is_kept() {
    let backups = Backups::new();
    for day in 0..3 {
        backups.dump("kwanza.tar", &format!("kwanza-{day}.tar"), RECENT + 24 * HOUR * day);
    }
    let run = backups.run(&["{}", "-t", "1ms", "--timeout-state", "unknown"]).output();
    assert_eq!(run.code, 3, "{}", run.stdout);
    assert!(run.elapsed < Duration::from_secs(5));
}

#[test]
fn a_dump_that_shrinks_is_noticed_over_the_runs() {
    let backups = Backups::new();
    let large = vec![b'-'; 40 << 20];
    for day in [3, 2, 1] {
        let mut sql = fs::read(crate::backups::FIXTURES.to_owned() + "/kwanza.sql").unwrap();
        let at = sql.windows(4).position(|window| window == b"SET ").unwrap();
        sql.splice(at..at, large.iter().copied().chain(*b"\n"));
        backups.write("kwanza.sql", &sql, 24 * HOUR * day + RECENT);
        backups.check(&["{}/kwanza.sql", "-c", "age="]).says("40");
    }
    backups.dump("kwanza.sql", "kwanza.sql", RECENT);
    let said = backups.check(&["{}/kwanza.sql"]);
    said.has_code(2).headlines("instead of 40 MiB: changed by -100 % (below -50 %)");
    assert!(said.figure("size_change_percent") < -99.0);
}

#[test]
fn a_small_change_in_bytes_is_shown_and_not_judged() {
    let backups = Backups::new();
    backups.dump("kwanza.tar", "kwanza-1.tar", RECENT + 24 * HOUR);
    backups.dump("kwanza.tar", "kwanza-2.tar", RECENT);
    backups.check(&["{}"]).has_code(0).says("size_change_percent=0% ");
    let said = backups.check(&["{}", "-w", "size_change_percent=5:"]);
    said.has_code(1).headlines("changed by 0 % (below 5 %)");
}

#[test]
fn growth_is_a_warning_at_most() {
    let backups = Backups::new();
    backups.dump("schema-only.dump", "kwanza-1.dump", RECENT + 24 * HOUR);
    backups.dump("kwanza.dump", "kwanza-2.dump", RECENT);
    backups.check(&["{}", "-c", "size_change_percent=-50:20"]).has_code(1).headlines("(over 20 %)");
}
