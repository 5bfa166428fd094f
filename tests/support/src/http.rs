//! A scripted HTTP server, on a free port or on a unix socket, that can misbehave in the ways that servers do.
//!
//! ```no_run
//! use support::http::{Answer, Server};
//! let engine = Server::unix("/tmp/engine.sock", |routes| {
//!     routes.on("GET", "/_ping", Answer::text("OK")).on("GET", "/info", Answer::HangBeforeHeaders)
//! });
//! // ... run the plugin ...
//! assert_eq!(engine.requests()[0].target, "/_ping");
//! ```

use std::io::{BufRead as _, BufReader, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::Duration;

/// What a route answers.
#[derive(Clone, Debug)]
pub enum Answer {
    /// A response with `Content-Length`.
    Response {
        /// Status code.
        status: u16,
        /// Further headers.
        headers: Vec<(String, String)>,
        /// Body.
        body: Vec<u8>,
    },
    /// These bytes, head included, and then the end of the connection.
    Raw(Vec<u8>),
    /// Nothing, for as long as the client waits.
    HangBeforeHeaders,
    /// A head that promises a body, and nothing more.
    HangAfterHeaders,
    /// A whole response, one byte at a time.
    Drip {
        /// The response's body.
        body: Vec<u8>,
        /// The pause before each byte.
        every: Duration,
    },
    /// A head and then bytes without end.
    Endless,
    /// A head that promises this body and more, this body, and the end of the connection.
    CloseMidBody(Vec<u8>),
}

impl Answer {
    /// A response of `status` with `body`.
    pub fn status(status: u16, body: impl AsRef<[u8]>) -> Self {
        Self::Response { status, headers: Vec::new(), body: body.as_ref().to_vec() }
    }

    /// 200 with plain text.
    pub fn text(body: impl AsRef<[u8]>) -> Self {
        Self::status(200, body).header("Content-Type", "text/plain")
    }

    /// 200 with JSON.
    pub fn json(body: impl AsRef<[u8]>) -> Self {
        Self::status(200, body).header("Content-Type", "application/json")
    }

    /// This response with a header; no other answer takes one.
    #[must_use]
    pub fn header(mut self, name: &str, value: &str) -> Self {
        match &mut self {
            Self::Response { headers, .. } => headers.push((name.to_owned(), value.to_owned())),
            other => panic!("{other:?} takes no header"),
        }
        self
    }
}

/// What is answered to what.
#[derive(Debug, Default)]
pub struct Routes(Vec<Route>);

#[derive(Debug)]
struct Route {
    method: String,
    prefix: String,
    answers: Vec<Answer>,
    served: usize,
}

impl Routes {
    /// Answers `method` requests whose target begins with `prefix`; of several prefixes the longest counts, and
    /// what none matches is 404. A route that is given again answers so the next time; the last answer stays.
    #[must_use]
    pub fn on(mut self, method: &str, prefix: &str, answer: Answer) -> Self {
        match self.0.iter_mut().find(|route| route.method == method && route.prefix == prefix) {
            Some(route) => route.answers.push(answer),
            None => self.0.push(Route {
                method: method.to_owned(),
                prefix: prefix.to_owned(),
                answers: vec![answer],
                served: 0,
            }),
        }
        self
    }

    fn answer(&mut self, request: &Request) -> Answer {
        let matching = self
            .0
            .iter_mut()
            .filter(|route| route.method == request.method && request.target.starts_with(&route.prefix));
        let Some(route) = matching.max_by_key(|route| route.prefix.len()) else {
            return Answer::status(404, format!("no route for {} {}\n", request.method, request.target));
        };
        let answer = route.answers[route.served.min(route.answers.len() - 1)].clone();
        route.served += 1;
        answer
    }
}

/// A request as it came.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Request {
    /// `GET`, for instance.
    pub method: String,
    /// Path and query.
    pub target: String,
    /// Headers in order, names in lower case.
    pub headers: Vec<(String, String)>,
    /// Body.
    pub body: Vec<u8>,
}

impl Request {
    /// The value of the first header `name`, given in lower case.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(each, _)| each == name).map(|(_, value)| value.as_str())
    }
}

/// A server that runs until it is dropped.
#[derive(Debug)]
pub struct Server {
    place: Place,
    shared: Arc<Shared>,
    acceptor: Option<JoinHandle<()>>,
}

#[derive(Clone, Debug)]
enum Place {
    Tcp(SocketAddr),
    Unix(PathBuf),
}

#[derive(Debug, Default)]
struct Shared {
    routes: Mutex<Routes>,
    requests: Mutex<Vec<Request>>,
    /// A second handle on every connection, to end it from outside.
    open: Mutex<Vec<Connection>>,
    stopped: AtomicBool,
}

impl Server {
    /// A server on a free port of 127.0.0.1.
    pub fn tcp(script: impl FnOnce(Routes) -> Routes) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let place = Place::Tcp(listener.local_addr().expect("an address"));
        Self::start(place, script, move || listener.accept().map(|(stream, _)| Connection::Tcp(stream)))
    }

    /// A server on the unix socket `path`, which must not exist yet.
    pub fn unix(path: impl AsRef<Path>, script: impl FnOnce(Routes) -> Routes) -> Self {
        let path = path.as_ref().to_owned();
        let listener =
            UnixListener::bind(&path).unwrap_or_else(|error| panic!("cannot listen on {}: {error}", path.display()));
        let accept = move || listener.accept().map(|(stream, _)| Connection::Unix(stream));
        Self::start(Place::Unix(path), script, accept)
    }

    fn start(
        place: Place,
        script: impl FnOnce(Routes) -> Routes,
        accept: impl Fn() -> std::io::Result<Connection> + Send + 'static,
    ) -> Self {
        let shared = Arc::new(Shared { routes: Mutex::new(script(Routes::default())), ..Shared::default() });
        let of_thread = Arc::clone(&shared);
        let acceptor = thread::spawn(move || {
            while let Ok(connection) = accept() {
                if of_thread.stopped.load(Ordering::Acquire) {
                    return;
                }
                let shared = Arc::clone(&of_thread);
                thread::spawn(move || serve(&connection, &shared));
            }
        });
        Self { place, shared, acceptor: Some(acceptor) }
    }

    /// `127.0.0.1:PORT`.
    pub fn address(&self) -> String {
        match &self.place {
            Place::Tcp(address) => address.to_string(),
            Place::Unix(path) => panic!("{} is no address", path.display()),
        }
    }

    /// The unix socket.
    pub fn path(&self) -> &Path {
        match &self.place {
            Place::Tcp(address) => panic!("{address} is no path"),
            Place::Unix(path) => path,
        }
    }

    /// The requests so far.
    pub fn requests(&self) -> Vec<Request> {
        lock(&self.shared.requests).clone()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.shared.stopped.store(true, Ordering::Release);
        // Wakes the thread that waits for the next connection.
        let woken = match &self.place {
            Place::Tcp(address) => TcpStream::connect(address).is_ok(),
            Place::Unix(path) => UnixStream::connect(path).is_ok(),
        };
        if let Some(acceptor) = self.acceptor.take().filter(|_| woken) {
            let _ = acceptor.join();
        }
        lock(&self.shared.open).iter().for_each(Connection::end);
        if let Place::Unix(path) = &self.place {
            let _ = std::fs::remove_file(path);
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[derive(Debug)]
enum Connection {
    Tcp(TcpStream),
    Unix(UnixStream),
}

impl Connection {
    fn try_clone(&self) -> std::io::Result<Self> {
        match self {
            Self::Tcp(stream) => stream.try_clone().map(Self::Tcp),
            Self::Unix(stream) => stream.try_clone().map(Self::Unix),
        }
    }

    fn end(&self) {
        let _ = match self {
            Self::Tcp(stream) => stream.shutdown(Shutdown::Both),
            Self::Unix(stream) => stream.shutdown(Shutdown::Both),
        };
    }
}

impl Read for &Connection {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        match self {
            Connection::Tcp(stream) => (&mut &*stream).read(buffer),
            Connection::Unix(stream) => (&mut &*stream).read(buffer),
        }
    }
}

impl Write for &Connection {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        match self {
            Connection::Tcp(stream) => (&mut &*stream).write(bytes),
            Connection::Unix(stream) => (&mut &*stream).write(bytes),
        }
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

/// Answers the requests of one connection until either side ends it.
fn serve(connection: &Connection, shared: &Shared) {
    if let Ok(handle) = connection.try_clone() {
        lock(&shared.open).push(handle);
    }
    // Else a connection that is accepted while the server is dropped would be missed by both.
    if shared.stopped.load(Ordering::Acquire) {
        connection.end();
        return;
    }
    let mut reader = BufReader::new(connection);
    while let Some(request) = read_request(&mut reader) {
        let answer = lock(&shared.routes).answer(&request);
        lock(&shared.requests).push(request);
        // What goes wrong here is the client's going away.
        match give(connection, &answer, shared) {
            Ok(true) => {}
            Ok(false) | Err(_) => break,
        }
    }
    connection.end();
}

fn read_request(reader: &mut BufReader<&Connection>) -> Option<Request> {
    let mut line = || {
        let mut line = String::new();
        reader.read_line(&mut line).ok().filter(|length| *length > 0)?;
        Some(line.trim_end().to_owned())
    };
    let first = line()?;
    let mut words = first.split(' ');
    let (method, target) = (words.next()?.to_owned(), words.next()?.to_owned());
    let mut headers = Vec::new();
    loop {
        let line = line()?;
        let Some((name, value)) = line.split_once(':') else { break };
        headers.push((name.to_ascii_lowercase(), value.trim().to_owned()));
    }
    let mut request = Request { method, target, headers, body: Vec::new() };
    if let Some(length) = request.header("content-length").and_then(|length| length.parse().ok()) {
        request.body = vec![0; length];
        reader.read_exact(&mut request.body).ok()?;
    }
    Some(request)
}

/// Gives one answer. Says whether the connection can take another request.
fn give(mut connection: &Connection, answer: &Answer, shared: &Shared) -> std::io::Result<bool> {
    match answer {
        Answer::Response { status, headers, body } => {
            let headers: Vec<String> = headers.iter().map(|(name, value)| format!("{name}: {value}\r\n")).collect();
            connection.write_all(head(*status, &headers.concat(), body.len()).as_bytes())?;
            connection.write_all(body)?;
            return Ok(true);
        }
        Answer::Raw(bytes) => connection.write_all(bytes)?,
        Answer::HangBeforeHeaders => hang(connection),
        Answer::HangAfterHeaders => {
            connection.write_all(head(200, "", 1000).as_bytes())?;
            hang(connection);
        }
        Answer::Drip { body, every } => {
            let head = head(200, "", body.len());
            for byte in head.as_bytes().iter().chain(body) {
                thread::sleep(*every);
                if shared.stopped.load(Ordering::Acquire) {
                    break;
                }
                connection.write_all(&[*byte])?;
            }
        }
        Answer::Endless => {
            connection.write_all(b"HTTP/1.1 200 OK\r\nContent-Type: application/octet-stream\r\n\r\n")?;
            while !shared.stopped.load(Ordering::Acquire) {
                connection.write_all(&[b'x'; 4096])?;
            }
        }
        Answer::CloseMidBody(body) => {
            connection.write_all(head(200, "", body.len() + 1000).as_bytes())?;
            connection.write_all(body)?;
        }
    }
    Ok(false)
}

fn head(status: u16, headers: &str, length: usize) -> String {
    format!("HTTP/1.1 {status} Scripted\r\n{headers}Content-Length: {length}\r\n\r\n")
}

/// Waits until the client gives up or the server is dropped.
fn hang(mut connection: &Connection) {
    let mut rest = [0; 1024];
    while connection.read(&mut rest).is_ok_and(|length| length > 0) {}
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Instant;

    /// What `server` answers to one request for `target`, up to the end of the connection or the pause.
    fn asked(server: &Server, target: &str) -> String {
        let mut stream = TcpStream::connect(server.address()).unwrap();
        stream.set_read_timeout(Some(Duration::from_millis(200))).unwrap();
        write!(stream, "GET {target} HTTP/1.1\r\nHost: x\r\n\r\n").unwrap();
        let mut text = Vec::new();
        let mut buffer = [0; 4096];
        while let Ok(length @ 1..) = stream.read(&mut buffer) {
            text.extend_from_slice(&buffer[..length]);
            if text.len() > 1 << 20 {
                break;
            }
        }
        String::from_utf8(text).unwrap()
    }

    #[test]
    fn routes_answer_by_longest_prefix_and_in_turn() {
        let server = Server::tcp(|routes| {
            routes.on("GET", "/", Answer::text("root")).on("GET", "/info", Answer::json("{}")).on(
                "GET",
                "/info",
                Answer::status(500, "no").header("X-Y", "z"),
            )
        });
        assert!(asked(&server, "/a").ends_with("\r\n\r\nroot"));
        assert!(asked(&server, "/info?x=1").ends_with("\r\n\r\n{}"));
        for _ in 0..2 {
            let answer = asked(&server, "/info");
            assert!(answer.starts_with("HTTP/1.1 500 ") && answer.contains("\r\nX-Y: z\r\n"), "{answer}");
        }
        let targets: Vec<String> = server.requests().into_iter().map(|request| request.target).collect();
        assert_eq!(targets, ["/a", "/info?x=1", "/info", "/info"]);
    }

    #[test]
    fn misbehaviour_is_as_scripted() {
        let server = Server::tcp(|routes| {
            routes
                .on("GET", "/raw", Answer::Raw(b"nonsense".to_vec()))
                .on("GET", "/before", Answer::HangBeforeHeaders)
                .on("GET", "/after", Answer::HangAfterHeaders)
                .on("GET", "/drip", Answer::Drip { body: b"ok".to_vec(), every: Duration::from_millis(1) })
                .on("GET", "/endless", Answer::Endless)
                .on("GET", "/close", Answer::CloseMidBody(b"half".to_vec()))
        });
        assert_eq!(asked(&server, "/raw"), "nonsense");
        assert_eq!(asked(&server, "/before"), "");
        assert!(asked(&server, "/after").ends_with("Content-Length: 1000\r\n\r\n"));
        assert!(asked(&server, "/drip").ends_with("\r\n\r\nok"));
        assert!(asked(&server, "/endless").len() > 1 << 20);
        assert!(asked(&server, "/close").ends_with("Content-Length: 1004\r\n\r\nhalf"));
        assert!(asked(&server, "/other").starts_with("HTTP/1.1 404 "));
    }

    #[test]
    fn a_unix_socket_serves_several_requests_of_one_connection() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("engine.sock");
        let server = Server::unix(&path, |routes| routes.on("POST", "/x", Answer::text("yes")));
        let mut stream = UnixStream::connect(server.path()).unwrap();
        for _ in 0..2 {
            stream.write_all(b"POST /x HTTP/1.1\r\nHost: y\r\nContent-Length: 3\r\n\r\nabc").unwrap();
            let mut answer =
                vec![0; "HTTP/1.1 200 Scripted\r\nContent-Type: text/plain\r\nContent-Length: 3\r\n\r\nyes".len()];
            stream.read_exact(&mut answer).unwrap();
            assert!(answer.ends_with(b"yes"));
        }
        assert_eq!(server.requests()[1].body, b"abc");
        assert_eq!(server.requests()[1].header("host"), Some("y"));
        drop(server);
        assert!(!path.exists());
    }

    #[test]
    fn dropping_the_server_ends_what_hangs() {
        let server = Server::tcp(|routes| routes.on("GET", "/", Answer::HangBeforeHeaders));
        let mut stream = TcpStream::connect(server.address()).unwrap();
        write!(stream, "GET / HTTP/1.1\r\n\r\n").unwrap();
        while server.requests().is_empty() {
            thread::sleep(Duration::from_millis(1));
        }
        let begin = Instant::now();
        drop(server);
        let mut text = String::new();
        let _ = stream.read_to_string(&mut text);
        assert!(text.is_empty() && begin.elapsed() < Duration::from_secs(5));
    }
}
