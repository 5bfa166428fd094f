//! `backup_label`, which tells a server where to begin when it starts from a base backup.

use crate::pitr::wal::Start;
use crate::pitr::{lsn, utc};

/// What it says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BackupLabel {
    /// Where the recovery begins.
    pub start: Start,
    /// When the backup was begun, in seconds since 1970; `None` where its zone is not plain.
    pub at: Option<i64>,
    /// What it was called.
    pub label: String,
}

/// Reads the file; `None` where a server could not begin with it.
pub fn parse(text: &str) -> Option<BackupLabel> {
    let value = |key: &str| text.lines().find_map(|line| line.strip_prefix(key)).map(str::trim);
    let location = value("START WAL LOCATION:")?;
    let (place, file) = location.split_once(" (file ")?;
    // Before PostgreSQL 11 the timeline stands in the file's name alone.
    let timeline = match value("START TIMELINE:") {
        Some(timeline) => timeline.parse().ok()?,
        None => u32::from_str_radix(file.get(..8)?, 16).ok()?,
    };
    Some(BackupLabel {
        start: Start { timeline, lsn: lsn(place)? },
        at: value("START TIME:").and_then(utc),
        label: value("LABEL:").unwrap_or_default().to_owned(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const LABEL: &str = "START WAL LOCATION: 0/2000028 (file 000000010000000000000002)\n\
        CHECKPOINT LOCATION: 0/2000060\nBACKUP METHOD: streamed\nBACKUP FROM: primary\n\
        START TIME: 2026-11-25 02:00:00 GMT\nLABEL: pg_basebackup base backup\nSTART TIMELINE: 1\n";

    #[test]
    fn a_label_is_read() {
        let label = parse(LABEL).unwrap();
        assert_eq!(label.start, Start { timeline: 1, lsn: 0x200_0028 });
        assert_eq!((label.at, label.label.as_str()), (Some(1_795_572_000), "pg_basebackup base backup"));
        assert_eq!(parse(&LABEL.replace("GMT", "CET")).unwrap().at, None);
        assert_eq!(parse(&LABEL.replace("START TIMELINE: 1\n", "")).unwrap().start.timeline, 1);
        assert_eq!(parse("LABEL: x\n"), None);
    }
}
