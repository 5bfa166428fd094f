//! Tar archives (`pg_dump -F t`): `toc.dat`, the data of each entry, large objects and their list, `restore.sql`.

use super::archive::{self, Data};
use super::data::{Rows, TAIL, Tail};
use super::fault::Kind;
use super::input::{Bytes, Stop};
use super::inspection::Level;
use super::objects::{self, Objects};
use super::plain;
use super::walk::{Walk, broken};

/// Headers are a block, and members fill whole blocks.
const BLOCK: usize = 512;

/// Whether this is the beginning of a tar archive, be it by `pg_dump` or not.
pub(crate) fn is_tar(head: &[u8]) -> bool {
    let Some(block) = head.first_chunk::<BLOCK>() else { return false };
    member(block).is_ok() || block.get(257..262) == Some(b"ustar")
}

/// Walks through an archive.
pub(crate) fn walk(bytes: &mut Bytes, walk: &mut Walk) -> Result<(), Stop> {
    table_of_contents(bytes, walk)?;
    if walk.found.level == Level::Header {
        return Ok(());
    }
    let mut objects = Objects::default();
    let mut is_last_seen = false;
    loop {
        walk.offset = bytes.offset();
        let block = bytes.array()?;
        if is_zero(&block) {
            break;
        }
        let member = member(&block).map_err(broken)?;
        // The script is the last member.
        if is_last_seen {
            return Err(broken(Kind::Trailing));
        }
        is_last_seen = member.name == "restore.sql";
        content(bytes, &member, walk, &mut objects)?;
        padding(bytes, member.size)?;
    }
    end(bytes, walk, is_last_seen)?;
    objects.require_match()?;
    walk.found.contents.large_objects = Some(objects.found());
    Ok(())
}

fn table_of_contents(bytes: &mut Bytes, walk: &mut Walk) -> Result<(), Stop> {
    let toc = member(&bytes.array()?).map_err(|kind| Stop::Broken(Level::Header, kind))?;
    if toc.name != "toc.dat" {
        let what = match toc.name.as_str() {
            "backup_label" | "PG_VERSION" | "tablespace_map" => "a base backup in a tar archive",
            _ => "a tar archive that pg_dump did not write",
        };
        return Err(Stop::Broken(Level::Header, Kind::Foreign(what.into())));
    }
    walk.found.started = Some(toc.modified);
    walk.within = Some("its header".to_owned());
    let begin = bytes.offset();
    let (header, shape) = archive::header(bytes)?;
    walk.found.header = Some(header);
    walk.within = Some("its table of contents".to_owned());
    let due = archive::entries(bytes, shape, &mut walk.found.contents)?;
    if shape.format == 1 || bytes.offset() - begin != toc.size {
        return Err(Stop::Broken(Level::Header, Kind::Damaged("the length".into())));
    }
    walk.expect(due);
    if walk.found.level == Level::Header { Ok(()) } else { padding(bytes, toc.size) }
}

/// The header of a member.
struct Member {
    name: String,
    /// In bytes.
    size: u64,
    /// In seconds since 1970 UTC.
    modified: i64,
}

fn member(block: &[u8; BLOCK]) -> Result<Member, Kind> {
    let damaged = || Kind::Damaged("the header of a member".into());
    let field = |range: std::ops::Range<usize>| block.get(range).unwrap_or_default();
    let sum: u64 = block.iter().map(|byte| u64::from(*byte)).sum();
    // The checksum counts itself as blanks.
    let of_itself: u64 = field(148..156).iter().map(|byte| u64::from(*byte)).sum();
    if octal(field(148..156)) != Some(sum - of_itself + 8 * u64::from(b' ')) {
        return Err(damaged());
    }
    let name = field(0..100).split(|byte| *byte == 0).next().unwrap_or_default();
    Ok(Member {
        name: String::from_utf8_lossy(name).into_owned(),
        size: number(field(124..136)).ok_or_else(damaged)?,
        modified: number(field(136..148)).and_then(|time| i64::try_from(time).ok()).ok_or_else(damaged)?,
    })
}

/// A number in octal digits, or of 8 GiB or more in base 256, which the highest bit says.
fn number(field: &[u8]) -> Option<u64> {
    let (first, rest) = field.split_first()?;
    if first & 0x80 == 0 {
        return octal(field);
    }
    rest.iter().try_fold(u64::from(first & 0x7f), |number, byte| {
        number.checked_mul(256).map(|number| number | u64::from(*byte))
    })
}

/// Octal digits, with blanks in front of and blanks or zeros behind them.
fn octal(field: &[u8]) -> Option<u64> {
    let text = std::str::from_utf8(field).ok()?.trim_start_matches(' ').trim_end_matches([' ', '\0']);
    if text.starts_with('+') { None } else { u64::from_str_radix(text, 8).ok() }
}

/// Passes what a member holds.
fn content(bytes: &mut Bytes, member: &Member, walk: &mut Walk, objects: &mut Objects) -> Result<(), Stop> {
    let Member { name, size, modified } = member;
    if name == "restore.sql" {
        walk.found.ended = Some(*modified);
        walk.within = Some(name.clone());
        script(bytes, *size)?;
        walk.within = None;
        return Ok(());
    }
    if let Some(oid) = objects::of_file(name) {
        walk.within = Some(format!("large object {oid}"));
        objects.find(oid);
        payload(bytes, *size, Data::LargeObjects, walk.is_full())?;
        return Ok(());
    }
    if let Some(id) = objects::of_list(name, walk.due()) {
        let due = walk.begin(id)?;
        objects::list(bytes, *size, |oid| {
            objects.list(oid);
            Ok(())
        })?;
        walk.end(due, None);
        return Ok(());
    }
    let id = name.strip_suffix(".dat").and_then(|id| id.parse().ok());
    let Some(id) = id else { return Err(broken(Kind::Damaged("the name of a member".into()))) };
    let due = walk.begin(id)?;
    let rows = payload(bytes, *size, due.data, walk.is_full())?;
    walk.end(due, rows);
    Ok(())
}

/// Passes the data of an entry; tells its rows if all of it was read.
fn payload(bytes: &mut Bytes, size: u64, data: Data, is_full: bool) -> Result<Option<u64>, Stop> {
    if is_full {
        let mut rows = Rows::new(data);
        let full = |kind| Stop::Broken(Level::Full, kind);
        bytes.each(size, |piece| rows.add(piece).map_err(full))?;
        return rows.finish().map_err(broken);
    }
    let kept = size.min(TAIL as u64);
    bytes.skip(size - kept)?;
    let mut tail = Tail::default();
    bytes.each(kept, |piece| {
        tail.add(piece);
        Ok(())
    })?;
    tail.require_end(data).map(|()| None).map_err(broken)
}

/// Passes the script, which ends as a plain dump does.
fn script(bytes: &mut Bytes, size: u64) -> Result<(), Stop> {
    let kept = size.min(plain::END);
    bytes.skip(size - kept)?;
    let mut end = Vec::new();
    bytes.each(kept, |piece| {
        end.extend_from_slice(piece);
        Ok(())
    })?;
    if plain::is_complete(&end) { Ok(()) } else { Err(broken(Kind::Truncated)) }
}

/// Passes the zeros that fill the last block of a member.
fn padding(bytes: &mut Bytes, size: u64) -> Result<(), Stop> {
    let block = BLOCK as u64;
    bytes.each((block - size % block) % block, |piece| {
        if piece.iter().all(|byte| *byte == 0) { Ok(()) } else { Err(broken(Kind::Damaged("its padding".into()))) }
    })
}

/// After the first of the two blocks of zeros.
fn end(bytes: &mut Bytes, walk: &mut Walk, is_last_seen: bool) -> Result<(), Stop> {
    let second = bytes.array::<BLOCK>()?;
    let is_due = !is_last_seen || walk.missing().is_some();
    if is_due && is_zero(&second) && bytes.are_zeros()? {
        return Err(broken(Kind::ZeroTail));
    }
    walk.require_all()?;
    if !is_last_seen {
        return Err(broken(Kind::Missing("restore.sql".to_owned())));
    }
    if !is_zero(&second) || !bytes.is_at_end()? {
        return Err(broken(Kind::Trailing));
    }
    Ok(())
}

fn is_zero(block: &[u8; BLOCK]) -> bool {
    block.iter().all(|byte| *byte == 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_octal_or_base_256() {
        assert_eq!(number(b"00000000017\0"), Some(15));
        assert_eq!(number(b"77777777777 "), Some((8 << 30) - 1));
        assert_eq!(number(b"\x80\0\0\0\0\0\0\x02\x40\0\0\0"), Some(9 << 30));
        for bad in [
            &b"+0000000017\0"[..],
            b"00000000018\0",
            b"\0\0\0\0\0\0\0\0\0\0\0\0",
            b"",
            b"\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff",
        ] {
            assert_eq!(number(bad), None, "{bad:?}");
        }
    }
}
