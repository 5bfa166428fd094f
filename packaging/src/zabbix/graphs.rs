//! Graphs: the metrics of a group that share a unit.

use common::metric::Definition;
use common::units::Unit;
use serde_json::{Value, json};

use super::Template;
use super::figures::key;

/// Lines that are still told apart.
const MAX_LINES: usize = 6;
const COLOURS: [&str; MAX_LINES] = ["1A7C11", "F63100", "2774A4", "A54F10", "FC6EA3", "6C59DC"];

/// Those of metrics that exist once.
pub(super) fn of(template: Template) -> Vec<Value> {
    graphs(template, None, "")
}

/// Those of each thing of a kind.
pub(super) fn prototypes(template: Template, per: &str) -> Vec<Value> {
    graphs(template, Some(per), " of {#NAME}")
}

fn graphs(template: Template, per: Option<&str>, of_thing: &str) -> Vec<Value> {
    let mut sets: Vec<(&str, Unit, Vec<&Definition>)> = Vec::new();
    for row in template.metrics(per) {
        match sets.iter_mut().find(|(group, unit, _)| (*group, *unit) == (row.group, row.unit)) {
            Some((.., rows)) => rows.push(row),
            None => sets.push((row.group, row.unit, vec![row])),
        }
    }
    let several = sets.iter().flat_map(|(group, unit, rows)| {
        rows.chunks(MAX_LINES).filter(|rows| rows.len() > 1).enumerate().map(move |(at, rows)| (group, unit, at, rows))
    });
    several
        .map(|(group, unit, at, rows)| {
            let unit = match unit {
                Unit::Number => "numbers",
                Unit::Bytes => "bytes",
                Unit::Seconds => "seconds",
                Unit::Percent => "percent",
            };
            let part = if at == 0 { String::new() } else { format!(" {}", at + 1) };
            let kind = per.unwrap_or_default();
            json!({
                "uuid": template.uuid(&["graph", group, unit, kind, &part]),
                "name": format!("{}: {group}, {unit}{part}{of_thing}", template.entry.name),
                "graph_items": rows.iter().zip(COLOURS).enumerate().map(|(order, (row, colour))| json!({
                    "sortorder": order.to_string(),
                    "color": colour,
                    "item": {"host": template.name(), "key": key(template, row)},
                })).collect::<Vec<_>>(),
            })
        })
        .collect()
}
