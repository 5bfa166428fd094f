//! Listeners and the threads that serve them.

use std::convert::Infallible;
use std::future::{Future, ready};
use std::io::ErrorKind;
use std::net::SocketAddr;
use std::path::Path;
use std::time::Duration;

use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper::{Request, server::conn::http1, server::conn::http2};
use hyper_util::rt::{TokioExecutor, TokioIo};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream, UnixListener};
use tokio::runtime::{Builder, Runtime};
use tokio_rustls::TlsAcceptor;

use crate::http::Answer;

/// After a connection could not be accepted, as there is no file descriptor left for it, say. They come back when
/// connections end.
const PAUSE: Duration = Duration::from_millis(50);

/// Serves until it is dropped.
#[derive(Debug)]
pub struct Server {
    runtime: Option<Runtime>,
}

impl Server {
    pub fn new() -> Result<Self, String> {
        let runtime = Builder::new_multi_thread().worker_threads(1).enable_all().build();
        Ok(Self { runtime: Some(runtime.map_err(|error| format!("cannot start a thread: {error}"))?) })
    }

    fn runtime(&self) -> &Runtime {
        self.runtime.as_ref().expect("a runtime until it is dropped")
    }

    /// Listens at `address`; what comes waits until it is served.
    pub fn listen(&self, address: SocketAddr) -> Result<(TcpListener, SocketAddr), String> {
        // In the words of Go's net package.
        let failed = |error: std::io::Error| format!("listen tcp {address}: bind: {}", crate::log::reason(&error));
        let listener = self.runtime().block_on(TcpListener::bind(address)).map_err(failed)?;
        let address = listener.local_addr().map_err(failed)?;
        Ok((listener, address))
    }

    /// Serves HTTP/1.1.
    pub fn http(&self, listener: TcpListener, answer: impl Fn(&Request<Incoming>) -> Answer + Clone + Send + 'static) {
        self.accept(listener, move |stream| one_http(stream, answer.clone()));
    }

    /// Serves HTTP/1.1 on the unix socket `path`, which must not exist yet.
    pub fn http_at(
        &self,
        path: &Path,
        answer: impl Fn(&Request<Incoming>) -> Answer + Clone + Send + 'static,
    ) -> Result<(), String> {
        let bound = self.runtime().block_on(async { UnixListener::bind(path) });
        let listener = bound.map_err(|error| format!("{}: {error}", path.display()))?;
        self.runtime().spawn(async move {
            loop {
                match listener.accept().await {
                    Ok((stream, _)) => drop(tokio::spawn(one_http(stream, answer.clone()))),
                    Err(_) => tokio::time::sleep(PAUSE).await,
                }
            }
        });
        Ok(())
    }

    /// Serves HTTP/1.1, but whom `raw` has bytes for gets those and the end of the connection.
    pub fn http_or_raw(
        &self,
        listener: TcpListener,
        answer: impl Fn(&Request<Incoming>) -> Answer + Clone + Send + 'static,
        raw: impl Fn() -> Option<Vec<u8>> + Send + 'static,
    ) {
        self.accept(listener, move |stream| {
            let (answer, raw) = (answer.clone(), raw());
            async move {
                match raw {
                    Some(bytes) => drop(one_raw(&stream, &bytes).await),
                    None => one_http(stream, answer).await,
                }
            }
        });
    }

    /// Serves HTTP/1.1 over TLS.
    pub fn https(
        &self,
        listener: TcpListener,
        tls: TlsAcceptor,
        answer: impl Fn(&Request<Incoming>) -> Answer + Clone + Send + 'static,
    ) {
        self.accept(listener, move |stream| {
            let (tls, answer) = (tls.clone(), answer.clone());
            async move {
                if let Ok(stream) = tls.accept(stream).await {
                    one_http(stream, answer).await;
                }
            }
        });
    }

    /// Serves HTTP/2 without TLS, to clients that know that beforehand.
    pub fn http2<F: Future<Output = Answer> + Send + 'static>(
        &self,
        listener: TcpListener,
        answer: impl Fn(Request<Incoming>) -> F + Clone + Send + 'static,
    ) {
        self.accept(listener, move |stream| {
            let answer = answer.clone();
            let service = service_fn(move |request| {
                let answer = answer(request);
                async move { Ok::<_, Infallible>(answer.await) }
            });
            // grpc-go sends no date.
            let mut http2 = http2::Builder::new(TokioExecutor::new());
            let connection = http2.auto_date_header(false).serve_connection(TokioIo::new(stream), service);
            async move { drop(connection.await) }
        });
    }

    fn accept<F: Future<Output = ()> + Send + 'static>(
        &self,
        listener: TcpListener,
        serve: impl Fn(TcpStream) -> F + Send + 'static,
    ) {
        self.runtime().spawn(async move {
            loop {
                match listener.accept().await {
                    Ok((stream, _)) => {
                        // As Go does; else an answer in two parts waits for the client's delayed acknowledgement.
                        let _ = stream.set_nodelay(true);
                        drop(tokio::spawn(serve(stream)));
                    }
                    Err(_) => tokio::time::sleep(PAUSE).await,
                }
            }
        });
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            // Waits for the thread, so that the ports are free afterwards.
            runtime.shutdown_timeout(Duration::from_secs(5));
        }
    }
}

/// One connection. What a client does wrong is its own concern.
async fn one_http(
    stream: impl AsyncRead + AsyncWrite + Unpin + Send,
    answer: impl Fn(&Request<Incoming>) -> Answer + Send,
) {
    let service = service_fn(move |request| ready(Ok::<_, Infallible>(answer(&request))));
    // With the names of headers as Go writes them.
    drop(http1::Builder::new().title_case_headers(true).serve_connection(TokioIo::new(stream), service).await);
}

/// One connection whose request is read, to its empty line, and not looked at.
async fn one_raw(stream: &TcpStream, mut bytes: &[u8]) -> std::io::Result<()> {
    let (mut asked, mut piece) = (Vec::new(), [0; 4096]);
    while !asked.windows(4).any(|end| end == b"\r\n\r\n") {
        stream.readable().await?;
        match stream.try_read(&mut piece) {
            Ok(0) => return Ok(()),
            Ok(count) => asked.extend_from_slice(&piece[..count]),
            Err(error) if error.kind() == ErrorKind::WouldBlock => {}
            Err(error) => return Err(error),
        }
    }
    while !bytes.is_empty() {
        stream.writable().await?;
        match stream.try_write(bytes) {
            Ok(count) => bytes = &bytes[count..],
            Err(error) if error.kind() == ErrorKind::WouldBlock => {}
            Err(error) => return Err(error),
        }
    }
    Ok(())
}
