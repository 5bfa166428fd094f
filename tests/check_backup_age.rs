//! `check_backup_age` against dumps that PostgreSQL made, and those that something went wrong with.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test that cannot go on fails")]
#![allow(clippy::indexing_slicing, reason = "a test that is wrong fails")]

#[path = "check_backup_age/backups.rs"]
mod backups;
#[path = "check_backup_age/dumps.rs"]
mod dumps;
#[path = "check_backup_age/formats.rs"]
mod formats;
#[path = "check_backup_age/memory.rs"]
mod memory;
#[path = "check_backup_age/options.rs"]
mod options;
#[path = "check_backup_age/pitr.rs"]
mod pitr;
#[path = "check_backup_age/policies.rs"]
mod policies;
#[path = "check_backup_age/selection.rs"]
mod selection;
#[path = "check_backup_age/states.rs"]
mod states;
#[path = "check_backup_age/times.rs"]
mod times;
#[path = "check_backup_age/verdicts.rs"]
mod verdicts;
#[path = "check_backup_age/versions.rs"]
mod versions;

use backups::{Backups, HOUR, SCHEMA, binary};
use support::contract::{Arguments, Plugin};

support::contract_tests!(Plugin {
    name: "check_backup_age",
    binary: binary(),
    good: {
        let backups = Backups::new();
        backups.dump("kwanza.dump", "kwanza-1.dump", 27 * HOUR);
        backups.dump("kwanza.dump", "kwanza-2.dump", 3 * HOUR);
        Arguments::new([backups.root().display().to_string()]).keeping(backups)
    },
    hang: || {
        // A pipe that nobody writes to stands for a file that never answers.
        let backups = Backups::new();
        backups.dump("kwanza.dump", "kwanza.dump", 3 * HOUR);
        let paths = ["sums", "kwanza.dump"].map(|name| backups.path(name).display().to_string());
        support::tool::run("mkfifo", &[&paths[0]]);
        Arguments::new(["--sha256", &paths[0], &paths[1]]).keeping(backups)
    },
    hangs_at: "the checksum file",
    judged: "size",
    schema: Some(SCHEMA.into()),
    foreign_names: &[],
});
