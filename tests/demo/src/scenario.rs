//! What can go wrong, and who is to find it.

use backend::Fault;
use clap::ValueEnum;

use crate::suite::Plugin;

/// What `--scenario` takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Scenario {
    /// Prints the names of the others
    List,
    /// PostgreSQL is killed
    PostgresDown,
    /// The disk of Docker's data fills up
    DiskFull,
    /// Kwanza panics
    Panics,
    /// No backup was made for four nights
    StaleBackup,
    /// Cuesta's certificate is about to expire
    CertExpiring,
}

/// A scenario in full.
#[derive(Clone, Copy, Debug)]
pub struct Story {
    /// What goes wrong.
    pub fault: Fault,
    /// The same for a reader.
    pub what: &'static str,
    /// In a sentence.
    pub how: &'static str,
    /// The plugins that find it, in the order of the guide.
    pub finders: &'static [Plugin],
}

impl Scenario {
    /// What it is about; nothing for the list.
    pub fn story(self) -> Option<Story> {
        let (fault, texts, finders): (_, _, &[Plugin]) = match self {
            Self::List => return None,
            Self::PostgresDown => (
                Fault::PostgresDown,
                ["PostgreSQL is killed", "Its container exits, its port closes, and Kwanza can let nobody in."],
                &[Plugin::Containers, Plugin::Postgres, Plugin::Backend],
            ),
            Self::DiskFull => (
                Fault::DiskFull,
                ["The disk of Docker's data fills up", "PostgreSQL ends and cannot start again."],
                &[Plugin::DockerHost, Plugin::Containers, Plugin::Backend],
            ),
            Self::Panics => (
                Fault::Panics,
                ["Kwanza panics", "Twice in its gRPC layer and fourteen times on streams. It goes on."],
                &[Plugin::KwanzaExpvars, Plugin::Backend],
            ),
            Self::StaleBackup => (
                Fault::StaleBackup,
                ["Four nights without a backup", "Nobody noticed that pg_dump was no longer run."],
                &[Plugin::BackupAge, Plugin::Backend],
            ),
            Self::CertExpiring => (
                Fault::CertExpiring,
                ["A certificate is about to expire", "Cuesta's ends in two days. All works until then."],
                &[Plugin::Endpoint, Plugin::Backend],
            ),
        };
        let [what, how] = texts;
        Some(Story { fault, what, how, finders })
    }

    /// Those that are about something, each with its name and its line of the help.
    pub fn all() -> impl Iterator<Item = (String, String)> {
        let stories = Self::value_variants().iter().filter(|scenario| scenario.story().is_some());
        stories.filter_map(Self::to_possible_value).map(|value| {
            let help = value.get_help().map(ToString::to_string).unwrap_or_default();
            (value.get_name().to_owned(), help)
        })
    }
}
