//! Cases that other projects state as facts: tests/fixtures/corpora, each with its source.

#![allow(clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "a test that cannot go on fails")]

use common::metric::{Definition, Thresholds};
use common::number::Number;
use common::perfdata;
use common::range::Range;
use common::units::Unit;
use serde_json::Value;
use support::perfdata::{Datum, parse, parse_strictly};

fn cases(name: &str) -> Vec<Value> {
    let path = format!("{}/../tests/fixtures/corpora/{name}", env!("CARGO_MANIFEST_DIR"));
    let text = std::fs::read_to_string(&path).expect(&path);
    let document: Value = serde_json::from_str(&text).expect("JSON");
    let cases = document["cases"].as_array().expect("cases").clone();
    assert!(!cases.is_empty());
    cases
}

fn text<'a>(case: &'a Value, key: &str) -> &'a str {
    case[key].as_str().unwrap_or_else(|| panic!("no {key} in {case}"))
}

fn number(value: &Value) -> Number {
    serde_json::from_value(value.clone()).unwrap_or_else(|error| panic!("{value}: {error}"))
}

#[test]
fn ranges_alert_as_their_sources_say() {
    for case in cases("ranges.json") {
        let range: Range = text(&case, "range").parse().unwrap_or_else(|reason| panic!("{reason}: {case}"));
        assert_eq!(range.alerts(number(&case["value"])), case["alert"], "{case}");
        let printed = range.to_string();
        assert_eq!(printed.parse(), Ok(range), "{case} is printed as {printed}");
    }
}

#[test]
fn ranges_that_are_none_are_refused_with_a_hint() {
    for case in cases("ranges_invalid.json") {
        let range = text(&case, "range");
        let reason = range.parse::<Range>().expect_err(range);
        assert!(range.split(':').any(|bound| reason.contains(bound)), "{range}: {reason}");
        assert!(reason.len() >= 20, "a sentence is expected: {reason}");
    }
}

/// Whether Icinga prints the item in the unit that it was given in, so that its numbers can be compared.
///
/// It normalises units (`1000ms` becomes 1 s, `2m` 120 s) and drops those it does not know; we only read.
fn is_as_given(item: &Datum, expected: &Value) -> bool {
    item.uom == text(expected, "uom")
}

/// Compared with Icinga: validity and the number of items always, and each label; the value and the four fields
/// behind it where Icinga keeps the unit. Not compared: thresholds that are ranges, which Icinga drops, and the
/// prefix that it puts before labels that follow one with `::`.
#[test]
fn perfdata_is_read_as_icinga_reads_it() {
    let mut compared = 0;
    for case in cases("perfdata.json") {
        let items = parse(text(&case, "perfdata"));
        assert_eq!(items.is_ok(), case["valid"], "{case}: {items:?}");
        let Ok(items) = items else { continue };
        let expected = case["parsed"].as_array().expect("parsed");
        assert_eq!(items.len(), expected.len(), "{case}");
        let prefixed = text(&case, "perfdata").contains("::");
        for (item, expected) in items.iter().zip(expected) {
            let label = text(expected, "label");
            assert!(item.label == label || (prefixed && label.ends_with(&format!("::{}", item.label))), "{case}");
            if !is_as_given(item, expected) {
                continue;
            }
            compared += 1;
            assert_close(item.value.value, &expected["value"], &case);
            for (range, key) in [(&item.warning, "warn"), (&item.critical, "crit")] {
                let end = range.as_ref().filter(|range| range.is_plain).and_then(|range| range.end);
                assert_field(end, text(expected, key), &case);
            }
            for (limit, key) in [(&item.min, "min"), (&item.max, "max")] {
                assert_field(limit.as_ref().map(|limit| limit.value), text(expected, key), &case);
            }
        }
    }
    assert!(compared > 25, "only {compared} items could be compared");
}

#[track_caller]
fn assert_field(found: Option<f64>, expected: &str, case: &Value) {
    match found {
        Some(found) => assert_close(found, &serde_json::from_str(expected).expect("a number"), case),
        None => assert_eq!(expected, "", "{case}"),
    }
}

#[track_caller]
fn assert_close(found: f64, expected: &Value, case: &Value) {
    let expected = expected.as_f64().expect("a number");
    assert!((found - expected).abs() <= expected.abs() * 1e-12, "{found} is not {expected}: {case}");
}

/// Whatever was valid in the corpus, as a metric of ours, is perfdata by our stricter rules.
#[test]
fn what_we_print_for_those_labels_and_values_reads_back() {
    for case in cases("perfdata.json") {
        for expected in case["parsed"].as_array().expect("parsed") {
            let definition = Definition::gauge("x", "metric", Unit::Number, "x").per("thing");
            let range = |key| match text(expected, key) {
                "" => "metric=".to_owned(),
                plain => format!("metric={plain}"),
            };
            let thresholds =
                Thresholds::parse(&[&definition], None, &[range("warn")], &[range("crit")]).expect("ranges");
            let mut metric = thresholds.judge(&definition, Some(text(expected, "label")), number(&expected["value"]));
            let limit = |key| serde_json::from_str::<Value>(text(expected, key)).ok().map(|limit| number(&limit));
            (metric.min, metric.max) = (limit("min"), limit("max"));

            let printed = perfdata::render([&metric]);
            let items = parse_strictly(&printed).unwrap_or_else(|reason| panic!("{reason}: {printed}"));
            let [item] = items.as_slice() else { panic!("one item is expected: {printed}") };
            assert_eq!(item.label, format!("{}:metric", text(expected, "label").replace("::", "__")));
            assert_close(item.value.value, &serde_json::to_value(metric.value).expect("a number"), &case);
            let end = |range: &Option<support::perfdata::Range>| range.as_ref().and_then(|range| range.end);
            assert_field(end(&item.warning), text(expected, "warn"), &case);
            assert_field(end(&item.critical), text(expected, "crit"), &case);
            assert_field(item.min.as_ref().map(|limit| limit.value), text(expected, "min"), &case);
            assert_field(item.max.as_ref().map(|limit| limit.value), text(expected, "max"), &case);
        }
    }
}
