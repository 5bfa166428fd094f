//! Rows in a script of `pg_restore`, table by table. Pure.

use std::collections::BTreeMap;
use std::io::{self, BufRead, Read as _};

/// A table: its schema and its name, without quotes.
pub type Name = (String, String);

/// Of a line so much is looked at.
const MOST_OF_A_LINE: u64 = 4096;

/// Counts the rows of each table that the script fills with `COPY`.
pub fn count(script: &mut impl BufRead) -> io::Result<BTreeMap<Name, u64>> {
    let mut rows: BTreeMap<Name, u64> = BTreeMap::new();
    let mut table: Option<Name> = None;
    let mut line = Vec::new();
    while next_line(script, &mut line)? {
        match &table {
            Some(name) if line == b"\\.\n" => {
                rows.entry(name.clone()).or_default();
                table = None;
            }
            Some(name) => *rows.entry(name.clone()).or_default() += 1,
            None => table = copied_table(&String::from_utf8_lossy(&line)),
        }
    }
    Ok(rows)
}

/// Reads the beginning of the next line and passes the rest of it. Whether there is one.
fn next_line(script: &mut impl BufRead, line: &mut Vec<u8>) -> io::Result<bool> {
    line.clear();
    script.take(MOST_OF_A_LINE).read_until(b'\n', line)?;
    if line.last().is_some_and(|byte| *byte != b'\n') {
        script.skip_until(b'\n')?;
    }
    Ok(!line.is_empty())
}

/// The table of `COPY public.devices (id, name) FROM stdin;`.
fn copied_table(line: &str) -> Option<Name> {
    let rest = line.strip_prefix("COPY ")?;
    let (first, rest) = identifier(rest)?;
    match rest.strip_prefix('.') {
        Some(rest) => identifier(rest).map(|(second, _)| (first, second)),
        None => Some((String::new(), first)),
    }
}

/// An identifier, quoted or not, and what follows it.
fn identifier(text: &str) -> Option<(String, &str)> {
    let Some(mut rest) = text.strip_prefix('"') else {
        let end = text.find(['.', ' ', '('])?;
        let (name, rest) = text.split_at(end);
        return Some((name.to_owned(), rest));
    };
    let mut name = String::new();
    loop {
        let (part, after) = rest.split_once('"')?;
        name.push_str(part);
        // A quote within a name is doubled.
        match after.strip_prefix('"') {
            Some(after) => {
                name.push('"');
                rest = after;
            }
            None => return Some((name, after)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_counted_by_table() {
        let long = "x".repeat(10_000);
        let script = format!(
            "SET x = 1;\nCOPY public.a (id) FROM stdin;\n1\n{long}\n\\.\n\n\nCOPY public.empty (id) FROM stdin;\n\\.\n\n\n\
             COPY \"Odd. \"\"Schema\".\"my table\" (x, y) FROM stdin;\nCOPY public.a (id) FROM stdin;\n\\.\n"
        );
        let rows = count(&mut script.as_bytes()).unwrap();
        let name = |schema: &str, table: &str| (schema.to_owned(), table.to_owned());
        let expected = [(name("Odd. \"Schema", "my table"), 1), (name("public", "a"), 2), (name("public", "empty"), 0)];
        assert_eq!(rows.into_iter().collect::<Vec<_>>(), expected);
    }

    #[test]
    fn what_is_no_copy_is_passed() {
        for line in ["SELECT 1;\n", "COPY\n", "COPY \"unfinished\n", ""] {
            assert_eq!(count(&mut line.as_bytes()).unwrap().len(), 0, "{line}");
        }
    }
}
