//! Options to configuration.

use std::collections::BTreeSet;
use std::net::IpAddr;
use std::path::PathBuf;

use clap::{Args, ValueEnum};
use common::http::Identity;
use common::metric::Thresholds;
use common::options::Common;
use common::state::State;
use common::units::parse_size;
use regex_lite::Regex;

use crate::parse::header_file::is_token;
use crate::target::{Target, Url};

/// Methods that change nothing on a server.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Method {
    /// The answer with its body
    Get,
    /// The answer without its body
    Head,
    /// What may be asked for
    Options,
}

impl Method {
    /// As in a request.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Get => "GET",
            Self::Head => "HEAD",
            Self::Options => "OPTIONS",
        }
    }
}

/// The plugin's own options.
#[derive(Clone, Debug, Args)]
#[allow(clippy::struct_excessive_bools, reason = "each is a switch of its own")]
pub struct Arguments {
    /// An endpoint, `http://`, `https://`, `tcp://`, `tls://`, `grpc://` or `grpcs://HOST:PORT`; repeatable
    ///
    /// NAME= before it is what its metrics are called by. HTTP takes a path, without which any answer will do.
    #[arg(value_name = "[NAME=]URL")]
    pub endpoint: Vec<String>,
    /// Take ADDR for the address of HOST at PORT; repeatable
    #[arg(long, value_name = "HOST:PORT:ADDR")]
    pub resolve: Vec<String>,
    /// Connect over IPv4 alone
    #[arg(short = '4', long, conflicts_with = "ipv6")]
    pub ipv4: bool,
    /// Connect over IPv6 alone
    #[arg(short = '6', long)]
    pub ipv6: bool,
    /// Trust a CA in FILE, or the very certificate of the server in it; else what the system trusts
    #[arg(long, value_name = "FILE")]
    pub ca_file: Option<PathBuf>,
    /// Show the certificate in FILE to servers that ask for one
    #[arg(long, value_name = "FILE", requires = "client_key")]
    pub client_cert: Option<PathBuf>,
    /// The key of --client-cert, not encrypted
    #[arg(long, value_name = "FILE", requires = "client_cert")]
    pub client_key: Option<PathBuf>,
    /// Ask for the certificate of HOST instead of the URL's
    #[arg(long, value_name = "HOST")]
    pub tls_server_name: Option<String>,
    /// Take any certificate; when it ends is judged all the same
    #[arg(long)]
    pub insecure: bool,
    /// Method of HTTP requests
    #[arg(long, value_name = "METHOD", default_value = "get", ignore_case = true)]
    pub method: Method,
    /// What the check calls itself
    #[arg(long, value_name = "TEXT", default_value = concat!("check_endpoint/", env!("CARGO_PKG_VERSION")))]
    pub user_agent: String,
    /// Send the header fields in FILE, `Name: value` a line; they are never printed
    #[arg(long, value_name = "FILE")]
    pub header_file: Option<PathBuf>,
    /// Statuses of HTTP that are OK, `200,301-302`; else 200-399, and without a path any
    #[arg(long, value_name = "LIST")]
    pub expect_status: Option<String>,
    /// CRITICAL unless the body matches REGEX; repeatable
    #[arg(long, value_name = "REGEX")]
    pub expect_body: Vec<String>,
    /// CRITICAL without this header, or if its value does not hold TEXT; repeatable
    #[arg(long, value_name = "NAME[: TEXT]")]
    pub expect_header: Vec<String>,
    /// CRITICAL unless the answer is a redirect to just this URL
    #[arg(long, value_name = "URL", conflicts_with = "follow")]
    pub expect_redirect: Option<String>,
    /// Follow redirects, at most ten, but none from TLS to a plain connection
    #[arg(long)]
    pub follow: bool,
    /// CRITICAL if a body is longer than SIZE, of which nothing more is read
    #[arg(long, value_name = "SIZE", default_value = "4MiB", value_parser = parse_size)]
    pub max_size: u64,
    /// Ask for the health of this service of gRPC instead of the whole server's
    #[arg(long, value_name = "NAME", default_value = "")]
    pub grpc_service: String,
    /// CRITICAL if a server of gRPC has no health service
    #[arg(long)]
    pub require_health: bool,
}

/// What one run is to do.
#[derive(Clone, Debug)]
pub struct Config {
    /// The endpoints, each of another instance.
    pub targets: Vec<Target>,
    /// Addresses of hosts at ports.
    pub resolved: Vec<Resolved>,
    /// The client's certificate.
    pub identity: Option<Identity>,
    /// Statuses that are OK, where others than usual are; each from and to.
    pub statuses: Option<Vec<(u16, u16)>>,
    /// What bodies must match.
    pub bodies: Vec<Regex>,
    /// Headers that must be there, in lower case, with what their values hold.
    pub headers: Vec<(String, String)>,
    /// Where answers must lead.
    pub redirect: Option<Url>,
    /// Thresholds of all metrics.
    pub thresholds: Thresholds,
    /// State where the resolver did not answer in time.
    pub timeout_state: State,
    /// The options that need no translation.
    pub options: Arguments,
}

/// An address that is known without a look-up.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Resolved {
    /// The host, in lower case.
    pub host: String,
    /// The port.
    pub port: u16,
    /// Its address.
    pub address: IpAddr,
}

/// `HOST:PORT:ADDR`, as curl takes it.
fn resolved(text: &str) -> Result<Resolved, String> {
    let fault = || format!("--resolve {text}: write HOST:PORT:ADDR");
    let (host, rest) = match text.strip_prefix('[').and_then(|rest| rest.split_once("]:")) {
        Some(parts) => parts,
        None => text.split_once(':').ok_or_else(fault)?,
    };
    let (port, address) = rest.split_once(':').ok_or_else(fault)?;
    let address = address.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or(address);
    let (port, address) = (port.parse().map_err(|_| fault())?, address.parse().map_err(|_| fault())?);
    if host.is_empty() { Err(fault()) } else { Ok(Resolved { host: host.to_ascii_lowercase(), port, address }) }
}

/// `200,301-302`.
fn statuses(text: &str) -> Result<Vec<(u16, u16)>, String> {
    let status = |text: &str| text.trim().parse().ok().filter(|status| (100..=999).contains(status));
    let range = |part: &str| {
        let (from, to) = part.split_once('-').unwrap_or((part, part));
        let (from, to) = (status(from)?, status(to)?);
        (from <= to).then_some((from, to))
    };
    text.split(',')
        .map(|part| range(part).ok_or_else(|| format!("--expect-status {text}: write 200 or 200,301-302")))
        .collect()
}

/// `NAME` or `NAME: TEXT`.
fn expected_header(text: &str) -> Result<(String, String), String> {
    let (name, value) = text.split_once(':').unwrap_or((text, ""));
    let name = name.trim();
    if name.is_empty() || !name.bytes().all(is_token) {
        return Err(format!("--expect-header {text}: write NAME or 'NAME: TEXT'"));
    }
    Ok((name.to_ascii_lowercase(), value.trim().to_owned()))
}

/// Translates the options; the error is one sentence.
pub fn configure(options: Arguments, thresholds: Thresholds, common: &Common) -> Result<Config, String> {
    let targets = targets(&options)?;
    let redirect = options.expect_redirect.as_deref().map(Url::parse).transpose();
    let regex = |text: &String| {
        // The whole message draws the expression on several lines; the last has the reason.
        let reason = |error: regex_lite::Error| error.to_string().lines().last().unwrap_or_default().trim().to_owned();
        Regex::new(text).map_err(|error| format!("--expect-body {text}: {}", reason(error)))
    };
    if !options.user_agent.bytes().all(|byte| matches!(byte, b' '..=b'~')) || options.user_agent.trim().is_empty() {
        return Err("--user-agent takes printable ASCII".to_owned());
    }
    let identity = match (&options.client_cert, &options.client_key) {
        (Some(certificate), Some(key)) => {
            Some(Identity { certificate: certificate.clone(), key: key.clone(), is_optional: false })
        }
        _ => None,
    };
    Ok(Config {
        targets,
        resolved: options.resolve.iter().map(|text| resolved(text)).collect::<Result<_, _>>()?,
        identity,
        statuses: options.expect_status.as_deref().map(statuses).transpose()?,
        bodies: options.expect_body.iter().map(regex).collect::<Result<_, _>>()?,
        headers: options.expect_header.iter().map(|text| expected_header(text)).collect::<Result<_, _>>()?,
        redirect: redirect.map_err(|reason| format!("--expect-redirect: {reason}"))?,
        thresholds,
        timeout_state: common.timeout_state.into(),
        options,
    })
}

fn targets(options: &Arguments) -> Result<Vec<Target>, String> {
    if options.endpoint.is_empty() {
        return Err("which endpoint? write http://, https://, tcp://, tls://, grpc:// or grpcs://HOST:PORT".to_owned());
    }
    let targets: Vec<Target> =
        options.endpoint.iter().map(|text| Target::parse(text)).collect::<Result<_, String>>()?;
    let mut instances = BTreeSet::new();
    for target in &targets {
        if !instances.insert(target.instance.as_str()) {
            return Err(format!("{} is given twice: NAME=URL tells them apart", target.instance));
        }
        if target.url.is_costly() {
            return Err(format!(
                "{}: a profile or trace of Go makes the server measure itself for as long as it takes; ask for /debug/pprof/",
                target.url
            ));
        }
    }
    // What would be heeded by nobody is a mistake.
    let any = |is_meant: fn(&Target) -> bool| targets.iter().any(is_meant);
    let http = |target: &Target| target.url.scheme.is_http();
    let tls = |target: &Target| target.url.scheme.is_tls() || target.url.scheme.is_http();
    let grpc = |target: &Target| target.url.scheme.is_grpc();
    let given: [(&str, bool, bool); 10] = [
        ("--expect-status", options.expect_status.is_some(), any(http)),
        ("--expect-body", !options.expect_body.is_empty(), any(http)),
        ("--expect-header", !options.expect_header.is_empty(), any(http)),
        ("--expect-redirect", options.expect_redirect.is_some(), any(http)),
        ("--follow", options.follow, any(http)),
        ("--ca-file", options.ca_file.is_some(), any(tls)),
        ("--client-cert", options.client_cert.is_some(), any(tls)),
        ("--tls-server-name", options.tls_server_name.is_some(), any(tls)),
        ("--grpc-service", !options.grpc_service.is_empty(), any(grpc)),
        ("--require-health", options.require_health, any(grpc)),
    ];
    match given.iter().find(|(_, is_given, is_heeded)| *is_given && !is_heeded) {
        Some((option, ..)) => Err(format!("{option}: no endpoint is given that it applies to")),
        None => Ok(targets),
    }
}

/// The configuration that a command line makes.
#[cfg(test)]
pub(crate) fn config_of(words: &[&str]) -> Config {
    use clap::Parser as _;
    let words = ["check_endpoint"].iter().chain(words);
    let line = common::options::CommandLine::<Arguments>::parse_from(words);
    let (warning, critical) = (&line.common.warning, &line.common.critical);
    let thresholds = Thresholds::parse(crate::metrics::METRICS, Some("time"), warning, critical).unwrap();
    configure(line.plugin, thresholds, &line.common).unwrap()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_given_as_to_curl() {
        for (text, host, port, address) in [
            ("Kwanza:8000:127.0.0.1", "kwanza", 8000, "127.0.0.1"),
            ("h:1:[::1]", "h", 1, "::1"),
            ("h:1:::1", "h", 1, "::1"),
            ("[::2]:1:::1", "::2", 1, "::1"),
        ] {
            let expected = Resolved { host: host.to_owned(), port, address: address.parse().unwrap() };
            assert_eq!(resolved(text), Ok(expected));
        }
        for text in ["", "h", "h:1", "h:x:127.0.0.1", "h:1:other", ":1:127.0.0.1"] {
            assert!(resolved(text).unwrap_err().contains("HOST:PORT:ADDR"), "{text}");
        }
    }

    #[test]
    fn statuses_are_a_list_of_numbers_and_ranges() {
        assert_eq!(statuses("200,301-302"), Ok(vec![(200, 200), (301, 302)]));
        for text in ["", "2xx", "99", "302-301", "200,", "1000"] {
            assert!(statuses(text).unwrap_err().contains("200,301-302"), "{text}");
        }
    }

    #[test]
    fn a_header_may_have_to_hold_a_text() {
        assert_eq!(expected_header("X-Frame"), Ok(("x-frame".to_owned(), String::new())));
        assert_eq!(expected_header("A: b:c "), Ok(("a".to_owned(), "b:c".to_owned())));
        assert!(expected_header(": x").is_err() && expected_header("a b").is_err());
    }
}
