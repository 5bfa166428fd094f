#![allow(
    missing_docs,
    clippy::all,
    clippy::pedantic,
    clippy::print_stdout,
    clippy::unwrap_used,
    clippy::indexing_slicing
)]
use check_backup_age::parse::*;
struct D(std::path::PathBuf);
impl Directory for D {
    type File = std::fs::File;
    fn open(&self, n: &str) -> std::io::Result<Self::File> {
        std::fs::File::open(self.0.join(n))
    }
}
fn main() {
    let a: Vec<String> = std::env::args().collect();
    let l = match a[1].as_str() {
        "header" => Level::Header,
        "structure" => Level::Structure,
        _ => Level::Full,
    };
    for p in &a[2..] {
        let p = std::path::PathBuf::from(p);
        let t = std::time::Instant::now();
        let i = if p.is_dir() {
            inspect_directory(&D(p.clone()), l, &|| true)
        } else {
            inspect(std::fs::File::open(&p).unwrap(), l, &|| true)
        };
        let w = match &i.outcome {
            Outcome::Sound => "sound".to_string(),
            Outcome::Broken(f) => format!("BROKEN[{}@{}] {f}", f.level, f.offset),
            Outcome::Unverified(u) => format!("UNVERIFIED {u}"),
        };
        let c = &i.contents;
        println!(
            "{:<28} {w}\n      {:?} {:?} {:?} e={:?} t={:?}/{:?} lo={:?} roles={:?} dbe={} rows={:?} {:?}..{:?} read={} {:?}",
            p.file_name().unwrap().display(),
            i.format,
            i.wrapper,
            i.header.as_ref().map(|h| (
                h.version,
                h.compression,
                h.database.clone(),
                h.created.map(|c| (c.year, c.month, c.day, c.hour, c.minute)),
                h.pg_dump_version.clone()
            )),
            c.entries,
            c.tables_with_data,
            c.tables,
            c.large_objects,
            c.roles,
            c.has_database_entry,
            c.with_data.iter().map(|t| t.rows).collect::<Vec<_>>(),
            i.started,
            i.ended,
            i.consumed,
            t.elapsed()
        );
    }
}
