//! Times as the engine and HTTP write them.

use common::number::float;
use jiff::Timestamp;

/// Seconds since 1970 of a time that the engine writes, `2026-11-24T12:00:00.123456789Z`; `None` for one of the year
/// 1, which stands for none, and for what is no time.
pub fn engine_time(text: &str) -> Option<f64> {
    seconds(text.parse().ok()?)
}

/// Seconds since 1970 of the `Date` of an HTTP answer, `Tue, 24 Nov 2026 12:00:00 GMT`.
pub fn http_date(text: &str) -> Option<f64> {
    seconds(jiff::fmt::rfc2822::parse(text).ok()?.timestamp())
}

fn seconds(time: Timestamp) -> Option<f64> {
    let whole = u64::try_from(time.as_second()).ok().filter(|seconds| *seconds > 0)?;
    Some(float(whole) + f64::from(time.subsec_nanosecond()) / 1e9)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_of_engines_are_read() {
        assert_eq!(engine_time("2026-11-24T12:00:00.5Z"), Some(1_795_521_600.5));
        assert_eq!(engine_time("2026-11-24T13:00:00+01:00"), Some(1_795_521_600.0));
        for none in ["0001-01-01T00:00:00Z", "", "yesterday", "2026-13-01T00:00:00Z", "9999999999"] {
            assert_eq!(engine_time(none), None, "{none}");
        }
    }

    #[test]
    fn http_dates_are_read() {
        assert_eq!(http_date("Tue, 24 Nov 2026 12:00:00 GMT"), Some(1_795_521_600.0));
        assert_eq!(http_date("today"), None);
    }
}
