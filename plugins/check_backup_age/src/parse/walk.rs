//! An archive while its data is walked through: what is due, what was seen, and where the walk is.

use super::archive::{Data, Due};
use super::fault::{Fault, Kind};
use super::input::Stop;
use super::inspection::{Inspection, Level, Outcome};

/// The state of a walk.
pub(crate) struct Walk<'f> {
    /// What was found so far.
    pub(crate) found: &'f mut Inspection,
    /// The data that is due, by number.
    due: Vec<Due>,
    /// Tables whose data was seen whole.
    complete: u64,
    /// The part that is looked at.
    pub(crate) within: Option<String>,
    /// The level that looks at it.
    pub(crate) level: Level,
    /// How far it is from the beginning of the file.
    pub(crate) offset: u64,
}

impl<'f> Walk<'f> {
    pub(crate) fn new(found: &'f mut Inspection) -> Self {
        Self { found, due: Vec::new(), complete: 0, within: None, level: Level::Header, offset: 0 }
    }

    /// Whether data is read, rather than passed.
    pub(crate) fn is_full(&self) -> bool {
        self.found.level == Level::Full
    }

    /// From here on data is walked through.
    pub(crate) fn expect(&mut self, due: Vec<Due>) {
        self.due = due;
        self.within = None;
        self.level = Level::Structure;
    }

    /// The data that is due.
    pub(crate) fn due(&self) -> &[Due] {
        &self.due
    }

    /// Begins the data of an entry, which must be due.
    pub(crate) fn begin(&mut self, id: u32) -> Result<Due, Stop> {
        let due = self.due.binary_search_by_key(&id, |due| due.id).ok().and_then(|at| self.due.get_mut(at));
        match due {
            Some(due) if !due.is_there => {
                due.is_there = true;
                let due = *due;
                self.within = Some(self.name(due));
                Ok(due)
            }
            // Of an entry that there is not, or for the second time.
            _ => Err(broken(Kind::Damaged("a block of data".into()))),
        }
    }

    /// Ends the data of an entry.
    pub(crate) fn end(&mut self, due: Due, rows: Option<u64>) {
        self.within = None;
        if matches!(due.data, Data::Copy | Data::Insert) {
            self.complete += 1;
        }
        let at = due.table.map(usize::from);
        if let Some(table) = at.and_then(|at| self.found.contents.with_data.get_mut(at)) {
            table.rows = rows;
        }
    }

    /// Whether all data was seen.
    pub(crate) fn missing(&self) -> Option<String> {
        self.due.iter().find(|due| !due.is_there).map(|due| self.name(*due))
    }

    /// Refuses to end before all data was seen.
    pub(crate) fn require_all(&mut self) -> Result<(), Stop> {
        self.within = None;
        match self.missing() {
            Some(name) => Err(broken(Kind::Missing(name))),
            None => Ok(()),
        }
    }

    fn name(&self, due: Due) -> String {
        let at = due.table.map(usize::from);
        match (due.data, at.and_then(|at| self.found.contents.with_data.get(at))) {
            (Data::LargeObjects, _) => "the large objects".to_owned(),
            (_, Some(table)) => format!("the data of {table}"),
            (_, None) => format!("the data of entry {}", due.id),
        }
    }

    /// Draws the conclusion.
    pub(crate) fn conclude(self, result: Result<(), Stop>) {
        let due = self.due.iter().filter(|due| matches!(due.data, Data::Copy | Data::Insert)).count() as u64;
        let progress = (self.level > Level::Header).then_some((self.complete, due));
        let fault = |level, kind, within| Outcome::Broken(Fault { kind, level, offset: self.offset, within, progress });
        self.found.outcome = match result {
            Ok(()) => Outcome::Sound,
            Err(Stop::End) => fault(self.level, Kind::Truncated, self.within),
            Err(Stop::Broken(level, kind)) => fault(level.max(self.level), kind, self.within),
            Err(Stop::Unknown(reason)) => Outcome::Unverified(reason),
        };
    }
}

/// A fault that a walk through the structure finds.
pub(crate) fn broken(kind: Kind) -> Stop {
    Stop::Broken(Level::Structure, kind)
}
