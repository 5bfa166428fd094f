//! Answers as Go's net/http gives them.

use std::collections::VecDeque;
use std::convert::Infallible;
use std::pin::Pin;
use std::task::{Context, Poll};

use hyper::body::{Bytes, Frame, SizeHint};
use hyper::header::{ALLOW, CONTENT_TYPE, HeaderValue, X_CONTENT_TYPE_OPTIONS};
use hyper::{HeaderMap, Method, Response, StatusCode};

/// An answer.
pub type Answer = Response<Body>;

/// A body that is ready when it is asked for.
#[derive(Debug, Default)]
pub struct Body {
    frames: VecDeque<Frame<Bytes>>,
    /// The length, where it is told beforehand.
    length: Option<u64>,
}

impl Body {
    /// A body whose length the header tells.
    pub fn whole(text: &str) -> Self {
        let length = Some(text.len() as u64);
        Self { frames: VecDeque::from([Frame::data(Bytes::copy_from_slice(text.as_bytes()))]), length }
    }

    /// A body whose length is not told beforehand.
    pub fn chunked(bytes: Vec<u8>) -> Self {
        Self { frames: VecDeque::from([Frame::data(Bytes::from(bytes))]), length: None }
    }

    /// A body that headers follow.
    pub fn with_trailers(bytes: Vec<u8>, trailers: HeaderMap) -> Self {
        Self { frames: VecDeque::from([Frame::data(Bytes::from(bytes)), Frame::trailers(trailers)]), length: None }
    }
}

impl hyper::body::Body for Body {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        Poll::Ready(self.frames.pop_front().map(Ok))
    }

    fn is_end_stream(&self) -> bool {
        self.frames.is_empty()
    }

    fn size_hint(&self) -> SizeHint {
        match self.length {
            Some(length) if !self.frames.is_empty() => SizeHint::with_exact(length),
            _ if self.frames.is_empty() => SizeHint::with_exact(0),
            _ => SizeHint::default(),
        }
    }
}

/// 200 with `body`.
pub fn found(content_type: &'static str, body: Body) -> Answer {
    let mut answer = Response::new(body);
    answer.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
    answer
}

/// An error, in one line of text.
pub fn error(status: StatusCode, line: &str) -> Answer {
    let mut answer = found("text/plain; charset=utf-8", Body::whole(&format!("{line}\n")));
    *answer.status_mut() = status;
    answer.headers_mut().insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    answer
}

/// What a mux says of a path that nobody handles.
pub fn not_found() -> Answer {
    error(StatusCode::NOT_FOUND, "404 page not found")
}

/// Elsewhere.
pub fn redirect(status: StatusCode, location: &str) -> Answer {
    let mut answer = found("text/html; charset=utf-8", Body::whole(&format!("<a href=\"{location}\">Moved</a>.\n\n")));
    *answer.status_mut() = status;
    let location = HeaderValue::from_str(location).unwrap_or(HeaderValue::from_static("/"));
    answer.headers_mut().insert(hyper::header::LOCATION, location);
    answer
}

/// The answer to a method that a path does not allow, if it does not.
pub fn refusal(method: &Method) -> Option<Answer> {
    if [Method::GET, Method::HEAD].contains(method) {
        return None;
    }
    let mut answer = error(StatusCode::METHOD_NOT_ALLOWED, "Method Not Allowed");
    answer.headers_mut().insert(ALLOW, HeaderValue::from_static("GET, HEAD"));
    Some(answer)
}
