//! Items and prototypes for the metrics, with the thresholds of their table as macros and triggers.

use common::metric::Definition;
use common::number::Number;
use common::units::Unit;
use serde_json::{Value, json};

use super::{Template, merged};
use crate::options::sentence;

/// What the metric table of a plugin becomes.
pub(super) struct Figures {
    pub(super) items: Vec<Value>,
    pub(super) rules: Vec<Value>,
    pub(super) macros: Vec<Value>,
}

/// The figures of a template.
pub(super) fn of(template: Template) -> Figures {
    let mut macros = Vec::new();
    let items = template.metrics(None).map(|row| item(template, row, &mut macros)).collect();
    let mut rules = Vec::new();
    for per in template.kinds() {
        let prototypes: Vec<Value> = template.metrics(Some(per)).map(|row| item(template, row, &mut macros)).collect();
        rules.push(template.rule(per, &prototypes));
    }
    Figures { items, rules, macros }
}

/// The key of a metric, with what Zabbix puts in for the thing where there are several.
pub(super) fn key(template: Template, row: &Definition) -> String {
    let instance = if row.per.is_some() { "[\"{#NAME}\"]" } else { "" };
    template.key(&format!(".{}{instance}", row.name))
}

fn item(template: Template, row: &Definition, macros: &mut Vec<Value>) -> Value {
    let (of_thing, is_thing) = match row.per {
        Some(_) => (" of {#NAME}", " && @.instance == \"{#NAME}\""),
        None => ("", ""),
    };
    let path = format!("$..metrics[?(@.name == \"{}\"{is_thing})].value.first()", row.name);
    let triggers = triggers(template, row, macros);
    let mut item = merged(
        template.dependent(),
        json!({
            "uuid": template.uuid(&["item", &row.name]),
            "name": format!("{}{of_thing}", row.name),
            "key": key(template, row),
            "value_type": "FLOAT",
            "units": units(row.unit),
            "description": sentence(&row.help),
            // A figure that there is none of now, such as a rate in a first run, is no fault.
            "preprocessing": [{"type": "JSONPATH", "parameters": [path], "error_handler": "DISCARD_VALUE"}],
            "tags": [{"tag": "component", "value": row.group}],
        }),
    );
    if let (Some(item), false) = (item.as_object_mut(), triggers.is_empty()) {
        let name = if row.per.is_some() { "trigger_prototypes" } else { "triggers" };
        item.insert(name.to_owned(), json!(triggers));
    }
    item
}

const fn units(unit: Unit) -> &'static str {
    match unit {
        Unit::Number => "",
        Unit::Bytes => "B",
        Unit::Seconds => "s",
        Unit::Percent => "%",
    }
}

/// The triggers of a metric by its default thresholds; the milder one is silent beside the other.
fn triggers(template: Template, row: &Definition, macros: &mut Vec<Value>) -> Vec<Value> {
    let critical = threshold(template, row, row.critical, ("CRIT", "HIGH"), macros);
    let mut warning = threshold(template, row, row.warning, ("WARN", "WARNING"), macros);
    if let (Some(warning), Some(critical)) = (warning.as_mut().and_then(Value::as_object_mut), &critical) {
        let other = json!([{"name": critical["name"], "expression": critical["expression"]}]);
        warning.insert("dependencies".to_owned(), other);
    }
    critical.into_iter().chain(warning).collect()
}

fn threshold(
    template: Template,
    row: &Definition,
    range: &str,
    (level, priority): (&str, &str),
    macros: &mut Vec<Value>,
) -> Option<Value> {
    let (limit, comparison, word) = one_sided(range, row.unit)?;
    let name = format!("{}.{level}", row.name);
    macros.push(json!({
        "macro": template.macro_name(&name),
        "value": limit.to_string(),
        "description": format!("{} {word} this is {}", row.name, if level == "CRIT" { "critical" } else { "a warning" }),
    }));
    let (of_thing, limit) = match row.per {
        Some(_) => {
            let name = template.macro_name(&name);
            (" of {#NAME}", format!("{}:\"{{#NAME}}\"}}", name.trim_end_matches('}')))
        }
        None => ("", template.macro_name(&name)),
    };
    Some(json!({
        "uuid": template.uuid(&["trigger", &row.name, level]),
        "expression": format!("last(/{}/{}){comparison}{limit}", template.name(), key(template, row)),
        "name": format!("{}: {}{of_thing} is {word} {limit}", template.entry.name, row.name),
        "opdata": "{ITEM.LASTVALUE1}",
        "priority": priority,
    }))
}

/// The limit of a range that has one, and on which side of it a value is bad. No plugin has other defaults.
fn one_sided(range: &str, unit: Unit) -> Option<(Number, &'static str, &'static str)> {
    let (limit, comparison, word) = match range.strip_suffix(':') {
        Some(start) => (start, "<", "below"),
        None => (range, ">", "over"),
    };
    Some((unit.parse(limit).ok()?, comparison, word))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plugins;

    #[test]
    fn zabbix_can_judge_every_default() {
        let defaults = |row: &Definition| [row.warning, row.critical].map(|range| (range, row.unit));
        let mut seen = 0;
        for entry in plugins::all() {
            for (range, unit) in
                entry.metrics.iter().flat_map(|row| defaults(row)).filter(|(range, _)| !range.is_empty())
            {
                assert!(one_sided(range, unit).is_some(), "{}: {range}", entry.name);
                seen += 1;
            }
        }
        assert!(seen > 20);
        assert_eq!(
            one_sided("10m:", Unit::Seconds).map(|(limit, sign, _)| (limit, sign)),
            Some((Number::integer(600), "<"))
        );
        assert!(one_sided("@1:2", Unit::Number).is_none() && one_sided("1:2", Unit::Number).is_none());
    }
}
