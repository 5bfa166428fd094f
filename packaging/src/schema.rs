//! JSON Schemas (draft 2020-12) of what `--format json` prints, from the metric table of each plugin.
//!
//! The shape is that of `common::render::json`. The schemas are strict: what they do not name is refused.

use std::collections::BTreeMap;

use common::metric::{Definition, Kind};
use common::render::json::SCHEMA_VERSION;
use common::state::State;
use common::text::MAX_CHARS;
use common::units::Unit;
use serde_json::{Map, Value, json};

use crate::files::Set;
use crate::plugins::Entry;

const UNITS: [Unit; 4] = [Unit::Number, Unit::Bytes, Unit::Seconds, Unit::Percent];
const KINDS: [Kind; 2] = [Kind::Gauge, Kind::Counter];
/// A range as it is printed: in the base unit, without exponent, the start left out where it is 0.
const RANGE: &str = r"^@?(~:|-?[0-9]+(\.[0-9]+)?:)?(-?[0-9]+(\.[0-9]+)?)?$";
/// Text on one line, without what a monitoring core could take for more than text.
const TEXT: &str = r"^[^|<>\u0000-\u001f\u007f-\u009f]*$";

/// The schema of every plugin.
pub fn schemas(plugins: &[Entry]) -> Result<Set, String> {
    let mut files = BTreeMap::new();
    for entry in plugins {
        let mut schema = schema(entry);
        // Whatever features other crates switch on in serde_json, the file stays the same.
        schema.sort_all_objects();
        let text = serde_json::to_string_pretty(&schema).map_err(|error| format!("{}: {error}", entry.name))?;
        files.insert(entry.name, format!("{text}\n"));
    }
    Ok(Set::new("packaging/schema", ".schema.json", files))
}

fn schema(entry: &Entry) -> Value {
    let mut schema = object(
        "One run of the check.",
        &[
            ("schema", json!({"const": SCHEMA_VERSION, "description": "Version of the shape of this document."})),
            ("plugin", json!({"const": entry.name, "description": "The plugin's name."})),
            ("version", json!({"type": "string", "minLength": 1, "description": "The plugin's version."})),
            ("state", json!({"$ref": "#/$defs/state", "description": "Worst state of all items."})),
            (
                "exit_code",
                json!({"enum": [0, 1, 2, 3], "description": "Exit code of the state, whatever the process exits with."}),
            ),
            (
                "summary",
                json!({"type": "string", "pattern": TEXT, "description": "Text of the status line, without performance data."}),
            ),
            (
                "items",
                json!({"type": "array", "items": {"$ref": "#/$defs/item"}, "description": "What was looked at. Nothing at all is UNKNOWN."}),
            ),
        ],
        &[],
    );
    let codes = State::BY_EXIT_CODE.map(|state| {
        let code = state.exit_code();
        when("state", &json!(state), &json!({"properties": {"exit_code": {"const": code}}}))
    });
    schema.insert("$schema".to_owned(), json!("https://json-schema.org/draft/2020-12/schema"));
    schema.insert("$id".to_owned(), json!(format!("urn:monitoring-plugins-sirenia:{}:{SCHEMA_VERSION}", entry.name)));
    schema.insert("title".to_owned(), json!(format!("{} --format json", entry.name)));
    schema.insert("description".to_owned(), json!(format!("{}: the result of one run.", entry.about)));
    schema.insert("allOf".to_owned(), json!(codes));
    schema.insert(
        "$defs".to_owned(),
        json!({
            "state": {"enum": State::BY_EXIT_CODE, "description": "A state of the plugin standard."},
            "text": {"type": "string", "pattern": TEXT, "maxLength": MAX_CHARS},
            "texts": {"type": "array", "items": {"$ref": "#/$defs/text"}, "minItems": 1},
            "range": {
                "type": "string", "minLength": 1, "pattern": RANGE,
                "description": "A range that a value must not break: [@][start:][end], in the unit of the metric.",
            },
            "item": item(),
            "metric": metric(entry),
        }),
    );
    Value::Object(schema)
}

/// One thing that was looked at, with its parts.
fn item() -> Map<String, Value> {
    let texts = |description: &str| json!({"$ref": "#/$defs/texts", "description": description});
    object(
        "One thing that was looked at.",
        &[
            ("label", json!({"$ref": "#/$defs/text", "description": "What it is."})),
            ("state", json!({"$ref": "#/$defs/state", "description": "Its state, its children's included."})),
            ("text", json!({"$ref": "#/$defs/text", "description": "What was found."})),
        ],
        &[
            (
                "own_state",
                json!({"$ref": "#/$defs/state", "description": "Its own state, where that of its children is worse."}),
            ),
            ("follows", json!({"const": true, "description": "It follows from what it is a part of."})),
            ("since", json!({"type": "number", "description": "When it came to be so, in seconds since 1970."})),
            (
                "headline",
                json!({"$ref": "#/$defs/text", "minLength": 1, "description": "What was found, in a few words."}),
            ),
            ("causes", texts("Why it is so.")),
            ("next", texts("What to do next.")),
            ("notes", texts("Further facts; more with -v.")),
            (
                "metrics",
                json!({"type": "array", "items": {"$ref": "#/$defs/metric"}, "minItems": 1, "description": "Its figures."}),
            ),
            (
                "children",
                json!({"type": "array", "items": {"$ref": "#/$defs/item"}, "minItems": 1, "description": "Its parts."}),
            ),
        ],
    )
}

/// One value. What the table says of each metric hangs on its name.
fn metric(entry: &Entry) -> Map<String, Value> {
    let names: Vec<&str> = entry.metrics.iter().map(|row| row.name.as_ref()).collect();
    let description = "The metric's name.";
    let name = match entry.page.further_metrics {
        None => json!({"enum": names, "description": description}),
        Some(_) => json!({"$ref": "#/$defs/text", "minLength": 1, "description": description}),
    };
    let mut schema = object(
        "One value.",
        &[
            ("name", name),
            ("value", json!({"type": "number", "description": "The value in unit."})),
            ("unit", json!({"enum": UNITS, "description": "Unit of the value, its ranges and limits."})),
            ("kind", json!({"enum": KINDS, "description": "Whether it may fall (gauge) or only rises (counter)."})),
            ("state", json!({"$ref": "#/$defs/state", "description": "State by its ranges."})),
        ],
        &[
            (
                "instance",
                json!({"$ref": "#/$defs/text", "description": "What it belongs to, where there is one per thing."}),
            ),
            ("warning", json!({"$ref": "#/$defs/range", "description": "Warning range."})),
            ("critical", json!({"$ref": "#/$defs/range", "description": "Critical range."})),
            ("min", json!({"type": "number", "description": "Smallest possible value."})),
            ("max", json!({"type": "number", "description": "Largest possible value."})),
        ],
    );
    let rows: Vec<Value> = entry.metrics.iter().map(|row| when("name", &json!(row.name), &definition(row))).collect();
    schema.insert("allOf".to_owned(), json!(rows));
    schema
}

/// What the table says of one metric.
fn definition(row: &Definition) -> Value {
    let (instance, required) = match row.per {
        Some(per) => (json!({"description": format!("The {per}.")}), vec!["instance"]),
        None => (json!(false), Vec::new()),
    };
    json!({
        "description": row.help,
        "properties": {"unit": {"const": row.unit}, "kind": {"const": row.kind}, "instance": instance},
        "required": required,
    })
}

/// `then` holds where `property` is `value`.
fn when(property: &str, value: &Value, then: &Value) -> Value {
    json!({"if": {"properties": {property: {"const": value}}, "required": [property]}, "then": then})
}

/// An object with these properties and no others.
fn object(description: &str, required: &[(&str, Value)], optional: &[(&str, Value)]) -> Map<String, Value> {
    let names: Vec<&str> = required.iter().map(|(name, _)| *name).collect();
    let properties = required.iter().chain(optional).map(|(name, schema)| ((*name).to_owned(), schema.clone()));
    Map::from_iter([
        ("type".to_owned(), json!("object")),
        ("description".to_owned(), json!(description)),
        ("required".to_owned(), json!(names)),
        ("properties".to_owned(), Value::Object(properties.collect())),
        ("additionalProperties".to_owned(), json!(false)),
    ])
}

#[cfg(test)]
mod tests {
    use common::metric::Thresholds;
    use common::number::Number;
    use common::render::{self, Format, Style};
    use common::report::{Item, Report};
    use jsonschema::Validator;

    use super::*;
    use crate::sample;

    fn validator(entry: &Entry) -> Validator {
        let schema = schema(entry);
        assert!(jsonschema::meta::is_valid(&schema));
        jsonschema::validator_for(&schema).unwrap()
    }

    /// What the renderer makes of a report that has a bit of everything.
    fn document() -> Value {
        let given = |text: &str| vec![text.to_owned()];
        let thresholds =
            Thresholds::parse(sample::METRICS, Some("age"), &given("f*:size=~:1.5KiB"), &given("-0.5:7")).unwrap();
        let number = |text: &str| Unit::Number.parse(text).unwrap();
        let mut parent = Item::ok("files", "2 | files\n<b>")
            .with(thresholds.judge(&sample::AGE, None, number("8.25")))
            .because("cause")
            .then("next")
            .note(1, "note")
            .headline("head");
        let size = thresholds.judge(&sample::SIZE, Some("f 1"), number("18446744073709551615"));
        parent.children = vec![Item::ok("f 1", "big").with(size.within(Number::ZERO, number("1e9".split_at(1).0)))];
        let mut report = Report::new("fine");
        report.items = vec![parent, Item::ok("events", "").with(thresholds.judge(&sample::EVENTS, None, number("3")))];
        rendered(&report)
    }

    fn rendered(report: &Report) -> Value {
        let style = Style { plugin: "check_sample", format: Format::Json, verbosity: 3, ..Style::default() };
        serde_json::from_str(&render::render(report, &style)).unwrap()
    }

    /// Why `document` is refused; empty if it is not.
    fn refusal(entry: &Entry, document: &Value) -> String {
        validator(entry)
            .iter_errors(document)
            .map(|error| format!("{}: {error}", error.instance_path()))
            .collect::<Vec<_>>()
            .join("\n")
    }

    #[test]
    fn what_the_renderer_makes_is_accepted() {
        let entry = sample::entry();
        assert_eq!(refusal(&entry, &document()), "");
        assert_eq!(document()["items"][0]["metrics"][0]["critical"], "-0.5:7");
        for report in [Report::new("nothing"), Report::single(State::Unknown, "usage", "no such option '--x'")] {
            assert_eq!(refusal(&entry, &rendered(&report)), "");
        }
    }

    #[test]
    fn what_the_table_does_not_say_is_refused() {
        let entry = sample::entry();
        let metric = "/items/0/metrics/0";
        let child = "/items/0/children/0";
        let changes = [
            (format!("{metric}/unit"), json!("bytes")),
            (format!("{metric}/name"), json!("agee")),
            (format!("{metric}/instance"), json!("none has")),
            (format!("{metric}/kind"), json!("counter")),
            (format!("{metric}/critical"), json!("4h:")),
            (format!("{metric}/value"), json!("8")),
            (format!("{child}/metrics/0/instance"), Value::Null),
            (format!("{child}/metrics/0/extra"), json!(1)),
            (format!("{child}/text"), json!("a | b")),
            (format!("{child}/children"), json!([])),
            ("/exit_code".to_owned(), json!(0)),
            ("/state".to_owned(), json!("PENDING")),
            ("/plugin".to_owned(), json!("check_other")),
            ("/schema".to_owned(), json!(SCHEMA_VERSION + 1)),
            ("/extra".to_owned(), json!(true)),
        ];
        for (pointer, value) in changes {
            let mut bent = document();
            let (parent, key) = pointer.rsplit_once('/').unwrap();
            let parent = bent.pointer_mut(parent).unwrap().as_object_mut().unwrap();
            if value.is_null() {
                parent.remove(key).unwrap();
            } else {
                parent.insert(key.to_owned(), value);
            }
            assert_ne!(refusal(&entry, &bent), "", "{pointer}");
        }
    }

    #[test]
    fn a_table_that_is_not_complete_accepts_further_names() {
        let mut entry = sample::entry();
        entry.page.further_metrics = Some("one per counter that the service publishes");
        let mut bent = document();
        bent["items"][1]["metrics"][0]["name"] = json!("StreamPanics");
        assert_eq!(refusal(&entry, &bent), "");
        bent["items"][0]["metrics"][0]["unit"] = json!("bytes");
        assert_ne!(refusal(&entry, &bent), "", "what the table says still holds");
    }

    #[test]
    fn the_same_table_makes_the_same_file() {
        let text = |set: Set| format!("{set:?}");
        assert_eq!(text(schemas(&[sample::entry()]).unwrap()), text(schemas(&[sample::entry()]).unwrap()));
    }
}
