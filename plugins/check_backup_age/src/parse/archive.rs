//! The header and the table of contents that tar, custom and directory dumps share: `pg_backup_archiver.c`.

use std::num::NonZeroU64;

use super::fault::{Kind, Unverified};
use super::input::{Bytes, Stop};
use super::inspection::{Compression, Contents, Header, Level, LocalTime, Table, Version};

/// What an archive begins with.
pub(crate) const MAGIC: &[u8; 5] = b"PGDMP";
/// The versions that are known: 9.0 to 19.
const KNOWN: std::ops::RangeInclusive<(u8, u8)> = (1, 12)..=(1, 16);
/// The longest string that is kept. Longer ones, such as the definition of a huge view, are passed over.
const MAX_KEPT: usize = 1024;

/// What is needed to read the rest of an archive.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Shape {
    /// The version of the format.
    pub(crate) version: Version,
    /// 1 custom, 3 tar or directory.
    pub(crate) format: u8,
    /// Entries of the table of contents.
    pub(crate) entries: u64,
}

fn damaged<T>(what: &'static str) -> Result<T, Stop> {
    Err(Stop::Broken(Level::Header, Kind::Damaged(what.into())))
}

/// Reads the header; the table of contents follows.
pub(crate) fn header(bytes: &mut Bytes) -> Result<(Header, Shape), Stop> {
    if bytes.array()? != *MAGIC {
        return damaged("a field");
    }
    let [major, minor, revision] = bytes.array()?;
    let version = Version { major, minor, revision };
    if (major, minor) > *KNOWN.end() {
        return Err(Stop::Unknown(Unverified::Newer(version)));
    }
    if (major, minor) < *KNOWN.start() {
        return Err(Stop::Unknown(Unverified::Older(version)));
    }
    let [int_size, offset_size, format] = bytes.array()?;
    if int_size != 4 || offset_size != 8 || !matches!(format, 1 | 3) {
        return damaged("a field");
    }
    let mut shape = Shape { version, format, entries: 0 };
    let compression = compression(bytes, shape)?;
    let created = Some(created(bytes)?);
    let database = string(bytes)?;
    let server_version = string(bytes)?;
    let pg_dump_version = string(bytes)?;
    let Ok(entries) = u64::try_from(integer(bytes)?) else { return damaged("a field") };
    shape.entries = entries;
    let header = Header { version: Some(version), compression, created, database, server_version, pg_dump_version };
    Ok((header, shape))
}

/// From 1.15 on an enumeration, before a level of gzip.
fn compression(bytes: &mut Bytes, shape: Shape) -> Result<Compression, Stop> {
    if shape.version.minor >= 15 {
        return match bytes.byte()? {
            0 => Ok(Compression::None),
            1 => Ok(Compression::Gzip),
            2 => Ok(Compression::Lz4),
            3 => Ok(Compression::Zstd),
            _ => damaged("a field"),
        };
    }
    match integer(bytes)? {
        0 => Ok(Compression::None),
        -1 | 1..=9 => Ok(Compression::Gzip),
        _ => damaged("a field"),
    }
}

/// A `struct tm` of seven integers.
fn created(bytes: &mut Bytes) -> Result<LocalTime, Stop> {
    let mut field = |range: std::ops::RangeInclusive<i64>| match integer(bytes)? {
        value if range.contains(&value) => Ok(i16::try_from(value).unwrap_or_default()),
        _ => damaged("the time"),
    };
    let small = |value: i16| i8::try_from(value).unwrap_or_default();
    let (second, minute, hour) = (field(0..=60)?, field(0..=59)?, field(0..=23)?);
    let (day, month, year) = (field(1..=31)?, field(0..=11)?, field(70..=8099)?);
    let is_daylight_saving = match field(-1..=1)? {
        0 => Some(false),
        1 => Some(true),
        _ => None,
    };
    Ok(LocalTime {
        year: year + 1900,
        month: small(month) + 1,
        day: small(day),
        hour: small(hour),
        minute: small(minute),
        second: small(second),
        is_daylight_saving,
    })
}

/// A sign and a magnitude in little-endian.
pub(crate) fn integer(bytes: &mut Bytes) -> Result<i64, Stop> {
    let [sign, rest @ ..] = bytes.array::<5>()?;
    let magnitude = i64::from(u32::from_le_bytes(rest));
    match sign {
        0 => Ok(magnitude),
        1 => Ok(-magnitude),
        _ => damaged("an integer"),
    }
}

/// A string; `None` is a null. What is longer than [`MAX_KEPT`] is cut.
pub(crate) fn string(bytes: &mut Bytes) -> Result<Option<String>, Stop> {
    let Ok(length) = u64::try_from(integer(bytes)?) else { return Ok(None) };
    let kept = usize::try_from(length).unwrap_or(MAX_KEPT).min(MAX_KEPT);
    let mut text = vec![0; kept];
    bytes.copy(&mut text)?;
    bytes.skip(length - kept as u64)?;
    if text.contains(&0) {
        return damaged("a string");
    }
    Ok(Some(String::from_utf8_lossy(&text).into_owned()))
}

/// Passes a string, and says whether it was empty or null.
fn is_string_empty(bytes: &mut Bytes) -> Result<bool, Stop> {
    match integer(bytes)? {
        length if length > 0 => bytes.skip(length.unsigned_abs()).map(|()| false),
        _ => Ok(true),
    }
}

/// What the data of an entry is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Data {
    /// Rows as `COPY` takes them.
    Copy,
    /// Rows as `INSERT` statements.
    Insert,
    /// Large objects.
    LargeObjects,
    /// Something else.
    Other,
}

/// Data that an archive must hold.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Due {
    /// The entry it belongs to.
    pub(crate) id: u32,
    /// What it is.
    pub(crate) data: Data,
    /// Its table in [`Contents::with_data`], if it is kept there.
    pub(crate) table: Option<u16>,
    /// Where it begins, if a custom archive says so.
    pub(crate) position: Option<NonZeroU64>,
    /// Whether it was seen.
    pub(crate) is_there: bool,
}

/// The most data that is kept in mind. These are 2.4 MB.
const MAX_DUE: usize = 100_000;

/// Reads the table of contents to `contents`, and lists the data that must follow, by its entries' numbers.
pub(crate) fn entries(bytes: &mut Bytes, shape: Shape, contents: &mut Contents) -> Result<Vec<Due>, Stop> {
    let mut due = Vec::with_capacity(usize::try_from(shape.entries).unwrap_or(MAX_DUE).min(MAX_DUE));
    contents.entries = Some(shape.entries);
    let (mut tables, mut with_data) = (0, 0);
    for _ in 0..shape.entries {
        let entry = entry(bytes, shape)?;
        let table = || Table { schema: entry.schema.clone(), name: entry.tag.clone(), rows: None };
        let mut kept = None;
        match entry.description.as_str() {
            "TABLE" | "FOREIGN TABLE" => {
                tables += 1;
                contents.keep(table(), |contents| &mut contents.defined);
            }
            "TABLE DATA" => {
                with_data += 1;
                kept = contents.keep(table(), |contents| &mut contents.with_data);
            }
            "DATABASE" => contents.has_database_entry = true,
            _ => {}
        }
        if entry.has_data {
            if due.len() == MAX_DUE {
                return Err(Stop::Unknown(Unverified::TooManyTables));
            }
            let (id, data, position) = (entry.id, entry.data(), entry.position);
            due.push(Due { id, data, table: kept, position, is_there: false });
        }
    }
    contents.tables = Some(tables);
    contents.tables_with_data = Some(with_data);
    due.sort_unstable_by_key(|due| due.id);
    if due.array_windows().any(|[one, other]| one.id == other.id) { damaged("an entry") } else { Ok(due) }
}

/// An entry of the table of contents.
struct Entry {
    id: u32,
    has_data: bool,
    tag: String,
    description: String,
    schema: String,
    has_copy: bool,
    position: Option<NonZeroU64>,
}

impl Entry {
    fn data(&self) -> Data {
        match self.description.as_str() {
            "TABLE DATA" if self.has_copy => Data::Copy,
            "TABLE DATA" => Data::Insert,
            "BLOBS" => Data::LargeObjects,
            _ => Data::Other,
        }
    }
}

fn entry(bytes: &mut Bytes, shape: Shape) -> Result<Entry, Stop> {
    const WHAT: &str = "an entry";
    let id = match u32::try_from(integer(bytes)?) {
        Ok(id) if id > 0 => id,
        _ => return damaged(WHAT),
    };
    let has_data = match integer(bytes)? {
        0 => false,
        1 => true,
        _ => return damaged(WHAT),
    };
    string(bytes)?; // OID of the catalog
    string(bytes)?; // OID of the object
    let tag = string(bytes)?.unwrap_or_default();
    let Some(description) = string(bytes)? else { return damaged(WHAT) };
    if !(1..=4).contains(&integer(bytes)?) {
        return damaged(WHAT);
    }
    is_string_empty(bytes)?; // definition
    is_string_empty(bytes)?; // DROP
    let has_copy = !is_string_empty(bytes)?;
    let schema = string(bytes)?.unwrap_or_default();
    string(bytes)?; // tablespace
    if shape.version.minor >= 14 {
        string(bytes)?; // access method
    }
    if shape.version.minor >= 16 {
        integer(bytes)?; // kind of relation
    }
    string(bytes)?; // owner
    string(bytes)?; // WITH OIDS
    while string(bytes)?.is_some() {} // dependencies
    let position = match shape.format {
        1 => position(bytes, has_data)?,
        _ => file_name(bytes, id, has_data, &description)?,
    };
    Ok(Entry { id, has_data, tag, description, schema, has_copy, position })
}

/// Custom: where the data begins.
fn position(bytes: &mut Bytes, has_data: bool) -> Result<Option<NonZeroU64>, Stop> {
    let flag = bytes.byte()?;
    let position = u64::from_le_bytes(bytes.array()?);
    match (flag, has_data) {
        (1, true) | (3, false) => Ok(None),
        (2, true) => Ok(NonZeroU64::new(position)),
        // pg_restore would pass over the data of an entry that says that it has none.
        _ => damaged("an entry"),
    }
}

/// Tar and directory: the file that holds the data. It follows from the number.
fn file_name(bytes: &mut Bytes, id: u32, has_data: bool, description: &str) -> Result<Option<NonZeroU64>, Stop> {
    let name = string(bytes)?.unwrap_or_default();
    let is_known = match (has_data, description) {
        (false, _) => name.is_empty(),
        // Tar archives name the list of large objects as if it were data.
        (true, "BLOBS") if name == LARGE_OBJECTS || name == format!("blobs_{id}.toc") => true,
        (true, _) => name == format!("{id}.dat"),
    };
    if is_known { Ok(None) } else { damaged("an entry") }
}

/// The list of large objects, up to version 1.15.
pub(crate) const LARGE_OBJECTS: &str = "blobs.toc";
