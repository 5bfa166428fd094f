//! A run that got no page.

use common::docker;
use common::http::HttpError;
use common::report::Report;
use common::state::State;
use common::text::Text;

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
        Fault::Refused { url, status, kind, begin } => refused(url, *status, kind, begin),
        Fault::NotThePage { url, kind, reason, begin } => {
            let text = format!("{url} is not a page of expvars: {reason}{}", shown(kind, begin));
            (State::Critical, text, Vec::new(), owned(&[PORTS]))
        }
    }
}

/// Where the page may be instead.
const PORTS: &str =
    "the guide's log line 'expvars available' names the port; 6060 often has the page too, 8000 and 8001 do not";

fn no_answer(config: &Config, url: &str, error: &HttpError) -> Parts {
    let steps = |steps: &[&str]| steps.iter().map(ToString::to_string).collect::<Vec<_>>();
    if matches!(error, HttpError::WantsTls) {
        let next = steps(&["--tls, or a --url that begins with https://"]);
        return (State::Unknown, format!("{url} speaks TLS, and was asked without"), Vec::new(), next);
    }
    if error.is_ours() {
        return (State::Unknown, format!("{url} cannot be asked: {error}"), Vec::new(), Vec::new());
    }
    let is_refused =
        matches!(error, HttpError::Connect(cause) if cause.kind() == std::io::ErrorKind::ConnectionRefused);
    let mut causes = Vec::new();
    if is_refused && config.options.port == 8080 && config.options.url.is_none() && config.options.host.is_some() {
        causes.push(
            "the guide does not publish port 8080: --container finds it, and 6060 often has the page too".to_owned(),
        );
    }
    let text = match error {
        _ if is_refused => format!("nothing listens at {url}"),
        HttpError::Timeout => format!("{url} accepts connections and does not answer in time"),
        HttpError::NotHttp(reason) => format!("what listens at {url} does not speak HTTP ({reason})"),
        error => format!("{url}: {error}"),
    };
    (State::Critical, text, causes, steps(&START))
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
        300..=399 => (
            format!("{url} leads elsewhere (HTTP {status})"),
            "give the address that it leads to; redirects are not followed",
        ),
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
