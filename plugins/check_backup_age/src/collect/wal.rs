//! What lies in a WAL archive.

use std::fs;
use std::path::Path;

use common::file;

use crate::collect::files;
use crate::parse;
use crate::pitr::Lsn;
use crate::pitr::wal::{Archive, Name, Segment, Start, parse_history};
use crate::snapshot::{Trouble, TroubleKind, WalArchive};

/// A history file has a line for each promotion.
const MOST_HISTORY_BYTES: usize = 64 << 10;

/// Reads the directory; a recovery must begin at `start`, if there is one.
pub fn archive(directory: &Path, start: Option<Start>, keep_going: &dyn Fn() -> bool) -> Result<WalArchive, Trouble> {
    let trouble = |kind| Trouble { path: directory.to_owned(), kind };
    let mut archive = Archive::default();
    for entry in fs::read_dir(directory).map_err(|error| trouble(files::trouble(&error)))? {
        if !keep_going() {
            return Err(trouble(TroubleKind::Failed("time was over before all of it was listed".to_owned())));
        }
        let entry = entry.map_err(|error| trouble(files::trouble(&error)))?;
        match Name::parse(&entry.file_name().to_string_lossy()) {
            Name::Segment { id, compressed } => {
                // What has vanished meanwhile was removed on purpose: that is how archives are cleaned up.
                let Ok(metadata) = fs::metadata(entry.path()) else { continue };
                let identity = files::identity(&metadata);
                archive.segments.push(Segment { id, size: identity.size, compressed, mtime: identity.written() });
            }
            Name::History(timeline) => {
                archive.histories.insert(timeline, history(&entry.path(), keep_going));
            }
            Name::Partial(_) | Name::Backup(_) => {}
            Name::Other => archive.others += 1,
        }
    }
    Ok(WalArchive {
        segments: archive.segments.len(),
        others: archive.others,
        continuity: archive.continuity(start),
        from_base_backup: start.is_some(),
    })
}

/// The last line of a history file, which may be compressed.
fn history(path: &Path, keep_going: &dyn Fn() -> bool) -> Option<(u32, Lsn)> {
    let mut text = vec![0; MOST_HISTORY_BYTES];
    let length = parse::unwrap_into(file::open(path).ok()?, &mut text.as_mut_slice(), keep_going).ok()?;
    let text = text.get(..usize::try_from(length).ok()?)?;
    parse_history(std::str::from_utf8(text).ok()?)
}
