//! What a check found: items with their state, cause and next step.

use crate::metric::Metric;
use crate::state::State;
use crate::text::Text;

/// The findings of one run, before they are rendered.
#[derive(Clone, Debug, Default)]
pub struct Report {
    /// The first line's text when every item is OK.
    pub summary: Text,
    /// A short fact that follows the problems in the first line (`2 of 3 services up`); may be empty.
    pub context: Text,
    /// What was looked at, in the order in which a reader expects it.
    pub items: Vec<Item>,
    /// Whether items that are OK are listed without `-v` too, because they are the answer to a question.
    pub list_all: bool,
    /// Whether the items themselves, without their parts, are listed though they are OK.
    pub list_items: bool,
}

/// One thing that was looked at.
#[derive(Clone, Debug)]
pub struct Item {
    /// What it is: a group, a mount, a container.
    pub label: Text,
    /// Its own state, that of its metrics included and that of its children not.
    pub state: State,
    /// What was found, with the figures.
    pub text: Text,
    /// The same in a few words for the first line; `label text` where empty.
    pub headline: Text,
    /// The figures behind it.
    pub metrics: Vec<Metric>,
    /// Why it is as it is, where that is known; shown while the item is not OK, and at `-v`.
    pub causes: Vec<Text>,
    /// What the operations guide does next; shown while the item is not OK.
    pub next: Vec<Text>,
    /// Further facts, each with the `-v` level from which it is shown.
    pub notes: Vec<(u8, Text)>,
    /// When it came to be so, in seconds since 1970, where its source tells.
    pub since: Option<f64>,
    /// Whether it follows from the item that it is a part of, and so is no problem of its own: the first line does not
    /// name it.
    pub follows: bool,
    /// Its parts.
    pub children: Vec<Item>,
}

impl Report {
    /// A report that says `summary` while all is well.
    pub fn new(summary: impl Into<Text>) -> Self {
        Self { summary: summary.into(), ..Self::default() }
    }

    /// A report of nothing but one finding.
    pub fn single(state: State, label: impl Into<Text>, text: impl Into<Text>) -> Self {
        let text = text.into();
        let item = Item { headline: text.clone(), state, ..Item::ok(label, text.clone()) };
        Self { items: vec![item], ..Self::new(text) }
    }

    /// The worst state of all items; UNKNOWN if there are none.
    pub fn state(&self) -> State {
        State::worst(self.items.iter().map(Item::worst))
    }

    /// All metrics of all items, in order.
    pub fn metrics(&self) -> Vec<&Metric> {
        let mut metrics = Vec::new();
        for item in &self.items {
            item.collect_metrics(&mut metrics);
        }
        metrics
    }
}

impl Item {
    /// An item that is OK so far.
    pub fn ok(label: impl Into<Text>, text: impl Into<Text>) -> Self {
        Self {
            label: label.into(),
            state: State::Ok,
            text: text.into(),
            headline: Text::default(),
            metrics: Vec::new(),
            causes: Vec::new(),
            next: Vec::new(),
            notes: Vec::new(),
            since: None,
            follows: false,
            children: Vec::new(),
        }
    }

    /// An item in `state` by itself, whatever its metrics say.
    pub fn new(label: impl Into<Text>, state: State, text: impl Into<Text>) -> Self {
        Self { state, ..Self::ok(label, text) }
    }

    /// This item with a metric, whose state counts.
    #[must_use]
    pub fn with(mut self, metric: Metric) -> Self {
        self.push(metric);
        self
    }

    /// Adds a metric, whose state counts.
    pub fn push(&mut self, metric: Metric) {
        self.state = self.state.max(metric.state);
        self.metrics.push(metric);
    }

    /// Makes the item at least as severe as `state`.
    pub fn raise(&mut self, state: State) {
        self.state = self.state.max(state);
    }

    /// This item with the words for the first line.
    #[must_use]
    pub fn headline(mut self, headline: impl Into<Text>) -> Self {
        self.headline = headline.into();
        self
    }

    /// This item with a cause.
    #[must_use]
    pub fn because(mut self, cause: impl Into<Text>) -> Self {
        self.causes.push(cause.into());
        self
    }

    /// This item with a next step.
    #[must_use]
    pub fn then(mut self, step: impl Into<Text>) -> Self {
        self.next.push(step.into());
        self
    }

    /// This item with a fact that is shown from `-v` level `verbosity` on.
    #[must_use]
    pub fn note(mut self, verbosity: u8, note: impl Into<Text>) -> Self {
        self.notes.push((verbosity, note.into()));
        self
    }

    /// The worst state of this item and its children.
    pub fn worst(&self) -> State {
        self.children.iter().map(Self::worst).fold(self.state, State::max)
    }

    /// How many of its parts, and of theirs, are not OK and follow from what they are a part of.
    pub fn following(&self) -> usize {
        let own = |child: &Self| usize::from(child.follows && child.worst() != State::Ok);
        self.children.iter().map(|child| own(child) + child.following()).sum()
    }

    /// How the worst of its metrics breaks its range, for a reader.
    pub fn breach(&self) -> Option<String> {
        self.metrics
            .iter()
            .filter(|metric| metric.broken.is_some())
            .max_by_key(|metric| metric.state)
            .and_then(Metric::breach)
    }

    fn collect_metrics<'a>(&'a self, into: &mut Vec<&'a Metric>) {
        into.extend(&self.metrics);
        for child in &self.children {
            child.collect_metrics(into);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_report_is_as_bad_as_its_worst_part() {
        let mut report = Report::new("fine");
        assert_eq!(report.state(), State::Unknown, "nothing was looked at");
        let mut parent = Item::ok("disk", "2 mounts");
        parent.children.push(Item::new("/", State::Warning, "91 %"));
        report.items = vec![Item::new("cpu", State::Unknown, "unreadable"), parent];
        assert_eq!(report.state(), State::Warning);
    }
}
