//! Vacuum, analyze, dead rows, and settings that wait for a restart.

use common::judging::Judging;
use common::metric::Definition;
use common::number::{Number, percent};
use common::report::Item;
use common::state::State;
use common::text::Text;
use common::units::{bytes, counted};

use super::groups::{Context, finish, number};
use crate::metrics::{
    AUTOVACUUM_WORKERS_USED_PERCENT, DEAD_TUPLE_PERCENT, OLDEST_ANALYZE, OLDEST_VACUUM, SETTINGS_PENDING_RESTART,
};
use crate::snapshot::{Maintenance, TableAge};

pub(super) fn maintenance(context: &Context, found: &Maintenance) -> Item {
    let server = context.server();
    let mut judging = context.judging("maintenance");
    if let Some(Ok(activity)) = &context.snapshot.activity
        && server.may_see_stats
    {
        let used = percent(activity.autovacuum_workers, server.autovacuum_max_workers.into()).and_then(Number::real);
        let phrase = format!("{} autovacuum workers run, {{}}", activity.autovacuum_workers);
        if judging.add(&AUTOVACUUM_WORKERS_USED_PERCENT, used, &phrase) != State::Ok {
            judging.item.next.push("SELECT * FROM pg_stat_progress_vacuum; more autovacuum_max_workers, or a higher autovacuum_vacuum_cost_limit".into());
        }
    }
    oldest(&mut judging, &OLDEST_VACUUM, found.vacuum.as_ref(), "vacuumed");
    oldest(&mut judging, &OLDEST_ANALYZE, found.analyze.as_ref(), "analyzed");
    dead(context, &mut judging, found);
    let names = found.pending.iter().map(|name| Text::limited(name, 60).to_string()).collect::<Vec<_>>().join(", ");
    let phrase = format!("settings that wait for a restart ({names}):");
    if judging.add(&SETTINGS_PENDING_RESTART, Number::from(found.pending.len()), &phrase) != State::Ok {
        judging.item.next.push("docker-compose restart postgres (in a quiet hour)".into());
    }
    if !server.autovacuum {
        judging.item.causes.push("autovacuum is off".into());
        judging.item.notes.push((1, "autovacuum is off".into()));
    }
    if found.never_vacuumed + found.never_analyzed > 0 {
        let text = format!("never vacuumed: {}, never analyzed: {}", found.never_vacuumed, found.never_analyzed);
        judging.item.notes.push((1, text.into()));
    }
    let database = Text::limited(&server.database, 60);
    let large = bytes(context.options.min_table_size);
    finish(judging, format!("{} over {large} in {database}", counted(found.tables, "table")))
}

fn oldest(judging: &mut Judging, metric: &Definition, table: Option<&TableAge>, done: &str) {
    let Some(table) = table else { return };
    let name = Text::limited(&table.name, 120);
    if judging.add(metric, number(table.age), &format!("{name} was last {done} {{}} ago")) != State::Ok {
        judging.item.next.push(format!("VACUUM (ANALYZE, VERBOSE) {}", table.name).into());
    }
}

fn dead(context: &Context, judging: &mut Judging, found: &Maintenance) {
    let Some(worst) = found.dead.first() else {
        if found.tables > 0 {
            judging.add(&DEAD_TUPLE_PERCENT, Number::ZERO, "dead rows");
        }
        return;
    };
    let share = |dead: u64, live: u64| percent(dead, dead.saturating_add(live)).and_then(Number::real);
    let phrase = format!("{} has {{}} dead rows", Text::limited(&worst.name, 120));
    if judging.add(&DEAD_TUPLE_PERCENT, share(worst.dead, worst.live), &phrase) != State::Ok {
        for table in found.dead.iter().take(context.top()) {
            let share = share(table.dead, table.live).map_or(Number::ZERO, |share| share.rounded(1));
            judging
                .item
                .causes
                .push(format!("{}: {} dead and {} live rows, {share} %", table.name, table.dead, table.live).into());
        }
        judging.item.causes.push("autovacuum does not keep up, or an old snapshot keeps it from removing them".into());
        judging.item.next.push(format!("VACUUM (VERBOSE) {} (says what it could not remove)", worst.name).into());
    }
}
