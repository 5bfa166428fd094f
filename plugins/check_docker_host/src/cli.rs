//! Options to configuration.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::{Args, ValueEnum};
use common::docker;
use common::glob::Glob;
use common::http::Endpoint;
use common::metric::Thresholds;
use common::options::Common;
use common::state::State;
use common::units::parse_duration;

/// CPU time is counted in hundredths of a second; less than a few of them tells nothing.
pub const SHORTEST_SAMPLE: Duration = Duration::from_millis(50);
const DEFAULT_SAMPLE: Duration = Duration::from_millis(250);

/// What is looked at, in the order of the report.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, ValueEnum)]
#[expect(missing_docs, reason = "the words of the guide and of --only")]
pub enum Group {
    Cpu,
    Load,
    Memory,
    Swap,
    Pressure,
    Disk,
    Diskio,
    Processes,
    Files,
    Docker,
    Kernel,
}

impl Group {
    /// Every group.
    pub const ALL: [Self; 11] = [
        Self::Cpu,
        Self::Load,
        Self::Memory,
        Self::Swap,
        Self::Pressure,
        Self::Disk,
        Self::Diskio,
        Self::Processes,
        Self::Files,
        Self::Docker,
        Self::Kernel,
    ];

    /// Its word on the command line and in the report.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Cpu => "cpu",
            Self::Load => "load",
            Self::Memory => "memory",
            Self::Swap => "swap",
            Self::Pressure => "pressure",
            Self::Disk => "disk",
            Self::Diskio => "diskio",
            Self::Processes => "processes",
            Self::Files => "files",
            Self::Docker => "docker",
            Self::Kernel => "kernel",
        }
    }

    /// Where its figures come from.
    pub const fn source(self) -> &'static str {
        match self {
            Self::Cpu => "/proc/stat",
            Self::Load => "/proc/loadavg and /proc/stat",
            Self::Memory => "/proc/meminfo",
            Self::Swap => "/proc/meminfo and /proc/vmstat",
            Self::Pressure => "/proc/pressure",
            Self::Disk => "/proc/self/mountinfo and statvfs(2)",
            Self::Diskio => "/proc/diskstats",
            Self::Processes => "/proc/PID/stat and /proc/loadavg",
            Self::Files => "/proc/sys/fs/file-nr, /proc/PID/fd and /proc/PID/limits",
            Self::Docker => "GET /_ping and GET /info",
            Self::Kernel => "/proc/uptime",
        }
    }
}

/// The plugin's own options.
#[derive(Clone, Debug, Args)]
#[expect(clippy::struct_excessive_bools, reason = "each is a flag of the command line")]
pub struct Arguments {
    /// Look only at these groups
    #[arg(long, value_name = "GROUP", value_delimiter = ',')]
    pub only: Vec<Group>,
    /// Leave these groups out
    #[arg(long, value_name = "GROUP", value_delimiter = ',')]
    pub skip: Vec<Group>,
    /// Leave the Docker Engine out, as --skip docker does
    #[arg(long)]
    pub no_docker: bool,
    /// The Docker Engine, `unix:///PATH` or `tcp://HOST:PORT`; else that of `DOCKER_HOST`, else the usual sockets
    #[arg(short = 'H', long, value_name = "URL")]
    pub docker_host: Option<String>,
    /// Judge only mounts that match GLOB, of any filesystem type; repeatable
    ///
    /// A name without * and ? must be mounted, or the check is CRITICAL.
    #[arg(long, value_name = "GLOB")]
    pub mount: Vec<String>,
    /// Leave out mounts that match GLOB; repeatable
    #[arg(long, value_name = "GLOB")]
    pub exclude_mount: Vec<String>,
    /// Look at network and FUSE mounts too; one that does not answer is named
    #[arg(long)]
    pub remote: bool,
    /// How many processes to name in a group that is not OK; twice as many for open files
    #[arg(long, value_name = "COUNT", default_value = "5", allow_hyphen_values = true)]
    pub top: usize,
    /// Name processes with their arguments, which may hold passwords
    #[arg(long)]
    pub show_args: bool,
    /// Let high memory use be CRITICAL even while nothing waits for memory
    #[arg(long)]
    pub no_pressure_gate: bool,
    /// Time between two samples where there is no earlier run to compare with, at least 50ms [default: 250ms]
    #[arg(long, value_name = "DURATION", value_parser = parse_duration, allow_hyphen_values = true)]
    pub sample: Option<Duration>,
    /// Instead of all else, tell who uses PATH: open files, working directories, roots and mappings
    #[arg(long, value_name = "PATH")]
    pub busy: Option<PathBuf>,
    /// Where the host's /proc is
    #[arg(long, value_name = "DIR", default_value = "/proc")]
    pub procfs: PathBuf,
    /// Where the host's /sys is
    #[arg(long, value_name = "DIR", default_value = "/sys")]
    pub sysfs: PathBuf,
    /// Where the host's / is, for a check that runs in a container
    #[arg(long, value_name = "DIR", default_value = "/")]
    pub rootfs: PathBuf,
    /// Take the figures of the filesystems from FILE instead of the kernel, to replay a recorded host
    ///
    /// A line a mount: path, size, free, available (all in bytes), inodes, free inodes.
    #[arg(long, value_name = "FILE")]
    pub statvfs: Option<PathBuf>,
}

/// What one run is to do.
#[derive(Clone, Debug)]
pub struct Config {
    /// Groups to look at.
    pub groups: BTreeSet<Group>,
    /// Where the engine listens.
    pub engine: Endpoint,
    /// Mounts to judge; all real ones if empty.
    pub mounts: Vec<Glob>,
    /// The literal names among them, which must be mounted.
    pub required_mounts: Vec<String>,
    /// Mounts to leave out.
    pub excluded_mounts: Vec<Glob>,
    /// Thresholds of all metrics.
    pub thresholds: Thresholds,
    /// State of a mount or engine that did not answer in time.
    pub timeout_state: State,
    /// Time between two samples of one run.
    pub sample: Duration,
    /// Number of `-v`.
    pub verbosity: u8,
    /// The options that need no translation.
    pub options: Arguments,
}

impl Config {
    /// Whether `group` is to be looked at.
    pub fn wants(&self, group: Group) -> bool {
        self.groups.contains(&group)
    }
}

/// The time between two samples, which must leave some of the run's.
fn sample(given: Option<Duration>, timeout: Duration) -> Result<Duration, String> {
    match given {
        Some(sample) if sample >= timeout => Err("--sample must be shorter than --timeout".to_owned()),
        Some(sample) if sample < SHORTEST_SAMPLE => Err("--sample must be 50ms or longer".to_owned()),
        Some(sample) => Ok(sample),
        None => Ok(DEFAULT_SAMPLE.min(timeout / 2)),
    }
}

/// Translates the options; the error is one sentence.
pub fn configure(options: Arguments, thresholds: Thresholds, common: &Common) -> Result<Config, String> {
    let mut groups: BTreeSet<Group> =
        if options.only.is_empty() { Group::ALL.into_iter().collect() } else { options.only.iter().copied().collect() };
    for group in &options.skip {
        groups.remove(group);
    }
    if options.no_docker {
        groups.remove(&Group::Docker);
    }
    if groups.is_empty() {
        return Err("no group is left to look at".to_owned());
    }
    let sample = sample(options.sample, common.timeout)?;
    let looks_at_mounts = groups.contains(&Group::Disk) || groups.contains(&Group::Docker);
    if options.procfs != Path::new("/proc")
        && options.rootfs == Path::new("/")
        && options.statvfs.is_none()
        && looks_at_mounts
    {
        return Err("--procfs of another host needs its root too: --rootfs, or --skip disk,docker".to_owned());
    }
    let engine = match docker::endpoint(options.docker_host.as_deref()) {
        // A wrong address in the environment is of no concern to a run that would only ask it for names.
        Err(_) if !groups.contains(&Group::Docker) && options.docker_host.is_none() => docker::default_endpoint(),
        endpoint => endpoint?,
    };
    // A mount is written without the slash that a shell's completion leaves at its end.
    let plain = |name: &String| if name == "/" { name.clone() } else { name.trim_end_matches('/').to_owned() };
    let globs = |patterns: &[String]| patterns.iter().map(|pattern| Glob::new(&plain(pattern))).collect();
    Ok(Config {
        groups,
        engine,
        mounts: globs(&options.mount),
        required_mounts: options.mount.iter().map(plain).filter(|name| Glob::new(name).is_literal()).collect(),
        sample,
        excluded_mounts: globs(&options.exclude_mount),
        thresholds,
        timeout_state: common.timeout_state.into(),
        verbosity: common.verbose,
        options,
    })
}
