//! The header and the table of contents that tar, custom and directory dumps share: `pg_backup_archiver.c`.

use super::fault::{Kind, Unverified};
use super::input::{Bytes, Stop};
use super::inspection::{Compression, Header, Level, LocalTime, Version};

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
        return damaged("its header");
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
        return damaged("its header");
    }
    let mut shape = Shape { version, format, entries: 0 };
    let compression = compression(bytes, shape)?;
    let created = Some(created(bytes)?);
    let database = string(bytes)?;
    let server_version = string(bytes)?;
    let pg_dump_version = string(bytes)?;
    let Ok(entries) = u64::try_from(integer(bytes)?) else { return damaged("its header") };
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
            _ => damaged("its header"),
        };
    }
    match integer(bytes)? {
        0 => Ok(Compression::None),
        -1 | 1..=9 => Ok(Compression::Gzip),
        _ => damaged("its header"),
    }
}

/// A `struct tm` of seven integers.
fn created(bytes: &mut Bytes) -> Result<LocalTime, Stop> {
    let mut field = |range: std::ops::RangeInclusive<i64>| match integer(bytes)? {
        value if range.contains(&value) => Ok(i16::try_from(value).unwrap_or_default()),
        _ => damaged("the time in its header"),
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
