//! `check_backup_age` against dumps that PostgreSQL made, and those that something went wrong with.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test that cannot go on fails")]
#![allow(clippy::indexing_slicing, reason = "a test that is wrong fails")]

#[path = "../check_backup_age/dumps.rs"]
mod dumps;
#[path = "check_backup_age/generated.rs"]
mod generated;
#[path = "check_backup_age/good.rs"]
mod good;
#[path = "check_backup_age/large.rs"]
mod large;
#[path = "check_backup_age/matrix.rs"]
mod matrix;
#[path = "../check_backup_age/versions.rs"]
mod versions;
