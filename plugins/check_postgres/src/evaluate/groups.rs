//! The groups, one item each.

use common::judging::Judging;
use common::metric::Thresholds;
use common::number::Number;
use common::report::Item;
use common::state::State;

use super::{
    archiving, backends, custom, integrity, maintenance, past, rates, replication, sequences, server, size,
    transactions, wraparound,
};
use crate::snapshot::{Kept, OWN_FAULT, QueryFault, Server, Snapshot};
use crate::wants::{Group, GroupArguments, Wants};

/// What every monitoring role has; packaging/postgres/monitoring-role.sql makes one.
pub(super) const GRANT_MONITOR: &str = "GRANT pg_monitor TO";

/// What everything is judged with.
#[derive(Debug)]
pub struct Context<'a> {
    /// The options of the groups.
    pub options: &'a GroupArguments,
    /// Thresholds of all metrics.
    pub thresholds: &'a Thresholds,
    /// What the last run kept, of whatever life of the server.
    pub kept: Option<&'a Kept>,
    /// What was found.
    pub snapshot: &'a Snapshot,
}

impl<'a> Context<'a> {
    /// A context.
    pub const fn new(
        options: &'a GroupArguments,
        thresholds: &'a Thresholds,
        kept: Option<&'a Kept>,
        snapshot: &'a Snapshot,
    ) -> Self {
        Self { options, thresholds, kept, snapshot }
    }

    /// The server.
    pub(super) const fn server(&self) -> &'a Server {
        &self.snapshot.server
    }

    /// How many of what is listed are named.
    pub(super) fn top(&self) -> usize {
        self.options.top.into()
    }

    /// An item under judgement whose figures exist once.
    pub(super) fn judging(&self, label: &str) -> Judging<'a> {
        Judging::new(self.thresholds, label, None)
    }

    /// The statement that lets the role of the check see more.
    pub(super) fn grant(&self, what: &str) -> String {
        format!("{what} {}", identifier(&self.server().role))
    }
}

/// An item a group that was asked for.
pub fn groups(context: &Context) -> Vec<Item> {
    let mut items = Vec::new();
    for group in Wants::new(context.options, None).groups {
        items.extend(match group {
            Group::Backends => of(context, "backends", context.snapshot.activity.as_ref(), backends::backends),
            Group::Transactions => {
                of(context, "transactions", context.snapshot.activity.as_ref(), transactions::transactions)
            }
            Group::Wraparound => {
                of(context, "wraparound", context.snapshot.wraparound.as_ref(), wraparound::wraparound)
            }
            Group::Archiving => archiving::item(context),
            Group::Replication => {
                of(context, "replication", context.snapshot.replication.as_ref(), replication::replication)
            }
            Group::Integrity => of(context, "integrity", context.snapshot.integrity.as_ref(), integrity::integrity),
            Group::Sequences => of(context, "sequences", context.snapshot.sequences.as_ref(), sequences::sequences),
            Group::Size => of(context, "size", context.snapshot.sizes.as_ref(), size::size),
            Group::Rates => {
                of(context, "rates", context.snapshot.databases.as_ref(), |context, found| rates::rates(context, found))
            }
            Group::Maintenance => {
                of(context, "maintenance", context.snapshot.maintenance.as_ref(), maintenance::maintenance)
            }
            Group::Server => Some(server::server(context)),
        });
    }
    items.extend(of(context, "custom", context.snapshot.custom.as_ref(), |context, found| {
        custom::custom(context, found)
    }));
    items
}

/// What is kept for the next run.
pub fn keep(context: &Context) -> Kept {
    past::keep(context)
}

/// The first line of a report that is OK.
pub fn summary(context: &Context) -> String {
    let server = context.server();
    let mut parts = vec![server::title(server)];
    if let Some(Ok(activity)) = &context.snapshot.activity {
        parts.push(format!("{} of {} connections", activity.clients, server::usable_connections(server)));
    }
    if let Some(rates) = past::Rates::of(context) {
        parts.push(format!("{} commits/s", rates.per_second(rates.sum.commits).rounded(1)));
    }
    parts.join(", ")
}

/// The item of a group, or what kept it from being judged; nothing where it was not asked for.
pub(super) fn of<T>(
    context: &Context,
    label: &str,
    answer: Option<&Result<T, QueryFault>>,
    judge: impl FnOnce(&Context, &T) -> Item,
) -> Option<Item> {
    match answer? {
        Ok(found) => Some(judge(context, found)),
        Err(fault) => Some(failed(context, label, fault)),
    }
}

/// The item with its problems before its text, as the first line may have no room for them.
pub(super) fn finish(judging: Judging, text: impl Into<String>) -> Item {
    let problems = judging.problems().join(", ");
    let text = text.into();
    judging.finish(if problems.is_empty() { text } else { format!("{problems}; {text}") })
}

/// The item of a group that the server did not answer.
pub(super) fn failed(context: &Context, label: &str, fault: &QueryFault) -> Item {
    let message = &fault.message;
    let (state, text, next) = match fault.code.as_str() {
        "42501" => (State::Unknown, format!("the role may not look: {message}"), context.grant(GRANT_MONITOR)),
        "57014" => {
            let next = "--skip leaves the group out, a longer --timeout waits longer".to_owned();
            (State::Unknown, format!("the statement was cancelled: {message}"), next)
        }
        "55P03" => {
            let next = "SELECT * FROM pg_locks WHERE mode = 'AccessExclusiveLock'".to_owned();
            (State::Unknown, format!("a lock was not to be had in time: {message}"), next)
        }
        "22021" => {
            let next = "give it a name in UTF-8: ALTER DATABASE, ROLE or TABLE … RENAME TO …".to_owned();
            (State::Unknown, format!("a name on the server is not UTF-8: {message}"), next)
        }
        // The classes: corruption, I/O, no resources, the server is going down.
        code if ["XX001", "XX002"].contains(&code)
            || ["58", "53", "57"].iter().any(|class| code.starts_with(class)) =>
        {
            (State::Critical, format!("the server fails: {message}"), LOG.to_owned())
        }
        OWN_FAULT => (State::Unknown, message.clone(), String::new()),
        "" => (State::Critical, format!("no answer: {message}"), LOG.to_owned()),
        code => (State::Unknown, format!("{message} (SQLSTATE {code})"), String::new()),
    };
    let item = Item::new(label, state, text.clone()).headline(format!("{label}: {text}"));
    if next.is_empty() { item } else { item.then(next) }
}

/// Where the server says more.
pub(super) const LOG: &str = "docker-compose logs --tail 50 postgres";

/// The name of a role, table or the like as a statement takes it.
pub(super) fn identifier(name: &str) -> String {
    let is_plain = name.starts_with(|c: char| c.is_ascii_lowercase() || c == '_')
        && name.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_');
    if is_plain { name.to_owned() } else { format!("\"{}\"", name.replace('"', "\"\"")) }
}

/// A text as a statement takes it.
pub(super) fn literal(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}

/// A measured number.
pub(super) fn number(value: f64) -> Option<Number> {
    Number::real(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_written_as_statements_take_them() {
        assert_eq!(identifier("kwanza_1"), "kwanza_1");
        assert_eq!(identifier("Kwanza \"x\""), "\"Kwanza \"\"x\"\"\"");
        assert_eq!(literal("it's"), "'it''s'");
    }
}
