//! A server that plays its part of PostgreSQL's protocol from a recording, and others that do not.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};
use std::time::Duration;

const FIXTURES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/fixtures/check_postgres");

/// A path below the fixtures.
pub fn fixture(name: &str) -> PathBuf {
    Path::new(FIXTURES).join(name)
}

/// What a server does with a connection.
pub type Part = dyn Fn(TcpStream) -> std::io::Result<()> + Send + Sync;

/// A server on loopback that ends with its value.
pub struct Fake {
    port: u16,
    ends: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Fake {
    /// A server that treats each connection by `play`, in a thread of its own.
    pub fn new(play: impl Fn(TcpStream) -> std::io::Result<()> + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let ends = Arc::new(AtomicBool::new(false));
        let (play, over): (Arc<Part>, _) = (Arc::new(play), Arc::clone(&ends));
        let thread = thread::spawn(move || {
            for stream in listener.incoming() {
                if over.load(Ordering::Relaxed) {
                    return;
                }
                let Ok(stream) = stream else { return };
                stream.set_read_timeout(Some(Duration::from_secs(30))).unwrap();
                let play = Arc::clone(&play);
                // A client that goes away early is its own affair.
                thread::spawn(move || drop(play(stream)));
            }
        });
        Self { port, ends, thread: Some(thread) }
    }

    /// A server that lets everybody in and answers by the recording `name`: a list of the rows for each message.
    pub fn recorded(name: &str) -> Self {
        let text = std::fs::read_to_string(fixture(name)).unwrap();
        let answers: Vec<Vec<serde_json::Value>> = serde_json::from_str(&text).unwrap();
        Self::new(move |mut stream| {
            let_in(&mut stream)?;
            for rows in &answers {
                question(&mut stream)?;
                for row in rows {
                    stream.write_all(&row_of(&row.to_string()))?;
                }
                stream.write_all(&message(b'C', b"SELECT 1\0"))?;
                stream.write_all(&message(b'Z', b"I"))?;
            }
            question(&mut stream).map(drop)
        })
    }

    /// A server that refuses everybody with `code` and `words`.
    pub fn refusing(code: &'static str, words: &'static str) -> Self {
        Self::new(move |mut stream| {
            startup(&mut stream)?;
            let fields = format!("SFATAL\0VFATAL\0C{code}\0M{words}\0\0");
            stream.write_all(&message(b'E', fields.as_bytes()))
        })
    }

    /// A server that accepts connections and says `words` only.
    pub fn saying(words: &'static [u8]) -> Self {
        Self::new(move |mut stream| {
            stream.write_all(words)?;
            hear_out(&mut stream)
        })
    }

    /// Its port.
    pub fn port(&self) -> String {
        self.port.to_string()
    }

    /// The arguments that lead to it.
    pub fn arguments(&self) -> Vec<String> {
        ["-H", "127.0.0.1", "-p", &self.port(), "-U", "monitoring", "--sslmode", "disable"].map(str::to_owned).to_vec()
    }
}

impl Drop for Fake {
    fn drop(&mut self) {
        self.ends.store(true, Ordering::Relaxed);
        let _ = TcpStream::connect(("127.0.0.1", self.port));
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

/// Reads until the client goes away.
pub fn hear_out(stream: &mut TcpStream) -> std::io::Result<()> {
    let mut piece = [0; 1024];
    while stream.read(&mut piece)? > 0 {}
    Ok(())
}

/// Reads what a client begins with, and answers that there is no TLS where it asks for that.
pub fn startup(stream: &mut TcpStream) -> std::io::Result<()> {
    loop {
        let mut length = [0; 4];
        stream.read_exact(&mut length)?;
        let mut body = vec![0; usize::try_from(u32::from_be_bytes(length)).unwrap() - 4];
        stream.read_exact(&mut body)?;
        if body != [4, 210, 22, 47] {
            return Ok(());
        }
        stream.write_all(b"N")?;
    }
}

/// Lets a client in without a password.
pub fn let_in(stream: &mut TcpStream) -> std::io::Result<()> {
    startup(stream)?;
    stream.write_all(&message(b'R', &[0, 0, 0, 0]))?;
    stream.write_all(&message(b'S', b"server_version\x0015.18\0"))?;
    stream.write_all(&message(b'K', &[0, 0, 0, 1, 0, 0, 0, 2]))?;
    stream.write_all(&message(b'Z', b"I"))
}

/// Reads a message of the client.
pub fn question(stream: &mut TcpStream) -> std::io::Result<Vec<u8>> {
    let mut head = [0; 5];
    stream.read_exact(&mut head)?;
    let length = u32::from_be_bytes([head[1], head[2], head[3], head[4]]);
    let mut body = vec![0; usize::try_from(length).unwrap() - 4];
    stream.read_exact(&mut body)?;
    Ok(body)
}

/// A message of the server.
pub fn message(kind: u8, body: &[u8]) -> Vec<u8> {
    let length = u32::try_from(body.len() + 4).unwrap().to_be_bytes();
    [&[kind][..], &length, body].concat()
}

/// The description of one column of text, and one row of it.
fn row_of(text: &str) -> Vec<u8> {
    let length = u32::try_from(text.len()).unwrap().to_be_bytes();
    let column = [&[0, 1][..], b"d\0", &[0, 0, 0, 0, 0, 0, 0, 0, 0, 25, 255, 255, 255, 255, 255, 255, 0, 0]].concat();
    let row = [&[0, 1][..], &length, text.as_bytes()].concat();
    [message(b'T', &column), message(b'D', &row)].concat()
}
