//! Signals, for plugins that run other programs: those end with the run, however it is ended.

use std::thread;

use nix::sys::signal::{SigSet, Signal};

use super::{answer, current_output, exit, render_single, screen};
use crate::report::Report;
use crate::state::State;

/// Takes the signals that end a run, and the one that tells of another size of the terminal.
///
/// Programs that are started do not inherit that. To be called before any thread is.
pub(super) fn handle() {
    let signals: SigSet = [Signal::SIGINT, Signal::SIGTERM, Signal::SIGHUP, Signal::SIGWINCH].into_iter().collect();
    if signals.thread_block().is_err() {
        return;
    }
    let work = move || {
        loop {
            match signals.wait() {
                Ok(Signal::SIGWINCH) => screen::redraw(),
                Ok(signal) => end(signal),
                Err(_) => return,
            }
        }
    };
    if thread::Builder::new().name("signals".to_owned()).stack_size(256 * 1024).spawn(work).is_err() {
        // Better to end without farewell than not to end.
        let _ = signals.thread_unblock();
    }
}

fn end(signal: Signal) -> ! {
    if let Some(code) = screen::leave() {
        exit(code);
    }
    let output = current_output();
    let report = Report::single(State::Unknown, "interrupted", format!("interrupted by {}", signal.as_str()));
    exit(answer(&output, &render_single(&report, &output), State::Unknown));
}
