//! The map of streams by subscriber, which can have a million entries: only sums and the largest are kept.

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::fmt;

use common::number::Number;
use serde::de::{Deserialize, DeserializeSeed, Deserializer, MapAccess, Visitor};

/// What is kept of the map.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Subscribers {
    /// Subscribers.
    pub count: u64,
    /// Streams of all of them.
    pub streams: i128,
    /// Entries that are no whole numbers.
    pub odd: u64,
    /// Those with most streams: (streams, subscriber), the least first.
    top: BTreeSet<(i128, std::cmp::Reverse<String>)>,
    /// How many of those are kept.
    keep: usize,
}

impl Subscribers {
    /// An empty map of which the `keep` largest entries will be kept.
    pub fn new(keep: usize) -> Self {
        Self { keep, ..Self::default() }
    }

    /// The subscribers with most streams, the most first, of equals by name.
    pub fn top(&self) -> impl Iterator<Item = (&str, i128)> {
        self.top.iter().rev().map(|(streams, name)| (name.0.as_str(), *streams))
    }

    /// Adds the entries of `json`, a map.
    pub fn add(&mut self, json: &[u8]) -> Result<(), serde_json::Error> {
        let mut parser = serde_json::Deserializer::from_slice(json);
        self.deserialize(&mut parser)?;
        parser.end()
    }

    fn entry(&mut self, name: &str, streams: Option<i128>) {
        self.count += 1;
        let Some(streams) = streams else {
            self.odd += 1;
            return;
        };
        self.streams = self.streams.saturating_add(streams);
        let is_larger = self.top.len() < self.keep || self.top.first().is_some_and(|(least, _)| streams > *least);
        if is_larger && self.keep > 0 {
            self.top.insert((streams, std::cmp::Reverse(name.to_owned())));
            if self.top.len() > self.keep {
                self.top.pop_first();
            }
        }
    }
}

impl<'de> DeserializeSeed<'de> for &mut Subscribers {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for &mut Subscribers {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str("a map of counts")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        while let Some(name) = map.next_key::<Name>()? {
            let Count(streams) = map.next_value()?;
            self.entry(&name.0, streams);
        }
        Ok(())
    }
}

/// A key, which is copied only where it has escapes.
struct Name<'a>(Cow<'a, str>);

impl<'de> Deserialize<'de> for Name<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Borrow;
        impl<'de> Visitor<'de> for Borrow {
            type Value = Name<'de>;
            fn expecting(&self, f: &mut fmt::Formatter) -> fmt::Result {
                f.write_str("a name")
            }
            fn visit_borrowed_str<E>(self, name: &'de str) -> Result<Name<'de>, E> {
                Ok(Name(Cow::Borrowed(name)))
            }
            fn visit_str<E>(self, name: &str) -> Result<Name<'de>, E> {
                Ok(Name(Cow::Owned(name.to_owned())))
            }
        }
        deserializer.deserialize_str(Borrow)
    }
}

/// A whole number, or anything else.
struct Count(Option<i128>);

impl<'de> Deserialize<'de> for Count {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Whole;
        impl<'de> Visitor<'de> for Whole {
            type Value = Count;
            fn expecting(&self, f: &mut fmt::Formatter) -> fmt::Result {
                f.write_str("a count")
            }
            fn visit_u64<E>(self, value: u64) -> Result<Count, E> {
                Ok(Count(Some(value.into())))
            }
            fn visit_i64<E>(self, value: i64) -> Result<Count, E> {
                Ok(Count(Some(value.into())))
            }
            fn visit_f64<E>(self, value: f64) -> Result<Count, E> {
                Ok(Count(Number::real(value).and_then(Number::to_integer)))
            }
            fn visit_str<E>(self, value: &str) -> Result<Count, E> {
                Ok(Count(value.parse().ok()))
            }
            fn visit_bool<E>(self, _: bool) -> Result<Count, E> {
                Ok(Count(None))
            }
            fn visit_unit<E>(self) -> Result<Count, E> {
                Ok(Count(None))
            }
            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Count, A::Error> {
                while map.next_entry::<serde::de::IgnoredAny, serde::de::IgnoredAny>()?.is_some() {}
                Ok(Count(None))
            }
            fn visit_seq<A: serde::de::SeqAccess<'de>>(self, mut list: A) -> Result<Count, A::Error> {
                while list.next_element::<serde::de::IgnoredAny>()?.is_some() {}
                Ok(Count(None))
            }
        }
        deserializer.deserialize_any(Whole)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entries_are_counted_summed_and_the_largest_kept() {
        let mut subscribers = Subscribers::new(2);
        subscribers
            .add(br#"{"a": 3, "b": 7, "c\n": 5, "d": "2", "e": null, "f": 1.5, "g": {"h": [1]}, "i": 2.0}"#)
            .unwrap();
        subscribers.add(br#"{"z": 5}"#).unwrap();
        assert_eq!((subscribers.count, subscribers.streams, subscribers.odd), (9, 24, 3));
        assert_eq!(subscribers.top().collect::<Vec<_>>(), [("b", 7), ("c\n", 5)]);
        assert!(subscribers.add(b"[1]").is_err() && subscribers.add(b"{} x").is_err());
    }
}
