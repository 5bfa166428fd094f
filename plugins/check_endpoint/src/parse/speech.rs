//! What a server speaks, by the first bytes that it sends.

/// A protocol, told by its first bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Speech {
    /// No byte came.
    Nothing,
    /// HTTP/1, with its status line, or with the page alone that some servers send to what they do not understand.
    Http1(String),
    /// HTTP/2, as gRPC speaks it.
    Http2,
    /// TLS.
    Tls,
    /// SSH.
    Ssh,
    /// Something else, the beginning of it as text.
    Other(String),
}

/// How much of an unknown greeting is shown.
const SHOWN: usize = 40;

/// What begins with `bytes`.
pub fn speech(bytes: &[u8]) -> Speech {
    let line = || {
        let line = bytes.split(|byte| matches!(byte, b'\r' | b'\n')).next().unwrap_or_default();
        String::from_utf8_lossy(line.get(..line.len().min(SHOWN)).unwrap_or_default()).into_owned()
    };
    match bytes {
        [] => Speech::Nothing,
        [b'H', b'T', b'T', b'P', b'/', ..] | [b'<', b'!' | b'h' | b'H', ..] => Speech::Http1(line()),
        [b'S', b'S', b'H', b'-', ..] => Speech::Ssh,
        // A record of an alert or a handshake, of any version.
        [0x15 | 0x16, 3, 0..=4, ..] => Speech::Tls,
        // A frame of settings, of goodbye or to open a window, on stream 0.
        [0, _, _, 4 | 7 | 8, _, 0, 0, 0, 0, ..] => Speech::Http2,
        _ => Speech::Other(line()),
    }
}

/// Whether a server says in plain HTTP that it is to be asked with TLS: the words of Go, nginx and Apache.
pub fn says_tls(body: &[u8]) -> bool {
    let body = String::from_utf8_lossy(body.get(..body.len().min(4096)).unwrap_or_default());
    [
        "Client sent an HTTP request to an HTTPS server",
        "The plain HTTP request was sent to HTTPS port",
        "speaking plain HTTP to an SSL-enabled server port",
    ]
    .iter()
    .any(|words| body.contains(words))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn protocols_are_told_by_their_first_bytes() {
        for (bytes, expected) in [
            (b"".as_slice(), Speech::Nothing),
            (b"HTTP/1.1 400 Bad Request\r\nX: y", Speech::Http1("HTTP/1.1 400 Bad Request".to_owned())),
            (b"\0\0\x06\x04\0\0\0\0\0\0\x05", Speech::Http2),
            (b"\0\0\x08\x07\0\0\0\0\0", Speech::Http2),
            (b"\x15\x03\x01\0\x02\x02\x46", Speech::Tls),
            (b"SSH-2.0-OpenSSH_9.2\r\n", Speech::Ssh),
            (b"<!DOCTYPE HTML>\n<html>", Speech::Http1("<!DOCTYPE HTML>".to_owned())),
            (b"220 mail ready\r\n", Speech::Other("220 mail ready".to_owned())),
            (b"\0\0\x06\x04", Speech::Other("\0\0\u{6}\u{4}".to_owned())),
        ] {
            assert_eq!(speech(bytes), expected);
        }
        assert!(says_tls(b"Client sent an HTTP request to an HTTPS server.\n") && !says_tls(b"Bad Request"));
        let Speech::Other(shown) = speech(&[b'x'; 1000]) else { panic!("unknown") };
        assert_eq!(shown.len(), SHOWN);
    }
}
