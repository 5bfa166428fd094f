//! Directory dumps (`pg_dump -F d`): `toc.dat`, written first, and a file for the data of each entry.

use std::io::{self, Read, Seek};

use super::archive::{self, Data, Due};
use super::data::{Rows, TAIL, Tail};
use super::fault::{Kind, Unverified};
use super::input::{Bytes, Raw, Stop, Watch};
use super::inspection::{Format, Level, Wrapper};
use super::objects;
use super::walk::{Walk, broken};
use super::wrapper::{self, Unwrapped};

/// The files of a directory dump.
pub trait Directory {
    /// A file that is open.
    type File: Read + Seek;

    /// Opens the file `name`, which holds no separator. One that is not there is [`io::ErrorKind::NotFound`].
    fn open(&self, name: &str) -> io::Result<Self::File>;
}

/// What the names of compressed files end with.
const SUFFIXES: [(&str, Option<Wrapper>); 4] =
    [("", None), (".gz", Some(Wrapper::Gzip)), (".lz4", Some(Wrapper::Lz4)), (".zst", Some(Wrapper::Zstd))];

/// Walks through a directory.
pub(crate) fn walk<D: Directory>(directory: &D, watch: &Watch, walk: &mut Walk) -> Result<(), Stop> {
    walk.found.format = Some(Format::Directory);
    let Some(toc) = open(directory, "toc.dat")? else {
        return Err(Stop::Broken(Level::Header, Kind::Missing("toc.dat".to_owned())));
    };
    let due = table_of_contents(&mut Bytes::new(Raw::new(toc, watch)?, None, watch), walk)?;
    walk.expect(due);
    if walk.found.level == Level::Header {
        return Ok(());
    }
    let mut objects = 0;
    for at in 0..walk.due().len() {
        watch.check().map_err(|_| Stop::Unknown(Unverified::Interrupted))?;
        let Some(due) = walk.due().get(at).copied() else { break };
        walk.begin(due.id)?;
        let rows = if due.data == Data::LargeObjects {
            large_objects(directory, watch, due, walk, &mut objects)?;
            None
        } else {
            file(directory, watch, &format!("{}.dat", due.id), due.data, walk)?
        };
        walk.end(due, rows);
    }
    walk.found.contents.large_objects = Some(objects);
    Ok(())
}

fn open<D: Directory>(directory: &D, name: &str) -> Result<Option<D::File>, Stop> {
    match directory.open(name) {
        Ok(file) => Ok(Some(file)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(Stop::Unknown(Unverified::Unreadable(format!("{name}: {error}")))),
    }
}

fn table_of_contents(toc: &mut Bytes, walk: &mut Walk) -> Result<Vec<Due>, Stop> {
    walk.within = Some("its header".to_owned());
    let (header, shape) = archive::header(toc)?;
    walk.found.header = Some(header);
    walk.within = Some("its table of contents".to_owned());
    let due = archive::entries(toc, shape, &mut walk.found.contents)?;
    if shape.format == 1 {
        return Err(Stop::Broken(Level::Header, Kind::Damaged("the format".into())));
    }
    if toc.is_at_end()? { Ok(due) } else { Err(Stop::Broken(Level::Header, Kind::Trailing)) }
}

/// The objects that the list of an entry names.
fn large_objects<D: Directory>(
    directory: &D,
    watch: &Watch,
    due: Due,
    walk: &mut Walk,
    count: &mut u64,
) -> Result<(), Stop> {
    let mut list = None;
    for name in [format!("blobs_{}.toc", due.id), archive::LARGE_OBJECTS.to_owned()] {
        list = open(directory, &name)?;
        if list.is_some() {
            break;
        }
    }
    let Some(list) = list else { return Err(broken(Kind::Missing("the list of large objects".to_owned()))) };
    let mut list = Bytes::new(Raw::new(list, watch)?, None, watch);
    let size = list.length().unwrap_or(0);
    objects::list(&mut list, size, |oid| {
        walk.within = Some(format!("large object {oid}"));
        *count += 1;
        file(directory, watch, &objects::file(oid), Data::LargeObjects, walk).map(drop)
    })
}

/// A file of data; tells its rows if all of it was read.
fn file<D: Directory>(
    directory: &D,
    watch: &Watch,
    name: &str,
    data: Data,
    walk: &mut Walk,
) -> Result<Option<u64>, Stop> {
    for (suffix, wrapper) in SUFFIXES {
        if let Some(file) = open(directory, &format!("{name}{suffix}"))? {
            let mut file = Bytes::new(Raw::new(file, watch)?, None, watch);
            if !walk.is_full() {
                return end(file, wrapper, data).map(|()| None);
            }
            if may_be_empty(data, wrapper) && file.is_at_end()? {
                return Ok(None);
            }
            let Some(wrapper) = wrapper else { return read(file, data) };
            walk.level = Level::Full;
            let rows = read(Bytes::new(Unwrapped::new(wrapper, file, watch)?, Some(wrapper), watch), data)?;
            walk.level = Level::Structure;
            return Ok(rows);
        }
    }
    Err(broken(Kind::Missing(name.to_owned())))
}

/// Whether the file of such data may have no bytes: with zstd and LZ4, `pg_dump` opens no frame for an empty large object.
fn may_be_empty(data: Data, wrapper: Option<Wrapper>) -> bool {
    data == Data::LargeObjects && wrapper != Some(Wrapper::Gzip)
}

/// Looks at the end of a file, or at the beginning of one that is compressed.
fn end(mut file: Bytes, wrapper: Option<Wrapper>, data: Data) -> Result<(), Stop> {
    if let Some(wrapper) = wrapper {
        let head = file.peek(6)?;
        return match wrapper::recognise(head) {
            _ if head.is_empty() && may_be_empty(data, Some(wrapper)) => Ok(()),
            _ if head.is_empty() => Err(Stop::End),
            Some(found) if found == wrapper => Ok(()),
            _ => Err(broken(Kind::WrapperCorrupt(wrapper))),
        };
    }
    let length = file.length().unwrap_or(0);
    let kept = length.min(TAIL as u64);
    file.skip(length - kept)?;
    let mut tail = Tail::default();
    file.each(kept, |piece| {
        tail.add(piece);
        Ok(())
    })?;
    tail.require_end(data).map_err(broken)
}

/// Reads a file to its end.
fn read(mut file: Bytes, data: Data) -> Result<Option<u64>, Stop> {
    let mut rows = Rows::new(data);
    loop {
        let piece = file.available()?;
        let count = piece.len();
        if count == 0 {
            return rows.finish().map_err(broken);
        }
        rows.add(piece).map_err(|kind| Stop::Broken(Level::Full, kind))?;
        file.consume(count);
    }
}
