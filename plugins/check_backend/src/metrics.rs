//! The metric table: what the check says of itself. The figures of the plugins that it runs are in their own tables.

use common::metric::Definition;
use common::units::Unit::{Number, Seconds};

common::metrics! {
    /// Checks.
    CHECKS = Definition::gauge("backend", "checks", Number, "Checks that were run");
    /// Problems.
    PROBLEMS = Definition::gauge("backend", "problems", Number, "Things that are not OK and do not follow from another");
    /// Consequences.
    CONSEQUENCES = Definition::gauge("backend", "consequences", Number, "Things that are not OK because something else is not");

    /// State of a check.
    CHECK_STATE = Definition::gauge("check", "check_state", Number, "State of the check: 0 OK, 1 WARNING, 2 CRITICAL, 3 UNKNOWN").per("check");
    /// Time of a check.
    CHECK_TIME = Definition::gauge("check", "check_time", Seconds, "Time that the plugin of the check took").per("check");
}
