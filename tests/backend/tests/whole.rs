//! The whole backend, where PostgreSQL is not installed.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::os::unix::fs::PermissionsExt as _;
use std::os::unix::net::UnixStream;
use std::time::{Duration, SystemTime};

use backend::database::{Source, Starting};
use backend::{Backend, Fault};

fn backend() -> Backend {
    let mut backend = Backend::start(Starting::recorded().unwrap()).unwrap();
    assert_eq!(backend.database().unwrap(), Some(&Source::Recording("no server was asked for".to_owned())));
    backend
}

/// What the engine answers, head and body.
fn ask(backend: &Backend, request: &str) -> (String, String) {
    let mut stream = UnixStream::connect(backend.folder().join("docker.sock")).unwrap();
    write!(stream, "{request} HTTP/1.1\r\nHost: docker\r\nConnection: close\r\n\r\n").unwrap();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).unwrap();
    let answer = String::from_utf8_lossy(&answer).into_owned();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    (head.to_owned(), body.to_owned())
}

#[test]
fn the_engine_answers_as_one() {
    let backend = backend();
    let (head, body) = ask(&backend, "GET /_ping");
    assert!(head.contains("Api-Version: 1.41") && body == "OK", "{head}\n{body}");
    for prefix in ["", "/v1.41", "/v1.24"] {
        let (head, list) = ask(&backend, &format!("GET {prefix}/containers/json?all=1"));
        assert!(head.starts_with("HTTP/1.1 200 "), "{head}");
        let list: serde_json::Value = serde_json::from_str(&list).unwrap();
        assert_eq!(list.as_array().unwrap().len(), 3);
        let port = &list[2]["Ports"][0]["PublicPort"];
        assert_eq!(port, &serde_json::Value::from(backend.ports().postgres));
        let id = list[2]["Id"].as_str().unwrap();
        for name in ["deploy_postgres_1", id, &id[..12]] {
            let (_, body) = ask(&backend, &format!("GET {prefix}/containers/{name}/json"));
            assert!(body.contains(&format!("\"Id\":\"{id}\"")), "{body}");
        }
    }
    for (request, status) in [
        ("GET /containers/deploy_redis_1/json", 404),
        ("GET /containers/deploy_postgres_1/top", 404),
        ("GET /volumes", 404),
        ("POST /containers/deploy_postgres_1/stop", 403),
        ("DELETE /containers/deploy_postgres_1", 403),
    ] {
        let (head, body) = ask(&backend, request);
        assert!(head.starts_with(&format!("HTTP/1.1 {status} ")), "{request}: {head}");
        assert!(body.starts_with("{\"message\":"), "{request}: {body}");
    }
}

#[test]
fn a_container_that_has_ended_is_seen_everywhere() {
    let mut backend = backend();
    let port = backend.ports().postgres;
    assert!(TcpStream::connect(("127.0.0.1", port)).is_ok());
    backend.fail(Fault::PostgresDown).unwrap();
    assert!(TcpStream::connect(("127.0.0.1", port)).is_err());
    assert_eq!(backend.database().unwrap(), None);
    let (_, running) = ask(&backend, "GET /containers/json");
    assert!(!running.contains("deploy_postgres_1"), "{running}");
    let (_, all) = ask(&backend, "GET /containers/json?all=1");
    assert!(all.contains("\"Status\":\"Exited (137) 0 seconds ago\""), "{all}");
    let (_, info) = ask(&backend, "GET /info");
    assert!(info.contains("\"ContainersRunning\":2") && info.contains("\"ContainersStopped\":1"), "{info}");
    let (_, stats) = ask(&backend, "GET /containers/deploy_postgres_1/stats?stream=false");
    assert!(stats.contains("\"read\":\"0001-01-01T00:00:00Z\""), "{stats}");
    assert!(!backend.folder().join("host/proc/1500").exists());
}

/// How old the dumps are, in hours, by their files.
fn ages(backend: &Backend) -> Vec<u64> {
    let folder = backend.folder().join("deploy/backup");
    let mut ages: Vec<u64> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| {
            let metadata = entry.unwrap().metadata().unwrap();
            assert_eq!(metadata.permissions().mode() & 0o777, 0o600);
            SystemTime::now().duration_since(metadata.modified().unwrap()).unwrap().as_secs() / 3600
        })
        .collect();
    ages.sort_unstable();
    ages
}

#[test]
fn backups_grow_old() {
    let mut backend = backend();
    assert_eq!(ages(&backend), [5, 29, 53]);
    backend.fail(Fault::StaleBackup).unwrap();
    assert_eq!(ages(&backend), [101, 125, 149]);
}

#[test]
fn the_certificate_is_another_at_the_same_port() {
    let mut backend = backend();
    let certificate = || std::fs::read_to_string(backend.folder().join("cuesta.pem")).unwrap();
    let (first, ports) = (certificate(), backend.ports());
    backend.fail(Fault::CertExpiring).unwrap();
    let second = std::fs::read_to_string(backend.folder().join("cuesta.pem")).unwrap();
    assert!(first != second && second.starts_with("-----BEGIN CERTIFICATE-----"));
    assert_eq!(backend.ports(), ports);
}

#[test]
fn two_backends_live_side_by_side_and_leave_nothing() {
    let (one, two) = (backend(), backend());
    let folders = [one.folder().to_owned(), two.folder().to_owned()];
    let ports = one.ports();
    assert_ne!(ports.grpc, two.ports().grpc);
    drop((one, two));
    assert!(folders.iter().all(|folder| !folder.exists()));
    assert!(TcpStream::connect_timeout(&([127, 0, 0, 1], ports.grpc).into(), Duration::from_secs(1)).is_err());
}
