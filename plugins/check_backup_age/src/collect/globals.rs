//! The dump of roles and tablespaces that belongs to those of a database.

use std::fs;
use std::path::{Path, PathBuf};

use common::glob::Glob;

use crate::collect::files::{self, Place};
use crate::collect::verify::Verifier;
use crate::snapshot::{Candidate, Globals, Trouble, TroubleKind};

/// The newest file that matches `pattern`, relative to `directory`.
pub fn globals(pattern: &str, directory: &Path, verifier: &Verifier) -> Globals {
    let pattern = directory.join(pattern);
    let newest = find(&pattern).and_then(|candidate| {
        verifier.verify(&candidate).map_err(|kind| Trouble { path: candidate.path.clone(), kind })
    });
    Globals { pattern, newest }
}

fn find(pattern: &Path) -> Result<Candidate, Trouble> {
    let directory = pattern.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let trouble = |path: &Path, kind| Trouble { path: path.to_owned(), kind };
    let name = pattern.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    let glob = Glob::new(&name);
    let mut matching: Vec<Candidate> = Vec::new();
    let entries = fs::read_dir(directory).map_err(|error| trouble(directory, files::trouble(&error)))?;
    for entry in entries {
        let entry = entry.map_err(|error| trouble(directory, files::trouble(&error)))?;
        if glob.matches(&entry.file_name().to_string_lossy())
            && let Ok(Place::Dump(candidate)) = files::look_at(&entry.path())
        {
            matching.push(candidate);
        }
    }
    let newest = matching.into_iter().max_by_key(|candidate| candidate.identity.mtime);
    newest.ok_or_else(|| trouble(&PathBuf::from(pattern), TroubleKind::Missing))
}
