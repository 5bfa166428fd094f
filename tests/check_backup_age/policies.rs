//! What a dump must be besides valid.

use std::fs;

use crate::backups::{Backups, HOUR, RECENT};

fn one(fixture: &str) -> Backups {
    let backups = Backups::new();
    backups.dump(fixture, "kwanza.x", RECENT);
    backups
}

#[test]
fn the_database_must_be_the_right_one() {
    let backups = one("kwanza.tar");
    backups.check(&["{}/kwanza.x", "--database", "kwanza"]).has_code(0);
    let said = backups.check(&["{}/kwanza.x", "--database", "cuesta"]);
    said.has_code(2).headlines("it is a dump of database kwanza, not of cuesta");
    one("kwanza.sql").check(&["{}/kwanza.x", "--database", "kwanza"]).has_code(3).says("--create");
}

#[test]
fn tables_can_be_required() {
    let backups = one("kwanza.dump");
    let required = ["--require-table", "devices", "--require-table", "public.contexts"];
    backups.check(&[&["{}/kwanza.x"], &required[..]].concat()).has_code(0);
    backups
        .check(&["{}/kwanza.x", "--require-table", "other.devices"])
        .has_code(2)
        .headlines("other.devices is not in it");
    // Again, when the dump is remembered.
    backups.check(&["{}/kwanza.x", "--require-table", "other.devices"]).has_code(2);
    let schema = one("schema-only.dump");
    let arguments = ["{}/kwanza.x", "--schema-only", "--require-table", "devices"];
    schema.check(&arguments).has_code(0);
    schema
        .check(&["{}/kwanza.x", "--require-table", "devices"])
        .has_code(2)
        .says("the data of table devices is not in it");
    one("kwanza.sql").check(&["{}/kwanza.x", "--require-table", "devices"]).has_code(3).says("--verify full");
    one("kwanza.sql").check(&["{}/kwanza.x", "--require-table", "devices", "--verify", "full"]).has_code(0);
}

#[test]
fn a_dump_can_be_too_new() {
    let backups = one("kwanza.dump");
    backups.check(&["{}/kwanza.x", "--max-newer-than", "15"]).has_code(0);
    backups.check(&["{}/kwanza.x", "--max-newer-than", "14.3"]).has_code(2).headlines("made by pg_dump 15");
    backups.check(&["{}/kwanza.x", "--max-newer-than", "11"]).has_code(2).headlines("pg_restore 11 cannot read");
}

#[test]
fn roles_must_be_dumped_too() {
    let backups = one("kwanza.dump");
    let arguments = ["{}", "--min-count", "1", "--require-globals", "globals-*.sql"];
    backups
        .check(&arguments)
        .has_code(2)
        .headlines("no dump of roles")
        .says("pg_dumpall -U postgres -w --globals-only");
    backups.dump("globals.sql", "globals-1.sql", RECENT);
    // Roles are no dump of the database.
    backups.check(&arguments).has_code(0).says(" dumps=1 ");
    let said = backups.check(&[&arguments[..], &["-w", "globals_age=1h"]].concat());
    said.has_code(1).headlines("dump of roles is 3h 10m old");
    let text = fs::read_to_string(backups.path("globals-1.sql")).unwrap();
    backups.write("globals-2.sql", &text.as_bytes()[..300], RECENT - HOUR);
    backups.check(&arguments).has_code(2).headlines("dump of roles globals-2.sql");
    backups.dump("kwanza.sql", "globals-3.sql", RECENT - 2 * HOUR);
    backups.check(&arguments).has_code(2).headlines("globals-3.sql is no dump of roles");
}

#[test]
fn the_checksum_must_fit() {
    let backups = one("kwanza.dump");
    let path = backups.path("kwanza.x").display().to_string();
    let arguments = ["{}/kwanza.x", "--sha256", "{}/kwanza.x.sha256", "-v"];
    backups.check(&arguments).has_code(3).headlines("no such file");
    let sum = support::tool::run("sha256sum", &[&path]);
    fs::write(backups.path("kwanza.x.sha256"), &sum).unwrap();
    backups.check(&arguments).has_code(0).says("its SHA-256 is that of");
    let other = sum.replace(['0', '1'], "2");
    fs::write(backups.path("kwanza.x.sha256"), other).unwrap();
    backups.check(&arguments).has_code(2).headlines("its SHA-256 is not that of").says("sha256sum");
    fs::write(backups.path("kwanza.x.sha256"), "nonsense").unwrap();
    backups.check(&arguments).has_code(3).headlines("it has no SHA-256 of this dump");
    backups.directory_dump("folder", RECENT);
    backups.check(&["{}/folder", "--sha256", "{}/x"]).has_code(3).headlines("is many files");
}

#[test]
fn the_data_must_be_elsewhere() {
    let backups = one("kwanza.dump");
    let said = backups.check(&["{}/kwanza.x", "--data-directory", "{}", "--require-other-device"]);
    said.has_code(1).headlines("on the same device as the data in");
    backups.check(&["{}/kwanza.x", "--data-directory", "/proc", "--require-other-device"]).has_code(0);
    backups
        .check(&["{}/kwanza.x", "--data-directory", "{}", "-v"])
        .has_code(0)
        .says("on the same device as the data in");
    let said = backups.check(&["{}/kwanza.x", "--data-directory", "{}/none", "--require-other-device"]);
    said.has_code(3).headlines("--data-directory");
}
