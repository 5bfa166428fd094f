//! A directory tree written as one readable file, for fixtures of `/proc` and `/sys`.
//!
//! ```text
//! Text before the first header is a comment. These trees are put below this one:
//! #include healthy.tree
//! -- proc/loadavg --
//! 9.10 8.00 4.20 12/233 4711
//! -- proc/42/cmdline (escaped) --
//! postgres\0-D\0/var/lib\0
//! -- proc/self -> 42 --
//! -- sys/class/net/ --
//! -- proc/42/fd/ (900 entries) --
//! -- proc/pressure !missing --
//! ```
//!
//! - A file's content is every line up to the next header.
//! - `(escaped)` reads `\0 \n \t \\ \xNN` in it, and adds no line break at its end.
//! - `->` makes a symbolic link, a `/` at the end an empty directory, and `(N entries)` one that holds
//!   the empty files `0` to `N-1`.
//! - `!missing` removes the path and what is below it.
//!
//! A later entry takes the place of an earlier one of the same path, so a scenario says only what is different.

use std::collections::BTreeMap;
use std::path::{Component, Path};

use tempfile::TempDir;

const INCLUDE: &str = "#include ";

/// A tree in memory.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tree {
    entries: BTreeMap<String, Entry>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Entry {
    File(Vec<u8>),
    Link(String),
    Directory,
    Numbered(usize),
}

impl Tree {
    /// An empty tree.
    pub fn new() -> Self {
        Self::default()
    }

    /// The tree that the file `path` describes.
    #[track_caller]
    pub fn load(path: impl AsRef<Path>) -> Self {
        let path = path.as_ref();
        let text =
            std::fs::read_to_string(path).unwrap_or_else(|error| panic!("cannot read {}: {error}", path.display()));
        match Self::parse(&text, path.parent().unwrap_or(Path::new("."))) {
            Ok(tree) => tree,
            Err(reason) => panic!("{}: {reason}", path.display()),
        }
    }

    /// The tree that `text` describes; what it includes is looked for in `directory`.
    pub fn parse(text: &str, directory: &Path) -> Result<Self, String> {
        let mut tree = Self::new();
        let mut header: Option<&str> = None;
        let mut content = String::new();
        for line in text.split_inclusive('\n') {
            if let Some(next) = as_header(line) {
                if let Some(header) = header.replace(next) {
                    tree.add(header, &content)?;
                }
                content.clear();
            } else if header.is_some() {
                content.push_str(line);
            } else if let Some(name) = line.strip_prefix(INCLUDE) {
                tree = tree.over(Self::load(directory.join(name.trim())));
            }
        }
        if let Some(header) = header {
            tree.add(header, &content)?;
        }
        Ok(tree)
    }

    /// This tree with a file.
    #[must_use]
    pub fn file(mut self, path: &str, content: impl AsRef<[u8]>) -> Self {
        self.put(path, Entry::File(content.as_ref().to_vec())).unwrap_or_else(|reason| panic!("{reason}"));
        self
    }

    /// This tree with a symbolic link.
    #[must_use]
    pub fn link(mut self, path: &str, target: &str) -> Self {
        self.put(path, Entry::Link(target.to_owned())).unwrap_or_else(|reason| panic!("{reason}"));
        self
    }

    /// This tree with an empty directory.
    #[must_use]
    pub fn directory(mut self, path: &str) -> Self {
        self.put(path, Entry::Directory).unwrap_or_else(|reason| panic!("{reason}"));
        self
    }

    /// This tree with a directory that holds the empty files `0` to `count - 1`.
    #[must_use]
    pub fn numbered(mut self, path: &str, count: usize) -> Self {
        self.put(path, Entry::Numbered(count)).unwrap_or_else(|reason| panic!("{reason}"));
        self
    }

    /// This tree without `path` and what is below it.
    #[must_use]
    pub fn without(mut self, path: &str) -> Self {
        self.remove(path);
        self
    }

    /// `upper` laid over this tree.
    #[must_use]
    pub fn over(mut self, upper: Self) -> Self {
        for (path, entry) in upper.entries {
            self.put(&path, entry).unwrap_or_else(|reason| panic!("{reason}"));
        }
        self
    }

    /// Writes the tree into a temporary directory.
    #[track_caller]
    pub fn unpack(&self) -> TempDir {
        let directory = tempfile::Builder::new().prefix("tree-").tempdir().expect("a temporary directory");
        self.unpack_into(directory.path());
        directory
    }

    /// Writes the tree into `directory`.
    #[track_caller]
    pub fn unpack_into(&self, directory: &Path) {
        for (path, entry) in &self.entries {
            let full = directory.join(path);
            write(&full, entry).unwrap_or_else(|error| panic!("cannot write {}: {error}", full.display()));
        }
    }

    fn add(&mut self, header: &str, content: &str) -> Result<(), String> {
        let only = |entry: Entry| {
            if content.trim().is_empty() { Ok(entry) } else { Err(format!("-- {header} --: it takes no content")) }
        };
        if let Some(path) = header.strip_suffix(" !missing") {
            only(Entry::Directory)?;
            if !self.remove(path) {
                return Err(format!("-- {header} --: there is nothing to remove"));
            }
            return Ok(());
        }
        if let Some((path, target)) = header.split_once(" -> ") {
            return self.put(path, only(Entry::Link(target.to_owned()))?);
        }
        if let Some(path) = header.strip_suffix('/') {
            return self.put(path, only(Entry::Directory)?);
        }
        if let Some((path, count)) = header.strip_suffix(" entries)").and_then(|rest| rest.split_once("/ (")) {
            let count = count.parse().map_err(|_| format!("-- {header} --: '{count}' is not a count"))?;
            return self.put(path, only(Entry::Numbered(count))?);
        }
        if let Some(path) = header.strip_suffix(" (escaped)") {
            let bytes = unescape(content.strip_suffix('\n').unwrap_or(content))
                .map_err(|reason| format!("-- {header} --: {reason}"))?;
            return self.put(path, Entry::File(bytes));
        }
        if header.contains(' ') {
            return Err(format!("-- {header} --: is neither a path nor a known form"));
        }
        self.put(header, Entry::File(content.as_bytes().to_vec()))
    }

    /// Puts `entry` at `path` in place of what was there and below.
    fn put(&mut self, path: &str, entry: Entry) -> Result<(), String> {
        let inside = Path::new(path).components().all(|component| matches!(component, Component::Normal(_)));
        if path.is_empty() || !inside {
            return Err(format!("'{path}' does not stay inside the tree"));
        }
        for (end, _) in path.match_indices('/') {
            let parent = &path[..end];
            match self.entries.get(parent) {
                Some(Entry::Directory) | None => {}
                Some(Entry::Numbered(_)) => return Err(format!("'{parent}' holds only numbered entries")),
                Some(Entry::File(_) | Entry::Link(_)) => return Err(format!("'{parent}' is not a directory")),
            }
        }
        self.remove(path);
        self.entries.insert(path.to_owned(), entry);
        Ok(())
    }

    /// Removes `path` and what is below it. Says whether there was anything.
    fn remove(&mut self, path: &str) -> bool {
        let below = format!("{}/", path.trim_end_matches('/'));
        let before = self.entries.len();
        self.entries.retain(|name, _| *name != below[..below.len() - 1] && !name.starts_with(&below));
        self.entries.len() < before
    }
}

fn as_header(line: &str) -> Option<&str> {
    line.trim_end().strip_prefix("-- ")?.strip_suffix(" --").map(str::trim)
}

fn unescape(text: &str) -> Result<Vec<u8>, String> {
    let mut bytes = Vec::new();
    let mut rest = text.as_bytes();
    while let [first, tail @ ..] = rest {
        rest = tail;
        if *first != b'\\' {
            bytes.push(*first);
            continue;
        }
        let (byte, tail) = match rest {
            [b'0', tail @ ..] => (0, tail),
            [b'n', tail @ ..] => (b'\n', tail),
            [b't', tail @ ..] => (b'\t', tail),
            [b'\\', tail @ ..] => (b'\\', tail),
            [b'x', high, low, tail @ ..] => {
                let digits = String::from_utf8_lossy(&[*high, *low]).into_owned();
                (u8::from_str_radix(&digits, 16).map_err(|_| format!("'\\x{digits}' is not a byte"))?, tail)
            }
            _ => return Err("a '\\' is followed by none of 0 n t \\ xNN".to_owned()),
        };
        bytes.push(byte);
        rest = tail;
    }
    Ok(bytes)
}

fn write(path: &Path, entry: &Entry) -> std::io::Result<()> {
    if let Some(parent) = path.parent() {
        std::fs::create_dir_all(parent)?;
    }
    match entry {
        Entry::File(content) => std::fs::write(path, content),
        Entry::Link(target) => std::os::unix::fs::symlink(target, path),
        Entry::Directory => std::fs::create_dir_all(path),
        Entry::Numbered(count) => {
            std::fs::create_dir_all(path)?;
            (0..*count).try_for_each(|number| std::fs::write(path.join(number.to_string()), ""))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(text: &str) -> Tree {
        Tree::parse(text, Path::new("/nonexistent")).unwrap()
    }

    fn refusal(text: &str) -> String {
        Tree::parse(text, Path::new("/nonexistent")).unwrap_err()
    }

    #[test]
    fn a_tree_is_unpacked_as_written() {
        let text = "A comment.\n-- proc/loadavg --\n0.1 0.2\n\nlast\n-- proc/1/cmdline (escaped) --\na\\0b\\x7f\\\\\n\
                    -- proc/self -> 1 --\n-- sys/ --\n-- proc/1/fd/ (3 entries) --\n-- empty --\n-- name with space (escaped) --\n";
        let dir = parsed(text).unpack();
        let read = |path: &str| std::fs::read(dir.path().join(path)).unwrap();
        assert_eq!(read("proc/loadavg"), b"0.1 0.2\n\nlast\n");
        assert_eq!(read("proc/1/cmdline"), b"a\0b\x7f\\");
        assert_eq!(read("proc/self/cmdline"), b"a\0b\x7f\\");
        assert_eq!(read("empty"), b"");
        assert!(std::fs::read_dir(dir.path().join("sys")).unwrap().next().is_none());
        let mut numbers: Vec<_> = std::fs::read_dir(dir.path().join("proc/1/fd"))
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        numbers.sort();
        assert_eq!(numbers, ["0", "1", "2"]);
    }

    #[test]
    fn a_scenario_says_what_is_different_from_its_base() {
        let dir = tempfile::tempdir().unwrap();
        let base = "-- proc/a --\nbase\n-- proc/b --\nbase\n-- proc/pressure/cpu --\nx\n-- proc/1/fd/ (9 entries) --\n";
        std::fs::write(dir.path().join("base.tree"), base).unwrap();
        let scenario =
            "#include base.tree\n-- proc/b --\nown\n-- proc/pressure !missing --\n-- proc/1/fd/ (2 entries) --\n";
        std::fs::write(dir.path().join("scenario.tree"), scenario).unwrap();
        let expected = Tree::new().file("proc/a", "base\n").file("proc/b", "own\n").numbered("proc/1/fd", 2);
        assert_eq!(Tree::load(dir.path().join("scenario.tree")), expected);
    }

    #[test]
    fn trees_are_built_by_code_too() {
        let tree = Tree::new().file("a/b", "x").directory("c").link("l", "a/b").over(Tree::new().file("a/b", "y"));
        assert_eq!(tree.without("c"), parsed("-- a/b (escaped) --\ny\n-- l -> a/b --\n"));
    }

    #[test]
    fn what_makes_no_sense_is_refused() {
        assert!(refusal("-- ../x --\n").contains("does not stay inside"));
        assert!(refusal("-- /x --\n").contains("does not stay inside"));
        assert!(refusal("-- x !missing --\n").contains("nothing to remove"));
        assert!(refusal("-- x -> y --\ncontent\n").contains("takes no content"));
        assert!(refusal("-- x/ (many entries) --\n").contains("not a count"));
        assert!(refusal("-- x (unknown) --\n").contains("known form"));
        assert!(refusal("-- x --\n-- x/y --\n").contains("is not a directory"));
        assert!(refusal("-- x (escaped) --\n\\q\n").contains("followed by none of"));
    }
}
