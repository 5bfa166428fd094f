//! TLS by rustls, over the TCP of ureq.
//!
//! Not ureq's own TLS: that panics where a key does not fit its certificate, and would be linked into every program
//! that uses ureq at all when they are built together.

use std::fmt;
use std::io::{self, Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, ring};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{ClientConfig, ClientConnection, DigitallySignedStruct, SignatureScheme, Stream};
use ureq::config::Config;
use ureq::unversioned::resolver::DefaultResolver;
use ureq::unversioned::transport::time::{Duration, Instant};
use ureq::unversioned::transport::{
    Buffers, ConnectionDetails, Connector, LazyBuffers, NextTimeout, TcpConnector, Transport, TransportAdapter,
};
use ureq::{Agent, Error};

use super::TlsError;
use super::tls_files::{Identity, identify, roots};

/// A server that speaks TLS, and the files that a connection needs. They are read when the first connection is made.
#[derive(Clone)]
pub struct TlsServer {
    authority: String,
    ca: Option<PathBuf>,
    identity: Option<Identity>,
    verify: bool,
    /// The name that its certificate must have, where that is not the host's.
    name: Option<String>,
    /// The way into all code of TLS. A program that never makes a `TlsServer` holds none of it, even when it is built
    /// together with programs that do.
    agent: fn(&Self, Config) -> Agent,
}

impl TlsServer {
    /// The server at `authority`, `HOST:PORT`. Its certificate must be signed by a CA in the file `ca`, or by one that
    /// the system trusts where that is `None`.
    pub fn new(authority: String, ca: Option<PathBuf>, identity: Option<Identity>) -> Self {
        Self { authority, ca, identity, verify: true, name: None, agent }
    }

    /// The same server, whoever it is: its certificate is not looked at.
    #[must_use]
    pub fn unverified(self) -> Self {
        Self { verify: false, ..self }
    }

    /// The same server, whose certificate must have `name` and not that of its host.
    #[must_use]
    pub fn named(self, name: String) -> Self {
        Self { name: Some(name), ..self }
    }

    /// `HOST:PORT`.
    pub fn authority(&self) -> &str {
        &self.authority
    }

    pub(super) fn agent(&self, config: Config) -> Agent {
        (self.agent)(self, config)
    }

    fn is_like(&self) -> (&str, Option<&Path>, Option<&Identity>, bool, Option<&str>) {
        (&self.authority, self.ca.as_deref(), self.identity.as_ref(), self.verify, self.name.as_deref())
    }
}

impl PartialEq for TlsServer {
    fn eq(&self, other: &Self) -> bool {
        self.is_like() == other.is_like()
    }
}

impl Eq for TlsServer {}

impl fmt::Debug for TlsServer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("TlsServer").field(&self.is_like()).finish()
    }
}

fn agent(server: &TlsServer, config: Config) -> Agent {
    let tls = TlsConnector { server: server.clone(), config: Mutex::new(None) };
    Agent::with_parts(config, ().chain(TcpConnector::default()).chain(tls), DefaultResolver::default())
}

fn failed(error: TlsError) -> Error {
    Error::Other(Box::new(error))
}

#[derive(Debug)]
struct TlsConnector {
    server: TlsServer,
    /// What was made of the files, for all connections.
    config: Mutex<Option<Arc<ClientConfig>>>,
}

impl TlsConnector {
    fn config(&self) -> Result<Arc<ClientConfig>, TlsError> {
        let mut kept = self.config.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(config) = &*kept {
            return Ok(Arc::clone(config));
        }
        let config = Arc::new(client_config(&self.server)?);
        *kept = Some(Arc::clone(&config));
        Ok(config)
    }
}

impl<In: Transport> Connector<In> for TlsConnector {
    type Out = TlsTransport<In>;

    fn connect(&self, details: &ConnectionDetails, socket: Option<In>) -> Result<Option<TlsTransport<In>>, Error> {
        let Some(socket) = socket else { return Ok(None) };
        let config = self.config().map_err(failed)?;
        let host = self.server.name.as_deref().or(details.uri.host()).unwrap_or_default();
        let bare = host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host);
        let name = ServerName::try_from(bare.to_owned()).map_err(|_| failed(TlsError::Host(host.to_owned())))?;
        let shows_certificate = config.client_auth_cert_resolver.has_certs();
        let connection =
            ClientConnection::new(config, name).map_err(|error| failed(TlsError::Protocol(error.to_string())))?;
        let mut transport = TlsTransport {
            connection,
            socket: TransportAdapter::new(socket, Arc::clone(&details.current_time)),
            shows_certificate,
            buffers: LazyBuffers::new(details.config.input_buffer_size(), details.config.output_buffer_size()),
        };
        transport.shake_hands(rest_of(details))?;
        Ok(Some(transport))
    }
}

/// What connecting has left of the time.
fn rest_of(details: &ConnectionDetails) -> NextTimeout {
    let mut timeout = details.timeout;
    if let (Duration::Exact(allowed), Instant::Exact(begin)) = (timeout.after, details.now) {
        timeout.after = Duration::Exact(allowed.saturating_sub(begin.elapsed()));
    }
    timeout
}

struct TlsTransport<In: Transport> {
    connection: ClientConnection,
    socket: TransportAdapter<In>,
    shows_certificate: bool,
    buffers: LazyBuffers,
}

impl<In: Transport> TlsTransport<In> {
    fn shake_hands(&mut self, timeout: NextTimeout) -> Result<(), Error> {
        self.socket.set_timeout(timeout);
        let Err(error) = self.connection.complete_io(&mut self.socket) else { return Ok(()) };
        Err(match self.explain(error) {
            Error::Timeout(_) => failed(TlsError::HandshakeTimeout),
            Error::Io(_) => failed(TlsError::HandshakeBroken),
            error => error,
        })
    }

    /// What lies behind an error of reading or writing.
    fn explain(&mut self, error: io::Error) -> Error {
        if let Some(cause) = error.get_ref().and_then(|cause| cause.downcast_ref::<rustls::Error>()) {
            return failed(self.in_words(cause));
        }
        // A server that refuses says so and closes, perhaps while we still wrote. Its word waits to be read.
        if matches!(error.kind(), io::ErrorKind::BrokenPipe | io::ErrorKind::ConnectionReset)
            && self.connection.read_tls(&mut self.socket).is_ok()
            && let Err(cause) = self.connection.process_new_packets()
        {
            return failed(self.in_words(&cause));
        }
        Error::from(error)
    }

    fn in_words(&self, error: &rustls::Error) -> TlsError {
        TlsError::of(error, self.connection.is_handshaking(), self.shows_certificate)
    }
}

impl<In: Transport> fmt::Debug for TlsTransport<In> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TlsTransport").finish_non_exhaustive()
    }
}

impl<In: Transport> Transport for TlsTransport<In> {
    fn buffers(&mut self) -> &mut dyn Buffers {
        &mut self.buffers
    }

    fn transmit_output(&mut self, amount: usize, timeout: NextTimeout) -> Result<(), Error> {
        self.socket.set_timeout(timeout);
        let output = self.buffers.output().get(..amount).unwrap_or_default();
        let mut stream = Stream::new(&mut self.connection, &mut self.socket);
        let written = stream.write_all(output).and_then(|()| stream.flush());
        written.map_err(|error| self.explain(error))
    }

    fn await_input(&mut self, timeout: NextTimeout) -> Result<bool, Error> {
        self.socket.set_timeout(timeout);
        let read = Stream::new(&mut self.connection, &mut self.socket).read(self.buffers.input_append_buf());
        let amount = read.map_err(|error| self.explain(error))?;
        self.buffers.input_appended(amount);
        Ok(amount > 0)
    }

    fn is_open(&mut self) -> bool {
        self.socket.get_mut().is_open()
    }

    fn is_tls(&self) -> bool {
        true
    }
}

fn client_config(server: &TlsServer) -> Result<ClientConfig, TlsError> {
    let provider = Arc::new(ring::default_provider());
    let builder = ClientConfig::builder_with_provider(Arc::clone(&provider))
        .with_safe_default_protocol_versions()
        .map_err(|error| TlsError::Protocol(error.to_string()))?;
    let builder = if server.verify {
        builder.with_root_certificates(roots(server.ca.as_deref())?)
    } else {
        builder.dangerous().with_custom_certificate_verifier(Arc::new(Anyone(provider)))
    };
    identify(builder, server.identity.as_ref())
}

/// Takes any server for the right one.
#[derive(Debug)]
struct Anyone(Arc<CryptoProvider>);

impl ServerCertVerifier for Anyone {
    fn verify_server_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        Ok(HandshakeSignatureValid::assertion())
    }

    fn verify_tls13_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        Ok(HandshakeSignatureValid::assertion())
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.signature_verification_algorithms.supported_schemes()
    }
}
