//! The groups.

use common::metric::Thresholds;
use common::report::Item;

use crate::snapshot::{Kept, Snapshot};
use crate::wants::GroupArguments;

/// What everything is judged with.
pub struct Context<'a> {
    /// The options of the groups.
    pub options: &'a GroupArguments,
    /// Thresholds of all metrics.
    pub thresholds: &'a Thresholds,
    /// What the last run kept.
    pub kept: Option<&'a Kept>,
    /// What was found.
    pub snapshot: &'a Snapshot,
}

impl<'a> Context<'a> {
    /// A context.
    pub const fn new(
        options: &'a GroupArguments,
        thresholds: &'a Thresholds,
        kept: Option<&'a Kept>,
        snapshot: &'a Snapshot,
    ) -> Self {
        Self { options, thresholds, kept, snapshot }
    }
}

/// An item a group.
pub fn groups(context: &Context) -> Vec<Item> {
    vec![
        Item::ok(
            "debug",
            format!(
                "{:?} {:?} {:?}",
                context.options.only,
                context.thresholds.bounds(&crate::metrics::UPTIME, None),
                context.kept.is_some()
            ),
        ),
        Item::ok("x", format!("{:#?}", context.snapshot)),
    ]
}

/// The first line of a report that is OK.
pub fn summary(context: &Context) -> String {
    format!("PostgreSQL {}", context.snapshot.server.version_text)
}

/// What is kept.
pub fn keep(_: &Context) -> Kept {
    Kept::default()
}
