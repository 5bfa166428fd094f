//! Finite numbers that keep integers exact.

use std::cmp::Ordering;
use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

/// A finite number: an exact integer, or a real that is not one.
///
/// Counters of 64 bits do not survive a trip through `f64` (2^53 + 1), so integers are kept apart.
/// NaN and the infinities cannot be represented; a figure without a value is no `Number` at all.
#[derive(Clone, Copy, Debug)]
pub struct Number(Kind);

#[derive(Clone, Copy, Debug)]
enum Kind {
    Integer(i128),
    Real(f64),
}

/// The largest magnitude below which every integer is exact in an `f64`.
const EXACT: f64 = 9_007_199_254_740_992.0;

impl Number {
    /// Zero.
    pub const ZERO: Self = Self::integer(0);
    /// One hundred, the upper end of a percentage.
    pub const HUNDRED: Self = Self::integer(100);

    /// An exact integer.
    pub const fn integer(value: i128) -> Self {
        Self(Kind::Integer(value))
    }

    /// A real number; `None` for NaN and the infinities.
    pub fn real(value: f64) -> Option<Self> {
        if !value.is_finite() {
            return None;
        }
        // An integral real is an integer, so that equal numbers are equal values.
        if value.fract() == 0.0 && value.abs() <= EXACT {
            return Some(Self::integer(truncate(value)));
        }
        Some(Self(Kind::Real(value)))
    }

    /// This number with at most `places` decimals.
    #[must_use]
    pub fn rounded(self, places: u8) -> Self {
        match self.0 {
            Kind::Integer(_) => self,
            Kind::Real(value) => {
                let scale = 10f64.powi(i32::from(places));
                let scaled = value * scale;
                if scaled.abs() < EXACT { Self::real(scaled.round() / scale).unwrap_or(self) } else { self }
            }
        }
    }

    /// The nearest `f64`.
    pub fn to_f64(self) -> f64 {
        match self.0 {
            Kind::Integer(value) => nearest(value),
            Kind::Real(value) => value,
        }
    }

    /// The exact integer, if it is one.
    pub const fn to_integer(self) -> Option<i128> {
        match self.0 {
            Kind::Integer(value) => Some(value),
            Kind::Real(_) => None,
        }
    }

    /// This number times `factor`, exact while both are integers.
    #[must_use]
    pub fn scaled(self, factor: Self) -> Option<Self> {
        if let (Kind::Integer(a), Kind::Integer(b)) = (self.0, factor.0)
            && let Some(product) = a.checked_mul(b)
        {
            return Some(Self::integer(product));
        }
        Self::real(self.to_f64() * factor.to_f64())
    }
}

/// The integer below `value`, whose magnitude is at most [`EXACT`].
#[expect(clippy::cast_possible_truncation, reason = "the only caller has checked the magnitude")]
const fn truncate(value: f64) -> i128 {
    value as i128
}

#[expect(clippy::cast_precision_loss, reason = "the nearest f64 is what is asked for")]
const fn nearest(value: i128) -> f64 {
    value as f64
}

/// `count` as the nearest `f64`.
pub fn float(count: u64) -> f64 {
    nearest(i128::from(count))
}

/// `part` as a percentage of `whole`; `None` when there is no whole.
pub fn percent(part: u64, whole: u64) -> Option<f64> {
    (whole > 0).then(|| 100.0 * float(part) / float(whole))
}

impl From<u64> for Number {
    fn from(value: u64) -> Self {
        Self::integer(value.into())
    }
}

impl From<u32> for Number {
    fn from(value: u32) -> Self {
        Self::integer(value.into())
    }
}

impl From<i64> for Number {
    fn from(value: i64) -> Self {
        Self::integer(value.into())
    }
}

impl From<usize> for Number {
    fn from(value: usize) -> Self {
        Self::from(u64::try_from(value).unwrap_or(u64::MAX))
    }
}

impl Ord for Number {
    /// Integers are compared exactly, all else as `f64`.
    fn cmp(&self, other: &Self) -> Ordering {
        match (self.0, other.0) {
            (Kind::Integer(a), Kind::Integer(b)) => a.cmp(&b),
            _ => self.to_f64().partial_cmp(&other.to_f64()).unwrap_or(Ordering::Equal),
        }
    }
}

impl PartialOrd for Number {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Number {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for Number {}

impl fmt::Display for Number {
    /// Plain decimal digits, never an exponent.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Kind::Integer(value) => fmt::Display::fmt(&value, f),
            Kind::Real(value) => fmt::Display::fmt(&value, f),
        }
    }
}

impl Serialize for Number {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.0 {
            Kind::Integer(value) => match (u64::try_from(value), i64::try_from(value)) {
                (Ok(value), _) => serializer.serialize_u64(value),
                (_, Ok(value)) => serializer.serialize_i64(value),
                _ => serializer.serialize_i128(value),
            },
            Kind::Real(value) => serializer.serialize_f64(value),
        }
    }
}

impl<'de> Deserialize<'de> for Number {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Visitor;
        impl de::Visitor<'_> for Visitor {
            type Value = Number;
            fn expecting(&self, f: &mut fmt::Formatter) -> fmt::Result {
                f.write_str("a finite number")
            }
            fn visit_u64<E>(self, value: u64) -> Result<Number, E> {
                Ok(Number::from(value))
            }
            fn visit_i64<E>(self, value: i64) -> Result<Number, E> {
                Ok(Number::from(value))
            }
            fn visit_f64<E: de::Error>(self, value: f64) -> Result<Number, E> {
                Number::real(value).ok_or_else(|| E::custom("not a finite number"))
            }
        }
        deserializer.deserialize_any(Visitor)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn integers_beyond_2_53_stay_exact() {
        let n = Number::from((1u64 << 53) + 1);
        assert_eq!(n.to_string(), "9007199254740993");
        assert!(n > Number::from(1u64 << 53));
        let json = serde_json::to_string(&n).unwrap();
        assert_eq!(json, "9007199254740993");
        assert_eq!(serde_json::from_str::<Number>(&json).unwrap(), n);
        assert_eq!(Number::from(u64::MAX).to_string(), "18446744073709551615");
    }

    #[test]
    fn only_finite_numbers_exist() {
        assert!(Number::real(f64::NAN).is_none());
        assert!(Number::real(f64::INFINITY).is_none());
        assert!(Number::real(f64::MAX).unwrap().scaled(Number::HUNDRED).is_none());
    }

    #[test]
    fn no_exponent_is_ever_printed() {
        for value in [1e300, 1e-300, f64::MAX, f64::MIN_POSITIVE, 123_456_789_012_345_680_000.5] {
            assert!(!Number::real(value).unwrap().to_string().contains(['e', 'E']));
        }
        assert_eq!(Number::real(-0.0).unwrap().to_string(), "0");
    }

    #[test]
    fn rounding_keeps_what_is_asked_for() {
        assert_eq!(Number::real(12.345_678).unwrap().rounded(2).to_string(), "12.35");
        assert_eq!(Number::real(99.999_9).unwrap().rounded(2).to_string(), "100");
        assert_eq!(Number::integer(7).rounded(2), Number::integer(7));
        let huge = Number::real(1e300).unwrap();
        assert_eq!(huge.rounded(2), huge);
    }
}
