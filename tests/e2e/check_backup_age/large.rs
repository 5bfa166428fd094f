//! Dumps that are larger than memory: they cost their headers.

use std::fs::{File, OpenOptions};
use std::io::{Seek as _, SeekFrom, Write as _};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Instant;

use check_backup_age::parse::{Kind, Level, Outcome, Unverified, inspect};
use support::need;
use support::postgres::Cluster;

use crate::dumps::{Dump, members};
use crate::good::{Client, SCHEMA};

const GIB: u64 = 1 << 30;
/// The most memory that a dump may take, in KiB, beside what the program takes for the smallest. That is 4 MiB as it is
/// released, and more as it is tested.
const MEMORY: u64 = 12 * 1024;

/// Wrappers with the largest windows and blocks that are let in.
const WRAPPERS: [&[&str]; 6] = [
    &["gzip", "-1"],
    &["bzip2", "-9"],
    &["xz", "-0", "--lzma2=preset=0,dict=8MiB"],
    &["zstd", "-1", "--zstd=wlog=23"],
    &["lz4", "-1", "-B6", "-BD"],
    &["lz4", "-1", "-B7"],
];

/// Writes a tar archive like `dump`, save that its first table has so many bytes, of which the file has none but the last.
/// A size of 8 GiB or more does not fit octal digits, so `pg_dump` writes it in base 256.
fn enlarge(dump: &Dump, size: u64, path: &Path) {
    let bytes = dump.bytes();
    let (_, header, (begin, length)) =
        members(bytes).into_iter().find(|(name, ..)| name.starts_with(|c: char| c.is_ascii_digit())).unwrap();
    let mut block = bytes[header..begin].to_vec();
    if size < 8 * GIB {
        block[124..135].copy_from_slice(format!("{size:011o}").as_bytes());
    } else {
        block[124..136].copy_from_slice(&[&[0x80, 0, 0, 0], &size.to_be_bytes()[..]].concat());
    }
    block[148..156].fill(b' ');
    let sum: u32 = block.iter().map(|byte| u32::from(*byte)).sum();
    block[148..155].copy_from_slice(format!("{sum:06o}\0").as_bytes());
    let mut file = File::create_new(path).unwrap();
    file.write_all(&bytes[..header]).unwrap();
    file.write_all(&block).unwrap();
    file.write_all(&bytes[begin..begin + length / 2]).unwrap();
    let end = begin as u64 + size;
    let half = length - length / 2;
    file.seek(SeekFrom::Start(end - half as u64)).unwrap();
    file.write_all(&bytes[begin + length / 2..begin + length]).unwrap();
    file.seek(SeekFrom::Start(end.next_multiple_of(512))).unwrap();
    file.write_all(&bytes[begin + length.next_multiple_of(512)..]).unwrap();
}

/// The peak memory of a run of the program, in KiB.
fn memory(path: &Path, level: &str) -> u64 {
    let mut command = Command::new(need("/usr/bin/time", "apt-get install time"));
    command.args(["--quiet", "--format=%M", env!("CARGO_BIN_EXE_check_backup_age"), "--verify", level, "-t", "1m"]);
    let output = command.arg("--state-dir").arg(path.parent().unwrap().join("state")).arg(path).output().unwrap();
    String::from_utf8_lossy(&output.stderr).trim().parse().unwrap()
}

#[test]
fn a_tar_of_gigabytes_costs_its_headers() {
    let cluster = Cluster::plan().start();
    cluster.psql(SCHEMA);
    let directory = tempfile::tempdir().unwrap();
    let small = directory.path().join("small");
    Client::of_the_machine().write(&cluster, "pg_dump", &["-Ft", "postgres"], &small);
    for size in [GIB, 8 * GIB - 1, 8 * GIB, 9 * GIB] {
        let path = directory.path().join("large");
        enlarge(&Dump::read(&small), size, &path);
        let begin = Instant::now();
        let found = inspect(File::open(&path).unwrap(), Level::Structure, &|| true);
        assert_eq!(found.outcome, Outcome::Sound, "{size}");
        assert!(begin.elapsed().as_millis() < 50, "{:?}", begin.elapsed());
        assert!(found.consumed < 1 << 20, "{} bytes were read", found.consumed);
        assert!(memory(&path, "structure") < memory(&small, "header") + MEMORY);
        // What the disk does not have is a hole, where all is read.
        match inspect(File::open(&path).unwrap(), Level::Full, &|| true).outcome {
            Outcome::Broken(fault) => assert_eq!(fault.kind, Kind::Hole, "{fault}"),
            outcome => panic!("{outcome:?}"),
        }
        // The last byte of the file is missing.
        let file = OpenOptions::new().write(true).open(&path).unwrap();
        file.set_len(file.metadata().unwrap().len() - 1).unwrap();
        let outcome = inspect(File::open(&path).unwrap(), Level::Structure, &|| true).outcome;
        assert!(matches!(outcome, Outcome::Broken(_)), "{outcome:?}");
        std::fs::remove_file(&path).unwrap();
    }
}

#[test]
fn no_wrapper_takes_more_memory_than_a_check_may() {
    for (tool, package) in [("gzip", "gzip"), ("bzip2", "bzip2"), ("xz", "xz-utils"), ("zstd", "zstd"), ("lz4", "lz4")]
    {
        need(tool, &format!("apt-get install {package}"));
    }
    let cluster = Cluster::plan().start();
    cluster.psql(
        "CREATE TABLE t AS SELECT i, md5(i::text) AS a, md5((i * 7)::text) AS b FROM generate_series(1, 200000) i",
    );
    let directory = tempfile::tempdir().unwrap();
    let dump = directory.path().join("dump");
    let wrapped = directory.path().join("wrapped");
    let bound = {
        Client::of_the_machine().write(&cluster, "pg_dump", &["-Ft", "template1"], &dump);
        memory(&dump, "header") + MEMORY
    };
    std::fs::remove_file(&dump).unwrap();
    for options in [&["-Fc", "-Z0", "postgres"][..], &["-Fp", "postgres"], &["-Ft", "postgres"]] {
        let _ = std::fs::remove_file(&dump);
        Client::of_the_machine().write(&cluster, "pg_dump", options, &dump);
        assert!(memory(&dump, "full") < bound, "{options:?}");
    }
    let wrap = |options: &[&str]| {
        let output = File::create(&wrapped).unwrap();
        let mut command = Command::new(options[0]);
        command.args(&options[1..]).arg("-c").arg(&dump).stdout(output).stderr(Stdio::null());
        assert!(command.status().unwrap().success(), "{options:?}");
        inspect(File::open(&wrapped).unwrap(), Level::Full, &|| true).outcome
    };
    for options in WRAPPERS {
        assert_eq!(wrap(options), Outcome::Sound, "{options:?}");
        let used = memory(&wrapped, "full");
        assert!(used < bound, "{used} KiB in {options:?}");
    }
    // What would take more is refused.
    for options in
        [&["zstd", "-1", "--long=27"][..], &["xz", "-0", "--lzma2=preset=0,dict=16MiB"], &["lz4", "-B7", "-BD"]]
    {
        let outcome = wrap(options);
        assert!(matches!(outcome, Outcome::Unverified(Unverified::Window(_))), "{options:?}: {outcome:?}");
    }
}
