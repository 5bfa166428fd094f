//! All the I/O of the plugin, and no verdict.

use std::io::Read as _;
use std::path::Path;
use std::time::Instant;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use common::clock::Clock;
use common::deadline::Deadline;
use common::docker::{self, Engine, EngineError};
use common::file;
use common::http::{Client, Endpoint, HttpError};
use common::text::io_error;

use crate::cli::{Config, Source};
use crate::parse::page::{Reader, Wants};
use crate::snapshot::{Fault, Snapshot};

/// A page that is longer is refused.
const MAX_BYTES: u64 = 64 << 20;
/// Most of a page that comes at once.
const PIECE: usize = 64 << 10;
/// What servers in Go and nginx say where they are asked without TLS.
const WANTS_TLS: [&str; 2] =
    ["Client sent an HTTP request to an HTTPS server", "The plain HTTP request was sent to HTTPS port"];
/// A file with a login that is longer is another file.
const MAX_SECRET_BYTES: u64 = 64 << 10;

/// Reads the page.
pub fn collect(config: &Config, deadline: &Deadline) -> Result<Snapshot, Fault> {
    let authorization = authorization(config, deadline).map_err(Fault::File)?;
    let endpoint = locate(config, deadline)?;
    let url = format!("{}{}", address(&endpoint), config.path);
    let mut client = Client::new(&endpoint).with_header("accept", "application/json");
    if let Some(authorization) = authorization {
        client = client.with_header("authorization", &authorization);
    }
    let _step = deadline.step(format!("GET {url}"));
    let begin = Instant::now();
    let mut snapshot = read(config, &client, &url, deadline)?;
    snapshot.took = begin.elapsed().as_secs_f64();
    Ok(snapshot)
}

/// The address of a server as a user writes it.
fn address(endpoint: &Endpoint) -> String {
    match endpoint {
        Endpoint::Tcp(authority) => format!("http://{authority}"),
        other => other.to_string(),
    }
}

/// Where the page is.
fn locate(config: &Config, deadline: &Deadline) -> Result<Endpoint, Fault> {
    let (name, engine) = match &config.source {
        Source::At(endpoint) => return Ok(endpoint.clone()),
        Source::Container { name, engine } => (name, engine),
    };
    let _step = deadline.step(format!("container {name} of the engine at {engine}"));
    let engine = Engine::connect(engine, deadline.budget()).map_err(Fault::Engine)?;
    let container = engine.container(name, false, deadline.budget()).map_err(|error| match error {
        EngineError::Status { status: 404, .. } => Fault::Container("there is no such container".to_owned()),
        error => Fault::Engine(error),
    })?;
    let authority = docker::address(&container, config.options.port).map_err(Fault::Container)?;
    Ok(config.endpoint(authority))
}

fn read(config: &Config, client: &Client, url: &str, deadline: &Deadline) -> Result<Snapshot, Fault> {
    let http = |error| Fault::Http { url: url.to_owned(), error };
    let mut answer = client.open(&config.path, deadline.budget()).map_err(http)?;
    let header = |name: &str| answer.headers.iter().find(|(key, _)| key == name).map(|(_, value)| value.clone());
    let encoding = header("content-encoding").filter(|encoding| encoding != "identity");
    let (kind, location) = (header("content-type").unwrap_or_default(), header("location"));
    if answer.status != 200 {
        let mut begin = vec![0; 1024];
        let length = answer.body.read(&mut begin).unwrap_or(0);
        begin.truncate(length);
        if answer.status == 400 && WANTS_TLS.iter().any(|words| contains(&begin, words.as_bytes())) {
            return Err(http(HttpError::WantsTls));
        }
        let location = location.unwrap_or_default();
        return Err(Fault::Refused { url: url.to_owned(), status: answer.status, kind, begin, location });
    }
    if let Some(encoding) = encoding {
        let reason = format!("it is compressed ({encoding}), which was not asked for");
        return Err(Fault::NotThePage { url: url.to_owned(), kind, reason, begin: Vec::new() });
    }
    let subscribers = config.options.top.max(config.options.per_subscriber);
    let paths = config.vars.iter().chain(&config.counters).cloned().collect();
    let mut reader = Reader::new(Wants { paths, subscribers });
    let mut piece = vec![0; PIECE];
    let mut total = 0u64;
    loop {
        let length = answer.body.read(&mut piece).map_err(|error| {
            let error = HttpError::of_body(error);
            Fault::BrokenOff { url: url.to_owned(), error, variables: reader.count() }
        })?;
        if length == 0 || reader.is_hopeless() {
            break;
        }
        total = total.saturating_add(u64::try_from(length).unwrap_or(u64::MAX));
        if total > MAX_BYTES {
            let error = HttpError::TooLarge(MAX_BYTES);
            return Err(Fault::BrokenOff { url: url.to_owned(), error, variables: reader.count() });
        }
        reader.push(piece.get(..length).unwrap_or_default());
    }
    let at = Clock::now();
    let begin = reader.begin().to_vec();
    let page = reader.finish().map_err(|reason| Fault::NotThePage { url: url.to_owned(), kind, reason, begin })?;
    Ok(Snapshot { url: url.to_owned(), page, at, took: 0.0 })
}

fn contains(text: &[u8], words: &[u8]) -> bool {
    text.windows(words.len()).any(|window| window == words)
}

/// The header that logs in. The error names the file and never its content.
fn authorization(config: &Config, deadline: &Deadline) -> Result<Option<String>, String> {
    let (option, path) = match (&config.options.login_file, &config.options.token_file) {
        (Some(path), _) => ("--login-file", path),
        (None, Some(path)) => ("--token-file", path),
        (None, None) => return Ok(None),
    };
    let _step = deadline.step(path.display().to_string());
    let text = secret(path).map_err(|reason| format!("{option} {}: {reason}", path.display()))?;
    if option == "--token-file" {
        return Ok(Some(format!("Bearer {text}")));
    }
    if !text.contains(':') {
        return Err(format!("{option} {}: it does not hold USER:PASSWORD", path.display()));
    }
    Ok(Some(format!("Basic {}", BASE64_STANDARD.encode(text))))
}

fn secret(path: &Path) -> Result<String, String> {
    let text = file::read_text(path, MAX_SECRET_BYTES).map_err(|error| io_error(&error))?;
    let text = text.trim_end_matches(['\r', '\n']);
    if text.is_empty() || text.chars().any(char::is_control) {
        return Err("it is not one line of text".to_owned());
    }
    Ok(text.to_owned())
}
