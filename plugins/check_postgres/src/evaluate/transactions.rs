//! Transactions that last: idle, running, waiting, prepared.

use std::collections::BTreeSet;

use common::judging::Judging;
use common::number::Number;
use common::report::Item;
use common::state::State;
use common::text::Text;
use common::units::{counted, duration};

use super::groups::{Context, GRANT_MONITOR, failed, finish, literal, number};
use super::people::{line, who};
use crate::metrics::{IDLE_IN_TRANSACTION, LOCK_WAIT, LONGEST_QUERY, PREPARED, PREPARED_OLDEST};
use crate::snapshot::{Activity, Locks, Session, Waiting};

pub(super) fn transactions(context: &Context, activity: &Activity) -> Item {
    let mut judging = context.judging("transactions");
    if context.server().may_see_stats {
        idle(context, &mut judging, activity);
        running(context, &mut judging, activity);
    } else {
        judging.problem(State::Unknown, "the role may not see the transactions of others");
        judging.item.next.push(context.grant(GRANT_MONITOR).into());
    }
    let locks = match &context.snapshot.locks {
        Some(Ok(locks)) => Some(locks),
        Some(Err(fault)) => {
            judging.item.children.push(failed(context, "locks", fault));
            None
        }
        None => None,
    };
    waiting(context, &mut judging, locks);
    prepared(context, &mut judging, activity);
    let longest = activity.running.first().and_then(|session| session.age);
    let longest =
        longest.map_or_else(|| "none running".to_owned(), |age| format!("longest statement {}", duration(age)));
    finish(
        judging,
        format!(
            "{longest}, {} idle in transaction, {}",
            activity.idle_count,
            counted(activity.prepared_count, "prepared transaction")
        ),
    )
}

fn idle(context: &Context, judging: &mut Judging, activity: &Activity) {
    let Some(session) = activity.idle.first() else {
        judging.add(&IDLE_IN_TRANSACTION, Number::ZERO, "idle in transaction");
        return;
    };
    let phrase = format!("{} is idle in transaction for {{}}", who(session));
    if judging.add(&IDLE_IN_TRANSACTION, session.age.and_then(number), &phrase) != State::Ok {
        let state = |session: &Session| session.state.clone().unwrap_or_default();
        let listed = activity.idle.iter().take(context.top());
        judging.item.causes.extend(listed.map(|session| line(session, &state(session))));
        judging.item.causes.push("it holds its locks and keeps vacuum from removing rows".into());
        judging.item.next.push(terminate(session.pid));
        judging
            .item
            .next
            .push("ALTER SYSTEM SET idle_in_transaction_session_timeout = '10min' (ends such sessions)".into());
    }
}

fn running(context: &Context, judging: &mut Judging, activity: &Activity) {
    let Some(session) = activity.running.first() else {
        judging.add(&LONGEST_QUERY, Number::ZERO, "longest statement");
        return;
    };
    let phrase = format!("a statement of {} runs for {{}}", who(session));
    if judging.add(&LONGEST_QUERY, session.age.and_then(number), &phrase) != State::Ok {
        judging.item.causes.extend(activity.running.iter().take(context.top()).map(|session| line(session, "active")));
        judging
            .item
            .next
            .push(format!("SELECT pg_cancel_backend({}) (ends the statement, not the session)", session.pid).into());
    }
}

/// Who waits longest, and for whom in the end.
fn waiting(context: &Context, judging: &mut Judging, locks: Option<&Locks>) {
    let Some((locks, longest)) = locks.and_then(|locks| Some((locks, locks.waiting.first()?))) else {
        if context.server().may_see_stats {
            judging.add(&LOCK_WAIT, Number::ZERO, "wait for a lock");
        }
        return;
    };
    let roots = roots(locks, longest);
    let blockers = roots.iter().map(|pid| describe(locks, *pid)).collect::<Vec<_>>().join(" and ");
    let phrase = format!("{} waits {{}} for a lock of {blockers}", who(&longest.session));
    if judging.add(&LOCK_WAIT, longest.session.age.and_then(number), &phrase) == State::Ok {
        return;
    }
    for waiting in locks.waiting.iter().take(context.top()) {
        let on = waiting.on.as_deref().map(|on| format!(" on {}", Text::limited(on, 80))).unwrap_or_default();
        let pids = waiting.blockers.iter().map(|pid| process(*pid)).collect::<Vec<_>>().join(", ");
        judging.item.causes.push(line(&waiting.session, &format!("waits{on}, blocked by {pids},")));
    }
    let blocking = locks.blocking.iter().take(context.top());
    judging.item.causes.extend(blocking.map(|session| {
        let state = session.state.as_deref().unwrap_or("in an unknown state");
        line(session, &format!("blocks, {state}, its transaction open"))
    }));
    for pid in roots {
        judging.item.next.push(match pid {
            0 => "SELECT gid, owner, database FROM pg_prepared_xacts; ROLLBACK PREPARED 'gid' (or COMMIT PREPARED)"
                .into(),
            pid => terminate(pid),
        });
    }
}

/// The processes at the end of the chain that begins with `waiting`. Those in a ring end the chain themselves.
fn roots(locks: &Locks, waiting: &Waiting) -> BTreeSet<i64> {
    let mut roots = BTreeSet::new();
    let mut seen = BTreeSet::from([waiting.session.pid]);
    let mut open = waiting.blockers.clone();
    while let Some(pid) = open.pop() {
        if !seen.insert(pid) {
            continue;
        }
        match locks.waiting.iter().find(|other| other.session.pid == pid) {
            Some(other) if !other.blockers.is_empty() => open.extend(&other.blockers),
            _ => {
                roots.insert(pid);
            }
        }
    }
    roots
}

fn describe(locks: &Locks, pid: i64) -> String {
    let waiting = locks.waiting.iter().map(|waiting| &waiting.session);
    match locks.blocking.iter().chain(waiting).find(|session| session.pid == pid) {
        Some(session) => who(session),
        None => process(pid),
    }
}

fn process(pid: i64) -> String {
    // PostgreSQL has no process of a prepared transaction.
    if pid == 0 { "a prepared transaction".to_owned() } else { format!("pid {pid}") }
}

fn prepared(context: &Context, judging: &mut Judging, activity: &Activity) {
    judging.add(&PREPARED, Number::from(activity.prepared_count), "prepared transactions:");
    let Some(oldest) = activity.prepared.first() else {
        judging.add(&PREPARED_OLDEST, Number::ZERO, "prepared transaction");
        return;
    };
    let gid = Text::limited(&oldest.gid, 60);
    let phrase = format!("transaction {gid} is prepared for {{}}");
    if judging.add(&PREPARED_OLDEST, number(oldest.age), &phrase) != State::Ok {
        for each in activity.prepared.iter().take(context.top()) {
            let (gid, user, database) = (&each.gid, &each.user, &each.database);
            let text = format!("prepared: {gid} of {user} in {database} for {}", duration(each.age));
            judging.item.causes.push(text.into());
        }
        let gid = literal(&oldest.gid);
        judging
            .item
            .next
            .push(format!("in {}: ROLLBACK PREPARED {gid}, or COMMIT PREPARED {gid}", oldest.database).into());
    }
}

fn terminate(pid: i64) -> Text {
    format!("SELECT pg_terminate_backend({pid}) (rolls its transaction back)").into()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn waiting(pid: i64, blockers: &[i64]) -> Waiting {
        Waiting { session: Session { pid, ..Session::default() }, on: None, blockers: blockers.to_vec() }
    }

    #[test]
    fn a_chain_ends_with_whom_nobody_blocks() {
        let locks = Locks { waiting: vec![waiting(3, &[2]), waiting(2, &[1]), waiting(5, &[6])], blocking: Vec::new() };
        assert_eq!(roots(&locks, &locks.waiting[0]), BTreeSet::from([1]));
        assert_eq!(roots(&locks, &locks.waiting[2]), BTreeSet::from([6]));
    }

    #[test]
    fn a_ring_does_not_hang() {
        let locks = Locks { waiting: vec![waiting(1, &[2]), waiting(2, &[1])], blocking: Vec::new() };
        assert_eq!(roots(&locks, &locks.waiting[0]), BTreeSet::new());
    }
}
