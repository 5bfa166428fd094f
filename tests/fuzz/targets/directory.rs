//! A directory dump.

#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| fuzz::Files::of(data).look());
