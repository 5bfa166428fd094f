//! Who listens where no PostgreSQL answers as one.

use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::time::Duration;

/// The request for TLS, which every PostgreSQL answers by one letter.
const REQUEST: [u8; 8] = [0, 0, 0, 8, 4, 210, 22, 47];
const MOST: usize = 80;

/// How the program at `address` answers within `patience`, if that is not how PostgreSQL does.
pub fn at_address(address: &SocketAddr, patience: Duration) -> Option<Vec<u8>> {
    let stream = TcpStream::connect_timeout(address, patience).ok()?;
    stream.set_read_timeout(Some(patience)).ok()?;
    answer(stream)
}

/// The same of a socket.
pub fn at_socket(path: &Path, patience: Duration) -> Option<Vec<u8>> {
    let stream = UnixStream::connect(path).ok()?;
    stream.set_read_timeout(Some(patience)).ok()?;
    answer(stream)
}

fn answer(mut stream: impl Read + Write) -> Option<Vec<u8>> {
    stream.write_all(&REQUEST).ok()?;
    let mut answer = Vec::new();
    let mut piece = [0; MOST];
    while answer.len() < MOST {
        match stream.read(&mut piece) {
            Ok(0) => break,
            Ok(length) => answer.extend(piece.get(..length).unwrap_or_default()),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(_) => break,
        }
        // It waits for us now.
        if matches!(answer.as_slice(), b"S" | b"N") {
            return None;
        }
    }
    answer.truncate(MOST);
    Some(answer).filter(|answer| !answer.is_empty())
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use super::*;

    /// Answers whatever it is asked.
    struct Mock(Cursor<Vec<u8>>);

    impl Read for Mock {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            self.0.read(buffer)
        }
    }

    impl Write for Mock {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn postgresql_is_no_stranger() {
        let of = |text: &[u8]| answer(Mock(Cursor::new(text.to_vec())));
        assert_eq!((of(b"S"), of(b"N"), of(b"")), (None, None, None));
        assert_eq!(of(b"SSH-2.0-x\r\n").as_deref(), Some(&b"SSH-2.0-x\r\n"[..]));
        assert_eq!(of(&[b'x'; 200]).map(|answer| answer.len()), Some(MOST));
    }
}
