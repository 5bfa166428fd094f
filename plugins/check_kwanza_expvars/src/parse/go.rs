//! What Go writes where it cannot write JSON, and what can be saved of it.

use std::fmt::Write as _;

/// Why the value of a variable is not JSON.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Flaw {
    /// Its String method panicked, with these words.
    Panicked(String),
    /// A nil pointer.
    Nil,
    /// Nothing at all: its function returned what cannot be written as JSON.
    Empty,
    /// NaN or infinity, which JSON does not have.
    NotFinite,
    /// Escapes in text that JSON does not have, as Go quotes control characters and bad UTF-8.
    Escapes,
    /// Something else.
    Garbage,
    /// Its line is not where Go would put it, so that something else may have written it.
    OutOfOrder,
}

/// How Go begins what it writes of a panic, behind the verb.
const PANIC: &str = "(PANIC=";

/// What is wrong with `text`, which no JSON parser takes.
pub fn flaw(text: &str) -> Flaw {
    let text = text.trim();
    if text.is_empty() {
        return Flaw::Empty;
    }
    let (mended, found) = mended(text);
    if let Some(words) = found.panicked {
        return Flaw::Panicked(words);
    }
    if serde_json::from_str::<serde::de::IgnoredAny>(&mended).is_err() {
        return Flaw::Garbage;
    }
    // Of several the one that tells most.
    let ranked = [Flaw::Nil, Flaw::NotFinite, Flaw::Empty, Flaw::Escapes];
    ranked.into_iter().find(|flaw| found.seen.contains(flaw)).unwrap_or(Flaw::Garbage)
}

/// Whether `text` begins with a panic whose words go on in the next line.
pub fn is_open_panic(text: &[u8]) -> bool {
    let text = text.trim_ascii();
    let begins = text.starts_with(b"%!") && text.get(3..).is_some_and(|rest| rest.starts_with(PANIC.as_bytes()));
    begins && !text.strip_suffix(b",").unwrap_or(text).ends_with(b")")
}

/// What [`mended`] met.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Found {
    panicked: Option<String>,
    seen: Vec<Flaw>,
}

impl Found {
    fn see(&mut self, flaw: Flaw) {
        if !self.seen.contains(&flaw) {
            self.seen.push(flaw);
        }
    }
}

/// `text` with what Go writes and JSON does not know replaced: panics, nil, NaN, infinity and missing values by null,
/// escapes of Go by those of JSON.
pub fn mended(text: &str) -> (String, Found) {
    let mut mended = String::with_capacity(text.len());
    let mut found = Found::default();
    let mut rest = text;
    while let Some(c) = rest.chars().next() {
        if c == '"' {
            rest = string(rest, &mut mended, &mut found);
            continue;
        }
        if let Some(length) = word(rest, mended.is_empty(), &mut found) {
            mended.push_str("null");
            rest = rest.get(length..).unwrap_or_default();
            continue;
        }
        if matches!(c, ',' | '}') && mended.trim_end().ends_with(':') {
            found.see(Flaw::Empty);
            mended.push_str("null");
        }
        mended.push(c);
        rest = rest.get(c.len_utf8()..).unwrap_or_default();
    }
    (mended, found)
}

/// The length of what `text`, the whole of a value or the rest of one, begins with, if Go writes that where there is no
/// value.
fn word(text: &str, is_whole: bool, found: &mut Found) -> Option<usize> {
    if text.starts_with("<nil>") {
        found.see(Flaw::Nil);
        return Some("<nil>".len());
    }
    if let Some(word) = ["NaN", "+Inf", "-Inf"].into_iter().find(|word| text.starts_with(word)) {
        found.see(Flaw::NotFinite);
        return Some(word.len());
    }
    let begin = text.get(..3).filter(|verb| verb.starts_with("%!"))?.len() + PANIC.len();
    let words = text.get(3..)?.strip_prefix(PANIC)?;
    // The words may hold brackets too. In a map the first one that can end the value is taken.
    let end = if is_whole { None } else { words.find("),").or_else(|| words.find(")}")) };
    let length = end.or_else(|| words.rfind(')')).unwrap_or(words.len());
    let said = words.get(..length)?;
    let said = said.strip_prefix("String method: ").unwrap_or(said);
    found.panicked.get_or_insert_with(|| said.to_owned());
    Some((begin + length + 1).min(text.len()))
}

/// Copies the string that `text` begins with, its escapes mended. Returns what stands behind it.
fn string<'a>(text: &'a str, into: &mut String, found: &mut Found) -> &'a str {
    into.push('"');
    let mut chars = text.get(1..).unwrap_or_default().chars();
    while let Some(c) = chars.next() {
        match c {
            '"' => {
                into.push('"');
                break;
            }
            '\\' => escape(&mut chars, into, found),
            c if c.is_control() => {
                found.see(Flaw::Escapes);
                let _ = write!(into, "\\u{:04x}", u32::from(c));
            }
            c => into.push(c),
        }
    }
    chars.as_str()
}

/// Copies what follows a backslash.
fn escape(chars: &mut std::str::Chars, into: &mut String, found: &mut Found) {
    let digits = |chars: &mut std::str::Chars, count: usize| {
        let digits: String = chars.by_ref().take(count).collect();
        u32::from_str_radix(&digits, 16).ok().and_then(char::from_u32)
    };
    let code = match chars.next() {
        // Beyond ASCII that is a byte of what is not UTF-8.
        Some('x') => digits(chars, 2).map(|c| if c.is_ascii() { c } else { char::REPLACEMENT_CHARACTER }),
        Some('U') => digits(chars, 8),
        Some('a') => Some('\u{7}'),
        Some('v') => Some('\u{b}'),
        Some('\'') => Some('\''),
        Some(c) => {
            into.push('\\');
            into.push(c);
            return;
        }
        None => return,
    };
    found.see(Flaw::Escapes);
    match code {
        Some(c @ ('"' | '\\')) => into.extend(['\\', c]),
        Some(c) if c.is_control() => {
            let _ = write!(into, "\\u{:04x}", u32::from(c));
        }
        Some(c) => into.push(c),
        None => into.push(char::REPLACEMENT_CHARACTER),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn what_go_writes_is_told_apart() {
        for (text, expected) in [
            ("NaN", Flaw::NotFinite),
            ("+Inf", Flaw::NotFinite),
            (r#"{"a": NaN, "b": 1}"#, Flaw::NotFinite),
            ("", Flaw::Empty),
            (r#"{"a": , "b": 1}"#, Flaw::Empty),
            (r#"{"\x00k": 1}"#, Flaw::Escapes),
            (r#"{"\a\xff": 1}"#, Flaw::Escapes),
            ("%!s(PANIC=String method: boom)", Flaw::Panicked("boom".to_owned())),
            (r#"{"a": %!v(PANIC=String method: f(x))}"#, Flaw::Panicked("f(x)".to_owned())),
            (r#"{"\x00": NaN, "b": "%!s(PANIC="}"#, Flaw::NotFinite),
            ("<nil>", Flaw::Nil),
            ("%!s(PANI", Flaw::Garbage),
            ("<html>", Flaw::Garbage),
            ("{1: 2}", Flaw::Garbage),
        ] {
            assert_eq!(flaw(text), expected, "{text}");
        }
    }

    #[test]
    fn what_can_be_saved_is_saved() {
        let value = |text: &str| serde_json::from_str::<serde_json::Value>(&mended(text).0).unwrap();
        assert_eq!(
            value(r#"{"a": NaN, "b": [1, -Inf], "c": , "d": }"#),
            serde_json::json!({"a": null, "b": [1, null], "c": null, "d": null})
        );
        assert_eq!(
            value(r#"{"a": %!v(PANIC=String method: f(x) failed), "b": <nil>, "c": 1}"#),
            serde_json::json!({"a": null, "b": null, "c": 1})
        );
        assert_eq!(value(r#""\xff\x7f""#), serde_json::json!("\u{fffd}\u{7f}"));
        assert_eq!(
            value(r#""\x41\a\v\x22\U0001F600 NaN \\ \" \n""#),
            serde_json::json!("A\u{7}\u{b}\"\u{1f600} NaN \\ \" \n")
        );
    }

    proptest! {
        #[test]
        fn every_text_is_taken(text in ".{0,60}") {
            let _ = flaw(&text);
        }

        #[test]
        fn json_stays_what_it_is(key in ".{0,20}", number in any::<i64>()) {
            let value = serde_json::json!({ key: [number, null, "x"] });
            let text = serde_json::to_string(&value).unwrap();
            prop_assert_eq!(serde_json::from_str::<serde_json::Value>(&mended(&text).0).unwrap(), value);
        }
    }
}
