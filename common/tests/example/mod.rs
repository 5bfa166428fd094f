//! The example plugin as a program.

use std::path::{Path, PathBuf};
use std::time::SystemTime;

use support::Run;

/// Where cargo has put the example: it builds examples with the tests, beside the directory that holds this test.
pub fn binary() -> PathBuf {
    let test = std::env::current_exe().expect("the path of this test");
    let profile = test.ancestors().nth(2).expect("target/PROFILE/deps/THIS");
    let binary = profile.join("examples/check_example");
    // `cargo test --test NAME` builds that test alone, and would try an example of last week.
    let built = std::fs::metadata(&binary).and_then(|metadata| metadata.modified()).unwrap_or(SystemTime::UNIX_EPOCH);
    let package = Path::new(env!("CARGO_MANIFEST_DIR"));
    let fresh = [package.join("src"), package.join("examples")].iter().all(|path| newest(path) <= built);
    assert!(fresh, "{} is missing or stale: cargo build --package common --examples", binary.display());
    binary
}

/// A run of the example with `arguments`.
#[allow(dead_code, reason = "not every test file runs it itself")]
pub fn run(arguments: &[&str]) -> Run {
    Run::new(binary()).args(arguments)
}

/// When the newest file below `directory` was written.
fn newest(directory: &Path) -> SystemTime {
    let entries = std::fs::read_dir(directory).expect("a directory of sources");
    let times = entries.map(|entry| {
        let path = entry.expect("an entry").path();
        if path.is_dir() { newest(&path) } else { path.metadata().and_then(|file| file.modified()).expect("a time") }
    });
    times.max().unwrap_or(SystemTime::UNIX_EPOCH)
}
