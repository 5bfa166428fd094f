//! Events that count for an hour: kills, restarts, panics.
//!
//! A monitoring core that asks three times before it alerts would miss what holds for one run.

use crate::number::Number;

/// How long an event counts, in seconds.
pub const HOUR: u64 = 3600;

/// Events, as a sample keeps them: when, in whole seconds since 1970, and how many.
pub type Events = Vec<(u64, u64)>;

/// Those of `known` that still count at `now`, in seconds since 1970, and `count` more that happened at `at`. An event
/// of the future is one of a clock that went back, and is dropped.
pub fn extended(known: &[(u64, u64)], now: f64, at: f64, count: u64) -> Events {
    let now = whole_seconds(now);
    let counts = |(at, _): &(u64, u64)| *at <= now && now - at < HOUR;
    let mut events: Events = known.iter().copied().filter(counts).collect();
    if count > 0 {
        events.push((whole_seconds(at), count));
    }
    events
}

/// How many events there are.
pub fn sum(events: &[(u64, u64)]) -> u64 {
    events.iter().fold(0, |sum, (_, count)| sum.saturating_add(*count))
}

/// Whole seconds of a clock.
pub fn whole_seconds(clock: f64) -> u64 {
    let whole = Number::real(clock.floor()).and_then(Number::to_integer);
    whole.and_then(|seconds| u64::try_from(seconds).ok()).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn events_count_for_an_hour() {
        let events = extended(&[], 1000.9, 1000.9, 2);
        assert_eq!(events, [(1000, 2)]);
        let events = extended(&events, 4599.0, 4599.0, 1);
        assert_eq!((sum(&events), events.len()), (3, 2));
        assert_eq!(extended(&events, 4600.0, 4600.0, 0), [(4599, 1)]);
        assert!(extended(&events, 500.0, 500.0, 0).is_empty(), "the clock went back");
    }

    #[test]
    fn a_clock_before_1970_is_at_its_beginning() {
        assert_eq!((whole_seconds(-5.0), whole_seconds(f64::NAN), whole_seconds(7.9)), (0, 0, 7));
    }
}
