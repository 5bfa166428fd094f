//! HTTP: statuses, expectations, redirects, and servers that misbehave.

use std::io::Write as _;
use std::time::Duration;

use backend::{Cuesta, Kwanza, cuesta, kwanza};
use support::http::{Answer, Server};

use crate::authority::{Authority, Front, Manners, self_signed};
use crate::{check, greets, says, serve};

fn answering(answer: Answer) -> Server {
    Server::tcp(|routes| routes.on("GET", "/", answer))
}

fn url(server: &Server, path: &str) -> String {
    format!("http://{}{path}", server.address())
}

#[test]
fn without_a_path_any_answer_proves_a_listener() {
    let kwanza = Kwanza::start(&kwanza::Config::loopback()).unwrap();
    let words = ["HTTP 404 in ", "listener answers, no path checked", ":status=404", ":up=1"];
    says(0, &[&format!("http://{}", kwanza.http)], &words);
    for (status, code) in [(200, 0), (301, 0), (401, 0), (404, 0), (500, 1), (503, 1)] {
        let server = answering(Answer::status(status, "x"));
        says(code, &[&url(&server, "")], &[&format!("HTTP {status}")]);
    }
}

#[test]
fn with_a_path_its_status_is_judged() {
    for (status, code) in [(200, 0), (204, 0), (301, 0), (401, 2), (404, 2), (418, 2), (500, 2)] {
        let server = answering(Answer::status(status, ""));
        says(code, &[&url(&server, "/")], &[&format!(":status={status}")]);
    }
    let server = answering(Answer::status(401, ""));
    says(2, &[&url(&server, "/x")], &["answers HTTP 401", "-> --header-file sends credentials"]);
    says(0, &[&url(&server, "/x"), "--expect-status", "200,400-403"], &["HTTP 401"]);
    says(2, &[&url(&server, ""), "--expect-status", "200"], &["answers HTTP 401, expected 200"]);
    let kwanza = Kwanza::start(&kwanza::Config::loopback()).unwrap();
    says(2, &[&format!("http://{}/debug/vars", kwanza.http)], &["answers HTTP 404", "is the path right?"]);
    says(0, &[&format!("http://{}/debug/vars", kwanza.expvars)], &["HTTP 200"]);
}

#[test]
fn a_threshold_may_judge_the_status_too() {
    let server = answering(Answer::status(204, ""));
    says(1, &[&url(&server, "/"), "-w", "status=200:203"], &["status 204 (over 203)"]);
}

#[test]
fn bodies_and_headers_are_expected() {
    let server = answering(Answer::text("{\"state\": \"ready\"}\n").header("X-Frame-Options", "DENY"));
    let page = url(&server, "/");
    says(0, &[&page, "--expect-body", "\"state\": *\"ready\"", "--expect-body", "(?i)READY"], &["19 B"]);
    let words = ["the body does not match 'stopped'", "the body begins: {\"state\": \"ready\"}", ":up=0"];
    says(2, &[&page, "--expect-body", "stopped"], &words);
    says(0, &[&page, "--expect-header", "x-frame-options: DENY", "--expect-header", "Content-Type"], &["OK"]);
    says(2, &[&page, "--expect-header", "X-Frame-Options: SAME"], &["sends a header x-frame-options without 'SAME'"]);
    says(2, &[&page, "--expect-header", "Strict-Transport-Security"], &["sends no header strict-transport-security"]);
    says(2, &[&url(&answering(Answer::text("")), "/"), "--expect-body", "x"], &["the body is empty"]);
}

#[test]
fn redirects_are_shown_expected_and_followed() {
    let cuesta = Cuesta::start(&cuesta::Config::loopback()).unwrap();
    let plain = format!("http://{}/a?token=hunter2", cuesta.http);
    let output = says(0, &[&plain], &["HTTP 301 in ", "leads to https://127.0.0.1/a?token"]);
    assert!(!output.stdout.contains("hunter2"), "{}", output.stdout);
    let plain = format!("http://{}/", cuesta.http);
    says(0, &[&plain, "--expect-redirect", "https://127.0.0.1"], &["leads to https://127.0.0.1/"]);
    says(
        2,
        &[&plain, "--expect-redirect", "https://other/"],
        &["leads to https://127.0.0.1/, expected https://other/"],
    );
    let page = format!("https://{}/", cuesta.https);
    says(2, &[&page, "--insecure", "--expect-redirect", "https://other/"], &["it leads nowhere"]);

    let home = answering(Answer::text("home"));
    let away = answering(Answer::status(302, "").header("Location", &url(&home, "/x")));
    let output =
        says(0, &[&url(&away, "/"), "--follow", "--expect-body", "home", "-v"], &["HTTP 200", "redirected to "]);
    assert!(output.stdout.contains(&format!("redirected to {}", url(&home, "/x"))), "{}", output.stdout);
}

#[test]
fn redirects_to_tls_are_followed_and_back_are_not() {
    let pair = self_signed(&["127.0.0.1"], |_| {});
    let home = answering(Answer::text("home"));
    let front = Front::before(home.address().parse().unwrap(), &pair, &Manners::default());
    let up = answering(Answer::status(301, "").header("Location", &format!("https://{}/", front.address)));
    says(0, &[&url(&up, "/"), "--follow", "--insecure"], &["HTTP 200", "certificate ends in"]);
    says(2, &[&url(&up, "/"), "--follow"], &["self-signed"]);
    let down = answering(Answer::status(301, "").header("Location", &url(&home, "/")));
    let front = Front::before(down.address().parse().unwrap(), &pair, &Manners::default());
    let page = format!("https://{}/", front.address);
    says(2, &[&page, "--follow", "--insecure"], &["leads from TLS to a plain connection, http://"]);
    says(0, &[&page, "--insecure"], &["leads to http://"]);
}

#[test]
fn critical_redirects_that_lead_nowhere() {
    let circle = answering(Answer::status(302, "").header("Location", "/again"));
    says(2, &[&url(&circle, "/"), "--follow"], &["leads in circles, 10 redirects were followed"]);
    assert_eq!(circle.requests().len(), 11);
    for (location, words) in [
        ("ftp://h/", "leads nowhere: ftp://h/: the scheme must be one of"),
        ("tcp://h:1", "leads nowhere: tcp://h:1 is not HTTP"),
        ("http://", "there is no HOST:PORT in it"),
    ] {
        let server = answering(Answer::status(302, "").header("Location", location));
        says(2, &[&url(&server, "/"), "--follow"], &[words]);
    }
    let profile = answering(Answer::status(302, "").header("Location", "/debug/pprof/profile"));
    says(2, &[&url(&profile, "/"), "--follow"], &["would cost the server time and is not followed"]);
}

#[test]
fn secrets_are_sent_to_their_host_alone_and_never_shown() {
    let authority = Authority::new();
    let headers = authority.file("headers", "# the token\nAuthorization: Bearer hunter2\nHost: cuesta.example\n");
    let other = answering(Answer::text("other"));
    let server =
        answering(Answer::status(302, "").header("Location", &url(&other, "/")).header("Set-Cookie", "hunter2"));
    for verbosity in ["--verbose", "-vv", "-vvv"] {
        let page = url(&server, "/?password=hunter2");
        let output = check(&[&page, "--header-file", &headers, "--follow", "--expect-header", "x", verbosity]);
        assert!(!output.stdout.contains("hunter2"), "{}", output.stdout);
    }
    let asked = &server.requests()[0];
    assert_eq!(asked.header("authorization"), Some("Bearer hunter2"));
    assert_eq!((asked.header("host"), asked.target.as_str()), (Some("cuesta.example"), "/?password=hunter2"));
    assert_eq!(other.requests()[0].header("authorization"), None);
    assert_eq!(other.requests()[0].header("host"), Some(other.address().as_str()));
}

#[test]
fn a_request_is_what_was_asked_for() {
    let server = Server::tcp(|routes| {
        let routes = routes.on("HEAD", "/", Answer::HangAfterHeaders).on("OPTIONS", "/", Answer::status(204, ""));
        routes.on("GET", "/", Answer::text("x"))
    });
    says(0, &[&url(&server, "/a")], &["HTTP 200"]);
    says(0, &[&url(&server, "/b"), "--method", "HEAD", "--user-agent", "icinga"], &["HTTP 200"]);
    says(0, &[&url(&server, "/c"), "--method", "options"], &["HTTP 204"]);
    let requests = server.requests();
    assert_eq!(requests[0].header("accept-encoding"), Some("identity"));
    assert_eq!(requests[0].header("connection"), Some("close"));
    assert!(requests[0].header("user-agent").unwrap().starts_with("check_endpoint/"));
    assert_eq!(requests[1].header("user-agent"), Some("icinga"));
    assert_eq!([&requests[1].method, &requests[2].method], ["HEAD", "OPTIONS"]);
}

#[test]
fn critical_servers_that_misbehave() {
    let many = "X: y\r\n".repeat(20_000);
    for (answer, words) in [
        (Answer::HangBeforeHeaders, "takes the connection and does not answer within "),
        (Answer::HangAfterHeaders, "begins to answer and does not end within "),
        (
            Answer::Drip { body: b"slow".to_vec(), every: Duration::from_millis(50) },
            "begins to answer and does not end within ",
        ),
        (Answer::Endless, "answers with a body longer than 4 MiB"),
        (Answer::CloseMidBody(b"abc".to_vec()), "(closed before the end of the body)"),
        (Answer::Raw(Vec::new()), "closes the connection without an answer"),
        (Answer::Raw(b"HTTP/1.1 200 OK\r\nContent-".to_vec()), "(its head has no end)"),
        (Answer::Raw(b"SSH-2.0-OpenSSH_9.2\r\n".to_vec()), "speaks SSH and no HTTP"),
        (Answer::Raw(b"+OK ready | up=1\r\n".to_vec()), "speaks no HTTP, it begins with '+OK ready / up=1'"),
        (Answer::Raw(b"HTTP/1.1 OK\r\n\r\n".to_vec()), "answers with nonsense instead of HTTP: "),
        (Answer::Raw(format!("HTTP/1.1 200 OK\r\n{many}\r\n").into_bytes()), "answers with nonsense instead of HTTP: "),
        (Answer::Raw(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nx\r\n".to_vec()), "a chunk has no length"),
        (Answer::Raw(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n".to_vec()), "(closed before"),
        (Answer::Raw(b"HTTP/1.1 101 Switching Protocols\r\n\r\n".to_vec()), "it changes to another protocol"),
        (Answer::Raw(b"<html>hello</html>".to_vec()), "answers with nonsense instead of HTTP: "),
        (Answer::Raw(b"HTTP/1.1 200 OK\r\nContent-Length: 99999999999\r\n\r\n".to_vec()), "a body longer than 4 MiB"),
    ] {
        let described = format!("{answer:?}").chars().take(60).collect::<String>();
        let output = says(2, &[&url(&answering(answer), "/"), "-t", "1s"], &[words, ":up=0"]);
        assert!(output.elapsed < Duration::from_millis(1500), "{described}: {:?}", output.elapsed);
        assert!(output.stdout.contains("-> "), "a next step: {}", output.stdout);
    }
}

#[test]
fn critical_answers_that_only_announce_others() {
    let announcing =
        serve(|mut stream| while stream.write_all(&b"HTTP/1.1 103 Early Hints\r\n\r\n".repeat(100)).is_ok() {});
    let output =
        says(2, &[&format!("http://{announcing}/"), "-t", "1s"], &["begins to answer and does not end within "]);
    assert!(output.elapsed < Duration::from_millis(1500), "{:?}", output.elapsed);
}

#[test]
fn critical_reset() {
    let reset = serve(|mut stream| {
        // A connection that is closed with unread bytes is reset.
        std::thread::sleep(Duration::from_millis(100));
        let _ = stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc");
        std::thread::sleep(Duration::from_millis(50));
    });
    says(2, &[&format!("http://{reset}/")], &["breaks off its answer after 42 B (connection reset by peer)"]);
}

#[test]
fn interim_answers_and_old_versions_are_understood() {
    let hints = b"HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok".to_vec();
    says(0, &[&url(&answering(Answer::Raw(hints)), "/"), "--expect-body", "^ok$"], &["HTTP 200"]);
    let old = b"HTTP/1.0 200 OK\r\n\r\nuntil the end".to_vec();
    says(0, &[&url(&answering(Answer::Raw(old)), "/"), "--expect-body", "end$"], &["13 B"]);
    says(2, &[&format!("http://{}", greets(b"\0\0\x06\x04\0\0\0\0\0\0\x03\0\0\0\x64"))], &["speaks HTTP/2 alone"]);
}

#[test]
fn a_bomb_is_neither_asked_for_nor_unpacked() {
    // Whatever it would unpack to.
    let bomb = answering(Answer::text([0x1f, 0x8b, 8, 0]).header("Content-Encoding", "gzip"));
    says(0, &[&url(&bomb, "/")], &["4 B"]);
    says(2, &[&url(&bomb, "/"), "--expect-body", "x"], &["sends a body packed as gzip, which was not asked for"]);
    let large = answering(Answer::text("x".repeat(2000)));
    says(2, &[&url(&large, "/"), "--max-size", "1KiB"], &["a body longer than 1 KiB", "-> --max-size takes more"]);
    says(0, &[&url(&large, "/"), "--max-size", "2000"], &["2 KiB"]);
}

#[test]
fn slow_answers_are_judged_and_say_what_took_the_time() {
    let server = answering(Answer::Drip { body: b"x".to_vec(), every: Duration::from_millis(5) });
    let words = ["answers in ", "(over 100ms)", "\n     connect ", ", first byte "];
    says(1, &[&url(&server, "/"), "-w", "100ms"], &words);
    says(2, &[&url(&server, "/"), "-w", "0.1", "-c", "0.2"], &["answers in "]);
}
