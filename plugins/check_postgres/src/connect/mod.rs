//! The connection, as those who use libpq expect it.

pub mod error;
pub mod file;
pub mod settings;
pub mod sources;
mod stranger;
pub mod tls;

use std::net::{SocketAddr, ToSocketAddrs as _};
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::thread;
use std::time::{Duration, Instant};

use common::deadline::Deadline;
use postgres::config::{ChannelBinding, SslMode, SslNegotiation};
use postgres::{Client, Config, NoTls};

use crate::connect::settings::{Binding, Place, Role, Secret, Server, Settings, TlsMode};
use crate::connect::tls::{Connector, Facts};
use crate::outcome::{Cause, Failure};

const DEFAULT_TIMEOUT: Duration = Duration::from_secs(5);
/// Who is no PostgreSQL mostly says so at once.
const MOST_CURIOSITY: Duration = Duration::from_millis(500);

/// How a session was made.
#[derive(Clone, Debug, Default)]
pub struct Session {
    /// The server, as it was named.
    pub server: String,
    /// The database.
    pub database: String,
    /// The user.
    pub user: String,
    /// Seconds from the first attempt until the session was ready.
    pub took: f64,
    /// What TLS was agreed on, if any.
    pub tls: Option<Facts>,
    /// Servers that did not let us in before, and why.
    pub failures: Vec<Failure>,
    /// What is odd and does no harm.
    pub notes: Vec<String>,
}

/// A session and what it was made with.
pub struct Connected {
    /// The client.
    pub client: Client,
    /// What makes TLS, where it was used: a request to cancel needs it again.
    pub connector: Option<Connector>,
    /// How it was made.
    pub session: Session,
}

/// Asks the servers in turn. The error tells of each that was asked.
pub fn connect(
    settings: &Settings,
    connector: Option<&Connector>,
    deadline: &Deadline,
) -> Result<Connected, Vec<Failure>> {
    let begin = Instant::now();
    let mut failures = Vec::new();
    let mut order: Vec<usize> = (0..settings.servers.len()).collect();
    if settings.is_balanced && !order.is_empty() {
        let start = usize::try_from(std::process::id()).unwrap_or(0) % order.len();
        order.rotate_left(start);
    }
    // libpq asks all servers a second time where a standby was only preferred.
    let passes: &[Role] = match settings.role {
        Role::PreferStandby => &[Role::Standby, Role::Any],
        ref role => std::slice::from_ref(role),
    };
    for (pass, role) in passes.iter().enumerate() {
        for index in &order {
            let Some(server) = settings.servers.get(*index) else { continue };
            let (password, file) = settings.passwords.get(*index).cloned().unwrap_or_default();
            let _step = deadline.step(format!("the connection to {server}"));
            let attempt = Attempt { settings, server, password, connector, role: *role, deadline };
            match attempt.run() {
                Ok((client, used)) => {
                    let session = Session {
                        server: server.to_string(),
                        database: settings.database.clone(),
                        user: settings.user.clone(),
                        took: begin.elapsed().as_secs_f64(),
                        tls: used.as_ref().and_then(Connector::facts),
                        failures,
                        notes: settings.notes.clone(),
                    };
                    return Ok(Connected { client, connector: used, session });
                }
                Err(cause) => {
                    let is_final = !cause.lets_others_try();
                    let is_known = pass > 0;
                    let password_file = file.map(|file| file.display().to_string());
                    if !is_known || is_final {
                        failures.push(Failure { server: server.to_string(), cause, password_file });
                    }
                    if is_final {
                        return Err(failures);
                    }
                }
            }
        }
    }
    Err(failures)
}

/// One server and how it is asked.
struct Attempt<'a> {
    settings: &'a Settings,
    server: &'a Server,
    password: Option<Secret>,
    connector: Option<&'a Connector>,
    role: Role,
    deadline: &'a Deadline,
}

impl Attempt<'_> {
    fn run(&self) -> Result<(Client, Option<Connector>), Cause> {
        let mut config = self.config();
        let name = match &self.server.place {
            Place::Socket(directory) => {
                config.host_path(directory);
                return self.negotiate(&config, None);
            }
            Place::Host { name, address: Some(address) } => {
                return self.negotiate(config.host(name).hostaddr(*address), Some((*address, self.server.port).into()));
            }
            Place::Host { name, address: None } => name,
        };
        let mut last = Cause::Name("it has no address".to_owned());
        for address in self.addresses(name)? {
            let mut config = config.clone();
            match self.negotiate(config.host(name).hostaddr(address.ip()), Some(address)) {
                Ok(connected) => return Ok(connected),
                Err(cause) if !cause.lets_others_try() => return Err(cause),
                Err(cause) => last = cause,
            }
        }
        Err(last)
    }

    fn config(&self) -> Config {
        let settings = self.settings;
        let mut config = Config::new();
        config
            .port(self.server.port)
            .user(&settings.user)
            .dbname(&settings.database)
            .application_name(&settings.application)
            .keepalives(settings.keepalives)
            .channel_binding(match settings.binding {
                Binding::Disable => ChannelBinding::Disable,
                Binding::Prefer => ChannelBinding::Prefer,
                Binding::Require => ChannelBinding::Require,
            });
        if settings.tls.is_direct {
            config.ssl_negotiation(SslNegotiation::Direct);
        }
        if let Some(options) = &settings.options {
            config.options(options);
        }
        if let Some(password) = &self.password {
            config.password(&password.0);
        }
        config
    }

    fn addresses(&self, name: &str) -> Result<Vec<SocketAddr>, Cause> {
        let (host, port) = (name.to_owned(), self.server.port);
        match within(self.patience(), move || (host.as_str(), port).to_socket_addrs().map(Iterator::collect)) {
            Some(Ok(addresses)) => Ok(addresses),
            Some(Err(error)) => Err(Cause::Name(resolver_words(&error))),
            None => Err(Cause::Name("no name server answers in time".to_owned())),
        }
    }

    /// The time that a server may take: as it was said, or so that the run can still tell of it.
    fn patience(&self) -> Duration {
        self.settings.timeout.unwrap_or_else(|| DEFAULT_TIMEOUT.min(self.deadline.budget() * 2 / 3))
    }

    /// The time that a stranger may take to show itself.
    fn curiosity(&self) -> Duration {
        MOST_CURIOSITY.min(self.deadline.budget() / 3)
    }

    /// Connects with or without TLS, or first so and then so, as `sslmode` says.
    fn negotiate(&self, config: &Config, address: Option<SocketAddr>) -> Result<(Client, Option<Connector>), Cause> {
        let connector = self.connector.filter(|_| address.is_some());
        let Some(connector) = connector else {
            return self.once(config, address, SslMode::Disable, None);
        };
        let tls = Some(connector);
        match self.settings.tls.mode {
            TlsMode::Disable => self.once(config, address, SslMode::Disable, None),
            TlsMode::Allow => match self.once(config, address, SslMode::Disable, None) {
                Err(cause) if is_refusal(&cause) => {
                    self.once(config, address, SslMode::Require, tls).map_err(|second| {
                        // What the server said first tells more than that it has no TLS.
                        if second == Cause::NoTls { cause } else { second }
                    })
                }
                other => other,
            },
            TlsMode::Prefer => match self.once(config, address, SslMode::Prefer, tls) {
                Err(cause) if connector.facts().is_some() && is_refusal(&cause) || matches!(cause, Cause::Tls(_)) => {
                    self.once(config, address, SslMode::Disable, None)
                }
                other => other,
            },
            TlsMode::Require | TlsMode::VerifyCa | TlsMode::VerifyFull => {
                self.once(config, address, SslMode::Require, tls)
            }
        }
    }

    /// Connects once, and asks the server for its role where that matters.
    fn once(
        &self,
        config: &Config,
        address: Option<SocketAddr>,
        mode: SslMode,
        tls: Option<&Connector>,
    ) -> Result<(Client, Option<Connector>), Cause> {
        let mut config = config.clone();
        config.ssl_mode(mode);
        let (own, role) = (tls.cloned(), self.role);
        if let Some(tls) = tls {
            tls.forget();
        }
        let begin = Instant::now();
        let connected = within(self.patience(), move || {
            let mut client = match own {
                Some(tls) => config.connect(tls),
                None => config.connect(NoTls),
            }?;
            let is_fit = is_fit(&mut client, role)?;
            Ok((client, is_fit))
        });
        match connected {
            Some(Ok((client, true))) => Ok((client, tls.filter(|tls| tls.facts().is_some()).cloned())),
            Some(Ok((_, false))) => Err(Cause::Role(self.settings.role.word())),
            Some(Err(error)) => Err(self.known(error::cause(&error, &self.server.place, tls), address)),
            None => Err(self.unanswered(address, begin.elapsed().as_secs_f64())),
        }
    }

    /// `cause`, or how a stranger answers that is taken for a strange server.
    fn known(&self, cause: Cause, address: Option<SocketAddr>) -> Cause {
        use common::http::TlsError::{HandshakeBroken, NotTls, Protocol};
        let is_strange = matches!(
            cause,
            Cause::Closed | Cause::Broken(_) | Cause::NoTls | Cause::Tls(NotTls | HandshakeBroken | Protocol(_))
        );
        if is_strange { self.stranger(address).map_or(cause, Cause::Stranger) } else { cause }
    }

    fn stranger(&self, address: Option<SocketAddr>) -> Option<Vec<u8>> {
        match (&self.server.place, address) {
            (_, Some(address)) => stranger::at_address(&address, self.curiosity()),
            (Place::Socket(directory), None) => {
                stranger::at_socket(&directory.join(format!(".s.PGSQL.{}", self.server.port)), self.curiosity())
            }
            (Place::Host { .. }, None) => None,
        }
    }

    /// Why no answer came within `seconds`.
    fn unanswered(&self, address: Option<SocketAddr>, seconds: f64) -> Cause {
        if let Some(address) = address
            && std::net::TcpStream::connect_timeout(&address, self.curiosity()).is_err()
        {
            return Cause::NoAnswer(seconds);
        }
        self.stranger(address).map_or(Cause::Silent(seconds), Cause::Stranger)
    }
}

/// Whether the server refuses this way of connecting, and may not refuse another.
fn is_refusal(cause: &Cause) -> bool {
    matches!(cause, Cause::Server { code, .. } if code.starts_with("28"))
}

/// Whether the server is of the kind that is wanted. The names are whole, as no search path is set yet.
fn is_fit(client: &mut Client, role: Role) -> Result<bool, postgres::Error> {
    let sql = match role {
        Role::Any | Role::PreferStandby => return Ok(true),
        Role::Primary => "SELECT NOT pg_catalog.pg_is_in_recovery()",
        Role::Standby => "SELECT pg_catalog.pg_is_in_recovery()",
        Role::ReadWrite => {
            "SELECT NOT pg_catalog.pg_is_in_recovery() AND pg_catalog.current_setting('default_transaction_read_only') = 'off'"
        }
        Role::ReadOnly => {
            "SELECT pg_catalog.pg_is_in_recovery() OR pg_catalog.current_setting('default_transaction_read_only') = 'on'"
        }
    };
    client.query_one(sql, &[])?.try_get(0)
}

/// What `work` returns, unless it takes longer than `limit`. It is left behind then: a server that has fallen silent
/// cannot be interrupted.
pub fn within<T: Send + 'static>(limit: Duration, work: impl FnOnce() -> T + Send + 'static) -> Option<T> {
    let (sender, receiver) = channel();
    let thread = thread::Builder::new().spawn(move || {
        let _ = sender.send(work());
    });
    match (thread, receiver.recv_timeout(limit)) {
        (_, Ok(value)) => Some(value),
        (_, Err(RecvTimeoutError::Timeout | RecvTimeoutError::Disconnected)) => None,
    }
}

/// What the resolver says, without what every one of its errors begins with.
fn resolver_words(error: &std::io::Error) -> String {
    let text = error.to_string();
    text.rsplit_once(": ").map_or(text.as_str(), |(_, words)| words).to_lowercase()
}
