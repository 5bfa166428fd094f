//! A file that keeps a SHA-256.

#![no_main]

use check_backup_age::parse::digest::expected;

libfuzzer_sys::fuzz_target!(|text: &str| {
    let _ = expected(text, "kwanza.tar");
});
