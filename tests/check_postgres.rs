//! `check_postgres` against servers that play their part, and servers that misbehave.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test that cannot go on fails")]
#![allow(clippy::indexing_slicing, reason = "a test that is wrong fails")]

#[path = "check_postgres/fake.rs"]
mod fake;
#[path = "check_postgres/strangers.rs"]
mod strangers;

use fake::{Fake, fixture};
use support::contract::{Arguments, Plugin};

support::contract_tests!(Plugin {
    name: "check_postgres",
    binary: env!("CARGO_BIN_EXE_check_postgres").into(),
    good: {
        let server = Fake::recorded("idle.json");
        Arguments::new(server.arguments()).keeping(server)
    },
    hang: || {
        let server = Fake::saying(b"");
        let mut arguments = server.arguments();
        arguments.extend(["--connect-timeout", "1m"].map(str::to_owned));
        Arguments::new(arguments).keeping(server)
    },
    hangs_at: "the connection to 127.0.0.1",
    judged: "connections",
    schema: Some(fixture("../../../packaging/schema/check_postgres.schema.json")),
    foreign_names: &[],
});
