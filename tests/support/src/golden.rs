//! Whole output compared with a file that is kept beside the tests.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

/// Set to `1`, golden files are written instead of compared.
pub const UPDATE: &str = "UPDATE_GOLDEN";

type Mask = Box<dyn Fn(String) -> String>;

/// A golden file and what is masked in the output before it is compared.
pub struct Golden {
    path: PathBuf,
    masks: Vec<Mask>,
}

/// Compares `actual` with the file `path`, as it stands.
#[track_caller]
pub fn assert_golden(path: impl AsRef<Path>, actual: &str) {
    Golden::new(path).assert(actual);
}

impl Golden {
    /// The golden file `path`.
    pub fn new(path: impl AsRef<Path>) -> Self {
        Self { path: path.as_ref().to_owned(), masks: Vec::new() }
    }

    /// With every `from` read as `to`: a temporary directory as `{tmp}`, say.
    #[must_use]
    pub fn replace(self, from: impl Into<String>, to: impl Into<String>) -> Self {
        let (from, to) = (from.into(), to.into());
        self.mask(move |text| text.replace(&from, &to))
    }

    /// With `mask` applied, after those given before: [`timings`], say.
    #[must_use]
    pub fn mask(mut self, mask: impl Fn(String) -> String + 'static) -> Self {
        self.masks.push(Box::new(mask));
        self
    }

    /// Compares `actual`, masked, with the file, or writes it there if `UPDATE_GOLDEN=1`.
    #[track_caller]
    pub fn assert(&self, actual: &str) {
        let actual = self.masks.iter().fold(actual.to_owned(), |text, mask| mask(text));
        if std::env::var_os(UPDATE).is_some_and(|value| value == "1") {
            if let Some(directory) = self.path.parent() {
                std::fs::create_dir_all(directory).expect("a directory for the golden file");
            }
            std::fs::write(&self.path, actual).expect("a golden file to write");
            return;
        }
        if let Some(fault) = self.fault(&actual) {
            panic!("{fault}");
        }
    }

    fn fault(&self, actual: &str) -> Option<String> {
        let path = self.path.display();
        match std::fs::read_to_string(&self.path) {
            Ok(expected) if expected == actual => None,
            Ok(expected) => Some(format!(
                "the output is not that of {path} (- golden, + actual); {UPDATE}=1 takes the new one:\n{}",
                diff(&expected, actual)
            )),
            Err(error) => Some(format!("cannot read {path} ({error}); {UPDATE}=1 writes it:\n{actual}")),
        }
    }
}

/// Reads every duration in `text` (`12ms`, `0.4ms`, `1.2s`) as `{time}`.
pub fn timings(text: impl AsRef<str>) -> String {
    let mut masked = String::new();
    let mut rest = text.as_ref();
    while let Some(start) = rest.find(|c: char| c.is_ascii_digit()) {
        let (before, from) = rest.split_at(start);
        let digits = from.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(from.len());
        let (number, tail) = from.split_at(digits);
        let unit = ["ms", "s"].into_iter().find(|unit| {
            tail.strip_prefix(unit).is_some_and(|after| !after.starts_with(|c: char| c.is_alphanumeric() || c == '_'))
        });
        let inside_a_word = before.ends_with(|c: char| c.is_alphanumeric() || c == '_')
            || (before.is_empty() && masked.ends_with(|c: char| c.is_alphanumeric() || c == '_'));
        masked.push_str(before);
        rest = match unit {
            Some(unit) if !inside_a_word => {
                masked.push_str("{time}");
                &tail[unit.len()..]
            }
            _ => {
                masked.push_str(number);
                tail
            }
        };
    }
    masked + rest
}

/// The lines of `old` and `new` that differ, as `-` and `+`, with two lines of context.
pub fn diff(old: &str, new: &str) -> String {
    const CONTEXT: usize = 2;
    let (old, new): (Vec<&str>, Vec<&str>) = (lines(old), lines(new));
    let same_start = old.iter().zip(&new).take_while(|(a, b)| a == b).count();
    let same_end =
        old[same_start..].iter().rev().zip(new[same_start..].iter().rev()).take_while(|(a, b)| a == b).count();
    let mut text = String::new();
    let shown_from = same_start.saturating_sub(CONTEXT);
    if shown_from > 0 {
        let _ = writeln!(text, "  ({shown_from} equal lines)");
    }
    let mut say = |mark: char, line: &str| {
        let end = if line.ends_with('\n') { "" } else { "(no line break at the end)\n" };
        let _ = write!(text, "{mark} {line}{end}");
    };
    old[shown_from..same_start].iter().for_each(|line| say(' ', line));
    for (mark, line) in changes(&old[same_start..old.len() - same_end], &new[same_start..new.len() - same_end]) {
        say(mark, line);
    }
    let after = &old[old.len() - same_end..];
    after.iter().take(CONTEXT).for_each(|line| say(' ', line));
    if after.len() > CONTEXT {
        let _ = writeln!(text, "  ({} equal lines)", after.len() - CONTEXT);
    }
    text
}

fn lines(text: &str) -> Vec<&str> {
    text.split_inclusive('\n').collect()
}

/// What turns `old` into `new`, by their longest common subsequence.
fn changes<'a>(old: &[&'a str], new: &[&'a str]) -> Vec<(char, &'a str)> {
    // The table is quadratic; beyond this nobody reads the difference line by line.
    const MAX_CELLS: usize = 4_000_000;
    if old.len().saturating_mul(new.len()) > MAX_CELLS {
        return old.iter().map(|line| ('-', *line)).chain(new.iter().map(|line| ('+', *line))).collect();
    }
    let mut common = vec![vec![0u32; new.len() + 1]; old.len() + 1];
    for i in (0..old.len()).rev() {
        for j in (0..new.len()).rev() {
            common[i][j] =
                if old[i] == new[j] { common[i + 1][j + 1] + 1 } else { common[i + 1][j].max(common[i][j + 1]) };
        }
    }
    let (mut i, mut j) = (0, 0);
    let mut changes = Vec::new();
    while i < old.len() || j < new.len() {
        if i < old.len() && j < new.len() && old[i] == new[j] {
            changes.push((' ', old[i]));
            (i, j) = (i + 1, j + 1);
        } else if j == new.len() || (i < old.len() && common[i + 1][j] >= common[i][j + 1]) {
            changes.push(('-', old[i]));
            i += 1;
        } else {
            changes.push(('+', new[j]));
            j += 1;
        }
    }
    changes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn masked_output_is_compared() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("golden.txt");
        std::fs::write(&path, "in {tmp} after {time}\n").unwrap();
        let golden = Golden::new(&path).replace("/tmp/xyz", "{tmp}").mask(timings);
        golden.assert("in /tmp/xyz after 12.5ms\n");
        assert_eq!(golden.fault("in {tmp} after {time}\n"), None);
    }

    #[test]
    fn a_difference_is_shown_with_its_remedy() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("golden.txt");
        std::fs::write(&path, "a\nb\n").unwrap();
        let fault = Golden::new(&path).fault("a\nc\n").unwrap();
        assert!(fault.contains("UPDATE_GOLDEN=1") && fault.ends_with("  a\n- b\n+ c\n"), "{fault}");
        let fault = Golden::new(dir.path().join("none")).fault("x").unwrap();
        assert!(fault.contains("UPDATE_GOLDEN=1 writes it:\nx"), "{fault}");
    }

    #[test]
    fn a_diff_shows_what_changed_and_little_else() {
        let old = "1\n2\n3\n4\n5\n6\n7\n8\n9\n";
        let new = "1\n2\n3\n4\n5\nsix\n7\nextra\n8\n9\n";
        assert_eq!(diff(old, new), "  (3 equal lines)\n  4\n  5\n- 6\n+ six\n  7\n+ extra\n  8\n  9\n");
        assert_eq!(diff("a", "a\n"), "- a(no line break at the end)\n+ a\n");
    }

    #[test]
    fn only_durations_are_timings() {
        assert_eq!(
            timings("read /proc: 0.4ms, 12s; load5 1.5 5services 250msx md5s 7"),
            "read /proc: {time}, {time}; load5 1.5 5services 250msx md5s 7"
        );
    }
}
