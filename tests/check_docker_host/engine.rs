//! The engine: down, hanging, odd, and what it tells.

use std::os::fd::AsRawFd as _;
use std::time::Duration;

use nix::sys::socket::{AddressFamily, Backlog, SockFlag, SockType, UnixAddr, bind, connect, listen, socket};
use support::http::Answer;

use crate::host::{Host, healthy_engine, recorded};

#[test]
fn critical_disk_of_docker() {
    Host::new("disk_96").with_engine(healthy_engine).assert("critical_disk_of_docker", &[]);
}

#[test]
fn critical_engine_down() {
    let host = Host::new("healthy").with_engine(healthy_engine);
    assert_eq!(host.run(&[]).code, 0);
    std::fs::remove_file(host.path("docker.sock")).unwrap();
    // The data root is remembered, so its disk is still judged.
    host.assert("critical_engine_down", &[]);
}

#[test]
fn critical_engine_hangs() {
    let host = Host::new("healthy").with_engine(|routes| routes.on("GET", "/_ping", Answer::HangBeforeHeaders));
    let output = host.run(&["-t", "1s"]);
    assert_eq!(output.code, 2, "{}", output.stdout);
    assert!(output.first_line().contains("accepts connections and does not answer"), "{}", output.stdout);
    assert!(output.elapsed < Duration::from_millis(1500), "{:?}", output.elapsed);
    assert!(output.stdout.contains("memory_used_percent="), "the rest is judged: {}", output.stdout);
}

#[test]
fn critical_engine_that_is_none() {
    let faults: [(&str, Answer); 6] = [
        ("does not answer as it should", Answer::Raw(b"SSH-2.0-OpenSSH_9.2\r\n".to_vec())),
        (
            "does not answer as it should: it answers HTTP 500: no space left",
            Answer::status(500, r#"{"message":"no space left"}"#),
        ),
        ("not answered with OK", Answer::text("<html>")),
        ("longer than 1 MiB", Answer::Endless),
        ("connection broke off", Answer::CloseMidBody(b"O".to_vec())),
        ("does not answer", Answer::HangAfterHeaders),
    ];
    for (sentence, answer) in faults {
        let described = format!("{answer:?}");
        let host = Host::new("healthy").with_engine(|routes| routes.on("GET", "/_ping", answer));
        let output = host.run(&["-t", "2s"]);
        assert_eq!(output.code, 2, "{described}: {}", output.stdout);
        assert!(output.first_line().contains(sentence), "{described}: {}", output.stdout);
    }
}

#[test]
fn engine_without_info_is_critical_and_with_odd_info_is_not() {
    let info = |answer: Answer| {
        Host::new("healthy")
            .with_engine(|routes| {
                routes.on("GET", "/_ping", Answer::text("OK").header("Api-Version", "1.99")).on(
                    "GET",
                    "/v1.51/info",
                    answer,
                )
            })
            .run(&[])
    };
    let broken = info(Answer::json("{\"Containers"));
    assert_eq!(broken.code, 2, "{}", broken.stdout);
    assert!(broken.first_line().contains("answers a ping, but not for its state"), "{}", broken.stdout);
    for odd in ["{}", r#"{"Warnings": null, "ContainersRunning": null, "New": [1]}"#] {
        let output = info(Answer::json(odd));
        assert_eq!(output.code, 0, "{odd}: {}", output.stdout);
    }
}

#[test]
fn warnings_of_the_engine_are_counted_and_cannot_forge_output() {
    let text = String::from_utf8(recorded("info.json")).unwrap();
    let warned = text
        .replace("\"Warnings\":null", r#""Warnings":["WARNING: No swap limit support","a | b=1\nCRITICAL\u001b[31m"]"#);
    assert_ne!(warned, text);
    let host = Host::new("healthy").with_engine(|routes| {
        routes.on("GET", "/_ping", Answer::text("OK").header("Api-Version", "1.41")).on(
            "GET",
            "/v1.41/info",
            Answer::json(warned),
        )
    });
    let output = host.run(&["-v"]);
    assert!(output.stdout.contains("docker_warnings=2"), "{}", output.stdout);
    assert!(output.stdout.contains("(the engine warns: a / b=1 CRITICAL)"), "{}", output.stdout);
    assert_eq!(output.code, 0);
}

#[test]
fn critical_engine_that_is_stopped_with_a_full_backlog() {
    let host = Host::new("disk_96");
    let path = host.path("docker.sock");
    let address = UnixAddr::new(&path).unwrap();
    let server = socket(AddressFamily::Unix, SockType::Stream, SockFlag::empty(), None).unwrap();
    bind(server.as_raw_fd(), &address).unwrap();
    listen(&server, Backlog::new(0).unwrap()).unwrap();
    // Nobody accepts what waits, until the next one would have to wait for a place.
    let mut waiting = Vec::new();
    loop {
        let client = socket(AddressFamily::Unix, SockType::Stream, SockFlag::SOCK_NONBLOCK, None).unwrap();
        if connect(client.as_raw_fd(), &address).is_err() {
            break;
        }
        waiting.push(client);
    }
    assert!(!waiting.is_empty());
    let address = format!("unix://{}", path.display());
    let mut options = host.options();
    options.retain(|option| option != "--no-docker");
    let output = support::run::Run::new(crate::host::binary())
        .args(options)
        .args(["--docker-host", &address, "-t", "1s"])
        .state_dir(host.state.path())
        .output();
    assert_eq!(output.code, 2, "{}", output.stdout);
    assert!(output.first_line().contains("disk /var 96 %"), "{}", output.stdout);
    assert!(output.stdout.contains("accepts connections and does not answer"), "{}", output.stdout);
    assert!(output.elapsed < Duration::from_millis(1500), "{:?}", output.elapsed);
}

#[test]
fn unknown_where_a_proxy_forbids_to_ask() {
    let forbidden = |ping: Answer, info: Answer| {
        Host::new("healthy").with_engine(|routes| routes.on("GET", "/_ping", ping).on("GET", "/info", info)).run(&[])
    };
    let no_info = forbidden(Answer::text("OK"), Answer::status(403, "no"));
    assert_eq!(no_info.code, 3, "{}", no_info.stdout);
    assert!(no_info.stdout.contains("-> let the proxy before the engine pass GET of /info"), "{}", no_info.stdout);
    let nothing = forbidden(Answer::status(401, "no"), Answer::status(401, "no"));
    assert_eq!(nothing.code, 3, "{}", nothing.stdout);
}
