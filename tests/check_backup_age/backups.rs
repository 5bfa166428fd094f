//! A directory of dumps with the times that a test wants, and the runs of the check on it.

use std::fs::{self, File};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use jiff::Timestamp;
use jiff::tz::TimeZone;
use support::golden::{Golden, timings};
use support::run::Run;
use support::said::Said;
use tempfile::TempDir;

pub const FIXTURES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/fixtures/check_backup_age");
pub const SCHEMA: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../packaging/schema/check_backup_age.schema.json");
pub const HOUR: u64 = 3600;
/// What `3h 10m` is for a reader, some seconds before it becomes another minute.
pub const RECENT: u64 = 3 * HOUR + 10 * 60 + 35;
/// How long a dump takes, in seconds.
pub const DURATION: u64 = 30;
/// Where the time stands in the head of a custom archive of version 1.14.
const TIME: usize = 16;
const BLOCK: usize = 512;

pub fn binary() -> PathBuf {
    env!("CARGO_BIN_EXE_check_backup_age").into()
}

/// The time that was so many seconds ago.
pub fn ago(seconds: u64) -> SystemTime {
    SystemTime::now() - Duration::from_secs(seconds)
}

/// What `pg_dump` wrote, with `begun` as its time.
pub fn dump(fixture: &str, begun: SystemTime) -> Vec<u8> {
    let path = Path::new(FIXTURES).join(fixture);
    let mut bytes = fs::read(&path).unwrap_or_else(|error| panic!("cannot read {}: {error}", path.display()));
    if bytes.starts_with(b"PGDMP") {
        stamp(&mut bytes, begun, &TimeZone::UTC);
    } else if bytes.get(257..262) == Some(b"ustar") {
        stamp_tar(&mut bytes, begun);
    }
    bytes
}

/// Writes a time into the head of an archive, as the clock in `zone` shows it.
pub fn stamp(archive: &mut [u8], begun: SystemTime, zone: &TimeZone) {
    let time = zone.to_datetime(Timestamp::try_from(begun).unwrap());
    let fields = [
        i32::from(time.second()),
        i32::from(time.minute()),
        i32::from(time.hour()),
        i32::from(time.day()),
        i32::from(time.month()) - 1,
        i32::from(time.year()) - 1900,
    ];
    for (field, value) in fields.into_iter().enumerate() {
        let at = TIME + 5 * field;
        archive[at] = 0;
        archive[at + 1..at + 5].copy_from_slice(&value.to_le_bytes());
    }
}

/// Gives every member the time at which the dump was begun, and the last the time at which it ended.
fn stamp_tar(tar: &mut [u8], begun: SystemTime) {
    let mut at = 0;
    while tar[at] != 0 {
        let is_last = tar[at..].starts_with(b"restore.sql\0");
        let time = if is_last { begun + Duration::from_secs(DURATION) } else { begun };
        let seconds = Timestamp::try_from(time).unwrap().as_second();
        let size = usize::from_str_radix(std::str::from_utf8(&tar[at + 124..at + 135]).unwrap(), 8).unwrap();
        if tar[at..].starts_with(b"toc.dat\0") {
            stamp(&mut tar[at + BLOCK..], begun, &TimeZone::UTC);
        }
        let header = &mut tar[at..at + BLOCK];
        header[136..148].copy_from_slice(format!("{seconds:011o} ").as_bytes());
        header[148..156].fill(b' ');
        let sum: u32 = header.iter().map(|byte| u32::from(*byte)).sum();
        header[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
        at += BLOCK + size.next_multiple_of(BLOCK);
    }
}

/// A directory of dumps, and what the runs on it keep.
pub struct Backups {
    directory: TempDir,
    state: TempDir,
}

impl Backups {
    pub fn new() -> Self {
        Self { directory: tempfile::tempdir().unwrap(), state: tempfile::tempdir().unwrap() }
    }

    /// The directory.
    pub fn root(&self) -> &Path {
        self.directory.path()
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.root().join(name)
    }

    /// Puts a dump there, which was begun so many seconds ago and was complete [`DURATION`] later.
    pub fn dump(&self, fixture: &str, name: &str, begun: u64) -> PathBuf {
        self.write(name, &dump(fixture, ago(begun)), begun.saturating_sub(DURATION))
    }

    /// Puts a dump in directory format there.
    pub fn directory_dump(&self, name: &str, begun: u64) -> PathBuf {
        let directory = self.path(name);
        fs::create_dir(&directory).unwrap();
        for entry in fs::read_dir(Path::new(FIXTURES).join("kwanza.dir")).unwrap() {
            let file = entry.unwrap().file_name().into_string().unwrap();
            self.dump(&format!("kwanza.dir/{file}"), &format!("{name}/{file}"), begun);
        }
        directory
    }

    /// Puts a file there that was last written so many seconds ago.
    pub fn write(&self, name: &str, bytes: &[u8], written: u64) -> PathBuf {
        let path = self.path(name);
        fs::write(&path, bytes).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
        touch(&path, written);
        path
    }

    /// A run on the directory, or on what `arguments` name in it: `{}` stands for it.
    pub fn run(&self, arguments: &[&str]) -> Run {
        let root = self.root().display().to_string();
        let arguments = arguments.iter().map(|argument| argument.replace("{}", &root));
        Run::new(binary()).args(arguments).env("TZ", "UTC").state_dir(self.state.path())
    }

    #[track_caller]
    pub fn check(&self, arguments: &[&str]) -> Said {
        Said::of(self.run(arguments).output())
    }

    /// Compares the whole output of a run on `arguments` with the golden file `name`, whose first word is the state.
    #[track_caller]
    pub fn assert(&self, name: &str, arguments: &[&str]) {
        let said = self.check(arguments);
        let state = name.split('_').next().unwrap().to_ascii_uppercase();
        assert!(said.text().starts_with(&format!("BACKUP_AGE {state} - ")), "{name}: {}", said.text());
        Golden::new(Path::new(FIXTURES).join(format!("{name}.out")))
            .replace(self.root().display().to_string(), "{dir}")
            .replace(self.state.path().display().to_string(), "{state}")
            .mask(|text| mask(&text))
            .mask(timings)
            .assert(&format!("{}exit code {}\n", said.text(), said.output.code));
        let json = self.run(&[arguments, &["--format", "json"]].concat()).output();
        let document = support::schema::assert_valid(Path::new(SCHEMA), &json.stdout);
        assert_eq!((document["state"].as_str(), json.code), (Some(state.as_str()), said.output.code));
    }
}

/// Gives a file another mtime.
pub fn touch(path: &Path, written: u64) {
    File::options().write(true).open(path).unwrap().set_modified(ago(written)).unwrap();
}

/// What depends on the machine: its free space, and the name of a sample, which is made of the directory's.
fn mask(text: &str) -> String {
    let lines = text.lines().filter(|line| !line.contains("the data in /var/lib"));
    let masked = lines.map(|line| {
        let line = masked(line, "free_space_ratio=", "{ratio}", |c| c.is_ascii_digit() || c == '.');
        let line = masked(&line, "space: ", "{free}", |c| c != 'f');
        masked(&line, "{state}/check_backup_age-", "{sample}", |c| c != '.')
    });
    masked.map(|line| line + "\n").collect()
}

/// `line` with what is `hidden` behind `before` replaced.
fn masked(line: &str, before: &str, by: &str, hidden: impl Fn(char) -> bool) -> String {
    match line.split_once(before) {
        Some((head, tail)) => format!("{head}{before}{by}{}", tail.trim_start_matches(hidden)),
        None => line.to_owned(),
    }
}
