//! Dumps of databases near the deployment.

use std::fs::DirEntry;
use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use common::file;

use crate::plan::Dump;

/// Folders of backups that have nothing to do with where the deployment is.
const USUAL: [&str; 4] = ["/var/backups", "/backup", "/backups", "/srv/backup"];
/// Files of a folder that are looked at, at most.
const MAX_FILES: usize = 10_000;
/// How the names of dumps end, and of what packs them.
const ENDINGS: [&str; 6] = ["tar", "dump", "sql", "backup", "pgdump", "custom"];
const PACKED: [&str; 7] = ["gz", "zst", "lz4", "xz", "bz2", "gpg", "age"];

/// The newest dump near the deployment or in the usual folders.
pub(super) fn newest(deployment: Option<&Path>) -> Option<Dump> {
    let near = deployment.map(near).unwrap_or_default();
    newest_of(&near.into_iter().chain(USUAL.map(PathBuf::from)).collect::<Vec<_>>())
}

/// The folder of the deployment, and those below and beside it that are called by what they are for.
fn near(deployment: &Path) -> Vec<PathBuf> {
    let beside = deployment.parent().map(named_for_backups).unwrap_or_default();
    [vec![deployment.to_owned()], named_for_backups(deployment), beside].concat()
}

fn newest_of(folders: &[PathBuf]) -> Option<Dump> {
    let dumps = folders.iter().flat_map(|folder| entries(folder)).filter_map(|entry| dump(&entry));
    dumps.max_by(|one, other| one.0.cmp(&other.0)).map(|(_, dump)| dump)
}

fn entries(folder: &Path) -> Vec<DirEntry> {
    std::fs::read_dir(folder).into_iter().flatten().take(MAX_FILES).flatten().collect()
}

fn named_for_backups(folder: &Path) -> Vec<PathBuf> {
    let is_one = |entry: &DirEntry| {
        let name = entry.file_name().to_string_lossy().to_lowercase();
        (name.contains("backup") || name.contains("dump")) && entry.file_type().is_ok_and(|kind| kind.is_dir())
    };
    entries(folder).into_iter().filter(is_one).map(|entry| entry.path()).collect()
}

/// When the file was written, and how to find it and its like.
fn dump(entry: &DirEntry) -> Option<(SystemTime, Dump)> {
    let metadata = entry.metadata().ok().filter(std::fs::Metadata::is_file)?;
    let newest = entry.file_name().to_str()?.to_owned();
    let ending = ending(&newest)?;
    let path = entry.path();
    if !is_packed(&ending) && !is_dump(&path) {
        return None;
    }
    let folder = path.parent()?.to_owned();
    Some((metadata.modified().ok()?, Dump { folder, pattern: format!("*{ending}"), newest }))
}

/// How the name of a dump ends, `.tar.gz`; `None` for another file.
fn ending(name: &str) -> Option<String> {
    let lower = name.to_ascii_lowercase();
    let (stem, last) = lower.rsplit_once('.')?;
    if ENDINGS.contains(&last) {
        return Some(format!(".{last}"));
    }
    let inner = stem.rsplit_once('.').map(|(_, inner)| inner).filter(|inner| ENDINGS.contains(inner))?;
    PACKED.contains(&last).then(|| format!(".{inner}.{last}"))
}

fn is_packed(ending: &str) -> bool {
    PACKED.iter().any(|packed| ending.ends_with(packed))
}

/// Whether the file begins as `pg_dump` writes them: custom, tar or plain.
fn is_dump(path: &Path) -> bool {
    let mut begin = Vec::new();
    let is_read = file::open(path).and_then(|file| file.take(512).read_to_end(&mut begin)).is_ok();
    is_read
        && (begin.starts_with(b"PGDMP") || begin.starts_with(b"toc.dat\0") || begin.starts_with(b"--\n-- PostgreSQL"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dumps_are_known_by_their_names() {
        for (name, expected) in [
            ("kwanza.tar", Some(".tar")),
            ("kwanza-2026-11-25.SQL.gz", Some(".sql.gz")),
            ("a.dump.age", Some(".dump.age")),
            ("notes.txt", None),
            ("page.html.gz", None),
            ("tar", None),
        ] {
            assert_eq!(ending(name).as_deref(), expected, "{name}");
        }
    }

    #[test]
    fn the_newest_near_the_deployment_is_found() {
        let home = tempfile::tempdir().unwrap();
        let deploy = home.path().join("deploy");
        let backups = home.path().join("db-backups");
        for folder in [&deploy, &backups] {
            std::fs::create_dir(folder).unwrap();
        }
        std::fs::write(deploy.join("images.tar"), "manifest.json").unwrap();
        std::fs::write(backups.join("old.sql.gz"), "x").unwrap();
        let hour_ago = SystemTime::now() - std::time::Duration::from_hours(1);
        std::fs::File::open(backups.join("old.sql.gz")).unwrap().set_modified(hour_ago).unwrap();
        let found = || newest_of(&near(&deploy)).unwrap();
        assert_eq!(found(), Dump { folder: backups.clone(), pattern: "*.sql.gz".into(), newest: "old.sql.gz".into() });
        std::fs::write(deploy.join("kwanza.tar"), "toc.dat\0\0").unwrap();
        assert_eq!((found().folder, found().pattern.as_str()), (deploy.clone(), "*.tar"));
    }
}
