//! What was found, unjudged.

use std::io::ErrorKind;

use common::http::TlsError;

use crate::parse::grpc::Serving;
use crate::parse::http::Head;
use crate::parse::speech::Speech;
use crate::target::Url;

/// Why nothing was looked at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fault {
    /// The file of header fields cannot be used, and why.
    HeaderFile(String),
}

/// What all endpoints answered, in the order of the configuration.
#[derive(Debug, Default)]
pub struct Snapshot {
    /// One for each endpoint.
    pub endpoints: Vec<Found>,
}

/// What came of one endpoint.
#[derive(Debug)]
pub struct Found {
    /// How long each part took.
    pub phases: Phases,
    /// The address that was connected to.
    pub peer: Option<String>,
    /// Addresses of the same name that were tried in vain, each with the reason.
    pub missed: Vec<(String, String)>,
    /// What is known of TLS, as soon as the server showed a certificate.
    pub session: Option<Session>,
    /// Where redirects led.
    pub followed: Vec<Url>,
    /// What came in the end.
    pub outcome: Result<Outcome, Failure>,
}

/// Seconds that each part took. With redirects, all of that part together.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Phases {
    /// Until the name had an address; `None` where the URL has it.
    pub dns: Option<f64>,
    /// Until the TCP connection was there.
    pub connect: Option<f64>,
    /// For the handshake.
    pub tls: Option<f64>,
    /// From the request to the first byte.
    pub first_byte: Option<f64>,
    /// All of it.
    pub total: f64,
}

/// What a server that works gives.
#[derive(Clone, Debug, PartialEq)]
pub enum Outcome {
    /// It takes connections, and with TLS shakes hands.
    Connected,
    /// An answer of HTTP.
    Http(HttpAnswer),
    /// An answer of gRPC.
    Grpc(GrpcAnswer),
}

/// An answer of HTTP.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HttpAnswer {
    /// Status and headers.
    pub head: Head,
    /// The body.
    pub body: Vec<u8>,
    /// Where it leads, if it is a redirect; the error says what is wrong with that.
    pub leads_to: Option<Result<Url, String>>,
}

/// An answer of gRPC.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GrpcAnswer {
    /// HTTP status.
    pub http_status: u16,
    /// Content type.
    pub content_type: String,
    /// Status of gRPC, in the head or behind the body.
    pub status: Option<u32>,
    /// Its message.
    pub message: String,
    /// What the body says; the error says what it is instead.
    pub serving: Result<Serving, &'static str>,
}

/// What is known of a TLS connection.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Session {
    /// `TLS 1.3`, once both have agreed on one.
    pub version: Option<String>,
    /// The cipher, likewise.
    pub cipher: Option<String>,
    /// The protocol above it, where one was agreed on.
    pub protocol: Option<String>,
    /// What the server showed, its own certificate first; the error says why one cannot be read.
    pub chain: Vec<Result<Certificate, String>>,
    /// Whether it was trusted because it is in the CA file itself, without a CA.
    pub is_pinned: bool,
}

/// What a certificate says of itself.
#[derive(Clone, Debug, PartialEq)]
pub struct Certificate {
    /// Whose it is.
    pub subject: String,
    /// Who signed it.
    pub issuer: String,
    /// The hosts that it is for.
    pub names: Vec<String>,
    /// Its begin, in seconds since 1970.
    pub not_before: f64,
    /// Its end, likewise.
    pub not_after: f64,
    /// Kind and size of its key.
    pub key: String,
    /// How it is signed.
    pub signature: String,
    /// Whether it names itself as who signed it.
    pub is_self_signed: bool,
    /// What is weak about it.
    pub weaknesses: Vec<String>,
}

/// A part of the way to an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Phase {
    /// The name's look-up.
    Lookup,
    /// The TCP connection.
    Connect,
    /// The TLS handshake.
    Handshake,
    /// The first byte of the answer.
    FirstByte,
    /// The rest of it, so many bytes of which came.
    Rest(usize),
}

/// Why a name has no address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LookupFault {
    /// There is no such name.
    NoSuchName,
    /// It has none, or none of the version that is wanted.
    NoAddress,
    /// Nobody could tell, and why.
    Resolver(String),
}

/// Why there is no answer.
#[derive(Clone, Debug, PartialEq)]
pub enum Failure {
    /// No address.
    Lookup(LookupFault),
    /// No connection to any address; the last one's reason.
    Connect {
        /// Its kind.
        kind: ErrorKind,
        /// Its words.
        reason: String,
    },
    /// No TLS connection that can be trusted, and what the server spoke.
    Tls(TlsError, Speech),
    /// TLS, but over it no HTTP/2.
    NoHttp2,
    /// The time was over.
    Timeout(Phase),
    /// The connection was closed before a byte came.
    Closed,
    /// It broke off after so many bytes.
    Broken {
        /// How many.
        received: usize,
        /// How.
        reason: String,
    },
    /// It speaks something else.
    Foreign(Speech),
    /// It speaks the right protocol wrongly.
    Malformed(String),
    /// The body is longer than this.
    TooLarge(u64),
    /// More redirects than this were followed.
    TooManyRedirects(usize),
    /// A redirect leads from TLS to a plain connection.
    Downgrade(Url),
    /// A redirect leads to what the check does not ask for.
    Costly(Url),
}
