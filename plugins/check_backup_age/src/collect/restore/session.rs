//! A session of psql that stays: it tells other runs that the test is alive, and ends when this program does, however it ends.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::{Child, ChildStdin, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::thread;
use std::time::Instant;

use common::text::io_error;

use crate::collect::restore::programs;

/// What psql prints behind the answer to a statement.
const END: &str = "\u{1}end of the answer ";
/// Lines of an answer that are kept.
const MOST_LINES: usize = 10_000;
/// Of a line so many bytes are taken; what is longer becomes another.
const MOST_OF_A_LINE: u64 = 64 << 10;

/// The session.
#[derive(Debug)]
pub struct Session {
    input: ChildStdin,
    lines: Receiver<String>,
    /// Not one that is ended with the run (`common::child`): with the end of its input it ends by itself, and does before
    /// what it was given, so that no scratch database stays without its mark.
    psql: Child,
}

impl Drop for Session {
    fn drop(&mut self) {
        // It may have ended by itself, and then both are in vain.
        let _ = self.psql.kill();
        let _ = self.psql.wait();
    }
}

/// Why a statement brought nothing.
#[derive(Debug, PartialEq, Eq)]
pub enum Fault {
    /// The server's words, or psql's own.
    Said(String),
    /// Time was over.
    TimedOut,
}

impl Session {
    /// Connects; waits for that at most until `end`.
    pub fn open(psql: &Path, dsn: &str, end: Instant) -> Result<Self, Fault> {
        let mut command = programs::command(psql);
        command.args(["-X", "-q", "-A", "-t", "-w", "-v", "VERBOSITY=terse", "-d", dsn]).stdin(Stdio::piped());
        let output = programs::one_pipe(&mut command).map_err(Fault::Said)?;
        // A ctrl-C is for this program alone.
        let spawned = command.process_group(0).spawn();
        // It holds the writing end of the pipe, which would never end.
        drop(command);
        let mut psql = spawned.map_err(|error| Fault::Said(format!("psql cannot be run: {}", io_error(&error))))?;
        let Some(input) = psql.stdin.take() else { return Err(Fault::Said("psql has no input".to_owned())) };
        let (sender, lines) = channel();
        thread::spawn(move || {
            let mut output = BufReader::new(output);
            let mut line = Vec::new();
            while output.by_ref().take(MOST_OF_A_LINE).read_until(b'\n', &mut line).is_ok_and(|count| count > 0) {
                let text = String::from_utf8_lossy(&line).trim_end_matches('\n').to_owned();
                line.clear();
                if sender.send(text).is_err() {
                    break;
                }
            }
        });
        let mut session = Self { input, lines, psql };
        session.ask("SELECT 1", end)?;
        Ok(session)
    }

    /// Runs one statement; the lines of its answer.
    pub fn ask(&mut self, sql: &str, end: Instant) -> Result<Vec<String>, Fault> {
        let sent = writeln!(self.input, "{sql};\n\\echo '{END}':ERROR").and_then(|()| self.input.flush());
        let mut answer = Vec::new();
        loop {
            let remaining = end.saturating_duration_since(Instant::now());
            match self.lines.recv_timeout(remaining) {
                Ok(line) => match line.strip_prefix(END) {
                    Some("false") => return Ok(answer),
                    Some(_) => return Err(Fault::Said(answer.join(" "))),
                    None if answer.len() < MOST_LINES => answer.push(line),
                    None => {}
                },
                Err(RecvTimeoutError::Timeout) => return Err(Fault::TimedOut),
                Err(RecvTimeoutError::Disconnected) => {
                    let said = answer.join(" ");
                    let lost = if sent.is_err() { "psql has ended" } else { "the server ended the session" };
                    return Err(Fault::Said(if said.is_empty() { lost.to_owned() } else { said }));
                }
            }
        }
    }
}
