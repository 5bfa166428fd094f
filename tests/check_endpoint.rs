//! `check_endpoint` against servers on loopback, those that work and those that misbehave.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test that cannot go on fails")]
#![allow(clippy::indexing_slicing, reason = "a test that is wrong fails")]

#[path = "check_endpoint/authority.rs"]
mod authority;
#[path = "check_endpoint/certificates.rs"]
mod certificates;
#[path = "check_endpoint/grpc.rs"]
mod grpc;
#[path = "check_endpoint/http.rs"]
mod http;
#[path = "check_endpoint/network.rs"]
mod network;
#[path = "check_endpoint/options.rs"]
mod options;

use std::io::Write as _;
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::PathBuf;

use support::contract::{Arguments, Plugin};
use support::http::{Answer, Server};
use support::run::{Output, Run};

const SCHEMA: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../packaging/schema/check_endpoint.schema.json");

fn binary() -> PathBuf {
    env!("CARGO_BIN_EXE_check_endpoint").into()
}

support::contract_tests!(Plugin {
    name: "check_endpoint",
    binary: binary(),
    good: {
        let server = Server::tcp(|routes| routes.on("GET", "/status", Answer::text("fine")));
        Arguments::new([format!("kwanza=http://{}/status", server.address())]).keeping(server)
    },
    hang: || {
        // A pipe that nobody writes to stands for a file that never answers.
        let directory = tempfile::tempdir().expect("a temporary directory");
        let pipe = directory.path().join("headers").display().to_string();
        support::tool::run("mkfifo", &[&pipe]);
        Arguments::new(["tcp://127.0.0.1:1", "--header-file", &pipe]).keeping(directory)
    },
    hangs_at: "the header file",
    judged: "time",
    schema: Some(SCHEMA.into()),
    foreign_names: &[],
});

/// Runs the check with `arguments`.
#[track_caller]
fn check(arguments: &[&str]) -> Output {
    let output = Run::new(binary()).args(arguments).output();
    assert_eq!(output.stderr, "", "{}", output.stdout);
    output
}

/// Runs the check, which must end with `code` and say each of `words`.
#[track_caller]
fn says(code: i32, arguments: &[&str], words: &[&str]) -> Output {
    let output = check(arguments);
    assert_eq!(output.code, code, "{arguments:?}: {}", output.stdout);
    for word in words {
        assert!(output.stdout.contains(word), "{arguments:?}: '{word}' is expected in: {}", output.stdout);
    }
    output
}

/// A server that `serve` is every connection of; its threads end with the test.
fn serve(serve: impl Fn(TcpStream) + Send + Sync + Clone + 'static) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let (serve, stream) = (serve.clone(), stream.unwrap());
            std::thread::spawn(move || serve(stream));
        }
    });
    address
}

/// A server that says `greeting` at once, and then waits for the client to go.
fn greets(greeting: &'static [u8]) -> SocketAddr {
    serve(move |mut stream| {
        let _ = stream.write_all(greeting);
        let _ = std::io::copy(&mut stream, &mut std::io::sink());
    })
}

/// A port that nobody listens at.
fn free_port() -> SocketAddr {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap()
}
