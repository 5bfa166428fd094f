//! How it looks: 80 columns, plain where no terminal reads it.

use std::io::{self, Write};

use crate::suite::Outcome;

/// No line is longer, unless a word is.
const WIDTH: usize = 80;

/// A colour or weight of the terminal, by its code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Style {
    Bold = 1,
    Dim = 2,
    Red = 31,
    Green = 32,
    Yellow = 33,
    Magenta = 35,
}

/// Where everything is shown.
pub struct Screen<W> {
    out: W,
    is_coloured: bool,
}

impl<W: Write> Screen<W> {
    /// A screen that may have colours.
    pub fn new(out: W, is_coloured: bool) -> Self {
        Self { out, is_coloured }
    }

    /// What it has been written to.
    pub fn into_inner(self) -> W {
        self.out
    }

    /// Lets it be seen.
    pub fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }

    /// An empty line.
    pub fn gap(&mut self) -> io::Result<()> {
        writeln!(self.out)
    }

    /// Begins a part.
    pub fn heading(&mut self, text: &str) -> io::Result<()> {
        self.gap()?;
        self.lines(&format!("== {text}"), 3, Some(Style::Bold))
    }

    /// Something to read.
    pub fn say(&mut self, text: &str) -> io::Result<()> {
        self.lines(text, 0, None)
    }

    /// A name and what it is.
    pub fn row(&mut self, name: &str, text: &str) -> io::Result<()> {
        writeln!(self.out, "{name:16}{text}")
    }

    /// A command that can be copied.
    pub fn command(&mut self, program: &str, arguments: &[String]) -> io::Result<()> {
        let mut line = format!("$ {program}");
        for part in with_values(arguments) {
            if line.len() + 1 + part.len() + 2 > WIDTH {
                self.styled(&format!("{line} \\"), Some(Style::Bold))?;
                line = format!("    {part}");
            } else {
                line = format!("{line} {part}");
            }
        }
        self.styled(&line, Some(Style::Bold))
    }

    /// All that a plugin has printed; of its figures only how many there are.
    pub fn outcome(&mut self, outcome: &Outcome) -> io::Result<()> {
        let mut lines = outcome.text.lines();
        let (headline, figures) = parts(lines.next().unwrap_or_default());
        self.lines(headline, 2, Some(of_state(outcome.code)))?;
        for line in lines {
            let indent = line.len() - line.trim_start().len();
            self.lines(line, indent + 3, of_item(line))?;
        }
        let (code, took) = (outcome.code, outcome.elapsed.as_millis());
        self.lines(&format!("[exit code {code}, {}, {took} ms]", counted(figures)), 1, Some(Style::Dim))
    }

    /// The first line of what a plugin has printed, without its figures.
    pub fn headline(&mut self, outcome: &Outcome) -> io::Result<()> {
        let (headline, _) = parts(outcome.text.lines().next().unwrap_or_default());
        self.lines(headline, 2, Some(of_state(outcome.code)))
    }

    /// `text` in lines, all but the first indented.
    fn lines(&mut self, text: &str, indent: usize, style: Option<Style>) -> io::Result<()> {
        for line in wrapped(text, indent) {
            self.styled(&line, style)?;
        }
        Ok(())
    }

    fn styled(&mut self, line: &str, style: Option<Style>) -> io::Result<()> {
        match style.filter(|_| self.is_coloured) {
            Some(style) => writeln!(self.out, "\x1b[{}m{line}\x1b[0m", style as u8),
            None => writeln!(self.out, "{line}"),
        }
    }
}

/// The arguments, each option with its value, which are to stay together.
fn with_values(arguments: &[String]) -> Vec<String> {
    let mut parts: Vec<String> = Vec::new();
    for argument in arguments {
        match parts.last_mut() {
            Some(option) if option.starts_with('-') && !option.contains(' ') && !argument.starts_with('-') => {
                *option = format!("{option} {argument}");
            }
            _ => parts.push(argument.clone()),
        }
    }
    parts
}

/// The text and the figures of a plugin's first line.
fn parts(line: &str) -> (&str, &str) {
    line.split_once(" | ").unwrap_or((line, ""))
}

fn counted(figures: &str) -> String {
    match figures.split_whitespace().count() {
        1 => "1 figure".to_owned(),
        count => format!("{count} figures"),
    }
}

fn of_state(code: i32) -> Style {
    match code {
        0 => Style::Green,
        1 => Style::Yellow,
        2 => Style::Red,
        _ => Style::Magenta,
    }
}

/// What is not OK stands out.
fn of_item(line: &str) -> Option<Style> {
    let word = line.trim_start().strip_prefix("\\_ [")?.split(']').next()?;
    let code = ["OK", "WARNING", "CRITICAL", "UNKNOWN"].iter().zip(0..).find(|(state, _)| **state == word)?.1;
    (code != 0).then(|| of_state(code))
}

/// `text` in lines of at most [`WIDTH`] columns. Its own indentation stays; further lines are indented by `indent`.
fn wrapped(text: &str, indent: usize) -> Vec<String> {
    let own = text.len() - text.trim_start().len();
    let mut lines = Vec::new();
    let mut line = " ".repeat(own);
    let mut is_empty = true;
    for word in text.split_whitespace() {
        if !is_empty && line.chars().count() + 1 + word.chars().count() > WIDTH {
            lines.push(line);
            line = " ".repeat(indent);
            is_empty = true;
        }
        if !is_empty {
            line.push(' ');
        }
        line.push_str(word);
        is_empty = false;
    }
    lines.push(line);
    lines
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    fn shown(show: impl FnOnce(&mut Screen<Vec<u8>>) -> io::Result<()>, is_coloured: bool) -> String {
        let mut screen = Screen::new(Vec::new(), is_coloured);
        show(&mut screen).unwrap();
        String::from_utf8(screen.into_inner()).unwrap()
    }

    fn outcome(text: &str) -> Outcome {
        Outcome { text: text.to_owned(), code: 2, elapsed: Duration::from_millis(7) }
    }

    #[test]
    fn lines_are_folded_at_80_columns() {
        let words = "word ".repeat(30);
        let lines = wrapped(&format!("  {words}"), 5);
        assert_eq!(lines.len(), 2);
        assert!(lines[0].starts_with("  word") && lines[0].len() <= WIDTH, "{lines:?}");
        assert!(lines[1].starts_with("     word"), "{lines:?}");
        assert_eq!(wrapped(&"x".repeat(100), 2), ["x".repeat(100)]);
        assert_eq!(wrapped("", 2), [""]);
    }

    #[test]
    fn a_command_is_folded_so_that_it_can_be_copied() {
        let arguments: Vec<String> =
            (0..12).flat_map(|number| [format!("--option-{number}"), "value".to_owned()]).collect();
        let text = shown(|screen| screen.command("check_x", &arguments), false);
        assert!(text.lines().all(|line| line.len() <= WIDTH && !line.starts_with("    value")), "{text}");
        assert_eq!(text.replace(" \\\n   ", ""), format!("$ check_x {}\n", arguments.join(" ")));
    }

    #[test]
    fn figures_are_counted_and_not_shown() {
        let outcome = outcome("X CRITICAL - down | up=0 time=3s;1;2\n\\_ [CRITICAL] x: down\n     -> look\n");
        let text = "X CRITICAL - down\n\\_ [CRITICAL] x: down\n     -> look\n[exit code 2, 2 figures, 7 ms]\n";
        assert_eq!(shown(|screen| screen.outcome(&outcome), false), text);
        assert_eq!(shown(|screen| screen.headline(&outcome), false), "X CRITICAL - down\n");
    }

    #[test]
    fn colours_are_for_terminals() {
        let outcome = outcome("X CRITICAL - down\n\\_ [OK] a: fine\n  \\_ [WARNING] b: near\n");
        let headline = "\x1b[31mX CRITICAL - down\x1b[0m\n";
        assert_eq!(shown(|screen| screen.headline(&outcome), true), headline);
        let items = "\\_ [OK] a: fine\n\x1b[33m  \\_ [WARNING] b: near\x1b[0m\n";
        let end = "\x1b[2m[exit code 2, 0 figures, 7 ms]\x1b[0m\n";
        assert_eq!(shown(|screen| screen.outcome(&outcome), true), format!("{headline}{items}{end}"));
    }
}
