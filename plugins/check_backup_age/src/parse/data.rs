//! The data of a table: text that has a certain end and no zeros.

use super::archive::Data;
use super::fault::Kind;

/// What ends the rows of `COPY`, after a line feed or alone.
const COPY_END: &[u8] = b"\\.\n\n\n";
/// Bytes at the end that tell whether the rows are complete.
pub(crate) const TAIL: usize = 6;

/// The end of data that was passed, whatever its length.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Tail {
    bytes: [u8; TAIL],
    length: usize,
}

impl Tail {
    /// Takes what follows.
    pub(crate) fn add(&mut self, more: &[u8]) {
        if let Some(last) = more.last_chunk() {
            *self = Self { bytes: *last, length: TAIL };
            return;
        }
        let more = more.get(more.len().saturating_sub(TAIL)..).unwrap_or_default();
        let kept = self.length.min(TAIL - more.len());
        self.bytes.copy_within(self.length - kept..self.length, 0);
        if let Some(target) = self.bytes.get_mut(kept..kept + more.len()) {
            target.copy_from_slice(more);
        }
        self.length = kept + more.len();
    }

    /// Refuses an end that data of this kind cannot have.
    pub(crate) fn require_end(&self, data: Data) -> Result<(), Kind> {
        let tail = self.bytes.get(..self.length).unwrap_or_default();
        let is_complete = match data {
            Data::Copy => tail.strip_suffix(COPY_END).is_some_and(|before| matches!(before, [] | [.., b'\n'])),
            Data::Insert => tail.ends_with(b"\n\n"),
            Data::LargeObjects | Data::Other => true,
        };
        match is_complete {
            true => Ok(()),
            false if self.bytes == [0; TAIL] && self.length == TAIL => Err(Kind::ZeroTail),
            false => Err(Kind::Unfinished),
        }
    }
}

/// Data that is read byte for byte.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Rows {
    data: Data,
    tail: Tail,
    line_feeds: u64,
}

impl Rows {
    pub(crate) fn new(data: Data) -> Self {
        Self { data, tail: Tail::default(), line_feeds: 0 }
    }

    /// Looks at what follows. No encoding of text has zeros, and neither has what `COPY` writes of binary values.
    pub(crate) fn add(&mut self, more: &[u8]) -> Result<(), Kind> {
        if matches!(self.data, Data::Copy | Data::Insert) {
            if memchr::memchr(0, more).is_some() {
                return Err(Kind::Hole);
            }
            self.line_feeds += memchr::memchr_iter(b'\n', more).count() as u64;
        }
        self.tail.add(more);
        Ok(())
    }

    /// The number of rows, where a row is a line.
    pub(crate) fn finish(&self) -> Result<Option<u64>, Kind> {
        self.tail.require_end(self.data)?;
        match self.data {
            Data::Copy => Ok(Some(self.line_feeds.saturating_sub(3))),
            _ => Ok(None),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ends(pieces: &[&[u8]], data: Data) -> Result<(), Kind> {
        let mut tail = Tail::default();
        for piece in pieces {
            tail.add(piece);
        }
        tail.require_end(data)
    }

    #[test]
    fn the_end_is_seen_however_it_is_cut_into_pieces() {
        let rows = b"1\ta\n\\.\n\n\n";
        for one in 0..=rows.len() {
            for other in one..=rows.len() {
                let pieces = [&rows[..one], &rows[one..other], &rows[other..]];
                assert_eq!(ends(&pieces, Data::Copy), Ok(()), "{one} {other}");
            }
        }
        assert_eq!(ends(&[b"\\.\n\n\n"], Data::Copy), Ok(()));
    }

    #[test]
    fn other_ends_are_refused() {
        let endings: [&[u8]; 5] = [b"", b"1\n", b"1\\.\n\n\n", b"1\n\\.\n\n", b"1\n\\.\n\n\n\n"];
        for rows in endings {
            assert_eq!(ends(&[rows], Data::Copy), Err(Kind::Unfinished), "{rows:?}");
        }
        assert_eq!(ends(&[b"1\n\\.\n\n\n", &[0; 9]], Data::Copy), Err(Kind::ZeroTail));
        assert_eq!(ends(&[b"INSERT INTO t VALUES (1);\n"], Data::Insert), Err(Kind::Unfinished));
    }
}
