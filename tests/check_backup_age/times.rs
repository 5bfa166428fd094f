//! When a dump was made, by clocks in other zones.

use jiff::tz::{TimeZone, offset};

use crate::backups::{Backups, HOUR, RECENT, ago, dump, stamp, touch};

/// A dump whose clock was so many hours ahead of UTC.
fn dump_in_zone(backups: &Backups, hours: i8) -> std::path::PathBuf {
    let mut bytes = dump("kwanza.dump", ago(RECENT));
    stamp(&mut bytes, ago(RECENT), &TimeZone::fixed(offset(hours)));
    backups.write("kwanza.dump", &bytes, RECENT - 30)
}

#[test]
fn the_zone_of_a_clock_can_be_given() {
    let backups = Backups::new();
    dump_in_zone(&backups, 2);
    for zone in ["+02:00", "Etc/GMT-2"] {
        let said = backups.check(&["{}/kwanza.dump", "--dump-timezone", zone, "-vv"]);
        said.has_code(0).headlines("begun 3h 10m ago").says("in the zone of --dump-timezone");
    }
    backups.check(&["{}/kwanza.dump", "--dump-timezone", "+00:00"]).headlines("begun 1h 10m ago");
}

#[test]
fn a_container_in_utc_on_a_host_that_is_not_is_noticed() {
    let backups = Backups::new();
    dump_in_zone(&backups, 0);
    for zone in ["Etc/GMT-2", "Etc/GMT+5"] {
        let output = backups.run(&["{}/kwanza.dump", "-vv"]).env("TZ", zone).output();
        assert!(output.stdout.contains("begun 3h 10m ago"), "{}", output.stdout);
        assert!(output.stdout.contains("taken for UTC"), "{}", output.stdout);
    }
}

#[test]
fn a_dump_from_the_future_is_told() {
    let backups = Backups::new();
    let path = dump_in_zone(&backups, 5);
    touch(&path, 60);
    let said = backups.check(&["{}/kwanza.dump", "--dump-timezone", "UTC"]);
    said.has_code(3).headlines("in the future: see --dump-timezone, and the clocks");
    said.says("age=0s;");
}

#[test]
fn sql_has_its_mtime_only() {
    let backups = Backups::new();
    backups.dump("kwanza.sql", "kwanza.sql", RECENT);
    backups.check(&["{}/kwanza.sql", "-vv"]).has_code(0).says("its time is its mtime");
}

#[test]
fn a_tar_tells_how_long_it_took() {
    let backups = Backups::new();
    backups.dump("kwanza.tar", "kwanza.tar", 30 * HOUR);
    let said = backups.check(&["{}/kwanza.tar"]);
    said.has_code(1).headlines("newest dump kwanza.tar: 1d 6h old (over 1d 2h)").says(" duration=30s ");
}
