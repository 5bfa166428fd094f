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
        let is_share = metric.unit == Unit::Percent && !metric.open_ended;
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

    /// Judges a metric that is 1 while something holds, else 0. `text` is how the first line says that it does.
    pub fn flag(&mut self, metric: &Definition, holds: bool, text: &str) -> State {
        let judged = self.thresholds.judge(metric, self.instance.as_deref(), Number::from(u32::from(holds)));
        let state = judged.state;
        if state != State::Ok {
            // A threshold on what does not hold is somebody's own idea, and needs its number.
            let breach = judged.breach().filter(|_| !holds);
            let said = breach.map_or_else(|| text.to_owned(), |breach| format!("{} 0 ({breach})", metric.name));
            self.problems.push((state, said));
        }
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
    fn a_flag_is_said_in_words() {
        static STUCK: Definition = Definition::gauge("x", "stuck", Unit::Number, "1 while stuck").defaults("0", "");
        let thresholds = |given: &[String]| Thresholds::parse(&[&STUCK], None, given, &[]).unwrap();
        let thresholds = [thresholds(&[]), thresholds(&["stuck=1:".to_owned()])];
        let said = |which: usize, holds| {
            let mut judging = Judging::new(&thresholds[which], "x", None);
            let state = judging.flag(&STUCK, holds, "it is stuck");
            (state, judging.problems().join(", "))
        };
        assert_eq!(said(0, true), (State::Warning, "it is stuck".to_owned()));
        assert_eq!(said(0, false), (State::Ok, String::new()));
        assert_eq!(said(1, false), (State::Warning, "stuck 0 (below 1)".to_owned()));
    }

    #[test]
    fn a_change_has_no_ends() {
        static CHANGE: Definition = Definition::gauge("x", "change", Unit::Percent, "change").open_ended();
        let thresholds = Thresholds::parse(&[&USED, &CHANGE], None, &[], &[]).unwrap();
        let ends = |metric: &Definition| {
            let mut judging = Judging::new(&thresholds, "x", None);
            judging.add(metric, Number::integer(5), "x");
            judging.item.metrics[0].min
        };
        assert_eq!((ends(&USED), ends(&CHANGE)), (Some(Number::ZERO), None));
    }

    #[test]
    fn a_phrase_takes_the_value_where_it_wants_it() {
        let thresholds = Thresholds::parse(&[&USED], None, &[], &[]).unwrap();
        let mut judging = Judging::new(&thresholds, "x", None);
        judging.add(&USED, Number::integer(96), "{} of the space used");
        assert_eq!(judging.problems(), ["96 % of the space used (over 95 %)"]);
    }
}
