//! The page itself: how it was read, what it lacks and what spoils it.

use common::number::Number;
use common::report::Item;
use common::state::State;
use common::text::Text;
use common::units::{bytes, duration};

use super::Context;
use crate::metrics::{BAD_VARIABLES, MISSING_VARIABLES, SIZE, TIME, guide};
use crate::parse::go::Flaw;
use crate::parse::path;

pub(super) fn page(context: &Context) -> Item {
    let snapshot = context.snapshot;
    let page = &snapshot.page;
    let mut judging = context.judging("page");
    judging.add(&TIME, Number::real(snapshot.took), "the page took");
    judging.add(&SIZE, Number::from(page.bytes), "the page has");
    if !page.is_whole {
        judging.problem(State::Critical, format!("the page breaks off after {} variables", page.names.len()));
        judging.item.next.push("docker-compose logs --tail 50 kwanza (a panic while the page was written?)".into());
    }
    let missing: Vec<&str> = guide().filter(|name| !page.names.contains(*name)).collect();
    judging.add(&MISSING_VARIABLES, Number::from(missing.len()), "missing variables:");
    judging.add(&BAD_VARIABLES, Number::from(page.flaws.len()), "variables that are not JSON:");
    if !missing.is_empty() && context.config.missing != State::Ok {
        judging.problem(context.config.missing, in_words(&missing));
    }
    for name in &missing {
        let alike = page.names.iter().find(|other| other.eq_ignore_ascii_case(name));
        let hint = alike.map(|other| format!("; the page has {other}, names are told apart by case"));
        judging.item.causes.push(format!("{name} is missing{}", hint.unwrap_or_default()).into());
    }
    if missing.len() == guide().count() {
        judging.item.next.push("is that Kwanza? the guide's log line 'expvars available' names its port".into());
    }
    for (name, flaw, begin) in &page.flaws {
        let (state, words) = describe(flaw, begin);
        judging.problem(state, format!("{} {words}", Text::limited(name, 60)));
        judging.item.causes.push(format!("{}: {}", Text::limited(name, 60), cause(flaw)).into());
    }
    for name in not_numbers(context) {
        judging.problem(State::Warning, format!("{name} is no number"));
    }
    restart(context, &mut judging);
    judging.item.notes.push((1, format!("from {}", snapshot.url).into()));
    judging.finish(format!("{} variables, {} in {}", page.names.len(), bytes(page.bytes), duration(snapshot.took)))
}

fn restart(context: &Context, judging: &mut common::judging::Judging) {
    if !context.was_restarted {
        if context.kept.is_none() {
            judging.item.notes.push((1, "baseline taken".into()));
        }
        return;
    }
    judging.item.notes.push((1, "Kwanza was restarted since the last run; a new baseline is taken".into()));
    if context.config.restart != State::Ok {
        judging.problem(context.config.restart, "Kwanza was restarted since the last run");
        judging.item.next.push("docker-compose ps; docker-compose logs --tail 100 kwanza".into());
    }
}

/// The missing variables in the first line.
fn in_words(missing: &[&str]) -> String {
    match missing {
        [one] => format!("{one} is missing"),
        [one, another] => format!("{one} and {another} are missing"),
        [one, rest @ ..] => format!("{one} and {} more variables are missing", rest.len()),
        [] => String::new(),
    }
}

/// Variables of the guide that are there and are no numbers, as they should be.
fn not_numbers<'a>(context: &Context<'a>) -> impl Iterator<Item = &'a str> {
    let page = &context.snapshot.page;
    let is_flawed = |name: &str| page.flaws.iter().any(|(flawed, ..)| flawed == name);
    page.variables
        .iter()
        .filter(move |(name, value)| path::number(value).is_none() && !is_flawed(name))
        .map(|(name, _)| name.as_str())
        .filter(|name| guide().any(|known| known == *name))
}

/// The state and the words of a flaw in the first line.
fn describe(flaw: &Flaw, begin: &str) -> (State, String) {
    match flaw {
        Flaw::Panicked(words) => (State::Critical, format!("panicked: {}", Text::limited(words, 100))),
        Flaw::Nil => (State::Warning, "is nil".to_owned()),
        Flaw::Empty => (State::Warning, "has no value".to_owned()),
        Flaw::NotFinite => (State::Warning, "is NaN or infinite".to_owned()),
        Flaw::Escapes => (State::Warning, "has text that is not JSON".to_owned()),
        Flaw::Garbage => (State::Warning, format!("is not JSON: {}", Text::limited(begin, 40))),
        Flaw::OutOfOrder => (State::Warning, "has a line out of order, which is not taken".to_owned()),
    }
}

/// What a flaw mostly comes from.
const fn cause(flaw: &Flaw) -> &'static str {
    match flaw {
        Flaw::Panicked(_) => "the method that prints it panics, which is an error in the program",
        Flaw::Nil => "a pointer that was published before it pointed at anything",
        Flaw::Empty => "the function behind it returns what Go cannot write as JSON, a NaN for instance",
        Flaw::NotFinite => "Go prints NaN and infinity bare, which JSON does not know: a division by zero, mostly",
        Flaw::Escapes => "a key holds control characters or bad UTF-8, which Go quotes in its own way",
        Flaw::Garbage => "what publishes it writes something else than JSON",
        Flaw::OutOfOrder => "Go sorts the names, so another variable wrote this line, or it was published twice over",
    }
}
