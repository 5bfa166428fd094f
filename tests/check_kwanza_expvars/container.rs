//! `--container`: where the engine says that Kwanza is.

use serde_json::json;
use support::http::{Answer, Server};
use support::run::{Output, Run};
use tempfile::TempDir;

use crate::kwanza::{Site, binary, checked};

const NAME: &str = "deploy_kwanza_1";

/// An engine that knows one container.
struct Engine {
    server: Server,
    _directory: TempDir,
}

impl Engine {
    fn new(answer: Answer) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let server = Server::unix(directory.path().join("docker.sock"), |routes| {
            routes.on("GET", "/_ping", Answer::text("OK").header("Api-Version", "1.41")).on(
                "GET",
                &format!("/v1.41/containers/{NAME}/json"),
                answer,
            )
        });
        Self { server, _directory: directory }
    }

    /// Of a container in this state, with these settings of its network.
    fn with(status: &str, mode: &str, network: &serde_json::Value) -> Self {
        let container = json!({
            "Id": "5ce82ea06a8e", "Name": format!("/{NAME}"), "State": {"Status": status, "ExitCode": 137},
            "HostConfig": {"NetworkMode": mode}, "NetworkSettings": network,
        });
        Self::new(Answer::json(container.to_string()))
    }

    fn run(&self, arguments: &[&str]) -> Output {
        let address = format!("unix://{}", self.server.path().display());
        let run = Run::new(binary()).args(["--docker-host", &address, "--container", NAME]).args(arguments);
        checked(run.output())
    }
}

#[track_caller]
fn assert_says(output: &Output, code: i32, words: &str) {
    assert!(output.code == code && output.first_line().contains(words), "{words}: {}", output.stdout);
}

#[test]
fn a_published_port_is_asked_on_the_host() {
    let site = Site::live();
    let port = site.kwanza.expvars.port().to_string();
    let engine = Engine::with(
        "running",
        "deploy_default",
        &json!({"Ports": {"8080/tcp": [{"HostIp": "0.0.0.0", "HostPort": port}]}, "Networks": {"deploy_default": {"IPAddress": "192.0.2.1"}}}),
    );
    let output = engine.run(&["-v"]);
    assert_says(&output, 0, " streams, ");
    assert!(output.stdout.contains(&format!("from http://127.0.0.1:{port}/debug/vars")), "{}", output.stdout);
    let asked: Vec<String> =
        engine.server.requests().into_iter().map(|request| format!("{} {}", request.method, request.target)).collect();
    assert_eq!(asked, ["GET /_ping", "GET /v1.41/containers/deploy_kwanza_1/json"], "what the README tells of a proxy");
}

#[test]
fn an_unpublished_port_is_asked_at_the_containers_address() {
    let site = Site::at("127.0.7.1");
    let port = site.kwanza.expvars.port().to_string();
    let networks = json!({"Networks": {"deploy_default": {"IPAddress": "127.0.7.1"}}, "Ports": {}});
    let output = Engine::with("running", "deploy_default", &networks).run(&["-p", &port, "-v"]);
    assert_says(&output, 0, " streams, ");
    assert!(output.stdout.contains(&format!("from http://127.0.7.1:{port}/debug/vars")), "{}", output.stdout);
}

#[test]
fn a_container_on_the_hosts_network_is_asked_there() {
    let site = Site::live();
    let port = site.kwanza.expvars.port().to_string();
    assert_says(&Engine::with("running", "host", &json!({})).run(&["-p", &port]), 0, " streams, ");
}

#[test]
fn a_container_that_does_not_run_is_critical() {
    let output = Engine::with("exited", "deploy_default", &json!({})).run(&[]);
    assert_says(&output, 2, "container deploy_kwanza_1 cannot be reached: it does not run, it is exited");
    assert!(output.stdout.contains("-> docker-compose up kwanza"), "{}", output.stdout);
    let output = Engine::new(Answer::status(404, r#"{"message":"No such container"}"#)).run(&[]);
    assert_says(&output, 2, "container deploy_kwanza_1 cannot be reached: there is no such container");
    let output = Engine::with("running", "none", &json!({"Networks": {"none": {"IPAddress": ""}}})).run(&[]);
    assert_says(&output, 2, "port 8080 is not published, and it has no address of its own");
}

#[test]
fn a_port_that_nothing_listens_at_in_a_container_is_told() {
    let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port().to_string();
    let output = Engine::with("running", "host", &json!({})).run(&["-p", &free]);
    assert_says(&output, 2, &format!("nothing listens at http://127.0.0.1:{free}/debug/vars"));
}

#[test]
fn an_engine_that_does_not_tell_is_unknown() {
    let run =
        |address: &str| checked(Run::new(binary()).args(["--docker-host", address, "--container", NAME]).output());
    let output = run("unix:///nonexistent/docker.sock");
    assert_says(&output, 3, "the container cannot be looked up: ");
    assert!(output.stdout.contains("-> -H or --url do without the engine"), "{}", output.stdout);
    let output = Engine::new(Answer::status(403, r#"{"message":"forbidden by the proxy"}"#)).run(&[]);
    assert_says(&output, 3, "the container cannot be looked up: ");
    let output = Engine::new(Answer::status(500, r#"{"message":"no space left"}"#)).run(&[]);
    assert_says(&output, 3, "no space left");
    let output = Engine::new(Answer::json("{")).run(&[]);
    assert_says(&output, 3, "the container cannot be looked up: ");
    let output = Engine::new(Answer::HangBeforeHeaders).run(&["-t", "1s"]);
    assert_says(&output, 3, "does not answer");
}
