//! All of the plugin's I/O, without a verdict.

mod base;
mod checksum;
mod files;
mod globals;
mod restore;
mod select;
pub mod verify;
mod wal;

use std::fs;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::time::Instant;

use common::clock::Clock;
use common::deadline::Deadline;

use crate::cli::Config;
use crate::collect::select::Selection;
use crate::collect::verify::Verifier;
use crate::snapshot::{Candidate, Dump, Kept, RestoreTest, Snapshot, Space, Trouble, TroubleKind};

/// Where servers keep their data.
const DATA_DIRECTORIES: &[&str] = &["/var/lib/postgresql", "/var/lib/pgsql", "/var/lib/docker/volumes"];

/// Looks at everything that the options name.
pub fn collect(config: &Config, kept: Option<&Kept>, now: &Clock, deadline: &Deadline) -> Snapshot {
    // Time to report must be left.
    let end = Instant::now() + deadline.budget();
    let keep_going = move || Instant::now() < end;
    let verifier = Verifier::new(config, kept, &keep_going);
    let run = Run { config, kept, now, deadline, keep_going: &keep_going, verifier: &verifier };
    let mut snapshot = Snapshot::default();
    if !config.options.paths.is_empty() {
        let candidates = run.find(&mut snapshot);
        run.verify(candidates, &mut snapshot);
        run.look_beside_newest(&mut snapshot);
    }
    run.look_at_recovery(&mut snapshot);
    // Last, because it takes longest.
    snapshot.restore = run.restore(&snapshot);
    snapshot
}

/// One run, which stops its work where `keep_going` says no.
struct Run<'a> {
    config: &'a Config,
    kept: Option<&'a Kept>,
    now: &'a Clock,
    deadline: &'a Deadline,
    keep_going: &'a dyn Fn() -> bool,
    verifier: &'a Verifier<'a>,
}

impl Run<'_> {
    /// Finds dumps. The newest is the first.
    fn find(&self, snapshot: &mut Snapshot) -> Vec<Candidate> {
        let selection = {
            let _step = self.deadline.step("the list of dumps");
            select::select(self.config, self.keep_going)
        };
        let Selection { candidates, found, only_named, troubles, .. } = selection;
        (snapshot.found, snapshot.only_named, snapshot.troubles) = (found, only_named, troubles);
        let _step = self.deadline.step("the times inside the dumps");
        let candidates = select::by_time_inside(candidates, |candidate| self.verifier.made(candidate));
        snapshot.is_incomplete = !(self.keep_going)();
        candidates
    }

    /// Verifies dumps in their order, until as many valid ones are known as count.
    fn verify(&self, candidates: Vec<Candidate>, snapshot: &mut Snapshot) {
        let options = &self.config.options;
        let mut valid = 0;
        for candidate in candidates {
            if valid >= self.config.wanted || snapshot.was_interrupted {
                break;
            }
            let _step = self.deadline.step(format!("the dump {}", candidate.path.display()));
            match self.verifier.verify(&candidate) {
                Ok(dump) => {
                    let is_unfinished = dump.may_be_unfinished(self.now.wall, options.grace.as_secs_f64());
                    valid += usize::from(dump.is_valid(options.allow_encrypted) && !is_unfinished);
                    snapshot.was_interrupted = verify::was_interrupted(&dump);
                    snapshot.dumps.push(dump);
                }
                // Rotated away meanwhile, unless it was named.
                Err(TroubleKind::Missing) if !options.paths.contains(&candidate.path) => snapshot.found -= 1,
                Err(kind) => snapshot.troubles.push(Trouble { path: candidate.path, kind }),
            }
        }
    }

    /// What is to be known of the newest valid dump beyond its content, and of what belongs to it.
    fn look_beside_newest(&self, snapshot: &mut Snapshot) {
        let options = &self.config.options;
        if let Some(dump) = snapshot.newest_valid(options.allow_encrypted) {
            let step = self.deadline.step("the filesystem of the newest dump");
            let space = space(&dump.file.path);
            let data_directory = data_directory(options.data_directory.as_deref(), dump);
            drop(step);
            let known = self.kept.and_then(|kept| kept.sum.as_ref());
            let sum = |pattern: &String| checksum::sum(pattern, dump, known, self.deadline, self.keep_going);
            let sum = options.sha256.as_ref().map(sum);
            (snapshot.space, snapshot.data_directory, snapshot.sum) = (Some(space), data_directory, sum);
        }
        if let Some(pattern) = &options.require_globals {
            let _step = self.deadline.step("the dump of roles");
            let newest = snapshot.dumps.first().and_then(|dump| dump.file.path.parent());
            let directory = newest.map(Path::to_owned).or_else(|| options.paths.first().cloned()).unwrap_or_default();
            snapshot.globals = Some(globals::globals(pattern, &directory, self.verifier));
        }
    }

    /// What a recovery to a point in time needs.
    fn look_at_recovery(&self, snapshot: &mut Snapshot) {
        if let Some(directory) = &self.config.options.base_backup {
            let _step = self.deadline.step(format!("the base backup {}", directory.display()));
            let found = base::base_backup(directory, self.config.level, self.kept, self.keep_going);
            snapshot.base = Some(found.map(|(backup, verified)| {
                snapshot.base_verified = verified;
                backup
            }));
        }
        if let Some(directory) = &self.config.options.wal_archive {
            let _step = self.deadline.step(format!("the WAL archive {}", directory.display()));
            let base = snapshot.base.as_ref().and_then(|base| base.as_ref().ok());
            let start = base.and_then(|base| base.start);
            snapshot.wal = Some(wal::archive(directory, start, self.keep_going));
        }
    }

    fn restore(&self, snapshot: &Snapshot) -> Option<RestoreTest> {
        let dsn = self.config.options.restore_test.as_deref()?;
        let dump = snapshot.newest_valid(false)?;
        let known = self.kept.and_then(|kept| kept.restored.as_ref());
        Some(restore::restore(self.config, dsn, dump, known, self.deadline))
    }
}

/// Free space where the dump is.
fn space(dump: &Path) -> Result<Space, String> {
    let stat = nix::sys::statvfs::statvfs(dump).map_err(|errno| common::text::io_error(&errno.into()))?;
    Ok(Space { free: stat.blocks_available().saturating_mul(stat.fragment_size()) })
}

/// The data directory, and whether the dump is on the same device.
fn data_directory(given: Option<&Path>, dump: &Dump) -> Option<(PathBuf, bool)> {
    let paths = given.map_or_else(|| DATA_DIRECTORIES.iter().map(Path::new).collect(), |path| vec![path]);
    let (path, metadata) = paths.into_iter().find_map(|path| Some((path, fs::metadata(path).ok()?)))?;
    Some((path.to_owned(), metadata.dev() == dump.file.identity.device))
}
