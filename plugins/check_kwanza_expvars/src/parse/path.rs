//! Variables below variables: `Cache/misses`.

use common::glob::Glob;
use common::number::Number;
use serde_json::Value;

/// Values deeper than this are left alone.
const DEEPEST: usize = 16;
/// Paths that a pattern may match.
const MOST: usize = 10_000;

/// The number that `value` is or, as text, means.
pub fn number(value: &Value) -> Option<Number> {
    match value {
        Value::Number(number) => number
            .as_u64()
            .map(Number::from)
            .or_else(|| number.as_i64().map(Number::from))
            .or_else(|| number.as_f64().and_then(Number::real)),
        Value::String(text) => {
            let text = text.trim();
            let whole = text.parse::<i128>().ok().map(Number::integer);
            // f64 would take `inf` and `nan` too, which are no numbers then.
            whole.or_else(|| text.parse::<f64>().ok().and_then(Number::real))
        }
        Value::Bool(value) => Some(Number::from(u32::from(*value))),
        _ => None,
    }
}

/// Every number below `value`, which is called `name`, whose path one of `globs` matches.
pub fn matching(name: &str, value: &Value, globs: &[Glob], into: &mut Vec<(String, Number)>) {
    if !globs.is_empty() {
        walk(name.to_owned(), value, globs, 0, into);
    }
}

fn walk(path: String, value: &Value, globs: &[Glob], depth: usize, into: &mut Vec<(String, Number)>) {
    if depth > DEEPEST || into.len() >= MOST {
        return;
    }
    match value {
        Value::Object(fields) => {
            for (key, value) in fields {
                walk(format!("{path}/{key}"), value, globs, depth + 1, into);
            }
        }
        Value::Array(list) => {
            for (position, value) in list.iter().enumerate() {
                walk(format!("{path}/{position}"), value, globs, depth + 1, into);
            }
        }
        value => {
            if globs.iter().any(|glob| glob.matches(&path))
                && let Some(number) = number(value)
            {
                into.push((path, number));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_stay_exact_and_texts_may_be_numbers() {
        let read = |text: &str| number(&serde_json::from_str(text).unwrap()).map(|number| number.to_string());
        for (text, expected) in [
            ("9007199254740993", Some("9007199254740993")),
            ("18446744073709551615", Some("18446744073709551615")),
            ("-9223372036854775808", Some("-9223372036854775808")),
            ("1e+21", Some("1000000000000000000000")),
            ("1e-07", Some("0.0000001")),
            ("\" 42 \"", Some("42")),
            ("\"nan\"", None),
            ("\"1.5\"", Some("1.5")),
            ("true", Some("1")),
            ("null", None),
            ("[1]", None),
        ] {
            assert_eq!(read(text).as_deref(), expected, "{text}");
        }
    }

    #[test]
    fn paths_lead_into_maps_and_lists() {
        let value = serde_json::json!({"hits": 1, "misses": 2, "by": {"a.b": 3, "c/d": "4"}, "list": [5, "x"]});
        let found = |pattern: &str| {
            let mut found = Vec::new();
            matching("Cache", &value, &[Glob::new(pattern)], &mut found);
            found.into_iter().map(|(path, number)| format!("{path}={number}")).collect::<Vec<_>>()
        };
        assert_eq!(found("Cache/misses"), ["Cache/misses=2"]);
        assert_eq!(found("Cache/by/*"), ["Cache/by/a.b=3", "Cache/by/c/d=4"]);
        assert_eq!(found("*list*"), ["Cache/list/0=5"]);
        assert!(found("cache/misses").is_empty());
    }
}
