//! What dumps are wrapped in, and what data inside them is compressed with.

use std::io::{self, BufRead, Read};

use super::fault::Unverified;
use super::input::{Bytes, Forward, Stop, Watch};
use super::inspection::Wrapper;

/// The largest window of zstd and xz, in bytes: what `zstd -19` and `xz -6` take.
const MAX_WINDOW_LOG: u32 = 23;
/// Within a wrapper, which has a window of its own: what `pg_dump` takes by default.
const MAX_INNER_WINDOW_LOG: u32 = 21;
/// In the header of an LZ4 frame: blocks do not depend on those before them.
const LZ4_INDEPENDENT: u8 = 0x20;
/// In the header of an LZ4 frame: the largest blocks.
const LZ4_4_MIB: u8 = 7;
/// What a decoder of xz takes beside its window, in KiB.
const XZ_OVERHEAD: u32 = 512;

/// What a file begins with if it is wrapped.
pub(crate) fn recognise(head: &[u8]) -> Option<Wrapper> {
    let magics: [(&[u8], Wrapper); 8] = [
        (b"\x1f\x8b", Wrapper::Gzip),
        (b"\x28\xb5\x2f\xfd", Wrapper::Zstd),
        (b"\x04\x22\x4d\x18", Wrapper::Lz4),
        (b"\xfd7zXZ\0", Wrapper::Xz),
        (b"BZh", Wrapper::Bzip2),
        (b"-----BEGIN PGP", Wrapper::Pgp),
        (b"age-encryption.org/v1", Wrapper::Age),
        (b"-----BEGIN AGE ENCRYPTED FILE-----", Wrapper::Age),
    ];
    let magic = magics.iter().find(|(magic, _)| head.starts_with(magic)).map(|(_, wrapper)| *wrapper);
    magic.or_else(|| is_openpgp(head).then_some(Wrapper::Pgp))
}

/// Whether these are the first bytes of a binary `OpenPGP` message: a session key, encrypted to a public key (packet 1,
/// version 3 or 6) or with a passphrase (packet 3, version 4 to 6).
fn is_openpgp(head: &[u8]) -> bool {
    let &[tag, ref rest @ ..] = head else { return false };
    // RFC 9580, 4.2: the old form has the length's size in the lowest bits of the tag.
    let (packet, length) = match tag {
        0xc0..=0xff => (tag & 0x3f, rest.first().map_or(1, |first| if *first < 192 { 1 } else { 2 })),
        0x80..=0xbf => (
            (tag >> 2) & 0xf,
            match tag & 3 {
                0 => 1,
                _ => 2,
            },
        ),
        _ => return false,
    };
    match rest.get(length) {
        Some(version) => matches!((packet, version), (1, 3 | 6) | (3, 4..=6)),
        None => false,
    }
}

/// What data is compressed with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Codec {
    /// A file of gzip.
    Gzip,
    /// A stream of zlib.
    Zlib,
    /// Frames of Zstandard.
    Zstd,
    /// Frames of LZ4.
    Lz4,
    /// A file of xz.
    Xz,
    /// A file of bzip2.
    Bzip2,
}

/// A decoder of `input`, which ends where the input does. One that would need too much memory gives up.
pub(crate) fn decoder<'r>(
    codec: Codec,
    input: impl BufRead + 'r,
    watch: &'r Watch<'_>,
    is_wrapped: bool,
) -> io::Result<Box<dyn Read + 'r>> {
    let window_log = if is_wrapped { MAX_INNER_WINDOW_LOG } else { MAX_WINDOW_LOG };
    Ok(match codec {
        Codec::Gzip => Box::new(flate2::bufread::MultiGzDecoder::new(input)),
        Codec::Zlib => Box::new(flate2::bufread::ZlibDecoder::new(input)),
        Codec::Bzip2 => Box::new(bzip2::bufread::MultiBzDecoder::new(input)),
        Codec::Lz4 => Box::new(Lz4::new(input, watch)?),
        Codec::Zstd => {
            let mut decoder = zstd::stream::read::Decoder::with_buffer(input)?;
            decoder.window_log_max(window_log)?;
            Box::new(Windowed { decoder, window_log, watch })
        }
        Codec::Xz => {
            let limit = (1 << (window_log - 10)) + XZ_OVERHEAD;
            let decoder = lzma_rust2::XzReader::new_mem_limit(input, true, limit);
            Box::new(Windowed { decoder, window_log, watch })
        }
    })
}

/// A decoder that says when its window is too large.
struct Windowed<'r, D> {
    decoder: D,
    window_log: u32,
    watch: &'r Watch<'r>,
}

impl<D: Read> Read for Windowed<'_, D> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.decoder.read(buffer).map_err(|error| {
            // zstd has no kind for it, only words.
            if error.kind() == io::ErrorKind::OutOfMemory || error.to_string().contains("too much memory") {
                self.watch.give_up(Unverified::Window(1 << self.window_log))
            } else {
                error
            }
        })
    }
}

/// Frames of LZ4. Their decoder takes an input that ends between two blocks for the end of the frame.
struct Lz4<R: BufRead> {
    decoder: lz4_flex::frame::FrameDecoder<Ending<R>>,
}

/// An input that knows whether somebody has met its end.
struct Ending<R> {
    input: R,
    has_ended: bool,
}

impl<R: BufRead> Lz4<R> {
    fn new(mut input: R, watch: &Watch<'_>) -> io::Result<Self> {
        // The decoder keeps two blocks and what it decompresses, where blocks depend on those before them.
        if let [_, _, _, _, flags, sizes, ..] = input.fill_buf()?
            && flags & LZ4_INDEPENDENT == 0
            && (sizes >> 4) & 7 == LZ4_4_MIB
        {
            return Err(watch.give_up(Unverified::Window(1 << 22)));
        }
        Ok(Self { decoder: lz4_flex::frame::FrameDecoder::new(Ending { input, has_ended: false }) })
    }
}

impl<R: BufRead> Read for Ending<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.input.read(buffer)?;
        self.has_ended |= count == 0 && !buffer.is_empty();
        Ok(count)
    }
}

impl<R: BufRead> Read for Lz4<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        loop {
            let count = self.decoder.read(buffer)?;
            let input = self.decoder.get_mut();
            if count > 0 || buffer.is_empty() {
                return Ok(count);
            }
            if input.has_ended {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
            if input.input.fill_buf()?.is_empty() {
                return Ok(0);
            }
        }
    }
}

/// What a wrapper holds.
pub(crate) struct Unwrapped<'a> {
    decoder: Box<dyn Read + 'a>,
    watch: &'a Watch<'a>,
    passed: Vec<u8>,
}

impl<'a> Unwrapped<'a> {
    /// What the file holds, or `None` if that cannot be seen.
    pub(crate) fn new(wrapper: Wrapper, file: Bytes<'a>, watch: &'a Watch<'a>) -> Result<Self, Stop> {
        let codec = match wrapper {
            Wrapper::Gzip => Codec::Gzip,
            Wrapper::Zstd => Codec::Zstd,
            Wrapper::Lz4 => Codec::Lz4,
            Wrapper::Xz => Codec::Xz,
            Wrapper::Bzip2 => Codec::Bzip2,
            Wrapper::Pgp | Wrapper::Age => return Err(Stop::Unknown(Unverified::Encrypted(wrapper))),
        };
        let decoder = decoder(codec, file, watch, false)
            .map_err(|error| Stop::Unknown(watch.reason().unwrap_or(Unverified::Unreadable(error.to_string()))))?;
        Ok(Self { decoder, watch, passed: vec![0; 32 * 1024] })
    }
}

impl Read for Unwrapped<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        // A few bytes can hold gigabytes.
        self.watch.check()?;
        self.decoder.read(buffer)
    }
}

impl Forward for Unwrapped<'_> {
    fn length(&self) -> Option<u64> {
        None
    }

    fn skip(&mut self, count: u64) -> io::Result<u64> {
        let mut left = count;
        while left > 0 {
            self.watch.check()?;
            let room = usize::try_from(left).unwrap_or(usize::MAX).min(self.passed.len());
            match self.decoder.read(self.passed.get_mut(..room).unwrap_or_default())? {
                0 => break,
                passed => left -= passed as u64,
            }
        }
        Ok(count - left)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wrappers_are_known_by_their_first_bytes() {
        let seen: [(&[u8], Option<Wrapper>); 9] = [
            (b"\x1f\x8b\x08", Some(Wrapper::Gzip)),
            (b"-----BEGIN PGP MESSAGE-----", Some(Wrapper::Pgp)),
            (b"age-encryption.org/v1\n", Some(Wrapper::Age)),
            // Public-key encrypted session keys: old form with two bytes of length, new form; symmetric: old form.
            (b"\x85\x02\x0c\x03", Some(Wrapper::Pgp)),
            (b"\xc1\xc0\x4c\x03", Some(Wrapper::Pgp)),
            (b"\x8c\x0d\x04\x09", Some(Wrapper::Pgp)),
            (b"\x85\x02\x0c\x77", None),
            (b"PGDMP", None),
            (b"", None),
        ];
        for (head, wrapper) in seen {
            assert_eq!(recognise(head), wrapper, "{head:?}");
        }
    }

    #[test]
    fn a_frame_of_lz4_that_ends_between_two_blocks_is_not_whole() {
        let keep_going = || true;
        let watch = Watch::new(&keep_going);
        // A frame of independent blocks without checksums, with one block of four bytes that are not compressed.
        let frame = b"\x04\x22\x4d\x18\x60\x40\x82\x04\0\0\x80data\0\0\0\0";
        let read = |frame: &[u8]| {
            let mut text = String::new();
            decoder(Codec::Lz4, frame, &watch, false)
                .and_then(|mut decoder| decoder.read_to_string(&mut text))
                .map(|_| text)
        };
        assert_eq!(read(frame).unwrap(), "data");
        assert_eq!(read(&[*frame, *frame].concat()).unwrap(), "datadata");
        for cut in [frame.len() - 4, frame.len() - 1] {
            assert_eq!(read(&frame[..cut]).unwrap_err().kind(), io::ErrorKind::UnexpectedEof, "{cut}");
        }
    }
}
