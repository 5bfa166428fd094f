//! Service states, their exit codes and the order in which they win.

use std::fmt;

use serde::{Deserialize, Serialize};

/// A state of the plugin standard.
///
/// The order of the variants is the order of severity when items are combined:
/// CRITICAL > WARNING > UNKNOWN > OK. A known problem is worth more attention than a
/// figure that could not be read, and both more than nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum State {
    /// All is as it should be. Exit code 0.
    Ok,
    /// The check could not find out. Exit code 3.
    Unknown,
    /// A warning threshold is broken. Exit code 1.
    Warning,
    /// A critical threshold is broken, or the monitored thing is down. Exit code 2.
    Critical,
}

impl State {
    /// The four states by exit code.
    pub const BY_EXIT_CODE: [Self; 4] = [Self::Ok, Self::Warning, Self::Critical, Self::Unknown];

    /// The exit code that the plugin standard gives to this state, 0 to 3.
    pub const fn exit_code(self) -> u8 {
        match self {
            Self::Ok => 0,
            Self::Warning => 1,
            Self::Critical => 2,
            Self::Unknown => 3,
        }
    }

    /// The most severe of `states`. Nothing was checked if there are none: [`State::Unknown`].
    pub fn worst(states: impl IntoIterator<Item = Self>) -> Self {
        states.into_iter().max().unwrap_or(Self::Unknown)
    }

    /// The word of the plugin standard, in capitals.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Ok => "OK",
            Self::Unknown => "UNKNOWN",
            Self::Warning => "WARNING",
            Self::Critical => "CRITICAL",
        }
    }
}

impl fmt::Display for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.word())
    }
}

#[cfg(test)]
mod tests {
    use super::State::{Critical, Ok, Unknown, Warning};
    use super::*;

    #[test]
    fn severity_is_critical_warning_unknown_ok() {
        assert!(Critical > Warning && Warning > Unknown && Unknown > Ok);
        assert_eq!(State::worst([Ok, Unknown, Warning]), Warning);
        assert_eq!(State::worst([Ok, Unknown]), Unknown);
        assert_eq!(State::worst([Ok, Critical, Warning]), Critical);
    }

    #[test]
    fn nothing_checked_is_unknown() {
        assert_eq!(State::worst([]), Unknown);
    }

    #[test]
    fn exit_codes_are_those_of_the_standard() {
        for (code, state) in (0u8..).zip(State::BY_EXIT_CODE) {
            assert_eq!(state.exit_code(), code);
        }
    }
}
