//! `check_containers` on the guide's deployment, on a real engine. tests/run starts that and runs this as root:
//!
//! `cargo test -p check_containers --test e2e_check_containers -- --test-threads=1`

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test that cannot go on fails")]
#![allow(clippy::indexing_slicing, reason = "a test that is wrong fails")]
#![allow(clippy::float_cmp, reason = "counts are whole")]

#[path = "check_containers/backend.rs"]
mod backend;
#[path = "check_containers/check.rs"]
mod check;
#[path = "check_containers/engine.rs"]
mod engine;
#[path = "check_containers/faults.rs"]
mod faults;
#[path = "check_containers/figures.rs"]
mod figures;
#[path = "check_containers/masks.rs"]
mod masks;
#[path = "check_containers/podman.rs"]
mod podman;
#[path = "check_containers/states.rs"]
mod states;
