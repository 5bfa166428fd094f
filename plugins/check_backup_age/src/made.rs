//! When a dump was begun, by what is inside it: a copy keeps that, whatever it does to mtime. Pure.

use jiff::civil::DateTime;
use jiff::tz::{AmbiguousOffset, TimeZone};

use crate::parse::{Inspection, LocalTime};
use crate::snapshot::{Clock, Made};

/// The widest that two zones can be apart, in seconds.
const WIDEST: i64 = 26 * 3600;
/// Clocks of the two machines may be apart by this many seconds.
const SLACK: i64 = 60;

/// When the dump was begun that was last written at `written`. `given` is the zone of the clock inside, if it is known,
/// and `local` that of this machine.
pub fn made(inspection: &Inspection, written: i64, given: Option<&TimeZone>, local: &TimeZone) -> Made {
    if let Some(at) = inspection.started {
        return Made { at, clock: Clock::Inside };
    }
    let Some(time) = inspection.header.as_ref().and_then(|header| header.created) else {
        return Made { at: written, clock: Clock::Mtime };
    };
    let there = |zone: &TimeZone| at(time, zone);
    if let Some(at) = given.and_then(there) {
        return Made { at, clock: Clock::Given };
    }
    match (there(local), there(&TimeZone::UTC)) {
        (Some(local), Some(utc)) if fits_better(utc, local, written) => Made { at: utc, clock: Clock::Utc },
        (Some(at), _) => Made { at, clock: Clock::Local },
        (None, _) => Made { at: written, clock: Clock::Mtime },
    }
}

/// Whether the dump was rather begun at `utc` than at `local`. It ends after it has begun, and soon, so that the later
/// of the two that is before mtime is right; unless mtime is that of a copy, which tells nothing.
fn fits_better(utc: i64, local: i64, written: i64) -> bool {
    let is_before = |begun: i64| begun <= written + SLACK;
    let is_near = |begun: i64| written - begun < WIDEST;
    is_before(utc) && (!is_before(local) || (utc > local && is_near(utc)))
}

/// Seconds since 1970 of a clock in `zone`.
fn at(time: LocalTime, zone: &TimeZone) -> Option<i64> {
    let second = time.second.min(59);
    let time_of_day = DateTime::new(time.year, time.month, time.day, time.hour, time.minute, second, 0).ok()?;
    let ambiguous = zone.to_ambiguous_timestamp(time_of_day);
    // In the hour that the end of summer time repeats, the dump tells which of the two it was.
    let is_second =
        matches!(ambiguous.offset(), AmbiguousOffset::Fold { .. }) && time.is_daylight_saving == Some(false);
    let timestamp = if is_second { ambiguous.later() } else { ambiguous.compatible() };
    Some(timestamp.ok()?.as_second())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::parse::{Compression, Contents, Header, Level, Outcome};

    /// 2026-11-25 02:00:00 on some clock.
    const TIME: LocalTime =
        LocalTime { year: 2026, month: 11, day: 25, hour: 2, minute: 0, second: 0, is_daylight_saving: Some(false) };
    /// The same in UTC.
    const UTC: i64 = 1_795_572_000;
    const HOUR: i64 = 3600;

    fn inspection(created: Option<LocalTime>, started: Option<i64>) -> Inspection {
        let header = Header {
            version: None,
            compression: Compression::None,
            created,
            database: None,
            server_version: None,
            pg_dump_version: None,
        };
        Inspection {
            level: Level::Header,
            outcome: Outcome::Sound,
            format: None,
            wrapper: None,
            header: Some(header),
            contents: Contents::default(),
            started,
            ended: None,
            consumed: 0,
        }
    }

    fn zone(hours: i8) -> TimeZone {
        TimeZone::fixed(jiff::tz::offset(hours))
    }

    #[test]
    fn a_time_with_its_zone_is_taken_as_it_is() {
        let made = made(&inspection(Some(TIME), Some(5)), UTC, Some(&zone(3)), &zone(1));
        assert_eq!(made, Made { at: 5, clock: Clock::Inside });
    }

    #[test]
    fn the_zone_that_is_given_counts() {
        let made = made(&inspection(Some(TIME), None), UTC + 99 * HOUR, Some(&zone(3)), &zone(1));
        assert_eq!(made, Made { at: UTC - 3 * HOUR, clock: Clock::Given });
    }

    #[test]
    fn a_container_in_utc_is_noticed_by_mtime() {
        let made = |written: i64, local: i8| made(&inspection(Some(TIME), None), written, None, &zone(local));
        // Here it is UTC+2, and the dump took five minutes.
        assert_eq!(made(UTC + 300, 2), Made { at: UTC, clock: Clock::Utc });
        assert_eq!(made(UTC - 2 * HOUR + 300, 2), Made { at: UTC - 2 * HOUR, clock: Clock::Local });
        // Here it is UTC-5.
        assert_eq!(made(UTC + 300, -5), Made { at: UTC, clock: Clock::Utc });
        assert_eq!(made(UTC + 5 * HOUR + 300, -5), Made { at: UTC + 5 * HOUR, clock: Clock::Local });
        // A copy of a later day: the zone of this machine is as good as any.
        assert_eq!(made(UTC + 99 * HOUR, 2), Made { at: UTC - 2 * HOUR, clock: Clock::Local });
    }

    #[test]
    fn without_a_time_inside_mtime_counts() {
        assert_eq!(made(&inspection(None, None), 77, None, &TimeZone::UTC), Made { at: 77, clock: Clock::Mtime });
        let impossible = LocalTime { month: 2, day: 31, ..TIME };
        assert_eq!(made(&inspection(Some(impossible), None), 77, None, &zone(1)).clock, Clock::Mtime);
    }

    #[test]
    fn the_repeated_hour_is_told_apart() {
        let zone = TimeZone::posix("CET-1CEST,M3.5.0,M10.5.0/3").unwrap();
        let time =
            |summer: bool| LocalTime { month: 10, is_daylight_saving: Some(summer), hour: 2, minute: 30, ..TIME };
        let summer = at(time(true), &zone).unwrap();
        assert_eq!(at(time(false), &zone).unwrap() - summer, HOUR);
    }
}
