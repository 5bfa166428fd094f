//! How near the numbers of transactions are to their end.

use common::judging::Judging;
use common::metric::Definition;
use common::number::Number;
use common::report::Item;
use common::state::State;
use common::text::Text;

use super::groups::{Context, finish, identifier};
use crate::metrics::{MXID_AGE, XID_AGE};
use crate::snapshot::{Age, Holder, Wraparound};

pub(super) fn wraparound(context: &Context, found: &Wraparound) -> Item {
    let mut judging = context.judging("wraparound");
    let tables = context.snapshot.explanation.oldest_tables.iter().flatten().next();
    let (xid_table, mxid_table) = (tables.and_then(|of| of.xid.as_ref()), tables.and_then(|of| of.mxid.as_ref()));
    let xid = judge(context, &mut judging, &XID_AGE, found.xid.as_ref(), xid_table);
    let mxid = judge(context, &mut judging, &MXID_AGE, found.mxid.as_ref(), mxid_table);
    if xid.max(mxid) != State::Ok
        && let Some(Ok(Some(holder))) = &context.snapshot.explanation.holder
    {
        judging.item.causes.push(hold(holder));
    }
    let said = |age: Option<&Age>, what: &str| {
        age.map(|age| format!("{what} age {} in {}", age.age, Text::limited(&age.name, 60)))
    };
    let parts = [said(found.xid.as_ref(), "xid"), said(found.mxid.as_ref(), "mxid")];
    finish(judging, parts.into_iter().flatten().collect::<Vec<_>>().join(", "))
}

fn judge(
    context: &Context,
    judging: &mut Judging,
    metric: &Definition,
    database: Option<&Age>,
    table: Option<&Age>,
) -> State {
    let Some(database) = database else { return State::Ok };
    let name = Text::limited(&database.name, 60);
    let state = judging.add(metric, Number::from(database.age), &format!("{} of {name} is {{}}", metric.name));
    if state == State::Ok {
        return state;
    }
    judging.item.causes.push(format!("database {name}: {} {}", metric.name, database.age).into());
    let connected = &context.server().database;
    match table {
        Some(table) if *connected == database.name => {
            judging
                .item
                .causes
                .push(format!("oldest table: {} with {}", Text::limited(&table.name, 120), table.age).into());
            judging.item.next.push(format!("in {name}: VACUUM (FREEZE, VERBOSE) {}", table.name).into());
        }
        _ => {
            let next = format!(
                "-d {} names its oldest table; vacuumdb --freeze {}",
                identifier(&database.name),
                identifier(&database.name)
            );
            judging.item.next.push(next.into());
        }
    }
    state
}

/// What keeps rows from being frozen.
fn hold(holder: &Holder) -> Text {
    let name = &holder.name;
    let what = match holder.kind.as_str() {
        "session" => format!("the session with pid {name}"),
        "prepared" => format!("the prepared transaction {name}"),
        _ => format!("the replication slot {name}"),
    };
    format!("{what} holds back freezing the most: its snapshot is {} transactions old", holder.age).into()
}
