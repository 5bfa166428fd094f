//! `check_docker_host` on the real machine, with a real engine. tests/run starts that and runs this as root:
//!
//! `cargo test -p check_docker_host --test e2e_check_docker_host -- --test-threads=1`

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test that cannot go on fails")]
#![allow(clippy::indexing_slicing, reason = "a test that is wrong fails")]

#[path = "check_docker_host/check.rs"]
mod check;
#[path = "check_docker_host/disks.rs"]
mod disks;
#[path = "check_docker_host/engine.rs"]
mod engine;
#[path = "check_docker_host/machine.rs"]
mod machine;
#[path = "check_docker_host/processes.rs"]
mod processes;
#[path = "check_docker_host/samples.rs"]
mod samples;
