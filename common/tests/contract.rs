//! The contract, kept by the smallest complete plugin.

#![allow(clippy::expect_used, reason = "a test that cannot go on fails")]

mod example;

use support::contract::{Arguments, Plugin};

support::contract_tests!(Plugin {
    name: "check_example",
    binary: example::binary(),
    good: Arguments::new(["5", "--lines", "3"]),
    hang: || Arguments::new(["5", "--hang", "60s"]),
    hangs_at: "the example's nap",
    judged: "value",
    schema: None,
    foreign_names: &[],
});
