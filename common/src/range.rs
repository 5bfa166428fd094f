//! Threshold ranges of the plugin standard.

use std::fmt;
use std::str::FromStr;

use crate::number::Number;
use crate::units::Unit;

/// A threshold range: `[@][start:][end]`, both ends inclusive.
///
/// | range | alerts when the value is |
/// |---|---|
/// | `10` | below 0 or above 10 |
/// | `10:` | below 10 |
/// | `~:10` | above 10 |
/// | `10:20` | below 10 or above 20 |
/// | `@10:20` | from 10 to 20, the ends included |
/// | `@~:0` | 0 or below |
/// | `:10` | as `10`, which is how it is printed |
///
/// Numbers may carry a suffix of the metric's unit (`5m:`, `1.5GiB`, `90%`) and are kept in the base unit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Range {
    inside: bool,
    /// `None` is minus infinity.
    start: Option<Number>,
    /// `None` is plus infinity.
    end: Option<Number>,
}

impl Range {
    /// Reads a range whose numbers are in `unit`. The error says what was wrong and what was meant.
    pub fn parse(text: &str, unit: Unit) -> Result<Self, String> {
        let text = text.trim();
        let (inside, bounds) = match text.strip_prefix('@') {
            Some(rest) => (true, rest),
            None => (false, text),
        };
        let (start, end) = match bounds.split_once(':') {
            Some((start, end)) => (Some(start.trim()), end.trim()),
            None => (None, bounds.trim()),
        };
        if start.unwrap_or_default().is_empty() && end.is_empty() {
            return Err(if text.is_empty() {
                "a range is missing: write 80, 10:, ~:10, 10:20 or @10:20".to_owned()
            } else {
                format!("'{text}' has neither start nor end: write 80, 10:, ~:10, 10:20 or @10:20")
            });
        }
        if end == "~" {
            return Err(match start {
                Some(start) if !start.is_empty() => {
                    format!("'~' is minus infinity and can only be a start: write {start}: for no upper end")
                }
                _ => "'~' is minus infinity and needs an end: write ~:10".to_owned(),
            });
        }
        let lower = match start {
            None | Some("") => Some(Number::ZERO),
            Some("~") => None,
            Some(start) => Some(unit.parse(start)?),
        };
        let upper = if end.is_empty() { None } else { Some(unit.parse(end)?) };
        if let (Some(low), Some(high)) = (lower, upper)
            && low > high
        {
            return Err(match start {
                Some(start) if !start.is_empty() => {
                    format!("start {start} is above end {end}: write {end}:{start}")
                }
                _ => format!(
                    "'{text}' reads as 0 to {end}, which is empty: write ~:{end} (alert above it) or {end}: (alert below it)"
                ),
            });
        }
        Ok(Self { inside, start: lower, end: upper })
    }

    /// Whether `value` is one to alert on.
    pub fn alerts(&self, value: Number) -> bool {
        let within = self.start.is_none_or(|start| value >= start) && self.end.is_none_or(|end| value <= end);
        within == self.inside
    }

    /// How `value` breaks this range, for a reader: `over 90 %`, `below 4h`, `outside 10 to 20`.
    pub fn breach(&self, value: Number, unit: Unit) -> String {
        let say = |bound: Number| unit.human(bound);
        match (self.inside, self.start, self.end) {
            (false, Some(start), _) if value < start => format!("below {}", say(start)),
            (false, _, Some(end)) => format!("over {}", say(end)),
            (true, Some(start), Some(end)) => format!("from {} to {}", say(start), say(end)),
            (true, None, Some(end)) => format!("at or below {}", say(end)),
            (_, Some(start), None) => format!("at or above {}", say(start)),
            (_, None, None) => "at any value".to_owned(),
        }
    }
}

impl fmt::Display for Range {
    /// The shortest form that parses to the same range, in the base unit.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.inside {
            f.write_str("@")?;
        }
        match (self.start, self.end) {
            (None, _) => f.write_str("~:")?,
            (Some(start), Some(_)) if start == Number::ZERO => {}
            (Some(start), _) => write!(f, "{start}:")?,
        }
        match self.end {
            Some(end) => write!(f, "{end}"),
            None => Ok(()),
        }
    }
}

impl FromStr for Range {
    type Err = String;

    /// Reads a range of plain numbers.
    fn from_str(text: &str) -> Result<Self, String> {
        Self::parse(text, Unit::Number)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn number(value: f64) -> Number {
        Number::real(value).unwrap()
    }

    fn refusal(text: &str) -> String {
        text.parse::<Range>().unwrap_err()
    }

    #[test]
    fn the_shortest_form_is_printed() {
        for (text, printed) in [
            ("10", "10"),
            (":10", "10"),
            ("0:10", "10"),
            ("10:", "10:"),
            ("0:", "0:"),
            ("~:10", "~:10"),
            ("~:", "~:"),
            ("@5:6", "@5:6"),
            ("@6", "@6"),
            ("@~:0", "@~:0"),
            ("+5.50", "5.5"),
            ("-0.0:1", "1"),
            ("-10:-5", "-10:-5"),
        ] {
            assert_eq!(text.parse::<Range>().unwrap().to_string(), printed, "{text}");
        }
    }

    #[test]
    fn refusals_say_what_was_meant() {
        assert_eq!(
            refusal("-10"),
            "'-10' reads as 0 to -10, which is empty: write ~:-10 (alert above it) or -10: (alert below it)"
        );
        assert_eq!(refusal("2:1"), "start 2 is above end 1: write 1:2");
        assert_eq!(refusal("10:~"), "'~' is minus infinity and can only be a start: write 10: for no upper end");
        assert_eq!(refusal("~"), "'~' is minus infinity and needs an end: write ~:10");
        assert_eq!(refusal("1-10"), "'1-10' is not a number: write a range as 1:10");
        assert_eq!(refusal("1,10"), "'1,10' is not a number: write decimals with a point");
        assert!(refusal("inf").contains("not a finite number"));
        assert!(refusal("NaN:").contains("not a finite number"));
        assert!(refusal("1e3").contains("without an exponent"));
        assert!(refusal("").contains("a range is missing"));
        assert!(refusal("@:").contains("neither start nor end"));
        assert_eq!(refusal("10:20:30"), "'20:30' is not a number");
    }

    #[test]
    fn units_are_converted_to_the_base_unit() {
        assert_eq!(Range::parse("5m:1h", Unit::Seconds).unwrap().to_string(), "300:3600");
        assert_eq!(Range::parse("1.5KiB", Unit::Bytes).unwrap().to_string(), "1536");
        assert_eq!(Range::parse("90%", Unit::Percent).unwrap().to_string(), "90");
        assert!(Range::parse("90%", Unit::Seconds).unwrap_err().contains("does not fit"));
    }

    #[test]
    fn integers_beyond_2_53_are_compared_exactly() {
        let range: Range = "9007199254740992".parse().unwrap();
        assert!(!range.alerts(Number::from(1u64 << 53)));
        assert!(range.alerts(Number::from((1u64 << 53) + 1)));
    }

    #[test]
    fn a_breach_is_said_in_words() {
        let say =
            |text: &str, value: f64| Range::parse(text, Unit::Percent).unwrap().breach(number(value), Unit::Percent);
        assert_eq!(say("90", 91.0), "over 90 %");
        assert_eq!(say("90", -1.0), "below 0 %");
        assert_eq!(say("10:20", 21.0), "over 20 %");
        assert_eq!(say("10:", 5.0), "below 10 %");
        assert_eq!(say("@10:20", 15.0), "from 10 % to 20 %");
        assert_eq!(say("@~:0", 0.0), "at or below 0 %");
        assert_eq!(say("@5:", 6.0), "at or above 5 %");
    }

    fn bound() -> impl Strategy<Value = Option<Number>> {
        prop_oneof![
            Just(None),
            any::<i64>().prop_map(|value| Some(Number::from(value))),
            any::<u64>().prop_map(|value| Some(Number::from(value))),
            any::<f64>().prop_filter_map("finite", |value| Number::real(value).map(Some)),
        ]
    }

    fn any_range() -> impl Strategy<Value = Range> {
        (any::<bool>(), bound(), bound()).prop_filter_map("start <= end", |(inside, start, end)| {
            (start <= end || end.is_none()).then_some(Range { inside, start, end })
        })
    }

    proptest! {
        #[test]
        fn printing_and_parsing_is_the_identity(range in any_range()) {
            let text = range.to_string();
            prop_assert!(!text.contains(['e', 'E']));
            prop_assert_eq!(text.parse::<Range>(), Ok(range), "{}", text);
        }

        #[test]
        fn both_ends_are_inclusive(range in any_range()) {
            for bound in [range.start, range.end].into_iter().flatten() {
                prop_assert_eq!(range.alerts(bound), range.inside);
            }
        }

        #[test]
        fn at_inverts(range in any_range(), value in any::<f64>().prop_filter_map("finite", Number::real)) {
            let inverted = Range { inside: !range.inside, ..range };
            prop_assert_ne!(range.alerts(value), inverted.alerts(value));
        }

        #[test]
        fn no_text_panics(text in ".{0,12}") {
            for unit in [Unit::Number, Unit::Bytes, Unit::Seconds, Unit::Percent] {
                if let Ok(range) = Range::parse(&text, unit) {
                    prop_assert_eq!(range.to_string().parse::<Range>(), Ok(range));
                }
            }
        }
    }
}
