//! The options of a plugin as monitoring cores take them, from its command line.

use std::fmt::Write as _;

use clap::{Arg, ArgAction};

use crate::options::sentence;
use crate::plugins::Entry;

/// Options that end the plugin without a check.
const NO_CHECK: [&str; 3] = ["help", "version", "list_metrics"];

/// An option or positional argument.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Argument {
    /// Its name in the command line's definition, `snake_case`.
    pub id: String,
    /// How it is written: the long name where there is one, else the short one; none where it is positional.
    pub key: Option<String>,
    /// What it takes.
    pub takes: Takes,
    /// Whether the plugin refuses to run without it.
    pub is_required: bool,
    /// What it is for, in sentences; with its words and its default.
    pub help: String,
    /// What stands for its value in the usage.
    pub value_name: String,
}

/// What an argument takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Takes {
    /// Nothing: it is given or not.
    Nothing,
    /// Nothing, and it may be given several times.
    Times,
    /// A value.
    Value,
    /// A value each of the times that it is given.
    Values,
}

/// The arguments of a plugin with which it checks something, in the order of its help.
pub fn arguments(entry: &Entry) -> Vec<Argument> {
    let is_wanted = |arg: &&Arg| !arg.is_hide_set() && !NO_CHECK.contains(&arg.get_id().as_str());
    entry.command.get_arguments().filter(is_wanted).map(argument).collect()
}

fn argument(arg: &Arg) -> Argument {
    let is_many = arg.get_num_args().is_some_and(|range| range.max_values() > 1);
    let takes = match arg.get_action() {
        ArgAction::Count => Takes::Times,
        ArgAction::Append => Takes::Values,
        ArgAction::Set if is_many => Takes::Values,
        ArgAction::Set => Takes::Value,
        _ => Takes::Nothing,
    };
    let long = arg.get_long().map(|long| format!("--{long}"));
    let value_names = arg.get_value_names().unwrap_or_default().iter().map(clap::builder::Str::as_str);
    Argument {
        id: arg.get_id().to_string(),
        key: long.or_else(|| arg.get_short().map(|short| format!("-{short}"))),
        takes,
        is_required: arg.is_required_set(),
        help: help(arg, takes),
        value_name: value_names.collect::<Vec<_>>().join(" "),
    }
}

fn help(arg: &Arg, takes: Takes) -> String {
    let mut text = sentence(&arg.get_help().map(ToString::to_string).unwrap_or_default());
    if matches!(takes, Takes::Nothing | Takes::Times) {
        return text;
    }
    let words: Vec<String> = arg
        .get_possible_values()
        .iter()
        .filter(|value| !value.is_hide_set())
        .map(|value| value.get_name().to_owned())
        .collect();
    if !words.is_empty() {
        let _ = write!(text, " One of {}.", words.join(", "));
    }
    let defaults: Vec<_> = arg.get_default_values().iter().map(|value| value.to_string_lossy()).collect();
    if !defaults.is_empty() && !arg.is_hide_default_value_set() {
        let _ = write!(text, " Default: {}.", defaults.join(" "));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{plugins, sample};

    #[test]
    fn what_an_option_takes_is_known() {
        let arguments = arguments(&sample::entry());
        let of = |id: &str| arguments.iter().find(|argument| argument.id == id).unwrap();
        assert_eq!((of("target").key.as_deref(), of("target").takes), (None, Takes::Value));
        assert_eq!(of("verbose").takes, Takes::Times);
        assert_eq!(of("warning").takes, Takes::Values);
        assert_eq!(of("exit_zero").takes, Takes::Nothing);
        assert_eq!(of("colour_depth").key.as_deref(), Some("--colour-depth"));
        assert!(of("colour_depth").help.ends_with("One of 8, 16. Default: 8."), "{}", of("colour_depth").help);
        assert!(!arguments.iter().any(|argument| ["help", "hidden", "list_metrics"].contains(&&*argument.id)));
    }

    #[test]
    fn several_urls_are_several_values() {
        let endpoint = plugins::all().into_iter().find(|entry| entry.name == "check_endpoint").unwrap();
        let arguments = arguments(&endpoint);
        let urls = arguments.iter().find(|argument| argument.key.is_none()).unwrap();
        assert_eq!(urls.takes, Takes::Values);
        assert!(arguments.iter().any(|argument| argument.key.as_deref() == Some("--ipv4")));
    }
}
