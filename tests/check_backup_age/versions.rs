//! Custom archives as the source of each version of PostgreSQL describes them: of those whose programs cannot be had any
//! more, and of shapes that no test database has.

use std::io::Write as _;

use flate2::Compression;
use flate2::write::ZlibEncoder;

/// The versions that are known.
pub const MINORS: [u8; 5] = [12, 13, 14, 15, 16];

/// A table of an archive: its name and rows.
pub type Table = (String, Vec<String>);

/// An archive that is being written.
struct Archive {
    minor: u8,
    bytes: Vec<u8>,
}

impl Archive {
    fn integer(&mut self, value: i32) {
        self.bytes.push(u8::from(value < 0));
        self.bytes.extend_from_slice(&value.unsigned_abs().to_le_bytes());
    }

    fn string(&mut self, text: Option<&str>) {
        self.integer(text.map_or(-1, |text| i32::try_from(text.len()).unwrap()));
        self.bytes.extend_from_slice(text.unwrap_or_default().as_bytes());
    }

    fn header(&mut self, entries: usize, is_compressed: bool) {
        self.bytes.extend_from_slice(b"PGDMP");
        self.bytes.extend_from_slice(&[1, self.minor, 0, 4, 8, 1]);
        if self.minor >= 15 {
            self.bytes.push(u8::from(is_compressed));
        } else {
            self.integer(if is_compressed { -1 } else { 0 });
        }
        // 2026-11-25 03:45:59, in summer.
        for field in [59, 45, 3, 25, 10, 126, 1] {
            self.integer(field);
        }
        for text in ["kwanza", "10.2", "10.2"] {
            self.string(Some(text));
        }
        self.integer(i32::try_from(entries).unwrap());
    }

    fn entry(&mut self, id: i32, description: &str, name: &str) {
        let has_data = description == "TABLE DATA";
        self.integer(id);
        self.integer(i32::from(has_data));
        self.string(Some("1259"));
        self.string(Some("16385"));
        self.string(Some(name));
        self.string(Some(description));
        self.integer(if has_data { 3 } else { 2 });
        let quoted = format!("\"{}\"", name.replace('"', "\"\""));
        self.string(Some(&if has_data {
            String::new()
        } else {
            format!("CREATE TABLE public.{quoted} (line text);\n")
        }));
        self.string(Some(""));
        self.string(has_data.then(|| format!("COPY public.{quoted} (line) FROM stdin;\n")).as_deref());
        self.string(Some("public"));
        self.string(Some(""));
        if self.minor >= 14 {
            self.string(Some("heap"));
        }
        if self.minor >= 16 {
            self.integer(i32::from(b'r'));
        }
        self.string(Some("postgres"));
        self.string(Some("false"));
        if has_data {
            self.string(Some(&(id - 1).to_string()));
        }
        self.string(None);
        self.bytes.push(if has_data { 1 } else { 3 });
        self.bytes.extend_from_slice(&[0; 8]);
    }

    fn data(&mut self, id: i32, rows: &[String], is_compressed: bool) {
        let end = ["\\.\n\n".to_owned()];
        let mut payload: Vec<u8> = rows.iter().chain(&end).flat_map(|line| [line.as_bytes(), b"\n"].concat()).collect();
        if is_compressed {
            let mut encoder = ZlibEncoder::new(Vec::new(), Compression::fast());
            encoder.write_all(&payload).unwrap();
            payload = encoder.finish().unwrap();
        }
        self.bytes.push(1);
        self.integer(id);
        for chunk in payload.chunks(100) {
            self.integer(i32::try_from(chunk.len()).unwrap());
            self.bytes.extend_from_slice(chunk);
        }
        self.integer(0);
    }
}

/// A custom archive of a version, with these tables.
pub fn archive(minor: u8, tables: &[Table], is_compressed: bool) -> Vec<u8> {
    let mut archive = Archive { minor, bytes: Vec::new() };
    archive.header(tables.len() * 2, is_compressed);
    let ids = || (1..).step_by(2);
    for (id, (name, _)) in ids().zip(tables) {
        archive.entry(id, "TABLE", name);
        archive.entry(id + 1, "TABLE DATA", name);
    }
    for (id, (_, rows)) in ids().zip(tables) {
        archive.data(id + 1, rows, is_compressed);
    }
    archive.bytes
}
