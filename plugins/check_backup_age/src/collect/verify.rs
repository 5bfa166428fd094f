//! Verification of dumps, with memory of those that have not changed.

use std::collections::HashMap;
use std::path::Path;
use std::time::Instant;

use common::file;
use jiff::tz::TimeZone;

use crate::cli::Config;
use crate::collect::files::{self, Folder, Place};
use crate::made;
use crate::parse::{self, Inspection, Level, Outcome, Table, Unverified};
use crate::snapshot::{Candidate, Clock, Dump, Kept, Made, Remembered, TroubleKind, is_named};

/// Verifies dumps.
pub struct Verifier<'a> {
    config: &'a Config,
    memory: HashMap<&'a Path, &'a Remembered>,
    keep_going: &'a dyn Fn() -> bool,
    local: TimeZone,
}

impl<'a> Verifier<'a> {
    /// A verifier that stops when `keep_going` says no.
    pub fn new(config: &'a Config, kept: Option<&'a Kept>, keep_going: &'a dyn Fn() -> bool) -> Self {
        let verified = kept.map(|kept| kept.verified.as_slice()).unwrap_or_default();
        let memory = verified.iter().map(|remembered| (remembered.path.as_path(), remembered)).collect();
        Self { config, memory, keep_going, local: TimeZone::system() }
    }

    /// When the dump was begun; `None` when time is over.
    pub fn made(&self, candidate: &Candidate) -> Option<i64> {
        if !(self.keep_going)() {
            return None;
        }
        let written = candidate.identity.written();
        let made = match self.remembered(candidate) {
            Some(remembered) => self.when(&remembered.inspection, written),
            // What cannot be opened is told when it is verified.
            None => self
                .inspect(candidate, Level::Header)
                .map_or(Made { at: written, clock: Clock::Mtime }, |inspection| self.when(&inspection, written)),
        };
        Some(made.at)
    }

    /// Verifies a dump, unless that was done and it has not changed since.
    pub fn verify(&self, candidate: &Candidate) -> Result<Dump, TroubleKind> {
        let begin = Instant::now();
        let (inspection, verify_time, is_remembered) = if let Some(remembered) = self.remembered(candidate) {
            (remembered.inspection.clone(), remembered.verify_time, true)
        } else {
            let inspection = self.inspect(candidate, self.config.level)?;
            (inspection, begin.elapsed().as_secs_f64(), false)
        };
        let has_changed = !is_remembered && has_changed(candidate)?;
        Ok(Dump {
            file: candidate.clone(),
            made: self.when(&inspection, candidate.identity.written()),
            inspection,
            verify_time,
            is_remembered,
            has_changed,
        })
    }

    fn remembered(&self, candidate: &Candidate) -> Option<&'a Remembered> {
        self.memory
            .get(candidate.path.as_path())
            .copied()
            .filter(|remembered| remembered.identity == candidate.identity)
    }

    fn when(&self, inspection: &Inspection, written: i64) -> Made {
        made::made(inspection, written, self.config.options.dump_timezone.as_ref(), &self.local)
    }

    fn inspect(&self, candidate: &Candidate, level: Level) -> Result<Inspection, TroubleKind> {
        let mut inspection = if candidate.is_directory {
            parse::inspect_directory(&Folder(&candidate.path), level, self.keep_going)
        } else {
            let file = file::open(&candidate.path).map_err(|error| files::trouble(&error))?;
            parse::inspect(file, level, self.keep_going)
        };
        self.forget_names(&mut inspection);
        Ok(inspection)
    }

    /// Keeps of the names of tables those that are asked for.
    fn forget_names(&self, inspection: &mut Inspection) {
        let is_required = |table: &Table| self.config.options.require_table.iter().any(|name| is_named(table, name));
        inspection.contents.defined.retain(is_required);
        inspection.contents.with_data.retain(is_required);
    }
}

fn has_changed(candidate: &Candidate) -> Result<bool, TroubleKind> {
    match files::look_at(&candidate.path)? {
        Place::Dump(now) => Ok(now.identity != candidate.identity),
        Place::Directory => Ok(true),
    }
}

/// Whether time was over before a dump was verified.
pub fn was_interrupted(dump: &Dump) -> bool {
    matches!(dump.inspection.outcome, Outcome::Unverified(Unverified::Interrupted))
}
