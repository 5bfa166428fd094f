//! The bytes of a dump, in order, with what stops reading them.

use std::cell::{Cell, RefCell};
use std::io::{self, BufRead, Read, Seek, SeekFrom};

use super::fault::{Kind, Unverified};
use super::inspection::{Level, Wrapper};

/// Bytes that are read at once, at most.
const BUFFER: usize = 128 * 1024;
/// Bytes that are read at once after a jump, at first.
const AFTER_JUMP: usize = 4 * 1024;

/// Less than this is not worth a jump, in bytes.
const NEAR: u64 = 8 * 1024;

/// Why reading goes no further.
#[derive(Debug)]
pub(crate) enum Stop {
    /// There are no more bytes.
    End,
    /// Something is wrong, and the lowest level that finds it; or the level at which it is met, if that is higher.
    Broken(Level, Kind),
    /// It cannot be known what comes.
    Unknown(Unverified),
}

/// What a reading is bound by, and what it has cost so far. Shared by the readers of one inspection.
pub(crate) struct Watch<'a> {
    keep_going: &'a dyn Fn() -> bool,
    consumed: Cell<u64>,
    /// Why the outermost reader gave up: decoders pass on only that something failed.
    stopped: RefCell<Option<Unverified>>,
}

impl<'a> Watch<'a> {
    pub(crate) fn new(keep_going: &'a dyn Fn() -> bool) -> Self {
        Self { keep_going, consumed: Cell::new(0), stopped: RefCell::new(None) }
    }

    /// Bytes that were read from outside.
    pub(crate) fn consumed(&self) -> u64 {
        self.consumed.get()
    }

    /// Refuses to go on when time is over.
    pub(crate) fn check(&self) -> io::Result<()> {
        if (self.keep_going)() { Ok(()) } else { Err(self.give_up(Unverified::Interrupted)) }
    }

    /// Keeps the reason, and makes the error that carries no more than that there is one.
    pub(crate) fn give_up(&self, reason: Unverified) -> io::Error {
        self.stopped.borrow_mut().get_or_insert(reason);
        io::Error::other("given up")
    }

    pub(crate) fn reason(&self) -> Option<Unverified> {
        self.stopped.borrow().clone()
    }
}

/// A reader that can pass over bytes.
pub(crate) trait Forward: Read {
    /// How many bytes there are in all, if that is known before they are read.
    fn length(&self) -> Option<u64>;

    /// Passes over `count` bytes, or over fewer if there are no more; says over how many.
    fn skip(&mut self, count: u64) -> io::Result<u64>;
}

/// A file, which is jumped in.
pub(crate) struct Raw<'a, R> {
    input: R,
    position: u64,
    length: u64,
    watch: &'a Watch<'a>,
}

impl<'a, R: Read + Seek> Raw<'a, R> {
    pub(crate) fn new(mut input: R, watch: &'a Watch<'a>) -> Result<Self, Stop> {
        let mut measure = || {
            let length = input.seek(SeekFrom::End(0))?;
            input.seek(SeekFrom::Start(0))?;
            Ok(length)
        };
        let length = measure().map_err(|error: io::Error| Stop::Unknown(Unverified::Unreadable(error.to_string())))?;
        Ok(Self { input, position: 0, length, watch })
    }
}

impl<R: Read + Seek> Read for Raw<'_, R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.watch.check()?;
        let count = loop {
            match self.input.read(buffer) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(self.watch.give_up(Unverified::Unreadable(error.to_string()))),
                Ok(count) => break u64::try_from(count).unwrap_or(u64::MAX),
            }
        };
        // What is appended meanwhile belongs to a dump that is still being written.
        let count = count.min(self.length.saturating_sub(self.position));
        self.position += count;
        self.watch.consumed.set(self.watch.consumed() + count);
        Ok(usize::try_from(count).unwrap_or(0))
    }
}

impl<R: Read + Seek> Forward for Raw<'_, R> {
    fn length(&self) -> Option<u64> {
        Some(self.length)
    }

    fn skip(&mut self, count: u64) -> io::Result<u64> {
        self.watch.check()?;
        let count = count.min(self.length.saturating_sub(self.position));
        self.position += count;
        match self.input.seek(SeekFrom::Start(self.position)) {
            Ok(_) => Ok(count),
            Err(error) => Err(self.watch.give_up(Unverified::Unreadable(error.to_string()))),
        }
    }
}

/// The bytes of a dump, in order, without what wraps them.
pub(crate) struct Bytes<'a> {
    source: Box<dyn Forward + 'a>,
    /// What `source` unwraps.
    wrapper: Option<Wrapper>,
    watch: &'a Watch<'a>,
    buffer: Vec<u8>,
    /// What is buffered and not consumed.
    start: usize,
    end: usize,
    /// Of `start`, from the beginning.
    offset: u64,
    /// How much to read next.
    appetite: usize,
    /// Whether there is no more to read. Decoders do not all bear to be asked again.
    has_ended: bool,
}

impl<'a> Bytes<'a> {
    pub(crate) fn new(source: impl Forward + 'a, wrapper: Option<Wrapper>, watch: &'a Watch<'a>) -> Self {
        let buffer = vec![0; BUFFER];
        Self {
            source: Box::new(source),
            wrapper,
            watch,
            buffer,
            start: 0,
            end: 0,
            offset: 0,
            appetite: AFTER_JUMP,
            has_ended: false,
        }
    }

    /// Bytes that were passed.
    pub(crate) fn offset(&self) -> u64 {
        self.offset
    }

    /// How many bytes there are in all, if that is known.
    pub(crate) fn length(&self) -> Option<u64> {
        self.source.length()
    }

    /// What wraps these bytes.
    pub(crate) fn wrapper(&self) -> Option<Wrapper> {
        self.wrapper
    }

    /// Bytes that follow, at least one unless this is the end.
    pub(crate) fn available(&mut self) -> Result<&[u8], Stop> {
        if self.start == self.end {
            self.start = 0;
            self.end = 0;
            self.fill()?;
        }
        Ok(self.buffer.get(self.start..self.end).unwrap_or_default())
    }

    /// Passes `count` of the available bytes.
    pub(crate) fn consume(&mut self, count: usize) {
        let count = count.min(self.end - self.start);
        self.start += count;
        self.offset += count as u64;
    }

    /// The next bytes without passing them: `count`, or fewer if there are no more. Not more than 64 KiB.
    pub(crate) fn peek(&mut self, count: usize) -> Result<&[u8], Stop> {
        if self.end - self.start < count {
            self.buffer.copy_within(self.start..self.end, 0);
            self.end -= self.start;
            self.start = 0;
            while self.end < count && self.fill()? > 0 {}
        }
        let end = self.end.min(self.start + count);
        Ok(self.buffer.get(self.start..end).unwrap_or_default())
    }

    /// Passes bytes and copies them.
    pub(crate) fn copy(&mut self, mut target: &mut [u8]) -> Result<(), Stop> {
        while !target.is_empty() {
            let available = self.available()?;
            let count = available.len().min(target.len());
            let (Some(from), Some((to, rest))) = (available.get(..count), target.split_at_mut_checked(count)) else {
                return Err(Stop::End);
            };
            if count == 0 {
                return Err(Stop::End);
            }
            to.copy_from_slice(from);
            target = rest;
            self.consume(count);
        }
        Ok(())
    }

    /// The next bytes.
    pub(crate) fn array<const N: usize>(&mut self) -> Result<[u8; N], Stop> {
        let mut bytes = [0; N];
        // Most often they are in the buffer.
        if let Some(ready) = self.buffer.get(self.start..self.end).and_then(<[u8]>::first_chunk::<N>) {
            bytes = *ready;
            self.consume(N);
        } else {
            self.copy(&mut bytes)?;
        }
        Ok(bytes)
    }

    /// The next byte.
    pub(crate) fn byte(&mut self) -> Result<u8, Stop> {
        self.array::<1>().map(|[byte]| byte)
    }

    /// Passes `count` bytes, all of which must be there.
    pub(crate) fn skip(&mut self, count: u64) -> Result<(), Stop> {
        let mut count = count;
        // To read on is cheaper than to jump a little.
        while let buffered = (self.end - self.start) as u64
            && count > buffered
            && count - buffered < NEAR
        {
            count -= buffered;
            self.consume(self.end - self.start);
            if self.available()?.is_empty() {
                return Err(Stop::End);
            }
        }
        let buffered = (self.end - self.start) as u64;
        if let Ok(short) = usize::try_from(count)
            && count <= buffered
        {
            self.consume(short);
            return Ok(());
        }
        let beyond = count - buffered;
        self.consume(self.end - self.start);
        if self.has_ended {
            return Err(Stop::End);
        }
        let passed = self.source.skip(beyond).map_err(|error| self.stop(&error))?;
        self.offset += passed;
        self.appetite = AFTER_JUMP;
        if passed == beyond { Ok(()) } else { Err(Stop::End) }
    }

    /// Passes `count` bytes, all of which must be there, and shows them piece by piece.
    pub(crate) fn each(&mut self, count: u64, mut look: impl FnMut(&[u8]) -> Result<(), Stop>) -> Result<(), Stop> {
        let mut left = count;
        while left > 0 {
            let available = self.available()?;
            let length = usize::try_from(left).unwrap_or(usize::MAX).min(available.len());
            match available.get(..length) {
                Some(piece) if length > 0 => look(piece)?,
                _ => return Err(Stop::End),
            }
            self.consume(length);
            left -= length as u64;
        }
        Ok(())
    }

    /// Whether there are no more bytes.
    pub(crate) fn is_at_end(&mut self) -> Result<bool, Stop> {
        Ok(self.available()?.is_empty())
    }

    /// Whether what follows from `at` on is zeros; looks no further than what is buffered.
    pub(crate) fn are_zeros_to_end(&mut self, at: usize) -> Result<bool, Stop> {
        let available = self.available()?;
        Ok(available.get(at..).unwrap_or_default().iter().all(|byte| *byte == 0))
    }

    /// Whether what follows is zeros and more than a few of them; looks no further than 64 KiB.
    pub(crate) fn are_zeros(&mut self) -> Result<bool, Stop> {
        let next = self.peek(64 * 1024)?;
        Ok(next.len() > 16 && next.iter().all(|byte| *byte == 0))
    }

    /// Reads more behind what is buffered.
    fn fill(&mut self) -> Result<usize, Stop> {
        if self.has_ended {
            return Ok(0);
        }
        let room = self.buffer.len().min(self.end + self.appetite);
        let target = self.buffer.get_mut(self.end..room).unwrap_or_default();
        let count = match self.source.read(target) {
            Ok(count) => count.min(room - self.end),
            Err(error) => return Err(self.stop(&error)),
        };
        self.has_ended = count == 0 && room > self.end;
        self.end += count;
        self.appetite = (self.appetite * 2).min(BUFFER);
        Ok(count)
    }

    fn stop(&self, error: &io::Error) -> Stop {
        match (self.watch.reason(), self.wrapper) {
            (Some(reason), _) => Stop::Unknown(reason),
            (None, None) => Stop::Unknown(Unverified::Unreadable(error.to_string())),
            (None, Some(wrapper)) if error.kind() == io::ErrorKind::UnexpectedEof => {
                Stop::Broken(Level::Header, Kind::WrapperTruncated(wrapper))
            }
            (None, Some(wrapper)) => Stop::Broken(Level::Header, Kind::WrapperCorrupt(wrapper)),
        }
    }
}

/// For decoders.
impl Read for Bytes<'_> {
    fn read(&mut self, target: &mut [u8]) -> io::Result<usize> {
        let available = self.fill_buf()?;
        let count = available.len().min(target.len());
        if let (Some(target), Some(available)) = (target.get_mut(..count), available.get(..count)) {
            target.copy_from_slice(available);
        }
        Bytes::consume(self, count);
        Ok(count)
    }
}

impl BufRead for Bytes<'_> {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        // Why it stopped is kept by the watch.
        self.available().map_err(|_| io::Error::other("given up"))
    }

    fn consume(&mut self, count: usize) {
        Bytes::consume(self, count);
    }
}
