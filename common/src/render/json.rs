//! One JSON document a run. The types here are its shape, for writing it and for reading it back.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};

use super::Style;
use crate::metric::{Bounds, Definition, Kind, Metric};
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
    /// Its own state, where that of its children is worse.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub own_state: Option<State>,
    /// Whether it follows from what it is a part of.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub follows: bool,
    /// When it came to be so, in seconds since 1970.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub since: Option<Number>,
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
    let state = item.worst();
    Entry {
        label: item.label.clone(),
        state,
        own_state: Some(item.state).filter(|own| *own != state),
        follows: item.follows,
        since: item.since.and_then(Number::real),
        text: item.text.clone(),
        headline: item.headline.clone(),
        causes: item.causes.clone(),
        next: if state == State::Ok { Vec::new() } else { item.next.clone() },
        notes: notes.collect(),
        metrics: figures.collect(),
        children: item.children.iter().map(|child| entry(child, style)).collect(),
    }
}

impl Entry {
    /// The item that was written so. The notes are those that were wanted then, and so are shown at any `-v`.
    ///
    /// The error names a range that is none.
    pub fn into_item(self) -> Result<Item, String> {
        let mut item = Item::new(self.label, self.own_state.unwrap_or(self.state), self.text);
        item.headline = self.headline;
        item.causes = self.causes;
        item.next = self.next;
        item.notes = self.notes.into_iter().map(|note| (0, note)).collect();
        item.since = self.since.map(Number::to_f64);
        item.follows = self.follows;
        item.metrics = self.metrics.into_iter().map(Figure::into_metric).collect::<Result<_, _>>()?;
        item.children = self.children.into_iter().map(Self::into_item).collect::<Result<_, _>>()?;
        Ok(item)
    }
}

impl Figure {
    /// The metric that was written so; what only its table says of it is not in the document.
    fn into_metric(self) -> Result<Metric, String> {
        let range = |text: &Option<String>| text.as_deref().map(str::parse::<Range>).transpose();
        let bounds = Bounds { warning: range(&self.warning)?, critical: range(&self.critical)? };
        let definition = Definition {
            name: self.name,
            kind: self.kind,
            per: self.instance.as_ref().map(|_| "instance"),
            ..Definition::gauge("", "", self.unit, "")
        };
        // A plugin may judge a figure more mildly than its range says.
        let broken = if self.state == State::Ok { None } else { bounds.judge(self.value).1 };
        let (instance, value, state, min, max) = (self.instance, self.value, self.state, self.min, self.max);
        Ok(Metric { definition, instance, value, bounds, state, broken, min, max })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metric::Thresholds;

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

    #[test]
    fn items_read_back_as_they_were() {
        static USED: Definition =
            Definition::gauge("disk", "used", Unit::Percent, "used").defaults("90", "~:95").per("x");
        let thresholds = Thresholds::parse(&[&PANICS, &USED], None, &[], &[]).unwrap();
        let used = thresholds.judge(&USED, Some("/a: b"), Number::integer(93)).within(Number::ZERO, Number::HUNDRED);
        let mut parent = Item::new("parent", State::Warning, "text").headline("head").because("cause").then("next");
        parent.since = Some(1.5);
        parent.children.push(Item { follows: true, ..Item::new("child", State::Critical, "down").with(used) });
        parent.children.push(Item::ok("fine", "").with(thresholds.judge(&PANICS, None, Number::ZERO)));
        let style = Style { plugin: "check_x", ..Style::default() };
        let mut report = Report::new("fine");
        report.items = vec![parent.note(0, "note")];
        let text = render(&report, &style);
        let document: Document = serde_json::from_str(&text).unwrap();
        let items = document.items.into_iter().map(Entry::into_item).collect::<Result<_, _>>().unwrap();
        let again = Report { items, ..Report::new("fine") };
        assert_eq!(render(&again, &style), text);
        assert_eq!(super::super::nagios::render(&again, &style), super::super::nagios::render(&report, &style));
    }

    #[test]
    fn a_range_that_is_none_is_refused() {
        let entry = r#"{"label": "x", "state": "OK", "text": "", "metrics": [
            {"name": "n", "value": 1, "unit": "number", "kind": "gauge", "state": "OK", "warning": "x"}]}"#;
        let entry: Entry = serde_json::from_str(entry).unwrap();
        assert!(entry.into_item().unwrap_err().contains("'x' is not a number"));
    }
}
