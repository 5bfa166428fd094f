//! The health service of gRPC, and servers that have none or speak something else.

use std::io::{Read as _, Write as _};
use std::net::SocketAddr;
use std::time::Duration;

use backend::{Cuesta, Kwanza, cuesta, kwanza};

use crate::authority::{Authority, Front, Manners, self_signed};
use crate::{greets, says, serve};

fn kwanza() -> Kwanza {
    Kwanza::start(&kwanza::Config::loopback()).unwrap()
}

/// A frame of HTTP/2.
fn frame(kind: u8, flags: u8, stream: u8, payload: &[u8]) -> Vec<u8> {
    let length = u8::try_from(payload.len()).unwrap();
    [&[0, 0, length, kind, flags, 0, 0, 0, stream], payload].concat()
}

/// A header field that is written out.
fn field(name: &str, value: &str) -> Vec<u8> {
    let text = |text: &str| [&[u8::try_from(text.len()).unwrap()], text.as_bytes()].concat();
    [vec![0], text(name), text(value)].concat()
}

/// A server of HTTP/2 that answers the first call with these frames, whatever is asked.
fn answers(frames: Vec<Vec<u8>>) -> SocketAddr {
    serve(move |mut stream| {
        let _ = stream.write_all(&[frame(4, 0, 0, &[]), frame(4, 1, 0, &[])].concat());
        let mut question = Vec::new();
        // The frame of data, the last of the question, has flag 1 and the empty message.
        while !question.windows(14).any(|window| window == b"\0\0\x05\0\x01\0\0\0\x01\0\0\0\0\0") {
            let mut buffer = [0; 1024];
            match stream.read(&mut buffer) {
                Ok(count) if count > 0 => question.extend_from_slice(&buffer[..count]),
                _ => return,
            }
        }
        let _ = stream.write_all(&frames.concat());
        let _ = std::io::copy(&mut stream, &mut std::io::sink());
    })
}

/// Fields of an answer, `:status` as written by index.
fn head(end: bool, fields: &[(&str, &str)]) -> Vec<u8> {
    let fields: Vec<u8> = fields.iter().flat_map(|(name, value)| field(name, value)).collect();
    // 8 is 200 in the static table; flags: the end of the head, and of the stream.
    frame(1, if end { 5 } else { 4 }, 1, &[&[0x88], fields.as_slice()].concat())
}

fn trailers(fields: &[(&str, &str)]) -> Vec<u8> {
    frame(1, 5, 1, &fields.iter().flat_map(|(name, value)| field(name, value)).collect::<Vec<u8>>())
}

const GRPC: (&str, &str) = ("content-type", "application/grpc");

/// A server whose health is told by these bytes.
fn healthy(message: &[u8]) -> SocketAddr {
    answers(vec![head(false, &[GRPC]), frame(0, 0, 1, message), trailers(&[("grpc-status", "0")])])
}

/// A server that answers with a status alone.
fn status(code: &str, message: &str) -> SocketAddr {
    answers(vec![head(true, &[GRPC, ("grpc-status", code), ("grpc-message", message)])])
}

#[test]
fn ok_serving() {
    let kwanza = kwanza();
    let url = format!("kwanza=grpc://{}", kwanza.grpc);
    let output = says(0, &[&url], &["ENDPOINT OK - kwanza: SERVING in ", "kwanza:grpc_status=0", "kwanza:up=1"]);
    assert!(output.elapsed < Duration::from_secs(2));
    says(0, &[&url, "--grpc-service", "kwanza"], &["SERVING (kwanza) in "]);
}

#[test]
fn unknown_service() {
    let kwanza = kwanza();
    let url = format!("grpc://{}", kwanza.grpc);
    says(
        3,
        &[&url, "--grpc-service", "nobody"],
        &["does not know 'nobody'", "-> --grpc-service names another service"],
    );
}

#[test]
fn over_tls() {
    let (kwanza, authority) = (kwanza(), Authority::new());
    let pair = authority.issue(&["127.0.0.1"], |_| {});
    let front = Front::before(kwanza.grpc, &pair, &Manners { protocols: &[b"h2"], ..Manners::default() });
    let url = format!("grpcs://{}", front.address);
    says(0, &[&url, "--ca-file", &authority.ca()], &["SERVING in ", "certificate ends in ", ":tls_time="]);
    says(2, &[&url], &["has a certificate of an unknown issuer, CN=the CA"]);
    says(
        2,
        &[&format!("grpc://{}", front.address)],
        &["speaks TLS, and was asked for plain gRPC", "-> ask with TLS: grpcs://"],
    );
    says(
        2,
        &[&format!("grpcs://{}", kwanza.grpc)],
        &["speaks plain HTTP/2, as gRPC does, and no TLS", "-> ask without TLS: grpc://"],
    );
}

#[test]
fn critical_tls_without_http2() {
    let pair = self_signed(&["127.0.0.1"], |_| {});
    let kwanza = kwanza();
    let silent = Front::before(kwanza.grpc, &pair, &Manners::default());
    says(
        2,
        &[&format!("grpcs://{}", silent.address), "--insecure"],
        &["speaks TLS but no HTTP/2 (no ALPN), as gRPC needs"],
    );
    let cuesta = Cuesta::start(&cuesta::Config::loopback()).unwrap();
    says(2, &[&format!("grpcs://{}", cuesta.https), "--insecure"], &["speaks TLS but no HTTP/2 (ALPN), as gRPC needs"]);
}

#[test]
fn health_is_judged_by_status_and_body() {
    for (server, code, words) in [
        (healthy(b"\0\0\0\0\x02\x08\x01"), 0, "SERVING in "),
        (healthy(b"\0\0\0\0\x02\x08\x02"), 2, "is NOT_SERVING"),
        (healthy(b"\0\0\0\0\0"), 2, "does not know its health (UNKNOWN)"),
        (healthy(b"\0\0\0\0\x02\x08\x03"), 3, "does not know the health (SERVICE_UNKNOWN)"),
        (healthy(b"\0\0\0\0\x02\x08\x63"), 3, "a health that nobody knows here (99)"),
        (healthy(b""), 2, "answers no health: it holds no message"),
        (healthy(b"\x01\0\0\0\x02\x08\x01"), 2, "its message is compressed"),
        (healthy(b"<html>"), 2, "it holds no message of gRPC"),
        (status("12", "unknown service"), 0, "alive in "),
        (status("16", "no token"), 0, "gated (UNAUTHENTICATED)"),
        (status("7", ""), 0, "gated (PERMISSION_DENIED)"),
        (status("5", ""), 3, "does not know ''"),
        (status("14", "shutting%20down %7C now"), 2, "answers UNAVAILABLE: shutting down / now"),
        (status("99", ""), 2, "answers status 99"),
        // The server ends the body, and says only then that it failed.
        (
            answers(vec![
                head(false, &[GRPC]),
                frame(0, 0, 1, b"\0\0\0\0\x02\x08\x01"),
                trailers(&[("grpc-status", "13")]),
            ]),
            2,
            "answers INTERNAL",
        ),
        (
            answers(vec![head(false, &[GRPC]), frame(0, 1, 1, b"\0\0\0\0\x02\x08\x01")]),
            2,
            "answers without a status of gRPC",
        ),
        (
            answers(vec![head(true, &[("content-type", "text/html")])]),
            2,
            "speaks HTTP/2 but no gRPC, it answers HTTP 200",
        ),
    ] {
        says(code, &[&format!("grpc://{server}")], &[words]);
    }
    let alone = format!("grpc://{}", status("12", "unknown service"));
    says(0, &[&alone], &["no health service"]);
    says(2, &[&alone, "--require-health"], &["has no health service: unknown service"]);
}

#[test]
fn critical_calls_that_end_otherwise() {
    let reset = answers(vec![frame(3, 0, 1, &[0, 0, 0, 7])]);
    says(2, &[&format!("grpc://{reset}")], &["answers with nonsense instead of HTTP/2", "refused"]);
    let goodbye = answers(vec![frame(7, 0, 0, &[0, 0, 0, 0, 0, 0, 0, 0x0b])]);
    says(2, &[&format!("grpc://{goodbye}")], &["answers with nonsense instead of HTTP/2"]);
    let hanging = answers(Vec::new());
    let output =
        says(2, &[&format!("grpc://{hanging}"), "-t", "700ms"], &["begins to answer and does not end within "]);
    assert!(output.elapsed < Duration::from_millis(1200), "{:?}", output.elapsed);
    says(
        2,
        &[&format!("grpc://{}", greets(b"")), "-t", "700ms"],
        &["takes the connection and does not answer within "],
    );
    let babbling = serve(|mut stream| {
        let _ = stream.write_all(&frame(4, 0, 0, &[]));
        // Room for more to send, which asks for no answer.
        while stream.write_all(&frame(8, 0, 0, &[0, 0, 0, 1]).repeat(50)).is_ok() {}
    });
    let output = says(2, &[&format!("grpc://{babbling}"), "-t", "1s"], &["begins to answer and does not end within "]);
    assert!(output.elapsed < Duration::from_millis(1500), "{:?}", output.elapsed);
    let closing = serve(|mut stream| drop(stream.read(&mut [0; 1024])));
    says(
        2,
        &[&format!("grpc://{closing}")],
        &["closes the connection without an answer", "-> does it speak TLS (grpcs://"],
    );
}

#[test]
fn critical_other_protocols() {
    let web =
        [b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n".as_slice(), b"<!DOCTYPE HTML>\n<html>"].map(greets);
    for address in web {
        says(
            2,
            &[&format!("grpc://{address}")],
            &["speaks HTTP/1 and no gRPC", &format!("-> is it a web server? http://{address}")],
        );
    }
    says(2, &[&format!("grpc://{}", greets(b"SSH-2.0-x\r\n"))], &["speaks SSH and no gRPC"]);
    let kwanza = kwanza();
    let words = ["speaks HTTP/2 alone, as gRPC does, and no HTTP/1", &format!("-> is it gRPC? grpc://{}", kwanza.grpc)];
    says(2, &[&format!("http://{}", kwanza.grpc)], &words);
}

#[test]
fn header_fields_are_sent_and_not_shown() {
    let authority = Authority::new();
    let headers = authority.file("headers", "Authorization: Bearer hunter2\nHost: kwanza.example\n");
    let kwanza = kwanza();
    let output = says(0, &[&format!("grpc://{}", kwanza.grpc), "--header-file", &headers, "-vvv"], &["SERVING"]);
    assert!(!output.stdout.contains("hunter2"), "{}", output.stdout);
}
