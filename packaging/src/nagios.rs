//! Commands for Nagios and its kin.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use crate::files::Set;
use crate::plugins::Entry;

const HEAD: &str = "\
# Commands of monitoring-plugins-sirenia for Nagios, Naemon and Icinga 1, made by `cargo xtask integrations`.
#
# All that follows the first exclamation mark of a check_command is handed on as it stands:
#
#   check_command  sirenia-docker-host!-w /var:used_percent=80 -w load5=8
#
# A word with a blank, * or ? takes quotes, as in a shell, and $ is written $$. The commands by NRPE run what
# packaging/nrpe/commands.cfg defines on the host.
";

/// The file with the commands of all plugins.
pub fn commands(plugins: &[Entry]) -> Set {
    let mut text = HEAD.to_owned();
    for entry in plugins {
        let name = entry.object_name();
        let _ = writeln!(text, "\n# {}.", entry.about);
        define(&mut text, &name, &format!("$USER1$/{} $ARG1$", entry.name));
        define(&mut text, &format!("{name}-by-nrpe"), &format!("$USER1$/check_nrpe -H $HOSTADDRESS$ -t 15 -c {name}"));
    }
    Set::new("packaging/nagios", ".cfg", BTreeMap::from([("commands", text)]))
}

fn define(text: &mut String, name: &str, line: &str) {
    let _ = writeln!(text, "define command {{\n    command_name  {name}\n    command_line  {line}\n}}");
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plugins;

    #[test]
    fn every_plugin_has_both_commands() {
        let text = format!("{:?}", commands(&plugins::all()));
        for entry in plugins::all() {
            for line in [format!("$USER1$/{} $ARG1$", entry.name), format!("-c {}\\n", entry.object_name())] {
                assert!(text.contains(&line), "{line} is expected in: {text}");
            }
        }
    }
}
