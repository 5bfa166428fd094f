//! The reader of dumps against small dumps of several versions of PostgreSQL, and what can go wrong with them.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use check_backup_age::parse::{Fault, Kind, Level, Outcome, Unverified, inspect};

use proptest::prelude::*;

use crate::dumps::{CORRUPTIONS, Dump, FORMATS, Format};
use crate::versions::{MINORS, Table, archive};

const LEVELS: [Level; 3] = [Level::Header, Level::Structure, Level::Full];

/// What the fuzzers begin with: dumps by `pg_dump` 15, 17 and 18.
fn seeds(target: &str) -> Vec<PathBuf> {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/fuzz/seeds").join(target);
    let mut seeds: Vec<PathBuf> = fs::read_dir(directory).unwrap().flatten().map(|entry| entry.path()).collect();
    seeds.sort();
    assert!(seeds.len() > 3, "{seeds:?}");
    seeds
}

fn seed(target: &str, name: &str) -> Dump {
    let path = seeds(target).into_iter().find(|path| path.file_name().unwrap() == name).unwrap();
    if target != "directory" {
        return Dump::read(&path);
    }
    // Of each file its name, a zero, its length in four bytes, and what it holds.
    let mut files = BTreeMap::new();
    let packed = fs::read(&path).unwrap();
    let mut rest = &*packed;
    while !rest.is_empty() {
        let end = rest.iter().position(|byte| *byte == 0).unwrap();
        let (name, tail) = rest.split_at(end);
        let (length, tail) = tail[1..].split_first_chunk().unwrap();
        let (content, tail) = tail.split_at(u32::from_le_bytes(*length) as usize);
        files.insert(String::from_utf8(name.to_vec()).unwrap(), content.to_vec());
        rest = tail;
    }
    Dump::Directory(files)
}

fn dump(format: Format, version: &str) -> Dump {
    match format {
        Format::Tar => seed("tar", version),
        Format::Custom => seed("file", &format!("custom-{version}-gzip")),
        Format::CustomPlain => seed("file", &format!("custom-{version}-none")),
        Format::Directory => seed("directory", &format!("{version}-gzip")),
        Format::DirectoryPlain => seed("directory", &format!("{version}-none")),
        Format::Sql => seed("file", &format!("plain-{version}")),
    }
}

#[test]
fn good_dumps_are_sound_on_every_level() {
    let names = |target: &'static str| {
        seeds(target).into_iter().map(move |path| (target, path.file_name().unwrap().to_str().unwrap().to_owned()))
    };
    let is_good =
        |(_, name): &(&str, String)| !name.contains("stranger") && !matches!(&**name, "wrapped-gpg" | "wrapped-asc");
    for (target, name) in names("tar").chain(names("file")).chain(names("directory")).filter(is_good) {
        for level in LEVELS {
            let found = seed(target, &name).inspect(level);
            assert_eq!(found.outcome, Outcome::Sound, "{target}/{name} at {level}");
            assert!(found.format.is_some() && found.header.is_some(), "{found:?}");
        }
    }
}

#[test]
fn rows_and_large_objects_are_counted() {
    for version in ["15", "17", "18"] {
        for format in FORMATS {
            let contents = dump(format, version).inspect(Level::Full).contents;
            let rows = contents.with_data.iter().map(|table| (table.to_string(), table.rows.unwrap()));
            let expected =
                [("public.t", 60), ("public.u", 0), ("public.v", 0)].map(|(name, rows)| (name.to_owned(), rows));
            assert_eq!(rows.collect::<Vec<_>>(), expected, "{format:?} by {version}");
            assert_eq!((contents.tables, contents.tables_with_data), (Some(3), Some(3)));
            assert_eq!(contents.large_objects, Some(1), "{format:?} by {version}");
        }
    }
}

#[test]
fn every_corruption_is_found_at_its_level_and_not_below() {
    let (mut seen, mut wrong) = (0, Vec::new());
    for version in ["15", "17", "18"] {
        for corruption in CORRUPTIONS {
            for format in FORMATS {
                let expected = corruption.expected(format);
                if expected == '.' {
                    continue;
                }
                let bad = (corruption.make)(&dump(format, version), format);
                for level in LEVELS {
                    seen += 1;
                    let outcome = bad.inspect(level).outcome;
                    let least = match expected {
                        'h' => Some(Level::Header),
                        's' => Some(Level::Structure),
                        'f' => Some(Level::Full),
                        _ => None,
                    };
                    let is_right = match &outcome {
                        Outcome::Broken(fault) => least.is_some_and(|least| level >= least) && fault.level <= level,
                        Outcome::Sound => expected == '-' || least > Some(level),
                        Outcome::Unverified(Unverified::Newer(version)) => expected == 'u' && version.minor == 17,
                        Outcome::Unverified(_) => false,
                    };
                    let name = corruption.name;
                    if !is_right {
                        wrong
                            .push(format!("{name} in {format:?} by {version} at {level}: {outcome:?}, not {expected}"));
                    }
                }
            }
        }
    }
    assert!(seen > 600 && wrong.is_empty(), "{seen} seen, wrong are: {wrong:#?}");
}

#[test]
fn of_an_older_or_newer_version_nothing_is_known() {
    for (minor, expected) in
        [(11, "is older than PostgreSQL 9.0"), (17, "is newer than 1.16"), (255, "is newer than 1.16")]
    {
        match Dump::File(archive(minor, &[], false)).inspect(Level::Full).outcome {
            Outcome::Unverified(reason) => assert!(reason.to_string().contains(expected), "{reason}"),
            outcome => panic!("{outcome:?}"),
        }
    }
}

#[test]
fn what_is_over_time_is_not_verified() {
    for name in ["custom-15-gzip", "plain-15", "wrapped-tar.xz"] {
        let Dump::File(bytes) = seed("file", name) else { unreachable!() };
        let outcome = inspect(std::io::Cursor::new(bytes), Level::Full, &|| false).outcome;
        assert_eq!(outcome, Outcome::Unverified(Unverified::Interrupted), "{name}");
    }
}

/// What the reader says of a file that is no dump.
fn says(bytes: &[u8]) -> String {
    match Dump::File(bytes.to_vec()).inspect(Level::Header).outcome {
        Outcome::Broken(fault) => fault.to_string(),
        outcome => panic!("{outcome:?}"),
    }
}

#[test]
fn what_is_no_dump_is_named() {
    for (bytes, words) in [
        (&b""[..], "it is empty"),
        (b"\x1f\x8b\x08\0\0\0\0\0\0\x03\x03\0\0\0\0\0\0\0\0\0", "nothing is in its gzip"),
        (&[0; 5000], "it begins with zeros"),
        (b"PGD", "it ends too early"),
        (
            b"pg_dump: error: no such database\n",
            "a message is there instead of a dump: pg_dump: error: no such database",
        ),
        (b"PK\x03\x04....", "it is a zip archive, not a dump"),
        (b"\xff\xfe-\0-\0", "it was converted to UTF-16"),
        (b"CREATE TABLE t ();\n", "it is SQL that pg_dump did not write, not a dump"),
        (b"\x80\x81\x82\x83", "it is data of an unknown kind, not a dump"),
    ] {
        assert_eq!(says(bytes), words);
    }
}

#[test]
fn no_byte_in_front_of_a_dump_is_told() {
    let Dump::File(dump) = seed("file", "custom-15-none") else { unreachable!() };
    let secret = "hunter2";
    for prompt in [
        "Password: ",
        "Password for user postgres: ",
        "Passwort: ",
        "Mot de passe : ",
        "Contraseña: ",
        "パスワード: ",
        "",
    ] {
        let front = format!("{prompt}{secret}\r\n");
        let said = says(&[front.as_bytes(), &dump].concat());
        let expected = if prompt.is_empty() {
            "9 bytes of something else stand in front"
        } else {
            "a password prompt stands in front"
        };
        assert!(said.contains(expected) && !said.contains(secret), "{said}");
    }
    for message in [
        "Password: hunter2\r\npg_dump: error: x\n",
        "pg_dump: error: password=hunter2\n",
        "psql: postgres://u:hunter2@h/\n",
    ] {
        assert_eq!(says(message.as_bytes()), "a message is there instead of a dump", "{message}");
    }
}

#[test]
fn a_cut_dump_tells_how_far_it_is_whole() {
    let tables: Vec<Table> = (1..=12).map(|n| (format!("t{n}"), vec!["row".to_owned(); 100])).collect();
    let bytes = archive(14, &tables, false);
    let cut = bytes[..bytes.len() * 3 / 4].to_vec();
    let Outcome::Broken(fault) = Dump::File(cut).inspect(Level::Structure).outcome else { panic!("it is broken") };
    let Fault { kind, within, progress: Some((done, 12)), .. } = &fault else { panic!("{fault:?}") };
    assert_eq!((kind, within.as_deref()), (&Kind::Truncated, Some(&*format!("the data of public.t{}", done + 1))));
    assert_eq!(
        fault.to_string(),
        format!("it ends too early in the data of public.t{}, after {done} of 12 tables", done + 1)
    );
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn an_archive_of_any_version_is_sound_and_cut_anywhere_it_is_not(
        tables in prop::collection::vec(("[^\0]{0,60}", prop::collection::vec("[^\0\n]{0,90}", 0..9)), 0..9),
        minor in 0..MINORS.len(),
        is_compressed: bool,
        cut: prop::sample::Index,
    ) {
        let bytes = archive(MINORS[minor], &tables, is_compressed);
        for level in LEVELS {
            let found = Dump::File(bytes.clone()).inspect(level);
            prop_assert_eq!(found.outcome, Outcome::Sound);
            if level == Level::Full {
                let rows: Vec<u64> = found.contents.with_data.iter().map(|table| table.rows.unwrap()).collect();
                prop_assert_eq!(rows, tables.iter().map(|table| table.1.len() as u64).collect::<Vec<_>>());
            }
        }
        let cut = Dump::File(bytes[..cut.index(bytes.len())].to_vec());
        prop_assert!(matches!(cut.inspect(Level::Structure).outcome, Outcome::Broken(_)));
    }

    #[test]
    fn whatever_the_bytes_nothing_panics(bytes: Vec<u8>, at: prop::sample::Index, which: prop::sample::Index) {
        let names = ["custom-15-gzip", "custom-17-zstd", "plain-15", "wrapped-tar.lz4", "wrapped-plain.bz2"];
        let Dump::File(mut dump) = seed("file", names[which.index(names.len())]) else { unreachable!() };
        let at = at.index(dump.len());
        let end = (at + bytes.len()).min(dump.len());
        dump.splice(at..end, bytes);
        for level in LEVELS {
            let _ = Dump::File(dump.clone()).inspect(level);
        }
    }
}
