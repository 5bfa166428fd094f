//! One JSON document a run. The types here are its shape, for writing it and for reading it back.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};

use super::Style;
use crate::metric::Kind;
use crate::number::Number;
use crate::range::Range;
use crate::report::{Item, Report};
use crate::state::State;
use crate::text::Text;
use crate::units::Unit;

/// Version of the document's shape; it rises when a reader of the older shape would misread the newer.
pub const SCHEMA_VERSION: u32 = 1;

/// The document.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Document {
    /// [`SCHEMA_VERSION`].
    pub schema: u32,
    /// The plugin's name, `check_x`.
    pub plugin: Cow<'static, str>,
    /// The plugin's version.
    pub version: Cow<'static, str>,
    /// Worst state of all items.
    pub state: State,
    /// Its exit code, 0 to 3, whatever the process exits with.
    pub exit_code: u8,
    /// The text of the status line, without perfdata.
    pub summary: String,
    /// What was looked at.
    pub items: Vec<Entry>,
}

/// One thing that was looked at.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Entry {
    /// What it is.
    pub label: Text,
    /// Its state, its children's included.
    pub state: State,
    /// What was found.
    pub text: Text,
    /// The same in a few words; may be empty.
    #[serde(default, skip_serializing_if = "Text::is_empty")]
    pub headline: Text,
    /// Why it is so.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub causes: Vec<Text>,
    /// What to do next.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub next: Vec<Text>,
    /// Further facts.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub notes: Vec<Text>,
    /// Its figures.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub metrics: Vec<Figure>,
    /// Its parts.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub children: Vec<Entry>,
}

/// One value.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Figure {
    /// The metric's name.
    pub name: Cow<'static, str>,
    /// What it belongs to, where there is one per thing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub instance: Option<Text>,
    /// The value in `unit`.
    pub value: Number,
    /// Unit of the value, its thresholds and limits.
    pub unit: Unit,
    /// Gauge or counter.
    pub kind: Kind,
    /// State by its thresholds.
    pub state: State,
    /// Warning range.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub warning: Option<String>,
    /// Critical range.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub critical: Option<String>,
    /// Smallest possible value.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub min: Option<Number>,
    /// Largest possible value.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max: Option<Number>,
}

/// `report` as one line of JSON. Every item is in it, at any `-v`; notes are in it up to that level.
pub fn render(report: &Report, style: &Style) -> String {
    let state = report.state();
    let document = Document {
        schema: SCHEMA_VERSION,
        plugin: style.plugin.into(),
        version: env!("CARGO_PKG_VERSION").into(),
        state,
        exit_code: state.exit_code(),
        summary: super::nagios::first_line(report, state),
        items: report.items.iter().map(|item| entry(item, style)).collect(),
    };
    // Nothing in the document can fail to serialise: its keys are strings and its numbers finite.
    let mut text = serde_json::to_string(&document).unwrap_or_default();
    text.push('\n');
    text
}

fn entry(item: &Item, style: &Style) -> Entry {
    let text = |range: Option<Range>| range.map(|range| range.to_string());
    let figures = item.metrics.iter().filter(|metric| style.selects(metric)).map(|metric| Figure {
        name: metric.definition.name.clone(),
        instance: metric.instance.clone(),
        value: metric.value,
        unit: metric.definition.unit,
        kind: metric.definition.kind,
        state: metric.state,
        warning: text(metric.bounds.warning),
        critical: text(metric.bounds.critical),
        min: metric.min,
        max: metric.max,
    });
    let notes = item.notes.iter().filter(|(level, _)| style.verbosity >= *level).map(|(_, note)| note.clone());
    Entry {
        label: item.label.clone(),
        state: item.worst(),
        text: item.text.clone(),
        headline: item.headline.clone(),
        causes: item.causes.clone(),
        next: if item.worst() == State::Ok { Vec::new() } else { item.next.clone() },
        notes: notes.collect(),
        metrics: figures.collect(),
        children: item.children.iter().map(|child| entry(child, style)).collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metric::{Definition, Thresholds};

    static PANICS: Definition =
        Definition::gauge("x", "panics", Unit::Number, "panics").counter().defaults("0", "@5:6");

    #[test]
    fn a_document_reads_back_with_exact_integers() {
        let thresholds = Thresholds::parse(&[&PANICS], None, &[], &[]).unwrap();
        let mut report = Report::new("fine");
        report.items = vec![
            Item::ok("kwanza", "a \"quoted\" text\u{1b}[0m")
                .with(thresholds.judge(&PANICS, None, Number::from((1u64 << 53) + 1)))
                .then("restart"),
        ];
        let text = render(&report, &Style { plugin: "check_x", ..Style::default() });
        assert_eq!(text.lines().count(), 1);
        let document: Document = serde_json::from_str(&text).unwrap();
        assert_eq!((document.state, document.exit_code), (State::Warning, 1));
        let figure = &document.items[0].metrics[0];
        assert_eq!(figure.value.to_string(), "9007199254740993");
        assert_eq!(figure.critical.as_deref(), Some("@5:6"));
        assert_eq!(document.items[0].next[0].as_str(), "restart");
    }
}
