//! What a terminal is sent beside text, and how text is fitted into it. Nothing here writes.

use std::fmt::Write as _;
use std::io::IsTerminal as _;
use std::time::Duration;

use terminal_size::{Height, Width, terminal_size_of};

use crate::deadline::Deadline;
use crate::units;

/// Turns to a screen of its own, without cursor and line wrapping.
pub const OPEN_SCREEN: &str = "\u{1b}[?1049h\u{1b}[?25l\u{1b}[?7l";
/// Undoes [`OPEN_SCREEN`].
pub const CLOSE_SCREEN: &str = "\u{1b}[?7h\u{1b}[?25h\u{1b}[?1049l";
/// Empties the line that the cursor is in.
pub const CLEAR_LINE: &str = "\r\u{1b}[K";
/// Where a terminal does not tell its size.
const USUAL_SIZE: (usize, usize) = (80, 24);

/// Whether standard output is a terminal that takes escape sequences.
pub fn is_capable() -> bool {
    let term = std::env::var_os("TERM").unwrap_or_default();
    std::io::stdout().is_terminal() && !term.is_empty() && term != "dumb"
}

/// Columns and rows of standard output.
pub fn size() -> (usize, usize) {
    match terminal_size_of(std::io::stdout()) {
        Some((Width(columns), Height(rows))) if columns > 0 && rows > 0 => (columns.into(), rows.into()),
        _ => USUAL_SIZE,
    }
}

/// What a run has done and waits for, in a line.
pub fn progress(deadline: &Deadline) -> String {
    let done = deadline.timings().len();
    let elapsed = units::duration(deadline.elapsed().as_secs_f64().floor());
    let done = if done > 0 { format!(", {done} done") } else { String::new() };
    format!("{elapsed}{done}, waiting for {}", deadline.pending())
}

/// `line` in at most `columns` columns. Colours count for nothing and are kept.
pub fn clipped(line: &str, columns: usize) -> String {
    let mut clipped = String::with_capacity(line.len());
    let mut left = columns;
    let mut chars = line.chars();
    while let Some(c) = chars.next() {
        if c == '\u{1b}' {
            clipped.push(c);
            // `[`, parameters, and the letter that ends them.
            clipped.extend(chars.by_ref().take_while(|c| *c != 'm'));
            clipped.push('m');
        } else if left > 0 {
            clipped.push(c);
            left -= 1;
        }
    }
    clipped
}

/// The screen anew: `text` from its top, `footer` in its last row.
pub fn frame(text: &str, footer: &str, (columns, rows): (usize, usize)) -> String {
    let room = rows.saturating_sub(2).max(1);
    let lines: Vec<&str> = text.lines().collect();
    let shown = if lines.len() > room { room - 1 } else { lines.len() };
    let mut frame = "\u{1b}[H".to_owned();
    for line in lines.iter().take(shown) {
        let _ = write!(frame, "{}\u{1b}[K\r\n", clipped(line, columns));
    }
    if shown < lines.len() {
        let more = format!("... {} more lines, for which the terminal is too small", lines.len() - shown);
        let _ = write!(frame, "{}\u{1b}[K\r\n", clipped(&more, columns));
    }
    frame.push_str("\u{1b}[J");
    frame.push_str(&bottom(footer, (columns, rows)));
    frame
}

/// The last row anew.
pub fn bottom(footer: &str, (columns, rows): (usize, usize)) -> String {
    format!("\u{1b}[{rows};1H{}\u{1b}[K", clipped(footer, columns))
}

/// What stands below what is watched.
pub fn footer(every: Duration) -> String {
    format!("every {}; ctrl-C ends", units::duration(every.as_secs_f64()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_clipped_and_keep_their_colours() {
        assert_eq!(clipped("abcdef", 4), "abcd");
        assert_eq!(clipped("[\u{1b}[31mCRITICAL\u{1b}[0m] x", 5), "[\u{1b}[31mCRIT\u{1b}[0m");
        assert_eq!(clipped("äöü", 2), "äö");
    }

    #[test]
    fn a_frame_fits_its_terminal() {
        let rows = |frame: &str| frame.matches("\r\n").count();
        let whole = frame("a\nb\nc", "foot", (80, 24));
        assert_eq!(rows(&whole), 3);
        assert!(whole.ends_with("\u{1b}[24;1Hfoot\u{1b}[K"));
        let cut = frame("a\nb\nc\nd", "foot", (80, 5));
        assert_eq!(rows(&cut), 3);
        assert!(cut.contains("... 2 more lines") && !cut.contains("c\u{1b}[K"));
        assert!(rows(&frame("a\nb", "foot", (1, 1))) <= 1);
    }

    #[test]
    fn progress_tells_what_is_waited_for() {
        let deadline = Deadline::after(Duration::from_mins(1));
        let step = deadline.step("host");
        assert_eq!(progress(&deadline), "0s, waiting for host");
        drop(step);
        assert_eq!(progress(&deadline), "0s, 1 done, waiting for its own work");
    }
}
