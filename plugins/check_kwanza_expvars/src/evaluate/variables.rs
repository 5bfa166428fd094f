//! Variables beyond those of the guide.

use common::judging::Judging;
use common::number::Number;
use common::report::Item;
use common::state::State;

use super::Context;
use crate::metrics::{COUNT, DELTA, PER_SECOND, VALUE};
use crate::parse::path;

/// The variables that `globs` find, with their values.
fn found(context: &Context, globs: &[common::glob::Glob]) -> Vec<(String, Number)> {
    let mut found = Vec::new();
    for (name, value) in &context.snapshot.page.variables {
        path::matching(name, value, globs, &mut found);
    }
    found
}

/// The paths that are judged.
pub(super) fn known(context: &Context) -> Vec<String> {
    let (vars, counters) = (found(context, &context.config.vars), found(context, &context.config.counters));
    vars.into_iter().chain(counters).map(|(path, _)| path).collect()
}

/// An item for each variable that the options name.
pub(super) fn variables(context: &Context) -> Vec<Item> {
    let mut items = Vec::new();
    for (path, value) in found(context, &context.config.vars) {
        let mut judging = Judging::new(&context.config.thresholds, &path, Some(path.clone()));
        judging.add(&VALUE, value, &path);
        items.push(judging.finish(value.to_string()));
    }
    for (path, value) in found(context, &context.config.counters) {
        let mut judging = Judging::new(&context.config.thresholds, &path, Some(path.clone()));
        judging.add(&COUNT, value, &path);
        let growth = context.growth(&path);
        judging.add(&DELTA, growth, &format!("{path} grew by"));
        judging.add(&PER_SECOND, context.rate(&path), &format!("{path}/s"));
        let text = growth.map_or_else(|| "baseline taken".to_owned(), |growth| format!("grew by {growth}"));
        items.push(judging.finish(format!("{value}, {text}")));
    }
    let globs = context.config.vars.iter().map(|glob| ("--var", glob));
    for (option, glob) in globs.chain(context.config.counters.iter().map(|glob| ("--counter", glob))) {
        if !known(context).iter().any(|path| glob.matches(path)) {
            let text = format!("{option} {} finds no number in the page", glob.text());
            items.push(Item::new(glob.text(), State::Unknown, text.clone()).headline(text));
        }
    }
    items
}
