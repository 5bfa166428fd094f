//! A run that found nothing, in words.

use std::collections::BTreeSet;

use common::docker;
use common::http::TlsError;
use common::report::Report;
use common::state::State;
use common::text::Text;
use common::units::duration;

use super::container;
use crate::cli::Config;
use crate::outcome::{Cause, Failure, Fault};

/// The guide's steps where nothing answers.
const START: [&str; 2] = ["docker-compose ps", "docker-compose up postgres (attached, shows why it stops)"];
/// Where the server may be instead.
const PORTS: &str = "docker-compose ps names the port; the guide publishes PostgreSQL on 5444, not on 5432";
const LOGS: &str = "docker-compose logs --tail 50 postgres";
const PASSWORDS: &str = "--password-file, ~/.pgpass (chmod 600), a service file or PGPASSWORD give the password";
const CLIENTS: &str = "psql -U postgres (connections are reserved for superusers): SELECT usename, state, count(*) FROM pg_stat_activity GROUP BY 1, 2; end those that are idle, or raise max_connections";

/// A verdict on one server.
#[derive(Debug)]
pub(super) struct Words {
    /// How bad it is.
    pub state: State,
    /// What is wrong.
    pub text: String,
    /// Why, where that is known.
    pub causes: Vec<String>,
    /// What to do.
    pub next: Vec<String>,
}

impl Words {
    fn new(state: State, text: impl Into<String>, next: &[&str]) -> Self {
        let next = next.iter().map(ToString::to_string).collect();
        Self { state, text: text.into(), causes: Vec::new(), next }
    }

    fn because(mut self, cause: impl Into<String>) -> Self {
        self.causes.push(cause.into());
        self
    }
}

/// The report of a run that found nothing.
pub(super) fn report(config: &Config, fault: &Fault) -> Report {
    let name = config.options.container.as_deref().unwrap_or("postgres");
    let words = match fault {
        Fault::Ours(reason) => Words::new(State::Unknown, reason.clone(), &[]),
        Fault::Engine(error) => {
            let engine = docker::unreachable(error, &config.engine);
            let text = format!("container {name} cannot be looked up: {}", engine.reason);
            Words::new(State::Unknown, text, &[engine.next, "-H does without the engine"])
        }
        Fault::Container(reason) => {
            Words::new(State::Critical, format!("container {name} cannot be reached: {reason}"), &START)
        }
        Fault::Down(look) => {
            let mut words = Words::new(State::Critical, container::in_a_line(name, look), &START);
            container::explain(&mut words, name, look);
            words
        }
        Fault::Connection(fault) => {
            let mut words = together(config, &fault.user, &fault.database, &fault.failures);
            words.causes.extend(fault.notes.iter().cloned());
            if let Some(look) = &fault.container {
                container::add(&mut words, name, look);
            }
            words
        }
        Fault::Query { server, fault } => queried(server, &fault.code, &fault.message),
        Fault::Hang { server, step, is_cancelled } => hang(server, step, *is_cancelled),
    };
    let mut report = Report::single(words.state, "connection", words.text);
    if let Some(item) = report.items.first_mut() {
        item.causes.extend(words.causes.into_iter().map(Text::from));
        item.next.extend(words.next.into_iter().map(Text::from));
    }
    report
}

/// The verdict on all servers that were asked: that of the worst of them, and what is wrong with each.
fn together(config: &Config, user: &str, database: &str, failures: &[Failure]) -> Words {
    let mut all: Vec<Words> = failures.iter().map(|failure| words(user, database, failure)).collect();
    let worst = (0..all.len()).rev().max_by_key(|index| all.get(*index).map(|words| words.state));
    let Some(worst) = worst else { return Words::new(State::Critical, "the server cannot be reached", &START) };
    let others: Vec<String> =
        all.iter().enumerate().filter(|(index, _)| *index != worst).map(|(_, words)| words.text.clone()).collect();
    let mut seen = BTreeSet::new();
    let mut words = all.swap_remove(worst);
    words.next.retain(|step| seen.insert(step.clone()));
    let port = config.options.port.as_deref();
    if matches!(failures.last().map(|failure| &failure.cause), Some(Cause::Refused)) && port.is_none() {
        words.next.push(PORTS.to_owned());
    }
    if !others.is_empty() {
        words.text = format!("none of {} servers lets the check in: {}", others.len() + 1, words.text);
        words.causes.extend(others);
    }
    words
}

/// The verdict on a server that did not let `user` into `database`.
pub(super) fn words(user: &str, database: &str, failure: &Failure) -> Words {
    let server = &failure.server;
    let waited = |seconds: &f64| duration(seconds.round().max(1.0));
    match &failure.cause {
        Cause::Name(reason) => Words::new(
            State::Critical,
            format!("{server}: the host name has no address ({reason})"),
            &["check the name and /etc/resolv.conf; an IP address does without"],
        ),
        Cause::Refused => Words::new(State::Critical, format!("nothing listens at {server}"), &START),
        Cause::NoSocket => Words::new(State::Critical, format!("there is no socket {server}"), &START)
            .because("the server is down, or its socket is elsewhere: -H takes its directory, or a host"),
        Cause::DeadSocket => Words::new(State::Critical, format!("nobody listens on the socket {server}"), &START)
            .because("a server that was killed leaves its socket behind"),
        Cause::SocketRights => Words::new(
            State::Unknown,
            format!("permission denied on the socket {server}"),
            &["let the monitoring user through its directory (unix_socket_permissions), or use -H with a host"],
        ),
        Cause::NoRoute(reason) => Words::new(
            State::Critical,
            format!("there is no way to {server} ({reason})"),
            &["ip route get the address; is the network up?"],
        ),
        Cause::NoAnswer(seconds) => Words::new(
            State::Critical,
            format!("{server} does not answer, waited {}", waited(seconds)),
            &["is the host up? does a firewall drop the port?"],
        ),
        Cause::Silent(seconds) => Words::new(
            State::Critical,
            format!("{server} accepts connections and does not answer, waited {}", waited(seconds)),
            &[LOGS, "docker stats; is the server starved, stopped or waiting for its disk?"],
        ),
        Cause::Closed => {
            Words::new(State::Critical, format!("{server} closes connections before the login is done"), &[LOGS])
        }
        Cause::Broken(reason) => {
            Words::new(State::Critical, format!("the connection to {server} broke: {reason}"), &[LOGS])
        }
        Cause::Stranger(answer) => stranger(server, answer),
        Cause::NoTls => Words::new(
            State::Critical,
            format!("{server} speaks no TLS, and sslmode demands it"),
            &["ssl = on with a certificate in postgresql.conf, or --sslmode prefer"],
        ),
        Cause::Tls(error) => tls(server, error),
        Cause::NoPassword => Words::new(
            State::Unknown,
            format!("{server} wants a password of user {user}, and none is known"),
            &[PASSWORDS],
        ),
        Cause::Login(reason) => login(server, reason),
        Cause::Server { code, message, detail } => {
            let mut words = refused(server, user, database, code, message);
            words.causes.extend(detail.iter().map(|detail| format!("detail: {detail}")));
            if code == "28P01" {
                words.causes.extend(failure.password_file.iter().map(|file| format!("the password is from {file}")));
            }
            words
        }
        Cause::Role(role) => Words::new(
            State::Critical,
            format!("{server} is not what is wanted, target_session_attrs={role}"),
            &["SELECT pg_is_in_recovery(); was the primary lost?"],
        ),
    }
}

fn stranger(server: &str, answer: &[u8]) -> Words {
    let shown = Text::limited(String::from_utf8_lossy(answer).lines().next().unwrap_or_default(), 60);
    let text = if answer.starts_with(b"HTTP/") {
        format!("an HTTP server listens at {server} and no PostgreSQL, it answers '{shown}'")
    } else if answer.starts_with(b"SSH-") {
        format!("an SSH server listens at {server} and no PostgreSQL, it answers '{shown}'")
    } else if let Some(message) = answer.strip_prefix(b"E") {
        // A server that can start no further process says so before it knows what it is asked.
        let message: String = String::from_utf8_lossy(message).chars().filter(|c| !c.is_control()).collect();
        return Words::new(
            State::Critical,
            format!("{server} serves nobody: {}", Text::limited(&message, 200)),
            &[LOGS],
        );
    } else {
        format!("what listens at {server} is no PostgreSQL, it answers '{shown}'")
    };
    Words::new(State::Critical, text, &[PORTS])
}

fn tls(server: &str, error: &TlsError) -> Words {
    let state = if error.is_ours() { State::Unknown } else { State::Critical };
    if server.is_empty() {
        return Words::new(state, format!("TLS cannot be set up: {error}"), &[]);
    }
    let next = match error {
        TlsError::ClientCertificateWanted => "--ssl-cert and --ssl-key show one",
        TlsError::ClientCertificateRefused(_) => {
            "--ssl-cert and --ssl-key name another; ssl_ca_file on the server names who may sign it"
        }
        TlsError::UnknownIssuer | TlsError::ShowsCa => "--ssl-root-cert names the file with the CA that signed it",
        TlsError::WrongName { .. } => {
            "-H must be a name that the certificate has; --sslmode verify-ca does without the name"
        }
        TlsError::Expired { .. } | TlsError::NotYetValid { .. } => {
            "put a new certificate in place (ssl_cert_file), SELECT pg_reload_conf()"
        }
        _ => LOGS,
    };
    Words::new(state, format!("TLS with {server}: {error}"), &[next])
}

fn login(server: &str, reason: &str) -> Words {
    if reason.contains("channel binding") {
        return Words::new(
            State::Unknown,
            format!("{server} does not bind the login to TLS, and channel_binding=require demands it"),
            &["it takes TLS and a password of SCRAM (password_encryption = scram-sha-256)"],
        )
        .because("somebody between the check and the server would look the same");
    }
    if reason == "unsupported authentication method" {
        let text = format!("{server} wants a login of a kind that the check does not have (GSSAPI, SSPI)");
        return Words::new(State::Unknown, text, &["a line of pg_hba.conf for the monitoring user with scram-sha-256"]);
    }
    Words::new(State::Unknown, format!("the login to {server} fails: {reason}"), &[LOGS])
}

/// A server that refuses a login, by SQLSTATE.
fn refused(server: &str, user: &str, database: &str, code: &str, message: &str) -> Words {
    match code {
        "57P03" => not_ready(server, message),
        "57P01" | "57P02" => Words::new(State::Critical, format!("{server} is shutting down: {message}"), &START),
        "53300" => Words::new(State::Critical, format!("{server} has too many clients: {message}"), &[CLIENTS]),
        "3D000" => Words::new(
            State::Critical,
            format!("database {database} is not there at {server}"),
            &["CREATE DATABASE, then pg_restore --dbname=kwanza --verbose kwanza.tar", "-d names another database"],
        )
        .because(format!("the server says: {message}")),
        "55000" => Words::new(
            State::Critical,
            format!("database {database} at {server} takes no connections: {message}"),
            &["ALTER DATABASE … ALLOW_CONNECTIONS true"],
        ),
        "42501" => Words::new(
            State::Unknown,
            format!("user {user} may not connect to database {database} at {server}"),
            &["GRANT CONNECT ON DATABASE … TO the monitoring user"],
        )
        .because(format!("the server says: {message}")),
        "28P01" => Words::new(
            State::Unknown,
            format!("{server} refuses the password of user {user}"),
            &["compare it with that of the role: ALTER ROLE … PASSWORD", PASSWORDS],
        ),
        code if code.starts_with("28") => not_let_in(server, user, message),
        code if code.starts_with("53") => {
            Words::new(State::Critical, format!("{server} lacks resources: {message} ({code})"), &[LOGS])
        }
        code => Words::new(State::Critical, format!("{server} refuses the connection: {message} ({code})"), &[LOGS]),
    }
}

/// A server that is there and lets nobody in. Its words may be in another language.
fn not_ready(server: &str, message: &str) -> Words {
    let is_about = |words: &str| message.contains(words);
    if is_about("starting up") {
        return Words::new(State::Critical, format!("{server} is starting up"), &[LOGS])
            .because("after a crash it replays WAL first; the log tells how far it is");
    }
    if is_about("shutting down") {
        return Words::new(
            State::Critical,
            format!("{server} is shutting down"),
            &["docker-compose ps", "docker-compose up -d postgres"],
        )
        .because("it waits for its clients, or writes its last checkpoint");
    }
    if is_about("recovery mode") {
        return Words::new(State::Critical, format!("{server} is recovering from a crash"), &[LOGS])
            .because("one of its processes crashed or was killed, so all sessions were ended");
    }
    if is_about("not accepting connections") || is_about("not yet accepting connections") {
        return Words::new(State::Critical, format!("{server} is in recovery and lets nobody in"), &[LOGS])
            .because("a standby lets clients in with hot_standby = on, once it is consistent");
    }
    Words::new(State::Critical, format!("{server} lets nobody in yet: {message}"), &[LOGS])
}

/// A server that refuses who comes, and not the password.
fn not_let_in(server: &str, user: &str, message: &str) -> Words {
    let text = if message.contains("pg_hba.conf rejects") {
        format!("pg_hba.conf at {server} rejects user {user}")
    } else if message.contains("pg_hba.conf") {
        format!("pg_hba.conf at {server} has no entry that lets user {user} in")
    } else if message.contains("does not exist") {
        format!("there is no role {user} at {server}")
    } else {
        format!("{server} does not let user {user} in")
    };
    let words = Words::new(
        State::Unknown,
        text,
        &["a line of pg_hba.conf for the monitoring user, SELECT pg_reload_conf(); -U names the user"],
    )
    .because(format!("the server says: {message}"));
    if message.contains("no encryption") || message.contains("SSL off") {
        return words.because("it was asked without TLS; --sslmode require may be let in");
    }
    words
}

fn queried(server: &str, code: &str, message: &str) -> Words {
    match code {
        "57014" => Words::new(
            State::Critical,
            format!("{server} lets the check in and takes too long for a simple statement"),
            &["SELECT pid, state, wait_event FROM pg_stat_activity WHERE state = 'active'; docker stats"],
        )
        .because(format!("the server says: {message}")),
        "57P01" | "57P02" | "57P03" => {
            Words::new(State::Critical, format!("{server} ended the session: {message}"), &START)
        }
        "" => Words::new(State::Critical, format!("the session with {server} broke: {message}"), &[LOGS]),
        code => Words::new(
            State::Unknown,
            format!("{server} refuses what the check asks first: {message} ({code})"),
            &[LOGS],
        ),
    }
}

fn hang(server: &str, step: &str, is_cancelled: bool) -> Words {
    let text = format!("{server} let the check in and does not answer, waiting for {step}");
    let words = Words::new(
        State::Critical,
        text,
        &[LOGS, "SELECT pid, wait_event_type, wait_event FROM pg_stat_activity; docker stats"],
    );
    words.because(if is_cancelled {
        "the request to cancel was taken and changed nothing in time"
    } else {
        "it did not take the request to cancel either"
    })
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use super::*;

    fn server(code: &str, message: &str) -> Cause {
        Cause::Server { code: code.to_owned(), message: message.to_owned(), detail: None }
    }

    fn said(cause: Cause) -> Words {
        words("monitoring", "kwanza", &Failure { server: "db:5444".to_owned(), cause, password_file: None })
    }

    fn all() -> Vec<(State, Cause)> {
        use State::{Critical, Unknown};
        let file = TlsError::File { path: PathBuf::from("ca.pem"), reason: "no such file".to_owned() };
        vec![
            (Critical, Cause::Name("name or service not known".to_owned())),
            (Critical, Cause::Refused),
            (Critical, Cause::NoSocket),
            (Critical, Cause::DeadSocket),
            (Unknown, Cause::SocketRights),
            (Critical, Cause::NoRoute("no route to host".to_owned())),
            (Critical, Cause::NoAnswer(5.0)),
            (Critical, Cause::Silent(5.0)),
            (Critical, Cause::Closed),
            (Critical, Cause::Broken("input/output error".to_owned())),
            (Critical, Cause::Stranger(b"HTTP/1.1 400 Bad Request\r\n".to_vec())),
            (Critical, Cause::Stranger(b"SSH-2.0-OpenSSH_9.2\r\n".to_vec())),
            (Critical, Cause::Stranger(b"220 mail\r\n".to_vec())),
            (Critical, Cause::Stranger(b"Ecould not fork new process for connection".to_vec())),
            (Critical, Cause::NoTls),
            (Critical, Cause::Tls(TlsError::UnknownIssuer)),
            (Critical, Cause::Tls(TlsError::Expired { since: 60.0 })),
            (Unknown, Cause::Tls(TlsError::ClientCertificateWanted)),
            (Unknown, Cause::Tls(file)),
            (Unknown, Cause::NoPassword),
            (Unknown, Cause::Login("server did not use channel binding".to_owned())),
            (Unknown, Cause::Login("unsupported authentication method".to_owned())),
            (Critical, server("57P03", "the database system is starting up")),
            (Critical, server("57P03", "the database system is shutting down")),
            (Critical, server("57P03", "the database system is in recovery mode")),
            (Critical, server("57P03", "the database system is not accepting connections")),
            (Critical, server("57P03", "das Datenbanksystem startet")),
            (Critical, server("57P01", "terminating connection due to administrator command")),
            (Critical, server("53300", "sorry, too many clients already")),
            (Critical, server("53200", "out of memory")),
            (Critical, server("3D000", "database \"kwanza\" does not exist")),
            (Critical, server("55000", "database \"kwanza\" is not currently accepting connections")),
            (Critical, server("XX000", "cache lookup failed")),
            (Unknown, server("42501", "permission denied for database \"kwanza\"")),
            (Unknown, server("28P01", "password authentication failed for user \"monitoring\"")),
            (Unknown, server("28000", "no pg_hba.conf entry for host \"::1\", SSL off")),
            (Unknown, server("28000", "pg_hba.conf rejects connection for host \"::1\"")),
            (Unknown, server("28000", "role \"monitoring\" does not exist")),
            (Unknown, server("28000", "certificate authentication failed for user \"monitoring\"")),
            (Critical, Cause::Role("primary")),
        ]
    }

    #[test]
    fn every_fault_has_a_sentence_and_a_step_of_its_own() {
        let mut seen = BTreeSet::new();
        for (state, cause) in all() {
            let about = format!("{cause:?}");
            let words = said(cause);
            assert_eq!(words.state, state, "{about}");
            assert!(words.text.contains("db:5444"), "{about}: {}", words.text);
            assert!(!words.next.is_empty(), "{about} has no next step");
            assert!(seen.insert(words.text.clone()), "{about}: {} is said twice", words.text);
        }
    }

    #[test]
    fn what_breaks_a_session_is_said() {
        for (code, state, expected) in [
            ("57014", State::Critical, "takes too long"),
            ("57P01", State::Critical, "ended the session"),
            ("", State::Critical, "broke"),
            ("42883", State::Unknown, "refuses what the check asks first"),
        ] {
            let words = queried("db:5444", code, "why");
            assert!(words.state == state && words.text.contains(expected), "{code}: {words:?}");
        }
        assert_ne!(hang("db", "sessions", true).causes, hang("db", "sessions", false).causes);
    }
}
