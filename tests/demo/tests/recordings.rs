//! What is played where PostgreSQL is not installed, and the program that asks for it.
//!
//! `UPDATE_GOLDEN=1 cargo test -p demo --test recordings` records anew, for which PostgreSQL has to be installed. The
//! dump is made anew where it was removed.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test that cannot go on fails")]
#![allow(clippy::indexing_slicing, reason = "a test that is wrong fails")]

use std::fs;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::Path;

use backend::Backend;
use backend::database::{self, DUMP, Starting};
use backend::recorded::{RECORDING, Relay};
use demo::suite::{Plugin, Suite};
use support::golden::UPDATE;
use support::postgres::Cluster;
use support::run::Run;

/// What the program is told of a server at `port`, and that a server that is young or old is no fault.
fn arguments(port: u16) -> Vec<String> {
    let words = format!("-H 127.0.0.1 -p {port} -U monitoring -w uptime= -w end_of_life=");
    words.split(' ').map(str::to_owned).collect()
}

fn record(suite: &Suite) {
    let cluster = Cluster::plan().start();
    cluster.psql("CREATE DATABASE kwanza");
    database::fill(&cluster);
    // No two dumps are the same, and this one need not be newer than the tables.
    if !Path::new(DUMP).exists() {
        fs::write(DUMP, database::dump(&cluster)).unwrap();
    }
    let relay = Relay::start(SocketAddr::from((Ipv4Addr::LOCALHOST, cluster.port()))).unwrap();
    let run = Run::new(suite.programs.join(Plugin::Postgres.name())).args(arguments(relay.address.port())).output();
    assert_eq!(run.code, 0, "{}", run.stdout);
    fs::write(RECORDING, relay.recording()).unwrap();
}

#[test]
fn the_recording_of_postgres_answers_what_the_program_asks() {
    let suite = Suite::build().unwrap();
    if std::env::var_os(UPDATE).is_some_and(|value| value == "1") {
        record(&suite);
    }
    let mut backend = Backend::start(Starting::recorded().unwrap()).unwrap();
    backend.database().unwrap();
    let run = Run::new(suite.programs.join(Plugin::Postgres.name())).args(arguments(backend.ports().postgres));
    // Twice, so that what is compared with the last run is there too.
    for output in [run.output(), run.output()] {
        assert_eq!(output.code, 0, "UPDATE_GOLDEN=1 records anew: {}", output.stdout);
        assert!(!output.stdout.contains("the recording holds no answer"), "{}", output.stdout);
        assert!(output.first_line().contains("kwanza:database_size="), "{}", output.stdout);
    }
}
