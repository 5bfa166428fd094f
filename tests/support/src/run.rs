//! Runs a plugin as a monitoring core does: an environment that holds only what is given, nothing on stdin,
//! and a limit on its time.

use std::ffi::{OsStr, OsString};
use std::io::{PipeReader, PipeWriter, Read, Write as _};
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::thread;
use std::time::{Duration, Instant};

use tempfile::TempDir;

use crate::tool::need;

/// A run that takes longer hangs; the slowest test allows itself a few seconds.
const LIMIT: Duration = Duration::from_mins(1);

/// One run of a program.
///
/// Unless told otherwise the program gets a `--state-dir` of its own, empty at first, so that no run sees the
/// samples of another. The same `Run` may be started several times and then keeps that directory.
#[derive(Debug)]
pub struct Run {
    program: PathBuf,
    arg0: Option<OsString>,
    arguments: Vec<OsString>,
    environment: Vec<(OsString, OsString)>,
    directory: Option<PathBuf>,
    state: StateDir,
    stdout: Stdout,
    limit: Duration,
}

#[derive(Debug)]
enum StateDir {
    Own(TempDir),
    Given(PathBuf),
    None,
}

/// Where the program's output goes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Stdout {
    /// Into [`Output::stdout`].
    #[default]
    Captured,
    /// Nowhere: file descriptor 1 is not open.
    Closed,
    /// Into a pipe whose reader is gone.
    Broken,
    /// Into a pipe that is full and that nobody reads.
    Full,
    /// To a terminal; what it prints is in [`Output::stdout`], stderr included.
    Terminal,
}

/// What came of a run.
#[derive(Debug)]
pub struct Output {
    /// What was printed. Output that is not UTF-8 is a fault.
    pub stdout: String,
    /// What should be empty.
    pub stderr: String,
    /// Exit code; -1 if a signal ended the program.
    pub code: i32,
    /// From start to end of the process.
    pub elapsed: Duration,
}

impl Output {
    /// The first line, without its end.
    pub fn first_line(&self) -> &str {
        self.stdout.lines().next().unwrap_or_default()
    }
}

impl Run {
    /// A run of `program`.
    pub fn new(program: impl Into<PathBuf>) -> Self {
        let state = tempfile::Builder::new().prefix("state-").tempdir().expect("a temporary directory");
        Self {
            program: program.into(),
            arg0: None,
            arguments: Vec::new(),
            environment: Vec::new(),
            directory: None,
            state: StateDir::Own(state),
            stdout: Stdout::Captured,
            limit: LIMIT,
        }
    }

    /// With one more argument.
    #[must_use]
    pub fn arg(mut self, argument: impl AsRef<OsStr>) -> Self {
        self.arguments.push(argument.as_ref().to_owned());
        self
    }

    /// With further arguments.
    #[must_use]
    pub fn args<A: AsRef<OsStr>>(mut self, arguments: impl IntoIterator<Item = A>) -> Self {
        self.arguments.extend(arguments.into_iter().map(|argument| argument.as_ref().to_owned()));
        self
    }

    /// With another name for itself than its path.
    #[must_use]
    pub fn arg0(mut self, name: impl AsRef<OsStr>) -> Self {
        self.arg0 = Some(name.as_ref().to_owned());
        self
    }

    /// With an environment variable. Nothing is inherited.
    #[must_use]
    pub fn env(mut self, name: impl AsRef<OsStr>, value: impl AsRef<OsStr>) -> Self {
        self.environment.push((name.as_ref().to_owned(), value.as_ref().to_owned()));
        self
    }

    /// In this working directory instead of the test's own.
    #[must_use]
    pub fn current_dir(mut self, directory: impl Into<PathBuf>) -> Self {
        self.directory = Some(directory.into());
        self
    }

    /// With this `--state-dir`.
    #[must_use]
    pub fn state_dir(mut self, directory: impl Into<PathBuf>) -> Self {
        self.state = StateDir::Given(directory.into());
        self
    }

    /// Without `--state-dir`, for programs that have none and for tests of the default directories.
    #[must_use]
    pub fn no_state_dir(mut self) -> Self {
        self.state = StateDir::None;
        self
    }

    /// With its output going elsewhere.
    #[must_use]
    pub fn stdout(mut self, stdout: Stdout) -> Self {
        self.stdout = stdout;
        self
    }

    /// With another limit; a run that exceeds it is killed and fails the test.
    #[must_use]
    pub fn limit(mut self, limit: Duration) -> Self {
        self.limit = limit;
        self
    }

    /// The state directory that the program is given.
    pub fn state_path(&self) -> Option<&Path> {
        match &self.state {
            StateDir::Own(directory) => Some(directory.path()),
            StateDir::Given(path) => Some(path),
            StateDir::None => None,
        }
    }

    /// Runs the program to its end.
    #[track_caller]
    pub fn output(&self) -> Output {
        let mut command = self.command();
        command.env_clear().envs(self.environment.iter().map(|(name, value)| (name, value)));
        command.stdin(Stdio::null()).stderr(Stdio::piped());
        if let Some(directory) = &self.directory {
            command.current_dir(directory);
        }
        // Held to the end of the run: a pipe without a reader would be a broken one.
        let _unread = match self.stdout {
            Stdout::Captured | Stdout::Terminal => {
                command.stdout(Stdio::piped());
                None
            }
            Stdout::Closed => {
                command.stdout(Stdio::null());
                None
            }
            Stdout::Broken => {
                let (_, writer) = std::io::pipe().expect("a pipe");
                command.stdout(writer);
                None
            }
            Stdout::Full => {
                let (reader, writer) = full_pipe();
                command.stdout(writer);
                Some(reader)
            }
        };
        let begin = Instant::now();
        let mut child = command.spawn().unwrap_or_else(|error| panic!("cannot run {}: {error}", self.describe()));
        // The command holds the child's ends of the pipes, which would never end otherwise.
        drop(command);
        let stdout = child.stdout.take().map(read_all);
        let stderr = child.stderr.take().map(read_all);
        let status = wait(&mut child, begin + self.limit);
        let elapsed = begin.elapsed();
        let text = |name: &str, receiver: Option<Receiver<Vec<u8>>>| {
            let bytes = receiver.map(|receiver| received(&receiver)).unwrap_or_default();
            String::from_utf8(bytes).unwrap_or_else(|error| {
                let lossy = String::from_utf8_lossy(error.as_bytes()).into_owned();
                panic!("{name} of {} is not UTF-8: {lossy}", self.describe())
            })
        };
        let (stdout, stderr) = (text("stdout", stdout), text("stderr", stderr));
        let Some(status) = status else {
            panic!("{} was killed after {:?}; stdout: {stdout}; stderr: {stderr}", self.describe(), self.limit);
        };
        Output { stdout, stderr, code: status.code().unwrap_or(-1), elapsed }
    }

    /// The program and its arguments, as the shell would take them.
    pub fn describe(&self) -> String {
        let words = std::iter::once(self.program.as_os_str().to_owned()).chain(self.all_arguments());
        words.map(|word| quoted(&word.to_string_lossy())).collect::<Vec<_>>().join(" ")
    }

    fn all_arguments(&self) -> Vec<OsString> {
        let mut arguments = Vec::new();
        if let Some(path) = self.state_path() {
            let mut option = OsString::from("--state-dir=");
            option.push(path);
            arguments.push(option);
        }
        arguments.extend(self.arguments.iter().cloned());
        arguments
    }

    fn command(&self) -> Command {
        match self.stdout {
            Stdout::Captured | Stdout::Broken | Stdout::Full => {
                let mut command = Command::new(&self.program);
                command.args(self.all_arguments());
                if let Some(name) = &self.arg0 {
                    command.arg0(name);
                }
                command
            }
            // Safe Rust cannot start a process with a closed descriptor; the shell can.
            Stdout::Closed => {
                let mut command = Command::new("/bin/sh");
                command.args(["-c", "exec \"$0\" \"$@\" >&-"]).arg(&self.program).args(self.all_arguments());
                command
            }
            Stdout::Terminal => {
                let mut command = Command::new(need("script", "apt-get install bsdutils"));
                command.args(["--quiet", "--return", "--command", &self.describe(), "/dev/null"]);
                command
            }
        }
    }
}

/// `word` for the shell.
fn quoted(word: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_=./,:+@%".contains(c);
    if !word.is_empty() && word.chars().all(plain) {
        word.to_owned()
    } else {
        format!("'{}'", word.replace('\'', "'\\''"))
    }
}

/// The status of `child`, or `None` if it had to be killed at `end`.
fn wait(child: &mut Child, end: Instant) -> Option<ExitStatus> {
    loop {
        if let Some(status) = child.try_wait().expect("a child to wait for") {
            return Some(status);
        }
        if Instant::now() >= end {
            let _ = child.kill();
            let _ = child.wait();
            return None;
        }
        thread::sleep(Duration::from_millis(1));
    }
}

fn read_all(mut from: impl Read + Send + 'static) -> Receiver<Vec<u8>> {
    let (sender, receiver) = channel();
    thread::spawn(move || {
        let mut bytes = Vec::new();
        let _ = from.read_to_end(&mut bytes);
        let _ = sender.send(bytes);
    });
    receiver
}

fn received(receiver: &Receiver<Vec<u8>>) -> Vec<u8> {
    match receiver.recv_timeout(Duration::from_secs(5)) {
        Ok(bytes) => bytes,
        Err(RecvTimeoutError::Disconnected) => Vec::new(),
        Err(RecvTimeoutError::Timeout) => panic!("a process that the program left behind keeps its output open"),
    }
}

/// A pipe that takes no further byte.
fn full_pipe() -> (PipeReader, PipeWriter) {
    let (reader, writer) = std::io::pipe().expect("a pipe");
    let mut filler = writer.try_clone().expect("a pipe");
    let (sender, progress) = channel();
    // Its size is the kernel's choice, so it is written to until that blocks. The thread ends with the reader.
    thread::spawn(move || {
        while filler.write_all(&[b'.'; 4096]).is_ok() {
            let _ = sender.send(());
        }
    });
    while progress.recv_timeout(Duration::from_millis(100)).is_ok() {}
    (reader, writer)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shell(script: &str) -> Run {
        Run::new("/bin/sh").no_state_dir().args(["-c", script])
    }

    #[test]
    fn output_code_and_time_are_taken() {
        let output = shell("echo out; echo err >&2; exit 7").output();
        assert_eq!((output.stdout.as_str(), output.stderr.as_str(), output.code), ("out\n", "err\n", 7));
        assert!(output.elapsed < Duration::from_secs(5));
        assert_eq!(shell("kill -9 $$").output().code, -1);
    }

    #[test]
    fn nothing_is_inherited() {
        let output = shell("echo \"${HOME-none} ${CARGO-none} ${ONLY-none}\"; cat").env("ONLY", "this").output();
        assert_eq!(output.stdout, "none none this\n");
    }

    #[test]
    fn each_run_has_its_own_state_directory() {
        let run = Run::new("/bin/echo");
        let output = run.output();
        let path = output.stdout.trim().strip_prefix("--state-dir=").unwrap().to_owned();
        assert!(Path::new(&path).is_dir());
        assert_eq!(run.output().stdout.trim(), format!("--state-dir={path}"));
        drop(run);
        assert!(!Path::new(&path).exists());
    }

    #[test]
    #[should_panic(expected = "was killed after")]
    fn a_run_that_hangs_is_killed() {
        shell("exec sleep 60").limit(Duration::from_millis(100)).output();
    }

    #[test]
    fn a_closed_stdout_is_closed() {
        let output =
            Run::new("/bin/sh").no_state_dir().args(["-c", "echo x 2>/dev/null || exit 9"]).stdout(Stdout::Closed);
        assert_eq!(output.output().code, 9);
    }

    #[test]
    fn a_broken_pipe_is_broken() {
        // SIGPIPE ends the shell.
        assert_ne!(shell("echo x").stdout(Stdout::Broken).output().code, 0);
    }

    #[test]
    #[should_panic(expected = "was killed after")]
    fn a_full_pipe_blocks() {
        shell("echo x").stdout(Stdout::Full).limit(Duration::from_millis(300)).output();
    }

    #[test]
    fn a_terminal_is_one() {
        let output = shell("test -t 1 && echo yes; exit 3").stdout(Stdout::Terminal).output();
        assert_eq!((output.stdout.trim(), output.code), ("yes", 3));
    }
}
