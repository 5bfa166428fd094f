//! Command lines.

use support::http::{Answer, Server};

use crate::authority::Authority;
use crate::{check, says};

#[test]
fn what_is_wrong_is_said_in_one_line() {
    for (arguments, words) in [
        (&[][..], "which endpoint? write http://"),
        (&["kwanza:8000"], "'kwanza:8000' is not a URL"),
        (&["postgres://h:5444"], "that is what check_postgres checks"),
        (&["http://me:hunter2@h/"], "put it into a --header-file"),
        (&["http://h/debug/pprof/profile"], "makes the server measure itself"),
        (&["http://h:6060/debug/pprof/trace?seconds=5"], "ask for /debug/pprof/"),
        (&["http://h", "http://h"], "http://h is given twice"),
        (&["a=http://h", "a=http://i"], "a is given twice"),
        (&["a/b=tcp://h:1"], "'a/b' is no name for an endpoint"),
        (&["http://h", "--expect-status", "ok"], "write 200 or 200,301-302"),
        (&["http://h", "--expect-body", "("], "--expect-body (: "),
        (&["http://h", "--expect-header", ": x"], "--expect-header : x"),
        (&["http://h", "--expect-redirect", "x"], "--expect-redirect: 'x' is not a URL"),
        (&["http://h", "--expect-redirect", "http://x", "--follow"], "cannot be used with"),
        (&["http://h", "--resolve", "h:80"], "write HOST:PORT:ADDR"),
        (&["http://h", "--client-cert", "x"], "--client-key"),
        (&["http://h", "-4", "-6"], "cannot be used with"),
        (&["http://h", "--method", "POST"], "invalid value 'POST'"),
        (&["http://h", "--user-agent", "a\nb"], "--user-agent takes printable ASCII"),
        (&["http://h", "--max-size", "much"], "--max-size"),
        (&["http://h", "--grpc-service", "x"], "--grpc-service: no endpoint is given that it applies to"),
        (&["tcp://h:1", "--expect-body", "x"], "--expect-body: no endpoint is given that it applies to"),
        (&["grpc://h:1", "--ca-file", "x"], "--ca-file: no endpoint is given that it applies to"),
    ] {
        let output = check(arguments);
        assert_eq!((output.code, output.stdout.lines().count()), (3, 1), "{arguments:?}: {}", output.stdout);
        assert!(output.stdout.starts_with("ENDPOINT UNKNOWN - "), "{}", output.stdout);
        assert!(output.stdout.contains(words), "{arguments:?}: '{words}' is expected in: {}", output.stdout);
        assert!(!output.stdout.contains("hunter2"), "{}", output.stdout);
    }
}

#[test]
fn metrics_are_listed_without_an_endpoint() {
    let output = says(3, &["--list-metrics"], &["ENDPOINT:time", "ENDPOINT:cert_expiry"]);
    assert!(!output.stdout.contains("which endpoint?"), "{}", output.stdout);
}

#[test]
fn a_header_file_that_is_wrong_is_named_without_what_it_holds() {
    let authority = Authority::new();
    let file = authority.file("headers", "hunter2\n");
    let output = says(3, &["tcp://127.0.0.1:1", "--header-file", &file], &["line 1 is not 'Name: value'"]);
    assert!(!output.stdout.contains("hunter2"), "{}", output.stdout);
    says(3, &["tcp://127.0.0.1:1", "--header-file", "/proc/nonexistent"], &["/proc/nonexistent: no such file"]);
}

#[test]
fn thresholds_are_for_one_endpoint_or_for_all() {
    let server = Server::tcp(|routes| routes.on("GET", "/", Answer::text("x")));
    let url = format!("http://{}/x", server.address());
    let endpoints = [url.as_str(), &format!("named={url}")];
    let with = |words: &[&str]| check(&[&endpoints[..], words].concat());
    assert_eq!(with(&["-w", "@0:9"]).code, 1);
    assert_eq!(with(&["-c", "named:time=@0:9"]).code, 2);
    assert_eq!(with(&["-c", &format!("{url}:size=0")]).code, 2);
    assert_eq!(with(&["-w", "@0:9", "-w", "*:time="]).code, 0);
    says(
        3,
        &[&endpoints[..], &["-w", "other:time=1"]].concat(),
        &["a threshold names other, and no endpoint is called so"],
    );
}
