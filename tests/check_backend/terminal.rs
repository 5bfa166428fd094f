//! On a terminal: progress, watching, and what ctrl-C does.

use std::io::{Read as _, Write as _};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

use support::run::Stdout;
use support::tool::{need, run};

use crate::bench::{Bench, says};

const PATIENCE: Duration = Duration::from_secs(20);
const OPEN: &str = "\u{1b}[?1049h";
const CLOSE: &str = "\u{1b}[?1049l";

/// A run on a terminal of its own, which a test can type to.
struct Terminal {
    child: Child,
    keys: ChildStdin,
    printed: Receiver<Vec<u8>>,
    text: String,
}

impl Terminal {
    /// Starts the check with `arguments`. What the shell says first is the name of the terminal.
    fn start(bench: &Bench, arguments: &str) -> Self {
        let own = bench.arguments().join(" ");
        let state = bench.path().join("state").display().to_string();
        let program = crate::binary().display().to_string();
        let line = format!("trap : INT; tty; {program} --state-dir {state} {own} {arguments}; echo code $?");
        let mut command = Command::new(need("script", "apt-get install bsdutils"));
        command.args(["--quiet", "--flush", "--command", &line, "/dev/null"]).env_clear().env("TERM", "xterm");
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        let mut stdout = child.stdout.take().unwrap();
        let (sender, printed) = channel();
        std::thread::spawn(move || {
            let mut buffer = [0; 4096];
            while let Ok(length @ 1..) = stdout.read(&mut buffer) {
                if sender.send(buffer[..length].to_vec()).is_err() {
                    return;
                }
            }
        });
        let keys = child.stdin.take().unwrap();
        Self { child, keys, printed, text: String::new() }
    }

    /// Waits until `words` were printed, and returns all that was until then.
    #[track_caller]
    fn prints(&mut self, words: &str) -> String {
        let end = Instant::now() + PATIENCE;
        while !self.text.contains(words) {
            let left = end.saturating_duration_since(Instant::now());
            let bytes = self.printed.recv_timeout(left);
            let bytes = bytes.unwrap_or_else(|_| panic!("waited in vain for {words:?} in: {:?}", self.text));
            self.text.push_str(&String::from_utf8_lossy(&bytes));
        }
        let (before, after) = self.text.split_at(self.text.find(words).unwrap() + words.len());
        // The terminal puts a carriage return before every line break.
        let (before, after) = (before.replace("\r\r\n", "\r\n"), after.to_owned());
        self.text = after;
        before
    }

    fn interrupt(&mut self) {
        self.keys.write_all(b"\x03").unwrap();
        self.keys.flush().unwrap();
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn bench(state: &str) -> Bench {
    let bench = Bench::new();
    bench.add("host", "check_docker_host", &says("OK", "[]", "all is well"));
    bench.add("kwanza", "check_kwanza_expvars", &says(state, "[]", "so it is"));
    bench
}

#[test]
fn a_slow_run_tells_what_it_waits_for_and_takes_that_away() {
    let bench = bench("OK");
    bench.add("slow", "check_postgres", &format!("sleep 1.2\n{}", says("OK", "[]", "fine")));
    let run = |name: &str, value: &str| bench.command(&[]).env(name, value).stdout(Stdout::Terminal).output().stdout;
    let text = run("TERM", "xterm");
    assert!(text.contains("done, waiting for slow"), "{text:?}");
    // The last line is gone before the answer, which looks as ever.
    assert!(text.contains("\r\u{1b}[KBACKEND \u{1b}[32mOK\u{1b}[0m - 3 checks OK"), "{text:?}");
    let text = run("TERM", "dumb");
    assert!(text.starts_with("BACKEND") && !text.contains("waiting"), "{text:?}");
    let said = bench.run(&[]);
    assert!(!said.text().contains("waiting"), "only a terminal sees progress");
}

#[test]
fn watching_shows_the_checks_again_and_again_until_ctrl_c() {
    let bench = bench("WARNING");
    let mut terminal = Terminal::start(&bench, "--watch 1s");
    terminal.prints(OPEN);
    for _ in 0..3 {
        let frame = terminal.prints("every 1s; ctrl-C ends");
        assert!(
            frame.contains("\u{1b}[H") && frame.contains("\\_ [\u{1b}[33mWARNING\u{1b}[0m] kwanza: so it is"),
            "{frame:?}"
        );
        assert!(!frame.contains('|'), "figures are for graphs: {frame:?}");
    }
    terminal.interrupt();
    // The terminal is given back, cursor and line wrapping included, and the last report stays on it.
    let text = terminal.prints("code ");
    let (before, after) = text.split_once(CLOSE).unwrap();
    assert!(before.ends_with("\u{1b}[?7h\u{1b}[?25h") && !after.contains("\u{1b}[H"), "{text:?}");
    assert!(after.starts_with("BACKEND \u{1b}[33mWARNING\u{1b}[0m - kwanza: so it is"), "{text:?}");
    terminal.prints("1");
}

#[test]
fn a_terminal_of_another_size_is_drawn_anew() {
    let bench = bench("WARNING");
    let mut terminal = Terminal::start(&bench, "--watch 1h");
    let name = terminal.prints("\n").trim().to_owned();
    terminal.prints("every 1h; ctrl-C ends");
    run("stty", &["-F", &name, "rows", "4", "cols", "20"]);
    // It is set in two steps.
    let frame = terminal.prints("\u{1b}[4;1Hevery 1h; ctrl-C end");
    assert!(frame.contains("BACKEND \u{1b}[33mWARNING\u{1b}[0m - kw\u{1b}[K\r\n... 3 more lines, fo"), "{frame:?}");
    terminal.interrupt();
    terminal.prints("code 1");
}

#[test]
fn while_a_round_is_slow_the_last_row_tells_what_it_waits_for() {
    let bench = bench("OK");
    bench.add("slow", "check_postgres", "exec sleep 60");
    let mut terminal = Terminal::start(&bench, "--watch 5s -t 50s");
    terminal.prints("waiting for slow");
    terminal.interrupt();
    // Nothing was found out yet.
    terminal.prints("code 3");
}

#[test]
fn ctrl_c_ends_a_run_with_all_that_it_started() {
    let bench = Bench::new();
    bench.add("slow", "check_postgres", "sleep 63.25 & sleep 63.25");
    let mut terminal = Terminal::start(&bench, "-t 50s");
    terminal.prints("waiting for slow");
    terminal.interrupt();
    let text = terminal.prints("code 3");
    assert!(text.contains("BACKEND \u{1b}[35mUNKNOWN\u{1b}[0m - interrupted by SIGINT"), "{text:?}");
    let end = Instant::now() + PATIENCE;
    while run("ps", &["-eo", "args"]).contains("sleep 63.25") {
        assert!(Instant::now() < end, "what it started is left");
        std::thread::sleep(Duration::from_millis(20));
    }
}

#[test]
fn watching_needs_a_terminal() {
    let bench = bench("OK");
    bench.run(&["--watch", "5s"]).has_code(3).headlines("watching needs a terminal");
    bench.run(&["--watch", "10ms"]).has_code(3).headlines("--watch 10ms: a second is the least");
    let output =
        bench.command(&["--watch", "5s", "--format", "json"]).env("TERM", "xterm").stdout(Stdout::Terminal).output();
    assert!(output.code == 3 && output.stdout.contains("watching needs a terminal"), "{}", output.stdout);
}
