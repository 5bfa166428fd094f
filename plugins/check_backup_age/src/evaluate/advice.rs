//! The next steps, in the words of the operations guide, and with its commands as they work unattended.

use std::path::Path;

use common::text::{Text, shell_word};

use crate::evaluate::Context;
use crate::parse::{Fault, Format, Kind};
use crate::snapshot::Dump;

/// What the guide calls its database.
const DATABASE: &str = "kwanza";

/// What to do about a dump that is not valid.
pub fn after(fault: &Fault, dump: &Dump, context: &Context) -> Vec<Text> {
    let path = word(&dump.file.path);
    let directory = dump.file.path.parent().map_or_else(|| ".".to_owned(), word);
    let mut steps = Vec::new();
    match &fault.kind {
        Kind::Prompt => {
            steps.push(dump_again(dump, context));
            steps.push("put HOST:5432:*:postgres:PASSWORD into ~/.pgpass and chmod 600 it: -W asks, and nobody is there to answer".to_owned());
            steps.push(format!("rm {path} once there is a new one, without printing it: the password may be in it"));
        }
        Kind::LineEnds | Kind::Utf16 => {
            steps.push(dump_again(dump, context));
            steps.push(
                "in a container: docker exec without -t and -it, or pg_dump -f inside it and docker cp".to_owned(),
            );
        }
        Kind::Empty | Kind::NothingInside(_) | Kind::Message(_) | Kind::InFront(_) => {
            steps.push(dump_again(dump, context));
            steps.push(
                "let the job fail when pg_dump fails: set -e -o pipefail, and standard error elsewhere".to_owned(),
            );
        }
        Kind::Truncated
        | Kind::WrapperTruncated(_)
        | Kind::Unfinished
        | Kind::Missing(_)
        | Kind::Zeros
        | Kind::ZeroTail
        | Kind::Hole => {
            steps.push(format!("df -h {directory} (is the disk full?), then the messages of the backup job"));
            steps.push(dump_again(dump, context));
        }
        Kind::Corrupt | Kind::WrapperCorrupt(_) | Kind::Damaged(_) | Kind::LargeObjects { .. } | Kind::Trailing => {
            steps.push(format!("compare it with where it was copied from: sha256sum {path}"));
            steps.push(dump_again(dump, context));
        }
        Kind::Foreign(_) => steps.push(format!("file {path}")),
    }
    let may_be_else = matches!(fault.kind, Kind::Foreign(_) | Kind::Message(_) | Kind::Empty);
    if may_be_else && context.config.pattern.is_none() && !context.snapshot.only_named {
        steps.push("if it is not meant to be a dump, --pattern leaves it out".to_owned());
    }
    steps.into_iter().map(Into::into).collect()
}

/// The guide's `pg_dump -U postgres -W -F t kwanza > kwanza.tar`, as it works unattended: no prompt, no terminal, and the
/// old dump stays until the new one is complete.
pub fn dump_again(dump: &Dump, context: &Context) -> String {
    let header = dump.inspection.header.as_ref();
    let inside = header.and_then(|header| header.database.as_deref());
    let database = context.config.options.database.as_deref().or(inside).unwrap_or(DATABASE);
    let format = dump.inspection.format;
    let (path, letter) = match (dump.inspection.wrapper, format) {
        // A pipe hides that pg_dump failed, and a custom dump compresses by itself.
        (Some(_), _) => (dump.file.path.with_extension("").with_extension("dump"), 'c'),
        (None, Some(Format::Custom)) => (dump.file.path.clone(), 'c'),
        (None, Some(Format::Directory)) => (dump.file.path.clone(), 'd'),
        (None, Some(Format::Plain)) => (dump.file.path.clone(), 'p'),
        (None, _) => (dump.file.path.clone(), 't'),
    };
    let (new, path) = (shell_word(&format!("{}.new", path.display())), word(&path));
    if format == Some(Format::Cluster) {
        return format!("pg_dumpall -U postgres -w -f {new} && mv {new} {path}");
    }
    format!("pg_dump -U postgres -w -F {letter} -f {new} {} && mv {new} {path}", shell_word(database))
}

fn word(path: &Path) -> String {
    shell_word(&path.to_string_lossy())
}
