//! Options to configuration.

use std::path::PathBuf;
use std::time::Duration;

use clap::Args;
use common::docker;
use common::glob::Glob;
use common::http::{Endpoint, Identity, TlsServer};
use common::metric::Thresholds;
use common::options::{Common, TimeoutState};
use common::state::State;
use common::units::parse_duration;

const DEFAULT_PORT: u16 = 8080;
const DEFAULT_PATH: &str = "/debug/vars";
/// Subscribers whose streams become figures, at most.
const MAX_SUBSCRIBERS: usize = 1000;

/// Values of `--missing` and `--restart-state`: the words of the standard.
pub type Word = TimeoutState;

/// The plugin's own options.
#[derive(Clone, Debug, Args)]
pub struct Arguments {
    /// Host that Kwanza's expvars are on
    #[arg(short = 'H', long, value_name = "HOST")]
    pub host: Option<String>,
    /// Port that they are on, on the host or in the container
    ///
    /// Kwanza says at its start that they are on 8080, which the guide does not publish. Go serves them on every
    /// listener that uses its default handlers, so port 6060, which is published, often has them too.
    #[arg(short, long, default_value_t = DEFAULT_PORT, value_parser = clap::value_parser!(u16).range(1..))]
    pub port: u16,
    /// The whole address instead: `http://HOST:PORT/debug/vars` or https://
    #[arg(long, value_name = "URL", conflicts_with_all = ["host", "container"])]
    pub url: Option<String>,
    /// Look up in the Docker Engine where the port of this container is, published or not
    #[arg(long, value_name = "NAME", conflicts_with = "host")]
    pub container: Option<String>,
    /// The engine that is asked for the container, `unix:///PATH` or `tcp://HOST:PORT`; else that of `DOCKER_HOST`, else the usual sockets
    #[arg(long, value_name = "URL", requires = "container")]
    pub docker_host: Option<String>,
    /// Speak TLS; with --url its scheme says so
    #[arg(long)]
    pub tls: bool,
    /// With TLS, the file of the CA that must have signed the server's certificate; else one that the system trusts
    #[arg(long, value_name = "FILE")]
    pub ca_file: Option<PathBuf>,
    /// With TLS, the certificate to show to the server
    #[arg(long, value_name = "FILE", requires = "client_key")]
    pub client_cert: Option<PathBuf>,
    /// The key of --client-cert, not encrypted
    #[arg(long, value_name = "FILE", requires = "client_cert")]
    pub client_key: Option<PathBuf>,
    /// With TLS, the name that the server's certificate must have, if that is not the host
    #[arg(long, value_name = "NAME")]
    pub tls_server_name: Option<String>,
    /// With TLS, take any certificate
    #[arg(long)]
    pub insecure: bool,
    /// Log in with the USER:PASSWORD that stands in FILE
    #[arg(long, value_name = "FILE", conflicts_with = "token_file")]
    pub login_file: Option<PathBuf>,
    /// Log in with the bearer token that stands in FILE
    #[arg(long, value_name = "FILE")]
    pub token_file: Option<PathBuf>,
    /// Judge this variable too: NAME, or NAME/KEY/… below it; may hold * and ?; repeatable
    ///
    /// Its value is the metric PATH:value, as in -w 'Cache/misses:value=100'.
    #[arg(long, value_name = "PATH")]
    pub var: Vec<String>,
    /// Judge the growth of this variable too; repeatable
    ///
    /// Its figures are PATH:count, PATH:delta and `PATH:per_second`.
    #[arg(long, value_name = "PATH")]
    pub counter: Vec<String>,
    /// State of a page that lacks a variable of the guide
    #[arg(long, value_name = "STATE", default_value = "warning")]
    pub missing: Word,
    /// State of a run that finds that Kwanza was restarted since the last one
    #[arg(long, value_name = "STATE", default_value = "ok")]
    pub restart_state: Word,
    /// How long Pings may stand still while there are streams
    #[arg(long, value_name = "DURATION", default_value = "5m", value_parser = parse_duration, allow_hyphen_values = true)]
    pub ping_interval: Duration,
    /// How many subscribers with most streams to name
    #[arg(long, value_name = "COUNT", default_value = "5", allow_hyphen_values = true)]
    pub top: usize,
    /// Print the streams of COUNT subscribers as figures, of those with most streams, at most 1000
    #[arg(long, value_name = "COUNT", default_value_t = 0, allow_hyphen_values = true)]
    pub per_subscriber: usize,
    /// Look at the memory of the program and its garbage collection too
    #[arg(long)]
    pub memstats: bool,
}

/// Where the page is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Source {
    /// At an address.
    At(Endpoint),
    /// At a port of a container, which the engine knows.
    Container {
        /// Its name.
        name: String,
        /// The engine to ask.
        engine: Endpoint,
    },
}

/// What one run is to do.
#[derive(Clone, Debug)]
pub struct Config {
    /// Where the page is.
    pub source: Source,
    /// Its path and query.
    pub path: String,
    /// Gauges to judge beyond those of the guide.
    pub vars: Vec<Glob>,
    /// Counters to judge beyond those of the guide.
    pub counters: Vec<Glob>,
    /// State of a page that lacks variables.
    pub missing: State,
    /// State of a restart.
    pub restart: State,
    /// Thresholds of all metrics.
    pub thresholds: Thresholds,
    /// Number of `-v`.
    pub verbosity: u8,
    /// The options that need no translation.
    pub options: Arguments,
}

impl Config {
    /// The server at `authority`, as the options say that it is spoken to.
    pub fn endpoint(&self, authority: String) -> Endpoint {
        endpoint(&self.options, authority, self.options.tls)
    }
}

fn endpoint(options: &Arguments, authority: String, tls: bool) -> Endpoint {
    if !tls {
        return Endpoint::Tcp(authority);
    }
    let identity = options.client_cert.clone().zip(options.client_key.clone());
    let identity = identity.map(|(certificate, key)| Identity { certificate, key, is_optional: false });
    let mut server = TlsServer::new(authority, options.ca_file.clone(), identity);
    if options.insecure {
        server = server.unverified();
    }
    if let Some(name) = &options.tls_server_name {
        server = server.named(name.clone());
    }
    Endpoint::Tls(server)
}

/// Scheme, `HOST:PORT` and path of an address.
fn parts(url: &str) -> Result<(bool, String, String), String> {
    let (scheme, rest) = url.split_once("://").unwrap_or(("", url));
    let (tls, default_port) = match scheme {
        "http" => (false, 80),
        "https" => (true, 443),
        _ => return Err("--url is not http://HOST:PORT/PATH or https://HOST:PORT/PATH".to_owned()),
    };
    let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
    let (authority, path) = rest.split_at(end);
    if authority.contains('@') {
        return Err("--url holds a login, which the process list would show: use --login-file".to_owned());
    }
    let path = path.split('#').next().unwrap_or_default();
    let path = if path.is_empty() || path == "/" { DEFAULT_PATH.to_owned() } else { path.to_owned() };
    if !path.starts_with('/') || !path.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Err("--url has a path with spaces or odd characters".to_owned());
    }
    Ok((tls, authority_of(authority, default_port)?, path))
}

/// `HOST:PORT` of `text`, which may lack the port.
fn authority_of(text: &str, default_port: u16) -> Result<String, String> {
    let (host, port) = match text.rsplit_once(':') {
        // The colons of an IPv6 address are inside its brackets.
        Some((host, port)) if !port.contains(']') => (host, port.parse::<u16>().ok().filter(|port| *port > 0)),
        _ => (text, Some(default_port)),
    };
    let is_bracketed = host.starts_with('[') && host.ends_with(']');
    let is_plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_');
    let is_host = if is_bracketed { host.len() > 2 } else { !host.is_empty() && host.chars().all(is_plain) };
    match port.filter(|_| is_host) {
        Some(port) => Ok(format!("{host}:{port}")),
        None => Err(format!("'{text}' is not HOST:PORT")),
    }
}

/// Where the page is, and its path.
fn source(options: &Arguments) -> Result<(Source, String), String> {
    if let Some(url) = &options.url {
        let (tls, authority, path) = parts(url)?;
        return Ok((Source::At(endpoint(options, authority, tls)), path));
    }
    let path = DEFAULT_PATH.to_owned();
    if let Some(name) = options.container.clone().filter(|name| !name.is_empty()) {
        let engine = docker::endpoint(options.docker_host.as_deref())?;
        return Ok((Source::Container { name, engine }, path));
    }
    let Some(host) = options.host.as_deref() else {
        return Err("where is Kwanza? give -H HOST, --url URL or --container NAME".to_owned());
    };
    // A bare IPv6 address is written as in a URL.
    let host = if host.contains(':') && !host.starts_with('[') { format!("[{host}]") } else { host.to_owned() };
    let authority =
        authority_of(&format!("{host}:{}", options.port), options.port).map_err(|reason| format!("-H: {reason}"))?;
    Ok((Source::At(endpoint(options, authority, options.tls)), path))
}

/// Translates the options; the error is one sentence.
pub fn configure(options: Arguments, thresholds: Thresholds, common: &Common) -> Result<Config, String> {
    if options.per_subscriber > MAX_SUBSCRIBERS {
        return Err(format!("--per-subscriber is at most {MAX_SUBSCRIBERS}"));
    }
    let speaks_tls = options.tls || options.url.as_deref().is_some_and(|url| url.starts_with("https://"));
    let tls_options = [
        ("--ca-file", options.ca_file.is_some()),
        ("--client-cert", options.client_cert.is_some()),
        ("--tls-server-name", options.tls_server_name.is_some()),
        ("--insecure", options.insecure),
    ];
    if let Some((option, _)) = tls_options.iter().find(|(_, is_given)| *is_given && !speaks_tls) {
        return Err(format!("{option} needs TLS: --tls, or a --url that begins with https://"));
    }
    let globs = |option: &str, paths: &[String]| -> Result<Vec<Glob>, String> {
        let is_hidden = |path: &&String| path.split('/').next() == Some("cmdline");
        if paths.iter().any(|path| is_hidden(&path)) {
            return Err(format!("{option} cmdline: the command line is never looked at, it can hold passwords"));
        }
        Ok(paths.iter().map(|path| Glob::new(path.trim_start_matches('/'))).collect())
    };
    let (source, path) = source(&options)?;
    Ok(Config {
        source,
        path,
        vars: globs("--var", &options.var)?,
        counters: globs("--counter", &options.counter)?,
        missing: options.missing.into(),
        restart: options.restart_state.into(),
        thresholds,
        verbosity: common.verbose,
        options,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_taken_apart() {
        let ok = |tls, authority: &str, path: &str| Ok((tls, authority.to_owned(), path.to_owned()));
        assert_eq!(parts("http://kwanza:8080"), ok(false, "kwanza:8080", "/debug/vars"));
        assert_eq!(parts("https://kwanza/x?y=1#z"), ok(true, "kwanza:443", "/x?y=1"));
        assert_eq!(parts("http://[::1]:6060/debug/vars"), ok(false, "[::1]:6060", "/debug/vars"));
        assert_eq!(parts("http://[::1]"), ok(false, "[::1]:80", "/debug/vars"));
        for bad in [
            "kwanza:8080",
            "ftp://x",
            "http://",
            "http://a b/",
            "http://x:99999/",
            "http://x:0/",
            "http://u:p@x/",
            "http://x/a b",
            "http://[]/",
        ] {
            assert!(parts(bad).is_err(), "{bad}");
        }
        assert!(!parts("http://u:s3cret@x/").unwrap_err().contains("s3cret"));
    }
}
