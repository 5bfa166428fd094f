//! `backup_manifest`, which `pg_basebackup` leaves with every base backup: read line by line, as the server writes it.

use std::io::{self, BufRead, Read as _};

use serde::Deserialize;
use sha2::{Digest as _, Sha256};

use crate::pitr::wal::Start;
use crate::pitr::{lsn, utc};

/// A line is one file; a path has 1 KiB at most, twice that in hexadecimal.
const MOST_LINE_BYTES: u64 = 16 << 10;

/// A file of the backup.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct File {
    /// Its path below the data directory.
    #[serde(default)]
    pub path: Option<String>,
    /// Its path in hexadecimal, where it is not UTF-8.
    #[serde(default, rename = "Encoded-Path")]
    pub encoded_path: Option<String>,
    /// Its size in bytes.
    pub size: u64,
    /// When it was sent: `2026-11-25 02:00:00 GMT`.
    #[serde(default, rename = "Last-Modified")]
    pub last_modified: String,
    /// `CRC32C`, `SHA224`, `SHA256`, `SHA384`, `SHA512`; `None` where none was wanted.
    #[serde(default, rename = "Checksum-Algorithm")]
    pub algorithm: Option<String>,
    /// The checksum in hexadecimal.
    #[serde(default)]
    pub checksum: Option<String>,
}

impl File {
    /// Its path as bytes; `None` where there is none.
    pub fn bytes_of_path(&self) -> Option<Vec<u8>> {
        match (&self.path, &self.encoded_path) {
            (Some(path), _) => Some(path.clone().into_bytes()),
            (None, Some(encoded)) => from_hex(encoded),
            (None, None) => None,
        }
    }
}

/// Bytes written in hexadecimal.
pub fn from_hex(text: &str) -> Option<Vec<u8>> {
    let digit = |byte: &u8| char::from(*byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
    if !text.len().is_multiple_of(2) {
        return None;
    }
    text.as_bytes()
        .chunks(2)
        .map(|pair| match pair {
            [high, low] => Some(digit(high)? << 4 | digit(low)?),
            _ => None,
        })
        .collect()
}

/// What the manifest says of the whole.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Manifest {
    /// How many files there are.
    pub files: u64,
    /// Their sizes together, in bytes.
    pub size: u64,
    /// When the last file was sent, in seconds since 1970.
    pub at: Option<i64>,
    /// Where the recovery begins.
    pub start: Option<Start>,
}

/// Why a manifest is not to be trusted.
#[derive(Debug)]
pub enum Fault {
    /// It cannot be read.
    Read(io::Error),
    /// It is none, or of a version that is not known.
    Foreign,
    /// Its end is missing.
    Truncated,
    /// It is not as it was written.
    Checksum,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct WalRange {
    timeline: u32,
    #[serde(rename = "Start-LSN")]
    start_lsn: String,
}

/// Reads a manifest; `each` is given every file, in order.
pub fn read(reader: &mut impl BufRead, mut each: impl FnMut(File)) -> Result<Manifest, Fault> {
    let mut manifest = Manifest::default();
    let mut hash = Sha256::new();
    let mut line = Vec::new();
    let mut first = true;
    loop {
        line.clear();
        reader.take(MOST_LINE_BYTES).read_until(b'\n', &mut line).map_err(Fault::Read)?;
        let text = std::str::from_utf8(&line).map_err(|_| Fault::Foreign)?.trim();
        if std::mem::take(&mut first) && !is_head(text) {
            return Err(Fault::Foreign);
        }
        if line.is_empty() {
            return Err(Fault::Truncated);
        }
        if let Some(rest) = text.strip_prefix("\"Manifest-Checksum\":") {
            let expected = rest.trim().trim_end_matches('}').trim().trim_matches('"');
            let is_right = from_hex(expected).is_some_and(|bytes| bytes == hash.finalize().as_slice());
            return if is_right { Ok(manifest) } else { Err(Fault::Checksum) };
        }
        hash.update(&line);
        take_line(text, &mut manifest, &mut each);
    }
}

fn is_head(line: &str) -> bool {
    let version = line.trim_start_matches('{').trim().strip_prefix("\"PostgreSQL-Backup-Manifest-Version\":");
    version.is_some_and(|version| matches!(version.trim().trim_end_matches(','), "1" | "2"))
}

/// A line that is neither a file nor a range of WAL is punctuation; what was changed in it, the checksum tells.
fn take_line(text: &str, manifest: &mut Manifest, each: &mut impl FnMut(File)) {
    let object = text.trim_end_matches(',');
    if let Ok(file) = serde_json::from_str::<File>(object) {
        manifest.files += 1;
        manifest.size = manifest.size.saturating_add(file.size);
        manifest.at = manifest.at.max(utc(&file.last_modified));
        each(file);
    } else if let Ok(range) = serde_json::from_str::<WalRange>(object)
        && let Some(lsn) = lsn(&range.start_lsn)
    {
        // A backup that saw a promotion has a range for each timeline; the recovery begins on the first.
        let start = Start { timeline: range.timeline, lsn };
        manifest.start = Some(manifest.start.filter(|known| known.lsn <= lsn).unwrap_or(start));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Written by `pg_basebackup` 15, shortened, its checksum made anew.
    fn sample() -> String {
        let body = concat!(
            "{ \"PostgreSQL-Backup-Manifest-Version\": 1,\n\"Files\": [\n",
            "{ \"Path\": \"backup_label\", \"Size\": 225, \"Last-Modified\": \"2026-11-25 02:00:00 GMT\", ",
            "\"Checksum-Algorithm\": \"CRC32C\", \"Checksum\": \"1f8e0a7f\" },\n",
            "{ \"Encoded-Path\": \"62e9\", \"Size\": 4, \"Last-Modified\": \"2026-11-25 02:00:05 GMT\" }\n],\n",
            "\"WAL-Ranges\": [\n{ \"Timeline\": 1, \"Start-LSN\": \"0/2000028\", \"End-LSN\": \"0/2000100\" }\n],\n",
        );
        let hex: Vec<String> = Sha256::digest(body.as_bytes()).iter().map(|byte| format!("{byte:02x}")).collect();
        format!("{body}\"Manifest-Checksum\": \"{}\"}}\n", hex.concat())
    }

    fn parse(text: &str) -> (Result<Manifest, Fault>, Vec<File>) {
        let mut files = Vec::new();
        (read(&mut text.as_bytes(), |file| files.push(file)), files)
    }

    #[test]
    fn a_manifest_is_read() {
        let (manifest, files) = parse(&sample());
        let start = Some(Start { timeline: 1, lsn: 0x200_0028 });
        assert_eq!(manifest.unwrap(), Manifest { files: 2, size: 229, at: Some(1_795_572_005), start });
        assert_eq!(files[0].algorithm.as_deref(), Some("CRC32C"));
        assert_eq!(files[1].bytes_of_path().unwrap(), b"b\xe9");
    }

    #[test]
    fn every_change_is_noticed() {
        let sample = sample();
        assert!(matches!(parse(&sample.replace("225", "224")).0, Err(Fault::Checksum)));
        assert!(matches!(parse(&sample.replace("backup_label", "backup_labels")).0, Err(Fault::Checksum)));
        assert!(matches!(parse(sample.split("\"Manifest-Checksum").next().unwrap()).0, Err(Fault::Truncated)));
        assert!(matches!(parse(&sample.replace("Version\": 1", "Version\": 3")).0, Err(Fault::Foreign)));
        assert!(matches!(parse("").0, Err(Fault::Foreign)));
        assert!(matches!(parse("{}").0, Err(Fault::Foreign)));
        for end in 0..sample.len() - 4 {
            assert!(parse(&sample[..end]).0.is_err(), "cut at {end}");
        }
    }
}
