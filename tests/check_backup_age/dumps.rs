//! Dumps in memory, and what can go wrong with them.

use std::collections::BTreeMap;
use std::io::{self, Cursor};
use std::path::Path;
use std::{fs, iter};

use check_backup_age::parse::{Directory, Inspection, Level, Outcome, inspect, inspect_directory};

/// A dump in memory.
#[derive(Clone, Debug)]
pub enum Dump {
    File(Vec<u8>),
    Directory(BTreeMap<String, Vec<u8>>),
}

impl Dump {
    /// Reads a file or a directory.
    #[track_caller]
    pub fn read(path: &Path) -> Self {
        if !path.is_dir() {
            return Self::File(fs::read(path).unwrap());
        }
        let files = fs::read_dir(path).unwrap().flatten();
        let name = |entry: &fs::DirEntry| entry.file_name().into_string().unwrap();
        Self::Directory(files.map(|entry| (name(&entry), fs::read(entry.path()).unwrap())).collect())
    }

    /// What the plugin's reader finds.
    pub fn inspect(&self, level: Level) -> Inspection {
        match self {
            Self::File(bytes) => inspect(Cursor::new(bytes), level, &|| true),
            Self::Directory(files) => inspect_directory(&Files(files), level, &|| true),
        }
    }

    #[track_caller]
    pub fn bytes(&self) -> &[u8] {
        match self {
            Self::File(bytes) => bytes,
            Self::Directory(files) => &files["toc.dat"],
        }
    }

    /// The length of the header and the table of contents: the shortest beginning in which nothing is missing.
    fn head(&self) -> usize {
        let bytes = self.bytes();
        let is_short = |length: usize| {
            let begin = match self {
                Self::File(_) => Self::File(bytes[..length].to_vec()),
                Self::Directory(_) => {
                    Self::Directory(iter::once(("toc.dat".to_owned(), bytes[..length].to_vec())).collect())
                }
            };
            begin.inspect(Level::Header).outcome != Outcome::Sound
        };
        let (mut short, mut long) = (0, bytes.len());
        while short + 1 < long {
            let middle = usize::midpoint(short, long);
            if is_short(middle) {
                short = middle;
            } else {
                long = middle;
            }
        }
        long
    }
}

struct Files<'a>(&'a BTreeMap<String, Vec<u8>>);

impl<'a> Directory for Files<'a> {
    type File = Cursor<&'a [u8]>;

    fn open(&self, name: &str) -> io::Result<Self::File> {
        self.0.get(name).map(|bytes| Cursor::new(&**bytes)).ok_or_else(|| io::ErrorKind::NotFound.into())
    }
}

/// The formats, each with what its data is like.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    Tar,
    Custom,
    CustomPlain,
    Directory,
    DirectoryPlain,
    Sql,
}

/// In the order of the columns of [`CORRUPTIONS`].
pub const FORMATS: [Format; 6] =
    [Format::Tar, Format::Custom, Format::CustomPlain, Format::Directory, Format::DirectoryPlain, Format::Sql];

/// A part of a dump: where it begins and how long it is.
type Span = (usize, usize);

/// The members of a tar archive: name, header, content.
pub fn members(bytes: &[u8]) -> Vec<(String, usize, Span)> {
    let mut members = Vec::new();
    let mut at = 0;
    while bytes.get(at).is_some_and(|first| *first != 0) {
        let name = bytes[at..at + 100].split(|byte| *byte == 0).next().unwrap();
        let size = std::str::from_utf8(&bytes[at + 124..at + 135]).unwrap();
        let size = usize::from_str_radix(size.trim(), 8).unwrap();
        members.push((String::from_utf8(name.to_vec()).unwrap(), at, (at + 512, size)));
        at += 512 + size.next_multiple_of(512);
    }
    members
}

fn integer(bytes: &[u8], at: usize) -> usize {
    u32::from_le_bytes(bytes[at + 1..at + 5].try_into().unwrap()) as usize
}

/// The blocks of a custom archive: kind and span.
fn blocks(dump: &Dump) -> Vec<(u8, Span)> {
    let bytes = dump.bytes();
    let chunks = |mut at: usize| {
        while integer(bytes, at) != 0 {
            at += 5 + integer(bytes, at);
        }
        at + 5
    };
    let mut blocks = Vec::new();
    let mut at = dump.head();
    while at < bytes.len() {
        let (begin, kind) = (at, bytes[at]);
        at += 6;
        if kind == 1 {
            at = chunks(at);
        } else {
            while integer(bytes, at) != 0 {
                at = chunks(at + 5);
            }
            at += 5;
        }
        blocks.push((kind, (begin, at - begin)));
    }
    blocks
}

/// The name of the largest file of data.
fn largest(files: &BTreeMap<String, Vec<u8>>) -> String {
    let data = files.iter().filter(|(name, _)| name.starts_with(|c: char| c.is_ascii_digit()));
    data.max_by_key(|(_, bytes)| bytes.len()).unwrap().0.clone()
}

/// The data of the largest table in a file.
fn data(dump: &Dump, format: Format) -> Span {
    let bytes = dump.bytes();
    match format {
        Format::Tar => {
            let data = members(bytes).into_iter().filter(|(name, ..)| name.starts_with(|c: char| c.is_ascii_digit()));
            data.map(|(_, _, span)| span).max_by_key(|span| span.1).unwrap()
        }
        Format::Custom | Format::CustomPlain => blocks(dump)
            .into_iter()
            .filter(|(kind, _)| *kind == 1)
            .map(|(_, span)| span)
            .max_by_key(|span| span.1)
            .unwrap(),
        _ => {
            let text = String::from_utf8_lossy(bytes);
            let begins = text.match_indices("FROM stdin;\n").map(|(at, words)| at + words.len());
            begins.map(|at| (at, text[at - 1..].find("\n\\.\n").unwrap())).max_by_key(|span| span.1).unwrap()
        }
    }
}

/// Applies `change` to the data of the largest table: all of it, and where it is.
fn change(dump: &Dump, format: Format, change: impl FnOnce(&mut Vec<u8>, Span)) -> Dump {
    let mut dump = dump.clone();
    match &mut dump {
        Dump::Directory(files) => {
            let bytes = files.get_mut(&largest(files)).unwrap();
            let span = (0, bytes.len());
            change(bytes, span);
        }
        Dump::File(_) => {
            let span = data(&dump, format);
            let Dump::File(bytes) = &mut dump else { unreachable!() };
            change(bytes, span);
        }
    }
    dump
}

/// Applies `change` to the file, or to the table of contents of a directory.
fn whole(dump: &Dump, change: impl FnOnce(&mut Vec<u8>)) -> Dump {
    let mut dump = dump.clone();
    match &mut dump {
        Dump::Directory(files) => change(files.get_mut("toc.dat").unwrap()),
        Dump::File(bytes) => change(bytes),
    }
    dump
}

/// Leaves out a member, a block or a file, by its name in tar archives and directories and its kind in custom archives.
fn without(dump: &Dump, format: Format, is_it: impl Fn(&str) -> bool, kind: u8) -> Dump {
    let mut dump = dump.clone();
    let (at, length) = match &mut dump {
        Dump::Directory(files) => {
            let name = files.keys().find(|name| is_it(name)).unwrap().clone();
            files.remove(&name);
            return dump;
        }
        Dump::File(bytes) if format == Format::Tar => {
            let (_, at, span) = members(bytes).into_iter().find(|(name, ..)| is_it(name)).unwrap();
            (at, 512 + span.1.next_multiple_of(512))
        }
        Dump::File(_) => blocks(&dump).into_iter().rfind(|block| block.0 == kind).unwrap().1,
    };
    whole(&dump, |bytes| drop(bytes.drain(at..at + length)))
}

fn is_data(name: &str) -> bool {
    name.starts_with(|c: char| c.is_ascii_digit())
}

fn is_object(name: &str) -> bool {
    name.starts_with("blob_")
}

fn is_list(name: &str) -> bool {
    name.starts_with("blobs")
}

/// Cuts a tar archive in front of a member.
fn cut_before(dump: &Dump, is_it: impl Fn(&str) -> bool) -> Dump {
    whole(dump, |bytes| {
        let (_, at, _) = members(bytes).into_iter().find(|(name, ..)| is_it(name)).unwrap();
        bytes.truncate(at);
    })
}

/// Flips a bit of a letter or digit at or after `at`.
fn flip(bytes: &mut [u8], at: usize) {
    let found = bytes[at..].windows(3).position(|three| three.iter().all(u8::is_ascii_alphanumeric)).unwrap();
    bytes[at + found + 1] ^= 1;
}

/// Zeros up to a page of the data, as a hole of a sparse file is: on a page of the disk, where there is one.
fn hole(bytes: &mut [u8], span: Span) {
    let middle = span.0 + span.1 / 2;
    let aligned = middle.next_multiple_of(4096);
    let begin = if aligned + 4096 < span.0 + span.1 { aligned } else { middle };
    let end = (begin + 4096).min(begin + span.1 / 4);
    bytes[begin..end].fill(0);
}

/// Something that goes wrong.
pub struct Corruption {
    pub name: &'static str,
    /// For each of [`FORMATS`], a letter: the lowest level that finds it (`h`eader, `s`tructure, `f`ull), `u` when it is
    /// not known whether it is good, `-` when nothing but a checksum of the whole can find it, `.` when it cannot happen.
    pub found: &'static str,
    pub make: fn(&Dump, Format) -> Dump,
}

impl Corruption {
    /// The letter of a format.
    pub fn expected(&self, format: Format) -> char {
        let letters: Vec<char> = self.found.chars().filter(|c| *c != ' ').collect();
        letters[FORMATS.iter().position(|one| *one == format).unwrap()]
    }
}

/// What goes wrong with dumps.
pub const CORRUPTIONS: &[Corruption] = &[
    // In front of it, or instead of it.
    Corruption { name: "empty file", found: "h h h h h h", make: |dump, _| whole(dump, Vec::clear) },
    Corruption {
        name: "message instead of a dump",
        found: "h h h . . h",
        make: |dump, _| whole(dump, |bytes| *bytes = b"pg_dump: error: connection to server failed\n".to_vec()),
    },
    Corruption {
        name: "password prompt in front",
        found: "h h h . . h",
        make: |dump, _| whole(dump, |bytes| drop(bytes.splice(0..0, *b"Password: hunter2\r\n"))),
    },
    Corruption {
        name: "LF to CR LF",
        found: "h h h . . h",
        make: |dump, _| {
            whole(dump, |bytes| {
                *bytes = bytes
                    .iter()
                    .flat_map(|byte| if *byte == b'\n' { vec![b'\r', b'\n'] } else { vec![*byte] })
                    .collect();
            })
        },
    },
    Corruption {
        name: "converted to UTF-16",
        found: "h h h . . h",
        make: |dump, _| {
            whole(dump, |bytes| {
                *bytes = [0xff, 0xfe].into_iter().chain(bytes.iter().flat_map(|byte| [*byte, 0])).collect();
            })
        },
    },
    Corruption {
        name: "archive version 1.17",
        found: "u u u u u .",
        make: |dump, format| whole(dump, |bytes| bytes[if format == Format::Tar { 518 } else { 6 }] = 17),
    },
    // It ends too early.
    Corruption {
        name: "cut in the table of contents",
        found: "h h h h h .",
        make: |dump, _| {
            let head = dump.head();
            whole(dump, |bytes| bytes.truncate(head - 100))
        },
    },
    Corruption {
        name: "killed when no data was written yet",
        found: "s s s s s s",
        make: |dump, format| match (dump, format) {
            (Dump::Directory(files), _) => Dump::Directory(
                files.iter().filter(|file| file.0 == "toc.dat").map(|(k, v)| (k.clone(), v.clone())).collect(),
            ),
            (_, Format::Tar) => cut_before(dump, is_data),
            (_, Format::Sql) => whole(dump, |bytes| bytes.truncate(400)),
            _ => {
                let head = dump.head();
                whole(dump, |bytes| bytes.truncate(head))
            }
        },
    },
    Corruption {
        name: "cut within a table",
        found: "s s s f s s",
        make: |dump, format| change(dump, format, |bytes, span| bytes.truncate(span.0 + span.1 / 2)),
    },
    Corruption {
        name: "cut in front of the large objects",
        found: "s s s s s .",
        make: |dump, format| match (dump, format) {
            (Dump::Directory(_), _) => without(&without(dump, format, is_object, 0), format, is_list, 0),
            (_, Format::Tar) => cut_before(dump, is_object),
            _ => without(dump, format, |_| false, 3),
        },
    },
    Corruption {
        name: "cut in front of restore.sql",
        found: "s . . . . .",
        make: |dump, _| cut_before(dump, |name| name == "restore.sql"),
    },
    Corruption {
        name: "no end blocks",
        found: "s . . . . .",
        make: |dump, _| whole(dump, |bytes| bytes.truncate(bytes.len() - 1024)),
    },
    Corruption {
        name: "last byte lost",
        found: "s s s f s .",
        make: |dump, format| match dump {
            Dump::Directory(_) => change(dump, format, |bytes, _| bytes.truncate(bytes.len() - 1)),
            Dump::File(_) => whole(dump, |bytes| bytes.truncate(bytes.len() - 1)),
        },
    },
    Corruption {
        name: "zeros from within a table on",
        found: "s s s f s s",
        make: |dump, format| change(dump, format, |bytes, span| bytes[span.0 + span.1 / 2..].fill(0)),
    },
    // Something of it is missing.
    Corruption {
        name: "data of a table missing",
        found: "s s s s s .",
        make: |dump, format| without(dump, format, is_data, 1),
    },
    Corruption {
        name: "large object missing",
        found: "s s s s s .",
        make: |dump, format| without(dump, format, is_object, 3),
    },
    Corruption {
        name: "list of large objects missing",
        found: "s . . s s .",
        make: |dump, format| without(dump, format, is_list, 0),
    },
    Corruption {
        name: "data of a table of no bytes",
        found: "s . . s s .",
        make: |dump, format| {
            change(dump, format, |bytes, span| {
                bytes.drain(span.0..span.0 + span.1.next_multiple_of(512).min(bytes.len() - span.0));
                if format == Format::Tar {
                    let header = span.0 - 512;
                    bytes[header + 124..header + 135].copy_from_slice(b"00000000000");
                    bytes[header + 148..header + 156].fill(b' ');
                    let sum: u32 = bytes[header..header + 512].iter().map(|byte| u32::from(*byte)).sum();
                    bytes[header + 148..header + 155].copy_from_slice(format!("{sum:06o}\0").as_bytes());
                }
            })
        },
    },
    Corruption {
        name: "middle of a table removed",
        found: "s s s f - -",
        make: |dump, format| {
            change(dump, format, |bytes, span| {
                let line = |at: usize| at + bytes[at..].iter().position(|byte| *byte == b'\n').unwrap() + 1;
                let (third, half) = (span.0 + span.1 / 3, span.0 + span.1 / 2);
                if matches!(format, Format::Custom | Format::Directory) {
                    bytes.drain(third..half);
                } else {
                    bytes.drain(line(third)..line(half));
                }
            })
        },
    },
    // Something of it is not as it was.
    Corruption {
        name: "something after the end",
        found: "s s s h h s",
        make: |dump, _| whole(dump, |bytes| bytes.extend_from_slice(b"DROP TABLE t;\n")),
    },
    Corruption {
        name: "bit of a member's header flipped",
        found: "s . . . . .",
        make: |dump, format| change(dump, format, |bytes, span| bytes[span.0 - 400] ^= 1),
    },
    Corruption {
        name: "hole in the data",
        found: "f f s f f f",
        make: |dump, format| {
            change(dump, format, |bytes, span| match format {
                // A page would hit the length of a chunk, which a walk through the structure finds.
                Format::Custom => bytes[span.0 + span.1 / 2..][..16].fill(0),
                _ => hole(bytes, span),
            })
        },
    },
    Corruption {
        name: "bit of the data flipped",
        found: "- f - f - -",
        make: |dump, format| {
            change(dump, format, |bytes, span| {
                let middle = span.0 + span.1 / 2;
                if matches!(format, Format::Custom | Format::Directory) {
                    bytes[middle] ^= 1;
                } else {
                    flip(bytes, middle);
                }
            })
        },
    },
    Corruption {
        name: "checksum of the data wrong",
        found: ". f . f . .",
        make: |dump, format| {
            // Adler-32 stands in front of the chunk that ends the block, CRC-32 in front of the length.
            let back = if format == Format::Custom { 6 } else { 8 };
            change(dump, format, |bytes, span| bytes[span.0 + span.1 - back] ^= 1)
        },
    },
    Corruption {
        name: "bit of a statement flipped",
        found: "- - - - - -",
        make: |dump, _| {
            whole(dump, |bytes| {
                let at = bytes.windows(12).position(|words| words == b"CREATE TABLE").unwrap();
                bytes[at] ^= 1;
            })
        },
    },
];
