//! The page itself: how it was read, what it lacks and what spoils it.

use common::judging::Judging;
use common::number::Number;
use common::report::Item;
use common::state::State;
use common::text::Text;
use common::units::{bytes, duration};

use super::Context;
use crate::metrics::{BAD_VARIABLES, MAP, MISSING_VARIABLES, SIZE, TIME, guide};
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
    flaws(&page.flaws, &mut judging);
    if page.variables.contains_key(MAP) {
        judging.problem(State::Warning, format!("{MAP} is no map"));
    }
    for name in not_numbers(context) {
        judging.problem(State::Warning, format!("{name} is no number"));
    }
    restart(context, &mut judging);
    judging.item.notes.push((1, format!("from {}", snapshot.url).into()));
    judging.finish(format!("{} variables, {} in {}", page.names.len(), bytes(page.bytes), duration(snapshot.took)))
}

fn restart(context: &Context, judging: &mut Judging) {
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

/// Names in words, shortened.
fn listed(names: &[&str]) -> String {
    const MOST: usize = 4;
    let shown: Vec<String> = names.iter().take(MOST).map(|name| Text::limited(name, 60).to_string()).collect();
    match names.len().checked_sub(MOST) {
        None | Some(0) => shown.join(", "),
        Some(more) => format!("{} and {more} more", shown.join(", ")),
    }
}

/// Judges the variables that are not JSON, those with the same flaw together.
fn flaws(flaws: &[(String, Flaw, String)], judging: &mut Judging) {
    let mut groups: Vec<(State, String, &'static str, Vec<&str>)> = Vec::new();
    for (name, flaw, begin) in flaws {
        let (state, words, cause) = describe(name, flaw, begin);
        match groups.iter_mut().find(|(_, known, ..)| *known == words) {
            Some((.., names)) => names.push(name),
            None => groups.push((state, words, cause, vec![name])),
        }
    }
    for (state, words, cause, names) in groups {
        judging.problem(state, words.replace("{}", &listed(&names)));
        judging.item.causes.push(format!("{}: {cause}", listed(&names)).into());
        if state == State::Critical {
            judging
                .item
                .next
                .push("report the words of the panic to the support; the figures of the others hold".into());
        }
    }
}

/// The state of a flaw, its words in the first line, with `{}` where its name is to stand if others share it, and what
/// it mostly comes from.
fn describe(name: &str, flaw: &Flaw, begin: &str) -> (State, String, &'static str) {
    let name = Text::limited(name, 60);
    match flaw {
        Flaw::Panicked(words) => (
            State::Critical,
            format!("{name} panicked: {}", Text::limited(words, 100)),
            "the method that prints it panics, which is an error in the program",
        ),
        Flaw::Nil => (
            State::Warning,
            "nil pointer in {}".to_owned(),
            "a pointer that was published before it pointed at anything",
        ),
        Flaw::Empty => (
            State::Warning,
            "no value in {}".to_owned(),
            "its function returns what Go cannot write as JSON, NaN for instance",
        ),
        Flaw::NotFinite => (
            State::Warning,
            "NaN or infinity in {}".to_owned(),
            "Go writes them bare, which is no JSON; mostly a division by zero",
        ),
        Flaw::Escapes => (
            State::Warning,
            "text that is not JSON in {}".to_owned(),
            "a key holds control characters or bad UTF-8, which Go quotes in its own way",
        ),
        Flaw::Garbage => (
            State::Warning,
            format!("{name} is not JSON: {}", Text::limited(begin, 40)),
            "what publishes it writes something else",
        ),
        Flaw::OutOfOrder => (
            State::Warning,
            "lines out of order, which are not taken: {}".to_owned(),
            "Go sorts the names, so the value of another variable wrote this line",
        ),
    }
}
