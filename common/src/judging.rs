//! An item of a report while it is judged: figures against their thresholds, and problems that no threshold tells.

use std::cmp::Reverse;

use crate::metric::{Definition, Thresholds};
use crate::number::Number;
use crate::report::Item;
use crate::state::State;
use crate::units::Unit;

/// An item under judgement, whose problems become its words in the first line.
#[derive(Debug)]
pub struct Judging<'a> {
    /// The item so far.
    pub item: Item,
    /// What its figures belong to, where there is one per thing.
    pub instance: Option<String>,
    thresholds: &'a Thresholds,
    problems: Vec<(State, String)>,
}

impl<'a> Judging<'a> {
    /// Starts the verdict on `label`, whose figures belong to `instance`.
    pub fn new(thresholds: &'a Thresholds, label: &str, instance: Option<String>) -> Self {
        Self { item: Item::ok(label, ""), instance, thresholds, problems: Vec::new() }
    }

    /// Judges `value`; `phrase` is how the first line says it, with `{}` for the value, which else stands behind it.
    pub fn add(&mut self, metric: &Definition, value: impl Into<Option<Number>>, phrase: &str) -> State {
        let Some(value) = value.into() else { return State::Ok };
        let judged = self.thresholds.judge(metric, self.instance.as_deref(), value);
        // A share of a limit that may be passed for a while, or a change, has no such ends.
        let is_share = metric.unit == Unit::Percent && (Number::ZERO..=Number::HUNDRED).contains(&judged.value);
        let judged = if is_share { judged.within(Number::ZERO, Number::HUNDRED) } else { judged };
        if let Some(breach) = judged.breach() {
            let said = if phrase.contains("{}") {
                phrase.replace("{}", &judged.human())
            } else {
                format!("{phrase} {}", judged.human())
            };
            self.problems.push((judged.state, format!("{said} ({breach})")));
        }
        let state = judged.state;
        self.item.push(judged);
        state
    }

    /// Adds a figure that is never judged now, whatever its thresholds.
    pub fn show(&mut self, metric: &Definition, value: Number) {
        self.item.push(self.thresholds.judge(metric, self.instance.as_deref(), value).unjudged());
    }

    /// A problem that no threshold tells.
    pub fn problem(&mut self, state: State, text: impl Into<String>) {
        self.item.raise(state);
        self.problems.push((state, text.into()));
    }

    /// The problems so far, worst first, of equals the earlier.
    pub fn problems(&self) -> Vec<&str> {
        let mut order: Vec<&(State, String)> = self.problems.iter().collect();
        order.sort_by_key(|(state, _)| Reverse(*state));
        order.into_iter().map(|(_, text)| text.as_str()).collect()
    }

    /// The item with its text, and a headline of its problems, worst first.
    #[must_use]
    pub fn finish(self, text: impl Into<String>) -> Item {
        let headline = self.problems().join(", ");
        let mut item = self.item.headline(headline);
        item.text = text.into().into();
        item
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    static USED: Definition =
        Definition::gauge("disk", "used_percent", Unit::Percent, "used").defaults("90", "95").per("mount");

    #[test]
    fn the_headline_tells_the_problems_worst_first() {
        let thresholds = Thresholds::parse(&[&USED], None, &[], &[]).unwrap();
        let mut judging = Judging::new(&thresholds, "/var", Some("/var".to_owned()));
        judging.problem(State::Unknown, "inodes are hidden");
        assert_eq!(judging.add(&USED, Number::integer(91), "disk /var"), State::Warning);
        assert_eq!(judging.add(&USED, None, "nothing"), State::Ok);
        judging.show(&USED, Number::integer(99));
        let item = judging.finish("91 % used");
        assert_eq!((item.state, item.metrics.len()), (State::Warning, 2));
        assert_eq!(item.headline.as_str(), "disk /var 91 % (over 90 %), inodes are hidden");
    }

    #[test]
    fn a_phrase_takes_the_value_where_it_wants_it() {
        let thresholds = Thresholds::parse(&[&USED], None, &[], &[]).unwrap();
        let mut judging = Judging::new(&thresholds, "x", None);
        judging.add(&USED, Number::integer(96), "{} of the space used");
        assert_eq!(judging.problems(), ["96 % of the space used (over 95 %)"]);
    }
}
