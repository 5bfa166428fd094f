//! `check_backup_age` against dumps that PostgreSQL made, and those that something went wrong with.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test that cannot go on fails")]
#![allow(clippy::indexing_slicing, reason = "a test that is wrong fails")]

#[path = "check_backup_age/dumps.rs"]
mod dumps;
#[path = "check_backup_age/formats.rs"]
mod formats;
