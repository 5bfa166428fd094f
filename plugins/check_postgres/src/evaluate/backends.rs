//! Sessions and how many more there may be.

use common::number::{Number, percent};
use common::report::Item;
use common::state::State;
use common::text::Text;
use common::units::counted;

use super::groups::{Context, GRANT_MONITOR, finish};
use super::server::usable_connections;
use crate::metrics::{CONNECTIONS, CONNECTIONS_USED_PERCENT, WAITING_ON_LOCKS};
use crate::snapshot::{Activity, Count};

pub(super) fn backends(context: &Context, activity: &Activity) -> Item {
    let mut judging = context.judging("backends");
    let usable = usable_connections(context.server());
    judging.add(&CONNECTIONS, Number::from(activity.clients), "connections:");
    let used = percent(activity.clients, usable.into()).and_then(Number::real);
    let phrase = format!("{} of {usable} connections used, {{}}", activity.clients);
    if judging.add(&CONNECTIONS_USED_PERCENT, used, &phrase) != State::Ok {
        if let Some(Ok(counts)) = &context.snapshot.explanation.session_counts {
            judging.item.causes.push(format!("most are of {}", most(counts, &["user", "database", "state"])).into());
        }
        judging.item.next.push(
            "SELECT usename, datname, client_addr, state, count(*) FROM pg_stat_activity GROUP BY 1, 2, 3, 4 ORDER BY 5 DESC".into(),
        );
        judging.item.next.push("docker-compose restart kwanza (if its idle sessions are the many)".into());
    }
    if context.server().may_see_stats {
        judging.add(&WAITING_ON_LOCKS, Number::from(activity.waiting), "sessions that wait for a lock:");
    } else {
        judging.problem(State::Unknown, "the role may not see what the sessions of others do");
        judging.item.next.push(context.grant(GRANT_MONITOR).into());
    }
    let counts = context.snapshot.explanation.session_counts.iter().flatten().flatten();
    for by in ["state", "database", "user"] {
        let names = counts.clone().filter(|count| count.by == by).take(context.top().max(1));
        let names: Vec<String> =
            names.map(|count| format!("{} {}", count.count, named(count.name.as_deref()))).collect();
        if !names.is_empty() {
            judging.item.notes.push((1, format!("by {by}: {}", names.join(", ")).into()));
        }
    }
    let waiting = match activity.waiting {
        0 => String::new(),
        waiting => format!(", {waiting} waiting for locks"),
    };
    finish(judging, format!("{} of {usable}{waiting}", counted(activity.clients, "connection")))
}

/// The largest group of each of `kinds`.
fn most(counts: &[Count], kinds: &[&str]) -> String {
    let largest = kinds.iter().filter_map(|by| {
        let count = counts.iter().find(|count| count.by == *by)?;
        Some(format!("{by} {} ({})", named(count.name.as_deref()), count.count))
    });
    largest.collect::<Vec<_>>().join(", ")
}

fn named(name: Option<&str>) -> Text {
    name.map_or_else(|| Text::new("unknown"), |name| Text::limited(name, 60))
}
