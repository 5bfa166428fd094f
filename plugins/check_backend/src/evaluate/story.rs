//! What happened one after another.

use std::fmt::Write as _;

use common::text::Text;
use jiff::Timestamp;
use jiff::tz::Offset;

use super::problem::{Place, Problem};

/// Events that are told, at most.
const MOST: usize = 4;

/// The problem at `place` and what follows from it, in the order of time; nothing where that tells nothing.
pub(super) fn told(place: &Place, problems: &[Problem], causes: &[Option<usize>], utc_offset: i32) -> Option<Text> {
    let mut events: Vec<(String, f64, &Problem)> = Vec::new();
    for (position, problem) in problems.iter().enumerate() {
        let chain = std::iter::successors(Some(position), |at| causes.get(*at).copied().flatten());
        let root = chain.last().and_then(|root| problems.get(root));
        if problem.not_before.is_some() && root.is_some_and(|root| root.place == *place) {
            events.push((clock(problem.since, utc_offset)?, problem.since, problem));
        }
    }
    // The cause is not after what follows from it, whatever the minute in which it was first looked at.
    events
        .sort_by(|(_, one, a), (_, other, b)| (a.place != *place).cmp(&(b.place != *place)).then(one.total_cmp(other)));
    let (first, ..) = events.first()?;
    if events.iter().all(|(time, ..)| time == first) {
        return None;
    }
    let said = events.iter().take(MOST).map(|(time, _, problem)| format!("{time} {}", problem.item.headline));
    let mut story = said.collect::<Vec<_>>().join("; ");
    if events.len() > MOST {
        let _ = write!(story, "; {} more", events.len() - MOST);
    }
    Some(story.into())
}

/// A time of the day, with the day where it may be another one than today's.
fn clock(seconds: f64, utc_offset: i32) -> Option<String> {
    let whole = common::recent::whole_seconds(seconds);
    let time = Timestamp::from_second(i64::try_from(whole).ok()?).ok()?;
    let offset = Offset::from_seconds(utc_offset).ok()?;
    Some(offset.to_datetime(time).strftime("%H:%M").to_string())
}
