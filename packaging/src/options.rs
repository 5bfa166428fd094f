//! The options of a command line, as a section of its man page.

use std::fmt::Write as _;

use clap::builder::{PossibleValue, Str};
use clap::{Arg, ArgAction, Command};
use roff::{Inline, bold, italic, roman};

use crate::writer::Writer;

/// The plugin's own options, then those under a heading. `command` has been built.
pub fn write(writer: &mut Writer, command: &Command) {
    let options: Vec<&Arg> = command.get_arguments().filter(|option| !option.is_hide_set()).collect();
    let mut headings: Vec<Option<&str>> = vec![None];
    for option in &options {
        if !headings.contains(&option.get_help_heading()) {
            headings.push(option.get_help_heading());
        }
    }
    writer.section("OPTIONS");
    for heading in headings {
        if let Some(heading) = heading {
            writer.subsection(heading);
        }
        for option in options.iter().filter(|option| option.get_help_heading() == heading) {
            describe(writer, option);
        }
    }
}

/// How an option is written, its help and the values that it takes.
fn describe(writer: &mut Writer, option: &Arg) {
    let help = option.get_long_help().or_else(|| option.get_help()).map(ToString::to_string).unwrap_or_default();
    let mut paragraphs = help.split("\n\n").map(sentence);
    let mut first = paragraphs.next().unwrap_or_default();
    let values = values(option);
    let explained = values.iter().any(|value| value.get_help().is_some());
    if !values.is_empty() && !explained {
        let names: Vec<String> = values.iter().map(|value| format!("`{}`", value.get_name())).collect();
        let _ = write!(first, " One of {}.", names.join(", "));
    }
    let defaults: Vec<_> = option.get_default_values().iter().map(|value| value.to_string_lossy()).collect();
    if takes_value(option) && !defaults.is_empty() && !option.is_hide_default_value_set() {
        let _ = write!(first, " Default: `{}`.", defaults.join(" "));
    }
    writer.term(spelling(option), &first);
    for text in paragraphs {
        writer.further(&text);
    }
    if explained {
        let help = |value: &PossibleValue| value.get_help().map(ToString::to_string).unwrap_or_default();
        let terms: Vec<_> = values.iter().map(|value| (value.get_name(), sentence(&help(value)))).collect();
        let terms: Vec<_> = terms.iter().map(|(name, help)| (*name, help.as_str())).collect();
        writer.nested(&terms);
    }
}

/// `-w, --warning VALUE`, or the name of a positional argument.
fn spelling(option: &Arg) -> Vec<Inline> {
    let short = option.get_short().map(|short| vec![bold(format!("-{short}"))]);
    let long = option.get_long().map(|long| vec![bold(format!("--{long}"))]);
    let names: Vec<Vec<Inline>> = short.into_iter().chain(long).collect();
    let mut inlines = names.join(&roman(", "));
    if takes_value(option) {
        if !inlines.is_empty() {
            inlines.push(roman(" "));
        }
        let names: Vec<&str> = option.get_value_names().unwrap_or_default().iter().map(Str::as_str).collect();
        inlines.push(italic(names.join(" ")));
    }
    inlines
}

/// The words that an option takes, if only some can be given.
fn values(option: &Arg) -> Vec<PossibleValue> {
    // A flag has some too, true and false, that nobody can give.
    if !takes_value(option) || option.is_hide_possible_values_set() {
        return Vec::new();
    }
    option.get_possible_values().into_iter().filter(|value| !value.is_hide_set()).collect()
}

fn takes_value(option: &Arg) -> bool {
    matches!(option.get_action(), ArgAction::Set | ArgAction::Append)
}

/// `text` with a capital and a full stop, which help texts and the table go without.
pub fn sentence(text: &str) -> String {
    let mut rest = text.trim().chars();
    let capital: String = rest.next().map(char::to_uppercase).into_iter().flatten().collect();
    let text = format!("{capital}{}", rest.as_str());
    let stop = if text.is_empty() || text.ends_with(['.', ':', '!', '?']) { "" } else { "." };
    format!("{text}{stop}")
}
