//! `check_backend` with plugins that behave and plugins that do not, and with those of the suite.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test that cannot go on fails")]
#![allow(clippy::indexing_slicing, reason = "a test that is wrong fails")]

#[path = "check_backend/bench.rs"]
mod bench;
#[path = "check_backend/file.rs"]
mod file;
#[path = "check_backend/init.rs"]
mod init;
#[path = "check_backend/plugins.rs"]
mod plugins;
#[path = "check_backend/siblings.rs"]
mod siblings;
#[path = "check_backend/terminal.rs"]
mod terminal;

use std::path::PathBuf;

use support::contract::{Arguments, Plugin};

use bench::Bench;

const SCHEMA: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../packaging/schema/check_backend.schema.json");

fn binary() -> PathBuf {
    env!("CARGO_BIN_EXE_check_backend").into()
}

support::contract_tests!(Plugin {
    name: "check_backend",
    binary: binary(),
    good: {
        let bench = Bench::new();
        bench.add("host", "check_docker_host", &bench::says("OK", "[]", "fine"));
        bench.add("kwanza", "check_kwanza_expvars", &bench::says("OK", "[]", "fine"));
        Arguments::new(bench.arguments()).keeping(bench)
    },
    hang: || {
        let bench = Bench::new();
        bench.add("slow", "check_postgres", "exec sleep 60");
        Arguments::new(bench.arguments()).keeping(bench)
    },
    hangs_at: "slow: check_postgres did not answer",
    judged: "checks",
    schema: Some(SCHEMA.into()),
    foreign_names: &[],
});
