//! Sizes and growth.

use common::judging::Judging;
use common::number::Number;
use common::report::Item;
use common::state::State;
use common::text::Text;
use common::units::{bytes, counted, size as in_words};

use super::groups::{Context, GRANT_MONITOR, finish};
use super::past;
use crate::metrics::{DATABASE_SIZE, GROWTH_PER_DAY, TEMP_BYTES_PER_SECOND, WAL_SIZE};
use crate::snapshot::{DatabaseSize, Sizes};

pub(super) fn size(context: &Context, found: &Sizes) -> Item {
    let mut judging = context.judging("size");
    let wal = found.wal.and_then(|bytes| u64::try_from(bytes).ok());
    if judging.add(&WAL_SIZE, wal.map(Number::from), "pg_wal has") != State::Ok {
        judging
            .item
            .next
            .push("SELECT * FROM pg_replication_slots; SELECT * FROM pg_stat_archiver (who retains WAL)".into());
    }
    if let Some(rates) = past::Rates::of(context) {
        let rate = rates.per_second(rates.sum.temp_bytes);
        if judging.add(&TEMP_BYTES_PER_SECOND, rate, "bytes in temporary files per second:") != State::Ok {
            judging
                .item
                .next
                .push("statements that sort more than work_mem: SET log_temp_files = 0, and the log".into());
        }
    }
    for database in &found.databases {
        judging.item.children.push(of_database(context, database));
    }
    let mut hidden = Vec::new();
    if !found.hidden.is_empty() {
        let names = found.hidden.iter().map(|name| Text::limited(name, 60).to_string()).collect::<Vec<_>>().join(", ");
        hidden.push(format!("the size of {names}"));
    }
    if wal.is_none() {
        hidden.push("the size of pg_wal".to_owned());
    }
    if !hidden.is_empty() {
        judging.problem(State::Unknown, format!("the role may not see {}", hidden.join(" and ")));
        judging.item.next.push(context.grant(GRANT_MONITOR).into());
    }
    let total: u64 = found.databases.iter().map(|database| database.bytes).sum();
    let wal = wal.map(|wal| format!(", WAL {}", bytes(wal))).unwrap_or_default();
    finish(judging, format!("{} with {}{wal}", counted(found.databases.len(), "database"), bytes(total)))
}

fn of_database(context: &Context, database: &DatabaseSize) -> Item {
    let name = Text::limited(&database.name, 60);
    let mut judging = Judging::new(context.thresholds, &format!("database {name}"), Some(database.name.clone()));
    let mut worst = judging.add(&DATABASE_SIZE, Number::from(database.bytes), &format!("database {name} has"));
    let growth = past::growth_per_day(context, database).and_then(Number::real);
    worst = worst.max(judging.add(&GROWTH_PER_DAY, growth, &format!("database {name} grows by {{}} a day")));
    if worst != State::Ok {
        let next = "SELECT oid::regclass, pg_size_pretty(pg_total_relation_size(oid)) FROM pg_class WHERE relkind = 'r' ORDER BY pg_total_relation_size(oid) DESC LIMIT 10";
        judging.item.next.push(format!("in {name}: {next}").into());
    }
    let growth = growth.map(|growth| format!(", {} a day", in_words(growth.to_f64()))).unwrap_or_default();
    finish(judging, format!("{}{growth}", bytes(database.bytes)))
}
