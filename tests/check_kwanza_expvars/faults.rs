//! Servers that misbehave: each fault has its own sentence.

use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::thread;
use std::time::Duration;

use support::http::{Answer, Server};
use support::run::{Output, Run};

use crate::kwanza::{Site, binary, checked, recorded};

/// A run on the page at `address`.
fn at(address: &str, arguments: &[&str]) -> Output {
    checked(Run::new(binary()).args(["--url", &format!("http://{address}/debug/vars")]).args(arguments).output())
}

/// What is said of an answer, with `{url}` for the address.
#[track_caller]
fn said(answer: Answer, arguments: &[&str]) -> (i32, String, Output) {
    let server = Server::tcp(|routes| routes.on("GET", "/debug/vars", answer));
    let output = at(&server.address(), arguments);
    let line = output.first_line().replace(&format!("http://{}/debug/vars", server.address()), "{url}");
    (output.code, line.strip_prefix("KWANZA_EXPVARS ").unwrap().to_owned(), output)
}

#[track_caller]
fn assert_said(answer: Answer, line: &str, step: &str) {
    let (code, first, output) = said(answer, &[]);
    assert_eq!(first, line, "{}", output.stdout);
    assert_eq!(code, if line.starts_with("UNKNOWN") { 3 } else { 2 });
    assert!(
        output.stdout.lines().any(|line| line.trim_start().starts_with("-> ") && line.contains(step)),
        "no step {step}: {}",
        output.stdout
    );
}

/// A server that does this with each connection, until the test ends.
fn serve(serve: impl Fn(TcpStream) + Send + 'static) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap().to_string();
    thread::spawn(move || listener.incoming().flatten().for_each(serve));
    address
}

#[test]
fn a_status_is_told() {
    for (status, line, step) in [
        (401, "CRITICAL - {url} wants a login (HTTP 401)", "--login-file or --token-file"),
        (403, "CRITICAL - {url} does not let us look (HTTP 403)", "the rules of the proxy before it"),
        (
            404,
            "CRITICAL - {url} is not there (HTTP 404; it is text/plain and begins 'no such page')",
            "6060 often has the page too",
        ),
        (405, "CRITICAL - {url} takes no GET (HTTP 405)", "'expvars available'"),
        (500, "CRITICAL - {url} answers HTTP 500; it is text/plain and begins 'no such page'", "logs --tail 50 kwanza"),
        (502, "CRITICAL - {url}: a proxy before Kwanza has no answer (HTTP 502)", "docker-compose ps"),
        (503, "CRITICAL - {url}: a proxy before Kwanza has no answer (HTTP 503)", "docker-compose ps"),
        (204, "CRITICAL - {url} answers HTTP 204; it is text/plain and begins 'no such page'", "logs --tail 50 kwanza"),
    ] {
        let body = if status == 204 { "" } else { "no such page" };
        let line = if status == 204 { line.replace(" and begins 'no such page'", "") } else { line.to_owned() };
        assert_said(Answer::status(status, body).header("Content-Type", "text/plain; charset=utf-8"), &line, step);
    }
    let moved = Answer::status(302, "").header("Location", "https://kwanza.example/login?a|x");
    assert_said(
        moved,
        "CRITICAL - {url} leads to https://kwanza.example/login?a/x (HTTP 302)",
        "redirects are not followed",
    );
    assert_said(Answer::status(304, ""), "CRITICAL - {url} leads elsewhere (HTTP 304)", "6060");
}

#[test]
fn a_redirect_says_where_it_leads_and_is_not_followed() {
    let server = Server::tcp(|routes| {
        routes.on("GET", "/debug/vars", Answer::status(301, "").header("Location", "/debug/vars")).on(
            "GET",
            "/",
            Answer::text("x"),
        )
    });
    let output = at(&server.address(), &[]);
    assert!(output.first_line().contains("leads to /debug/vars (HTTP 301)"), "{}", output.stdout);
    assert_eq!((output.code, server.requests().len()), (2, 1));
}

#[test]
fn what_is_no_page_is_told_by_its_beginning() {
    let html = "<!DOCTYPE html>\n<html><head><title>Cuesta | login</title>\u{1b}[31m";
    assert_said(
        Answer::status(200, html).header("Content-Type", "text/html"),
        "CRITICAL - {url} is not a page of expvars: it is no JSON object; it is text/html and begins '(!DOCTYPE html) (html)(head)(title)Cuesta / login(/title)'",
        "'expvars available'",
    );
    assert_said(Answer::json(""), "CRITICAL - {url} is not a page of expvars: it is empty", "'expvars available'");
    assert_said(
        Answer::json("[1, 2]"),
        "CRITICAL - {url} is not a page of expvars: it is no JSON object; it begins '[1, 2]'",
        "6060",
    );
    assert_said(
        Answer::json("{\"Streams\": 5"),
        "CRITICAL - {url} is not a page of expvars: it is no whole JSON object: EOF while parsing an object at line 1 column 13; it begins '{\"Streams\": 5'",
        "6060",
    );
}

#[test]
fn a_compressed_page_is_not_unpacked() {
    // A bomb of any size ends here.
    let bomb = [&b"\x1f\x8b\x08\0\0\0\0\0\0\x03"[..], &vec![0xff; 1 << 20]].concat();
    assert_said(
        Answer::json(bomb).header("Content-Encoding", "gzip"),
        "CRITICAL - {url} is not a page of expvars: it is compressed (gzip), which was not asked for",
        "'expvars available'",
    );
    // Without the header it is just bytes.
    let (code, line, _) = said(Answer::json(b"\x1f\x8b\x08\0\0\xff"), &[]);
    assert!(code == 2 && line.contains("is not a page of expvars"), "{line}");
}

#[test]
fn a_body_without_end_is_given_up() {
    let (code, line, _) = said(Answer::Endless, &[]);
    assert!(
        code == 2 && line.contains("is not a page of expvars: it is no JSON object") && line.contains("begins 'xxx"),
        "{line}"
    );
    // One that begins as the page does, with few variables or with many.
    for (line, words) in [
        (format!("\"Filler\": \"{}\",\n", "x".repeat(10_000)), "it is longer than 64 MiB"),
        ("\"Filler\": 1,\n".repeat(1000), "it has more than 100000 variables"),
    ] {
        let address = serve(move |mut stream| {
            let _ = stream.read(&mut [0; 4096]);
            let _ = stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\r\n{\n");
            while stream.write_all(line.as_bytes()).is_ok() {}
        });
        let output = at(&address, &["-t", "50s"]);
        assert_eq!(output.code, 2, "{}", output.stdout);
        assert!(output.first_line().contains(&format!("is not a page of expvars: {words}")), "{}", output.stdout);
    }
}

#[test]
fn a_page_that_breaks_off_says_how_far_it_came() {
    let page = recorded("go-1.23", "healthy.1.json");
    let (code, line, output) = said(Answer::CloseMidBody(page[..page.len() / 10].to_vec()), &[]);
    assert_eq!(
        (code, line.as_str()),
        (2, "CRITICAL - {url} breaks off after 18 variables (a panic while the page is written?)"),
        "{}",
        output.stdout
    );
    assert!(output.stdout.contains("http: panic serving"), "{}", output.stdout);

    // With what was asked still unread, the kernel resets the connection.
    let address = serve(move |mut stream| {
        let head = b"HTTP/1.1 200 OK\r\nContent-Length: 9000\r\n\r\n";
        let _ = stream.write_all(&[head, &page[..500]].concat());
        thread::sleep(Duration::from_millis(100));
    });
    let output = at(&address, &[]);
    assert_eq!(output.code, 2, "{}", output.stdout);
    assert!(output.first_line().contains(" breaks off after 16 variables"), "{}", output.stdout);
}

#[test]
fn an_answer_without_a_byte_hints_at_a_panic() {
    let (code, line, output) = said(Answer::Raw(Vec::new()), &[]);
    assert_eq!(
        (code, line.as_str()),
        (2, "CRITICAL - {url} closes the connection without a byte (a panic while the page is written?)"),
        "{}",
        output.stdout
    );
    assert!(
        output.stdout.contains("a variable of the page panics") && output.stdout.contains("http: panic serving"),
        "{}",
        output.stdout
    );
}

#[test]
fn what_is_slow_is_given_up_in_time() {
    let page = recorded("go-1.23", "healthy.1.json");
    for answer in [
        Answer::HangBeforeHeaders,
        Answer::HangAfterHeaders,
        Answer::Drip { body: page, every: Duration::from_millis(20) },
    ] {
        let described = format!("{answer:?}").chars().take(20).collect::<String>();
        let (code, line, output) = said(answer, &["-t", "1s"]);
        assert_eq!(code, 2, "{described}: {}", output.stdout);
        assert!(line.starts_with("CRITICAL - {url} ") && line.contains(" in time"), "{described}: {line}");
        assert!(output.elapsed < Duration::from_millis(1500), "{described}: {:?}", output.elapsed);
    }
}

#[test]
fn what_does_not_speak_http_is_told() {
    for banner in [&b"SSH-2.0-OpenSSH_9.2p1 Debian-2\r\n"[..], b"\0\0\x06\x04\0\0\0\0\0\0\x05\0\0\x40\0"] {
        let (code, line, output) = said(Answer::Raw(banner.to_vec()), &[]);
        assert!(
            code == 2 && line.starts_with("CRITICAL - what listens at {url} does not speak HTTP"),
            "{}",
            output.stdout
        );
    }
}

#[test]
fn nothing_that_listens_is_told_with_the_guides_port() {
    let free = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let output = at(&free.to_string(), &[]);
    assert_eq!(output.code, 2, "{}", output.stdout);
    assert!(output.first_line().contains(&format!("nothing listens at http://{free}/debug/vars")), "{}", output.stdout);
    assert!(output.stdout.contains("-> docker-compose up kwanza"), "{}", output.stdout);
    // An address of loopback where nothing of the machine listens.
    let guide = checked(Run::new(binary()).args(["-H", "127.99.98.97"]).output());
    assert!(guide.code == 2 && guide.stdout.contains("the guide does not publish port 8080"), "{}", guide.stdout);
}

#[test]
fn a_host_without_an_address_is_told() {
    let output = at("kwanza.invalid:8080", &[]);
    assert_eq!(output.code, 2, "{}", output.stdout);
    assert!(output.first_line().contains("the name kwanza.invalid has no address (DNS)"), "{}", output.stdout);
}

#[test]
fn ipv6_is_spoken() {
    let site = Site::at("::1");
    let port = site.kwanza.expvars.port().to_string();
    assert_eq!(site.run(&[]).code, 0, "{}", site.url());
    for host in ["::1", "[::1]"] {
        let output = checked(Run::new(binary()).args(["-H", host, "-p", &port]).output());
        assert_eq!(output.code, 0, "{}", output.stdout);
    }
}

#[test]
fn bad_options_are_one_line() {
    for (arguments, reason) in [
        (&[][..], "where is Kwanza? give -H HOST, --url URL or --container NAME"),
        (&["--url", "kwanza:8080"], "--url is not http://HOST:PORT/PATH"),
        (&["--url", "http://u:s3cret@kwanza/"], "use --login-file"),
        (&["-H", "kwanza", "--ca-file", "x"], "--ca-file needs TLS: --tls"),
        (&["-H", "kwanza", "--insecure"], "--insecure needs TLS"),
        (&["-H", "kwanza", "--var", "cmdline"], "never looked at"),
        (&["-H", "kwanza", "--counter", "cmdline/0"], "never looked at"),
        (&["-H", "kwanza", "--per-subscriber", "1001"], "at most 1000"),
        (&["-H", "kwanza", "-p", "0"], "0 is not in 1..=65535"),
        (&["-H", "kwanza", "--missing", "maybe"], "maybe"),
        (&["-H", "ho st"], "-H: "),
        (&["--container", "kwanza", "--docker-host", "ssh://x"], "run the check on the Docker host itself"),
        (&["-H", "kwanza", "--login-file", "a", "--token-file", "b"], "--login-file"),
    ] {
        let output = checked(Run::new(binary()).args(arguments).output());
        assert_eq!((output.code, output.stdout.lines().count()), (3, 1), "{}", output.stdout);
        assert!(output.first_line().contains(reason), "{arguments:?}: {}", output.stdout);
        assert!(!output.stdout.contains("s3cret"), "{}", output.stdout);
    }
}
