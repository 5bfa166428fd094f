//! A line on the terminal that tells what a slow run waits for. It is gone before the answer comes.

use std::sync::atomic::Ordering;
use std::sync::{Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use crate::deadline::Deadline;
use crate::terminal;

/// A run that is done by then shows nothing.
const PATIENCE: Duration = Duration::from_millis(500);
/// Time between two lines.
const PACE: Duration = Duration::from_millis(200);

/// Whether a line stands there. Held while it is written, so that none comes after the answer.
static IS_SHOWN: Mutex<bool> = Mutex::new(false);

/// Shows what the run waits for until it has answered.
pub(super) fn show(deadline: Deadline) {
    let work = move || {
        thread::sleep(PATIENCE);
        loop {
            let mut is_shown = IS_SHOWN.lock().unwrap_or_else(PoisonError::into_inner);
            if super::ANSWERED.load(Ordering::Acquire) {
                return;
            }
            let (columns, _) = terminal::size();
            let line = terminal::progress(&deadline);
            super::write(&format!("{}{}", terminal::CLEAR_LINE, terminal::clipped(&line, columns.saturating_sub(1))));
            *is_shown = true;
            drop(is_shown);
            thread::sleep(PACE);
        }
    };
    // Without a thread there is no progress to be seen, and the answer is the same.
    let _ = thread::Builder::new().name("progress".to_owned()).stack_size(256 * 1024).spawn(work);
}

/// What takes the line away, if one stands there. The answer has been claimed before.
pub(super) fn end() -> &'static str {
    let is_shown = IS_SHOWN.lock().unwrap_or_else(PoisonError::into_inner);
    if *is_shown { terminal::CLEAR_LINE } else { "" }
}
