//! Cuesta: a page over TLS, and HTTP that leads there.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use hyper::header::HOST;
use hyper::{Request, StatusCode, body::Incoming};
use rcgen::{CertificateParams, CertifiedKey, KeyPair};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::crypto::ring::default_provider;
use tokio_rustls::rustls::pki_types::PrivatePkcs8KeyDer;

use crate::environment::{port, value};
use crate::http::{Answer, Body, found, not_found, redirect, refusal};
use crate::server::Server;

/// The page.
const PAGE: &str =
    "<!DOCTYPE html>\n<html>\n<head><title>Cuesta</title></head>\n<body><h1>Cuesta</h1></body>\n</html>\n";

const YEAR: Duration = Duration::from_hours(24 * 365);

/// How it is set up.
#[derive(Clone, Debug)]
pub struct Config {
    /// Where HTTP listens; the guide's port is 80.
    pub http: SocketAddr,
    /// Where HTTPS listens, 443.
    pub https: SocketAddr,
    /// The name in the certificate, besides those of loopback.
    pub host: String,
    /// How long the certificate lasts from now on.
    pub lasts: Duration,
    /// Takes a line of the log.
    pub log: fn(&str),
}

impl Config {
    /// Free ports of loopback, no log.
    pub fn loopback() -> Self {
        let free = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
        Self { http: free, https: free, host: "cuesta".to_owned(), lasts: YEAR, log: |_| () }
    }

    /// The guide's ports, and what the variables `CUESTA_*` say otherwise.
    pub fn from_environment(log: fn(&str)) -> Result<Self, String> {
        Ok(Self {
            http: port("CUESTA_HTTP_PORT", 80)?,
            https: port("CUESTA_HTTPS_PORT", 443)?,
            host: value("CUESTA_HOST", "cuesta".to_owned())?,
            lasts: YEAR,
            log,
        })
    }
}

/// A Cuesta that runs, until it is dropped.
#[derive(Debug)]
pub struct Cuesta {
    /// Where HTTP listens.
    pub http: SocketAddr,
    /// Where HTTPS listens.
    pub https: SocketAddr,
    /// Its certificate, which it has signed itself, in DER.
    pub certificate: Vec<u8>,
    /// The same as PEM.
    pub pem: String,
    _server: Server,
}

impl Cuesta {
    /// Starts it.
    pub fn start(config: &Config) -> Result<Self, String> {
        let server = Server::new()?;
        let start = || {
            let made = certificate(config)?;
            let (plain, http) = server.listen(config.http)?;
            let (secret, https) = server.listen(config.https)?;
            server.http(plain, to_https);
            server.https(secret, tls(&made)?, page);
            Ok((http, https, made.cert))
        };
        let (http, https, made) = start().inspect_err(|error: &String| (config.log)(error))?;
        (config.log)("Serving with SSL");
        Ok(Self { http, https, certificate: made.der().to_vec(), pem: made.pem(), _server: server })
    }
}

/// A certificate for the host and loopback, signed by its own key.
fn certificate(config: &Config) -> Result<CertifiedKey<KeyPair>, String> {
    let failed = |error: rcgen::Error| format!("certificate: {error}");
    let names = [config.host.as_str(), "localhost", "127.0.0.1"].map(str::to_owned);
    let mut params = CertificateParams::new(names).map_err(failed)?;
    let now = SystemTime::now();
    (params.not_before, params.not_after) = ((now - YEAR).into(), (now + config.lasts).into());
    let signing_key = KeyPair::generate().map_err(failed)?;
    let cert = params.self_signed(&signing_key).map_err(failed)?;
    Ok(CertifiedKey { cert, signing_key })
}

/// What serves `made`.
fn tls(made: &CertifiedKey<KeyPair>) -> Result<TlsAcceptor, String> {
    let key = PrivatePkcs8KeyDer::from(made.signing_key.serialize_der());
    let mut config = ServerConfig::builder_with_provider(Arc::new(default_provider()))
        .with_safe_default_protocol_versions()
        .and_then(|builder| builder.with_no_client_auth().with_single_cert(vec![made.cert.der().clone()], key.into()))
        .map_err(|error| format!("TLS: {error}"))?;
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(Arc::new(config).into())
}

fn page(request: &Request<Incoming>) -> Answer {
    match (refusal(request.method()), request.uri().path()) {
        (Some(refusal), _) => refusal,
        (None, "/" | "/index.html") => found("text/html; charset=utf-8", Body::whole(PAGE)),
        (None, _) => not_found(),
    }
}

/// To the same path, at the usual port.
fn to_https(request: &Request<Incoming>) -> Answer {
    let host = request.headers().get(HOST).and_then(|host| host.to_str().ok()).unwrap_or("localhost");
    let name = host.rsplit_once(':').map_or(host, |(name, _)| name);
    let path = request.uri().path_and_query().map_or("/", |path| path.as_str());
    redirect(StatusCode::MOVED_PERMANENTLY, &format!("https://{name}{path}"))
}
