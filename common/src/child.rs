//! Other programs, run to their end with bounded output, and ended with all that they started.

use std::collections::BTreeSet;
use std::io::{ErrorKind, Read};
use std::os::fd::AsFd;
use std::os::unix::process::{CommandExt as _, ExitStatusExt as _};
use std::process::{Child, ChildStderr, ChildStdin, ChildStdout, Command, ExitStatus, Stdio};
use std::sync::{Mutex, MutexGuard, PoisonError, RwLock};
use std::thread;
use std::time::{Duration, Instant};

use nix::fcntl::{FcntlArg, OFlag, fcntl};
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::signal::{Signal, killpg};
use nix::sys::wait::{Id, WaitPidFlag, WaitStatus, waitid};
use nix::unistd::Pid;

/// How often it is looked whether a program has ended that something else keeps the output of open.
const TICK: Duration = Duration::from_millis(20);
/// How often it is looked whether one has ended that nobody reads from.
const PAUSE: Duration = Duration::from_millis(5);

/// The process groups that run now. A run that is cut off ends them; see [`end_all`].
static RUNNING: Mutex<BTreeSet<i32>> = Mutex::new(BTreeSet::new());
/// Shared by those who start a program, until its group is known; whoever ends all has it alone.
static GATE: RwLock<()> = RwLock::new(());

/// What came of a program.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ran {
    /// What it printed, up to the limit.
    pub stdout: Vec<u8>,
    /// What it complained of, up to [`MAX_STDERR`].
    pub stderr: Vec<u8>,
    /// How it ended.
    pub end: End,
    /// From its start to its end.
    pub took: Duration,
}

/// How a program ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// By itself, with this exit code.
    Exited(i32),
    /// By a signal of this number that somebody else sent.
    Killed(i32),
    /// It was ended, because its time was over.
    OutOfTime,
    /// It was ended, because it printed more than it may.
    TooMuch,
}

/// Bytes of complaints that are kept; the rest is read and dropped.
pub const MAX_STDERR: usize = 4096;

/// A program that runs. It ends with this value, and all of its process group with it.
#[derive(Debug)]
pub struct Running {
    child: Child,
}

/// Starts `command` in a process group of its own. The error is that it could not be started.
pub fn start(command: &mut Command) -> std::io::Result<Running> {
    let _gate = GATE.read().unwrap_or_else(PoisonError::into_inner);
    let child = command.process_group(0).spawn()?;
    running().extend(group(&child));
    Ok(Running { child })
}

impl Running {
    /// Its input, if that is piped and was not taken before.
    pub const fn stdin(&mut self) -> Option<ChildStdin> {
        self.child.stdin.take()
    }

    /// Its output, likewise.
    pub const fn stdout(&mut self) -> Option<ChildStdout> {
        self.child.stdout.take()
    }

    /// Its complaints, likewise.
    pub const fn stderr(&mut self) -> Option<ChildStderr> {
        self.child.stderr.take()
    }

    /// Waits until it ends, at most until `end`: how it ended, or `None` when time is over.
    pub fn wait_until(&mut self, end: Instant) -> std::io::Result<Option<ExitStatus>> {
        while !has_ended(&self.child) {
            if Instant::now() >= end {
                return Ok(None);
            }
            thread::sleep(PAUSE);
        }
        self.end().map(Some)
    }

    /// Ends the group, and waits for the program.
    fn end(&mut self) -> std::io::Result<ExitStatus> {
        // Before it is waited for: until then its number is nobody else's.
        let mut running = running();
        if let Some(group) = group(&self.child).filter(|group| running.remove(group)) {
            let _ = killpg(Pid::from_raw(group), Signal::SIGKILL);
        }
        drop(running);
        self.child.wait()
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // Of one that was waited for this is what is known already.
        let _ = self.end();
    }
}

/// Runs `command` for at most `time`, takes at most `limit` bytes of its output, and ends all of its process group.
///
/// It gets no input. The error is that it could not be started.
pub fn run(command: &mut Command, time: Duration, limit: usize) -> std::io::Result<Ran> {
    let begin = Instant::now();
    let mut running = start(command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()))?;
    let mut output = Output { stdout: Vec::new(), stderr: Vec::new(), limit };
    let cut = follow(&mut running.child, &mut output, begin, time);
    let status = running.end()?;
    let end = cut.unwrap_or_else(|| end_of(status));
    Ok(Ran { stdout: output.stdout, stderr: output.stderr, end, took: begin.elapsed() })
}

/// Ends all programs that run now, and lets no other start: for a process that is about to end.
pub fn end_all() {
    // Never given back: whoever wants to start one now waits until the process has ended.
    std::mem::forget(GATE.write().unwrap_or_else(PoisonError::into_inner));
    for group in running().iter() {
        let _ = killpg(Pid::from_raw(*group), Signal::SIGKILL);
    }
}

fn running() -> MutexGuard<'static, BTreeSet<i32>> {
    RUNNING.lock().unwrap_or_else(PoisonError::into_inner)
}

fn group(child: &Child) -> Option<i32> {
    i32::try_from(child.id()).ok()
}

fn end_of(status: ExitStatus) -> End {
    match (status.code(), status.signal()) {
        (Some(code), _) => End::Exited(code),
        (None, signal) => End::Killed(signal.unwrap_or_default()),
    }
}

/// What a program prints.
struct Output {
    stdout: Vec<u8>,
    stderr: Vec<u8>,
    limit: usize,
}

/// Reads what `child` prints until it has ended. Returns why it has to be ended, if it has.
fn follow(child: &mut Child, output: &mut Output, begin: Instant, time: Duration) -> Option<End> {
    let (mut stdout, mut stderr) = (child.stdout.take(), child.stderr.take());
    unblock(stdout.as_ref());
    unblock(stderr.as_ref());
    loop {
        // Before what it has printed is read, so that all of it is.
        let has_ended = has_ended(child);
        if !read(&mut stdout, &mut output.stdout, output.limit) {
            return Some(End::TooMuch);
        }
        let _ = read(&mut stderr, &mut output.stderr, MAX_STDERR);
        if has_ended {
            return None;
        }
        let left = time.checked_sub(begin.elapsed());
        let Some(left) = left.filter(|left| !left.is_zero()) else { return Some(End::OutOfTime) };
        wait(stdout.as_ref(), stderr.as_ref(), left.min(TICK));
    }
}

/// Whether `child` has ended; it stays to be waited for.
fn has_ended(child: &Child) -> bool {
    let Some(pid) = group(child) else { return true };
    let flags = WaitPidFlag::WEXITED | WaitPidFlag::WNOHANG | WaitPidFlag::WNOWAIT;
    !matches!(waitid(Id::Pid(Pid::from_raw(pid)), flags), Ok(WaitStatus::StillAlive))
}

fn unblock(pipe: Option<&impl AsFd>) {
    if let Some(pipe) = pipe {
        // A pipe that is not there to be read without waiting is read until its end, which the process's end brings.
        let _ = fcntl(pipe, FcntlArg::F_SETFL(OFlag::O_NONBLOCK));
    }
}

/// Reads what is there, up to `limit` bytes in all, and forgets a pipe at its end. Whether it was not more.
fn read(pipe: &mut Option<impl Read>, into: &mut Vec<u8>, limit: usize) -> bool {
    let mut buffer = [0; 16 << 10];
    let mut fits = true;
    while let Some(open) = pipe {
        match open.read(&mut buffer) {
            Ok(0) => *pipe = None,
            Ok(length) => {
                let room = limit.saturating_sub(into.len());
                into.extend(buffer.iter().take(length.min(room)));
                if length > room {
                    fits = false;
                    // Complaints without end must not hold what reads them.
                    break;
                }
            }
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) if error.kind() == ErrorKind::WouldBlock => break,
            Err(_) => *pipe = None,
        }
    }
    fits
}

/// Waits until there is something to read, or for `time`.
fn wait(stdout: Option<&impl AsFd>, stderr: Option<&impl AsFd>, time: Duration) {
    let mut pipes: Vec<PollFd> = Vec::with_capacity(2);
    pipes.extend(stdout.map(|pipe| PollFd::new(pipe.as_fd(), PollFlags::POLLIN)));
    pipes.extend(stderr.map(|pipe| PollFd::new(pipe.as_fd(), PollFlags::POLLIN)));
    // Both pipes are closed as the process ends, so only what closes them itself is waited for by the clock.
    let time = if pipes.is_empty() { time.min(Duration::from_millis(1)) } else { time };
    let timeout = PollTimeout::try_from(time).unwrap_or(PollTimeout::ZERO);
    let _ = poll(&mut pipes, timeout);
}

#[cfg(test)]
mod tests {
    use super::*;

    const LONG: Duration = Duration::from_secs(20);

    fn shell(script: &str, time: Duration) -> Ran {
        run(Command::new("/bin/sh").args(["-c", script]), time, 1000).unwrap()
    }

    #[test]
    fn output_and_end_are_told() {
        let ran = shell("echo out; echo err >&2; cat; exit 7", LONG);
        assert_eq!(
            (ran.stdout.as_slice(), ran.stderr.as_slice(), ran.end),
            (&b"out\n"[..], &b"err\n"[..], End::Exited(7))
        );
        assert_eq!(shell("kill -9 $$", LONG).end, End::Killed(9));
        assert_eq!(run(&mut Command::new("/nonexistent"), LONG, 1).unwrap_err().kind(), ErrorKind::NotFound);
    }

    #[test]
    fn all_of_a_long_output_is_taken_and_no_more_than_allowed() {
        let ran = run(Command::new("/bin/sh").args(["-c", "head -c 300000 /dev/zero"]), LONG, 300_000).unwrap();
        assert_eq!((ran.stdout.len(), ran.end), (300_000, End::Exited(0)));
        let begin = Instant::now();
        let ran = shell("cat /dev/zero", LONG);
        assert_eq!((ran.stdout.len(), ran.end), (1000, End::TooMuch));
        let ran = shell("echo fine; head -c 1000000 /dev/zero >&2", LONG);
        assert_eq!((ran.stdout.as_slice(), ran.stderr.len(), ran.end), (&b"fine\n"[..], MAX_STDERR, End::Exited(0)));
        assert!(begin.elapsed() < LONG / 2);
    }

    #[test]
    fn what_hangs_is_ended_with_what_it_started() {
        let mark = "61.25";
        let ran = shell(&format!("sleep {mark} & sleep {mark}"), Duration::from_millis(200));
        assert_eq!(ran.end, End::OutOfTime);
        assert!(ran.took < Duration::from_secs(5));
        let is_left = || {
            let processes = std::fs::read_dir("/proc").unwrap().flatten();
            let command = |entry: std::fs::DirEntry| std::fs::read(entry.path().join("cmdline")).unwrap_or_default();
            processes.map(command).any(|line| line == format!("sleep\0{mark}\0").as_bytes())
        };
        // The kernel takes a moment.
        let end = Instant::now() + LONG;
        while is_left() {
            assert!(Instant::now() < end, "what it started is left");
            std::thread::sleep(TICK);
        }
    }

    #[test]
    fn what_is_started_ends_with_its_value() {
        let mut running = start(Command::new("/bin/sh").args(["-c", "cat; exit 3"]).stdin(Stdio::piped())).unwrap();
        assert_eq!(running.wait_until(Instant::now()).unwrap(), None);
        drop(running.stdin());
        assert_eq!(running.wait_until(Instant::now() + LONG).unwrap().and_then(|status| status.code()), Some(3));
        let mut hangs =
            start(Command::new("/bin/sh").args(["-c", "sleep 60 & sleep 60"]).stdout(Stdio::piped())).unwrap();
        let mut output = hangs.stdout().unwrap();
        drop(hangs);
        // The pipe ends with the last of those who hold it.
        assert_eq!(output.read(&mut [0]).unwrap(), 0);
    }

    #[test]
    fn what_holds_the_output_open_or_closes_it_is_no_reason_to_wait() {
        let begin = Instant::now();
        assert_eq!(shell("sleep 60 & echo fine", LONG).end, End::Exited(0));
        assert_eq!(shell("exec >&- 2>&-; sleep 0.1; exit 3", LONG).end, End::Exited(3));
        assert_eq!(shell("exec >&- 2>&-; sleep 60", Duration::from_millis(100)).end, End::OutOfTime);
        assert!(begin.elapsed() < LONG / 2);
    }
}
