//! What is not a dump, or not as `pg_dump` wrote it, by its first bytes.
//!
//! None of those bytes are passed on but the words of programs: what stands in front of a dump may be a password.

use super::archive::MAGIC;
use super::fault::Kind;

/// Bytes that are looked at.
pub(crate) const HEAD: usize = 32 * 1024;
/// The longest message that is told.
const MAX_MESSAGE: usize = 200;

/// What dumps have at their beginning.
const DUMPS: [&[u8]; 4] = [MAGIC, b"toc.dat\0", b"--\n-- PostgreSQL database ", b"--\r\n-- PostgreSQL database "];

/// How `pg_dump` asks for a password, in some languages.
const PROMPTS: [&str; 9] = [
    "assword",
    "asswort",
    "ot de passe",
    "ontrase\u{f1}a",
    "enha",
    "\u{f6}senord",
    "\u{430}\u{440}\u{43e}\u{43b}\u{44c}",
    "\u{30d1}\u{30b9}\u{30ef}\u{30fc}\u{30c9}",
    "has\u{142}o",
];

/// What files of other kinds begin with.
const KINDS: [(&[u8], &str); 11] = [
    (b"PK\x03\x04", "a zip archive"),
    (b"7z\xbc\xaf\x27\x1c", "a 7z archive"),
    (b"Rar!", "a rar archive"),
    (b"SQLite format 3\0", "a database of SQLite"),
    (b"\x7fELF", "a program"),
    (b"-- MySQL dump", "a dump of MySQL"),
    (b"-- MariaDB dump", "a dump of MariaDB"),
    (b"/*M!999999", "a dump of MariaDB"),
    (b"<!DOCTYPE", "a web page"),
    (b"<html", "a web page"),
    (b"{", "JSON"),
];

/// Whose messages are told.
const PROGRAMS: [&str; 14] = [
    "pg_dump:",
    "pg_dumpall:",
    "psql:",
    "sh:",
    "/bin/sh:",
    "bash:",
    "-bash:",
    "docker:",
    "docker-compose:",
    "podman:",
    "Error: No such container",
    "Error response from daemon:",
    "Cannot connect to the Docker daemon",
    "OCI runtime",
];

/// Says what it is that begins so. `None`: a dump that ends before it can be recognised.
pub(crate) fn judge(head: &[u8]) -> Option<Kind> {
    if head.iter().all(|byte| *byte == 0) {
        return Some(Kind::Zeros);
    }
    if DUMPS.iter().any(|dump| dump.starts_with(head)) {
        return None;
    }
    if is_utf_16(head) {
        return Some(Kind::Utf16);
    }
    let begin = DUMPS.iter().filter_map(|dump| memchr::memmem::find(head, dump)).min();
    match begin {
        Some(begin) if begin > 0 => {
            let front = String::from_utf8_lossy(head.get(..begin).unwrap_or_default());
            Some(if asks_for_password(&front) { Kind::Prompt } else { Kind::InFront(begin as u64) })
        }
        _ => Some(other(head)),
    }
}

/// Whether line feeds were converted: each has a carriage return in front, and there are several.
pub(crate) fn is_converted(head: &[u8]) -> bool {
    let mut count = 0;
    let all = memchr::memchr_iter(b'\n', head).all(|at| {
        count += 1;
        at > 0 && head.get(at - 1) == Some(&b'\r')
    });
    all && count > 2
}

/// As text, or an archive that was taken for text.
fn is_utf_16(head: &[u8]) -> bool {
    let widened: Vec<u8> = MAGIC.iter().flat_map(|byte| [*byte, 0]).collect();
    head.starts_with(b"\xff\xfe") || head.starts_with(b"\xfe\xff") || head.starts_with(&widened)
}

fn asks_for_password(text: &str) -> bool {
    PROMPTS.iter().any(|prompt| text.contains(prompt))
}

fn other(head: &[u8]) -> Kind {
    if let Some((_, what)) = KINDS.iter().find(|(magic, _)| head.starts_with(magic)) {
        return Kind::Foreign((*what).into());
    }
    match text(head) {
        Some(text) if asks_for_password(text) => Kind::Message(None),
        Some(text) if is_sql(text) => Kind::Foreign("SQL that pg_dump did not write".into()),
        Some(text) => Kind::Message(message(text)),
        None => Kind::Foreign("data of an unknown kind".into()),
    }
}

/// The head, if it is text. It may be cut within a character.
fn text(head: &[u8]) -> Option<&str> {
    let text = match std::str::from_utf8(head) {
        Ok(text) => text,
        Err(error) if error.error_len().is_none() => std::str::from_utf8(head.get(..error.valid_up_to())?).ok()?,
        Err(_) => return None,
    };
    let is_printed = |c: char| !c.is_control() || matches!(c, '\n' | '\r' | '\t' | '\u{1b}');
    text.chars().all(is_printed).then_some(text)
}

fn is_sql(text: &str) -> bool {
    let words = ["--", "SET ", "CREATE ", "INSERT ", "BEGIN;", "ALTER ", "SELECT ", "COPY ", "\\restrict "];
    text.lines().take(20).any(|line| words.iter().any(|word| line.starts_with(word)))
}

/// The first line of what a program said, unless it may hold a secret.
fn message(text: &str) -> Option<String> {
    let line = text.lines().map(str::trim).find(|line| !line.is_empty())?;
    let is_known = PROGRAMS.iter().any(|program| line.starts_with(program));
    let may_be_secret = line.contains("://") || line.contains('@') || line.to_ascii_lowercase().contains("pass");
    (is_known && !may_be_secret).then(|| line.chars().take(MAX_MESSAGE).collect())
}
