//! `cargo xtask`: makes what is made from the plugins' own definitions, and finds what is no longer as it was made.

mod arguments;
mod files;
mod icinga2;
mod man;
mod nagios;
mod nrpe;
mod options;
mod plugins;
mod prose;
#[cfg(test)]
mod sample;
mod schema;
mod writer;
mod zabbix;

use std::path::Path;
use std::process::ExitCode;

use clap::Parser;

use files::Set;

/// Makes the man pages, JSON schemas and definitions for monitoring cores from the plugins' own definitions
#[derive(Clone, Copy, Debug, Parser)]
#[command(name = "cargo xtask")]
enum Task {
    /// Write man/
    Man,
    /// Write packaging/schema/
    Schema,
    /// Write packaging/icinga2/, nagios/, nrpe/, zabbix/ and options/
    Integrations,
    /// Write everything
    All,
    /// Name the generated files that are stale, missing or superfluous, and lint the man pages
    Check,
}

#[expect(clippy::print_stdout, clippy::print_stderr, reason = "a developer's tool, no check plugin")]
fn main() -> ExitCode {
    match run(Task::parse(), root()) {
        Ok(lines) => {
            for line in lines {
                println!("{line}");
            }
            ExitCode::SUCCESS
        }
        Err(reason) => {
            eprintln!("{reason}");
            ExitCode::FAILURE
        }
    }
}

/// The workspace's folder.
fn root() -> &'static Path {
    let crate_folder = Path::new(env!("CARGO_MANIFEST_DIR"));
    crate_folder.parent().unwrap_or(crate_folder)
}

/// Does `task` below `root` and says what it did. The error names every fault, one a line.
fn run(task: Task, root: &Path) -> Result<Vec<String>, String> {
    let plugins = plugins::all();
    match task {
        Task::Man => man::pages(&plugins)?.write(root),
        Task::Schema => schema::schemas(&plugins)?.write(root),
        Task::Integrations => write(&integrations(&plugins)?, root),
        Task::All => write(&sets(&plugins)?, root),
        Task::Check => check(&plugins, root),
    }
}

/// Everything that is made.
fn sets(plugins: &[plugins::Entry]) -> Result<Vec<Set>, String> {
    let mut sets = vec![man::pages(plugins)?, schema::schemas(plugins)?];
    sets.extend(integrations(plugins)?);
    Ok(sets)
}

/// What monitoring cores read.
fn integrations(plugins: &[plugins::Entry]) -> Result<Vec<Set>, String> {
    Ok(vec![
        icinga2::commands(plugins),
        nagios::commands(plugins),
        nrpe::commands(plugins),
        nrpe::options(plugins),
        zabbix::templates(plugins)?,
        zabbix::parameters(plugins),
    ])
}

fn write(sets: &[Set], root: &Path) -> Result<Vec<String>, String> {
    let mut lines = Vec::new();
    for set in sets {
        lines.extend(set.write(root)?);
    }
    Ok(lines)
}

fn check(plugins: &[plugins::Entry], root: &Path) -> Result<Vec<String>, String> {
    let mut faults = Vec::new();
    for set in sets(plugins)? {
        faults.extend(set.faults(root)?);
    }
    if !faults.is_empty() {
        faults.push("`cargo xtask all` writes what is missing and removes what is superfluous".to_owned());
    }
    if let Err(reason) = man::lint(&man::pages(plugins)?.present(root)) {
        faults.push(reason);
    }
    if faults.is_empty() {
        Ok(vec!["every generated file is as the code makes it".to_owned()])
    } else {
        Err(faults.join("\n"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory as _;

    #[test]
    fn the_committed_files_are_as_the_code_makes_them() {
        for set in sets(&plugins::all()).unwrap() {
            assert_eq!(set.faults(root()).unwrap(), Vec::<String>::new(), "run `cargo xtask all`");
        }
    }

    #[test]
    fn check_names_every_fault_and_all_mends_them() {
        let folder = tempfile::tempdir().unwrap();
        let entries = [sample::entry()];
        let faults = check(&entries, folder.path()).unwrap_err();
        assert!(faults.contains("man/check_sample.8 is missing"), "{faults}");
        assert!(faults.contains("packaging/schema/check_sample.schema.json is missing"), "{faults}");
        for set in sets(&entries).unwrap() {
            set.write(folder.path()).unwrap();
            assert_eq!(set.faults(folder.path()).unwrap(), Vec::<String>::new());
        }
    }

    #[test]
    fn the_command_line_is_sound() {
        Task::command().debug_assert();
    }
}
