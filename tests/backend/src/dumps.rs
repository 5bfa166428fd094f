//! Backups of Kwanza's database as the guide makes them, `pg_dump -F t`, one a night.
//!
//! A dump tells its time in three places: the modification times of the members of the tar, the time in the header of
//! `toc.dat`, and the modification time of the file. All three are set here, so that a dump that was made once can be
//! of any night; nothing else of it is changed.

use std::fs::{self, File};
use std::io::Write as _;
use std::ops::Range;
use std::os::unix::fs::{OpenOptionsExt as _, PermissionsExt as _};
use std::path::Path;
use std::time::{Duration, SystemTime};

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::Offset;

/// What tar puts before a member, and the unit of its length.
const BLOCK: usize = 512;
/// Where the fields of that header are.
const SIZE: Range<usize> = 124..136;
const MODIFIED: Range<usize> = 136..148;
const CHECKSUM: Range<usize> = 148..156;

/// Writes `dump` into `folder` as it were made on each of the nights that lie `ages` back, and nothing else.
pub fn write(folder: &Path, dump: &[u8], ages: &[Duration]) -> Result<(), String> {
    let failed = |error: std::io::Error| format!("{}: {error}", folder.display());
    let _ = fs::remove_dir_all(folder);
    fs::create_dir_all(folder).map_err(failed)?;
    for age in ages {
        let modified = SystemTime::now() - *age;
        let time = Timestamp::try_from(modified).map_err(|error| error.to_string())?;
        let path = folder.join(format!("kwanza-{}.tar", Offset::UTC.to_datetime(time).date()));
        let mut file = File::options().write(true).create_new(true).mode(0o600).open(&path).map_err(failed)?;
        file.write_all(&dated(dump, time)?).and_then(|()| file.set_modified(modified)).map_err(failed)?;
    }
    fs::set_permissions(folder, fs::Permissions::from_mode(0o700)).map_err(failed)
}

/// `dump` as it were begun at `time`; its members keep their distance from the first.
fn dated(dump: &[u8], time: Timestamp) -> Result<Vec<u8>, String> {
    let mut dump = dump.to_vec();
    let (mut place, mut first) = (0, None);
    // Two empty blocks end it.
    while dump.get(place).is_some_and(|byte| *byte != 0) {
        let header = dump.get_mut(place..place + BLOCK).ok_or("a tar that ends within a header")?;
        let (size, modified) = (octal(&header[SIZE])?, octal(&header[MODIFIED])?);
        let late = modified - *first.get_or_insert(modified);
        write_octal(&mut header[MODIFIED], time.as_second().cast_unsigned() + late);
        let is_toc = header.starts_with(b"toc.dat\0");
        write_checksum(header);
        let body = place + BLOCK;
        let size = usize::try_from(size).map_err(|_| "a tar larger than this machine's memory")?;
        if is_toc {
            let toc = dump.get_mut(body..body + size).ok_or("a tar that ends within toc.dat")?;
            write_begin(toc, Offset::UTC.to_datetime(time))?;
        }
        place = body + size.next_multiple_of(BLOCK);
    }
    if first.is_none() { Err("no tar".to_owned()) } else { Ok(dump) }
}

fn octal(field: &[u8]) -> Result<u64, String> {
    let text = std::str::from_utf8(field).unwrap_or_default().trim_matches(['\0', ' ']);
    u64::from_str_radix(text, 8).map_err(|_| format!("{text:?} in the header of a tar"))
}

/// As `pg_dump` writes it: digits to the last byte but one, and a blank.
fn write_octal(field: &mut [u8], number: u64) {
    let digits = field.len() - 1;
    field.copy_from_slice(format!("{number:0digits$o} ").as_bytes());
}

/// The sum of all bytes, its own taken for blanks.
fn write_checksum(header: &mut [u8]) {
    header[CHECKSUM].fill(b' ');
    let sum = header.iter().map(|byte| u64::from(*byte)).sum();
    write_octal(&mut header[CHECKSUM], sum);
}

/// Writes the time into the header of `toc.dat`. There the magic `PGDMP` precedes three bytes of the version, the sizes
/// of an integer and of an offset, the format and the compression; then come seven integers of a sign and four bytes:
/// seconds, minutes, hours, day, month from 0, year from 1900, and whether it is summer time.
fn write_begin(toc: &mut [u8], time: DateTime) -> Result<(), String> {
    let Some([b'P', b'G', b'D', b'M', b'P', 1, minor, _, 4, 8, _]) = toc.first_chunk() else {
        return Err("toc.dat begins as none that is known".to_owned());
    };
    // A byte from 1.15 on, an integer before.
    let begin = if *minor >= 15 { 12 } else { 16 };
    let part = |part: i8| i32::from(part);
    let parts = [
        part(time.second()),
        part(time.minute()),
        part(time.hour()),
        part(time.day()),
        part(time.month()) - 1,
        i32::from(time.year()) - 1900,
        0,
    ];
    let field = toc.get_mut(begin..begin + 5 * parts.len()).ok_or("toc.dat ends within its header")?;
    for (integer, part) in field.chunks_exact_mut(5).zip(parts) {
        integer[0] = 0;
        integer[1..].copy_from_slice(&part.to_le_bytes());
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::database::DUMP;

    /// Name, modification time and content of each member, whose checksum must be right.
    fn members(tar: &[u8]) -> Vec<(String, u64, &[u8])> {
        let (mut members, mut rest) = (Vec::new(), tar);
        while rest.first().is_some_and(|byte| *byte != 0) {
            let (header, body) = rest.split_at(BLOCK);
            let mut summed = header.to_vec();
            write_checksum(&mut summed);
            assert_eq!(summed, header);
            let size = usize::try_from(octal(&header[SIZE]).unwrap()).unwrap();
            let name = String::from_utf8_lossy(&header[..100]).trim_end_matches('\0').to_owned();
            members.push((name, octal(&header[MODIFIED]).unwrap(), &body[..size]));
            rest = &body[size.next_multiple_of(BLOCK)..];
        }
        members
    }

    #[test]
    fn a_dump_is_of_another_night_and_else_the_same() {
        let dump = fs::read(DUMP).unwrap();
        let time: Timestamp = "2031-03-04T05:06:07Z".parse().unwrap();
        let dated = dated(&dump, time).unwrap();
        assert_eq!(dated.len(), dump.len());
        let (before, after) = (members(&dump), members(&dated));
        assert!(before.len() > 3 && before.len() == after.len());
        for ((old, made, is), (new, now, is_now)) in before.iter().zip(&after) {
            assert_eq!((old, is.len()), (new, is_now.len()));
            assert_eq!(now - time.as_second().cast_unsigned(), made - before[0].1, "{new}");
            if old == "toc.dat" {
                // 7 seconds, 6 minutes, 5 hours, the 4th of March 131 years after 1900, no summer time.
                let begin = [7, 6, 5, 4, 2, 131, 0].map(|part| [0, part, 0, 0, 0]).concat();
                assert_eq!(is_now.windows(begin.len()).filter(|window| *window == begin).count(), 1);
                let differ = is.iter().zip(*is_now).filter(|(old, new)| old != new).count();
                assert!(differ <= 6, "{differ} bytes of toc.dat");
            } else {
                assert_eq!(is, is_now, "{new}");
            }
        }
    }

    #[test]
    fn what_is_no_dump_is_refused() {
        let dump = fs::read(DUMP).unwrap();
        let time = Timestamp::UNIX_EPOCH;
        assert_eq!(dated(b"", time).unwrap_err(), "no tar");
        assert_eq!(dated(&dump[..100], time).unwrap_err(), "a tar that ends within a header");
        assert_eq!(dated(&dump[..BLOCK + 9], time).unwrap_err(), "a tar that ends within toc.dat");
        let mut other = dump;
        other[BLOCK + 1] = b'X';
        assert_eq!(dated(&other, time).unwrap_err(), "toc.dat begins as none that is known");
    }
}
