//! Which files are dumps to look at, and in which order.

use std::cmp::Reverse;
use std::collections::HashSet;
use std::ffi::OsStr;
use std::fs;
use std::path::Path;

use common::glob::Glob;

use crate::cli::Config;
use crate::collect::files::{self, Place};
use crate::snapshot::{Candidate, Trouble, TroubleKind};

/// Of so many dumps the newest are looked at, by mtime.
const MOST: usize = 2000;
/// Ends of names that stand for the checksum or the signature of a dump beside them.
const COMPANIONS: &[&str] = &[".sha256", ".sha256sum", ".sha512", ".sha1", ".md5", ".sig", ".minisig"];

/// What there is to look at.
#[derive(Debug, Default)]
pub struct Selection {
    /// The newest, the last written first.
    pub candidates: Vec<Candidate>,
    /// How many there are in all.
    pub found: u64,
    /// Whether every PATH is a dump.
    pub only_named: bool,
    /// Paths that are no dumps.
    pub troubles: Vec<Trouble>,
    /// Files that are in it, by device and inode: a link beside a dump is no other dump.
    known: HashSet<(u64, u64)>,
}

/// Selects dumps; stops where `keep_going` says no.
pub fn select(config: &Config, keep_going: &dyn Fn() -> bool) -> Selection {
    let mut selection = Selection { only_named: true, ..Selection::default() };
    let globals = config.options.require_globals.as_deref().map(|text| Excluded::new(Path::new(text)));
    for path in &config.options.paths {
        match files::look_at(path) {
            Ok(Place::Dump(candidate)) => selection.add(candidate),
            Ok(Place::Directory) => {
                selection.only_named = false;
                let before = selection.found;
                match selection.add_directory(path, config.pattern.as_ref(), globals.as_ref(), keep_going) {
                    Err(kind) => selection.troubles.push(Trouble { path: path.clone(), kind }),
                    Ok(()) if selection.found == before && keep_going() => {
                        selection.troubles.push(Trouble { path: path.clone(), kind: TroubleKind::NothingThere });
                    }
                    Ok(()) => {}
                }
            }
            Err(kind) => selection.troubles.push(Trouble { path: path.clone(), kind }),
        }
    }
    selection.keep_newest();
    selection
}

/// Files that are dumps of roles, and so none of a database.
struct Excluded<'a> {
    directory: Option<&'a Path>,
    name: Glob,
}

impl<'a> Excluded<'a> {
    fn new(pattern: &'a Path) -> Self {
        let directory = pattern.parent().filter(|parent| !parent.as_os_str().is_empty());
        let name = pattern.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        Self { directory, name: Glob::new(&name) }
    }

    fn holds(&self, directory: &Path, name: &str) -> bool {
        self.directory.is_none_or(|own| own == directory) && self.name.matches(name)
    }
}

impl Selection {
    fn add(&mut self, candidate: Candidate) {
        if self.known.insert((candidate.identity.device, candidate.identity.inode)) {
            self.found += 1;
            self.candidates.push(candidate);
        }
    }

    fn add_directory(
        &mut self,
        directory: &Path,
        pattern: Option<&Glob>,
        globals: Option<&Excluded>,
        keep_going: &dyn Fn() -> bool,
    ) -> Result<(), TroubleKind> {
        for entry in fs::read_dir(directory).map_err(|error| files::trouble(&error))? {
            if !keep_going() {
                break;
            }
            let entry = entry.map_err(|error| files::trouble(&error))?;
            let name = entry.file_name();
            if !is_wanted(&name, pattern) || globals.is_some_and(|own| own.holds(directory, &name.to_string_lossy())) {
                continue;
            }
            match files::look_at(&entry.path()) {
                Ok(Place::Dump(candidate)) => self.add(candidate),
                // What has vanished since the directory was read was rotated away.
                Ok(Place::Directory) | Err(TroubleKind::Missing | TroubleKind::NotAFile) => {}
                Err(kind) => self.troubles.push(Trouble { path: entry.path(), kind }),
            }
            if self.candidates.len() > 2 * MOST {
                self.keep_newest();
            }
        }
        Ok(())
    }

    fn keep_newest(&mut self) {
        // Of equals the later name, as names hold dates.
        self.candidates.sort_by(|a, b| b.identity.mtime.cmp(&a.identity.mtime).then_with(|| b.path.cmp(&a.path)));
        self.candidates.truncate(MOST);
        self.troubles.sort_by(|a, b| a.path.cmp(&b.path));
        self.troubles.truncate(MOST);
    }
}

fn is_wanted(name: &OsStr, pattern: Option<&Glob>) -> bool {
    let name = name.to_string_lossy();
    match pattern {
        Some(pattern) => pattern.matches(&name),
        None => !name.starts_with('.') && !COMPANIONS.iter().any(|end| name.ends_with(end)),
    }
}

/// `candidates`, the newest by the time inside first.
///
/// The time inside is never later than mtime, so that only those have to be opened whose mtime is not before the newest
/// time inside so far: one, if nobody has copied dumps.
pub fn by_time_inside(candidates: Vec<Candidate>, mut made: impl FnMut(&Candidate) -> Option<i64>) -> Vec<Candidate> {
    if candidates.len() < 2 {
        return candidates;
    }
    let mut newest = i64::MIN;
    let mut opened = Vec::new();
    let mut rest = candidates.into_iter();
    let mut unopened = Vec::new();
    for candidate in rest.by_ref() {
        if candidate.identity.written() < newest {
            unopened.push(candidate);
            break;
        }
        let Some(at) = made(&candidate) else {
            unopened.push(candidate);
            break;
        };
        newest = newest.max(at);
        opened.push((at, candidate));
    }
    opened.sort_by_key(|(at, _)| Reverse(*at));
    opened.into_iter().map(|(_, candidate)| candidate).chain(unopened).chain(rest).collect()
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use super::*;
    use crate::snapshot::Identity;

    fn candidate(name: &str, written: i64) -> Candidate {
        let identity = Identity { mtime: written * 1_000_000_000, ..Identity::default() };
        Candidate { path: PathBuf::from(name), identity, mode: 0, is_directory: false, is_link: false }
    }

    #[test]
    fn copies_do_not_become_newer_and_no_more_than_needed_are_opened() {
        let inside = [("copy", 100), ("new", 890), ("old", 790), ("older", 690)];
        let candidates = [("copy", 1000), ("new", 900), ("old", 800), ("older", 700)];
        let mut opened = Vec::new();
        let ordered = by_time_inside(candidates.map(|(name, at)| candidate(name, at)).into(), |candidate| {
            opened.push(candidate.path.display().to_string());
            inside.iter().find(|(name, _)| candidate.path == Path::new(name)).map(|(_, at)| *at)
        });
        let names: Vec<String> = ordered.iter().map(|candidate| candidate.path.display().to_string()).collect();
        assert_eq!(names, ["new", "copy", "old", "older"]);
        assert_eq!(opened, ["copy", "new"]);
    }

    #[test]
    fn companions_and_hidden_files_are_no_dumps() {
        for (name, wanted) in [("a.tar", true), (".a.tar.x7", false), ("a.tar.sha256", false), ("README", true)] {
            assert_eq!(is_wanted(OsStr::new(name), None), wanted, "{name}");
        }
        assert!(is_wanted(OsStr::new(".a.tar"), Some(&Glob::new("*.tar"))));
    }
}
