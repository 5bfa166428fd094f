//! The standard health service of gRPC, <https://grpc.io/docs/guides/health-checking/>, without `Watch`.
//!
//! HTTP/2 is hyper's. The two messages have one field each, which is not worth a compiler for protocol buffers.

use std::collections::BTreeMap;
use std::future::poll_fn;
use std::pin::Pin;

use hyper::body::{Body as _, Incoming};
use hyper::header::{CONTENT_TYPE, HeaderValue};
use hyper::{HeaderMap, Request, StatusCode};

use crate::http::{Answer, Body, error, found};

const CONTENT: &str = "application/grpc";

/// A request may not be longer; a server has a bound.
const LIMIT: usize = 4096;

/// A status code of gRPC and its message.
type Status = (u8, String);

/// How a service does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Serving {
    /// Nobody has said yet.
    Unknown = 0,
    /// It serves.
    Serving = 1,
    /// It does not.
    NotServing = 2,
}

/// What the health service knows.
#[derive(Clone, Debug)]
pub struct Health {
    /// The services; the server itself has the empty name.
    pub services: BTreeMap<String, Serving>,
    /// Whether there is a health service.
    pub is_there: bool,
}

impl Health {
    /// The server and these services serve.
    pub fn of(services: &[String]) -> Self {
        let names = services.iter().cloned().chain([String::new()]);
        Self { services: names.map(|name| (name, Serving::Serving)).collect(), is_there: true }
    }
}

/// Answers a call.
pub async fn answer(request: Request<Incoming>, health: Health) -> Answer {
    let content = request.headers().get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    if !content.starts_with(CONTENT) {
        return error(StatusCode::UNSUPPORTED_MEDIA_TYPE, "invalid gRPC request content-type");
    }
    match call(request, &health).await {
        Ok(serving) => {
            // Field 1, left out where it has its default.
            let message: &[u8] = if serving == Serving::Unknown { &[] } else { &[8, serving as u8] };
            found(CONTENT, Body::with_trailers(frame(message), status((0, String::new()))))
        }
        Err(fault) => {
            let mut answer = found(CONTENT, Body::default());
            answer.headers_mut().extend(status(fault));
            answer
        }
    }
}

/// What is refused is refused in the words of grpc-go.
async fn call(request: Request<Incoming>, health: &Health) -> Result<Serving, Status> {
    let path = request.uri().path();
    match path.strip_prefix('/').unwrap_or(path).rsplit_once('/') {
        Some(("grpc.health.v1.Health", "Check")) if health.is_there => {}
        Some((service @ "grpc.health.v1.Health", method)) if health.is_there => {
            return Err((12, format!("unknown method {method} for service {service}")));
        }
        Some((service, _)) => return Err((12, format!("unknown service {service}"))),
        None => return Err((8, format!("malformed method name: {path:?}"))),
    }
    let body = read(request.into_body()).await.ok_or((8, "grpc: received message larger than max".to_owned()))?;
    let message = unframe(&body).ok_or((2, "unexpected EOF".to_owned()))?;
    let cut = || (13, "grpc: error unmarshalling request: unexpected EOF".to_owned());
    let service = service(message).and_then(|name| std::str::from_utf8(name).ok()).ok_or_else(cut)?;
    health.services.get(service).copied().ok_or_else(|| (5, "unknown service".to_owned()))
}

fn status((code, message): Status) -> HeaderMap {
    let mut headers = HeaderMap::new();
    headers.insert("grpc-status", HeaderValue::from(u16::from(code)));
    headers.insert("grpc-message", HeaderValue::try_from(message).unwrap_or(HeaderValue::from_static("")));
    headers
}

/// The whole body, unless it is too long or breaks off.
async fn read(mut body: Incoming) -> Option<Vec<u8>> {
    let mut bytes = Vec::new();
    while let Some(frame) = poll_fn(|context| Pin::new(&mut body).poll_frame(context)).await {
        if let Ok(data) = frame.ok()?.into_data() {
            bytes.extend_from_slice(&data);
        }
        if bytes.len() > LIMIT {
            return None;
        }
    }
    Some(bytes)
}

/// A message with what gRPC puts before it: not compressed, and its length.
fn frame(message: &[u8]) -> Vec<u8> {
    let length = u32::try_from(message.len()).expect("a short message");
    [&[0], length.to_be_bytes().as_slice(), message].concat()
}

/// The one message of a body.
fn unframe(body: &[u8]) -> Option<&[u8]> {
    let (head, message) = body.split_at_checked(5)?;
    (frame(message)[..5] == *head).then_some(message)
}

/// Field 1 of a `HealthCheckRequest`, a text of less than 128 bytes. A field that has its default is left out.
fn service(message: &[u8]) -> Option<&[u8]> {
    match message {
        [] => Some(&[]),
        [0x0a, length, text @ ..] if usize::from(*length) == text.len() && *length < 128 => Some(text),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_are_read() {
        assert_eq!(unframe(b"\0\0\0\0\0").and_then(service), Some(b"".as_slice()));
        assert_eq!(unframe(b"\0\0\0\0\x08\x0a\x06kwanza").and_then(service), Some(b"kwanza".as_slice()));
        // Too short, compressed, a wrong length outside and inside, another field.
        for body in
            [b"\0\0\0".as_slice(), b"\x01\0\0\0\0", b"\0\0\0\0\x01", b"\0\0\0\0\x03\x0a\x02x", b"\0\0\0\0\x02\x10\x01"]
        {
            assert_eq!(unframe(body).and_then(service), None, "{body:?}");
        }
    }
}
