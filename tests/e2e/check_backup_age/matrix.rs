//! Everything that can go wrong × every format × every level, beside what `pg_restore` says of the same files.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::{Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use check_backup_age::parse::Level;
use support::need;
use support::postgres::Cluster;
use support::run::Run;

use crate::dumps::{CORRUPTIONS, Corruption, Dump, FORMATS, Format};
use crate::good::{Client, SCHEMA, sound};

const LEVELS: [Level; 3] = [Level::Header, Level::Structure, Level::Full];
/// A `pg_restore` that takes more CPU time loops for ever: a good dump takes it a few milliseconds.
const LIMIT: Duration = Duration::from_secs(1);
/// However busy the machine is, it has done either by then.
const PATIENCE: Duration = Duration::from_mins(1);
/// What stands above the table.
const TITLE: &str = "# What is found\n
What can go wrong with a dump, and who finds it: `pg_restore`, which lists a dump or restores it into nothing, and
check_backup_age, by the lowest level that finds it. `checksum` is what only `--sha256` can find. Made by
`tests/e2e/check_backup_age/matrix.rs` with PostgreSQL 15; `UPDATE_GOLDEN=1` writes it anew.\n\n";
const CLIENT: &str = "apt-get install postgresql-client";

/// A format as `pg_dump` is told to write it, and in words.
const fn of_format(format: Format) -> (&'static [&'static str], &'static str) {
    match format {
        Format::Tar => (&["-Ft"], "tar"),
        Format::Custom => (&["-Fc"], "custom"),
        Format::CustomPlain => (&["-Fc", "-Z0"], "custom `-Z0`"),
        Format::Directory => (&["-Fd"], "directory"),
        Format::DirectoryPlain => (&["-Fd", "-Z0"], "directory `-Z0`"),
        Format::Sql => (&["-Fp"], "plain"),
    }
}

/// Writes a dump where nothing is yet, so that none but us can read it: a fault of its own, else.
fn write(dump: &Dump, path: &Path) {
    match dump {
        Dump::File(bytes) => fs::write(path, bytes).unwrap(),
        Dump::Directory(files) => {
            fs::create_dir(path).unwrap();
            for (name, bytes) in files {
                fs::write(path.join(name), bytes).unwrap();
            }
        }
    }
    let mode = if path.is_dir() { 0o700 } else { 0o600 };
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
}

/// The CPU time that process `pid` has taken; none once it is gone.
fn cpu_time(pid: u32) -> Duration {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    // The name before it may hold anything. Fields 14 and 15 are in hundredths of a second (proc_pid_stat(5)).
    let fields = stat.rsplit_once(") ").map_or("", |(_, fields)| fields);
    let ticks = fields.split(' ').skip(11).take(2).filter_map(|ticks| ticks.parse::<u64>().ok()).sum::<u64>();
    Duration::from_millis(10 * ticks)
}

/// What `pg_restore` says of a file.
fn pg_restore(arguments: &[&str], path: &Path) -> &'static str {
    let mut command = Command::new(need("pg_restore", CLIENT));
    command.args(arguments).arg(path).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    let mut child = command.spawn().unwrap();
    let begin = Instant::now();
    loop {
        assert!(begin.elapsed() < PATIENCE, "pg_restore neither ends nor loops: {}", path.display());
        match child.try_wait().unwrap() {
            Some(status) if status.success() => return "missed",
            Some(_) => return "found",
            None if cpu_time(child.id()) > LIMIT => {
                child.kill().unwrap();
                child.wait().unwrap();
                return "**loops for ever**";
            }
            None => sleep(Duration::from_millis(2)),
        }
    }
}

/// The exit code that the program must give, by the letter of the corruption.
fn expected_code(letter: char, level: Level) -> i32 {
    match (letter, level) {
        ('u', _) => 3,
        ('h', _) | ('s', Level::Structure | Level::Full) | ('f', Level::Full) => 2,
        _ => 0,
    }
}

/// What the program says on each level must be as expected; returns the level that finds it.
#[track_caller]
fn check(corruption: &Corruption, format: Format, path: &Path) -> &'static str {
    let letter = corruption.expected(format);
    for level in LEVELS {
        let run = Run::new(env!("CARGO_BIN_EXE_check_backup_age")).arg(path).args(["--verify", &level.to_string()]);
        // Only what it finds in the dump is to count; a schema that lost its data is judged by other tests.
        let quiet = ["--schema-only", "--grace", "0", "-w", "free_space_ratio=", "-c", "free_space_ratio="];
        let output = run.args(quiet).output();
        let case = format!("{} in {format:?} at {level}", corruption.name);
        assert_eq!((output.code, &*output.stderr), (expected_code(letter, level), ""), "{case}: {}", output.stdout);
        assert!(!output.stdout.contains("hunter2"), "{case}: {}", output.stdout);
    }
    match letter {
        'h' => "header",
        's' => "structure",
        'f' => "full",
        'u' => "UNKNOWN",
        _ => "checksum",
    }
}

#[test]
fn every_corruption_of_every_format_on_every_level_beside_pg_restore() {
    let cluster = Cluster::plan().start();
    cluster.psql(SCHEMA);
    let client = Client::of_the_machine();
    let directory = tempfile::tempdir().unwrap();
    let dumps = FORMATS.map(|format| {
        let path = directory.path().join(format!("{format:?}"));
        client.write(&cluster, "pg_dump", &[of_format(format).0, &["postgres"]].concat(), &path);
        sound(&path, of_format(format).1);
        (format, Dump::read(&path))
    });
    let mut table = String::from(TITLE);
    table.push_str(
        "| what went wrong | formats | `pg_restore -l` | `pg_restore -f /dev/null` | `--verify` |\n|---|---|---|---|---|\n",
    );
    for corruption in CORRUPTIONS {
        // Formats for which all say the same share a line.
        let mut lines: BTreeMap<(u8, [&str; 3]), Vec<&str>> = BTreeMap::new();
        for (format, good) in &dumps {
            if corruption.expected(*format) == '.' {
                continue;
            }
            let path = directory.path().join("bad");
            write(&(corruption.make)(good, *format), &path);
            let restore = |arguments| if *format == Format::Sql { "–" } else { pg_restore(arguments, &path) };
            let verdicts = [restore(&["-l"]), restore(&["-f", "/dev/null"]), check(corruption, *format, &path)];
            let first = u8::try_from(FORMATS.iter().position(|one| one == format).unwrap()).unwrap();
            let place = lines.keys().find(|(_, line)| *line == verdicts).map_or(first, |(place, _)| *place);
            lines.entry((place, verdicts)).or_default().push(of_format(*format).1);
            if path.is_dir() { fs::remove_dir_all(&path) } else { fs::remove_file(&path) }.unwrap();
        }
        for ((_, [list, restore, ours]), formats) in lines {
            let name = corruption.name;
            writeln!(table, "| {name} | {} | {list} | {restore} | {ours} |", formats.join(", ")).unwrap();
        }
    }
    support::assert_golden(Path::new(env!("CARGO_MANIFEST_DIR")).join("VERIFICATION.md"), &table);
}
