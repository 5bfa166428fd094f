//! The file that lists the checks.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::time::Duration;

use common::units::parse_duration;
use serde::Deserialize;
use toml::Spanned;

/// A list that is longer is a mistake.
const MAX_CHECKS: usize = 64;
/// Longest name of a check: it stands before each of its figures.
const MAX_NAME: usize = 32;
/// Options that `check_backend` gives to the plugins itself, and what to write instead.
const OWN_OPTIONS: [(&str, &str); 5] = [
    ("-t", "write timeout = \"5s\" instead"),
    ("--timeout", "write timeout = \"5s\" instead"),
    ("--format", "check_backend reads the plugin's JSON"),
    ("--exit-zero", "check_backend compares the exit code with the report"),
    ("--list-metrics", "run the plugin by hand for that"),
];

/// One check.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Check {
    /// How it is called.
    pub name: String,
    /// The plugin: its name, or an absolute path.
    pub plugin: String,
    /// The plugin's arguments.
    pub arguments: Vec<String>,
    /// The plugin's time, where it is not that of the run.
    pub timeout: Option<Duration>,
    /// What explains what is not OK here.
    pub parent: Option<Parent>,
}

impl Check {
    /// The plugin's name, `check_x`.
    pub fn kind(&self) -> &str {
        self.plugin.rsplit('/').next().unwrap_or_default()
    }
}

/// A check, or an item of one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Parent {
    /// The check's name.
    pub check: String,
    /// The item's label; the whole check without one.
    pub item: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    #[serde(default)]
    check: Vec<Entry>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Entry {
    name: Spanned<String>,
    plugin: Spanned<String>,
    #[serde(default)]
    arguments: Vec<Spanned<String>>,
    timeout: Option<Spanned<String>>,
    parent: Option<Spanned<String>>,
}

/// The checks in `text`. The error tells line and column.
pub fn parse(text: &str) -> Result<Vec<Check>, String> {
    let file: File = toml::from_str(text).map_err(|error| {
        let message = error.message().replace('\n', ", ");
        error.span().map_or_else(|| message.clone(), |span| at(text, span.start, &message))
    })?;
    if file.check.is_empty() {
        return Err("it lists no check: write [[check]], name and plugin".to_owned());
    }
    if file.check.len() > MAX_CHECKS {
        return Err(format!("it lists more than {MAX_CHECKS} checks"));
    }
    let checks = file.check.iter().map(|entry| check(text, entry)).collect::<Result<Vec<_>, _>>()?;
    let mut names = BTreeSet::new();
    for (entry, check) in file.check.iter().zip(&checks) {
        if !names.insert(check.name.as_str()) {
            return Err(at(text, entry.name.span().start, &format!("a second check is called '{}'", check.name)));
        }
    }
    for (entry, check) in file.check.iter().zip(&checks) {
        if let (Some(parent), Some(written)) = (&check.parent, &entry.parent) {
            let fault = |reason: String| at(text, written.span().start, &reason);
            if !names.contains(parent.check.as_str()) {
                return Err(fault(format!("no check is called '{}'", parent.check)));
            }
            if is_own_ancestor(check, &checks) {
                return Err(fault(format!("'{}' would explain itself", check.name)));
            }
        }
    }
    Ok(checks)
}

/// Checks one entry by itself.
fn check(text: &str, entry: &Entry) -> Result<Check, String> {
    let name = entry.name.get_ref();
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
    if name.is_empty() || name.len() > MAX_NAME || !name.chars().all(is_plain) {
        let reason =
            format!("a name is 1 to {MAX_NAME} letters, digits, '-', '_' and '.', as it stands before figures");
        return Err(at(text, entry.name.span().start, &reason));
    }
    let plugin = entry.plugin.get_ref();
    plugin_fault(plugin).map_or(Ok(()), |reason| Err(at(text, entry.plugin.span().start, reason)))?;
    for argument in &entry.arguments {
        let word = argument.get_ref();
        let named = |(option, _): &&(&str, &str)| word.split('=').next() == Some(*option);
        if let Some((option, instead)) = OWN_OPTIONS.iter().find(named) {
            return Err(at(text, argument.span().start, &format!("{option} is not for here: {instead}")));
        }
        if word.contains('\0') {
            return Err(at(text, argument.span().start, "an argument cannot hold a NUL character"));
        }
    }
    let timeout = match &entry.timeout {
        Some(timeout) => {
            Some(parse_duration(timeout.get_ref()).map_err(|reason| at(text, timeout.span().start, &reason))?)
        }
        None => None,
    };
    let parent = entry.parent.as_ref().map(|parent| match parent.get_ref().split_once(':') {
        Some((check, item)) => Parent { check: check.to_owned(), item: Some(item.to_owned()) },
        None => Parent { check: parent.get_ref().clone(), item: None },
    });
    let arguments = entry.arguments.iter().map(|argument| argument.get_ref().clone()).collect();
    Ok(Check { name: name.clone(), plugin: plugin.clone(), arguments, timeout, parent })
}

/// What is wrong with the name of a plugin.
fn plugin_fault(plugin: &str) -> Option<&'static str> {
    let name = Path::new(plugin).file_name().and_then(|name| name.to_str()).unwrap_or_default();
    if name.is_empty() || plugin.contains('\0') || plugin.ends_with('/') {
        Some("a plugin is a name, as check_postgres, or an absolute path")
    } else if plugin.contains('/') && !plugin.starts_with('/') {
        Some("a path is absolute, or else the directory that it starts in decides what is run")
    } else if name == "check_backend" {
        Some("check_backend does not run itself")
    } else {
        None
    }
}

/// Whether the parents of `check` lead back to it.
fn is_own_ancestor(check: &Check, checks: &[Check]) -> bool {
    let parents: BTreeMap<&str, &str> =
        checks.iter().filter_map(|check| Some((check.name.as_str(), check.parent.as_ref()?.check.as_str()))).collect();
    let mut name = check.name.as_str();
    for _ in checks {
        match parents.get(name) {
            Some(parent) if *parent == check.name => return true,
            Some(parent) => name = parent,
            None => return false,
        }
    }
    false
}

/// `reason` with the line and column of byte `offset` before it.
fn at(text: &str, offset: usize, reason: &str) -> String {
    let before = text.get(..offset).unwrap_or(text);
    let line = before.matches('\n').count() + 1;
    let column = before.rsplit('\n').next().unwrap_or_default().chars().count() + 1;
    format!("line {line}, column {column}: {reason}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const WHOLE: &str = "
[[check]]
name = 'containers'
plugin = \"check_containers\"

[[check]]
name = 'database'
plugin = '/opt/x/check_postgres'
arguments = ['-H', '127.0.0.1'] # where
timeout = '1m 30s'
parent = 'containers:postgres'
";

    #[test]
    fn checks_are_read() {
        let checks = parse(WHOLE).unwrap();
        assert_eq!((checks[0].name.as_str(), checks[0].arguments.len(), &checks[0].parent), ("containers", 0, &None));
        let database = &checks[1];
        assert_eq!((database.kind(), database.timeout), ("check_postgres", Some(Duration::from_secs(90))));
        assert_eq!(database.arguments, ["-H", "127.0.0.1"]);
        let parent = Parent { check: "containers".to_owned(), item: Some("postgres".to_owned()) };
        assert_eq!(database.parent, Some(parent));
    }

    #[test]
    fn faults_tell_where_they_are() {
        let one = "[[check]]\nname = 'a'\nplugin = 'check_x'\n";
        let with = |line: &str| format!("{one}{line}\n");
        for (text, reason) in [
            (String::new(), "it lists no check"),
            ("check = 5".to_owned(), "line 1, column 9: "),
            ("[[check]\n".to_owned(), "line 1, column "),
            ("[[check]]\nname = 'a'\n".to_owned(), "missing field `plugin`"),
            (with("colour = 1"), "line 4, column 1: unknown field `colour`"),
            (with("name = 'b'"), "line 4, column 1: duplicate key"),
            (with("arguments = 'x'"), "line 4, column 13: "),
            (
                with("arguments = ['-H', '--timeout=5']"),
                "line 4, column 20: --timeout is not for here: write timeout =",
            ),
            (with("arguments = ['--format', 'json']"), "--format is not for here"),
            (with("arguments = [\"a\\u0000b\"]"), "NUL"),
            (with("timeout = '5 parsec'"), "line 4, column 11: "),
            (with("timeout = '0'"), "above zero"),
            (with("parent = 'b'"), "line 4, column 10: no check is called 'b'"),
            (with("parent = 'a:x'"), "'a' would explain itself"),
            (format!("{one}{one}"), "line 5, column 8: a second check is called 'a'"),
            (one.replace("'a'", "'a:b'"), "line 2, column 8: a name is "),
            (one.replace("'a'", "''"), "a name is "),
            (one.replace("check_x", "bin/check_x"), "line 3, column 10: a path is absolute"),
            (one.replace("check_x", "/bin/"), "a plugin is a name"),
            (one.replace("check_x", ".."), "a plugin is a name"),
            (one.replace("check_x", "check_backend"), "does not run itself"),
            (one.repeat(65), "more than 64"),
        ] {
            let fault = parse(&text).unwrap_err();
            assert!(fault.contains(reason) && !fault.contains('\n'), "{text}: {fault}");
        }
    }

    #[test]
    fn parents_must_not_go_in_circles() {
        let check = |name: &str, parent: &str| format!("[[check]]\nname='{name}'\nplugin='x'\nparent='{parent}'\n");
        let circle = [check("a", "b"), check("b", "c"), check("c", "a:x")].concat();
        assert!(parse(&circle).unwrap_err().starts_with("line 4, column 8: 'a' would explain itself"));
        let tail = [check("a", "b"), check("b", "c"), check("c", "b")].concat();
        assert!(parse(&tail).unwrap_err().contains("'b' would explain itself"));
    }

    proptest! {
        #[test]
        fn any_text_is_read_or_refused(text in ".{0,80}") {
            let _ = parse(&text);
            let _ = parse(&format!("[[check]]\nname = 'a'\nplugin = {text}"));
        }
    }
}
