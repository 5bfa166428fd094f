//! Kwanza and Cuesta in the process of the test, at free ports.

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::Mutex;
use std::time::{Duration, Instant};

use backend::grpc::Serving;
use backend::kwanza::Registry;
use backend::{Cuesta, Kwanza, cuesta, expvar, kwanza};

/// All that comes back when `request` is sent to `address`, as text.
#[track_caller]
fn ask(address: SocketAddr, request: &str) -> String {
    let mut stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
    write!(stream, "{request} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n").unwrap();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).unwrap();
    String::from_utf8_lossy(&answer).to_lowercase()
}

#[test]
fn expvars_come_in_the_form_of_go() {
    let kwanza = Kwanza::start(&kwanza::Config::loopback()).unwrap();
    for address in [kwanza.expvars, kwanza.profiling] {
        let answer = ask(address, "GET /debug/vars");
        assert!(answer.starts_with("http/1.1 200 ok\r\n"), "{answer}");
        assert!(answer.contains("\r\ncontent-type: application/json; charset=utf-8\r\n"), "{answer}");
        assert!(
            answer.contains("\r\ntransfer-encoding: chunked\r\n") && !answer.contains("content-length"),
            "{answer}"
        );
        assert!(answer.contains("\n\"cmdline\": [\"kwanza\",\"serve\"],\n"), "{answer}");
    }
    let refused = ask(kwanza.expvars, "POST /debug/vars");
    assert!(refused.starts_with("http/1.1 405 ") && refused.contains("\r\nallow: get, head\r\n"), "{refused}");
}

/// The head of an answer without its date, in order; hyper puts its headers in another one than Go.
fn head(answer: &str) -> Vec<&str> {
    let (head, _) = answer.split_once("\r\n\r\n").unwrap();
    let mut lines: Vec<&str> = head.split("\r\n").filter(|line| !line.starts_with("Date: ")).collect();
    lines.sort_unstable();
    lines
}

#[test]
fn the_heads_are_those_of_go() {
    let kwanza = Kwanza::start(&kwanza::Config::loopback()).unwrap();
    let raw = |address, method| {
        let request = format!("{method} /debug/vars HTTP/1.1\r\nHost: kwanza\r\n\r\n");
        let mut stream = TcpStream::connect(address).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
        stream.write_all(request.as_bytes()).unwrap();
        let mut answer = Vec::new();
        while !answer.windows(4).any(|end| end == b"\r\n\r\n") {
            let mut piece = [0; 4096];
            let count = stream.read(&mut piece).unwrap();
            assert_ne!(count, 0, "{}", String::from_utf8_lossy(&answer));
            answer.extend_from_slice(&piece[..count]);
        }
        String::from_utf8_lossy(&answer).into_owned()
    };
    for (answer, recorded) in [
        (raw(kwanza.expvars, "GET"), include_str!("../../fixtures/check_kwanza_expvars/go-1.23/healthy.http")),
        (raw(kwanza.expvars, "POST"), include_str!("../../fixtures/check_kwanza_expvars/go-1.23/post.http")),
        (raw(kwanza.http, "GET"), include_str!("../../fixtures/check_kwanza_expvars/go-1.23/other_mux.http")),
    ] {
        assert_eq!(head(&answer), head(recorded));
    }
}

#[test]
fn what_is_recorded_is_served_as_it_is() {
    let kwanza = Kwanza::start(&kwanza::Config::loopback()).unwrap();
    let body = include_bytes!("../../fixtures/check_kwanza_expvars/go-1.19/nan.json");
    kwanza.figures().answer = Some(expvar::Answer::Body(body.to_vec()));
    assert!(ask(kwanza.expvars, "GET /debug/vars").contains("\n\"pingsprsec\": +inf,\n"));

    let cut = include_bytes!("../../fixtures/check_kwanza_expvars/go-1.19/panic_in_panic.http");
    kwanza.figures().answer = Some(expvar::Answer::Raw(cut.to_vec()));
    assert_eq!(ask(kwanza.expvars, "GET /debug/vars"), String::from_utf8_lossy(cut).to_lowercase());
    assert!(ask(kwanza.profiling, "GET /debug/vars").ends_with("\r\n0\r\n\r\n"), "the page elsewhere");

    kwanza.figures().answer = None;
    kwanza.figures().show("Streams", "0");
    assert!(ask(kwanza.expvars, "GET /debug/vars").contains("\n\"streams\": 0,\n"));
}

#[test]
fn a_rate_holds_by_the_clock() {
    let kwanza = Kwanza::start(&kwanza::Config::loopback()).unwrap();
    kwanza.figures().rate("Notifications", 100.0);
    let notifications = || {
        let page = ask(kwanza.expvars, "GET /debug/vars");
        let number = page.split_once("\"notifications\": ").unwrap().1.split_once(',').unwrap().0;
        (number.parse::<f64>().unwrap(), Instant::now())
    };
    let ((first, began), (mut last, mut ended)) = (notifications(), notifications());
    while ended - began < Duration::from_millis(500) {
        (last, ended) = notifications();
    }
    // Either count was taken at most a request before its time.
    let off = (last - first) - (ended - began).as_secs_f64() * 100.0;
    assert!(off.abs() < 20.0, "{off}");
}

#[test]
fn profiles_have_an_index_and_other_paths_nothing() {
    let kwanza = Kwanza::start(&kwanza::Config::loopback()).unwrap();
    assert!(ask(kwanza.profiling, "GET /debug/pprof").contains("\r\nlocation: /debug/pprof/\r\n"));
    assert!(ask(kwanza.profiling, "GET /debug/pprof/").contains("<title>/debug/pprof/</title>"));
    let goroutines = ask(kwanza.profiling, "GET /debug/pprof/goroutine?debug=1");
    assert!(goroutines.contains("\r\n\r\ngoroutine profile: total 23\n"), "{goroutines}");
    for (address, path, line) in [
        (kwanza.profiling, "/debug/pprof/nothing", "unknown profile"),
        (kwanza.profiling, "/", "404 page not found"),
        (kwanza.http, "/", "404 page not found"),
        (kwanza.http, "/debug/vars", "404 page not found"),
    ] {
        let answer = ask(address, &format!("GET {path}"));
        let is_right =
            answer.starts_with("http/1.1 404 not found\r\n") && answer.ends_with(&format!("\r\n\r\n{line}\n"));
        assert!(is_right, "{path}: {answer}");
    }
}

#[test]
fn grpc_speaks_first() {
    let kwanza = Kwanza::start(&kwanza::Config::loopback()).unwrap();
    let mut stream = TcpStream::connect(kwanza.grpc).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
    let mut head = [0; 5];
    stream.read_exact(&mut head).unwrap();
    // Three bytes of length, SETTINGS, no flags.
    assert_eq!(head[3..], [4, 0], "{head:?}");
}

/// The frames that answer a call of `Check` for the server at `address`.
fn check(address: SocketAddr) -> Vec<u8> {
    let frame = |kind: u8, flags: u8, stream: u8, data: &[u8]| {
        let length = u8::try_from(data.len()).unwrap();
        [&[0, 0, length, kind, flags, 0, 0, 0, stream], data].concat()
    };
    // POST and http of HPACK's table, then names and values as they are.
    let mut headers = vec![0x83, 0x86];
    for (name, value) in [(":path", "/grpc.health.v1.Health/Check"), ("content-type", "application/grpc")] {
        let length = |text: &str| u8::try_from(text.len()).unwrap();
        headers.extend([&[0, length(name)], name.as_bytes(), &[length(value)], value.as_bytes()].concat());
    }
    let settings = frame(4, 0, 0, &[]);
    let (call, message) = (frame(1, 4, 1, &headers), frame(0, 1, 1, &[0; 5]));
    let mut stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
    stream.write_all(&[b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", &settings[..], &call, &message].concat()).unwrap();
    let mut answer = Vec::new();
    loop {
        let mut head = [0; 9];
        stream.read_exact(&mut head).unwrap();
        let mut data = vec![0; usize::from(head[1]) * 256 + usize::from(head[2])];
        stream.read_exact(&mut data).unwrap();
        answer.extend([&head[..], &data].concat());
        // HEADERS or DATA that end the stream.
        if head[3] <= 1 && head[4] & 1 == 1 {
            return answer;
        }
    }
}

#[test]
fn a_test_moves_the_health() {
    let kwanza = Kwanza::start(&kwanza::Config::loopback()).unwrap();
    let has = |message: &[u8]| check(kwanza.grpc).windows(message.len()).any(|bytes| bytes == message);
    assert!(has(&[0, 0, 0, 0, 2, 8, 1]));
    kwanza.health().services.insert(String::new(), Serving::NotServing);
    assert!(has(&[0, 0, 0, 0, 2, 8, 2]));
    kwanza.health().services.insert(String::new(), Serving::Unknown);
    // DATA of five bytes, on stream 1.
    assert!(has(&[0, 0, 5, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0]));
    kwanza.health().is_there = false;
    // HEADERS that end the stream, and no DATA.
    let answer = check(kwanza.grpc);
    assert!(answer.windows(6).any(|bytes| bytes == [1, 5, 0, 0, 0, 1]), "{answer:?}");
}

#[test]
fn cuesta_leads_to_its_page() {
    let cuesta = Cuesta::start(&cuesta::Config::loopback()).unwrap();
    let answer = ask(cuesta.http, "GET /a?b=c");
    assert!(answer.contains("\r\nlocation: https://127.0.0.1/a?b=c\r\n"), "{answer}");
    assert!(!cuesta.certificate.is_empty());
}

#[test]
fn what_is_dropped_has_ended() {
    let kwanza = Kwanza::start(&kwanza::Config::loopback()).unwrap();
    let address = kwanza.http;
    let _open = TcpStream::connect(address).unwrap();
    drop(kwanza);
    assert!(TcpStream::connect(address).is_err());
    let again = kwanza::Config { http: address, ..kwanza::Config::loopback() };
    assert_eq!(Kwanza::start(&again).unwrap().http, address);
}

#[test]
fn a_kwanza_without_its_database_or_port_logs_why() {
    static LOG: Mutex<Vec<String>> = Mutex::new(Vec::new());
    let log = |line: &str| LOG.lock().unwrap().push(line.to_owned());
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap();
    let config = kwanza::Config { http: address, log, ..kwanza::Config::loopback() };
    let error = Kwanza::start(&config).unwrap_err();
    assert_eq!(error, format!("Failed to listen: listen tcp {address}: bind: address already in use"));

    drop(taken);
    LOG.lock().unwrap().clear();
    let registry = Registry { address: address.to_string(), tries: 3, pause: Duration::from_millis(1) };
    let error = Kwanza::start(&kwanza::Config { registry: Some(registry), ..config }).unwrap_err();
    let lines = LOG.lock().unwrap();
    let levels =
        |level: &str| lines.iter().filter(|line| line.starts_with(&format!("{{\"level\":\"{level}\""))).count();
    assert_eq!((levels("info"), levels("error"), levels("fatal")), (1, 2, 1), "{lines:#?}");
    let reason = format!("dial tcp {address}: connect: connection refused");
    assert_eq!(error, format!("Failed to initialize PostgreSQL registry: {reason}"));
    assert!(lines.last().unwrap().ends_with(&format!(r#","error":"{reason}"}}"#)), "{lines:#?}");
}
