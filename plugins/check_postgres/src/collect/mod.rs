//! All the I/O of the plugin, and no verdict.

mod connected;
mod sql;

pub use self::connected::Open;
pub use self::sql::Detail;

use common::deadline::Deadline;
use common::docker::{self, Container, Engine, EngineError, Status, demultiplexed};

use crate::cli::Config;
use crate::connect::settings::{Place, Secret, Settings, TlsMode, settings};
use crate::connect::sources::Values;
use crate::connect::tls::Connector;
use crate::connect::{connect, file};
use crate::outcome::{Cause, Failure, Fault, Found, Look, NoConnection};
use crate::wants::Wants;

/// How many lines of a container's log are read, from its end, and how many bytes of those.
const LOG_LINES: u32 = 50;
const MAX_LOG_BYTES: u64 = 64 << 10;
/// Where PostgreSQL listens in a container.
const CONTAINER_PORT: u16 = 5432;

/// Connects and asks.
pub fn collect(config: &Config, deadline: &Deadline) -> Result<Found, Fault> {
    let custom = query_file(config, deadline)?;
    let wants = Wants::new(&config.options.groups, custom);
    let place = match &config.options.container {
        Some(name) if !config.sources.name_host() => locate(config, name, deadline)?,
        _ => Values::new(),
    };
    let settings = read_settings(config, place, deadline)?;
    let connector = connector(&settings)?;
    match connect(&settings, connector.as_ref(), deadline) {
        Ok(connected) => connected::ask(connected, wants, deadline),
        Err(failures) => {
            let container = config.options.container.as_ref().map(|name| look_at(config, name, deadline).map(Box::new));
            Err(no_connection(&settings, failures, container))
        }
    }
}

/// Asks for what explains a verdict. Whether there is more to tell now.
pub fn explain(found: &mut Found, details: Vec<Detail>, deadline: &Deadline) -> bool {
    !details.is_empty() && connected::explain(found, details, deadline)
}

fn query_file(config: &Config, deadline: &Deadline) -> Result<Option<String>, Fault> {
    let Some(path) = &config.options.groups.query_file else { return Ok(None) };
    let _step = deadline.step(path.display().to_string());
    let text = file::read(path).map_err(|reason| Fault::Ours(format!("--query-file {}: {reason}", path.display())))?;
    Ok(Some(text))
}

/// The settings of all sources and `place`, and the files that they name.
fn read_settings(config: &Config, place: Values, deadline: &Deadline) -> Result<Settings, Fault> {
    let _step = deadline.step("the files of the connection");
    let password = match &config.options.password_file {
        None => None,
        Some(path) => {
            let fault = |reason: &str| Fault::Ours(format!("--password-file {}: {reason}", path.display()));
            let text = file::read(path).map_err(|reason| fault(&reason))?;
            let line = text.strip_suffix('\n').unwrap_or(&text);
            let line = line.strip_suffix('\r').unwrap_or(line);
            if line.is_empty() || line.contains('\n') {
                return Err(fault("it is not one line with the password"));
            }
            Some(Secret(line.to_owned()))
        }
    };
    let mut settled = config.sources.settle().map_err(Fault::Ours)?;
    settled.values.extend(place);
    let mut settings = settings(&settled, password).map_err(Fault::Ours)?;
    settings.timeout = config.options.connect_timeout.or(settings.timeout);
    Ok(settings)
}

/// What makes TLS, where some server may be asked for it.
fn connector(settings: &Settings) -> Result<Option<Connector>, Fault> {
    let is_remote = settings.servers.iter().any(|server| matches!(server.place, Place::Host { .. }));
    if settings.tls.mode == TlsMode::Disable || !is_remote {
        return Ok(None);
    }
    Connector::new(&settings.tls).map(Some).map_err(|error| {
        let cause = Cause::Tls(error);
        no_connection(settings, vec![Failure { server: String::new(), cause, password_file: None }], None)
    })
}

fn no_connection(
    settings: &Settings,
    failures: Vec<Failure>,
    container: Option<Result<Box<Look>, EngineError>>,
) -> Fault {
    let (user, database) = (settings.user.clone(), settings.database.clone());
    Fault::Connection(Box::new(NoConnection { user, database, failures, container, notes: settings.notes.clone() }))
}

/// Where the server of a container can be reached, as settings.
fn locate(config: &Config, name: &str, deadline: &Deadline) -> Result<Values, Fault> {
    let container = look_up(config, name, deadline).map_err(|error| match error {
        EngineError::Status { status: 404, .. } => Fault::Container("there is no such container".to_owned()),
        error => Fault::Engine(error),
    });
    let (engine, container) = container?;
    let authority = match docker::address(&container, CONTAINER_PORT) {
        Ok(authority) => authority,
        // What is wrong with the container is said by its state.
        Err(_) if container.state.status != Some(Status::Running) => {
            let log = log(&engine, name, &container, deadline);
            return Err(Fault::Down(Box::new(Look { container, log })));
        }
        Err(reason) => return Err(Fault::Container(reason)),
    };
    let (host, port) = authority.rsplit_once(':').unwrap_or((&authority, ""));
    let host = host.trim_start_matches('[').trim_end_matches(']');
    Ok([("host", host), ("port", port)].map(|(name, value)| (name.to_owned(), value.to_owned())).into())
}

/// The engine, and what it knows of a container.
fn look_up(config: &Config, name: &str, deadline: &Deadline) -> Result<(Engine, Container), EngineError> {
    let _step = deadline.step(format!("container {name} of the engine at {}", config.engine));
    let engine = Engine::connect(&config.engine, deadline.budget())?;
    let container = engine.container(name, false, deadline.budget())?;
    Ok((engine, container))
}

/// A container and its log.
fn look_at(config: &Config, name: &str, deadline: &Deadline) -> Result<Look, EngineError> {
    let (engine, container) = look_up(config, name, deadline)?;
    let log = log(&engine, name, &container, deadline);
    Ok(Look { container, log })
}

/// The last lines that a container wrote in its last life, or in all where that is still going on.
fn log(engine: &Engine, name: &str, container: &Container, deadline: &Deadline) -> Vec<u8> {
    let _step = deadline.step(format!("the log of {name}"));
    let id = container.id.as_deref().unwrap_or(name);
    // Without the log there is still the state.
    let raw = engine.logs(id, LOG_LINES, None, MAX_LOG_BYTES, deadline.budget()).unwrap_or_default();
    demultiplexed(&raw).into_owned()
}
