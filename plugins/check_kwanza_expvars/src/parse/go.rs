//! What Go writes where it cannot write JSON, and what can be saved of it.

use std::fmt::Write as _;

/// Why the value of a variable is not JSON.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Flaw {
    /// Its String method panicked, with these words.
    Panicked(String),
    /// Nothing at all: its function returned what cannot be written as JSON.
    Empty,
    /// NaN or infinity, which JSON does not have.
    NotFinite,
    /// Escapes in text that JSON does not have, as Go quotes control characters and bad UTF-8.
    Escapes,
    /// Something else.
    Garbage,
}

/// What is wrong with `text`, which no JSON parser takes.
pub fn flaw(text: &str) -> Flaw {
    const PANIC: &str = "%!s(PANIC=";
    let text = text.trim();
    if let Some((_, rest)) = text.split_once(PANIC) {
        let words = rest.strip_prefix("String method: ").unwrap_or(rest);
        return Flaw::Panicked(words.strip_suffix(')').unwrap_or(words).to_owned());
    }
    if text.is_empty() {
        return Flaw::Empty;
    }
    let (mended, found) = mended(text);
    if !found.not_finite && !found.empty && !found.escapes {
        return Flaw::Garbage;
    }
    match serde_json::from_str::<serde::de::IgnoredAny>(&mended) {
        Ok(_) if found.not_finite => Flaw::NotFinite,
        Ok(_) if found.empty => Flaw::Empty,
        Ok(_) => Flaw::Escapes,
        Err(_) => Flaw::Garbage,
    }
}

/// What [`mended`] met.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Found {
    not_finite: bool,
    empty: bool,
    escapes: bool,
}

/// `text` with what Go writes and JSON does not know replaced: NaN, infinity and missing values by null, escapes of Go
/// by those of JSON.
pub fn mended(text: &str) -> (String, Found) {
    let mut mended = String::with_capacity(text.len());
    let mut found = Found::default();
    let mut rest = text;
    while let Some(c) = rest.chars().next() {
        if c == '"' {
            rest = string(rest, &mut mended, &mut found);
            continue;
        }
        if let Some(word) =
            ["NaN", "+Inf", "-Inf", "Infinity", "-Infinity"].into_iter().find(|word| rest.starts_with(word))
        {
            found.not_finite = true;
            mended.push_str("null");
            rest = rest.get(word.len()..).unwrap_or_default();
            continue;
        }
        if matches!(c, ',' | '}') && mended.trim_end().ends_with(':') {
            found.empty = true;
            mended.push_str("null");
        }
        mended.push(c);
        rest = rest.get(c.len_utf8()..).unwrap_or_default();
    }
    (mended, found)
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
                found.escapes = true;
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
        Some('x') => digits(chars, 2),
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
    found.escapes = true;
    match code {
        Some(c @ ('"' | '\\')) => into.extend(['\\', c]),
        Some(c) if c.is_control() => {
            let _ = write!(into, "\\u{:04x}", u32::from(c));
        }
        Some(c) => into.push(c),
        None => into.push('\u{fffd}'),
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
