//! Units of metrics; durations and sizes read from people and written for them.

use std::fmt::Write as _;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::number::{Number, float};

/// What a metric is measured in. A metric has one unit and is never scaled.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Unit {
    /// A plain number: a count, a load, or a rate whose name ends in `_per_second`.
    Number,
    /// Bytes.
    Bytes,
    /// Seconds.
    Seconds,
    /// Percent, 0 to 100 unless the metric says otherwise.
    Percent,
}

/// Suffixes and the factor each stands for, by unit.
const SECONDS: &[(&str, Factor)] =
    &[("ms", Factor::Thousandth), ("s", by(1)), ("m", by(60)), ("h", by(3600)), ("d", by(86_400)), ("w", by(604_800))];
const BYTES: &[(&str, Factor)] = &[
    ("B", by(1)),
    ("KB", by(1000)),
    ("MB", by(1_000_000)),
    ("GB", by(1_000_000_000)),
    ("TB", by(1_000_000_000_000)),
    ("KiB", by(1 << 10)),
    ("MiB", by(1 << 20)),
    ("GiB", by(1 << 30)),
    ("TiB", by(1 << 40)),
];
const PERCENT: &[(&str, Factor)] = &[("%", by(1))];

/// No duration on a command line is longer, in seconds.
const LONGEST: i128 = 366 * 86_400;

#[derive(Clone, Copy)]
enum Factor {
    Times(i128),
    Thousandth,
}

const fn by(factor: i128) -> Factor {
    Factor::Times(factor)
}

impl Unit {
    /// The unit of measurement in perfdata.
    pub const fn perfdata(self) -> &'static str {
        match self {
            Self::Number => "",
            Self::Bytes => "B",
            Self::Seconds => "s",
            Self::Percent => "%",
        }
    }

    /// How many decimals a measured value keeps.
    pub const fn decimals(self) -> u8 {
        match self {
            Self::Percent => 2,
            Self::Number | Self::Bytes => 3,
            Self::Seconds => 6,
        }
    }

    const fn suffixes(self) -> &'static [(&'static str, Factor)] {
        match self {
            Self::Number => &[],
            Self::Bytes => BYTES,
            Self::Seconds => SECONDS,
            Self::Percent => PERCENT,
        }
    }

    /// The suffixes a number of this unit may carry, for messages; empty if none.
    fn suffix_list(self) -> String {
        self.suffixes().iter().map(|(suffix, _)| *suffix).collect::<Vec<_>>().join(" ")
    }

    /// Reads one number that may carry a suffix of this unit; without one it is in the base unit.
    ///
    /// The error says what is wrong and what would be right.
    pub fn parse(self, text: &str) -> Result<Number, String> {
        let text = text.trim();
        let digits = text.find(|c: char| !matches!(c, '0'..='9' | '.' | '+' | '-')).unwrap_or(text.len());
        let (number, suffix) = text.split_at(digits);
        let number = decimal(number).ok_or_else(|| not_a_number(text))?;
        let suffix = suffix.trim_start();
        if suffix.is_empty() {
            return Ok(number);
        }
        let factor = self.suffixes().iter().find(|(name, _)| *name == suffix).map(|(_, factor)| *factor);
        match factor {
            Some(Factor::Times(factor)) => number.scaled(Number::integer(factor)),
            Some(Factor::Thousandth) => Number::real(number.to_f64() / 1000.0),
            None => return Err(self.wrong_suffix(text, suffix)),
        }
        .ok_or_else(|| format!("'{text}' is too large"))
    }

    fn wrong_suffix(self, text: &str, suffix: &str) -> String {
        let all = [Self::Bytes, Self::Seconds, Self::Percent];
        if !all.iter().any(|unit| unit.suffixes().iter().any(|(name, _)| *name == suffix)) {
            return not_a_number(text);
        }
        match self {
            Self::Number => format!("unit '{suffix}' does not fit a plain number, which takes none"),
            Self::Bytes | Self::Seconds | Self::Percent => {
                format!("unit '{suffix}' does not fit, this value takes {}", self.suffix_list())
            }
        }
    }

    /// `value` with its unit, scaled for a reader: `1.2 GiB`, `3m`, `96.1 %`, `17`.
    pub fn human(self, value: Number) -> String {
        match self {
            Self::Number => value.rounded(2).to_string(),
            Self::Percent => format!("{} %", value.rounded(1)),
            Self::Bytes => size(value.to_f64()),
            Self::Seconds => duration(value.to_f64()),
        }
    }
}

/// Digits with an optional sign and fraction, and nothing else: no exponent, `inf` or `nan`.
fn decimal(text: &str) -> Option<Number> {
    let unsigned = text.strip_prefix(['+', '-']).unwrap_or(text);
    let (whole, fraction) = unsigned.split_once('.').unwrap_or((unsigned, "0"));
    let digits = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
    if !digits(whole) || !digits(fraction) || fraction.is_empty() || (whole.is_empty() && !unsigned.starts_with('.')) {
        return None;
    }
    if let Ok(value) = text.parse::<i128>() {
        return Some(Number::integer(value));
    }
    text.parse().ok().and_then(Number::real)
}

fn not_a_number(text: &str) -> String {
    let lower = text.trim_start_matches(['+', '-']).to_ascii_lowercase();
    if text.is_empty() {
        "a number is missing".to_owned()
    } else if matches!(lower.as_str(), "inf" | "infinity" | "nan") {
        format!("'{text}' is not a finite number: leave an end out (10:) where there is no bound")
    } else if text.contains(',') {
        format!("'{text}' is not a number: write decimals with a point")
    } else if lower.contains(|c: char| c.is_ascii_digit()) && lower.contains('e') {
        format!("'{text}' is not a number here: write it without an exponent")
    } else if let Some((start, end)) = text.split_once('-')
        && decimal(start).is_some()
        && decimal(end).is_some()
    {
        format!("'{text}' is not a number: write a range as {start}:{end}")
    } else {
        format!("'{text}' is not a number")
    }
}

/// Reads a duration above zero: `90`, `90s`, `1.5m`, `250ms`, `1h 30m`. A bare number is seconds.
pub fn parse_duration(text: &str) -> Result<Duration, String> {
    let seconds = sum(Unit::Seconds, text)?;
    if seconds <= Number::ZERO {
        return Err(format!("'{text}' is not a duration above zero"));
    }
    if seconds > Number::integer(LONGEST) {
        return Err(format!("'{text}' is longer than a year"));
    }
    Duration::try_from_secs_f64(seconds.to_f64()).map_err(|_| format!("'{text}' is too long"))
}

/// Reads a duration that may be zero.
pub fn parse_delay(text: &str) -> Result<Duration, String> {
    match sum(Unit::Seconds, text) {
        Ok(seconds) if seconds == Number::ZERO => Ok(Duration::ZERO),
        _ => parse_duration(text),
    }
}

/// Reads a size: `4096`, `10MB`, `1.5 GiB`. A bare number is bytes.
pub fn parse_size(text: &str) -> Result<u64, String> {
    let bytes = Unit::Bytes.parse(text)?;
    // Half a byte is nobody's wish, `1.1KiB` (1126.4 B) is.
    let whole = bytes.to_integer().or_else(|| Number::real(bytes.to_f64().floor()).and_then(Number::to_integer));
    whole.and_then(|value| u64::try_from(value).ok()).ok_or_else(|| format!("'{text}' is not a size"))
}

/// The sum of parts such as `1h 30m`, in the base unit.
fn sum(unit: Unit, text: &str) -> Result<Number, String> {
    let text = text.trim();
    let mut total = 0.0;
    let mut rest = text;
    loop {
        // A part ends where a digit follows a letter.
        let end = rest
            .char_indices()
            .zip(rest.chars().skip(1))
            .find(|((_, left), right)| (left.is_alphabetic() || left.is_whitespace()) && right.is_ascii_digit())
            .map_or(rest.len(), |((at, left), _)| at + left.len_utf8());
        let (part, tail) = rest.split_at(end);
        if tail.is_empty() && part.len() == text.len() {
            return unit.parse(part);
        }
        total += unit.parse(part)?.to_f64();
        if tail.is_empty() {
            return Number::real(total).ok_or_else(|| format!("'{text}' is too large"));
        }
        rest = tail;
    }
}

/// `count` and what there are so many of: `1 container`, `3 containers`, `0 indexes`, `2 processes`.
pub fn counted(count: impl Into<Number>, noun: &str) -> String {
    let count = count.into();
    let plural = match noun {
        _ if count == Number::integer(1) => "",
        _ if noun.ends_with('x') || noun.ends_with("ss") => "es",
        _ => "s",
    };
    format!("{count} {noun}{plural}")
}

/// A percentage without decimals, for a reader; `?` for none.
pub fn whole(percent: f64) -> String {
    Number::real(percent).map_or_else(|| "?".to_owned(), |number| number.rounded(0).to_string())
}

/// `seconds` in the two largest units that say it: `250ms`, `42s`, `3m`, `1h 20m`, `2d 3h`.
pub fn duration(seconds: f64) -> String {
    let sign = if seconds < 0.0 { "-" } else { "" };
    let seconds = seconds.abs();
    if seconds == 0.0 {
        return "0s".to_owned();
    }
    if seconds < 0.9995 {
        return format!(
            "{sign}{}ms",
            Number::real(seconds * 1000.0).unwrap_or(Number::ZERO).rounded(u8::from(seconds < 0.01))
        );
    }
    if seconds < 9.95 {
        return format!("{sign}{}s", Number::real(seconds).unwrap_or(Number::ZERO).rounded(1));
    }
    let whole = Number::real(seconds.round()).and_then(Number::to_integer).unwrap_or(i128::MAX);
    let (large, small) = match whole {
        ..60 => ((whole, "s"), None),
        60..600 => ((whole / 60, "m"), Some((whole % 60, "s"))),
        600..3600 => ((whole / 60, "m"), None),
        3600..36_000 => ((whole / 3600, "h"), Some((whole % 3600 / 60, "m"))),
        36_000..86_400 => ((whole / 3600, "h"), None),
        86_400..864_000 => ((whole / 86_400, "d"), Some((whole % 86_400 / 3600, "h"))),
        _ => ((whole / 86_400, "d"), None),
    };
    let mut text = format!("{sign}{}{}", large.0, large.1);
    if let Some((count, unit)) = small
        && count > 0
    {
        let _ = write!(text, " {count}{unit}");
    }
    text
}

/// `bytes` in the largest binary unit that keeps it above one: `412 MiB`, `1.2 GiB`, `17 B`.
pub fn size(bytes: f64) -> String {
    const UNITS: [&str; 4] = ["KiB", "MiB", "GiB", "TiB"];
    let sign = if bytes < 0.0 { "-" } else { "" };
    let mut value = bytes.abs();
    let mut unit = "B";
    for larger in UNITS {
        if value < 1023.5 {
            break;
        }
        value /= 1024.0;
        unit = larger;
    }
    let places = u8::from(value < 99.95 && unit != "B");
    format!("{sign}{} {unit}", Number::real(value).unwrap_or(Number::ZERO).rounded(places))
}

/// [`size`] of a whole number of bytes.
pub fn bytes(count: u64) -> String {
    size(float(count))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_counted_is_in_the_plural_unless_it_is_one() {
        let counted = [counted(1u64, "slot"), counted(0u64, "index"), counted(3u64, "process")];
        assert_eq!(counted, ["1 slot", "0 indexes", "3 processes"]);
        assert_eq!((whole(96.5), whole(f64::NAN)), ("97".to_owned(), "?".to_owned()));
    }

    #[test]
    fn durations_read_as_people_write_them() {
        for (text, ms) in [
            ("10", 10_000),
            ("250ms", 250),
            ("1.5m", 90_000),
            ("2h", 7_200_000),
            ("1h 30m", 5_400_000),
            ("1h30m", 5_400_000),
            ("1d", 86_400_000),
            ("1w", 604_800_000),
        ] {
            assert_eq!(parse_duration(text), Ok(Duration::from_millis(ms)), "{text}");
        }
        for bad in ["", "0", "-1", "ten", "1e3", "inf", "nan", "5x", "5 MiB", "m"] {
            assert!(parse_duration(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn sizes_read_as_people_write_them() {
        for (text, value) in [
            ("0", 0),
            ("4096", 4096),
            ("10KB", 10_000),
            ("10 KiB", 10_240),
            ("1.5GiB", 1_610_612_736),
            ("1TB", 1_000_000_000_000),
            ("1.1KiB", 1126),
        ] {
            assert_eq!(parse_size(text), Ok(value), "{text}");
        }
        for bad in ["", "-1", "1 kb", "10m", "1,5GB", "1e9"] {
            assert!(parse_size(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn durations_are_written_for_a_reader() {
        for (seconds, text) in [
            (0.0, "0s"),
            (0.25, "250ms"),
            (0.000_4, "0.4ms"),
            (3.0, "3s"),
            (3.24, "3.2s"),
            (42.4, "42s"),
            (59.6, "1m"),
            (185.0, "3m 5s"),
            (1200.0, "20m"),
            (4800.0, "1h 20m"),
            (36_000.0, "10h"),
            (183_600.0, "2d 3h"),
            (8_640_000.0, "100d"),
            (-90.0, "-1m 30s"),
        ] {
            assert_eq!(duration(seconds), text, "{seconds}");
        }
    }

    #[test]
    fn what_is_written_reads_back() {
        for seconds in [1u32, 59, 60, 185, 1200, 4800, 36_000, 183_600, 8_640_000] {
            assert_eq!(parse_duration(&duration(seconds.into())), Ok(Duration::from_secs(seconds.into())));
        }
        for count in [0u64, 1, 1023, 1024, 412 << 20, 3 << 30, 5 << 40] {
            assert_eq!(parse_size(&bytes(count)), Ok(count));
        }
    }

    #[test]
    fn sizes_are_written_for_a_reader() {
        for (count, text) in [
            (17.0, "17 B"),
            (1024.0, "1 KiB"),
            (432_013_312.0, "412 MiB"),
            (1_288_490_188.8, "1.2 GiB"),
            (f64::from(1u32 << 20) - 1.0, "1 MiB"),
            (5e15, "4547 TiB"),
            (-2048.0, "-2 KiB"),
        ] {
            assert_eq!(size(count), text, "{count}");
        }
    }

    #[test]
    fn a_delay_may_be_zero_and_a_duration_not() {
        assert_eq!((parse_delay("0"), parse_delay("0s")), (Ok(Duration::ZERO), Ok(Duration::ZERO)));
        assert_eq!(parse_delay("2m"), Ok(Duration::from_mins(2)));
        assert!(parse_duration("0s").is_err() && parse_delay("-1s").is_err() && parse_delay("x").is_err());
    }

    #[test]
    fn one_is_singular() {
        assert_eq!([0u32, 1, 2].map(|count| counted(count, "restart")), ["0 restarts", "1 restart", "2 restarts"]);
    }

    #[test]
    fn a_wrong_unit_is_told_from_nonsense() {
        assert_eq!(Unit::Seconds.parse("5MiB").unwrap_err(), "unit 'MiB' does not fit, this value takes ms s m h d w");
        assert_eq!(Unit::Number.parse("5s").unwrap_err(), "unit 's' does not fit a plain number, which takes none");
        assert_eq!(Unit::Number.parse("foo").unwrap_err(), "'foo' is not a number");
        assert_eq!(Unit::Number.parse("1-10").unwrap_err(), "'1-10' is not a number: write a range as 1:10");
        assert!(Unit::Number.parse("-Infinity").unwrap_err().contains("not a finite number"));
    }
}
