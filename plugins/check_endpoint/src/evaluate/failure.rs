//! Why an endpoint does not answer, each reason in a sentence of its own, with the next step.

use std::io::ErrorKind;

use common::http::TlsError;
use common::judging::Judging;
use common::number::Number;
use common::state::State;
use common::units::{bytes, duration};

use super::{Subject, certificate, guide};
use crate::metrics::UP;
use crate::parse::speech::Speech;
use crate::snapshot::{Failure, LookupFault, Phase};
use crate::target::{Scheme, Target};

/// What is said of a failure.
struct Said {
    state: State,
    /// Begins with a verb; the endpoint's name stands before it.
    text: String,
    next: Next,
}

/// Who is to do what.
enum Next {
    /// Nobody is there: the container.
    Nobody,
    /// Somebody is there: its log.
    NotWell,
    /// Something of the check's own, or of the network.
    Step(String),
    /// That, and the log.
    StepAndLog(String),
}

/// Judges an endpoint that does not answer, and says why.
pub(super) fn judge(subject: &Subject, judging: &mut Judging, failure: &Failure) -> String {
    let Said { state, text, next } = said(subject, failure);
    let item = &mut judging.item;
    match next {
        Next::Nobody => guide::nobody(subject.target, item),
        Next::NotWell => guide::not_well(subject.target, item),
        Next::Step(step) => item.next.push(step.into()),
        Next::StepAndLog(step) => {
            item.next.push(step.into());
            guide::not_well(subject.target, item);
        }
    }
    if let [_, _, ..] = subject.found.missed.as_slice() {
        item.causes.extend(subject.found.missed.iter().map(|(address, why)| format!("{address}: {why}").into()));
    }
    judging.problem(state, format!("{} {text}", subject.target.instance));
    if state == State::Critical {
        judging.show(&UP, Number::ZERO);
    }
    certificate::show(subject, judging);
    text
}

fn critical(text: impl Into<String>, next: Next) -> Said {
    Said { state: State::Critical, text: text.into(), next }
}

fn unknown(text: impl Into<String>, step: impl Into<String>) -> Said {
    Said { state: State::Unknown, text: text.into(), next: Next::Step(step.into()) }
}

fn said(subject: &Subject, failure: &Failure) -> Said {
    let url = &subject.target.url;
    match failure {
        Failure::Lookup(fault) => lookup(subject, fault),
        Failure::Connect { kind, reason } => connect(subject, *kind, reason),
        Failure::Tls(error, spoken) => tls(subject, error, spoken),
        Failure::NoHttp2 => critical(
            "speaks TLS but no HTTP/2 (no ALPN), as gRPC needs",
            Next::Step(format!("is it a web server? https://{}", url.authority())),
        ),
        Failure::Timeout(phase) => timeout(subject, *phase),
        Failure::Closed if url.scheme.is_tls() => {
            critical("closes the connection after the TLS handshake, without an answer", Next::NotWell)
        }
        Failure::Closed => critical(
            "closes the connection without an answer",
            Next::StepAndLog(match url.scheme {
                Scheme::Grpc => format!("does it speak TLS (grpcs://{0}) or HTTP/1 (http://{0})?", url.authority()),
                _ => format!("does it speak TLS? {}", counterpart(subject.target)),
            }),
        ),
        Failure::Broken { received: 0, reason } => {
            critical(format!("breaks off the connection before its answer ({reason})"), Next::NotWell)
        }
        Failure::Broken { received, reason } => critical(
            format!("breaks off its answer after {} ({reason})", bytes(u64::try_from(*received).unwrap_or(u64::MAX))),
            Next::NotWell,
        ),
        Failure::Foreign(speech) => foreign(subject.target, speech),
        Failure::Malformed(reason) => {
            let protocol = if url.scheme.is_http() { "HTTP" } else { "HTTP/2" };
            critical(format!("answers with nonsense instead of {protocol}: {reason}"), Next::NotWell)
        }
        Failure::TooLarge(limit) => critical(
            format!("answers with a body longer than {}", bytes(*limit)),
            Next::Step("--max-size takes more, --method head asks for no body".to_owned()),
        ),
        Failure::TooManyRedirects(limit) => critical(
            format!("leads in circles, {limit} redirects were followed"),
            Next::StepAndLog("without --follow the first redirect is the answer; -v lists them".to_owned()),
        ),
        Failure::Downgrade(next) => {
            critical(format!("leads from TLS to a plain connection, {next}, which is not followed"), Next::NotWell)
        }
        Failure::Costly(next) => {
            critical(format!("leads to {next}, which would cost the server time and is not followed"), Next::NotWell)
        }
    }
}

fn lookup(subject: &Subject, fault: &LookupFault) -> Said {
    let host = &subject.target.url.host;
    let options = &subject.config.options;
    match fault {
        LookupFault::NoSuchName => critical(
            format!("cannot be found: there is no host called {host} (DNS)"),
            Next::Step(format!(
                "getent hosts {host}; a name of the compose network is known in it alone; --resolve gives its address"
            )),
        ),
        LookupFault::NoAddress if options.ipv4 || options.ipv6 => {
            let version = if options.ipv4 { "IPv4" } else { "IPv6" };
            critical(
                format!("has no address of {version}"),
                Next::Step(format!("getent ahosts {host}; without -4 and -6 any address will do")),
            )
        }
        LookupFault::NoAddress => critical(
            format!("cannot be found: the host {host} has no address (DNS)"),
            Next::Step(format!("getent ahosts {host}")),
        ),
        LookupFault::Resolver(reason) => unknown(
            format!("cannot be looked up: this machine's resolver fails for {host} (DNS: {reason})"),
            "cat /etc/resolv.conf; --resolve gives the address without a look-up",
        ),
    }
}

fn connect(subject: &Subject, kind: ErrorKind, reason: &str) -> Said {
    let address = subject.found.missed.last().map_or("it", |(address, _)| address.as_str());
    match kind {
        ErrorKind::ConnectionRefused => {
            critical(format!("refuses connections, nothing listens at {address}"), Next::Nobody)
        }
        ErrorKind::HostUnreachable | ErrorKind::NetworkUnreachable | ErrorKind::NetworkDown => critical(
            format!("cannot be reached, there is no way to {address} ({reason})"),
            Next::Step("ip route; docker network ls (is the host up, and its network?)".to_owned()),
        ),
        ErrorKind::ConnectionReset | ErrorKind::ConnectionAborted => {
            critical(format!("resets the connection at once ({address})"), Next::Nobody)
        }
        ErrorKind::PermissionDenied => unknown(
            format!("may not be asked from here: {reason} ({address})"),
            "a firewall or a security module of this machine forbids it",
        ),
        _ => unknown(format!("could not be asked: {reason} ({address})"), "mend that on this machine"),
    }
}

fn timeout(subject: &Subject, phase: Phase) -> Said {
    let waited = duration(subject.found.phases.total);
    match phase {
        Phase::Lookup => Said {
            state: subject.config.timeout_state,
            text: format!("cannot be looked up: no answer of the resolver within {waited} (DNS)"),
            next: Next::Step("cat /etc/resolv.conf; --resolve gives the address without a look-up".to_owned()),
        },
        Phase::Connect => critical(
            format!("does not take the connection within {waited}"),
            Next::Step("does a firewall drop it, or is the host down or overloaded? ping; iptables -L -n".to_owned()),
        ),
        Phase::Handshake => critical(
            format!("takes the connection and does not finish the TLS handshake within {waited}"),
            Next::StepAndLog("does it speak TLS at that port?".to_owned()),
        ),
        Phase::FirstByte => {
            critical(format!("takes the connection and does not answer within {waited}"), Next::NotWell)
        }
        Phase::Rest(received) => critical(
            format!(
                "begins to answer and does not end within {waited} ({} came)",
                bytes(u64::try_from(received).unwrap_or(u64::MAX))
            ),
            Next::NotWell,
        ),
    }
}

/// The same endpoint with TLS, or without.
fn counterpart(target: &Target) -> String {
    let scheme = match target.url.scheme {
        Scheme::Http => "https",
        Scheme::Https => "http",
        Scheme::Tcp => "tls",
        Scheme::Tls => "tcp",
        Scheme::Grpc => "grpcs",
        Scheme::Grpcs => "grpc",
    };
    format!("{scheme}://{}", target.url.authority())
}

fn foreign(target: &Target, speech: &Speech) -> Said {
    let scheme = target.url.scheme;
    let wanted = if scheme.is_grpc() { "gRPC" } else { "HTTP" };
    match speech {
        Speech::Tls => critical(
            format!("speaks TLS, and was asked for plain {wanted}"),
            Next::Step(format!("ask with TLS: {}", counterpart(target))),
        ),
        Speech::Http1(line) => critical(
            format!("speaks HTTP/1 and no gRPC ('{line}')"),
            Next::Step(format!("is it a web server? http://{}", target.url.authority())),
        ),
        Speech::Http2 => critical(
            "speaks HTTP/2 alone, as gRPC does, and no HTTP/1".to_owned(),
            Next::Step(format!(
                "is it gRPC? {}://{}",
                if scheme.is_tls() { "grpcs" } else { "grpc" },
                target.url.authority()
            )),
        ),
        Speech::Ssh => critical(
            format!("speaks SSH and no {wanted}"),
            Next::Step("is the port right? docker-compose ps".to_owned()),
        ),
        Speech::Nothing => critical("answers with nothing", Next::NotWell),
        Speech::Other(text) => critical(
            format!("speaks no {wanted}, it begins with '{text}'"),
            Next::Step("is the port right? docker-compose ps".to_owned()),
        ),
    }
}

fn tls(subject: &Subject, error: &TlsError, spoken: &Speech) -> Said {
    let authority = subject.target.url.authority();
    match error {
        TlsError::File { path, reason } => unknown(
            format!("cannot be asked: {}: {reason}", path.display()),
            "--ca-file, --client-cert and --client-key name files in PEM that the monitoring user may read",
        ),
        TlsError::NoRoots => unknown(
            "cannot be verified: no CA is given, and this system has no list of trusted ones",
            "apt-get install ca-certificates, or --ca-file",
        ),
        TlsError::Host(name) => {
            unknown(format!("cannot be verified: no certificate can be for '{name}'"), "--tls-server-name HOST")
        }
        TlsError::NotTls | TlsError::HandshakeBroken if *spoken != Speech::Nothing && *spoken != Speech::Tls => {
            plain(subject.target, spoken)
        }
        TlsError::NotTls => {
            critical("speaks no TLS", Next::Step(format!("ask without: {}", counterpart(subject.target))))
        }
        TlsError::HandshakeTimeout => timeout(subject, Phase::Handshake),
        TlsError::HandshakeBroken => critical(
            "closes the connection during the TLS handshake",
            Next::StepAndLog(format!("does it speak TLS at that port? {}", counterpart(subject.target))),
        ),
        TlsError::ClientCertificateWanted => {
            unknown("wants a client certificate, and none is given", "--client-cert FILE and --client-key FILE")
        }
        TlsError::ClientCertificateRefused(reason) => unknown(
            format!("refuses the client certificate: {reason}"),
            "--client-cert FILE and --client-key FILE of a CA that it trusts",
        ),
        TlsError::TooOld => {
            critical("speaks no TLS of version 1.2 or later, which is too weak to be used", Next::NotWell)
        }
        TlsError::OtherProtocol if subject.target.url.scheme.is_grpc() => critical(
            "speaks TLS but no HTTP/2 (ALPN), as gRPC needs",
            Next::Step(format!("is it a web server? https://{authority}")),
        ),
        TlsError::OtherProtocol => critical(
            "speaks no HTTP/1.1 over TLS (ALPN), but perhaps HTTP/2 alone",
            Next::Step(format!("is it gRPC? grpcs://{authority}")),
        ),
        TlsError::Refused(reason) => critical(format!("refuses the TLS handshake ({reason})"), Next::NotWell),
        TlsError::Protocol(reason) => critical(format!("fails at TLS: {reason}"), Next::NotWell),
        TlsError::Expired { .. }
        | TlsError::NotYetValid { .. }
        | TlsError::WrongName { .. }
        | TlsError::UnknownIssuer
        | TlsError::ShowsCa
        | TlsError::BadCertificate(_) => untrusted(subject, error),
    }
}

/// A certificate that is not trusted.
fn untrusted(subject: &Subject, error: &TlsError) -> Said {
    let host = subject.config.options.tls_server_name.as_deref().unwrap_or(&subject.target.url.host);
    let leaf = subject.found.session.as_ref().and_then(|session| session.chain.first()?.as_ref().ok());
    let trust = "--ca-file FILE with its CA or itself trusts it, --insecure takes any";
    let (text, step) = match error {
        TlsError::Expired { since } => {
            (format!("has a certificate that expired {} ago", duration(*since)), certificate::renewal(subject))
        }
        TlsError::NotYetValid { until } => (
            format!("has a certificate that is not valid yet, but in {}", duration(*until)),
            "timedatectl (are the clocks right, here and there?)".to_owned(),
        ),
        TlsError::WrongName { held, .. } => {
            let held =
                if held.is_empty() { "for no host at all".to_owned() } else { format!("for {}", held.join(", ")) };
            (
                format!("has a certificate for another host: not for {host}, but {held}"),
                "ask by a name that it is for, or --tls-server-name HOST".to_owned(),
            )
        }
        TlsError::UnknownIssuer | TlsError::ShowsCa if leaf.is_some_and(|leaf| leaf.is_self_signed) => {
            ("has a self-signed certificate, which is not trusted here".to_owned(), trust.to_owned())
        }
        TlsError::UnknownIssuer => {
            let issuer = leaf.map(|leaf| format!(", {}", leaf.issuer)).unwrap_or_default();
            (
                format!("has a certificate of an unknown issuer{issuer}"),
                format!("{trust}; a chain that lacks its middle looks like that too"),
            )
        }
        TlsError::ShowsCa => ("shows the certificate of a CA, which is none for servers".to_owned(), trust.to_owned()),
        other => (format!("has a certificate that cannot be used: {other}"), certificate::renewal(subject)),
    };
    critical(text, Next::Step(step))
}

/// A server that was asked with TLS and speaks something without.
fn plain(target: &Target, spoken: &Speech) -> Said {
    let what = match spoken {
        Speech::Http1(_) => "plain HTTP".to_owned(),
        Speech::Http2 => "plain HTTP/2, as gRPC does,".to_owned(),
        Speech::Ssh => "SSH".to_owned(),
        Speech::Other(text) => format!("something that begins with '{text}'"),
        Speech::Nothing | Speech::Tls => "something".to_owned(),
    };
    let plain =
        if *spoken == Speech::Http2 { format!("grpc://{}", target.url.authority()) } else { counterpart(target) };
    let step = format!("ask without TLS: {plain}");
    critical(format!("speaks {what} and no TLS"), Next::Step(step))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::config_of;
    use crate::snapshot::{Found, Phases, Snapshot};
    use common::clock::Clock;
    use common::report::Item;

    /// The item about an endpoint that failed so.
    fn item(options: &[&str], failure: Failure) -> Item {
        let config = config_of(&[&["http://kwanza:8000/"], options].concat());
        let missed = vec![("192.0.2.1:8000".to_owned(), "a reason".to_owned())];
        let phases = Phases { total: 1.5, ..Phases::default() };
        let found = Found { phases, peer: None, missed, session: None, followed: Vec::new(), outcome: Err(failure) };
        let now = Clock { wall: 0.0, boot: 0.0, boot_id: String::new() };
        let mut report = super::super::evaluate(&config, &Ok(Snapshot { endpoints: vec![found] }), &now);
        report.items.remove(0)
    }

    #[test]
    fn names_networks_and_this_machine_are_told_apart() {
        let connect = |kind| Failure::Connect { kind, reason: "a reason".to_owned() };
        let resolver = |reason: &str| Failure::Lookup(LookupFault::Resolver(reason.to_owned()));
        for (failure, state, text) in [
            (Failure::Lookup(LookupFault::NoSuchName), State::Critical, "there is no host called kwanza (DNS)"),
            (Failure::Lookup(LookupFault::NoAddress), State::Critical, "the host kwanza has no address (DNS)"),
            (resolver("Try again"), State::Unknown, "this machine's resolver fails for kwanza (DNS: Try again)"),
            (Failure::Timeout(Phase::Lookup), State::Unknown, "no answer of the resolver within 1.5s (DNS)"),
            (connect(ErrorKind::ConnectionRefused), State::Critical, "nothing listens at 192.0.2.1:8000"),
            (connect(ErrorKind::HostUnreachable), State::Critical, "there is no way to 192.0.2.1:8000 (a reason)"),
            (connect(ErrorKind::ConnectionReset), State::Critical, "resets the connection at once"),
            (connect(ErrorKind::PermissionDenied), State::Unknown, "may not be asked from here: a reason"),
            (connect(ErrorKind::Other), State::Unknown, "could not be asked: a reason"),
            (Failure::Tls(TlsError::NoRoots, Speech::Nothing), State::Unknown, "no list of trusted ones"),
            (Failure::Tls(TlsError::ShowsCa, Speech::Nothing), State::Critical, "shows the certificate of a CA"),
        ] {
            let item = item(&[], failure);
            assert_eq!(item.state, state, "{}", item.text);
            assert!(item.text.as_str().contains(text), "{text}: {}", item.text);
            assert!(!item.next.is_empty() && item.headline.as_str().starts_with("http://kwanza:8000/ "));
            let up = item.metrics.iter().find(|metric| metric.definition.name == UP.name);
            assert_eq!(up.is_some(), state == State::Critical, "{}", item.text);
        }
    }

    #[test]
    fn the_state_of_a_resolver_that_hangs_is_chosen() {
        let item = item(&["--timeout-state", "critical"], Failure::Timeout(Phase::Lookup));
        assert_eq!(item.state, State::Critical);
    }
}
