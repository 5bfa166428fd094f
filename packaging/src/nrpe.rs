//! Fixed command lines for NRPE, and the options files that they read.
//!
//! NRPE as distributions build it passes no arguments, so what a check is to do stands in a file beside it.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use crate::arguments::{Argument, Takes, arguments};
use crate::files::Set;
use crate::plugins::Entry;

const HEAD: &str = "\
# Commands of monitoring-plugins-sirenia for NRPE, made by `cargo xtask integrations`.
#
# NRPE takes no arguments from outside, and should not: what each check is to do stands in its options file. A check that
# is to look at two things takes two commands and two files.
";

/// The file with the commands of all plugins.
pub fn commands(plugins: &[Entry]) -> Set {
    let mut text = HEAD.to_owned();
    for entry in plugins {
        let _ = writeln!(text, "\n# {}.", entry.about);
        let _ = writeln!(
            text,
            "command[{}]={} --options-file {}",
            entry.object_name(),
            entry.installed(),
            entry.options_file()
        );
    }
    Set::new("packaging/nrpe", ".cfg", BTreeMap::from([("commands", text)]))
}

/// An options file for each plugin, in which nothing is chosen yet.
pub fn options(plugins: &[Entry]) -> Set {
    let files = plugins.iter().map(|entry| (entry.stem(), file(entry))).collect();
    Set::new("packaging/options", ".options", files)
}

fn file(entry: &Entry) -> String {
    let name = entry.name;
    let mut text = format!(
        "# Options of {name}, one a line: the option, white space, and its value as it stands, without quotes.\n\
         # {name} --options-file {} reads them. See {name}(8).\n",
        entry.options_file()
    );
    for argument in arguments(entry).iter().filter(|argument| argument.id != "options_file") {
        let _ = write!(text, "\n# {}\n#{}\n", argument.help, example(argument));
    }
    text
}

fn example(argument: &Argument) -> String {
    let value = match argument.takes {
        Takes::Nothing | Takes::Times => "",
        Takes::Value | Takes::Values => &argument.value_name,
    };
    match &argument.key {
        Some(key) => format!("{key} {value}").trim_end().to_owned(),
        None => value.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{plugins, sample};

    #[test]
    fn an_options_file_shows_every_option_and_chooses_none() {
        let text = file(&sample::entry());
        assert!(text.lines().all(|line| line.is_empty() || line.starts_with('#')), "{text}");
        for line in ["#--colour-depth BITS\n", "#TARGET\n", "#--exit-zero\n", "#--warning [INSTANCE:]METRIC=RANGE\n"] {
            assert!(text.contains(line), "{line} is expected in: {text}");
        }
        assert!(!text.contains("--options-file FILE\n"));
    }

    #[test]
    fn every_plugin_has_a_command() {
        let text = format!("{:?}", commands(&plugins::all()));
        for entry in plugins::all() {
            let line =
                format!("{} --options-file /etc/monitoring-plugins-sirenia/{}.options", entry.name, entry.stem());
            assert!(text.contains(&line), "{line} is expected in: {text}");
        }
    }
}
