//! Whether a PostgreSQL server would let somebody in.

use std::io::{Read, Write};
use std::net::{TcpStream, ToSocketAddrs};
use std::time::Duration;

use crate::log::reason;

/// How long the server may take for one answer.
const PATIENCE: Duration = Duration::from_secs(5);

/// Begins a session at `address` (`host:port`), and ends it when the server asks for the password or takes none.
/// The error is in the words of Go's net package and lib/pq.
pub fn ask(address: &str) -> Result<(), String> {
    let host = address.rsplit_once(':').map_or(address, |(host, _)| host);
    let found = address.to_socket_addrs().ok().and_then(|mut addresses| addresses.next());
    let found = found.ok_or_else(|| format!("dial tcp: lookup {host}: no such host"))?;
    let failed = |error: std::io::Error| format!("dial tcp {found}: connect: {}", reason(&error));
    let mut stream = TcpStream::connect_timeout(&found, PATIENCE).map_err(failed)?;
    stream.set_read_timeout(Some(PATIENCE)).map_err(failed)?;
    stream.write_all(&startup_message()).map_err(failed)?;
    let mut head = [0; 5];
    stream.read_exact(&mut head).map_err(failed)?;
    match head[0] {
        b'R' => Ok(()),
        b'E' => {
            let mut fields = Vec::new();
            stream.take(8192).read_to_end(&mut fields).map_err(failed)?;
            Err(format!("pq: {}", message(&fields)))
        }
        other => Err(format!("pq: unexpected message {:?}", char::from(other))),
    }
}

/// Length, version 3.0, the user and database of the guide.
fn startup_message() -> Vec<u8> {
    let words = b"\0\x03\0\0user\0postgres\0database\0kwanza\0\0";
    let length = u32::try_from(words.len() + 4).expect("a short message");
    [&length.to_be_bytes(), words.as_slice()].concat()
}

/// The field `M` of an `ErrorResponse`: each field is a letter and a text that a zero ends.
fn message(fields: &[u8]) -> String {
    let text = fields.split(|byte| *byte == 0).find_map(|field| field.strip_prefix(b"M"));
    String::from_utf8_lossy(text.unwrap_or_default()).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answered(answer: &'static [u8]) -> Result<(), String> {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let server = std::thread::spawn(move || {
            let (mut stream, _) = listener.accept().unwrap();
            let mut asked = [0; 39];
            stream.read_exact(&mut asked).unwrap();
            assert_eq!(asked[..8], [0, 0, 0, 39, 0, 3, 0, 0]);
            stream.write_all(answer).unwrap();
        });
        let said = ask(&address);
        server.join().unwrap();
        said
    }

    #[test]
    fn a_server_that_asks_for_a_password_is_there() {
        assert_eq!(answered(b"R\0\0\0\x08\0\0\0\x05"), Ok(()));
    }

    #[test]
    fn a_server_that_starts_is_not_there_yet() {
        let answer = b"E\0\0\0\x30SFATAL\0C57P03\0Mthe database system is starting up\0\0";
        assert_eq!(answered(answer), Err("pq: the database system is starting up".to_owned()));
    }

    #[test]
    fn nobody_is_there() {
        let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        assert_eq!(ask(&free.to_string()), Err(format!("dial tcp {free}: connect: connection refused")));
        assert_eq!(ask("no.such.host.invalid:1").unwrap_err(), "dial tcp: lookup no.such.host.invalid: no such host");
    }
}
