//! Text that comes from elsewhere, made safe to print.

use std::fmt;

use serde::{Deserialize, Serialize};

/// Text without anything that a terminal, a monitoring core or a log could take for more than text.
///
/// Control characters, terminal escape sequences and characters that are invisible or reorder text are
/// removed, line breaks and tabs become a space, `|`, `<` and `>` become `/`, `(` and `)`, and the
/// length is capped. A report holds no other kind of text, so nothing can be printed that did not pass here.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(from = "String", into = "String")]
pub struct Text(String);

/// Characters that a [`Text`] holds at most, unless it is asked to hold fewer.
pub const MAX_CHARS: usize = 1000;

impl Text {
    /// `raw` made safe, at most [`MAX_CHARS`] characters.
    pub fn new(raw: &str) -> Self {
        Self::limited(raw, MAX_CHARS)
    }

    /// `raw` made safe, at most `limit` characters; what is longer ends in `…`.
    pub fn limited(raw: &str, limit: usize) -> Self {
        let mut clean = String::with_capacity(raw.len().min(limit));
        let mut chars = raw.chars().peekable();
        let mut length = 0;
        while let Some(c) = chars.next() {
            let Some(safe) = sanitise(c, &mut chars) else { continue };
            if length == limit {
                clean.pop();
                clean.push('…');
                break;
            }
            clean.push(safe);
            length += 1;
        }
        Self(clean)
    }

    /// Bytes that should be UTF-8, made safe; what is not becomes U+FFFD.
    pub fn from_bytes(raw: &[u8]) -> Self {
        Self::new(&String::from_utf8_lossy(raw))
    }

    /// The safe text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether nothing is left to print.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

/// The character to print for `c`, taking the rest of an escape sequence from `rest`.
fn sanitise(c: char, rest: &mut std::iter::Peekable<std::str::Chars>) -> Option<char> {
    match c {
        '\u{1b}' => {
            skip_escape_sequence(rest);
            None
        }
        '\u{9b}' => {
            skip_control_sequence(rest);
            None
        }
        '\n' | '\r' | '\t' | '\u{b}' | '\u{c}' | '\u{85}' | '\u{2028}' | '\u{2029}' => Some(' '),
        '|' => Some('/'),
        '<' => Some('('),
        '>' => Some(')'),
        c if c.is_control() || is_invisible(c) => None,
        c => Some(c),
    }
}

/// Zero-width characters, bidirectional marks and overrides, and tag characters.
const fn is_invisible(c: char) -> bool {
    matches!(c,
        '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}'
        | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}')
}

/// Skips what follows an ESC: a control sequence, a string up to its terminator, or one character.
fn skip_escape_sequence(rest: &mut std::iter::Peekable<std::str::Chars>) {
    match rest.peek() {
        Some('[') => {
            rest.next();
            skip_control_sequence(rest);
        }
        Some(']' | 'P' | 'X' | '^' | '_') => skip_control_string(rest),
        Some(c) if !c.is_control() => {
            rest.next();
        }
        _ => {}
    }
}

/// Skips an operating system command or the like, up to BEL or ST; what is not terminated ends with its line.
fn skip_control_string(rest: &mut std::iter::Peekable<std::str::Chars>) {
    while let Some(&c) = rest.peek() {
        if matches!(c, '\n' | '\r') {
            return;
        }
        rest.next();
        match c {
            '\u{7}' | '\u{9c}' => return,
            '\u{1b}' => {
                if rest.peek() == Some(&'\\') {
                    rest.next();
                }
                return;
            }
            _ => {}
        }
    }
}

/// Skips the parameters and the final character of a control sequence.
fn skip_control_sequence(rest: &mut std::iter::Peekable<std::str::Chars>) {
    while let Some(c) = rest.next_if(|c| matches!(c, ' '..='~')) {
        if matches!(c, '@'..='~') {
            return;
        }
    }
}

impl From<&str> for Text {
    fn from(raw: &str) -> Self {
        Self::new(raw)
    }
}

impl From<String> for Text {
    fn from(raw: String) -> Self {
        Self::new(&raw)
    }
}

impl From<Text> for String {
    fn from(text: Text) -> Self {
        text.0
    }
}

impl AsRef<str> for Text {
    fn as_ref(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Text {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

/// An error in the words of the operating system, without its number.
pub fn io_error(error: &std::io::Error) -> String {
    let text = error.to_string();
    match text.rfind(" (os error ") {
        Some(at) => text.get(..at).unwrap_or_default().to_lowercase(),
        None => text,
    }
}

/// `word` as a shell takes it for one word, for commands that a reader may copy. What a [`Text`] cannot hold is left out.
pub fn shell_word(word: &str) -> String {
    let safe = Text::new(word);
    let is_plain = |c: char| c.is_alphanumeric() || "-_./:@%+,=".contains(c);
    if !safe.is_empty() && safe.as_str().chars().all(is_plain) && !safe.as_str().starts_with('-') {
        safe.to_string()
    } else {
        format!("'{}'", safe.as_str().replace('\'', "'\\''"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn what_could_be_taken_for_more_than_text_is_gone() {
        for (raw, clean) in [
            ("plain äöü 日本", "plain äöü 日本"),
            ("a|b<c>d", "a/b(c)d"),
            ("two\nlines\r\n\tand tab", "two lines   and tab"),
            ("\u{1b}[31mred\u{1b}[0m", "red"),
            ("\u{1b}]0;title\u{7}text", "text"),
            ("\u{1b}]8;;http://x\u{1b}\\link\u{1b}]8;;\u{1b}\\", "link"),
            ("\u{1b}Pq#0\u{1b}\\x", "x"),
            ("\u{1b}]never ends\nnext line", " next line"),
            ("\u{9b}2Jcleared", "cleared"),
            ("bell\u{7} nul\0 del\u{7f}", "bell nul del"),
            ("user\u{202e}txt.exe", "usertxt.exe"),
            ("zero\u{200b}width", "zerowidth"),
            ("\u{1b}", ""),
        ] {
            assert_eq!(Text::new(raw).as_str(), clean, "{raw:?}");
        }
    }

    #[test]
    fn long_text_is_cut_with_a_mark() {
        assert_eq!(Text::limited("abcdef", 6).as_str(), "abcdef");
        assert_eq!(Text::limited("abcdef", 4).as_str(), "abc…");
        assert_eq!(Text::new(&"é".repeat(5000)).as_str().chars().count(), MAX_CHARS);
    }

    #[test]
    fn bytes_that_are_not_utf8_are_marked() {
        assert_eq!(Text::from_bytes(b"caf\xe9").as_str(), "caf\u{fffd}");
    }

    proptest! {
        #[test]
        fn any_text_becomes_safe(raw in any::<String>()) {
            let text = Text::new(&raw);
            prop_assert!(text.as_str().chars().all(|c| !c.is_control() && !is_invisible(c) && !"|<>".contains(c)));
            prop_assert_eq!(Text::new(text.as_str()), text);
        }
    }

    #[test]
    fn words_of_commands_cannot_become_more_than_words() {
        for (word, quoted) in [
            ("deploy_kwanza_1", "deploy_kwanza_1"),
            ("a b", "'a b'"),
            ("x; rm -rf /", "'x; rm -rf /'"),
            ("it's", "'it'\\''s'"),
            ("$(reboot)", "'$(reboot)'"),
            ("-f", "'-f'"),
            ("", "''"),
            ("a\n|b", "'a /b'"),
        ] {
            assert_eq!(shell_word(word), quoted);
        }
    }
}
