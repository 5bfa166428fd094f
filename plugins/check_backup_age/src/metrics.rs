//! The metric table.

use common::metric::Definition;
use common::units::Unit::{Bytes, Number, Percent, Seconds};

common::metrics! {
    /// Age of the newest valid dump.
    AGE = Definition::gauge("dump", "age", Seconds, "Time since the newest valid dump was begun, by the time inside it; by mtime where there is none inside").defaults("26h", "50h");
    /// Its size.
    SIZE = Definition::gauge("dump", "size", Bytes, "Size of the newest valid dump; of a directory, of all its files");
    /// Change of its size.
    SIZE_CHANGE_PERCENT = Definition::gauge("dump", "size_change_percent", Percent, "Change of the size against the median of up to 10 dumps of the same format before it; judged from 10 MiB on, or with a threshold of its own; growth is never CRITICAL").defaults("-20:", "-50:").open_ended();
    /// Tables.
    TABLES = Definition::gauge("dump", "tables", Number, "Tables that are defined in it");
    /// Tables with data.
    TABLES_WITH_DATA = Definition::gauge("dump", "tables_with_data", Number, "Tables whose data is in it, be it no row; judged unless --schema-only").defaults("", "1:");
    /// Entries of the table of contents.
    TOC_ENTRIES = Definition::gauge("dump", "toc_entries", Number, "Entries of its table of contents");
    /// How long the dump took.
    DURATION = Definition::gauge("dump", "duration", Seconds, "Time from its first member to its last; tar only");
    /// How long its verification took.
    VERIFY_TIME = Definition::gauge("dump", "verify_time", Seconds, "Time that its verification took, in this run or in the one that is remembered");
    /// Others can read it.
    WORLD_READABLE = Definition::gauge("dump", "world_readable", Number, "1 if every user of the machine can read it by its own mode, else 0").defaults("0", "");
    /// Valid dumps.
    COUNT = Definition::gauge("retention", "count", Number, "Valid dumps; no more are verified than the thresholds of this metric need. Of PATHs that are all files, as many are wanted as there are, at most 2").defaults("2:", "1:");
    /// Dumps of whatever state.
    DUMPS = Definition::gauge("retention", "dumps", Number, "Dumps that were found, valid or not");
    /// Room for the next.
    FREE_SPACE_RATIO = Definition::gauge("space", "free_space_ratio", Number, "Free space of the filesystem that holds the newest dump, in sizes of that dump").defaults("1.5:", "1:");
    /// Age of the globals.
    GLOBALS_AGE = Definition::gauge("globals", "globals_age", Seconds, "Age of the newest dump of roles and tablespaces (--require-globals), by mtime");
    /// How long a restore takes.
    RESTORE_TIME = Definition::gauge("restore", "restore_time", Seconds, "Time that the restore of the newest dump took (--restore-test)");
    /// Rows that a restore brings.
    RESTORED_ROWS = Definition::gauge("restore", "restored_rows", Number, "Rows of all tables after that restore");
    /// Age of the WAL archive.
    WAL_AGE = Definition::gauge("wal", "wal_age", Seconds, "Time since the newest segment came into the WAL archive, by mtime").defaults("26h", "50h");
    /// Segments.
    WAL_SEGMENTS = Definition::gauge("wal", "wal_segments", Number, "Segments in the WAL archive, of all timelines");
    /// Missing segments.
    WAL_MISSING = Definition::gauge("wal", "wal_missing", Number, "Segments that are missing or damaged between the beginning of the archive, or of the base backup, and its end").defaults("", "0");
    /// Age of the base backup.
    BASE_BACKUP_AGE = Definition::gauge("base", "base_backup_age", Seconds, "Time since the newest base backup was made").defaults("8d", "15d");
    /// Its size.
    BASE_BACKUP_SIZE = Definition::gauge("base", "base_backup_size", Bytes, "Size of its files by its manifest");
}
