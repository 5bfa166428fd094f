//! `parse value|ignored`: parses JSON from standard input with `serde_json`, into a value or into nothing.

use std::io::Read as _;
use std::process::ExitCode;

use serde_json::Value;

fn main() -> ExitCode {
    let mut text = Vec::new();
    if std::io::stdin().read_to_end(&mut text).is_err() {
        return ExitCode::FAILURE;
    }
    let is_json = match std::env::args().nth(1).as_deref() {
        Some("value") => serde_json::from_slice::<Value>(&text).map(std::hint::black_box).is_ok(),
        Some("ignored") => serde_json::from_slice::<serde::de::IgnoredAny>(&text).is_ok(),
        _ => false,
    };
    if is_json { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
