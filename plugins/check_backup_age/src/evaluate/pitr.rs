//! What a recovery to a point in time needs: a base backup, and all WAL since.

use common::number::Number;
use common::report::Item;
use common::state::State;
use common::text::shell_word;
use common::units::{bytes, counted};

use crate::evaluate::{Context, troubles};
use crate::metrics::{BASE_BACKUP_AGE, BASE_BACKUP_SIZE, WAL_AGE, WAL_MISSING, WAL_SEGMENTS};
use crate::parse::Level;
use crate::pitr::wal::{Continuity, Gap};
use crate::snapshot::{BaseBackup, Checksums, Trouble, WalArchive};

/// Gaps that are named.
const NAMED: usize = 10;

/// The base backup, if there is to be one.
pub fn base_backup(context: &Context) -> Option<Item> {
    Some(match context.snapshot.base.as_ref()? {
        Ok(backup) => of_backup(context, backup),
        Err(trouble) => nothing(context, "base backup", trouble),
    })
}

fn nothing(context: &Context, label: &str, trouble: &Trouble) -> Item {
    let item = troubles::item(context, trouble);
    let text = format!("{label}: {}", troubles::describe(trouble));
    Item { label: label.into(), ..item }.headline(text)
}

fn of_backup(context: &Context, backup: &BaseBackup) -> Item {
    let mut judging = context.judging("base backup");
    if let Err(reason) = &backup.manifest {
        judging.problem(State::Critical, format!("base backup: {reason}"));
    }
    if backup.fault_count > 0 {
        let text = format!("base backup: {} missing or damaged", counted(backup.fault_count, "file"));
        judging.problem(State::Critical, text);
        judging.item.causes.extend(backup.faults.iter().map(|fault| fault.as_str().into()));
    }
    if backup.checksums == Checksums::TimedOut {
        judging.problem(State::Unknown, "base backup: time was over before all checksums were compared");
    }
    let manifest = backup.manifest.as_ref().ok().and_then(Option::as_ref);
    let size = manifest.map(|manifest| manifest.size);
    judging.add(
        &BASE_BACKUP_AGE,
        backup.at.and_then(|at| Number::real(context.since(at).max(0.0))),
        "base backup is {} old",
    );
    judging.add(&BASE_BACKUP_SIZE, size.map(Number::from), "size of the base backup:");
    let mut parts =
        vec![backup.at.map_or_else(|| "of unknown age".to_owned(), |at| format!("made {}", context.ago(at)))];
    if let Some(manifest) = manifest {
        parts.push(format!("{} of {}", counted(manifest.files, "file"), bytes(manifest.size)));
    }
    let is_bad = judging.item.state != State::Ok;
    let mut item = judging.finish(parts.join(", "));
    if is_bad {
        let path = shell_word(&backup.path.to_string_lossy());
        item.next.push(format!("pg_verifybackup {path}, then pg_basebackup anew").into());
    }
    item.note(1, format!("{}: {}", backup.path.display(), looked_at(context, backup)))
}

/// How closely the backup was looked at.
fn looked_at(context: &Context, backup: &BaseBackup) -> &'static str {
    match backup.checksums {
        Checksums::Now => "the checksums of all files are right",
        Checksums::Remembered => "the checksums of all files were right in an earlier run, and none has changed since",
        Checksums::TimedOut => "not all checksums were compared",
        Checksums::No if matches!(backup.manifest, Ok(None)) => {
            "PostgreSQL before 13 writes no manifest, so that its files are not compared"
        }
        Checksums::No if backup.is_tar => {
            "tar files, which are there; to compare what is in them: unpack them, then pg_verifybackup"
        }
        Checksums::No if context.config.level == Level::Full => "checksums were not compared",
        Checksums::No => "all files have their sizes; --verify full compares checksums too",
    }
}

/// The WAL archive, if there is to be one.
pub fn wal_archive(context: &Context) -> Option<Item> {
    let archive = match context.snapshot.wal.as_ref()? {
        Ok(archive) => archive,
        Err(trouble) => return Some(nothing(context, "WAL archive", trouble)),
    };
    let mut judging = context.judging("WAL archive");
    let Some(continuity) = &archive.continuity else {
        judging.add(&WAL_SEGMENTS, Number::from(archive.segments), "segments in the WAL archive:");
        judging.problem(State::Critical, "the WAL archive holds no segment");
        return Some(judging.finish("no segment").then(ARCHIVER));
    };
    for timeline in &continuity.lost_histories {
        judging.problem(
            State::Critical,
            format!("{timeline:08X}.history is missing from the WAL archive or cannot be read"),
        );
    }
    let missing = continuity.gaps.iter().map(|gap| gap.count).sum::<u64>().saturating_add(continuity.damaged_count);
    judging.add(&WAL_MISSING, Number::from(missing), "segments missing or damaged in the WAL archive:");
    let age = judging.add(
        &WAL_AGE,
        Number::real(context.since(continuity.newest).max(0.0)),
        "newest segment in the WAL archive is {} old",
    );
    judging.add(&WAL_SEGMENTS, Number::from(archive.segments), "segments in the WAL archive:");
    judging.item.causes.extend(causes(continuity));
    let is_bad = judging.item.state != State::Ok;
    let text = format!(
        "{}, newest {}, {}",
        counted(archive.segments, "segment"),
        context.ago(continuity.newest),
        if missing == 0 { "none missing".to_owned() } else { format!("{missing} missing or damaged") },
    );
    let mut item = judging.finish(text);
    if missing > 0 {
        item.next.push("take a new base backup now: a recovery ends at the first segment that is missing".into());
    }
    if is_bad {
        item.next.push(ARCHIVER.into());
    }
    if age != State::Ok {
        item.next
            .push("a server with little to do archives little: archive_timeout = 1h bounds what can be lost".into());
    }
    Some(with_notes(item, archive, continuity))
}

const ARCHIVER: &str = "psql -c 'SELECT * FROM pg_stat_archiver', and the server's log on archive_command";

fn causes(continuity: &Continuity) -> Vec<common::text::Text> {
    let gap = |gap: &Gap| match gap.count {
        1 => format!("{} is missing", gap.first),
        count => format!("{} to {} are missing, {count} segments", gap.first, gap.last),
    };
    let mut causes: Vec<common::text::Text> =
        continuity.gaps.iter().take(NAMED).map(|missing| gap(missing).into()).collect();
    if continuity.gaps.len() > NAMED {
        causes.push(format!("{} further gaps", continuity.gaps.len() - NAMED).into());
    }
    if !continuity.damaged.is_empty() {
        let whole = bytes(continuity.segment_size);
        causes.push(format!("not {whole} long, as a segment is: {}", continuity.damaged.join(", ")).into());
    }
    causes
}

fn with_notes(item: Item, archive: &WalArchive, continuity: &Continuity) -> Item {
    let from = match (archive.from_base_backup, continuity.begins_late) {
        (true, true) => "where the base backup begins, which is before the archive does",
        (true, false) => "where the base backup begins",
        (false, _) => "the first that is there",
    };
    item.note(
        1,
        format!("needed on timeline {}: {} ({from}) to {}", continuity.timeline, continuity.first, continuity.last),
    )
    .note(1, format!("{} are none of an archive's", counted(archive.others, "file")))
}
