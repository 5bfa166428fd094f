//! The statements, and what they bring.
//!
//! Each statement answers with one JSON document, so that the server aggregates and limits and names of any kind
//! travel unharmed. Those of all groups go in one message: one round trip, one snapshot of the statistics. If the server
//! refuses one of them, they are asked one by one, and only that group goes without an answer.
//!
//! A new session knows no catalogue yet, and to read a view's definition takes longer than to read what it shows. So
//! the functions are asked on which the statistics views stand, and no join is made that a name does not need.

mod activity;
mod custom;
mod databases;
mod locks;
mod maintenance;
mod objects;
mod replication;
mod server;
mod wal;
mod wraparound;

use std::time::Duration;

use common::deadline::Deadline;
use postgres::{Client, SimpleQueryMessage};
use serde::de::DeserializeOwned;

use crate::snapshot::{Answer, Integrity, OWN_FAULT, QueryFault, Server, Snapshot};
use crate::wants::{Group, Wants};

/// A statement, and where its answer goes.
struct Question {
    /// What the run says that it waits for.
    name: &'static str,
    sql: String,
    keep: fn(&mut Snapshot, Reply),
}

/// What the server says to a question.
type Reply = Result<String, QueryFault>;

/// What a verdict may want explained by a second look.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Detail {
    /// Whose the sessions are.
    SessionCounts,
    /// The tables with the oldest IDs.
    OldestTables,
    /// What holds freezing back.
    Holder,
}

/// Asks all that `wants` wants. Without the first answer there is no other.
pub fn collect(client: &mut Client, wants: &Wants, deadline: &Deadline) -> Result<Snapshot, QueryFault> {
    let server: Server = {
        let _step = deadline.step("the server's version and settings");
        read(&single(client, 0, deadline.budget(), server::SQL)?)?
    };
    let groups = groups(&server, wants);
    let mut snapshot = Snapshot::of(server);
    ask(client, &mut snapshot, "all groups at once", groups, deadline);
    let offenders = offenders(&snapshot, wants);
    ask(client, &mut snapshot, "who is to blame", offenders, deadline);
    if let Some(sql) = &wants.custom {
        let _step = deadline.step("the statement of --query-file");
        snapshot.custom = Some(custom::ask(client, sql));
    }
    Ok(snapshot)
}

/// Asks for `details` and adds them to the snapshot.
pub fn explain(client: &mut Client, snapshot: &mut Snapshot, details: &[Detail], deadline: &Deadline) {
    let question = |detail: &Detail| match detail {
        Detail::SessionCounts => Question {
            name: "whose the sessions are",
            sql: activity::counts(),
            keep: |snapshot, reply| fill(&mut snapshot.explanation.session_counts, reply),
        },
        Detail::OldestTables => Question {
            name: "the oldest tables",
            sql: wraparound::oldest_tables(),
            keep: |snapshot, reply| fill(&mut snapshot.explanation.oldest_tables, reply),
        },
        Detail::Holder => Question {
            name: "what holds freezing back",
            sql: wraparound::HOLDER.to_owned(),
            keep: |snapshot, reply| fill(&mut snapshot.explanation.holder, reply),
        },
    };
    ask(client, snapshot, "what explains the verdict", details.iter().map(question).collect(), deadline);
}

/// The statements of the groups that are wanted.
fn groups(server: &Server, wants: &Wants) -> Vec<Question> {
    let mut questions = Vec::new();
    let mut add = |groups: &[Group], name: &'static str, sql: &dyn Fn() -> String, keep: fn(&mut Snapshot, Reply)| {
        if wants.any(groups) {
            questions.push(Question { name, sql: sql(), keep });
        }
    };
    let sessions = [Group::Backends, Group::Transactions, Group::Maintenance];
    add(&sessions, "sessions", &|| activity::sql(server, wants), |to, reply| fill(&mut to.activity, reply));
    add(&[Group::Wraparound], "freeze ages", &wraparound::sql, |to, reply| fill(&mut to.wraparound, reply));
    if server.archive_mode != "off" {
        add(&[Group::Archiving], "the archiver", &|| wal::archiving(server), |to, reply| {
            fill(&mut to.archiving, reply);
        });
    }
    let replication = [Group::Replication];
    add(&replication, "replication", &|| replication::sql(server), |to, reply| fill(&mut to.replication, reply));
    add(&[Group::Integrity], "indexes", &|| objects::INVALID_INDEXES.to_owned(), |to, reply| {
        let count = reply.and_then(|text| read(&text));
        to.integrity = Some(count.map(|invalid| Integrity { invalid, names: Vec::new() }));
    });
    let sequences = [Group::Sequences];
    add(&sequences, "sequences", &|| objects::sequences(server, wants), |to, reply| fill(&mut to.sequences, reply));
    add(&[Group::Size], "sizes", &|| wal::sizes(server), |to, reply| fill(&mut to.sizes, reply));
    let counters = [Group::Rates, Group::Size, Group::Integrity];
    add(&counters, "counters of the databases", &|| databases::sql(server), |to, reply| fill(&mut to.databases, reply));
    let maintenance = [Group::Maintenance];
    add(&maintenance, "tables and settings", &|| maintenance::sql(wants), |to, reply| fill(&mut to.maintenance, reply));
    questions
}

/// The statements that tell more of what was found, and are not worth asking where nothing was.
fn offenders(snapshot: &Snapshot, wants: &Wants) -> Vec<Question> {
    let mut questions = Vec::new();
    let is_anybody_waiting = matches!(&snapshot.activity, Some(Ok(activity)) if activity.waiting > 0);
    if is_anybody_waiting && wants.any(&[Group::Transactions]) {
        let sql = locks::sql(&snapshot.server, wants);
        questions.push(Question { name: "who waits for whom", sql, keep: |to, reply| fill(&mut to.locks, reply) });
    }
    if matches!(&snapshot.integrity, Some(Ok(found)) if found.invalid > 0) {
        let sql = objects::indexes(&snapshot.server, wants);
        questions.push(Question { name: "invalid indexes", sql, keep: |to, reply| fill(&mut to.integrity, reply) });
    }
    questions
}

/// Asks `questions`, all at once if the server answers that, and keeps what it says.
fn ask(client: &mut Client, snapshot: &mut Snapshot, step: &str, questions: Vec<Question>, deadline: &Deadline) {
    let replies = replies(client, snapshot.server.version, step, &questions, deadline);
    for (question, reply) in questions.into_iter().zip(replies) {
        (question.keep)(snapshot, reply);
    }
}

/// The replies to `questions`, in their order.
fn replies(client: &mut Client, version: u32, step: &str, questions: &[Question], deadline: &Deadline) -> Vec<Reply> {
    if questions.is_empty() {
        return Vec::new();
    }
    {
        let _step = deadline.step(step);
        let statements: Vec<&str> = questions.iter().map(|question| question.sql.as_str()).collect();
        if let Ok(replies) = documents(client, &limited(version, deadline.budget() / 4, &statements.join(";\n")))
            && let Some(settings) = replies.len().checked_sub(questions.len())
        {
            return replies.into_iter().skip(settings).map(Ok).collect();
        }
    }
    let mut one_by_one = |question: &Question| {
        let _step = deadline.step(question.name);
        single(client, version, deadline.budget() / 3, &question.sql)
    };
    questions.iter().map(&mut one_by_one).collect()
}

/// `sql` after a row of settings that end with its transaction.
///
/// None of its statements may take all the time, for the sake of the others. Nobody's function of a name like those of
/// the catalogue may be called in its place, with the rights of the check. To compile a statement takes longer than to
/// run it.
fn limited(version: u32, limit: Duration, sql: &str) -> String {
    let jit = if version >= 110_000 { ", pg_catalog.set_config('jit', 'off', true)" } else { "" };
    let limit = limit.as_millis().max(1);
    format!(
        "SELECT pg_catalog.set_config('search_path', 'pg_catalog', true),
 pg_catalog.set_config('statement_timeout', '{limit}', true){jit};\n{sql}"
    )
}

fn fill<T: DeserializeOwned>(answer: &mut Answer<T>, reply: Reply) {
    *answer = Some(reply.and_then(|text| read(&text)));
}

fn read<T: DeserializeOwned>(text: &str) -> Result<T, QueryFault> {
    // The error names the field, not its value.
    serde_json::from_str(text).map_err(|error| own_fault(&error.to_string()))
}

/// The one document that `sql` brings within `limit`.
fn single(client: &mut Client, version: u32, limit: Duration, sql: &str) -> Reply {
    // Before it comes the row of the settings.
    let document = documents(client, &limited(version, limit, sql))?.pop();
    document.ok_or_else(|| own_fault("no row came back"))
}

/// The first column of every row that `sql` brings.
fn documents(client: &mut Client, sql: &str) -> Result<Vec<String>, QueryFault> {
    let messages = client.simple_query(sql).map_err(|error| fault(&error))?;
    let mut documents = Vec::new();
    for message in messages {
        if let SimpleQueryMessage::Row(row) = message {
            documents.push(row.try_get(0).map_err(|error| fault(&error))?.unwrap_or("null").to_owned());
        }
    }
    Ok(documents)
}

fn own_fault(message: &str) -> QueryFault {
    QueryFault { code: OWN_FAULT.to_owned(), message: message.to_owned() }
}

/// What the server or the connection says of a failure.
pub(super) fn fault(error: &postgres::Error) -> QueryFault {
    match error.as_db_error() {
        Some(error) => QueryFault { code: error.code().code().to_owned(), message: error.message().to_owned() },
        None => QueryFault { code: String::new(), message: error.to_string() },
    }
}

/// Seconds from the timestamp `sql` until now, never negative; NULL where that is.
fn age(sql: &str) -> String {
    format!("CASE WHEN {sql} IS NOT NULL THEN greatest(extract(epoch FROM clock_timestamp() - {sql}), 0) END")
}

/// Bytes of WAL from `begin` to `end`, never negative; NULL where either is.
fn wal_bytes(end: &str, begin: &str) -> String {
    let bytes = format!("pg_wal_lsn_diff({end}, {begin})");
    format!("CASE WHEN {bytes} IS NOT NULL THEN greatest({bytes}, 0) END")
}

/// `sql` as rows of one JSON array.
fn list(sql: &str) -> String {
    format!("(SELECT coalesce(json_agg(x), '[]') FROM ({sql}) x)")
}
