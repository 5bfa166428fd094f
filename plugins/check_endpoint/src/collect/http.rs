//! HTTP/1.1 over a connection made here.
//!
//! Not ureq, which is in the suite for answers alone: it hides how long each part took, what a server sent that is no
//! HTTP, and the certificate of a connection that failed. What is left is one request and one answer, whose parser is
//! ureq's too (httparse).

use std::io::{Error, ErrorKind, Read as _, Write as _};
use std::time::Instant;

use super::socket::Stream;
use super::{Attempt, Run, add, tls};
use crate::parse::http::{Body, BodyFault, Head, head};
use crate::parse::speech::{Speech, says_tls, speech};
use crate::snapshot::{Failure, HttpAnswer, Phase};
use crate::target::{Scheme, Url};

/// Redirects that are followed.
const MAX_REDIRECTS: usize = 10;
/// A head that is longer is none.
const MAX_HEAD: usize = 64 << 10;

/// Asks for `url`, and where that leads if redirects are followed.
pub fn ask(run: &Run, url: &Url, attempt: &mut Attempt) -> Result<HttpAnswer, Failure> {
    let mut here = url.clone();
    loop {
        let mut stream = run.connect(&here, attempt)?;
        // Secrets are for whom they were given for.
        let is_home = here.scheme == url.scheme && here.host == url.host && here.port == url.port;
        let answer = exchange(&mut stream, &request(run, &here, is_home), run, attempt)
            .map_err(|failure| what_it_speaks(failure, &stream))?;
        let answer = read_location(answer, &here)?;
        let Some(Ok(next)) = answer.leads_to.as_ref().filter(|_| run.config.options.follow) else { return Ok(answer) };
        if here.scheme == Scheme::Https && next.scheme == Scheme::Http {
            return Err(Failure::Downgrade(next.clone()));
        }
        if next.is_costly() {
            return Err(Failure::Costly(next.clone()));
        }
        if attempt.followed.len() >= MAX_REDIRECTS {
            return Err(Failure::TooManyRedirects(MAX_REDIRECTS));
        }
        here = next.clone();
        attempt.followed.push(here.clone());
    }
}

/// The request for `url`, with the header fields of the options where it is for the endpoint itself.
fn request(run: &Run, url: &Url, is_home: bool) -> Vec<u8> {
    let options = &run.config.options;
    let own: &[(String, String)] = if is_home { &run.headers } else { &[] };
    let host = url.host_header();
    let defaults = [
        ("host", host.as_str()),
        ("user-agent", options.user_agent.as_str()),
        ("accept", "*/*"),
        // What is read is what was sent: nothing that grows when it is unpacked.
        ("accept-encoding", "identity"),
        ("connection", "close"),
    ];
    let mut request = format!("{} {} HTTP/1.1\r\n", options.method.word(), url.request_target());
    let given = own.iter().map(|(name, value)| (name.as_str(), value.as_str()));
    let defaults = defaults.into_iter().filter(|(name, _)| !own.iter().any(|(given, _)| given == name));
    for (name, value) in defaults.chain(given) {
        request.extend([name, ": ", value, "\r\n"]);
    }
    request.push_str("\r\n");
    request.into_bytes()
}

/// Sends `request` and reads the answer.
fn exchange(stream: &mut Stream, request: &[u8], run: &Run, attempt: &mut Attempt) -> Result<(Head, Vec<u8>), Failure> {
    // A server that refuses may answer and close before it has read all.
    let written = stream.write_all(request).and_then(|()| stream.flush());
    let mut reader =
        Reader { stream, sent: Instant::now(), received: 0, has_certificate: run.config.identity.is_some() };
    let mut bytes = Vec::new();
    let head = reader.head(&mut bytes, &written, attempt)?;
    let limit = run.config.options.max_size;
    let fault = |fault: BodyFault, reader: &Reader| match fault {
        BodyFault::TooLarge => Failure::TooLarge(limit),
        BodyFault::CutShort => reader.broken("closed before the end of the body"),
        BodyFault::Framing(reason) => Failure::Malformed(reason.to_owned()),
    };
    let is_head = run.config.options.method == crate::cli::Method::Head;
    let mut body = Body::new(&head, is_head, limit).map_err(|error| fault(error, &reader))?;
    loop {
        body.push(&bytes).map_err(|error| fault(error, &reader))?;
        bytes.clear();
        if body.is_done() || reader.more(&mut bytes, attempt)? == 0 {
            break;
        }
    }
    let body = body.finish().map_err(|error| fault(error, &reader))?;
    Ok((head, body))
}

/// An answer that is read.
struct Reader<'a> {
    stream: &'a mut Stream,
    sent: Instant,
    received: usize,
    has_certificate: bool,
}

impl Reader<'_> {
    /// Reads the head. What came behind it stays in `bytes`. `written` is what became of the request.
    fn head(
        &mut self,
        bytes: &mut Vec<u8>,
        written: &Result<(), Error>,
        attempt: &mut Attempt,
    ) -> Result<Head, Failure> {
        loop {
            if self.more(bytes, attempt)? == 0 {
                return Err(match (bytes.is_empty(), written) {
                    (true, Ok(())) => Failure::Closed,
                    (true, Err(error)) => self.failure(error),
                    (false, _) => self.broken("its head has no end"),
                });
            }
            while let Some((found, length)) = head(bytes).map_err(Failure::Malformed)? {
                bytes.drain(..length);
                match found.status {
                    101 => {
                        let reason = "it changes to another protocol, which was not asked for";
                        return Err(Failure::Malformed(reason.to_owned()));
                    }
                    // Such an answer comes before the one that counts.
                    100..=199 => {}
                    _ => return Ok(found),
                }
            }
            if bytes.len() > MAX_HEAD {
                return Err(Failure::Malformed("its head is longer than 64 KiB".to_owned()));
            }
        }
    }

    /// Appends what comes next to `bytes` and says how much that is.
    fn more(&mut self, bytes: &mut Vec<u8>, attempt: &mut Attempt) -> Result<usize, Failure> {
        let mut buffer = [0; 16 << 10];
        let count = self.stream.read(&mut buffer).map_err(|error| self.failure(&error))?;
        if self.received == 0 && count > 0 {
            add(&mut attempt.phases.first_byte, self.sent);
        }
        self.received += count;
        bytes.extend_from_slice(buffer.get(..count).unwrap_or_default());
        Ok(count)
    }

    fn failure(&self, error: &Error) -> Failure {
        if let Some(refusal) = tls::late_refusal(error, self.has_certificate) {
            return refusal;
        }
        match (error.kind(), self.received) {
            (ErrorKind::TimedOut, 0) => Failure::Timeout(Phase::FirstByte),
            (ErrorKind::TimedOut, received) => Failure::Timeout(Phase::Rest(received)),
            _ => self.broken(&common::text::io_error(error)),
        }
    }

    fn broken(&self, reason: &str) -> Failure {
        Failure::Broken { received: self.received, reason: reason.to_owned() }
    }
}

/// `failure`, or what the server speaks if that is not HTTP/1.
fn what_it_speaks(failure: Failure, stream: &Stream) -> Failure {
    match speech(stream.first()) {
        Speech::Nothing | Speech::Http1(_) => failure,
        _ if matches!(failure, Failure::Tls(..)) => failure,
        other => Failure::Foreign(other),
    }
}

/// The answer of `here`, with where it leads.
fn read_location((head, body): (Head, Vec<u8>), here: &Url) -> Result<HttpAnswer, Failure> {
    if here.scheme == Scheme::Http && head.status == 400 && says_tls(&body) {
        return Err(Failure::Foreign(Speech::Tls));
    }
    let leads_to = match (head.status, head.header("location")) {
        (301 | 302 | 303 | 307 | 308, Some(location)) => {
            let next = here.join(location);
            Some(
                next.and_then(|next| if next.scheme.is_http() { Ok(next) } else { Err(format!("{next} is not HTTP")) }),
            )
        }
        _ => None,
    };
    Ok(HttpAnswer { head, body, leads_to })
}
