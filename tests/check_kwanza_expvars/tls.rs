//! TLS: what is trusted, what is not, and who is to blame.

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rcgen::{
    BasicConstraints, CertificateParams, DistinguishedName, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
    date_time_ymd,
};
use rustls::crypto::ring;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::WebPkiClientVerifier;
use rustls::{RootCertStore, ServerConfig, ServerConnection, StreamOwned};
use support::http::{Answer, Server};
use support::run::{Output, Run};

use crate::kwanza::{Site, binary, checked, recorded};

/// A CA of the test's own, with a directory for files.
struct Authority {
    issuer: Issuer<'static, KeyPair>,
    pem: String,
    directory: tempfile::TempDir,
}

/// A certificate and its key.
struct Pair {
    certificate: String,
    key: String,
}

impl Authority {
    fn new() -> Self {
        let key = KeyPair::generate().unwrap();
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.distinguished_name.push(DnType::CommonName, "the CA");
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let pem = params.self_signed(&key).unwrap().pem();
        Self { issuer: Issuer::new(params, key), pem, directory: tempfile::tempdir().unwrap() }
    }

    fn file(&self, name: &str, text: &str) -> PathBuf {
        let path = self.directory.path().join(name);
        std::fs::write(&path, text).unwrap();
        path
    }

    fn issue(&self, names: &[&str], adjust: impl FnOnce(&mut CertificateParams)) -> Pair {
        let key = KeyPair::generate().unwrap();
        let certificate = params(names, adjust).signed_by(&key, &self.issuer).unwrap().pem();
        Pair { certificate, key: key.serialize_pem() }
    }

    /// Asks the server at `address` and trusts this CA.
    fn ask(&self, address: SocketAddr, arguments: &[&str]) -> Output {
        let ca = self.file("ca.pem", &self.pem);
        ask(&address.to_string(), &[&["--ca-file", ca.to_str().unwrap()], arguments].concat())
    }
}

fn params(names: &[&str], adjust: impl FnOnce(&mut CertificateParams)) -> CertificateParams {
    let mut params = CertificateParams::new(names.iter().map(|&name| name.to_owned()).collect::<Vec<_>>()).unwrap();
    params.distinguished_name = DistinguishedName::new();
    adjust(&mut params);
    params
}

impl Pair {
    /// A Kwanza with TLS on a free port of loopback, until the test ends.
    fn serve(&self, clients: Option<&Authority>) -> SocketAddr {
        let provider = Arc::new(ring::default_provider());
        let builder =
            ServerConfig::builder_with_provider(Arc::clone(&provider)).with_safe_default_protocol_versions().unwrap();
        let builder = match clients {
            None => builder.with_no_client_auth(),
            Some(authority) => {
                let mut roots = RootCertStore::empty();
                roots.add(CertificateDer::from_pem_slice(authority.pem.as_bytes()).unwrap()).unwrap();
                let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider).build();
                builder.with_client_cert_verifier(verifier.unwrap())
            }
        };
        let chain = vec![CertificateDer::from_pem_slice(self.certificate.as_bytes()).unwrap()];
        let key = PrivateKeyDer::from_pem_slice(self.key.as_bytes()).unwrap();
        let config = Arc::new(builder.with_single_cert(chain, key).unwrap());
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let answer = recorded("go-1.23", "healthy.http");
        std::thread::spawn(move || {
            for socket in listener.incoming().flatten() {
                let mut stream = StreamOwned::new(ServerConnection::new(Arc::clone(&config)).unwrap(), socket);
                if stream.read(&mut [0; 4096]).is_ok_and(|length| length > 0) {
                    let _ = stream.write_all(&answer);
                    stream.conn.send_close_notify();
                    let _ = stream.flush();
                }
            }
        });
        address
    }
}

fn ask(address: &str, arguments: &[&str]) -> Output {
    let run = Run::new(binary()).args(["--url", &format!("https://{address}/debug/vars")]).args(arguments);
    checked(run.output())
}

#[track_caller]
fn assert_says(output: &Output, code: i32, words: &str) {
    assert!(output.code == code && output.first_line().contains(words), "{words}: {}", output.stdout);
}

#[test]
fn a_certificate_of_the_ca_is_trusted() {
    let authority = Authority::new();
    let address = authority.issue(&["127.0.0.1"], |_| {}).serve(None);
    assert_says(&authority.ask(address, &[]), 0, "12 streams, 3 subscribers");
    let port = address.port().to_string();
    let ca = authority.directory.path().join("ca.pem");
    let output =
        checked(Run::new(binary()).args(["-H", "127.0.0.1", "-p", &port, "--tls", "--ca-file"]).arg(ca).output());
    assert_says(&output, 0, "12 streams");
}

#[test]
fn what_is_wrong_with_a_certificate_is_told() {
    let authority = Authority::new();
    let host = ["127.0.0.1"];
    let expired = authority.issue(&host, |params| params.not_after = date_time_ymd(2020, 1, 1)).serve(None);
    assert_says(&authority.ask(expired, &[]), 2, ": its certificate expired ");
    let early = authority.issue(&host, |params| params.not_before = date_time_ymd(2100, 1, 1)).serve(None);
    assert_says(&authority.ask(early, &[]), 2, ": its certificate is not valid yet, but in ");
    let other = authority.issue(&["kwanza.example"], |_| {}).serve(None);
    assert_says(&authority.ask(other, &[]), 2, ": its certificate is not for 127.0.0.1, but for kwanza.example");
    let key = KeyPair::generate().unwrap();
    let own = Pair { certificate: params(&host, |_| {}).self_signed(&key).unwrap().pem(), key: key.serialize_pem() };
    let stranger = Authority::new().issue(&host, |_| {});
    for pair in [own, stranger] {
        let output = authority.ask(pair.serve(None), &[]);
        assert_says(&output, 2, ": no CA that is trusted here has signed its certificate");
        assert!(output.stdout.contains("-> --ca-file"), "{}", output.stdout);
    }
}

#[test]
fn another_name_can_be_asked_for_and_any_certificate_taken() {
    let authority = Authority::new();
    let other = authority.issue(&["kwanza.example"], |_| {}).serve(None);
    assert_says(&authority.ask(other, &["--tls-server-name", "kwanza.example"]), 0, "12 streams");
    assert_says(
        &authority.ask(other, &["--tls-server-name", "cuesta.example"]),
        2,
        "is not for cuesta.example, but for kwanza.example",
    );
    let expired = Authority::new().issue(&["a.example"], |params| params.not_after = date_time_ymd(2020, 1, 1));
    assert_says(&ask(&expired.serve(None).to_string(), &["--insecure"]), 0, "12 streams");
}

#[test]
fn a_client_certificate_is_shown_and_its_lack_is_the_checks_own_fault() {
    let authority = Authority::new();
    let address = authority.issue(&["127.0.0.1"], |_| {}).serve(Some(&authority));
    let output = authority.ask(address, &[]);
    assert_says(&output, 3, ": it wants a client certificate, and none is given");
    assert!(output.stdout.contains("-> --client-cert and --client-key"), "{}", output.stdout);
    let shown = |issuer: &Authority| {
        let pair = issuer.issue(&[], |params| params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth]);
        let (certificate, key) = (authority.file("cert.pem", &pair.certificate), authority.file("key.pem", &pair.key));
        authority.ask(address, &["--client-cert", certificate.to_str().unwrap(), "--client-key", key.to_str().unwrap()])
    };
    assert_says(&shown(&authority), 0, "12 streams");
    assert_says(&shown(&Authority::new()), 3, ": it refuses the client certificate: ");
}

#[test]
fn files_that_cannot_be_used_are_the_checks_own_fault() {
    let authority = Authority::new();
    let address = authority.issue(&["127.0.0.1"], |_| {}).serve(None).to_string();
    let empty = authority.file("empty.pem", "nothing\n");
    for (path, reason) in
        [(Path::new("/nonexistent/ca.pem"), "no such file or directory"), (&empty, "holds no certificate in PEM")]
    {
        let output = ask(&address, &["--ca-file", path.to_str().unwrap()]);
        assert_says(&output, 3, &format!("{}: {reason}", path.display()));
    }
}

#[test]
fn tls_and_plain_text_are_told_apart() {
    let site = Site::live();
    let output = ask(&site.kwanza.expvars.to_string(), &[]);
    assert_says(&output, 2, ": it speaks no TLS");
    assert!(output.stdout.contains("-> without --tls, or a --url that begins with http://"), "{}", output.stdout);

    // A server in Go says so in words, with status 400.
    let server = Server::tcp(|routes| {
        routes.on(
            "GET",
            "/",
            Answer::Raw(b"HTTP/1.0 400 Bad Request\r\n\r\nClient sent an HTTP request to an HTTPS server.\n".to_vec()),
        )
    });
    let plain =
        |address: &str| checked(Run::new(binary()).args(["--url", &format!("http://{address}/debug/vars")]).output());
    let words = " speaks TLS, and was asked without";
    let output = plain(&server.address());
    assert_says(&output, 3, words);
    assert!(output.stdout.contains("-> --tls, or a --url that begins with https://"), "{}", output.stdout);
    // Others answer with an alert of TLS, of which nothing is known but that it is not HTTP.
    let authority = Authority::new();
    let address = authority.issue(&["127.0.0.1"], |_| {}).serve(None);
    let output = plain(&address.to_string());
    assert_says(&output, 2, " does not speak HTTP (invalid HTTP version)");
    assert!(output.stdout.contains("-> --tls, if it is TLS that it speaks"), "{}", output.stdout);
}
