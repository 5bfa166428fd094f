//! The options of the groups: what is asked of the server.

use std::path::PathBuf;

use clap::{Args, ValueEnum};
use common::units::parse_size;

/// What is looked at, in the order of the report.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, ValueEnum)]
#[expect(missing_docs, reason = "the words of --only and of the report")]
pub enum Group {
    Backends,
    Transactions,
    Wraparound,
    Archiving,
    Replication,
    Integrity,
    Sequences,
    Size,
    Rates,
    Maintenance,
    Server,
}

impl Group {
    /// Every group.
    pub const ALL: [Self; 11] = [
        Self::Backends,
        Self::Transactions,
        Self::Wraparound,
        Self::Archiving,
        Self::Replication,
        Self::Integrity,
        Self::Sequences,
        Self::Size,
        Self::Rates,
        Self::Maintenance,
        Self::Server,
    ];
}

/// The options of the groups.
#[derive(Clone, Debug, Args)]
pub struct GroupArguments {
    /// Look only at these groups
    #[arg(long, value_name = "GROUP", value_delimiter = ',')]
    pub only: Vec<Group>,
    /// Leave these groups out
    #[arg(long, value_name = "GROUP", value_delimiter = ',')]
    pub skip: Vec<Group>,
    /// How many sessions, tables and the like to name under an item
    #[arg(long, value_name = "COUNT", default_value_t = 5, value_parser = clap::value_parser!(u8).range(0..=100))]
    pub top: u8,
    /// Name sessions with their statements, which may hold data and passwords
    #[arg(long)]
    pub show_queries: bool,
    /// Tables that are smaller are not looked at for vacuum, analyze and dead rows
    #[arg(long, value_name = "SIZE", default_value = "100MiB", value_parser = parse_size)]
    pub min_table_size: u64,
    /// Point in time recovery is meant to be possible: WAL that is not archived is CRITICAL
    #[arg(long)]
    pub require_pitr: bool,
    /// The newest minor release, as 15.14, to compare the server with; repeatable, one a major version
    #[arg(long, value_name = "VERSION", value_parser = parse_release)]
    pub latest_minor: Vec<Release>,
    /// Judge what the statement in FILE says: columns name, value and, if there are, warning and critical
    #[arg(long, value_name = "FILE")]
    pub query_file: Option<PathBuf>,
}

/// A minor release of a major version.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Release {
    /// 15 of 15.14.
    pub major: u32,
    /// 14 of 15.14.
    pub minor: u32,
}

fn parse_release(text: &str) -> Result<Release, String> {
    let parts = text.split_once('.').and_then(|(major, minor)| Some((major.parse().ok()?, minor.parse().ok()?)));
    match parts {
        Some((major, minor)) if major >= 10 => Ok(Release { major, minor }),
        _ => Err("it is not a release such as 15.14".to_owned()),
    }
}

/// What is asked of the server.
#[derive(Clone, Debug)]
pub struct Wants {
    /// The groups.
    pub groups: Vec<Group>,
    /// How many of what is listed.
    pub top: u8,
    /// Whether statements are read.
    pub queries: bool,
    /// Bytes from which on a table counts as large.
    pub min_table_size: u64,
    /// The user's own statement.
    pub custom: Option<String>,
}

impl Wants {
    /// What the options ask for. `custom` is the content of --query-file.
    pub fn new(arguments: &GroupArguments, custom: Option<String>) -> Self {
        let is_wanted = |group: &Group| {
            (arguments.only.is_empty() || arguments.only.contains(group)) && !arguments.skip.contains(group)
        };
        Self {
            groups: Group::ALL.into_iter().filter(is_wanted).collect(),
            top: arguments.top,
            queries: arguments.show_queries,
            min_table_size: arguments.min_table_size,
            custom,
        }
    }

    /// Whether any of `groups` is wanted.
    pub fn any(&self, groups: &[Group]) -> bool {
        groups.iter().any(|group| self.groups.contains(group))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_release_has_two_numbers() {
        assert_eq!(parse_release("15.14"), Ok(Release { major: 15, minor: 14 }));
        for bad in ["15", "9.6", "15.x", "", "15.14.1"] {
            assert!(parse_release(bad).is_err(), "{bad}");
        }
    }
}
