//! Templates for Zabbix 6.0, and the parameters that its agent needs.
//!
//! One run of a plugin a minute brings a JSON document; everything else is taken from that. Zabbix judges the figures
//! itself, by thresholds in macros, which a host may set anew, for one thing alone too: `{$...:"/var"}`. What a plugin
//! finds wrong beyond its figures is one item more.

mod figures;
mod graphs;
mod text;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use common::metric::Definition;
use common::state::State;
use serde_json::{Value, json};

use crate::files::Set;
use crate::plugins::Entry;
use text::{DISCOVER, PROBLEM, uuid};

const GROUP: &str = "Templates/Applications";

/// How a plugin is started.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Way {
    /// By the server, as an external check.
    External,
    /// By the agent of the host.
    Agent,
}

/// What all parts of one template need to know.
#[derive(Clone, Copy, Debug)]
struct Template<'a> {
    entry: &'a Entry,
    way: Way,
}

/// A template file for each plugin, which holds it both as an external check and by the agent.
pub fn templates(plugins: &[Entry]) -> Result<Set, String> {
    let file = |entry: &Entry| {
        let templates = [Way::External, Way::Agent].map(|way| Template { entry, way }.document());
        let export = json!({"zabbix_export": {
            "version": "6.0",
            "groups": [{"uuid": uuid(&[GROUP]), "name": GROUP}],
            "templates": templates.iter().map(|(template, _)| template).collect::<Vec<_>>(),
            "graphs": templates.iter().flat_map(|(_, graphs)| graphs.clone()).collect::<Vec<_>>(),
        }});
        let text = serde_json::to_string_pretty(&export).map_err(|error| format!("{}: {error}", entry.name))?;
        Ok::<_, String>((entry.stem(), format!("{text}\n")))
    };
    let files = plugins.iter().map(file).collect::<Result<_, _>>()?;
    Ok(Set::new("packaging/zabbix", ".json", files))
}

/// The parameters of the agent.
pub fn parameters(plugins: &[Entry]) -> Set {
    let mut text = "\
# Parameters of monitoring-plugins-sirenia for the Zabbix agent, made by `cargo xtask integrations`. A plugin takes up to
# 10 s, so the agent and the server need Timeout=15.
"
    .to_owned();
    for entry in plugins {
        let _ = write!(
            text,
            "\n# {}.\nUserParameter=sirenia.{},{} --format json --exit-zero --options-file {}\n",
            entry.about,
            entry.stem(),
            entry.installed(),
            entry.options_file()
        );
    }
    Set::new("packaging/zabbix", ".conf", BTreeMap::from([("userparameters", text)]))
}

impl Template<'_> {
    fn name(self) -> String {
        match self.way {
            Way::External => format!("Sirenia {}", self.entry.stem()),
            Way::Agent => format!("Sirenia {} by agent", self.entry.stem()),
        }
    }

    /// The key of the item that runs the plugin.
    fn master_key(self) -> String {
        match self.way {
            Way::External => {
                format!("{}[--format=json,--exit-zero,\"--options-file={}\"]", self.entry.name, self.options_macro())
            }
            Way::Agent => self.key(""),
        }
    }

    /// `sirenia.postgres` with `rest` behind it.
    fn key(self, rest: &str) -> String {
        format!("sirenia.{}{rest}", self.entry.stem())
    }

    fn macro_name(self, rest: &str) -> String {
        format!("{{$SIRENIA.{}.{}}}", self.entry.stem().to_uppercase(), rest.to_uppercase())
    }

    fn options_macro(self) -> String {
        self.macro_name("options_file")
    }

    /// What is one of a kind: its parts, and what it is called among them.
    fn uuid(self, parts: &[&str]) -> String {
        uuid(&[&[self.name().as_str()], parts].concat())
    }

    fn dependent(self) -> Value {
        json!({"type": "DEPENDENT", "delay": "0", "master_item": {"key": self.master_key()}})
    }

    /// The template, and its graphs.
    fn document(self) -> (Value, Vec<Value>) {
        let figures = figures::of(self);
        let mut items = self.plugin_items();
        items.extend(figures.items);
        let mut macros = figures.macros;
        if self.way == Way::External {
            macros.push(json!({
                "macro": self.options_macro(),
                "value": self.entry.options_file(),
                "description": "The file with the options of the plugin, on the server",
            }));
        }
        let template = json!({
            "uuid": self.uuid(&[]),
            "template": self.name(),
            "name": self.name(),
            "description": format!("{}. Part of monitoring-plugins-sirenia.", self.entry.about),
            "groups": [{"name": GROUP}],
            "items": items,
            "discovery_rules": figures.rules,
            "macros": macros,
            "valuemaps": [{
                "uuid": self.uuid(&["valuemap"]),
                "name": "State of a check",
                "mappings": State::BY_EXIT_CODE
                    .map(|state| json!({"value": state.exit_code().to_string(), "newvalue": state.word()})),
            }],
        });
        (template, graphs::of(self))
    }

    /// The item that runs the plugin, and those on the run as a whole.
    fn plugin_items(self) -> Vec<Value> {
        let master = json!({
            "uuid": self.uuid(&["master"]),
            "name": format!("{}: document", self.entry.name),
            "type": if self.way == Way::External { "EXTERNAL" } else { "ZABBIX_PASSIVE" },
            "key": self.master_key(),
            "delay": "1m",
            "history": "1h",
            "trends": "0",
            "value_type": "TEXT",
            "triggers": [{
                "uuid": self.uuid(&["master", "nodata"]),
                "expression": format!("nodata(/{}/{},10m)=1", self.name(), self.master_key()),
                "name": format!("{} has not run for 10 minutes", self.entry.name),
                "priority": "AVERAGE",
                "manual_close": "YES",
            }],
        });
        let summary = merged(
            self.dependent(),
            json!({
                "uuid": self.uuid(&["summary"]),
                "name": format!("{}: summary", self.entry.name),
                "key": self.key(".summary"),
                "trends": "0",
                "value_type": "TEXT",
                "preprocessing": [{"type": "JSONPATH", "parameters": ["$.summary"]}],
            }),
        );
        let triggers = [(State::Critical, "HIGH"), (State::Warning, "WARNING"), (State::Unknown, "AVERAGE")]
            .map(|(state, priority)| self.problem(state, priority));
        let problem = merged(
            self.dependent(),
            json!({
                "uuid": self.uuid(&["problem"]),
                "name": format!("{}: problems beyond figures", self.entry.name),
                "key": self.key(".problem"),
                "value_type": "UNSIGNED",
                "valuemap": {"name": "State of a check"},
                "preprocessing": [{"type": "JAVASCRIPT", "parameters": [PROBLEM]}],
                "triggers": triggers,
            }),
        );
        vec![master, summary, problem]
    }

    fn problem(self, state: State, priority: &str) -> Value {
        let summary = format!("{{?last(/{}/{})}}", self.name(), self.key(".summary"));
        json!({
            "uuid": self.uuid(&["problem", priority]),
            "expression": format!("last(/{}/{})={}", self.name(), self.key(".problem"), state.exit_code()),
            "name": format!("{}: {}", self.entry.name, state.word()),
            "event_name": format!("{}: {summary}", self.entry.name),
            "priority": priority,
        })
    }

    /// What there is one of each metric per, in the order of the table.
    fn kinds(self) -> Vec<&'static str> {
        let mut seen = BTreeSet::new();
        self.entry.metrics.iter().filter_map(|row| row.per).filter(|per| seen.insert(*per)).collect()
    }

    /// The metrics of that kind; of none, those that exist once.
    fn metrics(self, per: Option<&str>) -> impl Iterator<Item = &'static Definition> {
        let metrics = self.entry.metrics;
        let per = per.map(str::to_owned);
        metrics.iter().copied().filter(move |row| row.per == per.as_deref())
    }

    /// The rule that finds the things of a kind.
    fn rule(self, per: &str, prototypes: &[Value]) -> Value {
        let names: Vec<&str> = self.metrics(Some(per)).map(|row| row.name.as_ref()).collect();
        let script = DISCOVER.replace("NAMES", &json!(names).to_string());
        merged(
            self.dependent(),
            json!({
                "uuid": self.uuid(&["rule", per]),
                "name": format!("{}: each {per}", self.entry.name),
                "key": self.key(&format!(".discovery[{}]", per.replace(' ', "_"))),
                "lifetime": "7d",
                "preprocessing": [{"type": "JAVASCRIPT", "parameters": [script]}],
                "item_prototypes": prototypes,
                "graph_prototypes": graphs::prototypes(self, per),
            }),
        )
    }
}

/// One object of two.
fn merged(one: Value, other: Value) -> Value {
    match (one, other) {
        (Value::Object(mut one), Value::Object(other)) => {
            one.extend(other);
            Value::Object(one)
        }
        (_, other) => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plugins;

    #[test]
    fn every_metric_is_an_item_or_prototype_and_every_uuid_is_one_of_a_kind() {
        for entry in plugins::all() {
            let mut uuids = BTreeSet::new();
            for way in [Way::External, Way::Agent] {
                let (template, graphs) = Template { entry: &entry, way }.document();
                let text = template.to_string();
                for row in entry.metrics {
                    assert!(text.contains(&format!("sirenia.{}.{}", entry.stem(), row.name)), "{}", row.name);
                }
                each_uuid(&json!([template, graphs]), &mut |uuid| {
                    assert!(uuid.len() == 32 && uuid.as_bytes()[12] == b'4', "{uuid}");
                    assert!(uuids.insert(uuid.to_owned()), "{uuid} stands twice in {}", entry.name);
                });
            }
            assert!(uuids.len() > 10);
        }
    }

    fn each_uuid(value: &Value, take: &mut impl FnMut(&str)) {
        match value {
            Value::Object(object) => {
                if let Some(uuid) = object.get("uuid").and_then(Value::as_str) {
                    take(uuid);
                }
                object.values().for_each(|value| each_uuid(value, take));
            }
            Value::Array(array) => array.iter().for_each(|value| each_uuid(value, take)),
            _ => {}
        }
    }
}
