//! A run that got no page.

use std::io::ErrorKind;

use common::docker;
use common::http::{HttpError, TlsError};
use common::report::Report;
use common::state::State;
use common::text::{Text, io_error};
use common::units::bytes;

use crate::cli::{Config, Source};
use crate::snapshot::Fault;

/// The steps of the guide where Kwanza does not answer.
const START: [&str; 2] = ["docker-compose ps", "docker-compose up kwanza (attached, shows why it stops)"];

/// The report of a run that found nothing out.
pub(super) fn report(config: &Config, fault: &Fault) -> Report {
    let (state, reason, causes, next) = verdict(config, fault);
    let mut report = Report::single(state, "page", reason);
    if let Some(item) = report.items.first_mut() {
        item.causes.extend(causes.into_iter().map(Text::from));
        item.next.extend(next.into_iter().map(Text::from));
    }
    report
}

type Parts = (State, String, Vec<String>, Vec<String>);

fn verdict(config: &Config, fault: &Fault) -> Parts {
    let owned = |steps: &[&str]| steps.iter().map(ToString::to_string).collect::<Vec<_>>();
    match fault {
        Fault::File(reason) => (State::Unknown, reason.clone(), Vec::new(), Vec::new()),
        Fault::Engine(error) => {
            let engine = match &config.source {
                Source::Container { engine, .. } => docker::unreachable(error, engine),
                Source::At(endpoint) => docker::unreachable(error, endpoint),
            };
            // That the engine is down is what its own check says; here it only means that nobody knows the address.
            let next = vec![engine.next.to_owned(), "-H or --url do without the engine".to_owned()];
            (State::Unknown, format!("the container cannot be looked up: {}", engine.reason), Vec::new(), next)
        }
        Fault::Container(reason) => {
            let name = match &config.source {
                Source::Container { name, .. } => name.as_str(),
                Source::At(_) => "kwanza",
            };
            (State::Critical, format!("container {name} cannot be reached: {reason}"), Vec::new(), owned(&START))
        }
        Fault::Http { url, error } => no_answer(config, url, error),
        Fault::BrokenOff { url, error: HttpError::TooLarge(limit), .. } => {
            let text = format!("{url} is not a page of expvars: it is longer than {}", bytes(*limit));
            (State::Critical, text, Vec::new(), owned(&[PORTS]))
        }
        Fault::BrokenOff { url, error, variables } => broken_off(url, error, *variables),
        Fault::Refused { url, status: status @ 300..=399, location, .. } if !location.is_empty() => {
            let text = format!("{url} leads to {} (HTTP {status})", Text::limited(location, 100));
            (
                State::Critical,
                text,
                Vec::new(),
                owned(&["give that address, if it is right; redirects are not followed"]),
            )
        }
        Fault::Refused { url, status, kind, begin, .. } => refused(url, *status, kind, begin),
        Fault::NotThePage { url, kind, reason, begin } => {
            // What it is said to be tells nothing where it is said to be JSON.
            let kind = if kind.starts_with("application/json") { "" } else { kind };
            let text = format!("{url} is not a page of expvars: {reason}{}", shown(kind, begin));
            (State::Critical, text, Vec::new(), owned(&[PORTS]))
        }
    }
}

/// Where the page may be instead.
const PORTS: &str =
    "the guide's log line 'expvars available' names the port; 6060 often has the page too, 8000 and 8001 do not";
/// Where Go tells of a panic that ended an answer.
const PANIC: &str = "docker-compose logs --tail 50 kwanza (look for 'http: panic serving' and the lines below it)";

/// No answer at all.
fn no_answer(config: &Config, url: &str, error: &HttpError) -> Parts {
    let steps = |steps: &[&str]| steps.iter().map(ToString::to_string).collect::<Vec<_>>();
    let critical = |text: String, next: &[&str]| (State::Critical, text, Vec::new(), steps(next));
    match error {
        HttpError::Tls(error) => no_tls(url, error),
        HttpError::WantsTls => {
            let next = steps(&["--tls, or a --url that begins with https://"]);
            (State::Unknown, format!("{url} speaks TLS, and was asked without"), Vec::new(), next)
        }
        HttpError::Connect(cause) if cause.kind() == ErrorKind::ConnectionRefused => {
            let mut causes = Vec::new();
            let options = &config.options;
            if options.port == 8080 && options.url.is_none() && options.host.is_some() {
                let words =
                    "the guide does not publish port 8080: --container finds it, and 6060 often has the page too";
                causes.push(words.to_owned());
            }
            (State::Critical, format!("nothing listens at {url}"), causes, steps(&START))
        }
        HttpError::HostNotFound => {
            let host = host_of(url);
            let next = format!("getent hosts {host} (a name of the compose network is known in it alone: --container)");
            critical(format!("{url}: the name {host} has no address (DNS)"), &[&next])
        }
        HttpError::Lookup(reason) => {
            let next = steps(&["cat /etc/resolv.conf"]);
            let text = format!("{url} cannot be asked: this machine's resolver fails (DNS: {reason})");
            (State::Unknown, text, Vec::new(), next)
        }
        HttpError::Timeout => critical(format!("{url} accepts connections and does not answer in time"), &START),
        HttpError::Broken(cause) => {
            let text = match cause.kind() {
                ErrorKind::UnexpectedEof => {
                    format!("{url} closes the connection without a byte (a panic while the page is written?)")
                }
                _ => format!("{url} breaks the connection without an answer: {}", io_error(cause)),
            };
            let cause = "a variable of the page panics, or nothing listens in the container behind the proxy of Docker";
            (State::Critical, text, vec![cause.to_owned()], steps(&[PANIC, START[0]]))
        }
        HttpError::NotHttp(reason) => {
            let reason = reason.trim_start_matches("protocol: ").trim_start_matches("http parse fail: ");
            let next = ["--tls, if it is TLS that it speaks; 8001 of the guide speaks gRPC", PORTS];
            critical(format!("what listens at {url} does not speak HTTP ({reason})"), &next)
        }
        error if error.is_ours() => (State::Unknown, format!("{url} cannot be asked: {error}"), Vec::new(), Vec::new()),
        error => critical(format!("{url}: {error}"), &START),
    }
}

/// No TLS that can be trusted.
fn no_tls(url: &str, error: &TlsError) -> Parts {
    let next = match error {
        TlsError::NotTls => "without --tls, or a --url that begins with http://",
        TlsError::Expired { .. } => "a new certificate; Kwanza makes one at its start where it finds none",
        TlsError::NotYetValid { .. } => "date (here and on the server: one of the clocks may be wrong)",
        TlsError::WrongName { .. } => "--tls-server-name NAME, if that is the right server all the same",
        TlsError::UnknownIssuer | TlsError::ShowsCa => "--ca-file FILE with the CA that signed it, or it itself",
        TlsError::NoRoots => "--ca-file FILE, or apt-get install ca-certificates",
        TlsError::ClientCertificateWanted => "--client-cert and --client-key",
        TlsError::ClientCertificateRefused(_) => "--client-cert with one that the server's CA has signed",
        TlsError::HandshakeTimeout | TlsError::HandshakeBroken => START[0],
        _ => return parts_of(url, error, Vec::new()),
    };
    parts_of(url, error, vec![next.to_owned()])
}

fn parts_of(url: &str, error: &TlsError, next: Vec<String>) -> Parts {
    if error.is_ours() {
        return (State::Unknown, format!("{url} cannot be asked: {error}"), Vec::new(), next);
    }
    (State::Critical, format!("{url}: {error}"), Vec::new(), next)
}

/// The page began, and did not come whole.
fn broken_off(url: &str, error: &HttpError, variables: usize) -> Parts {
    let (text, next) = match error {
        HttpError::Timeout => (format!("{url} is too slow: {variables} variables and no more came in time"), START[0]),
        HttpError::Broken(cause) if cause.kind() != ErrorKind::UnexpectedEof => {
            (format!("{url} breaks off after {variables} variables: {}", io_error(cause)), PANIC)
        }
        HttpError::Broken(_) => {
            (format!("{url} breaks off after {variables} variables (a panic while the page is written?)"), PANIC)
        }
        error => (format!("{url} breaks off after {variables} variables: {error}"), START[0]),
    };
    (State::Critical, text, Vec::new(), vec![next.to_owned()])
}

/// The host of an address, without its port.
fn host_of(url: &str) -> &str {
    let authority = url.split_once("://").map_or(url, |(_, rest)| rest).split('/').next().unwrap_or_default();
    authority.rsplit_once(':').map_or(authority, |(host, _)| host)
}

fn refused(url: &str, status: u16, kind: &str, begin: &[u8]) -> Parts {
    let body = shown(kind, begin);
    let (text, next) = match status {
        401 => (format!("{url} wants a login (HTTP 401)"), "--login-file or --token-file"),
        403 => (
            format!("{url} does not let us look (HTTP 403)"),
            "--login-file or --token-file, or the rules of the proxy before it",
        ),
        404 => (format!("{url} is not there (HTTP 404{body})"), PORTS),
        405 => (format!("{url} takes no GET (HTTP 405)"), PORTS),
        300..=399 => (format!("{url} leads elsewhere (HTTP {status})"), PORTS),
        502..=504 => (
            format!("{url}: a proxy before Kwanza has no answer (HTTP {status})"),
            "docker-compose ps; docker-compose logs --tail 50 kwanza",
        ),
        _ => (format!("{url} answers HTTP {status}{body}"), "docker-compose logs --tail 50 kwanza"),
    };
    (State::Critical, text, Vec::new(), vec![next.to_owned()])
}

/// The type and the beginning of what was answered instead.
fn shown(kind: &str, begin: &[u8]) -> String {
    let begin = Text::limited(&String::from_utf8_lossy(begin), 60);
    let kind = kind.split(';').next().unwrap_or_default().trim();
    match (kind, begin.as_str().trim()) {
        ("", "") => String::new(),
        ("", begin) => format!("; it begins '{begin}'"),
        (kind, "") => format!("; it is {kind}"),
        (kind, begin) => format!("; it is {kind} and begins '{begin}'"),
    }
}
