//! Listeners and the threads that serve them.

use std::convert::Infallible;
use std::future::{Future, ready};
use std::net::SocketAddr;
use std::time::Duration;

use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper::{Request, server::conn::http1, server::conn::http2};
use hyper_util::rt::{TokioExecutor, TokioIo};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::runtime::{Builder, Runtime};
use tokio_rustls::TlsAcceptor;

use crate::http::Answer;

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
            let connection = http2::Builder::new(TokioExecutor::new()).serve_connection(TokioIo::new(stream), service);
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
                    Ok((stream, _)) => drop(tokio::spawn(serve(stream))),
                    // Out of file descriptors, say: they come back when connections end.
                    Err(_) => tokio::time::sleep(Duration::from_millis(50)).await,
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
    drop(http1::Builder::new().serve_connection(TokioIo::new(stream), service).await);
}
