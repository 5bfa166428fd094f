//! One call of gRPC's health service, over HTTP/2 by h2.
//!
//! h2 wants to be polled, and nothing more: one call on one connection needs no runtime. What it waits for is its
//! socket, which poll(2) tells.

use std::cell::RefCell;
use std::future::{Future, poll_fn};
use std::io::{self, Cursor, ErrorKind, Read as _, Write as _};
use std::pin::{Pin, pin};
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, Wake, Waker};
use std::time::Instant;

use h2::RecvStream;
use h2::client::{Builder, Connection};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use super::socket::Stream;
use super::{Attempt, Run, add, tls};
use crate::parse::speech::{Speech, speech};
use crate::parse::{grpc, percent};
use crate::snapshot::{Failure, GrpcAnswer, Phase};
use crate::target::Url;

/// A message or a head that is longer is not of the health service.
const MAX_BYTES: usize = 64 << 10;

/// Asks the health service at `url`.
pub fn ask(run: &Run, url: &Url, attempt: &mut Attempt) -> Result<GrpcAnswer, Failure> {
    let mut stream = run.connect(url, attempt)?;
    stream.do_not_wait();
    let shared = Shared(Rc::new(RefCell::new(stream)));
    let request = request(run, url, attempt)?;
    let question = grpc::question(&run.config.options.grpc_service);
    let sent = Instant::now();
    let mut progress = Progress::default();
    let answer = drive(pin!(call(shared.clone(), request, question, &mut progress, attempt, sent)), &shared);
    let spoken = speech(shared.0.borrow().first());
    let fault = match answer {
        Ok(Ok(answer)) => return Ok(answer),
        Ok(Err(fault)) => Err(fault),
        Err(timeout) => Ok(timeout),
    };
    Err(failure(fault, spoken, progress.received, run.config.identity.is_some()))
}

/// What a call was like when it failed.
#[derive(Default)]
struct Progress {
    /// Bytes of the body.
    received: usize,
}

/// Why there is no answer: an error of HTTP/2, or of waiting for the socket.
fn failure(fault: Result<io::Error, h2::Error>, spoken: Speech, received: usize, has_certificate: bool) -> Failure {
    let refusal = match &fault {
        Err(error) => error.get_io().and_then(|error| tls::late_refusal(error, has_certificate)),
        Ok(_) => None,
    };
    // The time can be over while h2 reads, too.
    let fault = match fault {
        Err(error) if error.get_io().is_some_and(|error| error.kind() == ErrorKind::TimedOut) => {
            Ok(ErrorKind::TimedOut.into())
        }
        fault => fault,
    };
    match (fault, spoken) {
        _ if refusal.is_some() => refusal.unwrap_or(Failure::Closed),
        (Ok(error), Speech::Nothing) if error.kind() == ErrorKind::TimedOut => Failure::Timeout(Phase::FirstByte),
        (Ok(error), Speech::Http2) if error.kind() == ErrorKind::TimedOut => Failure::Timeout(Phase::Rest(received)),
        (Ok(error), Speech::Nothing | Speech::Http2) => {
            Failure::Broken { received, reason: common::text::io_error(&error) }
        }
        (Err(error), Speech::Nothing) => match error.get_io() {
            Some(cause) if cause.kind() != ErrorKind::UnexpectedEof && cause.raw_os_error().is_some() => {
                Failure::Broken { received, reason: common::text::io_error(cause) }
            }
            _ => Failure::Closed,
        },
        (Err(error), Speech::Http2) => match error.get_io() {
            Some(cause) => Failure::Broken { received, reason: common::text::io_error(cause) },
            None => Failure::Malformed(error.to_string()),
        },
        (_, other) => Failure::Foreign(other),
    }
}

fn request(run: &Run, url: &Url, attempt: &Attempt) -> Result<http::Request<()>, Failure> {
    let scheme = if url.scheme.is_tls() { "https" } else { "http" };
    let host = run.headers.iter().find(|(name, _)| name == "host").map(|(_, value)| value.clone());
    let authority = host.unwrap_or_else(|| url.authority());
    let left = attempt.end.saturating_duration_since(Instant::now()).as_millis();
    let mut request = http::Request::builder()
        .method("POST")
        .uri(format!("{scheme}://{authority}/grpc.health.v1.Health/Check"))
        .header("content-type", "application/grpc")
        .header("te", "trailers")
        // At most eight digits.
        .header("grpc-timeout", format!("{}m", left.min(99_999_999)));
    let is_given = |wanted: &str| run.headers.iter().any(|(name, _)| name == wanted);
    if !is_given("user-agent") {
        request = request.header("user-agent", &run.config.options.user_agent);
    }
    for (name, value) in run.headers.iter().filter(|(name, _)| name != "host") {
        request = request.header(name, value);
    }
    request.body(()).map_err(|error| Failure::Malformed(format!("it cannot be asked: {error}")))
}

/// The call: a request, the answer's head, its body and what follows that.
async fn call(
    io: Shared,
    request: http::Request<()>,
    question: Vec<u8>,
    progress: &mut Progress,
    attempt: &mut Attempt,
    sent: Instant,
) -> Result<GrpcAnswer, h2::Error> {
    let mut builder = Builder::new();
    builder.max_header_list_size(u32::try_from(MAX_BYTES).unwrap_or(u32::MAX)).enable_push(false);
    let (sender, mut connection) = builder.handshake::<_, Cursor<Vec<u8>>>(io).await?;
    let mut exchange = pin!(async {
        let mut sender = sender.ready().await?;
        let (response, mut body) = sender.send_request(request, false)?;
        body.send_data(Cursor::new(question), true)?;
        let (head, body) = response.await?.into_parts();
        add(&mut attempt.phases.first_byte, sent);
        let (message, trailers) = read(body, &mut progress.received).await?;
        // Where there is no body, the status is in the head.
        let both = [trailers.as_ref(), Some(&head.headers)];
        let field = |name: &str| {
            let value = both.iter().flatten().find_map(|fields| fields.get(name));
            value.map(|value| String::from_utf8_lossy(value.as_bytes()).into_owned())
        };
        Ok(GrpcAnswer {
            http_status: head.status.as_u16(),
            content_type: field("content-type").unwrap_or_default(),
            status: field("grpc-status").and_then(|status| status.trim().parse().ok()),
            message: percent::decoded(&field("grpc-message").unwrap_or_default()),
            serving: grpc::answer(&message),
        })
    });
    // The connection does the reading and writing; the exchange only waits for that.
    poll_fn(|context| {
        if let ready @ Poll::Ready(_) = exchange.as_mut().poll(context) {
            return ready;
        }
        let ended = poll_connection(&mut connection, context);
        match (exchange.as_mut().poll(context), ended) {
            (ready @ Poll::Ready(_), _) => ready,
            (Poll::Pending, Poll::Ready(Err(error))) => Poll::Ready(Err(error)),
            (Poll::Pending, Poll::Ready(Ok(()))) => Poll::Ready(Err(h2::Error::from(h2::Reason::NO_ERROR))),
            (Poll::Pending, Poll::Pending) => Poll::Pending,
        }
    })
    .await
}

fn poll_connection(
    connection: &mut Connection<Shared, Cursor<Vec<u8>>>,
    context: &mut Context<'_>,
) -> Poll<Result<(), h2::Error>> {
    Pin::new(connection).poll(context)
}

/// The body, as much as a message of the health service can have, and what follows it.
async fn read(mut body: RecvStream, received: &mut usize) -> Result<(Vec<u8>, Option<http::HeaderMap>), h2::Error> {
    let mut message = Vec::new();
    while let Some(data) = body.data().await {
        let data = data?;
        message.extend_from_slice(&data);
        *received = message.len();
        if message.len() > MAX_BYTES {
            return Ok((message, None));
        }
        body.flow_control().release_capacity(data.len())?;
    }
    Ok((message, body.trailers().await?))
}

/// Notes that somebody wants to be polled again.
#[derive(Default)]
struct Woken(AtomicBool);

impl Wake for Woken {
    fn wake(self: Arc<Self>) {
        self.0.store(true, Ordering::Release);
    }
}

/// Polls `future` until it is ready, waiting for the socket in between.
fn drive<T>(mut future: Pin<&mut impl Future<Output = T>>, io: &Shared) -> io::Result<T> {
    let woken = Arc::new(Woken::default());
    let waker = Waker::from(Arc::clone(&woken));
    let mut context = Context::from_waker(&waker);
    loop {
        if let Poll::Ready(value) = future.as_mut().poll(&mut context) {
            return Ok(value);
        }
        // One that has woken itself has something left to do that the socket knows nothing of.
        if !woken.0.swap(false, Ordering::AcqRel) {
            io.0.borrow().wait()?;
        }
    }
}

/// A stream that its connection owns and the loop above waits for.
#[derive(Clone)]
struct Shared(Rc<RefCell<Stream>>);

/// A result of an operation that does not wait.
fn polled<T>(result: io::Result<T>) -> Poll<io::Result<T>> {
    match result {
        Err(error) if error.kind() == ErrorKind::WouldBlock => Poll::Pending,
        result => Poll::Ready(result),
    }
}

impl AsyncRead for Shared {
    fn poll_read(self: Pin<&mut Self>, _: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let read = self.0.borrow_mut().read(buffer.initialize_unfilled());
        polled(read.map(|count| buffer.advance(count)))
    }
}

impl AsyncWrite for Shared {
    fn poll_write(self: Pin<&mut Self>, _: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        polled(self.0.borrow_mut().write(bytes))
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        polled(self.0.borrow_mut().flush())
    }

    fn poll_shutdown(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.poll_flush(context)
    }
}
