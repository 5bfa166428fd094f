//! `check_endpoint` on the guide's deployment, on a real engine. tests/run starts that and runs this as root:
//!
//! `cargo test -p check_endpoint --test e2e_check_endpoint -- --test-threads=1`

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test that cannot go on fails")]

use std::path::PathBuf;

use support::live::{Engine, eventually};
use support::run::{Output, Run};
use support::stand::Stand;
use support::tool::{need, run};

fn check(arguments: &[&str]) -> Output {
    let binary: PathBuf = env!("CARGO_BIN_EXE_check_endpoint").into();
    let output = Run::new(binary).args(arguments).output();
    assert_eq!(output.stderr, "", "{}", output.stdout);
    output
}

#[track_caller]
fn says(code: i32, arguments: &[&str], words: &[&str]) -> Output {
    let output = check(arguments);
    assert_eq!(output.code, code, "{}", output.stdout);
    for word in words {
        assert!(output.stdout.contains(word), "'{word}' is expected in: {}", output.stdout);
    }
    output
}

/// `NAME=SCHEME://127.0.0.1:PORT`, for a port in the container of a service.
fn url(stand: &Stand, name: &str, scheme: &str, service: &str, port: u16) -> String {
    format!("{name}={scheme}://127.0.0.1:{}", stand.port(service, port))
}

#[test]
fn what_the_deployment_publishes_answers() {
    let engine = Engine::given();
    let stand = Stand::start(&engine);
    let http = url(&stand, "kwanza-http", "http", "kwanza", 8000);
    let vars = format!("{}/debug/vars", url(&stand, "kwanza-vars", "http", "kwanza", 6060));
    let grpc = url(&stand, "kwanza-grpc", "grpc", "kwanza", 8001);
    let database = url(&stand, "postgres", "tcp", "postgres", 5432);
    let moved = format!("{}/", url(&stand, "cuesta-moved", "http", "cuesta", 80));
    let page = format!("{}/", url(&stand, "cuesta", "https", "cuesta", 443));

    says(0, &[&http], &["HTTP 404 in ", "listener answers, no path checked"]);
    says(0, &[&vars, "--expect-body", "\"Notifications\": [0-9]+"], &["HTTP 200 in "]);
    says(0, &[&grpc], &["SERVING in ", "kwanza-grpc:grpc_status=0"]);
    says(0, &[&grpc, "--grpc-service", ""], &["SERVING"]);
    says(3, &[&grpc, "--grpc-service", "nobody"], &["does not know 'nobody'"]);
    says(0, &[&database], &["connects in "]);
    says(0, &[&moved, "--expect-redirect", "https://127.0.0.1/"], &["HTTP 301 in ", "leads to https://127.0.0.1/"]);
    says(2, &[&page], &["cuesta has a self-signed certificate, which is not trusted here", "cuesta:cert_expiry="]);
    let words = ["HTTP 200 in ", "(self-signed, not verified)", "TLS 1.3", "EC P-256"];
    says(0, &[&page, "--insecure", "--expect-body", "<title>Cuesta</title>", "-v"], &words);
    says(2, &[&grpc.replace("grpc://", "https://")], &["speaks plain HTTP/2, as gRPC does, and no TLS"]);
    says(
        2,
        &[&page.replace("https://", "http://")],
        &["cuesta speaks TLS, and was asked for plain HTTP", "-> ask with TLS: https://"],
    );
    says(0, &[&http, &vars, &grpc, &database, &moved, &page, "--insecure"], &["6 endpoints answer, slowest "]);
}

#[test]
fn ok_the_certificate_of_the_server_itself_is_trusted() {
    let engine = Engine::given();
    let stand = Stand::start(&engine);
    let port = stand.port("cuesta", 443);
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("cuesta.pem");
    let openssl = need("openssl", "apt-get install openssl").display().to_string();
    let command = format!(
        "{openssl} s_client -connect 127.0.0.1:{port} </dev/null 2>/dev/null | {openssl} x509 -out {}",
        file.display()
    );
    run("sh", &["-c", &command]);
    let page = format!("https://127.0.0.1:{port}/");
    says(0, &[&page, "--ca-file", file.to_str().unwrap()], &["HTTP 200 in ", "certificate ends in "]);
}

#[test]
fn a_service_that_is_down_is_named_with_the_guides_next_step() {
    let engine = Engine::given();
    let stand = Stand::start(&engine);
    let grpc = url(&stand, "kwanza", "grpc", "kwanza", 8001);
    let page = format!("{}/", url(&stand, "cuesta", "https", "cuesta", 443));
    let both = [grpc.as_str(), page.as_str(), "--insecure"];
    says(0, &both, &["2 endpoints answer"]);
    stand.docker(&["kill", "deploy_kwanza_1"]).unwrap();
    // The port is given back a moment after the container has ended.
    eventually("the port to be closed", || check(&both).stdout.contains("refuses connections"));
    let words = [
        "kwanza refuses connections, nothing listens at 127.0.0.1:",
        "1 of 2 endpoints up",
        "-> docker-compose ps kwanza; docker-compose up -d kwanza",
        "-> docker-compose logs --tail 50 kwanza (why it ended)",
        "kwanza:up=0",
    ];
    says(2, &both, &words);
    // The guide's step mends it.
    stand.compose(&["up", "-d", "kwanza"]).unwrap();
    stand.wait("kwanza", 8000);
    says(0, &both, &["2 endpoints answer"]);
}

#[test]
fn a_database_that_is_down_shows_at_its_own_port_alone() {
    let engine = Engine::given();
    let stand = Stand::start(&engine);
    let grpc = url(&stand, "kwanza", "grpc", "kwanza", 8001);
    let database = url(&stand, "postgres", "tcp", "postgres", 5432);
    says(0, &[&grpc, &database], &["2 endpoints answer"]);
    stand.compose(&["stop", "postgres"]).unwrap();
    eventually("the port to be closed", || check(&[&grpc, &database]).stdout.contains("refuses connections"));
    // Kwanza looks for its database when it starts, and goes on to listen afterwards.
    let words = ["postgres refuses connections", "docker-compose up -d postgres", "1 of 2 endpoints up", "kwanza:up=1"];
    says(2, &[&grpc, &database], &words);
}
