//! What the targets share: a dump is looked at on every level, and the levels must agree.

use std::cell::Cell;
use std::io::Cursor;

use check_backup_age::parse::{Directory, Format, Inspection, Level, Outcome, inspect, inspect_directory};

/// Reads of an inspection, at most: a few bytes can hold gigabytes.
const READS: u32 = 2000;

fn levels(look: impl Fn(Level, &dyn Fn() -> bool) -> Inspection) {
    let found = [Level::Header, Level::Structure, Level::Full].map(|level| {
        let reads = Cell::new(0);
        look(level, &|| {
            reads.set(reads.get() + 1);
            reads.get() < READS
        })
    });
    for inspection in &found {
        if let Outcome::Broken(fault) = &inspection.outcome {
            assert!(fault.level <= inspection.level, "{inspection:?}");
            assert!(!fault.to_string().is_empty());
        }
    }
    // SQL that is not read to its end is judged by its end.
    let is_sql = matches!(found[0].format, Some(Format::Plain | Format::Cluster));
    let is_sound = |inspection: &Inspection| inspection.outcome == Outcome::Sound;
    for pair in found.windows(2) {
        assert!(is_sql || !is_sound(&pair[1]) || is_sound(&pair[0]), "{pair:?}");
    }
}

/// Looks at a file.
pub fn file(data: &[u8]) {
    levels(|level, keep_going| inspect(Cursor::new(data), level, keep_going));
}

/// The files of a directory dump: for each its name, a zero, its length in four bytes, and what it holds.
pub struct Files<'a>(Vec<(&'a [u8], &'a [u8])>);

impl<'a> Files<'a> {
    /// Splits `data`; what is behind the last whole file is left out.
    pub fn of(mut data: &'a [u8]) -> Self {
        let mut files = Vec::new();
        while let Some(end) = data.iter().position(|byte| *byte == 0)
            && let Some((length, rest)) = data[end + 1..].split_first_chunk()
            && let Some((content, rest)) = rest.split_at_checked(u32::from_le_bytes(*length) as usize)
        {
            files.push((&data[..end], content));
            data = rest;
        }
        Self(files)
    }

    /// Looks at the directory.
    pub fn look(&self) {
        levels(|level, keep_going| inspect_directory(self, level, keep_going));
    }
}

impl<'a> Directory for Files<'a> {
    type File = Cursor<&'a [u8]>;

    fn open(&self, name: &str) -> std::io::Result<Self::File> {
        let file = self.0.iter().find(|file| file.0 == name.as_bytes());
        file.map(|file| Cursor::new(file.1)).ok_or_else(|| std::io::ErrorKind::NotFound.into())
    }
}
