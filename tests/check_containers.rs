//! `check_containers` against engines that answer from recordings, and engines that misbehave.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test that cannot go on fails")]
#![allow(clippy::indexing_slicing, reason = "a test that is wrong fails")]

#[path = "check_containers/compose.rs"]
mod compose;
#[path = "check_containers/engine.rs"]
mod engine;
#[path = "check_containers/host.rs"]
mod host;
#[path = "check_containers/logs.rs"]
mod logs;
#[path = "check_containers/privileges.rs"]
mod privileges;
#[path = "check_containers/samples.rs"]
mod samples;
#[path = "check_containers/selection.rs"]
mod selection;
#[path = "check_containers/states.rs"]
mod states;

use std::path::Path;

use host::{DOCKER, Engine, FIXTURES, Host, binary};
use support::contract::{Arguments, Plugin};

support::contract_tests!(Plugin {
    name: "check_containers",
    binary: binary(),
    good: {
        let host = Host::of(&Engine::recorded(DOCKER).with_only(&["deploy_postgres_1", "deploy_kwanza_1"]));
        Arguments::new(host.options()).keeping(host)
    },
    hang: || {
        // A pipe that nobody writes to stands for a file that never answers: an engine that hangs is CRITICAL.
        let host = Host::new(DOCKER);
        let file = host.path("docker-compose.yml").display().to_string();
        support::tool::run("mkfifo", &[&file]);
        Arguments::new(host.options().into_iter().chain(["--compose-file".to_owned(), file])).keeping(host)
    },
    hangs_at: "the compose file",
    judged: "memory_used",
    schema: Some(Path::new(FIXTURES).join("../../../packaging/schema/check_containers.schema.json")),
    foreign_names: &[],
});
