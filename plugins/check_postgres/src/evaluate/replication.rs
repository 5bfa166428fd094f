//! Standbys, slots, and a standby's own replay.

use std::collections::BTreeMap;

use common::judging::Judging;
use common::number::Number;
use common::report::Item;
use common::state::State;
use common::text::Text;
use common::units::{bytes, counted, duration, size};

use super::groups::{Context, GRANT_MONITOR, LOG, finish, literal, number};
use crate::metrics::{REPLAY_LAG, REPLAY_LAG_BYTES, SLOT_RETAINED, STANDBYS};
use crate::snapshot::{Receiver, Replication, Slot, Standby};

/// What the figures of a standby itself belong to.
const SELF: &str = "self";

pub(super) fn replication(context: &Context, found: &Replication) -> Item {
    let mut judging = context.judging("replication");
    judging.add(&STANDBYS, Number::from(found.standbys.len()), "standbys:");
    let mut names = BTreeMap::new();
    for standby in &found.standbys {
        *names.entry(name(standby)).or_insert(0) += 1;
    }
    for standby in &found.standbys {
        // Of two of a name each needs its own.
        let is_unique = names.get(&name(standby)) == Some(&1);
        let name = if is_unique { name(standby) } else { format!("{} pid {}", name(standby), standby.pid) };
        judging.item.children.push(of_standby(context, standby, &name));
    }
    judging.item.children.extend(found.slots.iter().map(|slot| of_slot(context, slot)));
    if let Some(receiver) = &found.receiver {
        judging.item.children.push(of_receiver(context, receiver));
    }
    finish(judging, format!("{}, {}", standbys(found.standbys.len()), counted(found.slots.len(), "slot")))
}

fn name(standby: &Standby) -> String {
    standby.name.clone().or_else(|| standby.client.clone()).unwrap_or_else(|| format!("pid {}", standby.pid))
}

fn of_standby(context: &Context, standby: &Standby, name: &str) -> Item {
    let shown = Text::limited(name, 60);
    let mut judging = Judging::new(context.thresholds, &format!("standby {shown}"), Some(name.to_owned()));
    let Some(state) = &standby.state else {
        judging.problem(State::Unknown, format!("the role may not see how standby {shown} does"));
        judging.item.next.push(context.grant(GRANT_MONITOR).into());
        return finish(judging, "hidden");
    };
    if state == "backup" {
        return finish(judging, format!("a base backup for {}", client(standby)));
    }
    let behind = standby.lag_bytes.and_then(|lag| u64::try_from(lag).ok());
    let phrase = format!("standby {shown} has {{}} to replay");
    let mut worst = judging.add(&REPLAY_LAG_BYTES, behind.map(Number::from), &phrase);
    // What was last measured says nothing once all is replayed.
    let lag = if behind == Some(0) { Some(0.0) } else { standby.lag };
    let phrase = format!("standby {shown} lags by {{}}");
    worst = worst.max(judging.add(&REPLAY_LAG, lag.and_then(number), &phrase));
    if worst != State::Ok {
        judging.item.causes.push(format!("state {state}, connected from {}", client(standby)).into());
        judging.item.next.push("on the standby: its log, its disks, and statements that hold back replay".into());
    }
    let sync = standby.sync.as_deref().unwrap_or("async");
    let lag = lag.map(|lag| format!(", {}", duration(lag))).unwrap_or_default();
    let behind = behind.map_or_else(|| "replay unknown".to_owned(), |behind| format!("{} behind", bytes(behind)));
    finish(judging, format!("{state} ({sync}) to {}, {behind}{lag}", client(standby)))
}

fn client(standby: &Standby) -> Text {
    Text::limited(standby.client.as_deref().unwrap_or("?"), 60)
}

fn of_slot(context: &Context, slot: &Slot) -> Item {
    let name = Text::limited(&slot.name, 64);
    let mut judging = Judging::new(context.thresholds, &format!("slot {name}"), Some(slot.name.clone()));
    let retained = slot.retained.map(Number::from);
    let worst = judging.add(&SLOT_RETAINED, retained, &format!("slot {name} retains {{}} of WAL"));
    let kept = retained.map_or_else(|| "no WAL".to_owned(), |retained| size(retained.to_f64()));
    let is_lost = slot.wal_status.as_deref() == Some("lost") || slot.invalidated.is_some() || slot.conflicting;
    if is_lost {
        let reason =
            slot.invalidated.as_deref().map(|reason| format!(" ({})", Text::limited(reason, 60))).unwrap_or_default();
        judging.problem(State::Critical, format!("slot {name} is lost{reason}: its reader must be set up anew"));
    } else if !slot.active && !slot.temporary && !slot.synced {
        let since = slot.inactive.map(|age| format!(" for {}", duration(age))).unwrap_or_default();
        judging.problem(State::Warning, format!("slot {name} is inactive{since} and retains {kept}"));
    }
    if slot.wal_status.as_deref() == Some("unreserved") {
        judging.problem(State::Warning, format!("slot {name} is about to be lost: its WAL is no longer reserved"));
    }
    if judging.item.state != State::Ok || worst != State::Ok {
        if let Some(age) = slot.xmin_age {
            judging.item.causes.push(format!("it holds back vacuum by {age} transactions too").into());
        }
        judging.item.next.push("start its reader again: the standby, or the subscriber".into());
        judging
            .item
            .next
            .push(format!("SELECT pg_drop_replication_slot({}) (if it has none any more)", literal(&slot.name)).into());
    }
    let database = slot.database.as_ref().map(|name| format!(" of {}", Text::limited(name, 60))).unwrap_or_default();
    let active = if slot.active { "active" } else { "inactive" };
    let status = slot.wal_status.as_ref().map(|status| format!(", WAL {status}")).unwrap_or_default();
    finish(judging, format!("{}{database}, {active}, retains {kept}{status}", slot.kind))
}

/// A standby's own replay.
fn of_receiver(context: &Context, receiver: &Receiver) -> Item {
    let mut judging = Judging::new(context.thresholds, "replay", Some(SELF.to_owned()));
    let waiting = receiver.lag_bytes.and_then(|lag| u64::try_from(lag).ok());
    judging.add(&REPLAY_LAG_BYTES, waiting.map(Number::from), "{} of WAL received and not replayed");
    let is_streaming = receiver.is_running;
    // Without a write there is nothing to replay, however long ago the last one was.
    let lag = if is_streaming && waiting == Some(0) { Some(0.0) } else { receiver.replayed_age };
    judging.add(&REPLAY_LAG, lag.and_then(number), "the standby lags by {}");
    if !is_streaming && receiver.is_configured.unwrap_or(receiver.has_received) {
        let since =
            receiver.replayed_age.map(|age| format!("; the last transaction replayed is {} old", duration(age)));
        judging.problem(
            State::Warning,
            format!("the standby receives nothing from its primary{}", since.unwrap_or_default()),
        );
        judging.item.next.push(format!("{LOG} (why the WAL receiver cannot connect); is the primary up?").into());
    }
    if receiver.is_paused {
        judging.problem(State::Warning, "replay is paused");
        judging.item.next.push("SELECT pg_wal_replay_resume()".into());
    }
    let status = receiver.status.as_deref().unwrap_or(if is_streaming { "running" } else { "not running" });
    let lag = lag.map(|lag| format!(", lag {}", duration(lag))).unwrap_or_default();
    finish(judging, format!("WAL receiver {status}, {} to replay{lag}", bytes(waiting.unwrap_or(0))))
}

fn standbys(count: usize) -> String {
    match count {
        0 => "no standby".to_owned(),
        some => counted(some, "standby"),
    }
}
