//! Logs of containers, as the Engine API frames them.

use jiff::civil::DateTime;
use jiff::{SignedDuration, Timestamp};

/// What precedes each line: the stream, three zeros, and the length in four bytes, most significant first.
const HEAD: usize = 8;

/// A log, line by line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Log(Vec<Line>);

#[derive(Clone, Debug, PartialEq, Eq)]
struct Line {
    stream: u8,
    at: Timestamp,
    text: String,
}

impl Log {
    /// What `/containers/ID/logs?timestamps=1` answered; nothing where it is none.
    pub fn recorded(mut bytes: &[u8]) -> Option<Self> {
        let mut lines = Vec::new();
        while let Some((head, rest)) = bytes.split_first_chunk::<HEAD>() {
            let [stream, _, _, _, length @ ..] = *head;
            let (line, rest) = rest.split_at_checked(usize::try_from(u32::from_be_bytes(length)).ok()?)?;
            let (time, text) = std::str::from_utf8(line).ok()?.split_once(' ')?;
            lines.push(Line { stream, at: time.parse().ok()?, text: text.to_owned() });
            bytes = rest;
        }
        bytes.is_empty().then_some(Self(lines))
    }

    /// The same, later by `age`. Times in the text, `2026-11-25 02:51:02`, are later too.
    #[must_use]
    pub fn later(self, age: SignedDuration) -> Self {
        let later = |line: Line| Line { at: line.at + age, text: with_times_moved(&line.text, age), ..line };
        Self(self.0.into_iter().map(later).collect())
    }

    /// The last `tail` lines of those since `since`, as the API answers without `timestamps`.
    pub fn answer(&self, since: Option<Timestamp>, tail: usize) -> Vec<u8> {
        let lines: Vec<&Line> = self.0.iter().filter(|line| since.is_none_or(|since| line.at >= since)).collect();
        let frame = |line: &Line| {
            let length = u32::try_from(line.text.len()).expect("a short line").to_be_bytes();
            [&[line.stream, 0, 0, 0], &length, line.text.as_bytes()].concat()
        };
        lines[lines.len().saturating_sub(tail)..].iter().copied().flat_map(frame).collect()
    }
}

fn with_times_moved(text: &str, age: SignedDuration) -> String {
    const FORMAT: &str = "%Y-%m-%d %H:%M:%S";
    const LENGTH: usize = "2026-11-25 02:51:02".len();
    let mut text = text.to_owned();
    for place in 0..text.len().saturating_sub(LENGTH) {
        let range = place..place + LENGTH;
        let moved = |time: &str| DateTime::strptime(FORMAT, time).ok()?.checked_add(age).ok();
        let found = text.get(range.clone()).filter(|part| part.starts_with('2')).and_then(moved);
        if let Some(time) = found {
            text.replace_range(range, &time.strftime(FORMAT).to_string());
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Lines of both streams, in turn.
    fn frames(lines: &[&str]) -> Vec<u8> {
        let frame = |(stream, line): (u8, &&str)| {
            [&[stream, 0, 0, 0, 0, 0, 0, line.len().try_into().unwrap()], line.as_bytes()].concat()
        };
        (1..).zip(lines).flat_map(frame).collect()
    }

    #[test]
    fn a_log_is_later_and_begins_later() {
        let recorded =
            ["2026-11-25T12:00:00.000000001Z ready\n", "2026-11-25T12:00:01.5Z 2026-11-25 23:59:59.501 UTC: a b\n"];
        let log = Log::recorded(&frames(&recorded)).unwrap();
        assert_eq!(log.answer(None, 200), frames(&["ready\n", "2026-11-25 23:59:59.501 UTC: a b\n"]));
        let later = log.later(SignedDuration::from_secs(1));
        let all = frames(&["ready\n", "2026-11-26 00:00:00.501 UTC: a b\n"]);
        assert_eq!(later.answer(None, 200), all);
        let second = &all[HEAD + "ready\n".len()..];
        assert_eq!(later.answer(None, 1), second);
        assert_eq!(later.answer(Some("2026-11-25T12:00:02Z".parse().unwrap()), 200), second);
        assert_eq!(later.answer(Some("2026-11-25T12:00:03Z".parse().unwrap()), 200), b"");
    }

    #[test]
    fn what_is_no_log_is_none() {
        let whole = frames(&["2026-11-25T12:00:00Z ready\n"]);
        for bytes in [&whole[..20], &frames(&["ready\n"]), &frames(&["yesterday ready\n"]), b"x"] {
            assert_eq!(Log::recorded(bytes), None);
        }
    }
}
