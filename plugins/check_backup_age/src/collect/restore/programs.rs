//! The client programs of PostgreSQL, and how they are run: without a shell, and never longer than there is time.

use std::fs;
use std::io::{PipeReader, Read};
use std::path::{Path, PathBuf};
use std::process::{ChildStdin, Command, Stdio};
use std::thread;
use std::time::Instant;

use common::child::{self, Running};

/// What a program says is kept up to here: a line for each of many tables.
const MOST_BYTES: u64 = 16 << 20;

/// The programs of one installation.
#[derive(Debug)]
pub struct Programs {
    /// The interactive client.
    pub psql: PathBuf,
    /// What reads archives.
    pub pg_restore: PathBuf,
}

impl Programs {
    /// Those in `given`, else the newest that are installed; the error tells what is missing.
    pub fn find(given: Option<&Path>) -> Result<Self, String> {
        let directories = given.map_or_else(usual_directories, |path| vec![path.to_owned()]);
        let found = directories
            .iter()
            .map(|directory| Self { psql: directory.join("psql"), pg_restore: directory.join("pg_restore") });
        let is_here = |programs: &Self| programs.psql.is_file() && programs.pg_restore.is_file();
        found.into_iter().find(is_here).ok_or_else(|| match given {
            Some(path) => format!("psql and pg_restore are not in {}", path.display()),
            None => "psql and pg_restore are not installed".to_owned(),
        })
    }
}

/// Versions of distributions side by side, the newest first, then what PATH names.
fn usual_directories() -> Vec<PathBuf> {
    let mut versioned: Vec<(u32, PathBuf)> = Vec::new();
    for (parent, prefix) in [("/usr/lib/postgresql", ""), ("/usr", "pgsql-")] {
        for entry in fs::read_dir(parent).into_iter().flatten().flatten() {
            let name = entry.file_name().to_string_lossy().into_owned();
            if let Some(major) = name.strip_prefix(prefix).and_then(|major| major.parse().ok()) {
                versioned.push((major, entry.path().join("bin")));
            }
        }
    }
    versioned.sort();
    let path = std::env::var_os("PATH").unwrap_or_default();
    let named = std::env::split_paths(&path).filter(|path| path.is_absolute());
    let usual = ["/usr/local/bin", "/usr/bin"].map(PathBuf::from);
    versioned.into_iter().rev().map(|(_, path)| path).chain(named).chain(usual).collect()
}

/// A program with the environment that all get: messages in English, a name that the server's log shows.
pub fn command(program: &Path) -> Command {
    let mut command = Command::new(program);
    command.env("LC_ALL", "C").env("PGAPPNAME", "check_backup_age").stdin(Stdio::null());
    command
}

/// How a program ended.
#[derive(Debug)]
pub enum Ended {
    /// By itself: whether it succeeded, and what it said.
    Itself {
        /// Whether its exit code was 0.
        success: bool,
        /// Beginning of its stdout.
        stdout: String,
        /// Beginning of its stderr.
        stderr: String,
    },
    /// It was killed, because time was over.
    Killed,
}

/// Starts a program; the error is the reason why it cannot be.
pub fn start(command: &mut Command) -> Result<Running, String> {
    let name = Path::new(command.get_program()).file_name().unwrap_or_default().to_string_lossy().into_owned();
    child::start(command).map_err(|error| format!("{name} cannot be run: {}", common::text::io_error(&error)))
}

/// What writes the input of a program, in a thread of its own.
pub type Feed = Box<dyn FnOnce(ChildStdin) + Send>;

/// Starts a program with `feed` as its input, if there is one.
pub fn start_fed(command: &mut Command, feed: Option<Feed>) -> Result<Running, String> {
    let Some(feed) = feed else { return start(command) };
    let mut running = start(command.stdin(Stdio::piped()))?;
    if let Some(input) = running.stdin() {
        thread::spawn(move || feed(input));
    }
    Ok(running)
}

/// Runs a program to its end, at most until `end`.
pub fn run(command: &mut Command, feed: Option<Feed>, end: Instant) -> Result<Ended, String> {
    let mut running = start_fed(command.stdout(Stdio::piped()).stderr(Stdio::piped()), feed)?;
    let (stdout, stderr) = (running.stdout().map(beginning), running.stderr().map(beginning));
    let status = running.wait_until(end).map_err(|error| common::text::io_error(&error))?;
    let Some(success) = status.map(|status| status.success()) else { return Ok(Ended::Killed) };
    let text =
        |reader: Option<thread::JoinHandle<String>>| reader.and_then(|reader| reader.join().ok()).unwrap_or_default();
    Ok(Ended::Itself { success, stdout: text(stdout), stderr: text(stderr) })
}

/// Reads all that comes, and keeps the beginning.
fn beginning(mut pipe: impl Read + Send + 'static) -> thread::JoinHandle<String> {
    thread::spawn(move || {
        let mut text = Vec::new();
        // What cannot be read was not said.
        let _ = pipe.by_ref().take(MOST_BYTES).read_to_end(&mut text);
        let _ = std::io::copy(&mut pipe, &mut std::io::sink());
        String::from_utf8_lossy(&text).into_owned()
    })
}

/// One pipe for both outputs of a program, so that what it says comes in order.
pub fn one_pipe(command: &mut Command) -> Result<PipeReader, String> {
    let mut connect = || -> std::io::Result<PipeReader> {
        let (reader, writer) = std::io::pipe()?;
        command.stdout(writer.try_clone()?).stderr(writer);
        Ok(reader)
    };
    connect().map_err(|error| common::text::io_error(&error))
}
