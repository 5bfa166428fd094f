//! What every man page says alike.

use common::state::State;

/// A range, what it alerts on, and for the test a value that alerts and one that does not.
pub type Example = (&'static str, &'static str, &'static str, &'static str);

/// The range grammar by example. Every row is tested against the parser.
pub const RANGES: &[Example] = &[
    ("10", "below 0 or above 10", "-1", "10"),
    ("10:", "below 10", "9", "10"),
    ("~:10", "above 10", "11", "-5"),
    ("10:20", "below 10 or above 20", "21", "20"),
    ("@10:20", "from 10 to 20, the ends included", "10", "9"),
    ("@~:0", "at or below 0", "0", "1"),
];

/// The rules around those examples.
pub const RANGE_RULES: &[&str] = &[
    "A range is [`@`][start`:`][end]. It alerts on a value outside start to end, with `@` on one inside. Both ends \
     belong to the range. A start of `~` is minus infinity; a missing start is 0 and a missing end plus infinity.",
    "Numbers are plain decimals in the unit of the metric, or carry one that fits it: `ms` `s` `m` `h` `d` `w` for \
     seconds; `B`, `KB` `MB` `GB` `TB` (powers of 1000) and `KiB` `MiB` `GiB` `TiB` (powers of 1024) for bytes; `%` for \
     percent. Critical is judged before warning.",
    "`METRIC=`, without a range, switches a default off. INSTANCE may hold `*` and `?` and stands before the last colon. \
     The most specific match wins, of two equals the later one.",
];

/// What an exit code means.
pub const fn exit_status(state: State) -> &'static str {
    match state {
        State::Ok => "All is as it should be.",
        State::Warning => "A warning range is broken.",
        State::Critical => "A critical range is broken, or what is monitored is down, refuses or does not answer.",
        State::Unknown => {
            "The check could not find out: a wrong option, a missing permission, no answer within `--timeout`, or \
             nothing to check. Also after `--help`, `--version` and `--list-metrics`."
        }
    }
}

/// What is said below the exit codes.
pub const EXIT_NOTE: &str = "Where several things are checked, the worst state counts: CRITICAL before WARNING before \
    UNKNOWN before OK. With `--exit-zero` the process exits 0 whatever the state, which then stands in the output only.";

/// The formats.
pub const OUTPUT: &str = "`--format nagios` prints a status line with all performance data, and below it what is not \
    OK, worst first, each with its cause where one is known and the next step after `->`; with `-v` it lists everything. \
    `--format json` prints one document with every item and figure, as the schema that comes with the package describes \
    it. `--format openmetrics` prints the figures and the state for a textfile collector. All three are made from the \
    same report and exit alike. Nothing is printed on standard error.";

/// What comes before the list of state directories.
pub const FILES: &str = "Rates, growth and forecasts compare with an earlier run, whose sample is one file for each \
    plugin, target and user. It is kept in the first of these directories that can be used; with `--state-dir` in that one \
    only. Where there is none, each run is a first run.";

/// Environment variables that all plugins read.
pub const ENVIRONMENT: &[(&str, &str)] = &[
    ("STATE_DIRECTORY", "Directory for the samples, as systemd sets it for a service with `StateDirectory=`."),
    ("XDG_STATE_HOME", "Where the user's own state is kept; `~/.local/state` if unset."),
    ("NO_COLOR", "If set and not empty, states are not coloured. They are only on a terminal."),
];

/// What every page refers to.
pub const SEE_ALSO: &str = "https://www.monitoring-plugins.org/doc/guidelines.html";

#[cfg(test)]
mod tests {
    use common::range::Range;
    use common::units::Unit;

    use super::*;

    #[test]
    fn ranges_alert_as_the_page_says() {
        for (text, meaning, alerting, fine) in RANGES {
            let range = Range::parse(text, Unit::Number).unwrap();
            let number = |text: &str| Unit::Number.parse(text).unwrap();
            assert_eq!(range.to_string(), *text, "a page shows the form that is printed");
            assert!(range.alerts(number(alerting)), "{text} alerts {meaning}, so on {alerting}");
            assert!(!range.alerts(number(fine)), "{text} alerts {meaning}, so not on {fine}");
        }
    }
}
