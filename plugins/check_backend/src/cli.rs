//! Options to configuration.

use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::Args;
use common::docker;
use common::glob::Glob;
use common::http::Endpoint;
use common::metric::Thresholds;
use common::options::Common;
use common::state::State;
use common::units::parse_duration;

/// Where the checks are listed, unless it is said otherwise.
pub const DEFAULT_FILE: &str = "/etc/monitoring-plugins-sirenia/backend.toml";
/// A terminal that is drawn anew more often shows nothing but that.
const FASTEST: Duration = Duration::from_secs(1);

/// The plugin's own options.
#[derive(Clone, Debug, Args)]
pub struct Arguments {
    /// The file that lists the checks
    #[arg(long, value_name = "FILE", default_value = DEFAULT_FILE)]
    pub config: PathBuf,
    /// Run only the check of this name; repeatable, may hold * and ?
    #[arg(long, value_name = "NAME")]
    pub only: Vec<String>,
    /// Leave out the check of this name; repeatable, may hold * and ?
    #[arg(long, value_name = "NAME")]
    pub skip: Vec<String>,
    /// Check again and again and show it on the terminal, until ctrl-C
    #[arg(long, value_name = "DURATION", value_parser = parse_duration, allow_hyphen_values = true, conflicts_with = "init")]
    pub watch: Option<Duration>,
    /// Write the file that lists the checks, by looking at what runs here; with `-` print it instead
    #[arg(long, value_name = "-", num_args = 0..=1, value_parser = ["-"], conflicts_with_all = ["only", "skip"])]
    #[allow(clippy::option_option, reason = "an option whose value may be left out")]
    pub init: Option<Option<String>>,
    /// With --init, write over a file that is there
    #[arg(long, requires = "init")]
    pub force: bool,
    /// With --init, the docker-compose project to look at, where there are several
    #[arg(long, value_name = "NAME", requires = "init")]
    pub project: Option<String>,
    /// With --init, the engine to look at, `unix:///PATH` or `tcp://HOST:PORT`; else that of `DOCKER_HOST`, else the usual sockets
    #[arg(long, value_name = "URL", requires = "init")]
    pub docker_host: Option<String>,
}

/// What one run is to do.
#[derive(Clone, Debug)]
pub struct Config {
    /// The file that lists the checks.
    pub file: PathBuf,
    /// Names of the checks to run; all if empty.
    pub only: Vec<Glob>,
    /// Names of the checks to leave out.
    pub skip: Vec<Glob>,
    /// How often a terminal shows them.
    pub watch: Option<Duration>,
    /// What is to be looked at to write the file, if it is to be written.
    pub init: Option<Init>,
    /// State of a check that did not answer in time.
    pub timeout_state: State,
    /// Number of `-v`.
    pub verbosity: u8,
    /// Where the plugins keep their samples, if it was said.
    pub state_dir: Option<PathBuf>,
    /// Thresholds of all metrics.
    pub thresholds: Thresholds,
}

/// How the file is to be written.
#[derive(Clone, Debug)]
pub struct Init {
    /// Whether it is printed instead.
    pub is_printed: bool,
    /// Whether a file that is there is written over.
    pub is_forced: bool,
    /// The project to look at, if it was said.
    pub project: Option<String>,
    /// The engine to look at.
    pub engine: Endpoint,
    /// The same as it was said, by the option or the environment.
    pub docker_host: Option<String>,
}

/// Translates the options; the error is one sentence.
pub fn configure(options: Arguments, thresholds: Thresholds, common: &Common) -> Result<Config, String> {
    if let Some(every) = options.watch.filter(|every| *every < FASTEST) {
        return Err(format!("--watch {}: a second is the least", common::units::duration(every.as_secs_f64())));
    }
    let globs = |names: &[String]| names.iter().map(|name| Glob::new(name)).collect();
    let init = match options.init {
        Some(target) => Some(Init {
            is_printed: target.is_some(),
            is_forced: options.force,
            project: options.project,
            engine: docker::endpoint(options.docker_host.as_deref())?,
            // Who runs the checks later has another environment.
            docker_host: options
                .docker_host
                .or_else(|| std::env::var("DOCKER_HOST").ok().filter(|host| !host.is_empty())),
        }),
        None => None,
    };
    Ok(Config {
        // A run in another directory is to find the same samples.
        file: std::path::absolute(&options.config).unwrap_or(options.config),
        only: globs(&options.only),
        skip: globs(&options.skip),
        watch: options.watch,
        init,
        timeout_state: common.timeout_state.into(),
        verbosity: common.verbose.min(3),
        state_dir: common.state_dir.as_deref().map(Path::to_owned),
        thresholds,
    })
}
