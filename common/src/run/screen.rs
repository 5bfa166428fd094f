//! The terminal that shows the same check again and again.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

use crate::deadline::Deadline;
use crate::state::State;
use crate::terminal;

/// A round that is done by then shows no progress.
const PATIENCE: Duration = Duration::from_millis(400);
/// Time between two looks at the progress.
const PACE: Duration = Duration::from_millis(200);

/// What is shown, while the terminal shows it.
static SCREEN: Mutex<Option<Screen>> = Mutex::new(None);

struct Screen {
    text: String,
    footer: String,
    exit_code: u8,
}

fn screen() -> MutexGuard<'static, Option<Screen>> {
    SCREEN.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Takes the whole terminal.
pub(super) fn open() {
    let mut screen = screen();
    super::write(terminal::OPEN_SCREEN);
    let exit_code = State::Unknown.exit_code();
    *screen = Some(Screen { text: String::new(), footer: String::new(), exit_code });
}

/// Shows `text`, the answer with `exit_code`, as long as nothing newer is known.
pub(super) fn show(text: &str, exit_code: u8, every: Duration) {
    if let Some(screen) = screen().as_mut() {
        *screen = Screen { text: text.to_owned(), footer: terminal::footer(every), exit_code };
        draw(screen);
    }
}

/// Shows the same again, in the size that the terminal has now.
pub(super) fn redraw() {
    if let Some(screen) = screen().as_ref() {
        draw(screen);
    }
}

fn draw(screen: &Screen) {
    super::write(&terminal::frame(&screen.text, &screen.footer, terminal::size()));
}

/// What `work` returns, while the last row tells what it waits for.
pub(super) fn with_progress<T>(deadline: &Deadline, work: impl FnOnce() -> T) -> T {
    thread::scope(|scope| {
        let (done, is_done) = std::sync::mpsc::channel::<()>();
        let tell = move || {
            let mut time = PATIENCE;
            // The other end is dropped when the work is done.
            while is_done.recv_timeout(time) == Err(std::sync::mpsc::RecvTimeoutError::Timeout) {
                if let Some(screen) = screen().as_mut() {
                    screen.footer = terminal::progress(deadline);
                    super::write(&terminal::bottom(&screen.footer, terminal::size()));
                }
                time = PACE;
            }
        };
        let _ = thread::Builder::new().stack_size(256 * 1024).spawn_scoped(scope, tell);
        let result = work();
        drop(done);
        result
    })
}

/// What gives the terminal back, if it was taken.
pub(super) fn close() -> &'static str {
    if screen().take().is_some() { terminal::CLOSE_SCREEN } else { "" }
}

/// Gives the terminal back with what it showed last, and returns the exit code of that; `None` if it was not taken.
pub(super) fn leave() -> Option<u8> {
    let last = screen().take()?;
    super::write(&format!("{}{}", terminal::CLOSE_SCREEN, last.text));
    Some(last.exit_code)
}
