//! HTTP/1: the head of an answer and how its body is framed.

/// Fields that a head may have.
const FIELDS: usize = 128;

/// The head of an answer.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Head {
    /// 100 to 999.
    pub status: u16,
    /// Header names, in lower case, and values.
    pub headers: Vec<(String, String)>,
}

impl Head {
    /// The value of the first header `name`, which is in lower case.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }
}

/// The head at the beginning of `bytes` and its length; `None` where its end is still to come.
///
/// The error says what is wrong with it.
pub fn head(bytes: &[u8]) -> Result<Option<(Head, usize)>, String> {
    let mut fields = [httparse::EMPTY_HEADER; FIELDS];
    let mut response = httparse::Response::new(&mut fields);
    let length = match response.parse(bytes).map_err(|error| error.to_string())? {
        httparse::Status::Partial => return Ok(None),
        httparse::Status::Complete(length) => length,
    };
    let headers = response
        .headers
        .iter()
        .map(|field| (field.name.to_ascii_lowercase(), String::from_utf8_lossy(field.value).into_owned()))
        .collect();
    Ok(Some((Head { status: response.code.unwrap_or_default(), headers }, length)))
}

/// What is wrong with a body.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum BodyFault {
    /// Longer than wanted.
    TooLarge,
    /// It ends before its end.
    CutShort,
    /// Its framing is nonsense.
    Framing(&'static str),
}

/// Where in the framing of a body the next byte is.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Next {
    /// One of so many, all told.
    Counted(u64),
    /// One of any number.
    Any,
    /// A line with the length of a chunk.
    Size(Vec<u8>),
    /// One of so many of a chunk.
    Chunk(u64),
    /// The end of a chunk's last line, so much of it.
    ChunkEnd(usize),
    /// A line after the last chunk, so long.
    Trailer(usize),
    Done,
}

/// A body that is put together from what is read.
#[derive(Clone, Debug)]
pub struct Body {
    next: Next,
    limit: u64,
    bytes: Vec<u8>,
}

impl Body {
    /// The body of an answer with `head`, at most `limit` bytes; `is_head` if HEAD was asked.
    pub fn new(head: &Head, is_head: bool, limit: u64) -> Result<Self, BodyFault> {
        let has_none = is_head || matches!(head.status, 100..=199 | 204 | 304);
        let next = match (head.header("transfer-encoding"), head.header("content-length")) {
            _ if has_none => Next::Done,
            (Some(coding), _) if coding.eq_ignore_ascii_case("chunked") => Next::Size(Vec::new()),
            (Some(_), _) => return Err(BodyFault::Framing("its transfer encoding is none that was asked for")),
            (None, Some(length)) => match length.trim().parse() {
                Ok(0) => Next::Done,
                Ok(length) if length > limit => return Err(BodyFault::TooLarge),
                Ok(length) => Next::Counted(length),
                Err(_) => return Err(BodyFault::Framing("its content length is no number")),
            },
            (None, None) => Next::Any,
        };
        Ok(Self { next, limit, bytes: Vec::new() })
    }

    /// Whether nothing is to come.
    pub fn is_done(&self) -> bool {
        self.next == Next::Done
    }

    /// Takes what was read.
    pub fn push(&mut self, mut input: &[u8]) -> Result<(), BodyFault> {
        while let Some((first, tail)) = input.split_first() {
            input = match &mut self.next {
                Next::Done => return Ok(()),
                Next::Any => {
                    self.take(input, u64::MAX)?;
                    &[]
                }
                Next::Counted(left) => {
                    let wanted = *left;
                    let taken = self.take(input, wanted)?;
                    self.next = if taken == wanted { Next::Done } else { Next::Counted(wanted - taken) };
                    input.get(usize::try_from(taken).unwrap_or(usize::MAX)..).unwrap_or_default()
                }
                Next::Chunk(left) => {
                    let wanted = *left;
                    let taken = self.take(input, wanted)?;
                    self.next = if taken == wanted { Next::ChunkEnd(0) } else { Next::Chunk(wanted - taken) };
                    input.get(usize::try_from(taken).unwrap_or(usize::MAX)..).unwrap_or_default()
                }
                Next::Size(line) => {
                    line.push(*first);
                    match httparse::parse_chunk_size(line) {
                        Ok(httparse::Status::Complete((_, 0))) => self.next = Next::Trailer(0),
                        Ok(httparse::Status::Complete((_, length))) => self.next = Next::Chunk(length),
                        Ok(httparse::Status::Partial) if line.len() < 256 => {}
                        _ => return Err(BodyFault::Framing("a chunk has no length")),
                    }
                    tail
                }
                Next::ChunkEnd(position) => {
                    match (*first, *position) {
                        (b'\r', 0) => self.next = Next::ChunkEnd(1),
                        (b'\n', _) => self.next = Next::Size(Vec::new()),
                        _ => return Err(BodyFault::Framing("a chunk is longer than it says")),
                    }
                    tail
                }
                Next::Trailer(length) => {
                    match first {
                        b'\n' if *length == 0 => self.next = Next::Done,
                        b'\n' => self.next = Next::Trailer(0),
                        b'\r' => {}
                        _ if *length > 8192 => return Err(BodyFault::Framing("its trailer is endless")),
                        _ => *length += 1,
                    }
                    tail
                }
            };
        }
        Ok(())
    }

    /// Takes of `input` at most `wanted` bytes and says how many.
    fn take(&mut self, input: &[u8], wanted: u64) -> Result<u64, BodyFault> {
        let count = input.len().min(usize::try_from(wanted).unwrap_or(usize::MAX));
        self.bytes.extend_from_slice(input.get(..count).unwrap_or_default());
        let length = |count: usize| u64::try_from(count).unwrap_or(u64::MAX);
        if length(self.bytes.len()) > self.limit { Err(BodyFault::TooLarge) } else { Ok(length(count)) }
    }

    /// How many bytes there are so far.
    pub fn len(&self) -> usize {
        self.bytes.len()
    }

    /// Whether there is no byte so far.
    pub fn is_empty(&self) -> bool {
        self.bytes.is_empty()
    }

    /// The body, once the connection has ended or all of it is there.
    pub fn finish(self) -> Result<Vec<u8>, BodyFault> {
        match self.next {
            Next::Done | Next::Any => Ok(self.bytes),
            _ => Err(BodyFault::CutShort),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn head_of(text: &str) -> Head {
        head(text.as_bytes()).unwrap().unwrap().0
    }

    fn body(fields: &str, input: &[u8], limit: u64) -> Result<Vec<u8>, BodyFault> {
        let mut body = Body::new(&head_of(&format!("HTTP/1.1 200 OK\r\n{fields}\r\n")), false, limit)?;
        // Byte by byte, as it may come.
        for byte in input {
            body.push(&[*byte])?;
        }
        body.finish()
    }

    #[test]
    fn a_head_is_read_once_it_is_whole() {
        let text = b"HTTP/1.1 404 Not Found\r\nContent-Type: a\r\nX: \r\n\r\nbody";
        let (found, length) = head(text).unwrap().unwrap();
        assert_eq!((found.status, found.header("content-type"), length), (404, Some("a"), text.len() - 4));
        for end in 0..length {
            assert_eq!(head(&text[..end]), Ok(None), "{end}");
        }
        assert!(head(b"SSH-2.0").is_err());
        assert!(head(b"HTTP/1.1 OK\r\n\r\n").is_err());
    }

    #[test]
    fn bodies_end_where_their_framing_says() {
        assert_eq!(body("Content-Length: 3\r\n", b"abc", 10), Ok(b"abc".to_vec()));
        assert_eq!(body("Content-Length: 3\r\n", b"abcde", 10), Ok(b"abc".to_vec()));
        assert_eq!(body("Content-Length: 0\r\n", b"x", 10), Ok(Vec::new()));
        assert_eq!(body("", b"abc", 10), Ok(b"abc".to_vec()));
        let chunked = "Transfer-Encoding: chunked\r\n";
        assert_eq!(body(chunked, b"3\r\nabc\r\n2;x=y\r\nde\r\n0\r\n\r\n", 10), Ok(b"abcde".to_vec()));
        assert_eq!(body(chunked, b"1\r\na\r\n0\r\nGrpc-Status: 0\r\n\r\n", 10), Ok(b"a".to_vec()));
        let mut none = Body::new(&head_of("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n"), true, 1).unwrap();
        assert!(none.is_done() && none.push(b"x").is_ok() && none.is_empty());
    }

    #[test]
    fn bodies_that_are_wrong_are_told_apart() {
        assert_eq!(body("Content-Length: 3\r\n", b"ab", 10), Err(BodyFault::CutShort));
        assert_eq!(body("Content-Length: 11\r\n", b"", 10), Err(BodyFault::TooLarge));
        assert_eq!(body("", b"abc", 2), Err(BodyFault::TooLarge));
        let chunked = "Transfer-Encoding: chunked\r\n";
        assert_eq!(body(chunked, b"3\r\nabc\r\n", 10), Err(BodyFault::CutShort));
        assert_eq!(body(chunked, b"3\r\nabc\r\n", 2), Err(BodyFault::TooLarge));
        for (fields, input) in [
            ("Content-Length: x\r\n", b"".as_slice()),
            ("Transfer-Encoding: gzip\r\n", b""),
            (chunked, b"x"),
            (chunked, b"1\r\nab"),
            (chunked, b"fffffffffffffffff\r\n"),
        ] {
            assert!(matches!(body(fields, input, 10), Err(BodyFault::Framing(_))), "{fields} {input:?}");
        }
    }

    proptest! {
        #[test]
        fn what_comes_in_pieces_is_the_same_and_never_too_long(
            input in any::<Vec<u8>>(), at in any::<prop::sample::Index>(), chunked in any::<bool>()
        ) {
            let fields = if chunked { "Transfer-Encoding: chunked\r\n" } else { "Content-Length: 20\r\n" };
            let whole = body(fields, &input, 30);
            let mut pieces = Body::new(&head_of(&format!("HTTP/1.1 200 OK\r\n{fields}\r\n")), false, 30).unwrap();
            let (first, second) = input.split_at(at.index(input.len() + 1));
            let result = pieces.push(first).and_then(|()| pieces.push(second)).and_then(|()| pieces.finish());
            prop_assert!(whole.as_ref().is_ok_and(|bytes| bytes.len() <= 30) || whole.is_err());
            prop_assert_eq!(whole, result);
        }

        #[test]
        fn no_head_does_harm(input in any::<Vec<u8>>()) {
            let _ = head(&input);
        }
    }
}
