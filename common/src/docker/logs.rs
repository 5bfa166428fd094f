//! `/containers/ID/logs`: the last lines that a container wrote.

use std::borrow::Cow;

/// Bytes before each piece of a log that is split into streams: which one, and the length of the piece.
const HEADER: usize = 8;

/// `raw` without the frame headers that a log of a container without a terminal has; standard output and error
/// in the order in which they were written. What is not framed is returned as it is; what was cut off is kept.
pub fn demultiplexed(raw: &[u8]) -> Cow<'_, [u8]> {
    if !is_framed(raw) {
        return Cow::Borrowed(raw);
    }
    let mut text = Vec::with_capacity(raw.len());
    let mut rest = raw;
    while let Some((&[_, _, _, _, a, b, c, d], tail)) = rest.split_first_chunk::<HEADER>() {
        let length = usize::try_from(u32::from_be_bytes([a, b, c, d])).unwrap_or(usize::MAX).min(tail.len());
        let (piece, after) = tail.split_at(length);
        text.extend_from_slice(piece);
        rest = after;
    }
    Cow::Owned(text)
}

/// Whether `raw` begins with a frame header: stream 0 to 2 and three zeros, which no text begins with.
fn is_framed(raw: &[u8]) -> bool {
    matches!(raw, [0..=2, 0, 0, 0, ..]) && raw.len() >= HEADER
}

#[cfg(test)]
mod tests {
    use super::*;

    fn frame(stream: u8, text: &str) -> Vec<u8> {
        let length = u32::try_from(text.len()).unwrap().to_be_bytes();
        [&[stream, 0, 0, 0][..], &length, text.as_bytes()].concat()
    }

    #[test]
    fn both_streams_are_put_together() {
        let raw = [frame(1, "one\n"), frame(2, "two\n"), frame(1, "")].concat();
        assert_eq!(&*demultiplexed(&raw), b"one\ntwo\n");
    }

    #[test]
    fn the_log_of_a_terminal_is_no_frame() {
        for raw in [&b"one\r\ntwo"[..], b"", b"\x01\0\0\0sho", b"\x03\0\0\0\0\0\0\x01x"] {
            assert_eq!(&*demultiplexed(raw), raw, "{raw:?}");
        }
    }

    #[test]
    fn a_log_that_was_cut_off_is_kept_as_far_as_it_goes() {
        let raw = [frame(1, "one\n"), frame(2, "two\n")].concat();
        assert_eq!(&*demultiplexed(&raw[..raw.len() - 2]), b"one\ntw");
        assert_eq!(&*demultiplexed(&raw[..15]), b"one\n");
        assert_eq!(&*demultiplexed(&[1, 0, 0, 0, 255, 255, 255, 255, b'x']), b"x");
    }
}
