//! The items of the report: each check with what it found, and what follows from something below that.

use std::collections::BTreeMap;

use common::report::Item;
use common::state::State;

use super::problem::{Place, Problem};
use super::story;
use crate::snapshot::Looked;

/// The items that stand by themselves, one for each check that does not follow as a whole.
pub(super) fn build(
    checks: &[Looked],
    reports: &[Item],
    problems: &[Problem],
    causes: &[Option<usize>],
    utc_offset: i32,
) -> Vec<Item> {
    let moves = moves(reports.len(), problems, causes);
    let forest = Forest { checks, reports, problems, causes, moves, utc_offset };
    let tops = (0..reports.len()).map(|check| Place { check, path: Vec::new() });
    let items: Vec<Item> =
        tops.filter(|top| !forest.moves.contains_key(top)).filter_map(|top| forest.top(&top)).collect();
    // Whatever is thought of causes, nothing that was found is left out.
    let found = |items: &[Item]| items.iter().map(bad).sum::<usize>();
    if found(&items) < found(reports) { reports.iter().cloned().map(folded).collect() } else { items }
}

/// How many items are not OK by themselves.
fn bad(item: &Item) -> usize {
    usize::from(item.state != State::Ok) + item.children.iter().map(bad).sum::<usize>()
}

/// What moves, and below what: a check as a whole where all that is not OK in it has one cause elsewhere.
fn moves(checks: usize, problems: &[Problem], causes: &[Option<usize>]) -> BTreeMap<Place, Place> {
    let mut moves = BTreeMap::new();
    for check in 0..checks {
        let own = || problems.iter().zip(causes).filter(|(problem, _)| problem.place.check == check);
        let above = |cause: &Option<usize>| cause.and_then(|cause| problems.get(cause)).map(|cause| &cause.place);
        let is_inside = |cause: &Option<usize>| above(cause).is_some_and(|place| place.check == check);
        // A part of what moves goes with it.
        let is_carried = |place: &Place| {
            own().any(|(whole, cause)| cause.is_some() && whole.place != *place && whole.place.holds(place))
        };
        let outward: Vec<Option<&Place>> = own()
            .filter(|(problem, cause)| !is_inside(cause) && !is_carried(&problem.place))
            .map(|(_, cause)| above(cause))
            .collect();
        let whole =
            outward.first().copied().flatten().filter(|first| outward.iter().all(|place| *place == Some(first)));
        for (problem, cause) in own() {
            if let Some(place) = above(cause).filter(|_| whole.is_none() || is_inside(cause)) {
                moves.insert(problem.place.clone(), place.clone());
            }
        }
        if let Some(place) = whole {
            moves.insert(Place { check, path: Vec::new() }, place.clone());
        }
    }
    moves
}

struct Forest<'a> {
    checks: &'a [Looked],
    reports: &'a [Item],
    problems: &'a [Problem<'a>],
    causes: &'a [Option<usize>],
    moves: BTreeMap<Place, Place>,
    utc_offset: i32,
}

impl Forest<'_> {
    /// The item of a check that stands by itself. What was bad in it may stand elsewhere by now.
    fn top(&self, place: &Place) -> Option<Item> {
        let before = self.at(place)?.worst();
        let mut item = self.item(place)?;
        if before != State::Ok && item.worst() == State::Ok {
            item.state = before;
            item.follows = true;
            item.text = format!("{}; each is listed below its cause", item.text).into();
        }
        Some(folded(item))
    }

    fn at(&self, place: &Place) -> Option<&Item> {
        let report = self.reports.get(place.check)?;
        place.path.iter().try_fold(report, |item, index| item.children.get(*index))
    }

    /// What stands at `place`, without the parts that have moved and with what has moved here.
    fn item(&self, place: &Place) -> Option<Item> {
        let original = self.at(place)?;
        let mut item = Item { children: Vec::new(), ..original.clone() };
        for index in 0..original.children.len() {
            let part = Place { check: place.check, path: [&place.path[..], &[index]].concat() };
            if !self.moves.contains_key(&part) {
                item.children.extend(self.item(&part));
            }
        }
        for (from, _) in self.moves.iter().filter(|(_, to)| *to == place) {
            item.children.extend(self.item(from).map(|moved| self.below(place, from, moved)));
        }
        let is_root = |(problem, cause): (&Problem, &Option<usize>)| problem.place == *place && cause.is_none();
        if item.following() > 0 && self.problems.iter().zip(self.causes).any(is_root) {
            let story = story::told(place, self.problems, self.causes, self.utc_offset);
            item.causes.splice(0..0, story);
        }
        Some(item)
    }

    /// An item that follows from the one at `cause`, which may be of another check.
    fn below(&self, cause: &Place, from: &Place, item: Item) -> Item {
        let mut item = folded(item);
        item.follows = true;
        if !from.path.is_empty()
            && from.check != cause.check
            && let Some(looked) = self.checks.get(from.check)
        {
            item.label = format!("{} {}", looked.check.name, item.label).into();
        }
        item
    }
}

/// A check that has found one thing says it once.
fn folded(mut item: Item) -> Item {
    let is_one = item.state == State::Ok && item.causes.is_empty() && item.next.is_empty();
    match item.children.as_slice() {
        [only] if is_one && !only.follows && only.text == item.text => {}
        _ => return item,
    }
    let Some(mut only) = item.children.pop() else { return item };
    only.metrics.append(&mut item.metrics);
    Item { label: item.label, follows: item.follows, ..only }
}
