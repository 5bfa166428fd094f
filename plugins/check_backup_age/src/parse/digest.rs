//! SHA-256 of a file, and the files that keep it beside a dump.

use std::io::{self, Read};

use sha2::{Digest as _, Sha256};

/// A SHA-256.
pub type Digest = [u8; 32];

/// The digest of all that `file` holds; `None` when `keep_going`, asked before each 128 KiB, says no.
pub fn sha256(mut file: impl Read, keep_going: &dyn Fn() -> bool) -> io::Result<Option<Digest>> {
    let mut hash = Sha256::new();
    let mut buffer = vec![0; 128 * 1024];
    while keep_going() {
        match file.read(&mut buffer) {
            Ok(0) => return Ok(Some(hash.finalize().into())),
            Ok(count) => hash.update(buffer.get(..count).unwrap_or_default()),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(None)
}

/// The digest that the text of a sidecar tells for the file `name`: as `sha256sum` writes it (with `*` for binary, and for
/// several files), as `sha256sum --tag` and BSD do, or alone.
pub fn expected(sidecar: &str, name: &str) -> Option<Digest> {
    let mut alone = None;
    for line in sidecar.lines().map(str::trim_end) {
        if let Some(digest) = hexadecimal(line.trim()) {
            alone = alone.or(Some(digest));
        } else if let Some((file, digest)) = line.strip_prefix("SHA256 (").and_then(|rest| rest.rsplit_once(") = ")) {
            if is_named(file, name) {
                return hexadecimal(digest);
            }
        } else if let Some((digest, file)) = line.split_once(' ')
            && let Some(file) = file.strip_prefix([' ', '*'])
            && is_named(file, name)
        {
            return hexadecimal(digest);
        }
    }
    alone
}

/// Whether this path ends with that name: sidecars are written in other directories.
fn is_named(path: &str, name: &str) -> bool {
    path.rsplit('/').next() == Some(name)
}

fn hexadecimal(text: &str) -> Option<Digest> {
    let digits = text.as_bytes();
    if digits.len() != 64 || !digits.iter().all(u8::is_ascii_hexdigit) {
        return None;
    }
    let mut digest = [0; 32];
    for (byte, at) in digest.iter_mut().zip((0..64).step_by(2)) {
        *byte = u8::from_str_radix(text.get(at..at + 2)?, 16).ok()?;
    }
    Some(digest)
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOTHING: &str = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

    #[test]
    fn sidecars_are_read_in_every_form() {
        let digest = sha256(io::empty(), &|| true).unwrap();
        let other = "0".repeat(64);
        for sidecar in [
            format!("{NOTHING}\n"),
            format!("{NOTHING}  k.tar\n"),
            format!("{} */backup/k.tar\r\n", NOTHING.to_uppercase()),
            format!("SHA256 (k.tar) = {NOTHING}\n"),
            format!("# sums\n{other}  other\n{NOTHING}  ./k.tar\n"),
        ] {
            assert_eq!(expected(&sidecar, "k.tar"), digest, "{sidecar}");
        }
        for sidecar in [String::new(), format!("{NOTHING}  other\n"), "0123  k.tar\n".to_owned()] {
            assert_eq!(expected(&sidecar, "k.tar"), None, "{sidecar}");
        }
        assert_eq!(sha256(io::empty(), &|| false).unwrap(), None);
    }
}
