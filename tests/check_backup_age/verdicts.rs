//! Verdicts on what cannot be had at will: time that is over at a certain point, disks that fail.

use std::path::PathBuf;

use check_backup_age::cli::{Arguments, Config, configure};
use check_backup_age::evaluate::evaluate;
use check_backup_age::metrics::METRICS;
use check_backup_age::parse::{Contents, Inspection, Level, Outcome, Unverified};
use check_backup_age::snapshot::{Candidate, Clock, Dump, Identity, Made, Snapshot};
use clap::Parser as _;
use common::metric::Thresholds;
use common::options::CommandLine;
use common::report::Report;
use common::state::State;

/// Seconds since 1970, at which all of this is.
const NOW: i64 = 1_800_000_000;
const HOUR: i64 = 3600;

fn config(arguments: &[&str]) -> Config {
    let line = CommandLine::<Arguments>::parse_from([&["check_backup_age", "/backup"], arguments].concat());
    let thresholds = Thresholds::parse(METRICS, Some("age"), &line.common.warning, &line.common.critical).unwrap();
    configure(line.plugin, thresholds, &line.common).unwrap()
}

/// A dump that was begun so many seconds ago.
fn dump(name: &str, age: i64, outcome: Outcome) -> Dump {
    let identity = Identity { size: 1000, mtime: (NOW - age) * 1_000_000_000, files: 1, ..Identity::default() };
    let path = PathBuf::from("/backup").join(name);
    Dump {
        file: Candidate { path, identity, mode: 0o600, is_directory: false, is_link: false },
        made: Made { at: NOW - age, clock: Clock::Inside },
        inspection: Inspection {
            level: Level::Structure,
            outcome,
            format: None,
            wrapper: None,
            header: None,
            contents: Contents::default(),
            started: None,
            ended: None,
            consumed: 0,
        },
        verify_time: 0.0,
        is_remembered: false,
        has_changed: false,
    }
}

fn judge(snapshot: &Snapshot) -> Report {
    let now = common::clock::Clock { wall: 1_800_000_000.0, boot: 0.0, boot_id: String::new() };
    evaluate(&config(&[]), None, snapshot, &now).report
}

fn headlines(report: &Report) -> Vec<&str> {
    report.items.iter().map(|item| item.headline.as_str()).filter(|headline| !headline.is_empty()).collect()
}

#[test]
fn time_that_was_over_for_an_older_dump_does_not_hide_the_newest() {
    let dumps = vec![
        dump("new", 60 * HOUR, Outcome::Sound),
        dump("old", 90 * HOUR, Outcome::Unverified(Unverified::Interrupted)),
    ];
    let report = judge(&Snapshot { found: 3, dumps, was_interrupted: true, ..Snapshot::default() });
    assert_eq!(report.state(), State::Critical);
    assert_eq!(headlines(&report), ["newest dump new: 2d 12h old (over 2d 2h)", "only 1 dump known to be valid"]);
}

#[test]
fn time_that_was_over_for_the_newest_leaves_its_age_unjudged() {
    let newest = dump("new", HOUR, Outcome::Unverified(Unverified::Interrupted));
    let report = judge(&Snapshot { found: 2, dumps: vec![newest], was_interrupted: true, ..Snapshot::default() });
    assert_eq!(report.state(), State::Unknown, "{:?}", headlines(&report));
    // An older one is known, and it is old; but the newer one may be good.
    let dumps =
        vec![dump("new", HOUR, Outcome::Unverified(Unverified::Interrupted)), dump("old", 90 * HOUR, Outcome::Sound)];
    let report = judge(&Snapshot { found: 2, dumps, was_interrupted: true, ..Snapshot::default() });
    assert_eq!(report.state(), State::Unknown, "{:?}", headlines(&report));
}

#[test]
fn time_that_was_over_before_all_were_found_is_never_ok() {
    let dumps = vec![dump("new", HOUR, Outcome::Sound), dump("old", 25 * HOUR, Outcome::Sound)];
    let report = judge(&Snapshot { found: 2, dumps, is_incomplete: true, ..Snapshot::default() });
    assert_eq!(report.state(), State::Unknown);
    assert_eq!(headlines(&report), ["time was over before all dumps were looked for"]);
}

#[test]
fn a_disk_that_cannot_be_read_is_told() {
    let outcome = Outcome::Unverified(Unverified::Unreadable("input/output error".to_owned()));
    let report = judge(&Snapshot { found: 1, dumps: vec![dump("new", HOUR, outcome)], ..Snapshot::default() });
    assert_eq!(report.state(), State::Unknown);
    assert_eq!(headlines(&report)[0], "newest dump new: it cannot be read: input/output error");
    assert!(report.items[0].next[0].as_str().contains("dmesg"), "{:?}", report.items[0].next);
}
