//! The lines that the backend logs.

use std::io::{Error, ErrorKind};
use std::time::{SystemTime, UNIX_EPOCH};

use serde_json::Value;

/// One line of Kwanza's log. `caller` is a file and line, `fields` more keys with JSON values.
pub fn line(level: &str, caller: &str, message: &str, fields: &[(&str, Value)]) -> String {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs_f64();
    let message = Value::from(message);
    let fields: String =
        fields.iter().flat_map(|(key, value)| [",\"", *key, "\":", &value.to_string()].map(str::to_owned)).collect();
    format!(r#"{{"level":"{level}","ts":{now},"caller":"{caller}","msg":{message}{fields}}}"#)
}

/// The words of Go for `error`.
pub fn reason(error: &Error) -> String {
    match error.kind() {
        ErrorKind::ConnectionRefused => "connection refused".to_owned(),
        ErrorKind::AddrInUse => "address already in use".to_owned(),
        ErrorKind::PermissionDenied => "permission denied".to_owned(),
        ErrorKind::TimedOut | ErrorKind::WouldBlock => "i/o timeout".to_owned(),
        ErrorKind::UnexpectedEof => "EOF".to_owned(),
        _ => error.to_string(),
    }
}
