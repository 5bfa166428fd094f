//! `check_backup_age` with real servers. tests/run runs this as root:
//!
//! `cargo test -p check_backup_age --test e2e_check_backup_age -- --test-threads=1`

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test that cannot go on fails")]
#![allow(clippy::indexing_slicing, reason = "a test that is wrong fails")]

#[path = "../check_backup_age/dumps.rs"]
mod dumps;
#[path = "check_backup_age/generated.rs"]
mod generated;
#[path = "check_backup_age/good.rs"]
mod good;
#[path = "check_backup_age/killed.rs"]
mod killed;
#[path = "check_backup_age/large.rs"]
mod large;
#[path = "check_backup_age/matrix.rs"]
mod matrix;
#[path = "check_backup_age/options.rs"]
mod options;
#[path = "check_backup_age/privileges.rs"]
mod privileges;
#[path = "check_backup_age/recovery.rs"]
mod recovery;
#[path = "check_backup_age/restore.rs"]
mod restore;
#[path = "check_backup_age/site.rs"]
mod site;
#[path = "check_backup_age/terminal.rs"]
mod terminal;
#[path = "../check_backup_age/versions.rs"]
mod versions;
