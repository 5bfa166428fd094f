//! `check_kwanza_expvars` on the guide's deployment, on a real engine. tests/run starts that and runs this as root:
//!
//! `cargo test -p check_kwanza_expvars --test e2e_check_kwanza_expvars -- --test-threads=1`

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test that cannot go on fails")]
#![allow(clippy::indexing_slicing, reason = "a test that is wrong fails")]
