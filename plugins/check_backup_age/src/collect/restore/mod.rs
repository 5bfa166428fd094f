//! Restores a dump into a scratch database, and drops that again.
//!
//! psql and `pg_restore` connect, so that a DSN means to them what it means to everybody who uses libpq, `PGPASSFILE` and
//! `pg_service.conf` included. One session of psql lives for the whole test and no longer than this program. It carries the
//! name of the scratch database, by which another run knows that the test is alive; without it, the database is a leftover.

mod programs;
mod session;

use std::collections::BTreeMap;
use std::io::{BufReader, Write as _};
use std::path::Path;
use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use common::deadline::Deadline;
use common::file;

use crate::cli::Config;
use crate::parse::{self, Format};
use crate::rows::{self, Name};
use crate::snapshot::{Dump, Identity, Restore, RestoreTest, Restored};
use programs::{Ended, Feed, Programs};
use session::{Fault, Session};

/// Names of scratch databases begin so.
pub const PREFIX: &str = "check_backup_age_restore_";
/// The comment of a scratch database begins so. Without it, none is dropped.
const MARK: &str = "scratch database of check_backup_age --restore-test";
/// Errors of `pg_restore` that say nothing of the dump.
const SERVER_FAULTS: &[&str] =
    &["FATAL: ", "connection to server", "server closed the connection", "No space left on device"];
/// Errors of a `pg_restore` that is older than the dump, or than its options.
const TOOL_FAULTS: &[&str] = &["unsupported version", "unrecognized option"];
/// Tables that are named because their rows differ.
const MOST_DIFFERENT: usize = 10;

/// Why the test ended early.
type Early = Restore;

/// Restores `dump`, unless `known` says that an earlier run did, and the dump is still the same.
pub fn restore(
    config: &Config,
    dsn: &str,
    dump: &Dump,
    known: Option<&(Identity, Restored)>,
    deadline: &Deadline,
) -> RestoreTest {
    let mut test = RestoreTest {
        outcome: Restore::Busy,
        is_remembered: false,
        dropped: Vec::new(),
        strangers: Vec::new(),
        left: None,
    };
    if let Some((identity, restored)) = known
        && *identity == dump.file.identity
    {
        test.outcome = Restore::Done(restored.clone());
        test.is_remembered = true;
        return test;
    }
    let outcome = attempt(config, dsn, dump, deadline, &mut test);
    test.outcome = outcome.unwrap_or_else(|early| early);
    test
}

fn attempt(
    config: &Config,
    dsn: &str,
    dump: &Dump,
    deadline: &Deadline,
    test: &mut RestoreTest,
) -> Result<Restore, Early> {
    if let Some(reason) = is_not_restorable(dump) {
        return Err(Restore::NotPossible(reason));
    }
    let programs = Programs::find(config.options.pg_bindir.as_deref()).map_err(Restore::Tool)?;
    let times = Times::within(deadline);
    let version = version(&programs.pg_restore, &times)?;
    let mut session = {
        let _step = deadline.step("the server of the restore test");
        open(&programs.psql, &with_default_database(dsn), &times)?
    };
    tidy(&mut session, &times, test)?;
    let name = create(&mut session, &times, deadline)?;
    let test_of = Test { config, programs: &programs, dsn: with_database(dsn, &name), dump, times: &times };
    let outcome = test_of.run(&version, deadline);
    let _step = deadline.step(format!("dropping the database {name}"));
    if let Err(reason) = drop_database(&mut session, &name, times.end) {
        test.left = Some((name, reason));
    }
    outcome
}

/// Only archives are: a script does whatever stands in it, in whatever database it connects to.
fn is_not_restorable(dump: &Dump) -> Option<String> {
    match dump.inspection.format {
        Some(Format::Plain | Format::Cluster) => Some(
            "a dump in SQL runs whatever stands in it, in other databases too; restore it by hand, or dump with -F c"
                .to_owned(),
        ),
        Some(_) => None,
        None => Some("it is of no known format".to_owned()),
    }
}

/// The points in time by which things must be done.
struct Times {
    /// By then the restore must be, so that the database can still be dropped.
    work: Instant,
    /// By then all must be.
    end: Instant,
}

impl Times {
    fn within(deadline: &Deadline) -> Self {
        let (now, all) = (Instant::now(), deadline.budget());
        let for_dropping = (all / 5).clamp(Duration::from_secs(2), Duration::from_secs(20)).min(all / 2);
        Self { work: now + all.saturating_sub(for_dropping), end: now + all }
    }
}

fn version(pg_restore: &Path, times: &Times) -> Result<String, Early> {
    match programs::run(programs::command(pg_restore).arg("--version"), None, times.work).map_err(Restore::Tool)? {
        // pg_restore (PostgreSQL) 15.14 (Debian 15.14-0+deb12u1)
        Ended::Itself { success: true, stdout, .. } => {
            Ok(stdout.split_whitespace().nth(2).unwrap_or("of unknown version").to_owned())
        }
        Ended::Itself { stderr, .. } => {
            Err(Restore::Tool(format!("pg_restore --version failed: {}", first_error(&stderr))))
        }
        Ended::Killed => Err(Restore::TimedOut("pg_restore --version".to_owned())),
    }
}

fn open(psql: &Path, dsn: &str, times: &Times) -> Result<Session, Early> {
    Session::open(psql, dsn, times.work).map_err(|fault| early(fault, "the connection"))
}

/// A fault of the session that has nothing to do with the dump.
fn early(fault: Fault, step: &str) -> Early {
    match fault {
        Fault::Said(text) => Restore::Server(first_error(&text)),
        Fault::TimedOut => Restore::TimedOut(step.to_owned()),
    }
}

/// Drops what runs before have left: what has the prefix, the mark and this owner, and no session of its name any more.
fn tidy(session: &mut Session, times: &Times, test: &mut RestoreTest) -> Result<(), Early> {
    let found = session.ask(
        &format!(
            "SELECT d.datname, EXISTS (SELECT FROM pg_stat_activity a WHERE a.application_name = d.datname), \
             d.datdba = (SELECT oid FROM pg_roles WHERE rolname = current_user) \
             AND position('{MARK}' in coalesce(shobj_description(d.oid, 'pg_database'), '')) = 1 \
             FROM pg_database d WHERE position('{PREFIX}' in d.datname) = 1 ORDER BY d.datname"
        ),
        times.work,
    );
    for line in found.map_err(|fault| early(fault, "the scratch databases"))? {
        let columns: Vec<&str> = line.rsplitn(3, '|').collect();
        let [is_ours, is_alive, name] = columns.as_slice() else { continue };
        // Only what this program names so; a name that a statement would take for another is not put into one.
        let is_plain = name.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_');
        if *is_alive == "t" {
            return Err(Restore::Busy);
        } else if *is_ours != "t" || !is_plain {
            test.strangers.push((*name).to_owned());
        } else if drop_database(session, name, times.work).is_ok() {
            test.dropped.push((*name).to_owned());
        }
    }
    Ok(())
}

/// Creates a scratch database and marks it. Its name.
fn create(session: &mut Session, times: &Times, deadline: &Deadline) -> Result<String, Early> {
    let _step = deadline.step("the scratch database");
    // Made of nothing that the server says: psql takes a backslash for a command of its own.
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
    let name = format!("{PREFIX}{now}_{}", std::process::id());
    // psql is given all of it at once, so that it does the rest when this program is killed in between.
    let created = session.ask(
        &format!(
            "SET application_name = '{name}';\nCREATE DATABASE {name} TEMPLATE template0;\n\
             COMMENT ON DATABASE {name} IS '{MARK}, made by process {}'",
            std::process::id()
        ),
        times.work,
    );
    match created {
        Ok(_) => Ok(name),
        Err(fault) => {
            // Without the mark no later run would dare. That it may not exist is why it cannot be dropped.
            let _ = drop_database(session, &name, times.end);
            Err(early(fault, "the scratch database"))
        }
    }
}

/// Drops a database, and the sessions in it before: `WITH (FORCE)` is not known before PostgreSQL 13.
fn drop_database(session: &mut Session, name: &str, end: Instant) -> Result<(), String> {
    let said = |fault| match fault {
        Fault::Said(text) => first_error(&text),
        Fault::TimedOut => "time was over".to_owned(),
    };
    loop {
        let sessions = format!("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{name}'");
        session.ask(&sessions, end).map_err(said)?;
        match session.ask(&format!("DROP DATABASE {name}"), end) {
            Ok(_) => return Ok(()),
            // A session takes a moment to end, and pg_restore may open another.
            Err(Fault::Said(text)) if text.contains("being accessed") && Instant::now() < end => {
                thread::sleep(Duration::from_millis(50));
            }
            Err(fault) => return Err(said(fault)),
        }
    }
}

/// `dsn` with the database that every server has, where it names none: without that, libpq takes the user's name for one.
fn with_default_database(dsn: &str) -> String {
    let is_list = dsn.is_empty() || (dsn.contains('=') && !dsn.contains("://"));
    if is_list { format!("dbname=postgres {dsn}") } else { dsn.to_owned() }
}

/// `dsn` with another database. Of a name that is given twice, libpq takes the last.
fn with_database(dsn: &str, name: &str) -> String {
    match dsn.split_once("://") {
        Some((_, rest)) => format!("{dsn}{}dbname={name}", if rest.contains('?') { '&' } else { '?' }),
        // A word without `=` is a name of a database.
        None if !dsn.contains('=') => format!("dbname={name}"),
        None => format!("{dsn} dbname={name}"),
    }
}

/// One restore under way.
struct Test<'a> {
    config: &'a Config,
    programs: &'a Programs,
    /// With the scratch database.
    dsn: String,
    dump: &'a Dump,
    times: &'a Times,
}

impl Test<'_> {
    fn run(&self, version: &str, deadline: &Deadline) -> Result<Restore, Early> {
        let begin = Instant::now();
        {
            let _step = deadline.step("pg_restore");
            self.fill(version)?;
        }
        let seconds = begin.elapsed().as_secs_f64();
        let _step = deadline.step("the rows of the restored tables");
        let (expected, actual) = (self.expected()?, self.actual()?);
        let rows = expected.keys().filter_map(|name| actual.get(name)).sum();
        let differs = |(name, expected): (&Name, &u64)| {
            let actual = actual.get(name).copied();
            let (schema, table) = name;
            (actual != Some(*expected)).then(|| (format!("{schema}.{table}"), *expected, actual))
        };
        let different = expected.iter().filter_map(differs).take(MOST_DIFFERENT).collect();
        let tables = u64::try_from(expected.len()).unwrap_or(u64::MAX);
        Ok(Restore::Done(Restored { seconds, tables, rows, different, version: version.to_owned() }))
    }

    fn pg_restore(&self) -> Command {
        programs::command(&self.programs.pg_restore)
    }

    /// Names the dump as the last argument, or else what writes it to the input without its wrapper.
    fn input(&self, command: &mut Command) -> Option<Feed> {
        let path = self.dump.file.path.clone();
        if self.dump.inspection.wrapper.is_none() {
            command.arg("--").arg(path);
            return None;
        }
        let end = self.times.work;
        Some(Box::new(move |mut input| {
            let keep_going = || Instant::now() < end;
            // pg_restore tells what it misses.
            let _ = file::open(&path).and_then(|file| parse::unwrap_into(file, &mut input, &keep_going));
        }))
    }

    /// Restores what there is. Owners, rights and tablespaces are those of another server, and a subscription would
    /// call its publisher.
    fn fill(&self, version: &str) -> Result<(), Early> {
        let mut command = self.pg_restore();
        command.args(["--exit-on-error", "--no-password", "--no-owner", "--no-privileges", "--no-tablespaces"]);
        command.args(["--no-publications", "--no-subscriptions"]);
        let found = &self.dump.inspection;
        let can_be_parallel =
            matches!(found.format, Some(Format::Custom | Format::Directory)) && found.wrapper.is_none();
        if self.config.options.jobs > 1 && can_be_parallel {
            command.arg(format!("--jobs={}", self.config.options.jobs));
        }
        command.arg(format!("--dbname={}", self.dsn));
        let feed = self.input(&mut command);
        match programs::run(&mut command, feed, self.times.work).map_err(Restore::Tool)? {
            Ended::Itself { success: true, .. } => Ok(()),
            Ended::Itself { stderr, .. } if TOOL_FAULTS.iter().any(|words| stderr.contains(words)) => {
                Err(Restore::Tool(format!("pg_restore {version} is too old: {}", first_error(&stderr))))
            }
            Ended::Itself { stderr, .. } if SERVER_FAULTS.iter().any(|words| stderr.contains(words)) => {
                Err(Restore::Server(first_error(&stderr)))
            }
            Ended::Itself { stderr, .. } => Err(Restore::Failed(first_error(&stderr))),
            Ended::Killed => Err(Restore::TimedOut("pg_restore".to_owned())),
        }
    }

    /// The rows that the dump holds, by table.
    fn expected(&self) -> Result<BTreeMap<Name, u64>, Early> {
        let mut command = self.pg_restore();
        command.args(["--data-only", "--file=-"]).stdout(Stdio::piped()).stderr(Stdio::null());
        let feed = self.input(&mut command);
        let mut running = programs::start_fed(&mut command, feed).map_err(Restore::Tool)?;
        let script = running.stdout();
        // In a thread, because a pipe has no deadline of its own: the end of the program ends it.
        let counter =
            thread::spawn(move || script.map(|script| rows::count(&mut BufReader::with_capacity(128 << 10, script))));
        let status = running.wait_until(self.times.work);
        drop(running);
        match (status.map_err(|error| Restore::Tool(common::text::io_error(&error)))?, counter.join()) {
            (None, _) => Err(Restore::TimedOut("the rows in the dump".to_owned())),
            (Some(status), Ok(Some(Ok(rows)))) if status.success() => Ok(rows),
            _ => Err(Restore::Failed("the rows in the dump could not be counted".to_owned())),
        }
    }

    /// The rows that are in the scratch database, by table.
    fn actual(&self) -> Result<BTreeMap<Name, u64>, Early> {
        let mut command = programs::command(&self.programs.psql);
        command.args(["-X", "-q", "-A", "-t", "-w", "-v", "ON_ERROR_STOP=1", "-d", &self.dsn]);
        let feed: Feed = Box::new(|mut input| {
            // psql that has ended already has said why.
            let _ = input.write_all(COUNT_ROWS.as_bytes());
        });
        match programs::run(&mut command, Some(feed), self.times.work).map_err(Restore::Tool)? {
            Ended::Itself { success: true, stdout, .. } => Ok(stdout.lines().filter_map(counted).collect()),
            Ended::Itself { stderr, .. } => Err(Restore::Server(first_error(&stderr))),
            Ended::Killed => Err(Restore::TimedOut("the rows of the restored tables".to_owned())),
        }
    }
}

/// A line for each table: its schema and name in hexadecimal, and its rows. What is in a partition is not counted for the
/// table that inherits it, as the dump holds it apart; unless that is all partitions.
const COUNT_ROWS: &str = r"
SELECT format('SELECT %L, count(*) FROM %s%I.%I',
    encode(convert_to(n.nspname, 'UTF8'), 'hex') || '.' || encode(convert_to(c.relname, 'UTF8'), 'hex'),
    CASE c.relkind WHEN 'r' THEN 'ONLY ' ELSE '' END, n.nspname, c.relname)
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind IN ('r', 'p') AND n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'
ORDER BY c.oid
\gexec
";

/// A line of [`COUNT_ROWS`].
fn counted(line: &str) -> Option<(Name, u64)> {
    let (name, rows) = line.split_once('|')?;
    let (schema, table) = name.split_once('.')?;
    let text = |hex: &str| Some(String::from_utf8_lossy(&crate::pitr::manifest::from_hex(hex)?).into_owned());
    Some(((text(schema)?, text(table)?), rows.parse().ok()?))
}

/// The words of the first error, without the name of the program that reports it.
fn first_error(said: &str) -> String {
    let line = said.lines().find(|line| line.contains("error:") || line.contains("ERROR:") || line.contains("FATAL:"));
    let line = line.or_else(|| said.lines().find(|line| !line.trim().is_empty())).unwrap_or("without a word");
    let words = line.split_once("error: ").map_or(line, |(_, words)| words);
    // The server quotes the value that it does not take, and that is somebody's data.
    let is_about_data = words.starts_with("COPY failed");
    let words = if is_about_data { words.split(": \"").next().unwrap_or_default() } else { words };
    words.trim().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_dsn_of_any_kind_takes_another_database() {
        assert_eq!(with_database("postgresql://u@h/d", "x"), "postgresql://u@h/d?dbname=x");
        assert_eq!(with_database("postgresql:///d?host=/run", "x"), "postgresql:///d?host=/run&dbname=x");
        assert_eq!(with_database("host=h dbname=d", "x"), "host=h dbname=d dbname=x");
        assert_eq!(with_database("", "x"), "dbname=x");
        assert_eq!(with_default_database("host=h"), "dbname=postgres host=h");
        assert_eq!(with_default_database("postgresql://u@h/d"), "postgresql://u@h/d");
    }

    #[test]
    fn the_first_error_is_told() {
        let said = "pg_restore: while PROCESSING TOC:\npg_restore: error: could not execute query: ERROR:  no such type\nCommand was: x\n";
        assert_eq!(first_error(said), "could not execute query: ERROR:  no such type");
        let said = "pg_restore: error: COPY failed for table \"t\": ERROR:  invalid input syntax for type integer: \"s3cret\"\n";
        assert_eq!(first_error(said), "COPY failed for table \"t\": ERROR:  invalid input syntax for type integer");
        assert_eq!(first_error("psql: error: connection refused"), "connection refused");
        assert_eq!(first_error(""), "without a word");
    }

    #[test]
    fn counted_rows_are_read() {
        assert_eq!(counted("7075626c6963.61|12"), Some((("public".to_owned(), "a".to_owned()), 12)));
        assert_eq!(counted("x"), None);
    }
}
