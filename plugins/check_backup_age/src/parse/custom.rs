//! Custom archives (`pg_dump -F c`): the table of contents, then a block of chunks for each entry that has data.

use std::io::{self, BufRead, Read};

use super::archive::{self, Data};
use super::data::{Rows, TAIL, Tail};
use super::fault::Kind;
use super::input::{Bytes, Stop, Watch};
use super::inspection::{Compression, Level};
use super::walk::{Walk, broken};
use super::wrapper::{self, Codec};

const DATA: u8 = 1;
const LARGE_OBJECTS: u8 = 3;
/// What a block is called when it is damaged.
const BLOCK: &str = "a block of data";

/// Walks through an archive.
pub(crate) fn walk(bytes: &mut Bytes, watch: &Watch, walk: &mut Walk) -> Result<(), Stop> {
    let compression = table_of_contents(bytes, walk)?;
    if walk.found.level == Level::Header {
        return Ok(());
    }
    let mut objects = 0;
    while !bytes.is_at_end()? {
        walk.offset = bytes.offset();
        block(bytes, Payloads { compression, watch }, walk, &mut objects)?;
    }
    walk.offset = bytes.offset();
    walk.found.contents.large_objects = Some(objects);
    walk.require_all()
}

fn table_of_contents(bytes: &mut Bytes, walk: &mut Walk) -> Result<Compression, Stop> {
    walk.within = Some("its header".to_owned());
    let (header, shape) = archive::header(bytes)?;
    let compression = header.compression;
    walk.found.header = Some(header);
    walk.within = Some("its table of contents".to_owned());
    if shape.format != 1 {
        walk.within = None;
        return Err(Stop::Broken(Level::Header, Kind::Foreign("the table of contents of a directory dump".into())));
    }
    let due = archive::entries(bytes, shape, &mut walk.found.contents)?;
    walk.expect(due);
    Ok(compression)
}

/// A block: its kind, the number of its entry, and its payload.
fn block(bytes: &mut Bytes, payloads: Payloads, walk: &mut Walk, objects: &mut u64) -> Result<(), Stop> {
    let kind = bytes.byte()?;
    if kind == 0 && bytes.are_zeros()? {
        return Err(broken(Kind::ZeroTail));
    }
    let id = u32::try_from(archive::integer(bytes)?).unwrap_or(0);
    let due = walk.begin(id)?;
    let expected = if due.data == Data::LargeObjects { LARGE_OBJECTS } else { DATA };
    // A walker from the beginning finds what pg_restore jumps to, so the two must agree.
    if kind != expected || due.position.is_some_and(|position| position.get() != walk.offset) {
        return Err(broken(Kind::Damaged(BLOCK.into())));
    }
    let is_full = walk.is_full();
    let mut rows = None;
    if kind == DATA {
        rows = payloads.next(bytes, due.data, is_full)?;
    } else {
        while archive::integer(bytes)? != 0 {
            payloads.next(bytes, Data::LargeObjects, is_full)?;
            *objects += 1;
        }
    }
    walk.end(due, rows);
    Ok(())
}

/// How payloads are read.
#[derive(Clone, Copy)]
struct Payloads<'w> {
    compression: Compression,
    watch: &'w Watch<'w>,
}

impl Payloads<'_> {
    /// Passes a payload; tells its rows if all of it was read.
    fn next(self, bytes: &mut Bytes, data: Data, is_full: bool) -> Result<Option<u64>, Stop> {
        let codec = match self.compression {
            Compression::None if is_full => return read(bytes, data),
            Compression::None => return pass(bytes, Some(data)).map(|()| None),
            _ if !is_full => return pass(bytes, None).map(|()| None),
            Compression::Gzip => Codec::Zlib,
            Compression::Lz4 => Codec::Lz4,
            Compression::Zstd => Codec::Zstd,
        };
        self.decompress(bytes, codec, data)
    }

    fn decompress(self, bytes: &mut Bytes, codec: Codec, data: Data) -> Result<Option<u64>, Stop> {
        let is_wrapped = bytes.wrapper().is_some();
        let mut chunks = Chunks { bytes, left: 0, has_ended: false, stopped: None };
        let mut rows = Rows::new(data);
        // From 16 on nothing at all stands for no bytes.
        if !chunks.available()?.is_empty() {
            let read = wrapper::decoder(codec, &mut chunks, self.watch, is_wrapped)
                .and_then(|decoder| read_all(decoder, self.watch, &mut rows));
            match (chunks.stopped.take(), self.watch.reason(), read) {
                (Some(stop), _, _) => return Err(stop),
                (None, Some(reason), _) => return Err(Stop::Unknown(reason)),
                (None, None, Ok(Ok(()))) if chunks.available()?.is_empty() => {}
                (None, None, Ok(Ok(())) | Err(_)) => return Err(Stop::Broken(Level::Full, Kind::Corrupt)),
                (None, None, Ok(Err(kind))) => return Err(Stop::Broken(Level::Full, kind)),
            }
        }
        rows.finish().map_err(|kind| Stop::Broken(Level::Full, kind))
    }
}

/// Reads all there is; the inner error is what is wrong with it.
fn read_all(mut decoder: Box<dyn Read + '_>, watch: &Watch, rows: &mut Rows) -> io::Result<Result<(), Kind>> {
    let mut buffer = vec![0; 64 * 1024];
    loop {
        // A few bytes can hold gigabytes.
        watch.check()?;
        let count = decoder.read(&mut buffer)?;
        if count == 0 {
            return Ok(Ok(()));
        }
        if let Err(kind) = rows.add(buffer.get(..count).unwrap_or_default()) {
            return Ok(Err(kind));
        }
    }
}

/// Passes the chunks of a payload; with its end, where it is not compressed.
fn pass(bytes: &mut Bytes, data: Option<Data>) -> Result<(), Stop> {
    let mut tail = Tail::default();
    loop {
        let length = length(bytes)?;
        if length == 0 {
            break;
        }
        if data.is_none() {
            bytes.skip(length)?;
            continue;
        }
        let kept = length.min(TAIL as u64);
        bytes.skip(length - kept)?;
        bytes.each(kept, |end| {
            tail.add(end);
            Ok(())
        })?;
    }
    match data {
        Some(data) => tail.require_end(data).map_err(broken),
        None => Ok(()),
    }
}

/// Reads a payload that is not compressed.
fn read(bytes: &mut Bytes, data: Data) -> Result<Option<u64>, Stop> {
    let mut chunks = Chunks { bytes, left: 0, has_ended: false, stopped: None };
    let mut rows = Rows::new(data);
    loop {
        let available = chunks.available()?;
        let count = available.len();
        if count == 0 {
            return rows.finish().map_err(broken);
        }
        rows.add(available).map_err(|kind| Stop::Broken(Level::Full, kind))?;
        chunks.consume(count);
    }
}

/// The length of the next chunk; 0 is the end of a payload.
fn length(bytes: &mut Bytes) -> Result<u64, Stop> {
    u64::try_from(archive::integer(bytes)?).map_err(|_| broken(Kind::Damaged(BLOCK.into())))
}

/// The chunks of a payload as one stream.
struct Chunks<'b, 'a> {
    bytes: &'b mut Bytes<'a>,
    left: u64,
    has_ended: bool,
    stopped: Option<Stop>,
}

impl Chunks<'_, '_> {
    /// What follows; nothing at the end.
    fn available(&mut self) -> Result<&[u8], Stop> {
        if self.left == 0 && !self.has_ended {
            self.left = length(self.bytes)?;
            self.has_ended = self.left == 0;
        }
        if self.has_ended {
            return Ok(&[]);
        }
        let available = self.bytes.available()?;
        let count = usize::try_from(self.left).unwrap_or(usize::MAX).min(available.len());
        match available.get(..count) {
            Some(chunk) if count > 0 => Ok(chunk),
            _ => Err(Stop::End),
        }
    }
}

impl Read for Chunks<'_, '_> {
    fn read(&mut self, target: &mut [u8]) -> io::Result<usize> {
        let available = self.fill_buf()?;
        let count = available.len().min(target.len());
        if let (Some(target), Some(available)) = (target.get_mut(..count), available.get(..count)) {
            target.copy_from_slice(available);
        }
        self.consume(count);
        Ok(count)
    }
}

impl BufRead for Chunks<'_, '_> {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        // Decoders pass on only that something failed.
        if let Err(stop) = self.available() {
            self.stopped = Some(stop);
        }
        match self.stopped {
            None => self.available().map_err(|_| io::Error::other("given up")),
            Some(_) => Err(io::Error::other("given up")),
        }
    }

    fn consume(&mut self, count: usize) {
        let count = count.min(usize::try_from(self.left).unwrap_or(usize::MAX));
        self.left -= count as u64;
        self.bytes.consume(count);
    }
}
