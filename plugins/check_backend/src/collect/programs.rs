//! The plugins: where they are, and what they print.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use common::child;
use common::deadline::Deadline;
use common::text::io_error;

use crate::cli::Config;
use crate::parse::config::Check;
use crate::snapshot::Outcome;

/// The folders of plugins on Debian, Fedora, SUSE and what is built from source.
const FOLDERS: [&str; 6] = [
    "/usr/lib/nagios/plugins",
    "/usr/lib64/nagios/plugins",
    "/usr/lib/monitoring-plugins",
    "/usr/local/lib/nagios/plugins",
    "/usr/local/nagios/libexec",
    "/usr/libexec/monitoring-plugins",
];
/// A report is never longer.
const MAX_REPORT: usize = 4 << 20;
/// What a plugin is given less than it may take, to say itself what it waited for.
const MARGIN: Duration = Duration::from_millis(150);

/// Runs a check for as long as it may take.
pub(super) fn run(config: &Config, check: &Check, deadline: &Deadline) -> Outcome {
    let program = match find(&check.plugin) {
        Ok(program) => program,
        Err(folders) => return Outcome::Missing(folders),
    };
    let _step = deadline.step(check.name.as_str());
    let time = check.timeout.map_or(deadline.budget(), |timeout| timeout.min(deadline.budget()));
    let mut command = Command::new(&program);
    command.args(&check.arguments).args(["--format", "json", "--timeout", &own_time(time)]);
    if config.verbosity > 0 {
        command.arg(format!("-{}", "v".repeat(config.verbosity.into())));
    }
    let keeps = |argument: &String| argument == "--state-dir" || argument.starts_with("--state-dir=");
    if let Some(directory) = config.state_dir.as_ref().filter(|_| !check.arguments.iter().any(keeps)) {
        command.arg("--state-dir").arg(directory);
    }
    match child::run(&mut command, time, MAX_REPORT) {
        Ok(ran) => Outcome::Ran(ran),
        Err(error) => Outcome::Refused(program, io_error(&error)),
    }
}

/// The timeout that a plugin is given.
fn own_time(time: Duration) -> String {
    format!("{}ms", time.saturating_sub(MARGIN).max(time / 2).as_millis().max(1))
}

/// The program of `plugin`: beside this one, else in the folders of plugins. The error is where it was looked for.
pub(super) fn find(plugin: &str) -> Result<PathBuf, Vec<PathBuf>> {
    if plugin.starts_with('/') {
        return Ok(plugin.into());
    }
    let own = std::env::current_exe().ok().and_then(|program| program.parent().map(Path::to_owned));
    let folders: Vec<PathBuf> = own.into_iter().chain(FOLDERS.map(PathBuf::from)).collect();
    let found = folders.iter().map(|folder| folder.join(plugin)).find(|program| program.is_file());
    found.ok_or(folders)
}
