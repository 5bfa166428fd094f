//! `check_postgres` against real servers. tests/run runs this as root:
//!
//! `cargo test -p check_postgres --test e2e_check_postgres -- --test-threads=1`

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test that cannot go on fails")]
#![allow(clippy::indexing_slicing, reason = "a test that is wrong fails")]

#[path = "check_postgres/check.rs"]
mod check;
#[path = "check_postgres/connection.rs"]
mod connection;
#[path = "check_postgres/custom.rs"]
mod custom;
#[path = "check_postgres/encryption.rs"]
mod encryption;
#[path = "check_postgres/hangs.rs"]
mod hangs;
#[path = "check_postgres/majors.rs"]
mod majors;
#[path = "check_postgres/names.rs"]
mod names;
#[path = "check_postgres/rates.rs"]
mod rates;
#[path = "check_postgres/replication.rs"]
mod replication;
#[path = "check_postgres/roles.rs"]
mod roles;
#[path = "check_postgres/sessions.rs"]
mod sessions;
#[path = "check_postgres/storage.rs"]
mod storage;
