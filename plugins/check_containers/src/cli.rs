//! Options to configuration.

use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, ValueEnum};
use common::docker::{self, TlsOptions};
use common::glob::Glob;
use common::http::Endpoint;
use common::metric::Thresholds;
use common::options::Common;
use common::state::State;
use common::units::{parse_delay, parse_duration};

/// CPU quotas are counted in periods of a tenth of a second; less than one of them tells nothing.
const SHORTEST_SAMPLE: Duration = Duration::from_millis(100);
const DEFAULT_SAMPLE: Duration = Duration::from_millis(250);

/// Where figures are taken from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum StatsSource {
    /// The containers' cgroups where the engine is this machine's, else the Engine API
    Auto,
    /// The Engine API, even where the engine is this machine's
    Api,
    /// Nowhere: only states, health and restarts are judged
    None,
}

/// The plugin's own options.
#[derive(Clone, Debug, Args)]
pub struct Arguments {
    /// The engine, `unix:///PATH` or `tcp://HOST:PORT`; else that of `DOCKER_HOST`, else the usual sockets
    #[arg(short = 'H', long, value_name = "URL")]
    pub docker_host: Option<String>,
    /// TLS to the engine.
    #[command(flatten)]
    pub tls: TlsOptions,
    /// Judge the containers of this docker-compose project
    #[arg(long, value_name = "NAME")]
    pub project: Option<String>,
    /// Expect this service to be up, and judge only such services; repeatable
    #[arg(long, value_name = "NAME")]
    pub service: Vec<String>,
    /// Expect the services of this compose file to be up; repeatable, later files override earlier ones
    #[arg(long, value_name = "FILE")]
    pub compose_file: Vec<PathBuf>,
    /// Expect the services of the compose file in DIR, as docker-compose finds it there, to be up
    #[arg(long, value_name = "DIR", conflicts_with = "compose_file")]
    pub deploy_dir: Option<PathBuf>,
    /// Expect the services of this profile of the compose file too; repeatable
    #[arg(long, value_name = "NAME")]
    pub profile: Vec<String>,
    /// Judge only containers whose name matches GLOB; repeatable
    ///
    /// A name without * and ? must be there, or the check is CRITICAL.
    #[arg(long, value_name = "GLOB")]
    pub container: Vec<String>,
    /// Leave out containers whose name matches GLOB; repeatable
    #[arg(long, value_name = "GLOB")]
    pub exclude: Vec<String>,
    /// Let SERVICE, or the container of that name, be a job: ended with exit code 0 is OK; repeatable, may hold * and ?
    #[arg(long, value_name = "SERVICE")]
    pub allow_exited: Vec<String>,
    /// How long a container may be paused, created or restarting before that is CRITICAL instead of WARNING
    #[arg(long, value_name = "DURATION", default_value = "60s", value_parser = parse_delay, allow_hyphen_values = true)]
    pub grace: Duration,
    /// Where figures are taken from
    #[arg(long, value_name = "SOURCE", default_value = "auto")]
    pub stats: StatsSource,
    /// Time between two samples where there is no earlier run to compare with, at least 100ms [default: 250ms]
    #[arg(long, value_name = "DURATION", value_parser = parse_duration, allow_hyphen_values = true)]
    pub sample: Option<Duration>,
    /// Ask for the size of writable layers too, for which the engine walks the disk
    #[arg(long)]
    pub size: bool,
    /// WARNING for a container that runs an older image than its tag names now
    #[arg(long)]
    pub image_drift: bool,
    /// Look for faults in what running containers have logged since the last run, too
    #[arg(long)]
    pub logs: bool,
    /// How many lines of a log are read, from its end
    #[arg(long, value_name = "COUNT", default_value = "200", value_parser = clap::value_parser!(u32).range(1..=10_000), allow_hyphen_values = true)]
    pub log_lines: u32,
    /// Know further faults by their log lines: FILE has one a line, PATTERN, CLASS, MEANING and NEXT STEP between tabs
    #[arg(long, value_name = "FILE")]
    pub hint_file: Option<PathBuf>,
    /// Where the host's /proc is
    #[arg(long, value_name = "DIR", default_value = "/proc")]
    pub procfs: PathBuf,
    /// Where the host's /sys is
    #[arg(long, value_name = "DIR", default_value = "/sys")]
    pub sysfs: PathBuf,
}

/// What one run is to do.
#[derive(Clone, Debug)]
pub struct Config {
    /// Where the engine listens.
    pub engine: Endpoint,
    /// Names of containers to judge; all if empty.
    pub containers: Vec<Glob>,
    /// Names of containers to leave out.
    pub excluded: Vec<Glob>,
    /// Services and containers that are jobs.
    pub jobs: Vec<Glob>,
    /// Time between two samples of one run.
    pub sample: Duration,
    /// Thresholds of all metrics.
    pub thresholds: Thresholds,
    /// State of what did not answer in time.
    pub timeout_state: State,
    /// Number of `-v`.
    pub verbosity: u8,
    /// The options that need no translation.
    pub options: Arguments,
}

impl Config {
    /// Whether one project is watched, so that a service's name says which container is meant.
    pub fn is_scoped(&self) -> bool {
        let options = &self.options;
        options.project.is_some()
            || !options.service.is_empty()
            || !options.compose_file.is_empty()
            || options.deploy_dir.is_some()
    }
}

/// The time between two samples, which must leave some of the run's.
fn sample(given: Option<Duration>, timeout: Duration) -> Result<Duration, String> {
    match given {
        Some(sample) if sample >= timeout => Err("--sample must be shorter than --timeout".to_owned()),
        Some(sample) if sample < SHORTEST_SAMPLE => Err("--sample must be 100ms or longer".to_owned()),
        Some(sample) => Ok(sample),
        None => Ok(DEFAULT_SAMPLE.min(timeout / 2)),
    }
}

/// Translates the options; the error is one sentence.
pub fn configure(options: Arguments, thresholds: Thresholds, common: &Common) -> Result<Config, String> {
    let names = [
        ("--service", &options.service),
        ("--container", &options.container),
        ("--allow-exited", &options.allow_exited),
    ];
    if let Some((option, _)) = names.iter().find(|(_, values)| values.iter().any(String::is_empty)) {
        return Err(format!("{option} needs a name"));
    }
    if !options.profile.is_empty() && options.compose_file.is_empty() && options.deploy_dir.is_none() {
        return Err("--profile needs a compose file: --compose-file or --deploy-dir".to_owned());
    }
    let globs = |patterns: &[String]| patterns.iter().map(|pattern| Glob::new(pattern)).collect();
    Ok(Config {
        engine: docker::endpoint_with_tls(options.docker_host.as_deref(), &options.tls)?,
        containers: globs(&options.container),
        excluded: globs(&options.exclude),
        jobs: globs(&options.allow_exited),
        sample: sample(options.sample, common.timeout)?,
        thresholds,
        timeout_state: common.timeout_state.into(),
        verbosity: common.verbose,
        options,
    })
}
