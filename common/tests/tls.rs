//! TLS against a real server on loopback: every way in which it fails has its own words.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test that cannot go on fails")]

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use common::docker::{Engine, EngineError};
use common::http::{Client, Endpoint, HttpError, Identity, TlsError, TlsServer};
use rcgen::{
    BasicConstraints, CertificateParams, DistinguishedName, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
    date_time_ymd,
};
use rustls::crypto::ring;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::WebPkiClientVerifier;
use rustls::{RootCertStore, ServerConfig, ServerConnection, StreamOwned};
use support::live::eventually;
use support::tool::{need, run};

const PATIENCE: Duration = Duration::from_secs(10);
const LIMIT: u64 = 1 << 20;

/// A CA of the test's own, with a directory for files.
struct Authority {
    issuer: Issuer<'static, KeyPair>,
    pem: String,
    directory: tempfile::TempDir,
}

impl Authority {
    fn new() -> Self {
        Self::named("the CA")
    }

    fn named(name: &str) -> Self {
        let key = KeyPair::generate().unwrap();
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.distinguished_name.push(DnType::CommonName, name);
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let pem = params.self_signed(&key).unwrap().pem();
        Self { issuer: Issuer::new(params, key), pem, directory: tempfile::tempdir().unwrap() }
    }

    fn file(&self, name: &str, text: &str) -> PathBuf {
        let path = self.directory.path().join(name);
        std::fs::write(&path, text).unwrap();
        path
    }

    fn ca(&self) -> PathBuf {
        self.file("ca.pem", &self.pem)
    }

    /// A certificate for `names`, as `adjust` changes it, and its key.
    fn issue(&self, names: &[&str], adjust: impl FnOnce(&mut CertificateParams)) -> Pair {
        self.sign(&KeyPair::generate().unwrap(), names, adjust)
    }

    fn sign(&self, key: &KeyPair, names: &[&str], adjust: impl FnOnce(&mut CertificateParams)) -> Pair {
        let mut params = CertificateParams::new(names.iter().map(|&name| name.to_owned()).collect::<Vec<_>>()).unwrap();
        params.distinguished_name = DistinguishedName::new();
        adjust(&mut params);
        let certificate = params.signed_by(key, &self.issuer).unwrap().pem();
        Pair { certificate, key: key.serialize_pem() }
    }

    /// A client's certificate, in files.
    fn client(&self) -> Identity {
        let pair = self.issue(&[], |params| params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth]);
        self.identity(&pair.certificate, &pair.key)
    }

    fn identity(&self, certificate: &str, key: &str) -> Identity {
        Identity { certificate: self.file("cert.pem", certificate), key: self.file("key.pem", key), is_optional: false }
    }
}

struct Pair {
    certificate: String,
    key: String,
}

impl Pair {
    fn server(&self, clients: Option<&Authority>, versions: &[&'static rustls::SupportedProtocolVersion]) -> Server {
        let provider = Arc::new(ring::default_provider());
        let builder =
            ServerConfig::builder_with_provider(Arc::clone(&provider)).with_protocol_versions(versions).unwrap();
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
        Server::start(move |socket| {
            answer(StreamOwned::new(ServerConnection::new(Arc::clone(&config)).unwrap(), socket));
        })
    }

    fn open_server(&self) -> Server {
        self.server(None, rustls::ALL_VERSIONS)
    }
}

/// Answers every request of a connection with OK, and those of `/long` with more.
fn answer(mut stream: impl Read + Write) {
    let mut head = Vec::new();
    let mut byte = [0];
    while let Ok(1) = stream.read(&mut byte) {
        head.push(byte[0]);
        if head.ends_with(b"\r\n\r\n") {
            let body = if head.starts_with(b"GET /long ") { "x".repeat(100_000) } else { "OK".to_owned() };
            let answer =
                format!("HTTP/1.1 200 OK\r\nApi-Version: 1.41\r\nContent-Length: {}\r\n\r\n{body}", body.len());
            if stream.write_all(answer.as_bytes()).is_err() {
                return;
            }
            head.clear();
        }
    }
}

/// A server on a free port of loopback; its threads end with the test.
struct Server {
    address: SocketAddr,
    connections: Arc<AtomicUsize>,
}

impl Server {
    fn start(serve: impl Fn(TcpStream) + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let connections = Arc::new(AtomicUsize::new(0));
        let (count, serve) = (Arc::clone(&connections), Arc::new(serve));
        std::thread::spawn(move || {
            for socket in listener.incoming() {
                count.fetch_add(1, Ordering::SeqCst);
                let serve = Arc::clone(&serve);
                std::thread::spawn(move || serve(socket.unwrap()));
            }
        });
        Self { address, connections }
    }

    fn endpoint(&self, ca: &Path, identity: Option<Identity>) -> Endpoint {
        Endpoint::Tls(self.tls(ca, identity))
    }

    fn tls(&self, ca: &Path, identity: Option<Identity>) -> TlsServer {
        TlsServer::new(self.address.to_string(), Some(ca.to_owned()), identity)
    }
}

fn ping(endpoint: &Endpoint) -> Result<Duration, EngineError> {
    Engine::connect(endpoint, PATIENCE).map(|engine| engine.ping)
}

/// Whose fault it is that there is no ping, and its words.
#[track_caller]
fn failure(endpoint: &Endpoint) -> (Fault, String) {
    let error = ping(endpoint).unwrap_err();
    (if error.is_ours() { Fault::Ours } else { Fault::Theirs }, error.to_string())
}

#[derive(Debug, PartialEq)]
enum Fault {
    Ours,
    Theirs,
}
use Fault::{Ours, Theirs};

#[test]
fn a_certificate_that_the_ca_signed_for_this_host_is_trusted() {
    let authority = Authority::new();
    let pair = authority.issue(&["127.0.0.1"], |_| {});
    for version in [&rustls::version::TLS12, &rustls::version::TLS13] {
        ping(&pair.server(None, &[version]).endpoint(&authority.ca(), None)).unwrap();
    }
}

#[test]
fn a_name_is_asked_for_as_the_address_has_it() {
    let authority = Authority::new();
    let server = authority.issue(&["localhost"], |_| {}).open_server();
    let named = |host: &str| {
        let authority_of_url = format!("{host}:{}", server.address.port());
        Endpoint::Tls(TlsServer::new(authority_of_url, Some(authority.ca()), None))
    };
    ping(&named("localhost")).unwrap();
    let words = "its certificate is not for 127.0.0.1, but for localhost";
    assert_eq!(failure(&named("127.0.0.1")), (Theirs, words.to_owned()));
}

#[test]
fn what_is_wrong_with_the_certificate_is_said() {
    let authority = Authority::new();
    let ca = authority.ca();
    let host = ["127.0.0.1"];
    let fault = |server: &Server| failure(&server.endpoint(&ca, None));

    let (whose, words) = fault(&authority.issue(&host, |p| p.not_after = date_time_ymd(2020, 1, 1)).open_server());
    assert!(whose == Theirs && words.starts_with("its certificate expired ") && words.ends_with(" ago"), "{words}");
    let (whose, words) = fault(&authority.issue(&host, |p| p.not_before = date_time_ymd(2100, 1, 1)).open_server());
    assert!(whose == Theirs && words.starts_with("its certificate is not valid yet, but in "), "{words}");
    for (names, words) in [
        (["a.example", "10.0.0.1"].as_slice(), "its certificate is not for 127.0.0.1, but for a.example, 10.0.0.1"),
        (&[], "its certificate is not for 127.0.0.1, it names no host in subjectAltName"),
    ] {
        assert_eq!(fault(&authority.issue(names, |_| {}).open_server()), (Theirs, words.to_owned()));
    }
    for name in ["the CA", "another CA"] {
        let stranger = Authority::named(name).issue(&host, |_| {}).open_server();
        let words = "no CA that is trusted here has signed its certificate";
        assert_eq!(fault(&stranger), (Theirs, words.to_owned()));
    }
    let own = authority.issue(&host, |p| p.is_ca = IsCa::Ca(BasicConstraints::Unconstrained)).open_server();
    let words = "it shows the certificate of a CA; a server needs one that a CA signed";
    assert_eq!(fault(&own), (Theirs, words.to_owned()));
    let client = authority.issue(&host, |p| p.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth]);
    let (whose, words) = fault(&client.open_server());
    assert!(whose == Theirs && words.starts_with("its certificate cannot be used: "), "{words}");
}

#[test]
fn without_verification_any_certificate_will_do_and_no_ca_is_read() {
    let server = Authority::new().issue(&["a.example"], |p| p.not_after = date_time_ymd(2020, 1, 1));
    for version in [&rustls::version::TLS12, &rustls::version::TLS13] {
        let tls = server.server(None, &[version]).tls(Path::new("/nonexistent"), None).unverified();
        ping(&Endpoint::Tls(tls)).unwrap();
    }
}

#[test]
fn a_ca_that_only_the_system_could_trust_is_looked_for_there() {
    let authority = Authority::new();
    let server = authority.issue(&["127.0.0.1"], |_| {}).open_server();
    let error = ping(&Endpoint::Tls(TlsServer::new(server.address.to_string(), None, None))).unwrap_err();
    let roots = Path::new("/etc/ssl/certs/ca-certificates.crt").exists();
    let wanted = if roots { TlsError::UnknownIssuer } else { TlsError::NoRoots };
    assert!(matches!(&error, EngineError::Http(HttpError::Tls(found)) if *found == wanted), "{error:?}");
}

#[test]
fn a_client_certificate_is_shown_and_its_refusal_is_the_checks_own_fault() {
    let authority = Authority::new();
    let ca = authority.ca();
    let pair = authority.issue(&["127.0.0.1"], |_| {});
    let strangers = [Authority::named("the CA"), Authority::named("another CA")];
    let old = authority.issue(&[], |p| {
        p.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
        p.not_after = date_time_ymd(2020, 1, 1);
    });
    for version in [&rustls::version::TLS12, &rustls::version::TLS13] {
        let server = pair.server(Some(&authority), &[version]);
        ping(&server.endpoint(&ca, Some(authority.client()))).unwrap();
        let fault = |identity| failure(&server.endpoint(&ca, identity));
        assert_eq!(fault(None), (Ours, "it wants a client certificate, and none is given".to_owned()));
        for stranger in &strangers {
            let words = "it refuses the client certificate: the CA that signed it is not trusted there";
            assert_eq!(fault(Some(stranger.client())), (Ours, words.to_owned()));
        }
        let words = "it refuses the client certificate: it has expired";
        assert_eq!(fault(Some(authority.identity(&old.certificate, &old.key))), (Ours, words.to_owned()));
    }
}

#[test]
fn a_pair_that_may_be_missing_is_not_missed() {
    let authority = Authority::new();
    let server = authority.issue(&["127.0.0.1"], |_| {}).open_server();
    let [certificate, key] = ["no-cert.pem", "no-key.pem"].map(|name| authority.directory.path().join(name));
    let identity = Identity { certificate, key, is_optional: true };
    ping(&server.endpoint(&authority.ca(), Some(identity.clone()))).unwrap();
    let strict = authority.issue(&["127.0.0.1"], |_| {}).server(Some(&authority), &[&rustls::version::TLS12]);
    let words = "it wants a client certificate, and none is given";
    assert_eq!(failure(&strict.endpoint(&authority.ca(), Some(identity.clone()))), (Ours, words.to_owned()));
    std::fs::write(&identity.key, "").unwrap();
    let words = format!("{}: no such file or directory", identity.certificate.display());
    assert_eq!(failure(&server.endpoint(&authority.ca(), Some(identity))), (Ours, words));
}

#[test]
fn a_file_that_cannot_be_used_is_named_with_the_reason() {
    let authority = Authority::new();
    let server = authority.issue(&["127.0.0.1"], |_| {}).open_server();
    let good = authority.client();
    let other_key = authority.file("other.pem", &KeyPair::generate().unwrap().serialize_pem());
    let garbage = authority.file("garbage.pem", "-----BEGIN CERTIFICATE-----\n!!!\n-----END CERTIFICATE-----\n");
    let shapeless = authority.file("shapeless.pem", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n");
    let empty = authority.file("empty.pem", "nothing\n");
    let missing = authority.directory.path().join("missing.pem");
    let directory = authority.directory.path().to_owned();
    let with_key = |key: &PathBuf| Some(Identity { key: key.clone(), ..good.clone() });
    let with_certificate = |certificate: &PathBuf| Some(Identity { certificate: certificate.clone(), ..good.clone() });
    let ca = authority.ca();
    for (ca, identity, path, reason) in [
        (&missing, None, &missing, "no such file or directory"),
        (&directory, None, &directory, "is a directory"),
        (&empty, None, &empty, "holds no certificate in PEM"),
        (&garbage, None, &garbage, "is damaged: "),
        (&shapeless, None, &shapeless, "holds no certificate that can be read"),
        (&ca, with_certificate(&missing), &missing, "no such file or directory"),
        (&ca, with_certificate(&empty), &empty, "holds no certificate in PEM"),
        (&ca, with_key(&missing), &missing, "no such file or directory"),
        (&ca, with_key(&empty), &empty, "holds no private key in PEM"),
        (&ca, with_key(&other_key), &other_key, "is not the key of "),
    ] {
        let (whose, words) = failure(&server.endpoint(ca, identity));
        assert!(whose == Ours && words.starts_with(&format!("{}: {reason}", path.display())), "{words}");
    }
    eventually("the files to be read when a connection is made, and not before", || {
        server.connections.load(Ordering::SeqCst) == 10
    });
}

#[test]
fn keys_are_read_as_openssl_writes_them_and_an_encrypted_one_says_so() {
    need("openssl", "apt-get install openssl");
    let authority = Authority::new();
    let ca = authority.ca();
    let server = authority.issue(&["127.0.0.1"], |_| {}).server(Some(&authority), rustls::ALL_VERSIONS);
    for algorithm in [
        ["-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256"],
        ["-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048"],
    ] {
        let pkcs8 = run("openssl", &[&["genpkey"], algorithm.as_slice()].concat());
        let plain = authority.file("pkcs8.pem", &pkcs8).display().to_string();
        let pair = authority.sign(&KeyPair::from_pem(&pkcs8).unwrap(), &[], |p| {
            p.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
        });
        for (further, begin) in [(&[][..], "BEGIN PRIVATE KEY"), (&["-traditional"], "BEGIN ")] {
            let key = run("openssl", &[&["pkey", "-in", &plain], further].concat());
            assert!(key.contains(begin) && (further.is_empty() || !key.contains("BEGIN PRIVATE KEY")), "{key}");
            ping(&server.endpoint(&ca, Some(authority.identity(&pair.certificate, &key)))).unwrap();
            let locked = ["pkey", "-in", &plain, "-aes256", "-passout", "pass:secret"];
            let key = run("openssl", &[&locked, further].concat());
            let (whose, words) = failure(&server.endpoint(&ca, Some(authority.identity(&pair.certificate, &key))));
            assert!(whose == Ours && words.contains("key.pem: is encrypted, and a check has nobody to ask"), "{words}");
        }
    }
}

#[test]
fn a_server_without_tls_and_one_with_it_are_told_apart() {
    let authority = Authority::new();
    let bad_request = b"HTTP/1.1 400 Bad Request\r\nContent-Type: text/plain\r\nConnection: close\r\n\r\n";
    let plain = Server::start(move |mut socket| {
        let _ = socket.read(&mut [0; 4096]);
        let _ = socket.write_all(bad_request);
    });
    assert_eq!(failure(&plain.endpoint(&authority.ca(), None)), (Theirs, "it speaks no TLS".to_owned()));
    // As an engine with TLS answers whoever speaks without.
    let tls = Server::start(move |mut socket| {
        let _ = socket.read(&mut [0; 4096]);
        let _ = socket.write_all(b"HTTP/1.0 400 Bad Request\r\n\r\nClient sent an HTTP request to an HTTPS server.\n");
    });
    let words = "it speaks TLS, and was asked without";
    assert_eq!(failure(&Endpoint::Tcp(tls.address.to_string())), (Ours, words.to_owned()));
}

#[test]
fn a_handshake_that_hangs_or_breaks_off_is_told_from_an_answer_that_does() {
    let authority = Authority::new();
    let silent = Server::start(|mut socket| while socket.read(&mut [0; 4096]).is_ok_and(|count| count > 0) {});
    let patience = Duration::from_millis(200);
    let error = Engine::connect(&silent.endpoint(&authority.ca(), None), patience).unwrap_err();
    assert_eq!((error.is_ours(), error.to_string().as_str()), (false, "the TLS handshake was not done in time"));
    let rude = Server::start(|mut socket| {
        let _ = socket.read(&mut [0; 4096]);
    });
    let words = "it closed the connection during the TLS handshake";
    assert_eq!(failure(&rude.endpoint(&authority.ca(), None)), (Theirs, words.to_owned()));
    let nobody = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let gone = Endpoint::Tls(TlsServer::new(nobody.to_string(), Some(authority.ca()), None));
    assert_eq!(failure(&gone), (Theirs, "connection refused".to_owned()));
}

#[test]
fn connections_are_kept_and_shared_by_threads() {
    let authority = Authority::new();
    let server = authority.issue(&["127.0.0.1"], |_| {}).open_server();
    let client = Client::new(&server.endpoint(&authority.ca(), None));
    for _ in 0..3 {
        client.get("/", PATIENCE, LIMIT).unwrap();
    }
    assert_eq!(server.connections.load(Ordering::SeqCst), 1);
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| (0..10).for_each(|_| assert!(!client.get("/long", PATIENCE, LIMIT).unwrap().is_cut)));
        }
    });
    let opened = server.connections.load(Ordering::SeqCst);
    assert!((1..=4).contains(&opened), "{opened} connections for 4 threads");
}
