//! TLS to a server, by rustls.
//!
//! An own connector of few lines, for three reasons: what went wrong is told in the words that all plugins share,
//! `sslmode` verifies in more ways than rustls has, and the crate tokio-postgres-rustls would bring a second parser of
//! certificates for the one field that channel binding needs.

use std::fmt;
use std::future::Future;
use std::io;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};

use common::http::{Identity, TlsError, certificates, identify, roots};
use postgres::tls::{ChannelBinding, MakeTlsConnect, TlsConnect};
use ring::digest;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::client::{WebPkiServerVerifier, verify_server_name};
use rustls::crypto::{CryptoProvider, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::server::ParsedCertificate;
use rustls::{CertificateError, ClientConfig, DigitallySignedStruct, OtherError, SignatureScheme};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use crate::connect::settings::{Roots, Tls, TlsMode};
use crate::parse::certificate::{Hash, signature_hash};

/// What was agreed on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Facts {
    /// Version of TLS and name of the cipher.
    pub text: String,
    /// Whether SCRAM asked for what binds it to the connection.
    pub is_bound: bool,
}

/// Makes TLS connections. Clones share what they learn.
#[derive(Clone)]
pub struct Connector {
    config: Arc<ClientConfig>,
    shows_certificate: bool,
    facts: Arc<Mutex<Option<Facts>>>,
}

impl fmt::Debug for Connector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Connector").finish_non_exhaustive()
    }
}

impl Connector {
    /// Reads the files that `tls` names.
    pub fn new(tls: &Tls) -> Result<Self, TlsError> {
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let versions = match tls.versions {
            (true, false) => vec![&rustls::version::TLS12],
            (false, true) => vec![&rustls::version::TLS13],
            _ => vec![&rustls::version::TLS12, &rustls::version::TLS13],
        };
        let identity = tls.identity.clone();
        let identity = identity.map(|(certificate, key)| Identity { certificate, key, is_optional: false });
        let builder = ClientConfig::builder_with_provider(Arc::clone(&provider))
            .with_protocol_versions(&versions)
            .map_err(|error| TlsError::Protocol(error.to_string()))?
            .dangerous()
            .with_custom_certificate_verifier(Arc::new(Verifier::new(tls, provider)?));
        let mut config = identify(builder, identity.as_ref())?;
        config.enable_sni = tls.names_server;
        if tls.is_direct {
            config.alpn_protocols = vec![b"postgresql".to_vec()];
        }
        Ok(Self { config: Arc::new(config), shows_certificate: identity.is_some(), facts: Arc::default() })
    }

    /// What was agreed on with the server that was connected last.
    pub fn facts(&self) -> Option<Facts> {
        self.facts.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Forgets it.
    pub fn forget(&self) {
        *self.facts.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }

    /// Words for what rustls says once the handshake is done: servers look at our certificate only then.
    pub fn in_words(&self, error: &rustls::Error) -> TlsError {
        TlsError::of(error, false, self.shows_certificate)
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin + Send + 'static> MakeTlsConnect<S> for Connector {
    type Stream = Stream<S>;
    type TlsConnect = Handshake;
    type Error = TlsError;

    fn make_tls_connect(&mut self, host: &str) -> Result<Handshake, TlsError> {
        let name = ServerName::try_from(host.to_owned()).map_err(|_| TlsError::Host(host.to_owned()));
        Ok(Handshake { connector: self.clone(), name })
    }
}

/// A handshake that is yet to come.
#[derive(Debug)]
pub struct Handshake {
    connector: Connector,
    /// Looked at only if the server speaks TLS.
    name: Result<ServerName<'static>, TlsError>,
}

impl<S: AsyncRead + AsyncWrite + Unpin + Send + 'static> TlsConnect<S> for Handshake {
    type Stream = Stream<S>;
    type Error = TlsError;
    type Future = Pin<Box<dyn Future<Output = Result<Stream<S>, TlsError>> + Send>>;

    fn connect(self, stream: S) -> Self::Future {
        let Self { connector, name } = self;
        Box::pin(async move {
            let tls = tokio_rustls::TlsConnector::from(Arc::clone(&connector.config));
            let stream = tls.connect(name?, stream).await;
            let stream = stream.map_err(|error| handshake_error(&error, connector.shows_certificate))?;
            let session = stream.get_ref().1;
            let version = session.protocol_version().and_then(|version| version.as_str()).unwrap_or("TLS");
            let cipher = session.negotiated_cipher_suite().and_then(|suite| suite.suite().as_str());
            let text = format!("{} {}", version.replace('_', "."), cipher.unwrap_or_default());
            let facts = Facts { text: text.trim_end().to_owned(), is_bound: false };
            *connector.facts.lock().unwrap_or_else(PoisonError::into_inner) = Some(facts);
            Ok(Stream { stream, facts: connector.facts })
        })
    }
}

fn handshake_error(error: &io::Error, shows_certificate: bool) -> TlsError {
    match error.get_ref().and_then(|cause| cause.downcast_ref::<rustls::Error>()) {
        Some(error) => TlsError::of(error, true, shows_certificate),
        None => TlsError::HandshakeBroken,
    }
}

/// A TLS connection.
pub struct Stream<S> {
    stream: tokio_rustls::client::TlsStream<S>,
    facts: Arc<Mutex<Option<Facts>>>,
}

impl<S> fmt::Debug for Stream<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Stream").finish_non_exhaustive()
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> postgres::tls::TlsStream for Stream<S> {
    fn channel_binding(&self) -> ChannelBinding {
        let certificate = self.stream.get_ref().1.peer_certificates().and_then(<[_]>::first);
        let Some(binding) = certificate.and_then(|certificate| end_point(certificate)) else {
            return ChannelBinding::none();
        };
        if let Some(facts) = &mut *self.facts.lock().unwrap_or_else(PoisonError::into_inner) {
            facts.is_bound = true;
        }
        ChannelBinding::tls_server_end_point(binding)
    }
}

/// What binds SCRAM to a server (RFC 5929): the hash of its certificate, of the kind that its signature has.
fn end_point(certificate: &[u8]) -> Option<Vec<u8>> {
    let algorithm = match signature_hash(certificate)? {
        Hash::Sha256 => &digest::SHA256,
        Hash::Sha384 => &digest::SHA384,
        Hash::Sha512 => &digest::SHA512,
    };
    Some(digest::digest(algorithm, certificate).as_ref().to_vec())
}

impl<S: AsyncRead + AsyncWrite + Unpin> AsyncRead for Stream<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(context, buffer)
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> AsyncWrite for Stream<S> {
    fn poll_write(mut self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(context, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}

/// Verifies a server as `sslmode` says.
#[derive(Debug)]
struct Verifier {
    /// Verifies who signed; `None` where nobody asks.
    chain: Option<Arc<WebPkiServerVerifier>>,
    /// The certificates that are trusted, as they are.
    trusted: Vec<CertificateDer<'static>>,
    verifies_name: bool,
    provider: Arc<CryptoProvider>,
}

impl Verifier {
    fn new(tls: &Tls, provider: Arc<CryptoProvider>) -> Result<Self, TlsError> {
        let (store, trusted) = match &tls.roots {
            None => return Ok(Self { chain: None, trusted: Vec::new(), verifies_name: false, provider }),
            Some(Roots::System) => (roots(None)?, Vec::new()),
            Some(Roots::File(path)) => (roots(Some(path))?, certificates(path)?),
        };
        let chain = WebPkiServerVerifier::builder_with_provider(Arc::new(store), Arc::clone(&provider));
        let chain = chain.build().map_err(|error| TlsError::Protocol(error.to_string()))?;
        Ok(Self { chain: Some(chain), trusted, verifies_name: tls.mode == TlsMode::VerifyFull, provider })
    }
}

impl ServerCertVerifier for Verifier {
    fn verify_server_cert(
        &self,
        certificate: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        name: &ServerName<'_>,
        ocsp: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        use rustls::Error::InvalidCertificate;
        let Some(chain) = &self.chain else { return Ok(ServerCertVerified::assertion()) };
        match chain.verify_server_cert(certificate, intermediates, name, ocsp, now) {
            // What is wrong with the name is found last.
            Err(InvalidCertificate(
                CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. },
            )) if !self.verifies_name => Ok(ServerCertVerified::assertion()),
            // The usual certificate of a database signs itself and is trusted as it is. Its dates were looked at before.
            Err(InvalidCertificate(CertificateError::Other(OtherError(cause))))
                if cause.to_string() == "CaUsedAsEndEntity" && self.trusted.contains(certificate) =>
            {
                if self.verifies_name {
                    verify_server_name(&ParsedCertificate::try_from(certificate)?, name)?;
                }
                Ok(ServerCertVerified::assertion())
            }
            other => other,
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls12_signature(message, certificate, signature, &self.provider.signature_verification_algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls13_signature(message, certificate, signature, &self.provider.signature_verification_algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider.signature_verification_algorithms.supported_schemes()
    }
}
