//! The reader of dumps against small dumps of several versions of PostgreSQL, and what can go wrong with them.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use check_backup_age::parse::{self, Kind, Level, Outcome, Unverified};

use crate::dumps::{CORRUPTIONS, Dump, FORMATS, Format};

const LEVELS: [Level; 3] = [Level::Header, Level::Structure, Level::Full];

/// What the fuzzers begin with: dumps by pg_dump 15, 17 and 18.
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
