//! What earlier runs tell, and what this one leaves for the next.

use std::collections::BTreeMap;

use common::number::Number;
use common::recent::{self, Events};

use super::Context;
use crate::cli::Config;
use crate::metrics::{COUNTERS, PANICS};
use crate::parse::page::Page;
use crate::parse::path;
use crate::snapshot::Kept;

/// The exact difference of two numbers; `None` for one that fell.
pub(super) fn difference(now: Number, before: Number) -> Option<Number> {
    if now < before {
        return None;
    }
    match (now.to_integer(), before.to_integer()) {
        (Some(now), Some(before)) => now.checked_sub(before).map(Number::integer),
        _ => Number::real(now.to_f64() - before.to_f64()),
    }
}

/// Every counter of the guide, and those of `--counter`, by name or path.
pub(super) fn counters(config: &Config, page: &Page) -> BTreeMap<String, Number> {
    let of_guide = COUNTERS.iter().chain(PANICS.iter().map(|(counter, _)| counter));
    let mut counters: BTreeMap<String, Number> = of_guide
        .filter_map(|counter| {
            let name = counter.total.name.as_ref();
            Some((name.to_owned(), path::number(page.variables.get(name)?)?))
        })
        .collect();
    let mut own = Vec::new();
    for (name, value) in &page.variables {
        path::matching(name, value, &config.counters, &mut own);
    }
    counters.extend(own);
    counters
}

/// Whether the program was started anew: a counter of the guide fell, or it has allocated less in all.
pub(super) fn was_restarted(kept: &Kept, counters: &BTreeMap<String, Number>, page: &Page) -> bool {
    let of_guide = COUNTERS.iter().chain(PANICS.iter().map(|(counter, _)| counter));
    let fell = of_guide
        .map(|counter| counter.total.name.as_ref())
        .any(|name| kept.counters.get(name).zip(counters.get(name)).is_some_and(|(before, now)| now < before));
    let memory = page.memory.as_ref();
    let allocated_less = kept
        .allocated
        .zip(memory)
        .is_some_and(|((bytes, collections), memory)| memory.total_alloc < bytes || memory.num_gc < collections);
    fell || allocated_less
}

/// Panics of the last hour that variable `name` counts: (seconds since 1970, count).
pub(super) fn panics(context: &Context, name: &str) -> Events {
    let now = context.snapshot.at.wall;
    let known = context.kept.and_then(|kept| kept.panics.get(name)).map(Vec::as_slice).unwrap_or_default();
    // All panics of a program that was started anew are new; those before the first run are history.
    let new = if context.was_restarted { context.counters.get(name).copied() } else { context.growth(name) };
    let new = new.and_then(Number::to_integer).and_then(|count| u64::try_from(count).ok()).unwrap_or(0);
    recent::extended(known, now, now, new)
}

/// When Pings was last found to have grown, in seconds since boot.
pub(super) fn pinged(context: &Context) -> Option<f64> {
    let now = context.snapshot.at.boot;
    context.counters.get("Pings")?;
    let is_same_boot = context.elapsed().is_some();
    let has_grown = context.growth("Pings").is_none_or(|growth| growth > Number::ZERO);
    if has_grown || !is_same_boot {
        return Some(now);
    }
    context.baseline().and_then(|kept| kept.pinged).or(Some(now))
}

/// When deliveries were last found to move, in seconds since boot: none in flight, fewer than before, or some sent.
pub(super) fn delivered(context: &Context) -> Option<f64> {
    let now = context.snapshot.at.boot;
    let in_flight = context.number("NotificationsInFlight")?;
    let before = context.baseline().and_then(|kept| kept.in_flight);
    let is_still = context.growth("Notifications") == Some(Number::ZERO)
        && in_flight > Number::ZERO
        && before.is_some_and(|before| before > Number::ZERO && in_flight >= before);
    if !is_still || context.elapsed().is_none() {
        return Some(now);
    }
    // Since the last run at least.
    let last = context.baseline()?;
    last.delivered.or_else(|| last.at.as_ref().map(|at| at.boot)).or(Some(now))
}

/// What is kept.
pub(super) fn keep(context: &Context) -> Kept {
    let page = &context.snapshot.page;
    Kept {
        at: Some(context.snapshot.at.clone()),
        counters: context.counters.clone(),
        streams: context.number("Streams"),
        in_flight: context.number("NotificationsInFlight"),
        pinged: pinged(context),
        delivered: delivered(context),
        allocated: page.memory.as_ref().map(|memory| (memory.total_alloc, memory.num_gc)),
        panics: PANICS
            .iter()
            .map(|(counter, _)| counter.total.name.to_string())
            .map(|name| (name.clone(), panics(context, &name)))
            .filter(|(_, events)| !events.is_empty())
            .collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn differences_are_exact() {
        let big = Number::from((1u64 << 53) + 1);
        assert_eq!(difference(big, Number::from(1u64 << 53)), Some(Number::integer(1)));
        assert_eq!(difference(Number::ZERO, Number::integer(1)), None);
        assert_eq!(difference(Number::real(1.5).unwrap(), Number::integer(1)), Number::real(0.5));
    }
}
