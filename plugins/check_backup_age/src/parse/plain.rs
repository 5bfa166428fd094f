//! Dumps in SQL, of `pg_dump` (`-F p`) and of `pg_dumpall`. Their comments tell what they hold.

use super::fault::Kind;
use super::input::{Bytes, Stop};
use super::inspection::{Compression, Contents, Format, Header, Level, LocalTime, Table};
use super::walk::{Walk, broken};

/// Bytes at the end within which the last words stand: newer versions put `\unrestrict KEY` after them.
pub(crate) const END: u64 = 1024;
/// Bytes at the beginning within which the head stands.
const HEAD: usize = 64 * 1024;
/// The part of a line that is looked at.
const LINE: usize = 512;

const DATABASE: &[u8] = b"-- PostgreSQL database dump";
const CLUSTER: &[u8] = b"-- PostgreSQL database cluster dump";
const COMPLETE: &[u8] = b" complete";
const END_OF_ROWS: &[u8] = b"\\.";

/// The format of what begins so.
pub(crate) fn recognise(head: &[u8]) -> Option<Format> {
    let words = head.strip_prefix(b"--\n").or_else(|| head.strip_prefix(b"--\r\n"))?;
    match () {
        () if words.starts_with(DATABASE) => Some(Format::Plain),
        () if words.starts_with(CLUSTER) => Some(Format::Cluster),
        () => None,
    }
}

/// Whether SQL that ends so is complete: the last words of `pg_dump`, and nothing but comments and `\unrestrict` behind.
pub(crate) fn is_complete(end: &[u8]) -> bool {
    let mut script = Script::new(Format::Plain);
    let mut contents = Contents::default();
    for line in end.split(|byte| *byte == b'\n') {
        script.line(line, &mut contents);
    }
    script.is_complete
}

/// Walks through a dump.
pub(crate) fn walk(bytes: &mut Bytes, format: Format, walk: &mut Walk) -> Result<(), Stop> {
    let head = bytes.peek(HEAD)?;
    let is_converted = head.starts_with(b"--\r\n");
    let header = header(head, &mut walk.found.contents);
    walk.found.header = Some(header);
    if is_converted {
        return Err(Stop::Broken(Level::Header, Kind::LineEnds));
    }
    if walk.found.level == Level::Header {
        return Ok(());
    }
    walk.level = Level::Structure;
    match bytes.length() {
        Some(length) if !walk.is_full() => last_words(bytes, format, length),
        _ => read(bytes, format, walk),
    }
}

/// What the head tells.
fn header(head: &[u8], contents: &mut Contents) -> Header {
    let mut header = Header {
        version: None,
        compression: Compression::None,
        created: None,
        database: None,
        server_version: None,
        pg_dump_version: None,
    };
    let is_cluster = recognise(head) == Some(Format::Cluster);
    for line in head.split(|byte| *byte == b'\n') {
        let line = String::from_utf8_lossy(line.get(..LINE).unwrap_or(line));
        let line = line.trim_end_matches('\r');
        if line.starts_with("-- Data for Name: ") {
            break;
        }
        let words = |words| line.strip_prefix(words).map(str::to_owned);
        header.server_version = header.server_version.or_else(|| words("-- Dumped from database version "));
        header.pg_dump_version = header.pg_dump_version.or_else(|| words("-- Dumped by pg_dump version "));
        header.created = header.created.or_else(|| local_time(line.strip_prefix("-- Started on ")?));
        contents.has_database_entry |= line.starts_with("CREATE DATABASE ");
        if !is_cluster {
            header.database = header.database.or_else(|| connected(line.strip_prefix("\\connect ")?));
        }
    }
    header
}

/// `2026-11-25 03:07:15 UTC`, of which the zone may be any words.
fn local_time(text: &str) -> Option<LocalTime> {
    let mut fields = text.split([' ', '-', ':']).map(str::parse::<i16>);
    let mut field = |range: std::ops::RangeInclusive<i16>| fields.next()?.ok().filter(|value| range.contains(value));
    let year = field(1970..=9999)?;
    let mut small = |range| field(range).and_then(|value| i8::try_from(value).ok());
    Some(LocalTime {
        year,
        month: small(1..=12)?,
        day: small(1..=31)?,
        hour: small(0..=23)?,
        minute: small(0..=59)?,
        second: small(0..=60)?,
        is_daylight_saving: None,
    })
}

/// The database of `\connect`: `name`, `"a name"` or `-reuse-previous=on "dbname='a name'"`.
fn connected(arguments: &str) -> Option<String> {
    let name = arguments.strip_prefix("-reuse-previous=on ").unwrap_or(arguments).trim();
    let Some(quoted) = name.strip_prefix('"').and_then(|name| name.strip_suffix('"')) else {
        return (!name.is_empty()).then(|| name.to_owned());
    };
    let quoted = quoted.replace("\"\"", "\"");
    match quoted.strip_prefix("dbname='").and_then(|name| name.strip_suffix('\'')) {
        Some(name) => Some(name.replace("\\'", "'").replace("\\\\", "\\")),
        None => Some(quoted),
    }
}

/// Looks for the last words only.
fn last_words(bytes: &mut Bytes, format: Format, length: u64) -> Result<(), Stop> {
    let kept = length.saturating_sub(bytes.offset()).min(END);
    bytes.skip(length - bytes.offset() - kept)?;
    let mut end = Vec::new();
    bytes.each(kept, |piece| {
        end.extend_from_slice(piece);
        Ok(())
    })?;
    let mut script = Script::new(format);
    for line in end.split(|byte| *byte == b'\n') {
        script.line(line, &mut Contents::default());
    }
    match script.is_complete {
        true => Ok(()),
        false if end.ends_with(&[0; 8]) => Err(broken(Kind::ZeroTail)),
        false => Err(broken(if script.was_complete { Kind::Trailing } else { Kind::Truncated })),
    }
}

/// Reads all.
fn read(bytes: &mut Bytes, format: Format, walk: &mut Walk) -> Result<(), Stop> {
    let contents = &mut walk.found.contents;
    contents.entries = Some(0);
    contents.tables = Some(0);
    contents.tables_with_data = Some(0);
    contents.large_objects = Some(0);
    contents.roles = Some(0);
    let mut script = Script::new(format);
    let mut line = Vec::new();
    loop {
        walk.offset = bytes.offset();
        let piece = bytes.available()?;
        if let Some(at) = memchr::memchr(0, piece) {
            script.piece(piece.get(..at).unwrap_or_default(), &mut line, &mut walk.found.contents);
            walk.offset += at as u64;
            walk.within = script.within(&walk.found.contents);
            let is_tail = bytes.are_zeros_to_end(at)?;
            return Err(broken(if is_tail { Kind::ZeroTail } else { Kind::Hole }));
        }
        let count = piece.len();
        if count == 0 {
            break;
        }
        script.piece(piece, &mut line, &mut walk.found.contents);
        bytes.consume(count);
    }
    script.line(&line, &mut walk.found.contents);
    walk.within = script.within(&walk.found.contents);
    if script.is_complete {
        Ok(())
    } else {
        Err(broken(if script.was_complete { Kind::Trailing } else { Kind::Truncated }))
    }
}

/// Where a line stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Place {
    /// Among statements.
    Statements,
    /// In the comment that names the data of a table, whose rows follow at once if they follow with `COPY`.
    DataComment,
    /// In a `COPY` with a name that has a line feed.
    Copy,
    /// Among the rows of `COPY`, after so many.
    Rows(u64),
}

/// A reader of lines.
struct Script {
    last_words: Vec<u8>,
    place: Place,
    /// Whether the line before was `--`, which stands above the name of an entry; `--verbose` puts more between them.
    is_ruled: bool,
    /// The table whose data is read, in [`Contents::with_data`].
    table: Option<u16>,
    /// Whether the last words have come, and nothing but comments after them.
    is_complete: bool,
    was_complete: bool,
}

impl Script {
    fn new(format: Format) -> Self {
        let words = if format == Format::Cluster { CLUSTER } else { DATABASE };
        let last_words = [words, COMPLETE].concat();
        Self {
            last_words,
            place: Place::Statements,
            is_ruled: false,
            table: None,
            is_complete: false,
            was_complete: false,
        }
    }

    /// Takes the lines of a piece. What it ends with waits in `line` for the next; of long lines only the beginning.
    fn piece(&mut self, piece: &[u8], line: &mut Vec<u8>, contents: &mut Contents) {
        let keep = |line: &mut Vec<u8>, more: &[u8]| {
            let room = LINE.saturating_sub(line.len()).min(more.len());
            line.extend_from_slice(more.get(..room).unwrap_or_default());
        };
        let mut begin = 0;
        for end in memchr::memchr_iter(b'\n', piece) {
            let whole = piece.get(begin..end).unwrap_or_default();
            begin = end + 1;
            if line.is_empty() {
                self.line(whole, contents);
            } else {
                keep(line, whole);
                self.line(line, contents);
                line.clear();
            }
        }
        keep(line, piece.get(begin..).unwrap_or_default());
    }

    /// Takes a line, or the beginning of one that is long.
    fn line(&mut self, line: &[u8], contents: &mut Contents) {
        if let Place::Rows(rows) = self.place {
            self.place = Place::Rows(rows + 1);
            if line == END_OF_ROWS {
                self.end_rows(rows, contents);
            }
            return;
        }
        if line == self.last_words {
            self.is_complete = true;
            self.was_complete = true;
        } else if !(line.is_empty() || line.starts_with(b"--") || line.starts_with(b"\\unrestrict ")) {
            self.is_complete = false;
        }
        let was_ruled = self.is_ruled;
        let is_between = line.starts_with(b"-- TOC entry ") || line.starts_with(b"-- Dependencies: ");
        self.is_ruled = line == b"--" || (was_ruled && is_between);
        match line {
            [b'-', b'-', ..] if was_ruled => self.comment(line, contents),
            [] | [b'-', b'-', ..] => {}
            _ if self.place == Place::Copy || (self.place == Place::DataComment && line.starts_with(b"COPY ")) => {
                // Of a long line the end is not known.
                let is_whole = line.ends_with(b" FROM stdin;") || line.len() >= LINE;
                self.place = if is_whole { Place::Rows(0) } else { Place::Copy };
            }
            _ => {
                self.place = Place::Statements;
                if line.starts_with(b"CREATE ROLE ") {
                    count(&mut contents.roles);
                } else if line.starts_with(b"CREATE DATABASE ") {
                    contents.has_database_entry = true;
                } else if line.starts_with(b"SELECT pg_catalog.lo_open(") {
                    count(&mut contents.large_objects);
                }
            }
        }
    }

    /// `-- Name: devices; Type: TABLE; Schema: public; Owner: postgres`, and `-- Data for Name: …` alike.
    fn comment(&mut self, line: &[u8], contents: &mut Contents) {
        let text = String::from_utf8_lossy(line.get(..LINE).unwrap_or(line));
        let entry = text.strip_prefix("-- Name: ").or_else(|| text.strip_prefix("-- Data for Name: "));
        let Some((name, rest)) = entry.and_then(|entry| entry.split_once("; Type: ")) else { return };
        count(&mut contents.entries);
        let mut fields = rest.split("; ");
        let kind = fields.next().unwrap_or_default();
        let schema = fields.next().and_then(|field| field.strip_prefix("Schema: ")).filter(|schema| *schema != "-");
        let table = || Table { schema: schema.unwrap_or_default().to_owned(), name: name.to_owned(), rows: None };
        match kind {
            "TABLE" | "FOREIGN TABLE" => {
                count(&mut contents.tables);
                contents.keep(table(), |contents| &mut contents.defined);
            }
            "TABLE DATA" => {
                count(&mut contents.tables_with_data);
                self.table = contents.keep(table(), |contents| &mut contents.with_data);
                self.place = Place::DataComment;
            }
            _ => {}
        }
    }

    fn end_rows(&mut self, rows: u64, contents: &mut Contents) {
        self.place = Place::Statements;
        let at = self.table.take().map(usize::from);
        if let Some(table) = at.and_then(|at| contents.with_data.get_mut(at)) {
            table.rows = Some(rows);
        }
    }

    /// The table whose rows have begun and not ended.
    fn within(&self, contents: &Contents) -> Option<String> {
        let Place::Rows(_) = self.place else { return None };
        let at = self.table.map(usize::from)?;
        contents.with_data.get(at).map(|table| format!("the data of {table}"))
    }
}

/// Counts, where counting was begun.
fn count(counter: &mut Option<u64>) {
    *counter = counter.map(|count| count + 1);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_words_may_be_followed_by_comments_and_unrestrict() {
        let end = "COPY t FROM stdin;\n--\n-- PostgreSQL database dump complete\n--\n\n";
        for (more, expected) in
            [("", true), ("\\unrestrict key\n\n", true), ("-- Completed on now\n", true), ("DROP TABLE t;\n", false)]
        {
            assert_eq!(is_complete(format!("{end}{more}").as_bytes()), expected, "{more}");
        }
        assert!(!is_complete(b"-- PostgreSQL database dump\n--\n"));
    }

    #[test]
    fn the_database_is_the_one_that_is_connected_to() {
        for (arguments, expected) in [
            ("kwanza", Some("kwanza")),
            ("\"with space\"", Some("with space")),
            ("-reuse-previous=on \"dbname='it\\'s'\"", Some("it's")),
            ("", None),
        ] {
            assert_eq!(connected(arguments).as_deref(), expected, "{arguments}");
        }
    }

    #[test]
    fn the_time_of_a_verbose_dump_is_read() {
        let time = local_time("2026-11-25 03:07:15 UTC").unwrap();
        assert_eq!((time.year, time.month, time.day), (2026, 11, 25));
        assert_eq!((time.hour, time.minute, time.second), (3, 7, 15));
        for bad in ["", "2026-13-25 03:07:15", "Wed Nov 25", "2026-11-25"] {
            assert_eq!(local_time(bad), None, "{bad}");
        }
    }
}
