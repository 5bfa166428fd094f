//! The restore of the newest dump.

use common::number::Number;
use common::report::Item;
use common::state::State;
use common::units::counted;

use crate::evaluate::{Context, name};
use crate::metrics::{RESTORE_TIME, RESTORED_ROWS};
use crate::snapshot::{Identity, Restore, RestoreTest, Restored};

/// The verdict, if a restore was asked for.
pub fn restore(context: &Context) -> Option<Item> {
    context.config.options.restore_test.as_ref()?;
    let Some(test) = &context.snapshot.restore else {
        return Some(Item::new("restore test", State::Unknown, "there is no valid dump to restore"));
    };
    let mut item = match &test.outcome {
        Restore::Done(restored) => done(context, test, restored),
        Restore::Failed(reason) => bad(State::Critical, &format!("failed: {reason}"))
            .because("the file is whole, and PostgreSQL does not take what is in it")
            .then("restore it by hand, as the guide says: pg_restore --exit-on-error --no-owner --dbname=… --verbose"),
        Restore::Server(reason) => bad(State::Unknown, &format!("the server could not be used: {reason}"))
            .then("psql -d DSN, as the monitoring user; passwords come from PGPASSFILE or ~/.pgpass, and the role needs CREATEDB"),
        Restore::Tool(reason) => {
            bad(State::Unknown, reason).then("apt-get install postgresql-client, of the version of the server; or --pg-bindir DIR")
        }
        Restore::NotPossible(reason) => bad(State::Unknown, &format!("not done: {reason}")),
        Restore::TimedOut(step) => bad(State::Unknown, &format!("not done in time, it was at {step}"))
            .then("give it more time (-t 30m), in a service of its own that is checked less often; --jobs for custom and directory dumps"),
        Restore::Busy => bad(State::Unknown, "another restore test is under way on that server"),
    };
    about_databases(&mut item, test);
    Some(item)
}

fn bad(state: State, text: &str) -> Item {
    Item::new("restore test", state, text)
}

fn done(context: &Context, run: &RestoreTest, restored: &Restored) -> Item {
    let mut judging = context.judging("restore test");
    judging.add(&RESTORE_TIME, Number::real(restored.seconds), "a restore takes");
    judging.add(&RESTORED_ROWS, Number::from(restored.rows), "rows after a restore:");
    if !restored.different.is_empty() {
        let text =
            format!("{} with other rows after a restore than in the dump", counted(restored.different.len(), "table"));
        judging.problem(State::Critical, text);
        let different = restored.different.iter().map(|(table, expected, actual)| match actual {
            Some(actual) => format!("{table}: {actual} rows instead of {expected}").into(),
            None => format!("{table} with {expected} rows is missing").into(),
        });
        judging.item.causes.extend(different);
    }
    let took = common::units::duration(restored.seconds);
    let when = if run.is_remembered { "in an earlier run, and the dump is unchanged since" } else { "in this run" };
    let dump = context.snapshot.newest_valid(false).map(|dump| name(dump).to_string()).unwrap_or_default();
    let text = match restored.tables {
        0 => format!("done in {took}; the dump has no COPY whose rows could be compared"),
        tables => format!("{} rows of {} in {took}", restored.rows, counted(tables, "table")),
    };
    let item = judging.finish(text);
    item.note(1, format!("{dump} by pg_restore {}, {when}", restored.version))
}

fn about_databases(item: &mut Item, test: &RestoreTest) {
    if !test.dropped.is_empty() {
        item.notes.push((1, format!("dropped, left by a run that was killed: {}", test.dropped.join(", ")).into()));
    }
    for name in &test.strangers {
        item.notes.push((
            1,
            format!("database {name} looks like one of these tests and does not say so: it is left alone").into(),
        ));
    }
    if let Some((name, reason)) = &test.left {
        item.raise(State::Warning);
        item.causes.push(format!("database {name} could not be dropped: {reason}; a later run tries again").into());
    }
}

/// The restore to remember: only one that went well.
pub fn keep(context: &Context) -> Option<(Identity, Restored)> {
    match &context.snapshot.restore.as_ref()?.outcome {
        Restore::Done(restored) if restored.different.is_empty() => {
            Some((context.snapshot.newest_valid(false)?.file.identity, restored.clone()))
        }
        _ => None,
    }
}
