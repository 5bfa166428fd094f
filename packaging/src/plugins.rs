//! The plugins of the suite. Everything that is made for each plugin is made from this list.

use clap::Command;
use common::metric::Definition;
use common::page::Page;
use common::run::Plugin;

/// What a plugin says of itself.
#[derive(Clone, Debug)]
pub struct Entry {
    /// Its name, `check_x`.
    pub name: &'static str,
    /// What it checks, in one sentence.
    pub about: &'static str,
    /// The metric that a bare range means.
    pub primary: Option<&'static str>,
    /// Its command line.
    pub command: Command,
    /// Its metric table.
    pub metrics: &'static [&'static Definition],
    /// The prose of its man page.
    pub page: Page,
}

impl Entry {
    /// The entry of plugin `P`.
    pub fn of<P: Plugin>(metrics: &'static [&'static Definition], page: Page) -> Self {
        let mut command = common::run::command::<P>();
        // Adds --help and --version and settles how many values each option takes.
        command.build();
        Self { name: P::NAME, about: P::ABOUT, primary: P::PRIMARY, command, metrics, page }
    }

    /// Its name without `check_`.
    pub fn stem(&self) -> &'static str {
        self.name.strip_prefix("check_").unwrap_or(self.name)
    }

    /// Where the package puts the program.
    pub fn installed(&self) -> String {
        format!("/usr/lib/nagios/plugins/{}", self.name)
    }

    /// Where the package puts its options file.
    pub fn options_file(&self) -> String {
        format!("/etc/monitoring-plugins-sirenia/{}.options", self.stem())
    }

    /// What it is called in monitoring cores, among the commands of others: `sirenia-docker-host`.
    pub fn object_name(&self) -> String {
        format!("sirenia-{}", self.stem().replace('_', "-"))
    }
}

/// Every plugin, one line each, in the order of their names.
pub fn all() -> Vec<Entry> {
    vec![
        Entry::of::<check_backend::CheckBackend>(check_backend::metrics::METRICS, check_backend::PAGE),
        Entry::of::<check_backup_age::CheckBackupAge>(check_backup_age::metrics::METRICS, check_backup_age::PAGE),
        Entry::of::<check_containers::CheckContainers>(check_containers::metrics::METRICS, check_containers::PAGE),
        Entry::of::<check_docker_host::CheckDockerHost>(check_docker_host::metrics::METRICS, check_docker_host::PAGE),
        Entry::of::<check_endpoint::CheckEndpoint>(check_endpoint::metrics::METRICS, check_endpoint::PAGE),
        Entry::of::<check_kwanza_expvars::CheckKwanzaExpvars>(
            check_kwanza_expvars::metrics::METRICS,
            check_kwanza_expvars::PAGE,
        ),
        Entry::of::<check_postgres::CheckPostgres>(check_postgres::metrics::METRICS, check_postgres::PAGE),
    ]
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use common::metric::Thresholds;

    use super::*;
    use crate::sample;

    fn all_and_sample() -> Vec<Entry> {
        let mut entries = all();
        entries.push(sample::entry());
        entries
    }

    /// The words of a shell command line that quotes with apostrophes only.
    fn words(line: &str) -> Vec<String> {
        let mut words = vec![String::new()];
        for (position, part) in line.split('\'').enumerate() {
            let quoted = position % 2 == 1;
            for c in part.chars() {
                if c == ' ' && !quoted {
                    words.push(String::new());
                } else if let Some(word) = words.last_mut() {
                    word.push(c);
                }
            }
        }
        words.retain(|word| !word.is_empty());
        words
    }

    #[test]
    fn names_are_in_order_and_metrics_are_unique() {
        let names: Vec<&str> = all().iter().map(|entry| entry.name).collect();
        assert!(names.is_sorted(), "{names:?}");
        for entry in all_and_sample() {
            let unique: BTreeSet<&str> = entry.metrics.iter().map(|row| row.name.as_ref()).collect();
            assert_eq!(unique.len(), entry.metrics.len(), "{} has two metrics of one name", entry.name);
        }
    }

    #[test]
    fn pages_have_the_prose_that_no_table_gives() {
        for Entry { name, page, .. } in all_and_sample() {
            assert!(!page.description.is_empty(), "{name}: description");
            assert!(!page.examples.is_empty(), "{name}: examples");
            assert!(!page.privileges.is_empty(), "{name}: privileges");
        }
    }

    #[test]
    fn examples_are_command_lines_that_the_plugin_takes() {
        for entry in all_and_sample() {
            for (line, _) in entry.page.examples {
                let words = words(line);
                assert_eq!(words[0], entry.name, "{line}");
                let matches = entry.command.clone().try_get_matches_from(words);
                let matches = matches.unwrap_or_else(|error| panic!("{line}: {error}"));
                let given = |id: &str| matches.get_many::<String>(id).unwrap_or_default().cloned().collect::<Vec<_>>();
                Thresholds::parse(entry.metrics, entry.primary, &given("warning"), &given("critical"))
                    .unwrap_or_else(|reason| panic!("{line}: {reason}"));
            }
        }
    }

    #[test]
    fn apostrophes_quote_words() {
        assert_eq!(words("check_x -w '/my disk:used=80'  -v"), ["check_x", "-w", "/my disk:used=80", "-v"]);
    }
}
