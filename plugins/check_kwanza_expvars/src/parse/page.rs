//! The page of expvars, read piece by piece.
//!
//! Go writes one variable a line, so that one whose value is not JSON does not spoil the others. A map of streams that
//! is longer than a piece is read entry by entry, so that a million subscribers take no more memory than a few.
//!
//! What a variable writes may look like lines of the page, the words of a panic for instance. Go sorts the names, so
//! that such lines stand out: of those that are not in order, the fewest are taken for false.

use std::collections::{BTreeMap, BTreeSet};

use common::glob::Glob;
use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_json::Value;

use super::go::{Flaw, flaw, is_open_panic, mended};
use super::subscribers::Subscribers;
use crate::metrics::{MAP, guide};

/// A line that is longer is read entry by entry, if it is the map.
const LONG_LINE: usize = 256 << 10;
/// A page with more variables is another page.
const MOST_VARIABLES: usize = 100_000;
/// How much of a value that is not JSON is looked at.
const FLAWED: usize = 64 << 10;
/// How much of the beginning is kept, to tell what else it is than the page.
const BEGIN: usize = 200;
/// The command line of the program, which can hold passwords.
const HIDDEN: &str = "cmdline";
/// Names under which services publish their number of goroutines.
const GOROUTINES: [&str; 4] = ["goroutines", "Goroutines", "NumGoroutine", "num_goroutine"];

/// What is wanted of the page.
#[derive(Clone, Debug, Default)]
pub struct Wants {
    /// Paths of variables beyond those of the guide.
    pub paths: Vec<Glob>,
    /// How many subscribers to keep.
    pub subscribers: usize,
}

impl Wants {
    /// Whether a variable of this name, or something below it, is wanted.
    fn wants(&self, name: &str) -> bool {
        let is_known = || guide().any(|known| known == name) || GOROUTINES.contains(&name);
        self.paths.iter().any(|glob| may_reach(glob, name)) || is_known()
    }
}

/// Whether a path that begins with variable `name` can match `glob`.
fn may_reach(glob: &Glob, name: &str) -> bool {
    let text = glob.text();
    let plain = text.split(['*', '?']).next().unwrap_or_default();
    match plain.split_once('/') {
        Some((first, _)) => name == first,
        None if plain.len() == text.len() => name == text,
        None => name.starts_with(plain),
    }
}

/// What a page holds.
#[derive(Clone, Debug, Default)]
pub struct Page {
    /// The variables that are wanted, but for the map of streams.
    pub variables: BTreeMap<String, Value>,
    /// The map of streams by subscriber.
    pub subscribers: Option<Subscribers>,
    /// Figures of the program's memory.
    pub memory: Option<MemStats>,
    /// The names of all variables.
    pub names: BTreeSet<String>,
    /// The variables whose value is not JSON, with what is wrong and how they begin.
    pub flaws: Vec<(String, Flaw, String)>,
    /// Bytes.
    pub bytes: u64,
    /// Whether it was read to its end.
    pub is_whole: bool,
}

impl Page {
    /// The goroutines, where they are published.
    pub fn goroutines(&self) -> Option<&Value> {
        GOROUTINES.iter().find_map(|name| self.variables.get(*name))
    }
}

/// `memstats`, as far as it is used: bytes, nanoseconds and counts.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct MemStats {
    /// Bytes allocated since the program was started.
    pub total_alloc: u64,
    /// Bytes in spans that are in use.
    pub heap_inuse: u64,
    /// Bytes of objects.
    pub heap_alloc: u64,
    /// Bytes obtained from the system.
    pub sys: u64,
    /// Garbage collections since the program was started.
    #[serde(rename = "NumGC")]
    pub num_gc: u64,
    /// A ring of the last pauses; 0 where there was none yet.
    pub pause_ns: Vec<u64>,
}

/// Reads a page from pieces.
#[derive(Debug)]
pub struct Reader {
    wants: Wants,
    /// What is not read yet, behind lines that were.
    buffer: Vec<u8>,
    /// Where the next line begins.
    start: usize,
    /// How far the buffer was searched for the end of a line, or the map for the end of an entry.
    searched: usize,
    place: Place,
    /// A variable whose value goes on in the next line, or is not JSON.
    pending: Option<(String, Vec<u8>)>,
    lines: Vec<Line>,
    bytes: u64,
    is_whole: bool,
    begin: Vec<u8>,
}

/// A line of the page that names a variable.
#[derive(Debug)]
struct Line {
    name: String,
    kept: Kept,
    /// Why its value is not JSON, and how that begins.
    flaw: Option<(Flaw, String)>,
}

/// What is kept of a line.
#[derive(Debug)]
enum Kept {
    Nothing,
    Variable(Value),
    Map(Subscribers),
    Memory(MemStats, Option<Value>),
}

/// Where in the page the buffer begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Place {
    /// At its beginning.
    Start,
    /// At a line.
    Lines,
    /// In the map of streams, at a brace that stands for what was read of it.
    Map(Scan),
    /// Behind the map, before the end of its line.
    BehindMap,
    /// Behind its end.
    End,
    /// In something that is not in Go's form.
    Other,
}

/// Where a search in the map is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Scan {
    depth: u32,
    in_string: bool,
    escaped: bool,
}

impl Reader {
    /// A reader that keeps what is wanted.
    pub fn new(wants: Wants) -> Self {
        Self {
            wants,
            buffer: Vec::new(),
            start: 0,
            searched: 0,
            place: Place::Start,
            pending: None,
            lines: Vec::new(),
            bytes: 0,
            is_whole: false,
            begin: Vec::new(),
        }
    }

    /// How the page begins, up to the command line.
    pub fn begin(&self) -> &[u8] {
        let end = self.begin.windows(HIDDEN.len()).position(|word| word == HIDDEN.as_bytes());
        self.begin.get(..end.unwrap_or(self.begin.len())).unwrap_or_default()
    }

    /// How many variables were read so far.
    pub fn count(&self) -> usize {
        self.lines.len()
    }

    /// Whether it is clear by now that this is no page, whatever follows.
    pub fn is_hopeless(&self) -> bool {
        self.is_no_object() || self.lines.len() > MOST_VARIABLES
    }

    fn is_no_object(&self) -> bool {
        self.begin.trim_ascii_start().first().is_some_and(|first| *first != b'{')
    }

    /// Reads on.
    pub fn push(&mut self, piece: &[u8]) {
        self.bytes = self.bytes.saturating_add(u64::try_from(piece.len()).unwrap_or(u64::MAX));
        let missing = BEGIN.saturating_sub(self.begin.len());
        self.begin.extend(piece.iter().take(missing));
        if self.place == Place::End {
            return;
        }
        self.buffer.extend_from_slice(piece);
        while self.step() {}
        self.compact();
    }

    /// Forgets the lines that were read.
    fn compact(&mut self) {
        self.buffer.drain(..self.start);
        self.searched -= self.start;
        self.start = 0;
    }

    /// Reads one line or some entries; says whether there may be more.
    fn step(&mut self) -> bool {
        match self.place {
            Place::Map(scan) => return self.entries(scan),
            Place::End | Place::Other => return false,
            Place::Start | Place::Lines | Place::BehindMap => {}
        }
        let rest = self.buffer.get(self.searched..).unwrap_or_default();
        let Some(end) = rest.iter().position(|byte| *byte == b'\n') else {
            self.searched = self.buffer.len();
            self.compact();
            return self.place == Place::Lines && self.buffer.len() > LONG_LINE && self.enter_map();
        };
        let end = self.searched + end + 1;
        let line = self.buffer.get(self.start..end).unwrap_or_default().to_vec();
        (self.start, self.searched) = (end, end);
        self.line(&line);
        self.lines.len() <= MOST_VARIABLES
    }

    fn line(&mut self, line: &[u8]) {
        match self.place {
            Place::Start => match line.trim_ascii() {
                b"" => {}
                b"{" => self.place = Place::Lines,
                _ => self.go_back(line),
            },
            Place::BehindMap => self.place = Place::Lines,
            // Indented: something between wrote it anew.
            _ if self.lines.is_empty() && self.pending.is_none() && matches!(line.first(), Some(b' ' | b'\t')) => {
                self.go_back(&[b"{\n", line].concat());
            }
            _ => self.variable_line(line),
        }
    }

    /// Takes the page, which began with `line`, for one that is not in Go's form.
    fn go_back(&mut self, line: &[u8]) {
        self.compact();
        self.place = Place::Other;
        let rest = std::mem::take(&mut self.buffer);
        self.buffer = [line, &rest].concat();
        self.searched = 0;
    }

    /// A line between the braces: `"NAME": VALUE`, with a comma where another follows.
    fn variable_line(&mut self, line: &[u8]) {
        let text = line.strip_suffix(b"\n").unwrap_or(line);
        if let Some((_, value)) = self.pending.as_mut().filter(|(_, value)| is_open_panic(value)) {
            append(value, text);
            return;
        }
        if text.trim_ascii() == b"}" && self.pending.as_ref().is_none_or(|(_, value)| !is_open(value)) {
            self.settle();
            self.place = Place::End;
            self.is_whole = true;
            return;
        }
        match name_and_value(text) {
            Some((name, value)) => {
                self.settle();
                if let Some(kept) = self.take(&name, value) {
                    self.lines.push(Line { name, kept, flaw: None });
                } else {
                    let kept = value.get(..value.len().min(FLAWED)).unwrap_or_default();
                    self.pending = Some((name, kept.to_vec()));
                }
            }
            // A value that somebody wrote over several lines.
            None => {
                if let Some((_, value)) = &mut self.pending {
                    append(value, text);
                }
            }
        }
    }

    /// Decides on the variable that is pending.
    fn settle(&mut self) {
        let Some((name, value)) = self.pending.take() else { return };
        if let Some(kept) = self.take(&name, &value) {
            self.lines.push(Line { name, kept, flaw: None });
            return;
        }
        let text = String::from_utf8_lossy(without_comma(&value)).into_owned();
        let (saved, _) = mended(&text);
        let kept = self.take(&name, saved.as_bytes()).unwrap_or(Kept::Nothing);
        let (flaw, begin) = match flaw(&text) {
            // What it says can be a password.
            Flaw::Panicked(_) if name == HIDDEN => (Flaw::Panicked("(not shown)".to_owned()), String::new()),
            flaw if name == HIDDEN => (flaw, String::new()),
            flaw => (flaw, text.trim().chars().take(BEGIN).collect()),
        };
        self.lines.push(Line { name, kept, flaw: Some((flaw, begin)) });
    }

    /// What is wanted of a variable; `None` where its value is not JSON.
    fn take(&self, name: &str, value: &[u8]) -> Option<Kept> {
        let value = without_comma(value);
        let nothing = || serde_json::from_slice::<IgnoredAny>(value).ok().map(|_| Kept::Nothing);
        let variable = || serde_json::from_slice(value).ok();
        match name {
            // It can hold passwords, so it is not even kept until it is dropped.
            HIDDEN => nothing(),
            MAP => {
                let mut subscribers = Subscribers::new(self.wants.subscribers);
                match subscribers.add(value) {
                    Ok(()) => Some(Kept::Map(subscribers)),
                    // A map of Go that was never made has no entries.
                    Err(_) if value == b"null" => Some(Kept::Map(Subscribers::new(self.wants.subscribers))),
                    Err(_) => variable().map(Kept::Variable),
                }
            }
            "memstats" => match serde_json::from_slice(value) {
                Ok(memory) => Some(Kept::Memory(memory, if self.wants.wants("memstats") { variable() } else { None })),
                Err(_) => nothing(),
            },
            name if self.wants.wants(name) => variable().map(Kept::Variable),
            _ => nothing(),
        }
    }

    /// Enters the map of streams if the buffer begins with it; says so.
    fn enter_map(&mut self) -> bool {
        let Some(open) = self.buffer.iter().position(|byte| *byte == b'{') else { return false };
        let start = self.buffer.get(..open).unwrap_or_default().trim_ascii_end();
        if name_and_value(start).is_none_or(|(name, value)| name != MAP || !value.is_empty()) {
            return false;
        }
        self.settle();
        self.buffer.drain(..open);
        self.searched = 0;
        let kept = Kept::Map(Subscribers::new(self.wants.subscribers));
        self.lines.push(Line { name: MAP.to_owned(), kept, flaw: None });
        self.place = Place::Map(Scan::default());
        true
    }

    /// Reads the entries that are there as a whole; says whether the map has ended.
    fn entries(&mut self, mut scan: Scan) -> bool {
        let mut last = None;
        let mut end = None;
        for (at, byte) in self.buffer.iter().enumerate().skip(self.searched) {
            match byte {
                _ if scan.escaped => scan.escaped = false,
                b'\\' if scan.in_string => scan.escaped = true,
                b'"' => scan.in_string = !scan.in_string,
                _ if scan.in_string => {}
                b'{' | b'[' => scan.depth += 1,
                b'}' | b']' => {
                    scan.depth = scan.depth.saturating_sub(1);
                    if scan.depth == 0 {
                        end = Some(at);
                        break;
                    }
                }
                b',' if scan.depth == 1 => last = Some(at),
                _ => {}
            }
        }
        self.searched = self.buffer.len();
        self.place = Place::Map(scan);
        let Some(upto) = end.or(last) else { return false };
        if let Some(byte) = self.buffer.get_mut(upto) {
            *byte = b'}';
        }
        self.add_entries(upto);
        if end.is_some() {
            self.buffer.drain(..=upto);
            self.searched = 0;
            self.place = Place::BehindMap;
            return true;
        }
        // The comma, which became a brace, now opens what follows.
        self.buffer.drain(..upto);
        if let Some(byte) = self.buffer.first_mut() {
            *byte = b'{';
        }
        self.searched = self.buffer.len();
        false
    }

    /// Adds the entries in the buffer up to the brace at `upto`.
    fn add_entries(&mut self, upto: usize) {
        let piece = self.buffer.get(..=upto).unwrap_or_default();
        let Some(Line { kept: Kept::Map(subscribers), flaw: found, .. }) = self.lines.last_mut() else { return };
        if subscribers.add(piece).is_ok() {
            return;
        }
        let text = String::from_utf8_lossy(piece).into_owned();
        let (saved, _) = mended(&text);
        let added = subscribers.add(saved.as_bytes());
        let kind = if added.is_ok() { flaw(&text) } else { Flaw::Garbage };
        found.get_or_insert_with(|| (kind, text.chars().take(BEGIN).collect()));
    }

    /// The page. The error says why it is none.
    pub fn finish(mut self) -> Result<Page, String> {
        if self.lines.len() > MOST_VARIABLES {
            return Err(format!("it has more than {MOST_VARIABLES} variables"));
        }
        let rest = std::mem::take(&mut self.buffer);
        match self.place {
            Place::End | Place::Map(_) | Place::BehindMap => {}
            Place::Lines => {
                if !rest.is_empty() {
                    self.variable_line(&rest);
                }
                self.settle();
            }
            Place::Start | Place::Other => self.other_form(&rest)?,
        }
        Ok(self.page())
    }

    /// JSON that is not in Go's form, because something between wrote it anew.
    fn other_form(&mut self, text: &[u8]) -> Result<(), String> {
        if text.trim_ascii().is_empty() {
            return Err("it is empty".to_owned());
        }
        if self.is_no_object() {
            return Err("it is no JSON object".to_owned());
        }
        let variables: BTreeMap<String, Box<serde_json::value::RawValue>> =
            serde_json::from_slice(text).map_err(|error| format!("it is no whole JSON object: {error}"))?;
        for (name, value) in variables {
            let kept = self.take(&name, value.get().as_bytes()).unwrap_or(Kept::Nothing);
            self.lines.push(Line { name, kept, flaw: None });
        }
        self.is_whole = true;
        Ok(())
    }

    /// What its lines say together.
    fn page(self) -> Page {
        let names: Vec<&str> = self.lines.iter().map(|line| line.name.as_str()).collect();
        let are_in_order = in_order(&names);
        let mut page = Page { bytes: self.bytes, is_whole: self.is_whole, ..Page::default() };
        for (line, is_in_order) in self.lines.into_iter().zip(are_in_order) {
            if !is_in_order {
                page.flaws.push((line.name, Flaw::OutOfOrder, String::new()));
                continue;
            }
            page.names.insert(line.name.clone());
            if let Some((flaw, begin)) = line.flaw {
                page.flaws.push((line.name.clone(), flaw, begin));
            }
            match line.kept {
                Kept::Nothing => {}
                Kept::Variable(value) => drop(page.variables.insert(line.name, value)),
                Kept::Map(subscribers) => page.subscribers = Some(subscribers),
                Kept::Memory(memory, value) => {
                    page.memory = Some(memory);
                    page.variables.extend(value.map(|value| (line.name, value)));
                }
            }
        }
        page
    }
}

/// Which of `names` to keep, as many as can be, so that those that are kept rise.
fn in_order(names: &[&str]) -> Vec<bool> {
    if names.is_sorted_by(|a, b| a < b) {
        return vec![true; names.len()];
    }
    // Of the chains of each length, the place of the one that ends with the least name.
    let mut ends: Vec<usize> = Vec::new();
    let mut before: Vec<Option<usize>> = Vec::new();
    for (place, name) in names.iter().enumerate() {
        let length = ends.partition_point(|end| names.get(*end).is_some_and(|end| end < name));
        before.push(length.checked_sub(1).and_then(|length| ends.get(length).copied()));
        match ends.get_mut(length) {
            Some(end) => *end = place,
            None => ends.push(place),
        }
    }
    let mut kept = vec![false; names.len()];
    let mut next = ends.last().copied();
    while let Some(place) = next {
        kept.get_mut(place).into_iter().for_each(|kept| *kept = true);
        next = before.get(place).copied().flatten();
    }
    kept
}

/// Adds a line to a value, unless that is long already.
fn append(value: &mut Vec<u8>, line: &[u8]) {
    if value.len() < FLAWED {
        value.push(b'\n');
        value.extend_from_slice(line);
    }
}

/// Name and value of a line. The name is quoted as Go quotes it.
fn name_and_value(line: &[u8]) -> Option<(String, &[u8])> {
    let inner = line.strip_prefix(b"\"")?;
    let mut escaped = false;
    let end = inner.iter().position(|byte| match byte {
        _ if escaped => {
            escaped = false;
            false
        }
        b'\\' => {
            escaped = true;
            false
        }
        byte => *byte == b'"',
    })?;
    let value = inner.get(end + 1..)?.strip_prefix(b":")?.trim_ascii_start();
    let quoted = String::from_utf8_lossy(line.get(..end + 2)?).into_owned();
    let name = serde_json::from_str(&quoted).or_else(|_| serde_json::from_str(&mended(&quoted).0)).ok()?;
    Some((name, value))
}

fn without_comma(value: &[u8]) -> &[u8] {
    let value = value.trim_ascii_end();
    value.strip_suffix(b",").unwrap_or(value)
}

/// Whether more of a value that was begun is to come: it has more opening braces than closing ones.
fn is_open(value: &[u8]) -> bool {
    let count = |wanted: &[u8]| value.iter().filter(|byte| wanted.contains(byte)).count();
    count(b"{[") > count(b"}]")
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn read(text: &str, piece: usize, paths: &[&str]) -> Result<Page, String> {
        let paths = paths.iter().map(|path| Glob::new(path)).collect();
        let mut reader = Reader::new(Wants { paths, subscribers: 3 });
        text.as_bytes().chunks(piece.max(1)).for_each(|piece| reader.push(piece));
        reader.finish()
    }

    const PAGE: &str = "{\n\"Notifications\": 9007199254740993,\n\"PerSubscriberStreams\": {\"a, b\": 2, \"c\\\"}\": 3},\n\"Streams\": 5,\n\
        \"cmdline\": [\"kwanza\",\"serve\",\"postgres://u:s3cret@h/db\"],\n\"memstats\": {\"TotalAlloc\":7,\"NumGC\":2,\"PauseNs\":[1,0],\"X\":1e300},\n\"other\": {\"deep\": [1]}\n}\n";

    #[test]
    fn a_page_is_the_same_in_pieces_of_any_size() {
        for piece in [1, 2, 3, 7, 1000] {
            let page = read(PAGE, piece, &["other/*"]).unwrap();
            assert!(page.is_whole && page.flaws.is_empty(), "{page:?}");
            assert_eq!(page.variables["Notifications"].to_string(), "9007199254740993");
            assert_eq!(page.variables.keys().collect::<Vec<_>>(), ["Notifications", "Streams", "other"]);
            let subscribers = page.subscribers.as_ref().unwrap();
            assert_eq!((subscribers.count, subscribers.streams), (2, 5));
            assert_eq!(page.memory.as_ref().unwrap().total_alloc, 7);
            assert_eq!(page.names.len(), 6);
            assert!(!format!("{page:?}").contains("s3cret"));
        }
    }

    #[test]
    fn a_variable_that_is_not_json_does_not_spoil_the_others() {
        let text = "{\n\"A\": NaN,\n\"Func\": ,\n\"Map\": {\"\\x00\": 1},\n\"Notifications\": 7,\n\"P\": %!s(PANIC=String method: boom),\n\"Pings\": +Inf\n}\n";
        for piece in [1, 5, 500] {
            let page = read(text, piece, &["Map/*"]).unwrap();
            let flaws: Vec<(&str, &Flaw)> = page.flaws.iter().map(|(name, flaw, _)| (name.as_str(), flaw)).collect();
            assert_eq!(
                flaws,
                [
                    ("A", &Flaw::NotFinite),
                    ("Func", &Flaw::Empty),
                    ("Map", &Flaw::Escapes),
                    ("P", &Flaw::Panicked("boom".to_owned())),
                    ("Pings", &Flaw::NotFinite)
                ]
            );
            assert_eq!(page.variables["Notifications"], 7);
            assert_eq!(page.variables["Map"]["\0"], 1);
            assert!(page.is_whole && page.names.len() == 6);
        }
    }

    #[test]
    fn values_over_several_lines_are_put_together() {
        let page = read("{\n\"Pings\": {\n  \"x\": 1\n},\n\"Streams\": 2\n}\n", 1000, &[]).unwrap();
        assert_eq!((&page.variables["Pings"]["x"], &page.variables["Streams"]), (&Value::from(1), &Value::from(2)));
        assert!(page.flaws.is_empty() && page.is_whole);
    }

    #[test]
    fn a_long_map_is_read_entry_by_entry() {
        let entries: Vec<String> = (0..40_000).map(|i| format!("\"subscriber-{i}, {{}}\": {}", i % 10)).collect();
        let text = format!(
            "{{\n\"Notifications\": 1,\n\"PerSubscriberStreams\": {{{}}},\n\"Streams\": 2\n}}\n",
            entries.join(", ")
        );
        assert!(text.len() > 4 * LONG_LINE);
        for piece in [977, 65_536, text.len()] {
            let mut reader = Reader::new(Wants { paths: Vec::new(), subscribers: 2 });
            let mut most = 0;
            for piece in text.as_bytes().chunks(piece) {
                reader.push(piece);
                most = most.max(reader.buffer.len());
            }
            let page = reader.finish().unwrap();
            assert!(piece == text.len() || most < 2 * LONG_LINE, "{most} bytes were kept at once");
            let subscribers = page.subscribers.unwrap();
            assert_eq!((subscribers.count, subscribers.streams), (40_000, 180_000));
            assert_eq!(page.variables["Streams"], 2);
            assert!(page.is_whole && page.flaws.is_empty());
        }
    }

    #[test]
    fn a_page_in_another_form_is_one_still() {
        let one_line = r#"{"Streams":5,"PerSubscriberStreams":{"a":1},"cmdline":["x"]}"#;
        let indented =
            "{\n  \"cmdline\": [\n    \"x\"\n  ],\n  \"Streams\": 5,\n  \"PerSubscriberStreams\": {\"a\": 1}\n}\n";
        let tabs = indented.replace("  ", "\t");
        for text in [one_line, indented, &tabs] {
            let page = read(text, 4, &[]).unwrap();
            assert_eq!((page.variables["Streams"].as_u64(), page.subscribers.unwrap().count), (Some(5), 1), "{text}");
            assert!(page.is_whole && page.flaws.is_empty(), "{text}");
        }
    }

    #[test]
    fn lines_that_a_variable_forges_replace_none() {
        let page = |text: &str| {
            let page = read(text, 7, &[]).unwrap();
            let flaws: Vec<String> = page.flaws.iter().map(|(name, flaw, _)| format!("{name} {flaw:?}")).collect();
            (page.variables.get("Streams").and_then(Value::as_u64), flaws.join(", "))
        };
        for (text, flaws) in [
            // The words of a panic end with the last bracket.
            (
                "\"P\": %!s(PANIC=a,\n\"Streams\": 99,\n\"Q\": 1),\n\"Pings\": 1,\n\"Streams\": 12",
                "P Panicked(\"a,\\n\\\"Streams\\\": 99,\\n\\\"Q\\\": 1\")",
            ),
            (
                "\"P\": %!s(PANIC=a),\n\"Streams\": 99,\n\"Pings\": 1,\n\"Streams\": 12",
                "P Panicked(\"a\"), Streams OutOfOrder",
            ),
            (
                "\"Pings\": 1,\n\"Streams\": 12,\n\"z\": %!s(PANIC=a),\n\"Streams\": 99",
                "z Panicked(\"a\"), Streams OutOfOrder",
            ),
            ("\"Pings\": 1,\n\"Streams\": 12,\n\"Streams\": 12", "Streams OutOfOrder"),
        ] {
            assert_eq!(page(&format!("{{\n{text}\n}}\n")), (Some(12), flaws.to_owned()), "{text}");
        }
    }

    #[test]
    fn of_names_that_are_not_in_order_the_fewest_are_left_out() {
        let kept = |names: &[&str]| {
            let kept = in_order(names);
            names.iter().zip(kept).filter(|(_, kept)| *kept).map(|(name, _)| *name).collect::<String>()
        };
        assert_eq!(kept(&["a", "b", "c"]), "abc");
        assert_eq!(kept(&["a", "x", "y", "b", "c", "d"]), "abcd");
        assert_eq!(kept(&["b", "c", "d", "a", "d", "e"]), "bcde");
        assert_eq!(kept(&[]), "");
    }

    #[test]
    fn what_is_no_page_is_refused_and_what_is_cut_off_is_said() {
        for text in ["", "\n\n", "<html>\n<body>\n", "null", "[1]", "{\"a\""] {
            assert!(read(text, 3, &[]).is_err(), "{text}");
        }
        let mut reader = Reader::new(Wants::default());
        reader.push(b"{\"a\":1,\"cmdline\":[\"--token=s3cret\"");
        assert_eq!(reader.begin(), b"{\"a\":1,\"");
        assert!(!reader.is_hopeless());
        for text in ["{\n\"Streams\": 5,\n\"Pings\": 1", "{\n\"Streams\": 5,\n", "{\n"] {
            assert!(!read(text, 3, &[]).unwrap().is_whole, "{text}");
        }
    }

    proptest! {
        #[test]
        fn every_text_is_taken(text in "[{}\\[\\]\",:\n a1N\\\\x]{0,80}", piece in 1usize..20) {
            let _ = read(&format!("{{\n\"PerSubscriberStreams\": {text}"), piece, &["*"]);
            let _ = read(&text, piece, &["*"]);
        }
    }
}
