//! Options to configuration.

use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, ValueEnum};
use common::glob::Glob;
use common::metric::Thresholds;
use common::options::Common;
use common::units::parse_delay;
use jiff::tz::{Offset, TimeZone};

use crate::metrics::METRICS;
use crate::parse::Level;

/// Dumps that are verified for the sake of `count`, at most.
const MOST_COUNTED: u32 = 1000;

/// The plugin's own options.
#[derive(Clone, Debug, Args)]
pub struct Arguments {
    /// Dumps of one thing: files, dumps in directory format, and directories that hold such
    ///
    /// All PATHs together are the backups of one thing; what is to be judged apart is a check of its own.
    #[arg(value_name = "PATH")]
    pub paths: Vec<PathBuf>,
    /// In directories, only names that match GLOB; without it all but hidden files and checksum files
    #[arg(long, value_name = "GLOB")]
    pub pattern: Option<String>,
    /// How closely to look at dumps
    #[arg(long, value_name = "LEVEL", default_value = "structure")]
    pub verify: Verify,
    /// The newest dump must have the SHA-256 that stands for it in FILE, as sha256sum writes it; {} is the dump's path
    #[arg(long, value_name = "FILE")]
    pub sha256: Option<String>,
    /// How long a dump that is not complete may be one that is being written; the one before it is judged meanwhile
    #[arg(long, value_name = "DURATION", default_value = "15m", value_parser = parse_delay, allow_hyphen_values = true)]
    pub grace: Duration,
    /// WARNING with fewer valid dumps than COUNT; the same as -w count=COUNT:
    #[arg(long, value_name = "COUNT", value_parser = clap::value_parser!(u32).range(1..=i64::from(MOST_COUNTED)))]
    pub min_count: Option<u32>,
    /// Dumps without data are as they should be
    #[arg(long)]
    pub schema_only: bool,
    /// CRITICAL unless the dump is one of database NAME, by the name inside it
    #[arg(long, value_name = "NAME")]
    pub database: Option<String>,
    /// CRITICAL unless the table and its data are in the dump; SCHEMA.TABLE, or TABLE in any schema; repeatable
    #[arg(long, value_name = "NAME")]
    pub require_table: Vec<String>,
    /// CRITICAL unless a file matches GLOB and is a complete `pg_dumpall` of roles, which `pg_dump` leaves out
    ///
    /// Its last part may hold * and ?. It is relative to the directory of the newest dump.
    #[arg(long, value_name = "GLOB")]
    pub require_globals: Option<String>,
    /// CRITICAL if a server or `pg_restore` of version VERSION, such as 15, could not read the dump
    #[arg(long, value_name = "VERSION", value_parser = major)]
    pub max_newer_than: Option<u32>,
    /// Time zone of the clock that `pg_dump` wrote into the dump: Europe/Copenhagen, UTC, +02:00
    ///
    /// Only tar files hold times with a zone. Without this option it is the zone of this machine, or UTC, as in most
    /// containers, where only that fits the time at which the file was written.
    #[arg(long, value_name = "ZONE", value_parser = time_zone, allow_hyphen_values = true)]
    pub dump_timezone: Option<TimeZone>,
    /// Encrypted dumps are OK, although what they hold cannot be verified
    #[arg(long)]
    pub allow_encrypted: bool,
    /// WARNING if the newest dump is on the same device as the data directory of the server
    #[arg(long)]
    pub require_other_device: bool,
    /// The data directory of the server; else the first that exists of /var/lib/postgresql, /var/lib/pgsql and /var/lib/docker/volumes
    #[arg(long, value_name = "DIR")]
    pub data_directory: Option<PathBuf>,
    /// Restore the newest dump into a scratch database of this server and drop it again
    ///
    /// DSN is a connection string of libpq without a password, which belongs into PGPASSFILE or ~/.pgpass; the user
    /// must be allowed to create databases. A restore that went well is remembered until the dump changes.
    #[arg(long, value_name = "DSN")]
    pub restore_test: Option<String>,
    /// Parallel jobs of that restore, for custom and directory dumps
    #[arg(long, value_name = "COUNT", default_value_t = 1, requires = "restore_test", value_parser = clap::value_parser!(u16).range(1..=64))]
    pub jobs: u16,
    /// The directory of psql and `pg_restore`; else the newest below /usr/lib/postgresql and /usr/pgsql-*, else those of PATH
    #[arg(long, value_name = "DIR")]
    pub pg_bindir: Option<PathBuf>,
    /// Judge the WAL archive in DIR: that no segment is missing, and how old the newest is
    #[arg(long, value_name = "DIR")]
    pub wal_archive: Option<PathBuf>,
    /// Judge the base backup in DIR, or the newest of those in the directories below it
    #[arg(long, value_name = "DIR")]
    pub base_backup: Option<PathBuf>,
}

/// Values of `--verify`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Verify {
    /// What it is, its header and its table of contents
    Header,
    /// Every block or member to the exact end, and that all data is there
    Structure,
    /// All data, decompressed, with its checksums, searched for holes
    Full,
}

impl From<Verify> for Level {
    fn from(verify: Verify) -> Self {
        match verify {
            Verify::Header => Self::Header,
            Verify::Structure => Self::Structure,
            Verify::Full => Self::Full,
        }
    }
}

/// What one run is to do.
#[derive(Clone, Debug)]
pub struct Config {
    /// The options that need no translation.
    pub options: Arguments,
    /// How closely to look.
    pub level: Level,
    /// Names to look at in directories.
    pub pattern: Option<Glob>,
    /// Thresholds of all metrics.
    pub thresholds: Thresholds,
    /// Valid dumps beyond which `count` need not be known.
    pub wanted: usize,
}

/// The major version of a version: 15 of 15.14, 9 of 9.6.
fn major(text: &str) -> Result<u32, String> {
    let major = text.split('.').next().and_then(|major| major.parse().ok());
    major
        .filter(|major| (9..100).contains(major))
        .ok_or_else(|| format!("'{text}' is no version of PostgreSQL: 15, 9.6"))
}

/// A name of the time zone database, or an offset.
fn time_zone(text: &str) -> Result<TimeZone, String> {
    if let Some(offset) = offset(text) {
        return Ok(TimeZone::fixed(offset));
    }
    if matches!(text, "UTC" | "GMT" | "Z") {
        return Ok(TimeZone::UTC);
    }
    TimeZone::get(text)
        .map_err(|_| format!("'{text}' is no time zone that this machine knows: Europe/Copenhagen, UTC, +02:00"))
}

/// `+02:00`, `-0330`, `+2`.
fn offset(text: &str) -> Option<Offset> {
    let (sign, rest) = match text.split_at_checked(1)? {
        ("+", rest) => (1, rest),
        ("-", rest) => (-1, rest),
        _ => return None,
    };
    let (hours, minutes) = match (rest.split_once(':'), rest.len()) {
        (Some((hours, minutes)), _) => (hours, minutes),
        (None, 4) => rest.split_at_checked(2)?,
        (None, _) => (rest, "0"),
    };
    let number = |text: &str| text.parse::<i32>().ok().filter(|_| text.bytes().all(|byte| byte.is_ascii_digit()));
    let minutes = number(minutes).filter(|minutes| *minutes < 60)?;
    let hours = number(hours).filter(|hours| *hours < 24)?;
    Offset::from_seconds(sign * (hours * 3600 + minutes * 60)).ok()
}

/// Translates the options; the error is one sentence.
pub fn configure(options: Arguments, thresholds: Thresholds, common: &Common) -> Result<Config, String> {
    if let Some(dsn) = &options.restore_test
        && holds_password(dsn)
    {
        return Err(
            "--restore-test holds a password, which the process list would show: put it into PGPASSFILE or ~/.pgpass"
                .to_owned(),
        );
    }
    if options.paths.is_empty() {
        if options.wal_archive.is_none() && options.base_backup.is_none() {
            return Err("what is to be checked? give the PATH of a dump, or --base-backup and --wal-archive".to_owned());
        }
        let of_dumps: [(&str, bool); 3] = [
            ("--restore-test", options.restore_test.is_some()),
            ("--sha256", options.sha256.is_some()),
            ("--require-globals", options.require_globals.is_some()),
        ];
        if let Some((option, _)) = of_dumps.iter().find(|(_, given)| *given) {
            return Err(format!("{option} needs the PATH of a dump"));
        }
    }
    let thresholds = match options.min_count {
        Some(count) => with_min_count(count, common)?,
        None => thresholds,
    };
    let wanted = wanted(&thresholds);
    Ok(Config {
        level: options.verify.into(),
        pattern: options.pattern.as_deref().map(Glob::new),
        wanted,
        thresholds,
        options,
    })
}

/// Whether a connection string of libpq, of either kind, holds a password.
fn holds_password(dsn: &str) -> bool {
    let authority = dsn.split_once("://").map(|(_, rest)| rest.split(['/', '?']).next().unwrap_or_default());
    let login = authority.and_then(|authority| authority.rsplit_once('@')).map(|(login, _)| login);
    let keys: String = dsn.to_ascii_lowercase().split_whitespace().collect();
    login.is_some_and(|login| login.contains(':')) || keys.contains("password=")
}

/// The thresholds with a rule of `--min-count` in front, so that what `-w` says of `count` still wins.
fn with_min_count(count: u32, common: &Common) -> Result<Thresholds, String> {
    let warning: Vec<String> =
        std::iter::once(format!("count={count}:")).chain(common.warning.iter().cloned()).collect();
    Thresholds::parse(METRICS, Some("age"), &warning, &common.critical)
}

/// The number of valid dumps beyond which no threshold of `count` tells more from fewer.
fn wanted(thresholds: &Thresholds) -> usize {
    let bounds = thresholds.bounds(&crate::metrics::COUNT, None);
    let judged = |count: u32| bounds.judge(common::number::Number::from(count)).0;
    let last = judged(MOST_COUNTED);
    let different = (0..MOST_COUNTED).rev().find(|count| judged(*count) != last);
    different.map_or(1, |count| usize::try_from(count).unwrap_or(0) + 1).max(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_more_dumps_are_counted_than_thresholds_tell_apart() {
        let wanted = |warning: &[&str], critical: &[&str]| {
            let owned = |ranges: &[&str]| ranges.iter().map(ToString::to_string).collect::<Vec<_>>();
            super::wanted(&Thresholds::parse(METRICS, None, &owned(warning), &owned(critical)).unwrap())
        };
        assert_eq!(wanted(&[], &[]), 2);
        assert_eq!(wanted(&["count=7:"], &[]), 7);
        assert_eq!(wanted(&["count=7:10"], &[]), 11);
        assert_eq!(wanted(&["count="], &["count="]), 1);
    }

    #[test]
    fn passwords_in_connection_strings_are_noticed() {
        for dsn in [
            "postgresql://u:p@h/d",
            "postgres://u:p@h",
            "host=x password = y",
            "postgresql://h/d?password=x",
            "PASSWORD\t=x",
        ] {
            assert!(holds_password(dsn), "{dsn}");
        }
        for dsn in
            ["postgresql://u@h:5432/d", "host=x user=password passfile=/x", "postgresql:///d?host=/run:1", "dbname=x"]
        {
            assert!(!holds_password(dsn), "{dsn}");
        }
    }

    #[test]
    fn offsets_are_time_zones() {
        let seconds = |text: &str| offset(text).map(Offset::seconds);
        assert_eq!(seconds("+02:00"), Some(7200));
        assert_eq!(seconds("-0330"), Some(-12600));
        assert_eq!(seconds("+2"), Some(7200));
        for bad in ["2", "+", "+x", "+02:60", "++1", "+99:00", "+1:-5", "+999999999"] {
            assert_eq!(seconds(bad), None, "{bad}");
        }
        assert!(time_zone("Nowhere/At_all").is_err());
    }
}
