//! PostgreSQL as it answered once: the server's side of its protocol, from a recording, which a relay makes.
//!
//! A recording is a list of turns: the messages that a client sends before it waits, and those that come back. A
//! message is its letter and what it holds, each byte as the character of that number. The question is found again
//! whatever numbers it holds, because the check tells the server how long it may take. Times in the answers, seconds
//! since 1970 with decimals, move along with the clock; all else stands still.

use std::io::{Error, ErrorKind, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde_json::{Value, json};

use crate::acceptor::Acceptor;

/// The recording that comes with the tests, of a database that [`crate::database`] has made.
pub const RECORDING: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../fixtures/backend/postgres.json");
/// What a client says that has nothing to ask yet; who it is makes no difference.
const STARTUP: &str = "startup";
/// How far times of a recording lie apart from when it was made.
const NEAR: Duration = Duration::from_hours(24 * 400);

/// What is asked in one go, and what comes back.
#[derive(Clone, Debug)]
struct Turn {
    asked: String,
    answered: Vec<Vec<u8>>,
}

/// A server on loopback that plays a recording, until it is dropped.
#[derive(Debug)]
pub struct Recorded {
    _acceptor: Acceptor,
}

impl Recorded {
    /// Plays the recording that comes with the tests, at `listener`.
    pub fn start(listener: TcpListener) -> Result<Self, String> {
        let failed = |error: &dyn std::fmt::Display| format!("{RECORDING}: {error}");
        let text = std::fs::read_to_string(RECORDING).map_err(|error| failed(&error))?;
        let (recorded, turns) = parse(&text).map_err(|reason| failed(&reason))?;
        let play = move |stream: &TcpStream| play(stream, recorded, &turns);
        Ok(Self { _acceptor: Acceptor::start(listener, play) })
    }
}

/// Whoever asks for what is not in the recording is told so.
fn play(mut stream: &TcpStream, recorded: Duration, turns: &[Turn]) -> std::io::Result<()> {
    if begin(stream)?.is_none() {
        return Ok(());
    }
    let mut question = STARTUP.to_owned();
    loop {
        let age = now().saturating_sub(recorded).as_secs();
        if let Some(turn) = turns.iter().find(|turn| is_alike(&turn.asked, &question)) {
            for message in &turn.answered {
                write(stream, &with_times_moved(message, recorded, age))?;
            }
        } else {
            write(stream, b"ESERROR\0VERROR\0C0A000\0Mthe recording holds no answer to this statement\0\0")?;
            write(stream, b"ZI")?;
        }
        stream.flush()?;
        match turn(stream)? {
            Some(messages) => question = words(&messages),
            None => return Ok(()),
        }
    }
}

/// A relay between clients and a server, which records what they say.
#[derive(Debug)]
pub struct Relay {
    /// Where it listens.
    pub address: SocketAddr,
    turns: Arc<Mutex<Vec<Turn>>>,
    _acceptor: Acceptor,
}

impl Relay {
    /// Relays to the server at `server`, which lets everybody in without a password.
    pub fn start(server: SocketAddr) -> Result<Self, String> {
        let listener = TcpListener::bind("127.0.0.1:0").map_err(|error| error.to_string())?;
        let address = listener.local_addr().map_err(|error| error.to_string())?;
        let turns = Arc::new(Mutex::new(Vec::new()));
        let kept = Arc::clone(&turns);
        let relay = move |stream: &TcpStream| relay(stream, &TcpStream::connect(server)?, &kept);
        Ok(Self { address, turns, _acceptor: Acceptor::start(listener, relay) })
    }

    /// What was said so far, as a recording.
    pub fn recording(&self) -> String {
        let text = |bytes: &[u8]| bytes.iter().map(|byte| char::from(*byte)).collect::<String>();
        let turns = self.turns.lock().unwrap_or_else(PoisonError::into_inner);
        let turns: Vec<Value> = turns
            .iter()
            .map(|turn| {
                let answered: Vec<String> = turn.answered.iter().map(|message| text(message)).collect();
                json!({ "asked": turn.asked, "answered": answered })
            })
            .collect();
        let recording = json!({ "recorded": now().as_secs(), "turns": turns });
        format!("{recording:#}\n")
    }
}

fn relay(mut client: &TcpStream, mut server: &TcpStream, turns: &Mutex<Vec<Turn>>) -> std::io::Result<()> {
    let Some(startup) = begin(client)? else { return Ok(()) };
    server.write_all(&startup)?;
    let mut asked = STARTUP.to_owned();
    loop {
        let mut answered = Vec::new();
        while answered.last().is_none_or(|message: &Vec<u8>| message[0] != b'Z') {
            let message = read(&mut server)?;
            write(client, &message)?;
            answered.push(message);
        }
        client.flush()?;
        turns.lock().unwrap_or_else(PoisonError::into_inner).push(Turn { asked, answered });
        let Some(messages) = turn(client)? else { return server.shutdown(Shutdown::Both) };
        for message in &messages {
            write(server, message)?;
        }
        asked = words(&messages);
    }
}

/// Reads what a client begins with, and tells it that there is no encryption where it asks for that. Nothing where it
/// only wants a statement to be cancelled.
fn begin(mut stream: &TcpStream) -> std::io::Result<Option<Vec<u8>>> {
    const VERSION: [u8; 2] = [0, 3];
    const CANCEL: [u8; 4] = [4, 210, 22, 46];
    loop {
        let mut length = [0; 4];
        stream.read_exact(&mut length)?;
        let body = body(&mut stream, length)?;
        if body.starts_with(&VERSION) {
            return Ok(Some([&length[..], &body].concat()));
        }
        if body.starts_with(&CANCEL) {
            return Ok(None);
        }
        stream.write_all(b"N")?;
    }
}

/// The messages up to one that wants an answer. Nothing when the client says good-bye.
fn turn(mut stream: &TcpStream) -> std::io::Result<Option<Vec<Vec<u8>>>> {
    let mut messages: Vec<Vec<u8>> = Vec::new();
    loop {
        let message = read(&mut stream)?;
        match message[0] {
            b'X' => return Ok(None),
            b'Q' | b'S' => {
                messages.push(message);
                return Ok(Some(messages));
            }
            _ => messages.push(message),
        }
    }
}

/// A message: its letter and what it holds.
fn read(stream: &mut impl Read) -> std::io::Result<Vec<u8>> {
    let mut head = [0; 5];
    stream.read_exact(&mut head)?;
    let [kind, length @ ..] = head;
    Ok([&[kind], body(stream, length)?.as_slice()].concat())
}

fn body(stream: &mut impl Read, length: [u8; 4]) -> std::io::Result<Vec<u8>> {
    const LIMIT: u32 = 1 << 24;
    let length = u32::from_be_bytes(length).checked_sub(4).filter(|length| *length < LIMIT);
    let length = length.ok_or_else(|| Error::from(ErrorKind::InvalidData))?;
    let mut body = vec![0; usize::try_from(length).map_err(Error::other)?];
    stream.read_exact(&mut body)?;
    Ok(body)
}

fn write(mut stream: &TcpStream, message: &[u8]) -> std::io::Result<()> {
    let length = u32::try_from(message.len() + 3).map_err(Error::other)?;
    stream.write_all(&[&message[..1], &length.to_be_bytes(), &message[1..]].concat())
}

/// A question for a reader.
fn words(messages: &[Vec<u8>]) -> String {
    messages.iter().flatten().map(|byte| char::from(*byte)).collect()
}

/// Whether two questions differ in their numbers alone.
fn is_alike(one: &str, other: &str) -> bool {
    let parts = |text: &str| {
        text.split(|letter: char| letter.is_ascii_digit())
            .filter(|part| !part.is_empty())
            .map(str::to_owned)
            .collect::<Vec<_>>()
    };
    parts(one) == parts(other)
}

/// `message` with times that are later by `age` seconds, if it is a row.
fn with_times_moved(message: &[u8], recorded: Duration, age: u64) -> Vec<u8> {
    const DIGITS: usize = 10;
    let mut message = message.to_vec();
    if message.first() != Some(&b'D') {
        return message;
    }
    let is_digit = |byte: Option<&u8>| byte.is_some_and(u8::is_ascii_digit);
    for place in 1..message.len().saturating_sub(DIGITS) {
        if is_digit(message.get(place - 1)) || message[place + DIGITS] != b'.' {
            continue;
        }
        let number =
            std::str::from_utf8(&message[place..place + DIGITS]).ok().and_then(|text| text.parse::<u64>().ok());
        let moved = number.filter(|time| recorded.as_secs().abs_diff(*time) < NEAR.as_secs()).map(|time| time + age);
        if let Some(text) = moved.map(|time| time.to_string()).filter(|text| text.len() == DIGITS) {
            message[place..place + DIGITS].copy_from_slice(text.as_bytes());
        }
    }
    message
}

fn now() -> Duration {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default()
}

/// When a recording was made, since 1970, and its turns.
fn parse(text: &str) -> Result<(Duration, Vec<Turn>), String> {
    let recording: Value = serde_json::from_str(text).map_err(|error| error.to_string())?;
    let bytes =
        |text: &Value| text.as_str()?.chars().map(|letter| u8::try_from(letter).ok()).collect::<Option<Vec<u8>>>();
    let turn = |turn: &Value| {
        let answered = turn["answered"].as_array()?.iter().map(bytes).collect::<Option<_>>()?;
        Some(Turn { asked: turn["asked"].as_str()?.to_owned(), answered })
    };
    let turns = recording["turns"].as_array().and_then(|turns| turns.iter().map(turn).collect());
    let recorded = recording["recorded"].as_u64().map(Duration::from_secs);
    recorded.zip(turns).ok_or_else(|| "this is no recording".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn questions_differ_by_more_than_numbers() {
        assert!(is_alike("QSET statement_timeout = 9000", "QSET statement_timeout = 850"));
        assert!(!is_alike("QSET statement_timeout = 9000", "QSET lock_timeout = 9000"));
    }

    #[test]
    fn times_of_rows_move() {
        let recorded = Duration::from_secs(1_795_569_888);
        let moved = with_times_moved(b"D\0\x01{\"now\": 1795569888.955, \"size\": 1234567890.5}", recorded, 60);
        assert_eq!(String::from_utf8(moved).unwrap(), "D\0\x01{\"now\": 1795569948.955, \"size\": 1234567890.5}");
        assert_eq!(with_times_moved(b"C1795569888.9", recorded, 60), b"C1795569888.9");
    }
}
