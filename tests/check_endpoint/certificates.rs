//! TLS and certificates: each fault has its own sentence.

use std::time::{Duration, SystemTime};

use rcgen::{BasicConstraints, CertificateParams, ExtendedKeyUsagePurpose, IsCa, date_time_ymd};
use support::http::{Answer, Server};
use support::perfdata::parse_strictly;
use tokio_rustls::rustls::version::{TLS12, TLS13};

use crate::authority::{Authority, Front, Manners, Pair, self_signed};
use crate::{check, greets, says, serve};

const HERE: &[&str] = &["localhost", "127.0.0.1"];

fn web() -> Server {
    Server::tcp(|routes| routes.on("GET", "/", Answer::text("fine")))
}

/// A web server with this certificate.
fn secured(pair: &Pair, manners: &Manners) -> (Server, Front) {
    let server = web();
    let front = Front::before(server.address().parse().unwrap(), pair, manners);
    (server, front)
}

fn days_from_now(days: u64) -> impl FnOnce(&mut CertificateParams) {
    move |params| {
        params.not_after = (SystemTime::now() + Duration::from_hours(24 * days)).into();
    }
}

/// Checks a web server with this certificate.
#[track_caller]
fn says_of(pair: &Pair, code: i32, options: &[&str], words: &[&str]) -> support::run::Output {
    let (_server, front) = secured(pair, &Manners::default());
    let url = format!("https://{}/", front.address);
    says(code, &[&[url.as_str()], options].concat(), words)
}

#[test]
fn ok_signed_by_the_ca() {
    let authority = Authority::new();
    let pair = authority.issue(HERE, days_from_now(90));
    for versions in [[&TLS12], [&TLS13]] {
        let (_server, front) = secured(&pair, &Manners { versions: &versions, ..Manners::default() });
        let url = format!("cuesta=https://{}/", front.address);
        let output = says(0, &[&url, "--ca-file", &authority.ca(), "-v"], &["HTTP 200 in ", "certificate ends in 89d"]);
        let version = if versions == [&TLS12] { "TLS 1.2" } else { "TLS 1.3" };
        assert!(output.stdout.contains(version), "{}", output.stdout);
        assert!(output.stdout.contains("signed by CN=the CA (SHA-256 with ECDSA), EC P-256"), "{}", output.stdout);
        let figures = parse_strictly(output.first_line().split_once(" | ").unwrap().1).unwrap();
        let left = figures.iter().find(|figure| figure.label == "cuesta:cert_expiry").unwrap();
        assert_eq!(left.uom, "s");
        assert!(output.stdout.contains("cuesta:cert_expiry=77759"), "{}", output.stdout);
    }
}

#[test]
fn critical_self_signed() {
    let pair = self_signed(HERE, days_from_now(30));
    says_of(&pair, 2, &[], &["has a self-signed certificate, which is not trusted here", "cert_expiry=", ":up=0"]);
    says_of(&pair, 0, &["--insecure"], &["certificate ends in 29d (self-signed, not verified)"]);
}

#[test]
fn ok_the_very_certificate_is_in_the_ca_file() {
    let authority = Authority::new();
    // As programs make them for themselves: marked as a CA.
    let pair = self_signed(HERE, |params| params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained));
    let file = authority.file("own.pem", &pair.chain);
    says_of(&pair, 0, &["--ca-file", &file], &["(trusted by itself)"]);
    // It is that certificate for that host and that time, and no other.
    let elsewhere = self_signed(&["other"], |params| params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained));
    let file = authority.file("elsewhere.pem", &elsewhere.chain);
    says_of(
        &elsewhere,
        2,
        &["--ca-file", &file],
        &["has a certificate for another host: not for 127.0.0.1, but for other"],
    );
    let old = self_signed(HERE, |params| {
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.not_after = date_time_ymd(2020, 1, 1);
    });
    let file = authority.file("old.pem", &old.chain);
    says_of(&old, 2, &["--ca-file", &file], &["has a certificate that expired "]);
}

#[test]
fn critical_expired_and_not_yet_valid() {
    let authority = Authority::new();
    let old = authority.issue(HERE, |params| params.not_after = date_time_ymd(2020, 1, 1));
    says_of(&old, 2, &["--ca-file", &authority.ca()], &["has a certificate that expired ", " ago\n", "cert_expiry=-"]);
    // It is looked at all the same where nobody verifies it.
    says_of(&old, 2, &["--insecure"], &["certificate has expired, left -", "(below 3d)"]);
    let early = authority.issue(HERE, |params| params.not_before = date_time_ymd(4000, 1, 1));
    says_of(
        &early,
        2,
        &["--ca-file", &authority.ca()],
        &["has a certificate that is not valid yet, but in ", "timedatectl"],
    );
}

#[test]
fn certificates_that_end_soon_are_judged() {
    let authority = Authority::new();
    let ca = authority.ca();
    for (days, code, word) in [(15, 0, "ends in 14d"), (10, 1, "ends in 9d 23h (below 14d)"), (2, 2, "(below 3d)")] {
        let pair = authority.issue(HERE, days_from_now(days));
        says_of(&pair, code, &["--ca-file", &ca], &[word]);
        says_of(&pair, code, &["--insecure"], &[word]);
        says_of(&pair, 0, &["--ca-file", &ca, "-w", "cert_expiry=", "-c", "cert_expiry="], &["HTTP 200"]);
    }
    let chain = authority.issue_in_chain(HERE, days_from_now(5));
    says_of(&chain, 1, &["--ca-file", &ca], &["certificate of CN=the middle in its chain ends in 4d 23h (below 14d)"]);
}

#[test]
fn critical_wrong_host() {
    let authority = Authority::new();
    let ca = authority.ca();
    let pair = authority.issue(&["cuesta.example", "*.sirenia.example"], |_| {});
    let words = ["has a certificate for another host: not for 127.0.0.1, but for cuesta.example, *.sirenia.example"];
    says_of(&pair, 2, &["--ca-file", &ca], &words);
    says_of(&pair, 0, &["--ca-file", &ca, "--tls-server-name", "cuesta.example"], &["HTTP 200"]);
    says_of(&authority.issue(&[], |_| {}), 2, &["--ca-file", &ca], &["but for no host at all"]);
}

#[test]
fn critical_unknown_issuer() {
    let (authority, other) = (Authority::new(), Authority::new());
    let pair = authority.issue(HERE, |_| {});
    let other_ca = other.ca();
    says_of(&pair, 2, &["--ca-file", &other_ca], &["has a certificate of an unknown issuer, CN=the CA", "--insecure"]);
    says_of(&pair, 0, &["--insecure"], &["(not verified)"]);
}

#[test]
fn unknown_client_certificate_wanted_or_refused() {
    let authority = Authority::new();
    let ca = authority.ca();
    let pair = authority.issue(HERE, |_| {});
    let client = |authority: &Authority, name: &str| {
        let pair =
            authority.issue(&[], |params| params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth]);
        [authority.file(&format!("{name}.crt"), &pair.chain), authority.file(&format!("{name}.key"), &pair.key)]
    };
    let stranger = Authority::new();
    let ([good, good_key], [bad, bad_key]) = (client(&authority, "good"), client(&stranger, "bad"));
    for versions in [[&TLS12], [&TLS13]] {
        let (_server, front) =
            secured(&pair, &Manners { versions: &versions, clients: Some(&authority), ..Manners::default() });
        for scheme in ["https", "tls"] {
            let url = format!("{scheme}://{}", front.address);
            let trusted = [url.as_str(), "--ca-file", &ca];
            says(3, &trusted, &["wants a client certificate, and none is given", "-> --client-cert FILE"]);
            let shown =
                |certificate, key| [&trusted[..], &["--client-cert", certificate, "--client-key", key]].concat();
            says(0, &shown(&good, &good_key), &["certificate ends in"]);
            says(3, &shown(&bad, &bad_key), &["refuses the client certificate: "]);
            says(3, &shown(&good, &bad_key), &["is not the key of"]);
        }
    }
}

#[test]
fn unknown_files_of_our_own() {
    let authority = Authority::new();
    let pair = authority.issue(HERE, |_| {});
    says_of(&pair, 3, &["--ca-file", "/proc/nonexistent"], &["/proc/nonexistent: no such file or directory"]);
    let text = authority.file("text", "no certificate\n");
    says_of(&pair, 3, &["--ca-file", &text], &["holds no certificate in PEM"]);
    // What needs no file is judged.
    let (server, front) = secured(&pair, &Manners::default());
    let (plain, secret) = (format!("http://{}/", server.address()), format!("https://{}/", front.address));
    says(3, &[&plain, &secret, "--ca-file", "/proc/nonexistent"], &["1 of 2 endpoints up"]);
}

#[test]
fn critical_tls_to_a_plain_port_and_back() {
    let plain = greets(b"HTTP/1.1 400 Bad Request\r\n\r\n");
    says(
        2,
        &[&format!("https://{plain}/")],
        &["speaks plain HTTP and no TLS", &format!("-> ask without TLS: http://{plain}")],
    );
    says(2, &[&format!("tls://{}", greets(b"SSH-2.0-OpenSSH_9.2\r\n"))], &["speaks SSH and no TLS"]);
    says(
        2,
        &[&format!("tls://{}", greets(b"220 mail\r\n"))],
        &["speaks something that begins with '220 mail' and no TLS"],
    );

    let pair = self_signed(HERE, |_| {});
    let (_server, front) = secured(&pair, &Manners::default());
    let words = ["speaks TLS, and was asked for plain HTTP", &format!("-> ask with TLS: https://{}", front.address)];
    says(2, &[&format!("http://{}", front.address)], &words);
    // As Go, nginx and Apache answer it.
    for body in [
        "Client sent an HTTP request to an HTTPS server.\n",
        "<h1>400</h1>The plain HTTP request was sent to HTTPS port",
        "You're speaking plain HTTP to an SSL-enabled server port.",
    ] {
        let server = Server::tcp(|routes| routes.on("GET", "/", Answer::status(400, body)));
        says(2, &[&format!("http://{}", server.address())], &["speaks TLS, and was asked for plain HTTP"]);
    }
}

#[test]
fn critical_tls_that_is_too_old() {
    // The alert `protocol_version`, as a server without TLS 1.2 sends it.
    let old = serve(|mut stream| {
        use std::io::{Read as _, Write as _};
        let _ = stream.read(&mut [0; 1024]);
        let _ = stream.write_all(b"\x15\x03\x01\0\x02\x02\x46");
    });
    says(2, &[&format!("https://{old}/")], &["speaks no TLS of version 1.2 or later"]);
}

#[test]
fn critical_handshake_that_hangs_or_breaks_off() {
    let silent = greets(b"");
    let output =
        says(2, &[&format!("https://{silent}/"), "-t", "700ms"], &["does not finish the TLS handshake within "]);
    assert!(output.elapsed < Duration::from_millis(1200), "{:?}", output.elapsed);
    let closing = serve(drop);
    says(2, &[&format!("https://{closing}/")], &["closes the connection during the TLS handshake"]);
}

#[test]
fn critical_http2_alone() {
    let pair = self_signed(HERE, |_| {});
    let (_server, front) = secured(&pair, &Manners { protocols: &[b"h2"], ..Manners::default() });
    let url = format!("https://{}/", front.address);
    says(2, &[&url, "--insecure"], &["speaks no HTTP/1.1 over TLS (ALPN), but perhaps HTTP/2 alone", "grpcs://"]);
}

#[test]
fn no_request_is_sent_to_whom_nobody_trusts() {
    let pair = self_signed(HERE, |_| {});
    let authority = Authority::new();
    let headers = authority.file("headers", "Authorization: Bearer hunter2\n");
    let (server, front) = secured(&pair, &Manners::default());
    let url = format!("https://{}/", front.address);
    assert_eq!(check(&[&url, "--header-file", &headers]).code, 2);
    assert_eq!(server.requests().len(), 0);
    assert_eq!(check(&[&url, "--header-file", &headers, "--insecure"]).code, 0);
    assert_eq!(server.requests()[0].header("authorization"), Some("Bearer hunter2"));
}

#[test]
fn names_in_a_certificate_cannot_forge_output() {
    let pair = self_signed(HERE, |params| {
        params.distinguished_name.push(rcgen::DnType::CommonName, "x | up=1\nENDPOINT OK - \u{1b}[32mfine\u{202e}");
    });
    let output = says_of(&pair, 0, &["--insecure", "-vvv"], &["certificate CN=x / up=1 ENDPOINT OK - fine"]);
    assert_eq!(output.stdout.matches('|').count(), 1, "{}", output.stdout);
}
