//! The HTTP client over a unix socket and TCP, shared by threads.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test that cannot go on fails")]

use std::io::{Read, Write};
use std::net::TcpListener;
use std::os::unix::net::UnixListener;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use common::http::{Client, Endpoint, HttpError};

const PATIENCE: Duration = Duration::from_secs(10);
const BODY: usize = 100_000;

/// Answers the requests of a connection; a request of `/close` is its last.
fn answer(mut stream: impl Read + Write) {
    let mut head = Vec::new();
    let mut byte = [0];
    while let Ok(1) = stream.read(&mut byte) {
        head.push(byte[0]);
        if head.ends_with(b"\r\n\r\n") {
            let answer = format!("HTTP/1.1 200 OK\r\nContent-Length: {BODY}\r\n\r\n{}", "x".repeat(BODY));
            if stream.write_all(answer.as_bytes()).is_err() || head.starts_with(b"GET /close ") {
                return;
            }
            head.clear();
        }
    }
}

/// Serves the connections that `accept` gives, and counts them.
fn serve<S: Read + Write + Send + 'static>(mut accept: impl FnMut() -> S + Send + 'static) -> Arc<AtomicUsize> {
    let connections = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&connections);
    std::thread::spawn(move || {
        loop {
            let stream = accept();
            count.fetch_add(1, Ordering::SeqCst);
            std::thread::spawn(move || answer(stream));
        }
    });
    connections
}

/// A server on a unix socket and one on TCP, with their counts of connections.
fn servers(directory: &tempfile::TempDir) -> [(Endpoint, Arc<AtomicUsize>); 2] {
    let path = directory.path().join("socket");
    let unix = UnixListener::bind(&path).unwrap();
    let tcp = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = tcp.local_addr().unwrap().to_string();
    [
        (Endpoint::Unix(path), serve(move || unix.accept().unwrap().0)),
        (Endpoint::Tcp(address), serve(move || tcp.accept().unwrap().0)),
    ]
}

#[test]
fn there_are_no_more_connections_than_threads() {
    let directory = tempfile::tempdir().unwrap();
    for (endpoint, connections) in servers(&directory) {
        let client = Client::new(&endpoint);
        std::thread::scope(|scope| {
            for _ in 0..16 {
                scope.spawn(|| {
                    for _ in 0..20 {
                        assert_eq!(client.get("/", PATIENCE, 1 << 20).unwrap().body.len(), BODY);
                    }
                });
            }
        });
        let opened = connections.load(Ordering::SeqCst);
        assert!((1..=16).contains(&opened), "{endpoint}: {opened} connections for 16 threads");
    }
}

#[test]
fn no_more_connections_are_kept_than_asked_for() {
    let directory = tempfile::tempdir().unwrap();
    for (endpoint, connections) in servers(&directory) {
        let client = Client::with_idle(&endpoint, 0);
        for _ in 0..3 {
            client.get("/", PATIENCE, 1 << 20).unwrap();
        }
        assert_eq!(connections.load(Ordering::SeqCst), 3, "{endpoint}");
    }
}

#[test]
fn a_connection_that_the_server_closed_is_replaced() {
    let directory = tempfile::tempdir().unwrap();
    for (endpoint, connections) in servers(&directory) {
        let client = Client::new(&endpoint);
        client.get("/close", PATIENCE, 1 << 20).unwrap();
        std::thread::sleep(Duration::from_millis(50));
        client.get("/", PATIENCE, 1 << 20).unwrap();
        client.get("/", PATIENCE, 1 << 20).unwrap();
        assert_eq!(connections.load(Ordering::SeqCst), 2, "{endpoint}");
    }
}

#[test]
fn a_body_that_is_too_long_is_an_error_or_cut_as_asked() {
    let directory = tempfile::tempdir().unwrap();
    let length = u64::try_from(BODY).unwrap();
    for (endpoint, _) in servers(&directory) {
        let client = Client::new(&endpoint);
        assert!(matches!(client.get("/", PATIENCE, length - 1), Err(HttpError::TooLarge(_))), "{endpoint}");
        assert!(!client.get("/", PATIENCE, length).unwrap().is_cut);
        let cut = client.get_first("/", PATIENCE, 1000).unwrap();
        assert!(cut.is_cut && cut.body == b"x".repeat(1000), "{endpoint}");
        let whole = client.get_first("/", PATIENCE, length).unwrap();
        assert!(!whole.is_cut && whole.body.len() == BODY, "{endpoint}");
    }
}
