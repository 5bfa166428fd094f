//! What a dump must be besides valid.

use common::judging::Judging;
use common::number::Number;
use common::report::Item;
use common::state::State;
use common::text::shell_word;

use crate::evaluate::{Context, troubles};
use crate::metrics::GLOBALS_AGE;
use crate::parse::digest::Digest;
use crate::parse::{Format, Outcome};
use crate::snapshot::{Dump, Identity, is_named};

/// Judges the policies that were asked for; what helps where one is broken.
pub fn of_dump(context: &Context, dump: &Dump, judging: &mut Judging) -> Vec<String> {
    let mut advice = Vec::new();
    database(context, dump, judging);
    tables(context, dump, judging, &mut advice);
    version(context, dump, judging, &mut advice);
    checksum(context, judging, &mut advice);
    if dump.inspection.contents.tables_with_data == Some(0) && !context.config.options.schema_only {
        advice.push("look for --schema-only and for the name of the database in the backup job".to_owned());
        advice.push("--schema-only here, if no data is wanted".to_owned());
    }
    if dump.file.mode & 0o004 != 0 {
        advice.push(format!(
            "chmod o-r {} and umask 077 in the backup job",
            shell_word(&dump.file.path.to_string_lossy())
        ));
    }
    if context.config.options.require_other_device {
        match &context.snapshot.data_directory {
            Some((path, true)) => {
                judging.problem(State::Warning, format!("it is on the same device as the data in {}", path.display()));
                advice.push("copy dumps to another machine, or to another disk at least".to_owned());
            }
            Some((_, false)) => {}
            None => judging.problem(State::Unknown, "the data directory is not known: --data-directory DIR"),
        }
    }
    advice
}

fn database(context: &Context, dump: &Dump, judging: &mut Judging) {
    let Some(wanted) = &context.config.options.database else { return };
    match dump.inspection.header.as_ref().and_then(|header| header.database.as_ref()) {
        Some(found) if found == wanted => {}
        Some(found) => judging.problem(State::Critical, format!("it is a dump of database {found}, not of {wanted}")),
        None => judging.problem(State::Unknown, "it does not tell its database: dump with -F c, or with --create"),
    }
}

fn tables(context: &Context, dump: &Dump, judging: &mut Judging, advice: &mut Vec<String>) {
    let contents = &dump.inspection.contents;
    let required = &context.config.options.require_table;
    if required.is_empty() {
        return;
    }
    if contents.tables.is_none() && contents.tables_with_data.is_none() {
        return judging.problem(State::Unknown, "its tables are known only with --verify full");
    }
    for name in required {
        let is_defined = contents.defined.iter().any(|table| is_named(table, name));
        let has_data = contents.with_data.iter().any(|table| is_named(table, name));
        let is_enough = has_data || (is_defined && context.config.options.schema_only);
        if is_enough {
            continue;
        }
        if is_defined {
            judging.problem(State::Critical, format!("the data of table {name} is not in it"));
            advice.push(format!("look for --schema-only and --exclude-table-data={name} in the backup job"));
        } else if contents.names_left_out > 0 {
            judging.problem(State::Unknown, format!("it has too many tables to look for {name}"));
        } else {
            judging.problem(State::Critical, format!("table {name} is not in it"));
            advice
                .push(format!("look for -t, -n and --exclude-table in the backup job, and for {name} in the database"));
        }
    }
}

fn version(context: &Context, dump: &Dump, judging: &mut Judging, advice: &mut Vec<String>) {
    let (Some(reader), Some(header)) = (context.config.options.max_newer_than, &dump.inspection.header) else { return };
    let Some(writer) = header.pg_dump_version.as_deref().and_then(major) else {
        return judging.problem(State::Unknown, "it does not tell the version of its pg_dump");
    };
    if header.version.is_some_and(|version| version.minor > newest_readable(reader)) {
        let format = header.version.map_or_else(String::new, |version| format!(" (archive version {version})"));
        judging.problem(State::Critical, format!("pg_restore {reader} cannot read a dump of pg_dump {writer}{format}"));
    } else if writer > reader {
        judging.problem(
            State::Critical,
            format!("it is made by pg_dump {writer} and may hold what {reader} does not know"),
        );
    } else {
        return;
    }
    advice.push(format!(
        "dump with the pg_dump of the server that it would be restored on: /usr/lib/postgresql/{reader}/bin/pg_dump"
    ));
}

/// The newest archive version, 1.x, that `pg_restore` of a major version reads.
fn newest_readable(major: u32) -> u8 {
    match major {
        0..=9 => 12,
        10 | 11 => 13,
        12..=15 => 14,
        16 => 15,
        _ => 16,
    }
}

/// `15` of `15.14 (Debian 15.14-0+deb12u1)`, `9` of `9.6.24`, `17` of `17devel`.
fn major(version: &str) -> Option<u32> {
    let end = version.find(|c: char| !c.is_ascii_digit()).unwrap_or(version.len());
    version.get(..end)?.parse().ok()
}

fn checksum(context: &Context, judging: &mut Judging, advice: &mut Vec<String>) {
    let Some(sum) = &context.snapshot.sum else { return };
    let file = sum.file.display();
    match (&sum.expected, &sum.actual) {
        (Err(reason), _) => judging.problem(State::Unknown, format!("checksum file {file}: {reason}")),
        (Ok(_), Some(Err(reason))) => judging.problem(State::Unknown, format!("no SHA-256 of it: {reason}")),
        (Ok(_), None) => {
            judging.problem(State::Unknown, "time was over before its SHA-256 was known");
            advice.push("give it more time (-t 5m); the sum is remembered".to_owned());
        }
        (Ok(expected), Some(Ok(actual))) if expected == actual => {
            judging.item.notes.push((1, format!("its SHA-256 is that of {file}").into()));
        }
        (Ok(_), Some(Ok(_))) => {
            judging.problem(State::Critical, format!("its SHA-256 is not that of {file}"));
            judging.item.causes.push("it was changed after the sum was made, or the sum is of another dump".into());
            let path = context.newest.map(|dump| shell_word(&dump.file.path.to_string_lossy())).unwrap_or_default();
            advice.push(format!("sha256sum {path}, here and where it was copied from"));
        }
    }
}

/// The sum to remember.
pub fn keep_sum(context: &Context) -> Option<(Identity, Digest)> {
    let actual = context.snapshot.sum.as_ref()?.actual.as_ref()?.as_ref().ok()?;
    Some((context.newest?.file.identity, *actual))
}

/// Roles and tablespaces, which no dump of a database holds.
pub fn globals(context: &Context) -> Option<Item> {
    let globals = context.snapshot.globals.as_ref()?;
    let mut judging = context.judging("globals");
    let command = "pg_dumpall -U postgres -w --globals-only -f globals.sql";
    let text = match &globals.newest {
        Err(trouble) => {
            let state = if troubles::is_own_side(trouble) { State::Unknown } else { State::Critical };
            let text = format!("no dump of roles: {}", troubles::describe(trouble));
            judging.problem(state, text.clone());
            text
        }
        Ok(dump) => {
            let name = super::name(dump);
            match &dump.inspection.outcome {
                Outcome::Broken(fault) if context.may_be_unfinished(dump) => {
                    judging.item.notes.push((1, format!("it may be being written, so far {fault}").into()));
                }
                Outcome::Broken(fault) => judging.problem(State::Critical, format!("dump of roles {name}: {fault}")),
                Outcome::Unverified(reason) if !context.is_valid(dump) => {
                    judging.problem(State::Unknown, format!("dump of roles {name}: {reason}"));
                }
                _ if !dump.is_encrypted() && !is_of_roles(dump) => {
                    judging.problem(State::Critical, format!("{name} is no dump of roles"));
                }
                _ => {}
            }
            judging.add(&GLOBALS_AGE, Number::real(context.since(dump.made.at).max(0.0)), "dump of roles is {} old");
            format!("{name}, {}", context.ago(dump.made.at))
        }
    };
    let is_bad = judging.item.state != State::Ok;
    let item = judging.finish(text);
    Some(if is_bad { item.because("roles are not in a dump of a database").then(command) } else { item })
}

fn is_of_roles(dump: &Dump) -> bool {
    dump.inspection.format == Some(Format::Cluster)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn majors_are_read_from_versions() {
        for (version, expected) in
            [("15.14 (Debian)", Some(15)), ("9.6.24", Some(9)), ("17devel", Some(17)), ("x", None)]
        {
            assert_eq!(major(version), expected, "{version}");
        }
        assert_eq!([9, 11, 15, 16, 19].map(newest_readable), [12, 13, 14, 15, 16]);
    }
}
