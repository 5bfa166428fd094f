//! What the last lines of a log say about why a container is not as it should be.

use std::collections::BTreeSet;

use crate::text::Text;
use serde_json::Value;

use super::hints::{self, Rule};

/// How many kinds of fault are named, and how many last lines where none is known.
const MOST: usize = 3;
/// Characters of a log line in the first line.
const COMPLAINT_CHARS: usize = 60;
/// Characters of a log line that are shown.
const LINE_CHARS: usize = 200;

/// What a log tells.
#[derive(Debug, Default)]
pub struct Diagnosis<'a> {
    /// The kinds of fault that are known, each with its latest line, the surest first.
    pub hints: Vec<(&'a Rule, Text)>,
    /// The latest line of a service that logs JSON which it calls an error itself.
    pub complaint: Option<Text>,
    /// The last lines.
    pub last: Vec<Text>,
}

/// Reads a log; `own` are the rules of the user.
pub fn diagnose<'a>(log: &[u8], own: &'a [Rule]) -> Diagnosis<'a> {
    let mut diagnosis = Diagnosis::default();
    let mut classes = BTreeSet::new();
    let text = String::from_utf8_lossy(log);
    for line in text.lines().rev().map(str::trim).filter(|line| !line.is_empty()) {
        let entry = Entry::of(line);
        if let Some(rule) = hints::matching(own, line)
            && classes.insert(rule.class.as_ref())
        {
            diagnosis.hints.push((rule, entry.shown()));
        } else if entry.is_complaint && diagnosis.complaint.is_none() {
            diagnosis.complaint = Some(entry.shown());
        }
        if diagnosis.last.len() < MOST {
            diagnosis.last.push(entry.shown());
        }
    }
    // What only explains comes after what is a fault; of equals the latest line first.
    diagnosis.hints.sort_by_key(|(rule, _)| !rule.is_fault);
    diagnosis.hints.truncate(MOST);
    diagnosis.last.reverse();
    diagnosis
}

/// The lines of a log that tell of a fault even while the container runs: how many, and the latest with its rule.
pub fn faults<'a>(log: &[u8], own: &'a [Rule]) -> (usize, Option<(&'a Rule, Text)>) {
    let text = String::from_utf8_lossy(log);
    let mut count = 0;
    let mut latest = None;
    for line in text.lines() {
        if let Some(rule) = hints::matching(own, line).filter(|rule| rule.is_fault) {
            count += 1;
            latest = Some((rule, Entry::of(line.trim()).shown()));
        }
    }
    (count, latest)
}

impl Diagnosis<'_> {
    /// The kind of fault in a few words, for the first line; where none is known, what the service itself calls an error.
    pub fn class(&self) -> Option<String> {
        let known = self.hints.first().map(|(rule, _)| rule);
        match (known, &self.complaint) {
            (Some(rule), _) if rule.is_fault => Some(rule.class.to_string()),
            (_, Some(complaint)) => Some(Text::limited(complaint.as_str(), COMPLAINT_CHARS).to_string()),
            (rule, None) => rule.map(|rule| rule.class.to_string()),
        }
    }

    /// What the log says, a line each.
    pub fn causes(&self) -> Vec<Text> {
        let mut lines: Vec<Text> = Vec::new();
        for (rule, line) in &self.hints {
            lines.push(Text::from(format!("{}: {}", rule.class, rule.meaning)));
            lines.push(Text::from(format!("  log: {line}")));
        }
        if self.hints.iter().all(|(rule, _)| !rule.is_fault)
            && let Some(complaint) = &self.complaint
        {
            lines.push(Text::from(format!("log: {complaint}")));
        } else if self.hints.is_empty() && !self.last.is_empty() {
            lines.push("the last lines of its log:".into());
            lines.extend(self.last.iter().map(|line| Text::from(format!("  {line}"))));
        }
        lines
    }

    /// What to do about it.
    pub fn next(&self) -> Vec<Text> {
        let mut seen = BTreeSet::new();
        let steps = self.hints.iter().map(|(rule, _)| rule.next.as_ref());
        steps.filter(|step| !step.is_empty() && seen.insert(*step)).map(Text::from).collect()
    }
}

/// A line of a log.
struct Entry {
    text: String,
    is_complaint: bool,
}

impl Entry {
    /// Reads a line, which may be a JSON object with a level and a message.
    fn of(line: &str) -> Self {
        let plain = || Self { text: line.to_owned(), is_complaint: false };
        let Ok(Value::Object(fields)) = serde_json::from_str(line) else { return plain() };
        let text = |names: &[&str]| names.iter().find_map(|name| fields.get(*name)?.as_str());
        let Some(message) = text(&["msg", "message"]) else { return plain() };
        let level = text(&["level", "severity"]).unwrap_or_default().to_ascii_lowercase();
        let error = text(&["error", "err"]).map(|error| format!(": {error}")).unwrap_or_default();
        Self {
            text: format!("{level}{}{message}{error}", if level.is_empty() { "" } else { ": " }),
            is_complaint: matches!(level.as_str(), "error" | "fatal" | "panic" | "dpanic" | "critical"),
        }
    }

    /// The line as it may be shown.
    fn shown(&self) -> Text {
        Text::limited(&without_secrets(&self.text), LINE_CHARS)
    }
}

/// `line` with what follows `password=` and the like, and the password of an address, replaced.
fn without_secrets(line: &str) -> String {
    const HIDDEN: &str = "***";
    let mut shown = String::with_capacity(line.len());
    let mut rest = line;
    // The password of scheme://user:password@host.
    while let Some((before, after)) = rest.split_once("://") {
        shown.push_str(before);
        shown.push_str("://");
        let end = after.find(|c: char| c.is_whitespace() || matches!(c, '/' | '"' | '\'')).unwrap_or(after.len());
        let (authority, tail) = after.split_at(end);
        match authority.rsplit_once('@').and_then(|(user, host)| Some((user.split_once(':')?.0, host))) {
            Some((user, host)) => shown.extend([user, ":", HIDDEN, "@", host]),
            None => shown.push_str(authority),
        }
        rest = tail;
    }
    shown.push_str(rest);
    hide_values(&shown, HIDDEN)
}

/// `line` with the value of each `password=VALUE` and its kin replaced.
fn hide_values(line: &str, hidden: &str) -> String {
    const NAMES: [&str; 5] = ["password", "passwd", "secret", "token", "api_key"];
    let mut words = Vec::new();
    for word in line.split(' ') {
        let lower = word.to_ascii_lowercase();
        let name = NAMES.iter().find_map(|name| {
            let end = lower.find(name)? + name.len();
            let mark = word.get(end..)?.find(['=', ':'])?;
            // Only the name and its quotes may stand before the mark.
            word.get(end..end + mark)?.chars().all(|c| !c.is_alphanumeric()).then_some(end + mark + 1)
        });
        words.push(match name.filter(|end| *end < word.len()) {
            Some(end) => format!("{}{hidden}", word.get(..end).unwrap_or_default()),
            None => word.to_owned(),
        });
    }
    words.join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(log: &str) -> Vec<String> {
        diagnose(log.as_bytes(), &[]).causes().iter().map(ToString::to_string).collect()
    }

    #[test]
    fn a_known_fault_is_named_with_its_latest_line() {
        let log = "LOG:  database system was interrupted; last known up at 12:43:24 UTC\n\
                   PANIC:  could not write to file \"a\": No space left on device\n\
                   PANIC:  could not write to file \"b\": No space left on device\nLOG:  shutting down\n";
        assert_eq!(
            said(log),
            [
                "disk full: the filesystem that it writes to is full",
                "  log: PANIC:  could not write to file \"b\": No space left on device",
                "recovering: PostgreSQL was not stopped in order and recovers by itself",
                "  log: LOG:  database system was interrupted; last known up at 12:43:24 UTC",
            ]
        );
        assert_eq!(diagnose(log.as_bytes(), &[]).class().as_deref(), Some("disk full"));
    }

    #[test]
    fn what_a_service_calls_an_error_is_shown_by_its_message() {
        let log = "{\"level\":\"info\",\"msg\":\"Server started\"}\n\
                   {\"level\":\"fatal\",\"ts\":1,\"msg\":\"no licence\",\"error\":\"file is empty\"}\n";
        assert_eq!(said(log), ["log: fatal: no licence: file is empty"]);
        assert_eq!(diagnose(log.as_bytes(), &[]).class().as_deref(), Some("fatal: no licence: file is empty"));
    }

    #[test]
    fn the_last_lines_stand_for_what_is_not_known() {
        assert_eq!(said("one\n\ntwo\nthree\r\nfour\n"), ["the last lines of its log:", "  two", "  three", "  four"]);
        assert!(said("").is_empty());
    }

    #[test]
    fn lines_of_a_log_cannot_forge_output() {
        let causes = said("\u{1b}[31mOK | x=1\u{1b}[0m\u{202e}\n");
        assert_eq!(causes[1], "  OK / x=1");
        assert!(said(&"x".repeat(100_000))[1].chars().count() <= LINE_CHARS + 2);
    }

    #[test]
    fn secrets_are_not_shown() {
        for (line, shown) in [
            (
                "connect postgres://kwanza:s3cret@postgres:5432/kwanza failed",
                "connect postgres://kwanza:***@postgres:5432/kwanza failed",
            ),
            ("http://host/path and https://a@b/c", "http://host/path and https://a@b/c"),
            ("host=postgres password=s3cret user=kwanza", "host=postgres password=*** user=kwanza"),
            ("{\"Password\":\"s3cret\"}", "{\"Password\":***"),
            ("DB_PASSWORD=s3cret", "DB_PASSWORD=***"),
            (
                "password authentication failed for user \"kwanza\"",
                "password authentication failed for user \"kwanza\"",
            ),
        ] {
            assert_eq!(without_secrets(line), shown);
        }
    }

    #[test]
    fn faults_of_a_running_container_are_counted() {
        let (count, latest) = faults(b"ok\nsorry, too many clients already\nreceived fast shutdown request\n", &[]);
        assert_eq!((count, latest.unwrap().0.class.as_ref()), (1, "too many clients"));
    }
}
