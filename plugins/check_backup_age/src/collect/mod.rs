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
use crate::snapshot::{BaseBackup, Dump, Identity, Kept, RestoreTest, Snapshot, Space, Trouble, TroubleKind};

/// Where servers keep their data.
const DATA_DIRECTORIES: &[&str] = &["/var/lib/postgresql", "/var/lib/pgsql", "/var/lib/docker/volumes"];

/// Looks at everything that the options name.
pub fn collect(config: &Config, kept: Option<&Kept>, now: &Clock, deadline: &Deadline) -> Snapshot {
    // Time to drop a scratch database and to report must be left.
    let end = Instant::now() + deadline.budget();
    let keep_going = move || Instant::now() < end;
    let verifier = Verifier::new(config, kept, &keep_going);
    let mut snapshot = Snapshot::default();
    if !config.options.paths.is_empty() {
        dumps(config, &verifier, now, &keep_going, &mut snapshot, deadline);
        about_newest(config, kept, &verifier, &keep_going, &mut snapshot, deadline);
    }
    point_in_time(config, kept, &keep_going, &mut snapshot, deadline);
    // Last, because it takes longest.
    snapshot.restore = restore_test(config, kept, &snapshot, deadline);
    snapshot
}

/// Verifies dumps, the newest first, until as many valid ones are known as count.
fn dumps(
    config: &Config,
    verifier: &Verifier,
    now: &Clock,
    keep_going: &dyn Fn() -> bool,
    snapshot: &mut Snapshot,
    deadline: &Deadline,
) {
    let selection = {
        let _step = deadline.step("the list of dumps");
        select::select(config, keep_going)
    };
    let Selection { candidates, found, only_named, troubles, .. } = selection;
    (snapshot.found, snapshot.only_named, snapshot.troubles) = (found, only_named, troubles);
    let candidates = {
        let _step = deadline.step("the times inside the dumps");
        select::by_time_inside(candidates, |candidate| verifier.made(candidate))
    };
    snapshot.is_incomplete = !keep_going();
    let mut valid = 0;
    let grace = config.options.grace.as_secs_f64();
    for candidate in candidates {
        if valid >= config.wanted {
            break;
        }
        let _step = deadline.step(format!("the dump {}", candidate.path.display()));
        match verifier.verify(&candidate) {
            Ok(dump) => {
                let is_over = verify::was_interrupted(&dump);
                // The newest one is told whatever it is; one that is being written is none yet.
                let counts = dump.is_valid(config.options.allow_encrypted) && !dump.may_be_unfinished(now.wall, grace);
                valid += usize::from(counts);
                snapshot.dumps.push(dump);
                if is_over {
                    snapshot.was_interrupted = true;
                    break;
                }
            }
            // Rotated away meanwhile, unless it was named.
            Err(TroubleKind::Missing) if !config.options.paths.contains(&candidate.path) => snapshot.found -= 1,
            Err(kind) => snapshot.troubles.push(Trouble { path: candidate.path, kind }),
        }
    }
}

/// What is to be known of the newest valid dump beyond its content, and of what belongs to it.
fn about_newest(
    config: &Config,
    kept: Option<&Kept>,
    verifier: &Verifier,
    keep_going: &dyn Fn() -> bool,
    snapshot: &mut Snapshot,
    deadline: &Deadline,
) {
    let options = &config.options;
    if let Some(dump) = snapshot.newest_valid(options.allow_encrypted) {
        let step = deadline.step("the filesystem of the newest dump");
        let space = space(&dump.file.path);
        let data_directory = data_directory(options.data_directory.as_deref(), dump);
        drop(step);
        let known = kept.and_then(|kept| kept.sum.as_ref());
        let sum = options.sha256.as_ref().map(|pattern| checksum::sum(pattern, dump, known, deadline, keep_going));
        (snapshot.space, snapshot.data_directory, snapshot.sum) = (Some(space), data_directory, sum);
    }
    if let Some(pattern) = &options.require_globals {
        let _step = deadline.step("the dump of roles");
        let beside = match snapshot.dumps.first() {
            Some(dump) => Some(dump.file.path.clone()),
            None => options.paths.first().map(|path| if path.is_dir() { path.join("x") } else { path.clone() }),
        };
        snapshot.globals = Some(globals::globals(pattern, beside.as_deref(), verifier));
    }
}

fn point_in_time(
    config: &Config,
    kept: Option<&Kept>,
    keep_going: &dyn Fn() -> bool,
    snapshot: &mut Snapshot,
    deadline: &Deadline,
) {
    if let Some(directory) = &config.options.base_backup {
        let _step = deadline.step(format!("the base backup {}", directory.display()));
        let found = base::base_backup(directory, config.level, kept, keep_going);
        snapshot.base = Some(found.map(|(backup, verified)| {
            snapshot.base_verified = verified;
            backup
        }));
    }
    if let Some(directory) = &config.options.wal_archive {
        let _step = deadline.step(format!("the WAL archive {}", directory.display()));
        let start = snapshot.base.as_ref().and_then(|base| base.as_ref().ok()).and_then(|base: &BaseBackup| base.start);
        snapshot.wal = Some(wal::archive(directory, start, keep_going));
    }
}

fn restore_test(config: &Config, kept: Option<&Kept>, snapshot: &Snapshot, deadline: &Deadline) -> Option<RestoreTest> {
    let dsn = config.options.restore_test.as_deref()?;
    let dump = snapshot.newest_valid(false)?;
    let known: Option<&(Identity, _)> = kept.and_then(|kept| kept.restored.as_ref());
    Some(restore::restore(config, dsn, dump, known, deadline))
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
