//! GET requests over TCP or a unix socket, with a time and a byte limit on each.

use std::fmt;
use std::io::{self, Read as _, Write as _};
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::os::fd::AsRawFd as _;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::time::Duration;

use nix::sys::socket::sockopt::SendTimeout;
use nix::sys::socket::{AddressFamily, SockFlag, SockType, UnixAddr, setsockopt, socket};
use nix::sys::time::TimeVal;
use ureq::config::Config;
use ureq::http::Uri;
use ureq::unversioned::resolver::{DefaultResolver, ResolvedSocketAddrs, Resolver};
use ureq::unversioned::transport::{
    Buffers, ConnectionDetails, Connector, DefaultConnector, LazyBuffers, NextTimeout, Transport,
};
use ureq::{Agent, Error, Timeout};

/// Where a server listens.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Endpoint {
    /// A unix socket.
    Unix(PathBuf),
    /// `HOST:PORT`, without TLS.
    Tcp(String),
}

impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unix(path) => write!(f, "unix://{}", path.display()),
            Self::Tcp(authority) => write!(f, "tcp://{authority}"),
        }
    }
}

/// Why there is no answer.
#[derive(Debug)]
pub enum HttpError {
    /// No connection: refused, no such socket, no permission.
    Connect(io::Error),
    /// The host's name has no address.
    HostNotFound,
    /// The time was over.
    Timeout,
    /// The connection broke off.
    Broken(io::Error),
    /// What was sent is not HTTP.
    NotHttp(String),
    /// The body is longer than this many bytes.
    TooLarge(u64),
}

impl fmt::Display for HttpError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Connect(error) => f.write_str(&crate::text::io_error(error)),
            Self::HostNotFound => f.write_str("the host name has no address"),
            Self::Timeout => f.write_str("no answer in time"),
            Self::Broken(error) => write!(f, "the connection broke off: {}", crate::text::io_error(error)),
            Self::NotHttp(reason) => write!(f, "the answer is not HTTP ({reason})"),
            Self::TooLarge(limit) => write!(f, "the answer is longer than {}", crate::units::bytes(*limit)),
        }
    }
}

/// An answer, read to its end.
#[derive(Clone, Debug)]
pub struct Response {
    /// HTTP status, 100 to 999.
    pub status: u16,
    /// Header names, in lower case, and values.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: Vec<u8>,
}

impl Response {
    /// The value of header `name`, which is in lower case.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }
}

/// A client of one server, which keeps its connection between requests.
#[derive(Debug)]
pub struct Client {
    agent: Agent,
    authority: String,
}

impl Client {
    /// A client of the server at `endpoint`. Nothing is connected yet.
    pub fn new(endpoint: &Endpoint) -> Self {
        let config = Agent::config_builder()
            .http_status_as_error(false)
            .max_redirects(0)
            .proxy(None)
            .user_agent(concat!("monitoring-plugins-sirenia/", env!("CARGO_PKG_VERSION")))
            .build();
        match endpoint {
            Endpoint::Tcp(authority) => Self {
                agent: Agent::with_parts(config, DefaultConnector::default(), DefaultResolver::default()),
                authority: authority.clone(),
            },
            Endpoint::Unix(path) => Self {
                agent: Agent::with_parts(config, UnixConnector(path.clone()), NoResolver),
                authority: "localhost".to_owned(),
            },
        }
    }

    /// GETs `path`, which begins with `/`. The answer comes within `timeout` and has at most `limit` bytes of body.
    pub fn get(&self, path: &str, timeout: Duration, limit: u64) -> Result<Response, HttpError> {
        let answer = self.get_first(path, timeout, limit.saturating_add(1))?;
        if u64::try_from(answer.body.len()).is_ok_and(|length| length > limit) {
            return Err(HttpError::TooLarge(limit));
        }
        Ok(answer)
    }

    /// GETs `path` and the first `limit` bytes of the body; what is longer is cut off.
    pub fn get_first(&self, path: &str, timeout: Duration, limit: u64) -> Result<Response, HttpError> {
        if timeout.is_zero() {
            return Err(HttpError::Timeout);
        }
        let request = self.agent.get(format!("http://{}{path}", self.authority));
        let answer = request.config().timeout_global(Some(timeout)).build().call().map_err(classify)?;
        let (parts, body) = answer.into_parts();
        let headers = parts
            .headers
            .iter()
            .map(|(name, value)| (name.as_str().to_owned(), String::from_utf8_lossy(value.as_bytes()).into_owned()))
            .collect();
        let mut bytes = Vec::new();
        let mut reader = body.into_reader().take(limit);
        reader.read_to_end(&mut bytes).map_err(|error| classify(error.into()))?;
        Ok(Response { status: parts.status.as_u16(), headers, body: bytes })
    }
}

fn classify(error: Error) -> HttpError {
    match error {
        Error::Timeout(_) => HttpError::Timeout,
        Error::HostNotFound => HttpError::HostNotFound,
        Error::Io(error) if is_before_connection(&error) => HttpError::Connect(error),
        // An error of ours that passed through an `io::Error` on its way.
        Error::Io(error) if holds_ours(&error) => {
            match error.into_inner().and_then(|inner| inner.downcast::<Error>().ok()) {
                Some(inner) => classify(*inner),
                None => HttpError::NotHttp("no reason given".to_owned()),
            }
        }
        Error::Io(error) if error.kind() == io::ErrorKind::TimedOut => HttpError::Timeout,
        Error::Io(error) => HttpError::Broken(error),
        other => HttpError::NotHttp(other.to_string()),
    }
}

fn holds_ours(error: &io::Error) -> bool {
    error.get_ref().is_some_and(<dyn std::error::Error + Send + Sync>::is::<Error>)
}

fn is_before_connection(error: &io::Error) -> bool {
    use io::ErrorKind::{
        AddrNotAvailable, ConnectionRefused, HostUnreachable, NetworkDown, NetworkUnreachable, NotFound,
        PermissionDenied,
    };
    matches!(
        error.kind(),
        NotFound
            | PermissionDenied
            | ConnectionRefused
            | HostUnreachable
            | NetworkUnreachable
            | NetworkDown
            | AddrNotAvailable
    )
}

/// A unix socket has no name to look up.
#[derive(Debug)]
struct NoResolver;

impl Resolver for NoResolver {
    fn resolve(&self, _: &Uri, _: &Config, _: NextTimeout) -> Result<ResolvedSocketAddrs, Error> {
        let mut addresses = self.empty();
        addresses.push(SocketAddr::new(IpAddr::V4(Ipv4Addr::UNSPECIFIED), 0));
        Ok(addresses)
    }
}

#[derive(Debug)]
struct UnixConnector(PathBuf);

impl Connector for UnixConnector {
    type Out = UnixTransport;

    fn connect(&self, details: &ConnectionDetails, _: Option<()>) -> Result<Option<UnixTransport>, Error> {
        let stream =
            connect(&self.0, left(details.timeout)?).map_err(|error| timed_out(error, details.timeout.reason))?;
        let buffers = LazyBuffers::new(details.config.input_buffer_size(), details.config.output_buffer_size());
        Ok(Some(UnixTransport { stream, buffers }))
    }
}

/// Connects within `allowed`. A server that is stopped keeps the next one waiting once its backlog is full.
fn connect(path: &Path, allowed: Option<Duration>) -> io::Result<UnixStream> {
    let socket = socket(AddressFamily::Unix, SockType::Stream, SockFlag::SOCK_CLOEXEC, None)?;
    if let Some(allowed) = allowed {
        let seconds = i64::try_from(allowed.as_secs()).unwrap_or(i64::MAX);
        // Zero would be without end.
        let limit = TimeVal::new(seconds, i64::from(allowed.subsec_micros()).max(1));
        setsockopt(&socket, SendTimeout, &limit)?;
    }
    nix::sys::socket::connect(socket.as_raw_fd(), &UnixAddr::new(path)?)?;
    Ok(UnixStream::from(socket))
}

struct UnixTransport {
    stream: UnixStream,
    buffers: LazyBuffers,
}

impl fmt::Debug for UnixTransport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("UnixTransport").finish_non_exhaustive()
    }
}

impl Transport for UnixTransport {
    fn buffers(&mut self) -> &mut dyn Buffers {
        &mut self.buffers
    }

    fn transmit_output(&mut self, amount: usize, timeout: NextTimeout) -> Result<(), Error> {
        let timeout = timeout.for_write();
        self.stream.set_write_timeout(left(timeout)?)?;
        let output = self.buffers.output().get(..amount).unwrap_or_default();
        self.stream.write_all(output).map_err(|error| timed_out(error, timeout.reason))
    }

    fn await_input(&mut self, timeout: NextTimeout) -> Result<bool, Error> {
        let timeout = timeout.for_read();
        self.stream.set_read_timeout(left(timeout)?)?;
        let amount = loop {
            match self.stream.read(self.buffers.input_append_buf()) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                read => break read.map_err(|error| timed_out(error, timeout.reason))?,
            }
        };
        self.buffers.input_appended(amount);
        Ok(amount > 0)
    }

    fn is_open(&mut self) -> bool {
        // A connection between two requests has nothing to say; the next read finds out if it was closed.
        true
    }
}

/// The time that an operation may take; `None` is without end.
fn left(timeout: NextTimeout) -> Result<Option<Duration>, Error> {
    if timeout.after.is_zero() {
        return Err(Error::Timeout(timeout.reason));
    }
    Ok(timeout.not_zero().map(|left| *left))
}

/// Linux reports a socket timeout as "would block".
fn timed_out(error: io::Error, reason: Timeout) -> Error {
    match error.kind() {
        io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut => Error::Timeout(reason),
        _ => Error::Io(error),
    }
}
