//! `CheckCommand`s for Icinga 2, with every option of every plugin.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use common::render::table;

use crate::arguments::{Argument, Takes, arguments};
use crate::files::Set;
use crate::plugins::Entry;

const HEAD: &str = "\
// CheckCommands of monitoring-plugins-sirenia, made by `cargo xtask integrations` from the plugins' own definitions.
//
// Every option is a custom variable, sirenia_PLUGIN_OPTION. Those that may be repeated take a string or an array;
// those without a value take true; verbose takes 1 to 3. Thresholds name the metric that they are for:
//
//   vars.sirenia_docker_host_warning = [ \"/var:used_percent=80\", \"load5=8\" ]
";

/// The file with the commands of all plugins.
pub fn commands(plugins: &[Entry]) -> Set {
    let mut text = HEAD.to_owned();
    for entry in plugins {
        text.push('\n');
        command(&mut text, entry);
    }
    Set::new("packaging/icinga2", ".conf", BTreeMap::from([("commands", text)]))
}

/// The custom variable of an argument.
fn variable(entry: &Entry, argument: &Argument) -> String {
    format!("sirenia_{}_{}", entry.stem(), argument.id)
}

fn command(text: &mut String, entry: &Entry) {
    let _ = writeln!(text, "// {}.\n//\n// Metrics and their default thresholds (warning, critical):", entry.about);
    for row in entry.metrics {
        let ranges = [row.warning, row.critical].map(|range| if range.is_empty() { "-" } else { range });
        let _ = writeln!(text, "//   {:<40} {}", table::name(row), ranges.join(", "));
    }
    let _ = writeln!(text, "object CheckCommand {} {{", string(&entry.object_name()));
    let _ = writeln!(text, "  command = [ PluginDir + {} ]", string(&format!("/{}", entry.name)));
    text.push_str("  arguments = {\n");
    for argument in arguments(entry) {
        match argument.takes {
            Takes::Times => {
                for times in 1..=3 {
                    let set_if = format!("{{{{ macro(\"${}$\") == {times} }}}}", variable(entry, &argument));
                    block(text, &format!("-{}", "v".repeat(times)), &argument, &[("set_if", set_if)]);
                }
            }
            _ => block(text, &key(&argument), &argument, &attributes(entry, &argument)),
        }
    }
    text.push_str("  }\n}\n");
}

/// The key of an argument; one that has none is called by what it takes.
fn key(argument: &Argument) -> String {
    argument.key.clone().unwrap_or_else(|| argument.value_name.clone())
}

fn attributes(entry: &Entry, argument: &Argument) -> Vec<(&'static str, String)> {
    let value = string(&format!("${}$", variable(entry, argument)));
    let mut attributes = match argument.takes {
        Takes::Nothing | Takes::Times => vec![("set_if", value)],
        Takes::Value => vec![("value", value)],
        Takes::Values => vec![("value", value), ("repeat_key", "true".to_owned())],
    };
    if argument.key.is_none() {
        attributes.extend([("skip_key", "true".to_owned()), ("order", "1".to_owned())]);
    }
    if argument.is_required {
        attributes.push(("required", "true".to_owned()));
    }
    attributes
}

fn block(text: &mut String, key: &str, argument: &Argument, attributes: &[(&str, String)]) {
    let _ = writeln!(text, "    {} = {{", string(key));
    for (name, value) in attributes {
        let _ = writeln!(text, "      {name} = {value}");
    }
    let _ = writeln!(text, "      description = {}", string(&argument.help));
    text.push_str("    }\n");
}

/// `text` as a string of Icinga's language.
fn string(text: &str) -> String {
    format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', " "))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{plugins, sample};

    #[test]
    fn every_option_of_every_plugin_is_there() {
        for entry in plugins::all() {
            let mut text = String::new();
            command(&mut text, &entry);
            for argument in entry.command.get_arguments().filter(|argument| !argument.is_hide_set()) {
                let id = argument.get_id().as_str();
                let is_there = text.contains(&format!("$sirenia_{}_{id}$\"", entry.stem()));
                // These end the plugin without a check.
                assert_eq!(is_there, !["help", "version", "list_metrics"].contains(&id), "{}: {id}", entry.name);
            }
        }
    }

    #[test]
    fn a_command_says_how_each_option_is_given() {
        let mut text = String::new();
        command(&mut text, &sample::entry());
        for part in [
            "object CheckCommand \"sirenia-sample\" {\n  command = [ PluginDir + \"/check_sample\" ]\n",
            "\"--warning\" = {\n      value = \"$sirenia_sample_warning$\"\n      repeat_key = true\n",
            "\"--exit-zero\" = {\n      set_if = \"$sirenia_sample_exit_zero$\"\n",
            "\"-vv\" = {\n      set_if = {{ macro(\"$sirenia_sample_verbose$\") == 2 }}\n",
            "\"TARGET\" = {\n      value = \"$sirenia_sample_target$\"\n      skip_key = true\n      order = 1\n",
            ".Depth of the colour, C:\\\\ or 'none'.",
            "//   FILE:size ",
        ] {
            assert!(text.contains(part), "{part} is expected in: {text}");
        }
    }
}
