//! `body FILE [CHUNK]`: serves the file to every GET as Go does, in chunks of so many bytes (one chunk, if none are
//! given), and prints its port. It ends with its standard input.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::process::ExitCode;
use std::sync::Arc;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().collect();
    let Some(body) = arguments.get(1).and_then(|path| std::fs::read(path).ok()) else { return ExitCode::FAILURE };
    let size = arguments.get(2).and_then(|size| size.parse().ok()).unwrap_or(body.len()).max(1);
    let answer = Arc::new(answer(&body, size));
    let Ok(listener) = TcpListener::bind("127.0.0.1:0") else { return ExitCode::FAILURE };
    let Ok(address) = listener.local_addr() else { return ExitCode::FAILURE };
    let _ = writeln!(std::io::stdout(), "{}", address.port());
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let answer = Arc::clone(&answer);
            std::thread::spawn(move || serve(stream, &answer));
        }
    });
    let _ = std::io::stdin().read_to_end(&mut Vec::new());
    ExitCode::SUCCESS
}

/// The whole answer, made beforehand, so that its making is not measured.
fn answer(body: &[u8], size: usize) -> Vec<u8> {
    let head = "HTTP/1.1 200 OK\r\nContent-Type: application/json; charset=utf-8\r\nTransfer-Encoding: chunked\r\n\r\n";
    let mut answer = head.as_bytes().to_vec();
    for piece in body.chunks(size) {
        answer.extend_from_slice(format!("{:x}\r\n", piece.len()).as_bytes());
        answer.extend_from_slice(piece);
        answer.extend_from_slice(b"\r\n");
    }
    answer.extend_from_slice(b"0\r\n\r\n");
    answer
}

/// Answers every request of a connection until the client ends it.
fn serve(stream: TcpStream, answer: &[u8]) {
    let Ok(mut writer) = stream.try_clone() else { return };
    let mut reader = BufReader::new(stream);
    let mut line = String::new();
    while reader.read_line(&mut line).is_ok_and(|length| length > 0) {
        if line == "\r\n" && writer.write_all(answer).is_err() {
            return;
        }
        line.clear();
    }
}
