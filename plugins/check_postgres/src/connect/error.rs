//! What an error of the protocol's library means.

use std::error::Error;
use std::io::{self, ErrorKind};

use common::http::TlsError;

use crate::connect::settings::Place;
use crate::connect::tls::Connector;
use crate::outcome::Cause;

/// Why `place` did not let us in.
pub fn cause(error: &postgres::Error, place: &Place, tls: Option<&Connector>) -> Cause {
    if let Some(error) = error.as_db_error() {
        return Cause::Server {
            code: error.code().code().to_owned(),
            message: error.message().to_owned(),
            detail: error.detail().map(str::to_owned),
        };
    }
    let inner = error.source();
    if let Some(error) = inner.and_then(|inner| inner.downcast_ref::<TlsError>()) {
        return Cause::Tls(error.clone());
    }
    if let Some(error) = inner.and_then(|inner| inner.downcast_ref::<io::Error>()) {
        return io_cause(error, place, tls);
    }
    // The library tells these apart only in words.
    let words = inner.map(ToString::to_string).unwrap_or_default();
    match (error.to_string().as_str(), words.as_str()) {
        ("error performing TLS handshake", "server does not support TLS") => Cause::NoTls,
        ("invalid configuration", "password missing") => Cause::NoPassword,
        ("authentication error", words) => Cause::Login(words.to_owned()),
        ("connection closed", _) => Cause::Closed,
        (kind, "") => Cause::Broken(kind.to_owned()),
        (kind, words) => Cause::Broken(format!("{kind}: {words}")),
    }
}

/// Why a socket of `place` fails.
pub fn io_cause(error: &io::Error, place: &Place, tls: Option<&Connector>) -> Cause {
    if let Some(error) = error.get_ref().and_then(|cause| cause.downcast_ref::<rustls::Error>()) {
        let in_words = |tls: &Connector| tls.in_words(error);
        return Cause::Tls(tls.map_or_else(|| TlsError::Protocol(error.to_string()), in_words));
    }
    let is_socket = matches!(place, Place::Socket(_));
    match error.kind() {
        ErrorKind::ConnectionRefused if is_socket => Cause::DeadSocket,
        ErrorKind::ConnectionRefused => Cause::Refused,
        ErrorKind::NotFound if is_socket => Cause::NoSocket,
        ErrorKind::PermissionDenied if is_socket => Cause::SocketRights,
        ErrorKind::UnexpectedEof | ErrorKind::ConnectionReset | ErrorKind::BrokenPipe => Cause::Closed,
        ErrorKind::HostUnreachable
        | ErrorKind::NetworkUnreachable
        | ErrorKind::NetworkDown
        | ErrorKind::AddrNotAvailable => Cause::NoRoute(common::text::io_error(error)),
        _ => Cause::Broken(common::text::io_error(error)),
    }
}
