//! All I/O: each endpoint is asked in a thread of its own, all of them within one deadline.

mod grpc;
mod http;
mod resolve;
mod socket;
mod tls;

use std::io::ErrorKind;
use std::sync::OnceLock;
use std::time::{Duration, Instant};

use common::deadline::Deadline;
use common::file;
use common::http::TlsError;
use common::pool;

use self::socket::{Socket, Stream};
use self::tls::Setup;
use crate::cli::Config;
use crate::parse::header_file;
use crate::parse::speech::speech;
use crate::snapshot::{Failure, Fault, Found, Outcome, Phase, Phases, Session, Snapshot};
use crate::target::{Target, Url};

/// Endpoints that are asked at once. What they wait for is others, not this machine.
const WORKERS: usize = 64;
/// A file of header fields that is longer is something else.
const MAX_HEADER_FILE: u64 = 64 << 10;

/// Asks all endpoints.
pub fn collect(config: &Config, deadline: &Deadline) -> Result<Snapshot, Fault> {
    let run = Run { config, deadline, headers: headers(config, deadline)?, setup: OnceLock::new() };
    if config.targets.iter().any(|target| target.url.scheme.is_tls()) {
        run.setup();
    }
    Ok(Snapshot { endpoints: pool::each(&config.targets, WORKERS, |target| run.ask(target)) })
}

/// The header fields to send, which hold secrets.
fn headers(config: &Config, deadline: &Deadline) -> Result<Vec<(String, String)>, Fault> {
    let Some(path) = &config.options.header_file else { return Ok(Vec::new()) };
    let _step = deadline.step(format!("the header file {}", path.display()));
    let fault = |reason: String| Fault::HeaderFile(format!("{}: {reason}", path.display()));
    let text = file::read_text(path, MAX_HEADER_FILE).map_err(|error| fault(common::text::io_error(&error)))?;
    header_file::headers(&text).map_err(fault)
}

/// What all endpoints share.
struct Run<'a> {
    config: &'a Config,
    deadline: &'a Deadline,
    headers: Vec<(String, String)>,
    setup: OnceLock<Result<Setup, TlsError>>,
}

impl Run<'_> {
    /// What TLS takes, read when it is first needed.
    fn setup(&self) -> &Result<Setup, TlsError> {
        self.setup.get_or_init(|| {
            let _step = self.deadline.step("the files of certificates");
            Setup::new(self.config)
        })
    }

    /// Asks one endpoint.
    fn ask(&self, target: &Target) -> Found {
        let _step = self.deadline.step(target.instance.as_str());
        let begin = Instant::now();
        let mut attempt = Attempt::until(begin + self.deadline.budget());
        let outcome = if target.url.scheme.is_http() {
            http::ask(self, &target.url, &mut attempt).map(Outcome::Http)
        } else if target.url.scheme.is_grpc() {
            grpc::ask(self, &target.url, &mut attempt).map(Outcome::Grpc)
        } else {
            self.connect(&target.url, &mut attempt).map(|_| Outcome::Connected)
        };
        attempt.phases.total = begin.elapsed().as_secs_f64();
        let Attempt { phases, peer, missed, session, followed, .. } = attempt;
        Found { phases, peer, missed, session, followed, outcome }
    }

    /// A connection to the host of `url`, with TLS where its scheme has it.
    fn connect(&self, url: &Url, attempt: &mut Attempt) -> Result<Stream, Failure> {
        let begin = Instant::now();
        let addresses = resolve::addresses(self.config, url, attempt.end)?;
        if addresses.is_looked_up {
            add(&mut attempt.phases.dns, begin);
        }
        let begin = Instant::now();
        let socket = connect(&addresses.found, attempt)?;
        add(&mut attempt.phases.connect, begin);
        if !url.scheme.is_tls() {
            return Ok(Stream::plain(socket));
        }
        let setup = self.setup().as_ref().map_err(|error| Failure::Tls(error.clone(), speech(&[])))?;
        let begin = Instant::now();
        let (session, stream) = setup.shake_hands(socket, url);
        attempt.session = session;
        if stream.is_ok() {
            add(&mut attempt.phases.tls, begin);
        }
        stream
    }
}

/// What is known so far of an endpoint that is asked.
struct Attempt {
    end: Instant,
    phases: Phases,
    peer: Option<String>,
    missed: Vec<(String, String)>,
    session: Option<Session>,
    followed: Vec<Url>,
}

impl Attempt {
    fn until(end: Instant) -> Self {
        let phases = Phases::default();
        Self { end, phases, peer: None, missed: Vec::new(), session: None, followed: Vec::new() }
    }
}

/// Adds the time since `begin` to a part of the whole.
fn add(part: &mut Option<f64>, begin: Instant) {
    *part = Some(part.unwrap_or_default() + begin.elapsed().as_secs_f64());
}

/// A connection to the first of `addresses` that takes one. One that does not answer leaves time for the others.
fn connect(addresses: &[std::net::SocketAddr], attempt: &mut Attempt) -> Result<Socket, Failure> {
    let mut failure = Failure::Timeout(Phase::Connect);
    let left = (1..=u32::try_from(addresses.len()).unwrap_or(u32::MAX)).rev();
    for (address, left) in addresses.iter().zip(left) {
        let now = Instant::now();
        let share: Duration = attempt.end.saturating_duration_since(now) / left;
        match Socket::connect(*address, now + share, attempt.end) {
            Ok(socket) => {
                attempt.peer = Some(address.to_string());
                return Ok(socket);
            }
            Err(error) => {
                let reason = common::text::io_error(&error);
                attempt.missed.push((address.to_string(), reason.clone()));
                failure = match error.kind() {
                    ErrorKind::TimedOut | ErrorKind::WouldBlock => Failure::Timeout(Phase::Connect),
                    kind => Failure::Connect { kind, reason },
                };
            }
        }
    }
    Err(failure)
}
