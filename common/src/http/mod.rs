//! GET requests over TCP, TLS or a unix socket, with a time and a byte limit on each.

#[cfg(feature = "tls")]
mod tls;
mod tls_error;
#[cfg(feature = "tls")]
mod tls_files;
#[cfg(feature = "tls")]
mod tls_reason;
mod unix;

use std::fmt;
use std::io::{self, Read as _};
use std::path::PathBuf;
use std::time::Duration;

use ureq::config::Config;
use ureq::unversioned::resolver::DefaultResolver;
use ureq::unversioned::transport::{Connector as _, TcpConnector};
use ureq::{Agent, Error};

#[cfg(feature = "tls")]
pub use self::tls::TlsServer;
pub use self::tls_error::TlsError;
#[cfg(feature = "tls")]
pub use self::tls_files::{Identity, certificates, identify, roots};
use self::unix::{NoResolver, UnixConnector};

/// Connections that a client keeps open between requests, unless told otherwise.
const IDLE: usize = 16;
/// Buffers of a connection. A head must fit into them; a longer body passes through in pieces. Measured with 16
/// connections at once: ureq's own 128 KiB for each cost 4 MiB more and are not faster.
const INPUT_BYTES: usize = 16 << 10;
const OUTPUT_BYTES: usize = 8 << 10;

/// Where a server listens.
// Non-exhaustive, so that a plugin compiles with the variants that the features of another add.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Endpoint {
    /// A unix socket.
    Unix(PathBuf),
    /// `HOST:PORT`, without TLS.
    Tcp(String),
    /// The same with TLS.
    #[cfg(feature = "tls")]
    Tls(TlsServer),
}

impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unix(path) => write!(f, "unix://{}", path.display()),
            Self::Tcp(authority) => write!(f, "tcp://{authority}"),
            #[cfg(feature = "tls")]
            Self::Tls(server) => write!(f, "https://{}", server.authority()),
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
    /// No TLS connection that can be trusted.
    Tls(TlsError),
    /// The server speaks TLS, and was asked without.
    WantsTls,
    /// The body is longer than this many bytes.
    TooLarge(u64),
}

impl HttpError {
    /// What went wrong while the body of an answer was read.
    pub fn of_body(error: io::Error) -> Self {
        classify(error.into())
    }

    /// Whether the fault is the check's own, a file or an option of it, and says nothing of the server.
    pub fn is_ours(&self) -> bool {
        match self {
            Self::Tls(error) => error.is_ours(),
            Self::WantsTls => true,
            _ => false,
        }
    }
}

impl fmt::Display for HttpError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Connect(error) => f.write_str(&crate::text::io_error(error)),
            Self::HostNotFound => f.write_str("the host name has no address"),
            Self::Timeout => f.write_str("no answer in time"),
            Self::Broken(error) => write!(f, "the connection broke off: {}", crate::text::io_error(error)),
            Self::NotHttp(reason) => write!(f, "the answer is not HTTP ({reason})"),
            Self::Tls(error) => error.fmt(f),
            Self::WantsTls => f.write_str("it speaks TLS, and was asked without"),
            Self::TooLarge(limit) => write!(f, "the answer is longer than {}", crate::units::bytes(*limit)),
        }
    }
}

/// An answer.
#[derive(Clone, Debug)]
pub struct Response {
    /// HTTP status, 100 to 999.
    pub status: u16,
    /// Header names, in lower case, and values.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: Vec<u8>,
    /// Whether `body` lacks its end; only [`Client::get_first`] gives such an answer.
    pub is_cut: bool,
}

impl Response {
    /// The value of header `name`, which is in lower case.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    /// Whether a server says that it was to be asked with TLS. These are the words of Go, in which engines and most
    /// proxies before them are written.
    fn wants_tls(&self) -> bool {
        self.status == 400 && self.body.starts_with(b"Client sent an HTTP request to an HTTPS server")
    }
}

/// A client of one server, which keeps its connections between requests.
///
/// Threads share it: each request takes a connection that is idle, else opens one. So there are never more connections
/// than requests at once.
#[derive(Debug)]
pub struct Client {
    agent: Agent,
    /// All of the URL before the path.
    base: String,
    is_plain: bool,
    /// What every request carries.
    headers: Vec<(String, String)>,
}

/// An answer whose body is still to be read, within the time that its request was given.
pub struct Opened {
    /// HTTP status, 100 to 999.
    pub status: u16,
    /// Header names, in lower case, and values.
    pub headers: Vec<(String, String)>,
    /// The body. What goes wrong while it is read is told by [`HttpError::of_body`].
    pub body: ureq::BodyReader<'static>,
}

impl Client {
    /// A client of the server at `endpoint`. Nothing is connected yet, and no file read.
    pub fn new(endpoint: &Endpoint) -> Self {
        Self::with_idle(endpoint, IDLE)
    }

    /// A client that keeps at most `idle` connections open between requests.
    pub fn with_idle(endpoint: &Endpoint, idle: usize) -> Self {
        let config = Agent::config_builder()
            .http_status_as_error(false)
            .max_redirects(0)
            .proxy(None)
            .user_agent(concat!("monitoring-plugins-sirenia/", env!("CARGO_PKG_VERSION")))
            .input_buffer_size(INPUT_BYTES)
            .max_response_header_size(INPUT_BYTES)
            .output_buffer_size(OUTPUT_BYTES)
            .max_idle_connections(idle)
            .max_idle_connections_per_host(idle)
            .build();
        match endpoint {
            Endpoint::Tcp(authority) => {
                Self { agent: tcp(config), base: format!("http://{authority}"), is_plain: true, headers: Vec::new() }
            }
            Endpoint::Unix(path) => Self {
                agent: Agent::with_parts(config, UnixConnector(path.clone()), NoResolver),
                base: "http://localhost".to_owned(),
                is_plain: true,
                headers: Vec::new(),
            },
            #[cfg(feature = "tls")]
            Endpoint::Tls(server) => Self {
                agent: server.agent(config),
                base: format!("https://{}", server.authority()),
                is_plain: false,
                headers: Vec::new(),
            },
        }
    }

    /// This client with a header in every request.
    #[must_use]
    pub fn with_header(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    /// GETs `path`, which begins with `/`. The answer comes within `timeout` and has at most `limit` bytes of body.
    pub fn get(&self, path: &str, timeout: Duration, limit: u64) -> Result<Response, HttpError> {
        let answer = self.get_first(path, timeout, limit)?;
        if answer.is_cut { Err(HttpError::TooLarge(limit)) } else { Ok(answer) }
    }

    /// Like [`Client::get`], but of a longer body the first `limit` bytes are the answer.
    pub fn get_first(&self, path: &str, timeout: Duration, limit: u64) -> Result<Response, HttpError> {
        let Opened { status, headers, mut body } = self.open(path, timeout)?;
        let mut bytes = Vec::new();
        body.by_ref().take(limit).read_to_end(&mut bytes).map_err(HttpError::of_body)?;
        // The read that finds the end also gives the connection back.
        let rest = body.read(&mut [0]).map_err(HttpError::of_body)?;
        let answer = Response { status, headers, body: bytes, is_cut: rest > 0 };
        if self.is_plain && answer.wants_tls() { Err(HttpError::WantsTls) } else { Ok(answer) }
    }

    /// GETs `path`, and leaves the body to be read. All of it has to come within `timeout`.
    pub fn open(&self, path: &str, timeout: Duration) -> Result<Opened, HttpError> {
        if timeout.is_zero() {
            return Err(HttpError::Timeout);
        }
        let mut request = self.agent.get(format!("{}{path}", self.base));
        for (name, value) in &self.headers {
            request = request.header(name, value);
        }
        let answer = request.config().timeout_global(Some(timeout)).build().call().map_err(classify)?;
        let (parts, body) = answer.into_parts();
        let headers = parts
            .headers
            .iter()
            .map(|(name, value)| (name.as_str().to_owned(), String::from_utf8_lossy(value.as_bytes()).into_owned()))
            .collect();
        Ok(Opened { status: parts.status.as_u16(), headers, body: body.into_reader() })
    }
}

/// Not ureq's default connectors, which are made for proxies and whatever else is compiled in.
fn tcp(config: Config) -> Agent {
    Agent::with_parts(config, ().chain(TcpConnector::default()), DefaultResolver::default())
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
        Error::Other(error) => match error.downcast::<TlsError>() {
            Ok(error) => HttpError::Tls(*error),
            Err(other) => HttpError::NotHttp(other.to_string()),
        },
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
