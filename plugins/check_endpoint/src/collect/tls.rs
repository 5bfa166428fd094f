//! Handshakes, of which more is remembered than whether they went well.

use std::fmt;
use std::io::ErrorKind;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use common::http::{TlsError, certificates, identify, roots};
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::client::{ResolvesClientCert, WebPkiServerVerifier, verify_server_name};
use rustls::crypto::{CryptoProvider, ring, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::server::ParsedCertificate;
use rustls::sign::CertifiedKey;
use rustls::{
    CertificateError, ClientConfig, ClientConnection, DigitallySignedStruct, OtherError, ProtocolVersion,
    SignatureScheme,
};

use super::socket::{Socket, Stream};
use crate::cli::Config;
use crate::parse::certificate;
use crate::parse::speech::speech;
use crate::snapshot::{Failure, Phase, Session};
use crate::target::{Scheme, Url};

/// What all connections with TLS have in common.
pub struct Setup {
    /// Without a way to look at certificates, which each connection gets its own of.
    config: ClientConfig,
    provider: Arc<CryptoProvider>,
    trust: Option<Arc<Trust>>,
    name: Option<String>,
}

impl fmt::Debug for Setup {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Setup").finish_non_exhaustive()
    }
}

/// Whom to trust.
struct Trust {
    verifier: Arc<WebPkiServerVerifier>,
    /// Certificates of the CA file, one of which may be the server's own.
    pinned: Vec<CertificateDer<'static>>,
}

impl Setup {
    /// Reads the files that the options name.
    pub fn new(config: &Config) -> Result<Self, TlsError> {
        let provider = Arc::new(ring::default_provider());
        let failed = |error: rustls::Error| TlsError::Protocol(error.to_string());
        let trust =
            if config.options.insecure { None } else { Some(trust(config.options.ca_file.as_deref(), &provider)?) };
        let builder = ClientConfig::builder_with_provider(Arc::clone(&provider))
            .with_safe_default_protocol_versions()
            .map_err(failed)?
            .dangerous()
            .with_custom_certificate_verifier(Arc::new(Witness::new(&provider, None)));
        let config_of_tls = identify(builder, config.identity.as_ref())?;
        Ok(Self { config: config_of_tls, provider, trust, name: config.options.tls_server_name.clone() })
    }

    /// Shakes hands over `socket`. What is known of the session is known even where that fails.
    pub fn shake_hands(&self, mut socket: Socket, url: &Url) -> (Option<Session>, Result<Stream, Failure>) {
        let name = self.name.as_deref().unwrap_or(&url.host);
        let Ok(name) = ServerName::try_from(name.to_owned()) else {
            let failure = Failure::Tls(TlsError::Host(name.to_owned()), speech(&[]));
            return (None, Err(failure));
        };
        let witness = Arc::new(Witness::new(&self.provider, self.trust.clone()));
        let mut config = self.config.clone();
        let identity = Arc::new(Identity {
            inner: Arc::clone(&config.client_auth_cert_resolver),
            is_asked: AtomicBool::new(false),
        });
        config.client_auth_cert_resolver = Arc::<Identity>::clone(&identity);
        config.dangerous().set_certificate_verifier(Arc::<Witness>::clone(&witness));
        config.alpn_protocols = match url.scheme {
            Scheme::Https => vec![b"http/1.1".to_vec()],
            Scheme::Grpcs => vec![b"h2".to_vec()],
            _ => Vec::new(),
        };
        let shows_certificate = identity.has_certs();
        let mut connection = match ClientConnection::new(Arc::new(config), name) {
            Ok(connection) => Box::new(connection),
            Err(error) => return (None, Err(Failure::Tls(TlsError::Protocol(error.to_string()), speech(&[])))),
        };
        let mut done = connection.complete_io(&mut socket).map(|_| ());
        let is_asked = identity.is_asked.load(Ordering::Acquire);
        if done.is_ok() && is_asked && url.scheme == Scheme::Tls {
            done = await_verdict(&mut connection, &mut socket);
        }
        let session = witness.session(&connection);
        let outcome = match done {
            Ok(()) if url.scheme == Scheme::Grpcs && connection.alpn_protocol() != Some(b"h2") => Err(Failure::NoHttp2),
            Ok(()) => Ok(Stream::encrypted(socket, connection)),
            Err(error) => Err(explain(&error, &mut connection, &mut socket, shows_certificate)),
        };
        (session, outcome)
    }
}

/// What the server says of the client's certificate, or of its lack. Since TLS 1.3 that comes after the handshake; a
/// server that is content says nothing.
fn await_verdict(connection: &mut ClientConnection, socket: &mut Socket) -> std::io::Result<()> {
    const PATIENCE: Duration = Duration::from_millis(200);
    socket.set_end(std::time::Instant::now() + PATIENCE);
    match connection.read_tls(socket) {
        Ok(_) => connection.process_new_packets().map(|_| ()).map_err(std::io::Error::other),
        Err(error) if error.kind() == ErrorKind::TimedOut => Ok(()),
        Err(error) => Err(error),
    }
}

/// Why a handshake failed.
fn explain(
    error: &std::io::Error,
    connection: &mut ClientConnection,
    socket: &mut Socket,
    shows_certificate: bool,
) -> Failure {
    let mut cause = error.get_ref().and_then(|cause| cause.downcast_ref::<rustls::Error>()).cloned();
    // A server that refuses says so and closes, perhaps while we still wrote. Its word waits to be read.
    if cause.is_none()
        && matches!(error.kind(), ErrorKind::BrokenPipe | ErrorKind::ConnectionReset)
        && connection.read_tls(socket).is_ok()
    {
        cause = connection.process_new_packets().err();
    }
    let spoken = speech(socket.first());
    match (cause, error.kind()) {
        (Some(cause), _) => Failure::Tls(TlsError::of(&cause, true, shows_certificate), spoken),
        (None, ErrorKind::TimedOut) => Failure::Timeout(Phase::Handshake),
        (None, _) => Failure::Tls(TlsError::HandshakeBroken, spoken),
    }
}

/// Why reading or writing over TLS failed after the handshake, if TLS itself is the reason.
pub fn late_refusal(error: &std::io::Error, shows_certificate: bool) -> Option<Failure> {
    let cause = error.get_ref().and_then(|cause| cause.downcast_ref::<rustls::Error>())?;
    Some(Failure::Tls(TlsError::of(cause, false, shows_certificate), speech(&[])))
}

fn trust(ca: Option<&Path>, provider: &Arc<CryptoProvider>) -> Result<Arc<Trust>, TlsError> {
    let pinned = ca.map(certificates).transpose()?.unwrap_or_default();
    let roots = Arc::new(roots(ca)?);
    let verifier = WebPkiServerVerifier::builder_with_provider(roots, Arc::clone(provider)).build();
    let verifier = verifier.map_err(|error| TlsError::Protocol(error.to_string()))?;
    Ok(Arc::new(Trust { verifier, pinned }))
}

/// Remembers whether a server asked for a certificate.
#[derive(Debug)]
struct Identity {
    inner: Arc<dyn ResolvesClientCert>,
    is_asked: AtomicBool,
}

impl ResolvesClientCert for Identity {
    fn resolve(&self, hints: &[&[u8]], schemes: &[SignatureScheme]) -> Option<Arc<CertifiedKey>> {
        self.is_asked.store(true, Ordering::Release);
        self.inner.resolve(hints, schemes)
    }

    fn has_certs(&self) -> bool {
        self.inner.has_certs()
    }
}

/// Remembers what a server shows, and judges it where somebody is trusted.
struct Witness {
    provider: Arc<CryptoProvider>,
    trust: Option<Arc<Trust>>,
    seen: Mutex<Seen>,
}

#[derive(Default)]
struct Seen {
    chain: Vec<CertificateDer<'static>>,
    is_pinned: bool,
}

impl Witness {
    fn new(provider: &Arc<CryptoProvider>, trust: Option<Arc<Trust>>) -> Self {
        Self { provider: Arc::clone(provider), trust, seen: Mutex::default() }
    }

    /// What is known of the session; nothing before the server has shown a certificate.
    fn session(&self, connection: &ClientConnection) -> Option<Session> {
        let seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        if seen.chain.is_empty() {
            return None;
        }
        let version = connection.protocol_version().map(|version| match version {
            ProtocolVersion::TLSv1_2 => "TLS 1.2".to_owned(),
            ProtocolVersion::TLSv1_3 => "TLS 1.3".to_owned(),
            other => format!("{other:?}"),
        });
        let cipher = connection.negotiated_cipher_suite().map(|suite| format!("{:?}", suite.suite()));
        let protocol = connection.alpn_protocol().map(|name| String::from_utf8_lossy(name).into_owned());
        let chain = seen.chain.iter().map(|der| certificate::read(der)).collect();
        Some(Session { version, cipher, protocol, chain, is_pinned: seen.is_pinned })
    }
}

impl fmt::Debug for Witness {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Witness").finish_non_exhaustive()
    }
}

impl Trust {
    /// Takes a certificate that is in the CA file itself for the server's, if it is for `host` and for now. Those that
    /// programs make for themselves at their start are often marked as CAs, which no verifier takes for servers.
    fn knows(&self, leaf: &CertificateDer, host: &ServerName, now: UnixTime) -> Result<bool, rustls::Error> {
        if !self.pinned.iter().any(|pinned| pinned.as_ref() == leaf.as_ref()) {
            return Ok(false);
        }
        let bad = |_| rustls::Error::InvalidCertificate(CertificateError::BadEncoding);
        let facts = certificate::read(leaf).map_err(bad)?;
        let at = |seconds: f64| UnixTime::since_unix_epoch(Duration::try_from_secs_f64(seconds).unwrap_or_default());
        let (not_before, not_after) = (at(facts.not_before), at(facts.not_after));
        if now > not_after {
            return Err(CertificateError::ExpiredContext { time: now, not_after }.into());
        }
        if now < not_before {
            return Err(CertificateError::NotValidYetContext { time: now, not_before }.into());
        }
        verify_server_name(&ParsedCertificate::try_from(leaf)?, host).map(|()| true)
    }
}

/// Whether the verifier refuses who signed a certificate, and nothing else about it.
fn is_about_the_issuer(error: &rustls::Error) -> bool {
    match error {
        rustls::Error::InvalidCertificate(CertificateError::UnknownIssuer | CertificateError::BadSignature) => true,
        rustls::Error::InvalidCertificate(CertificateError::Other(OtherError(cause))) => {
            cause.to_string() == "CaUsedAsEndEntity"
        }
        _ => false,
    }
}

impl ServerCertVerifier for Witness {
    fn verify_server_cert(
        &self,
        leaf: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        host: &ServerName<'_>,
        stapled: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        seen.chain = std::iter::once(leaf).chain(intermediates).map(|each| each.clone().into_owned()).collect();
        let Some(trust) = &self.trust else { return Ok(ServerCertVerified::assertion()) };
        match trust.verifier.verify_server_cert(leaf, intermediates, host, stapled, now) {
            Err(error) if is_about_the_issuer(&error) && trust.knows(leaf, host, now)? => {
                seen.is_pinned = true;
                Ok(ServerCertVerified::assertion())
            }
            verdict => verdict,
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        leaf: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        if self.trust.is_none() {
            return Ok(HandshakeSignatureValid::assertion());
        }
        verify_tls12_signature(message, leaf, signed, &self.provider.signature_verification_algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        leaf: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        if self.trust.is_none() {
            return Ok(HandshakeSignatureValid::assertion());
        }
        verify_tls13_signature(message, leaf, signed, &self.provider.signature_verification_algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider.signature_verification_algorithms.supported_schemes()
    }
}
