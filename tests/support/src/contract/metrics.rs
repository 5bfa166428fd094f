//! The table of metrics against what a run prints.

use std::collections::BTreeSet;

use serde_json::Value;

use super::{Plugin, checked, figures_of, perfdata_of};

fn text<'a>(row: &'a Value, key: &str) -> &'a str {
    row[key].as_str().unwrap_or_else(|| panic!("no {key} in {row}"))
}

/// The unit of perfdata for a row or figure.
fn uom(row: &Value) -> &'static str {
    match (text(row, "unit"), text(row, "kind")) {
        ("number", "counter") => "c",
        ("number", "gauge") => "",
        ("bytes", _) => "B",
        ("seconds", _) => "s",
        ("percent", _) => "%",
        other => panic!("{other:?} is not a unit and kind: {row}"),
    }
}

fn is_snake_case(name: &str) -> bool {
    name.starts_with(|c: char| c.is_ascii_lowercase())
        && name.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_')
        && !name.contains("__")
        && !name.ends_with('_')
}

/// `--list-metrics` has a name, unit and meaning for each metric, the same in text and JSON.
pub fn the_metric_table_is_well_formed(plugin: &Plugin) {
    let output = plugin.good_with(&["--list-metrics"]);
    assert_eq!(output.code, 3, "{}", output.stdout);
    let rows = plugin.metrics();
    let mut names = BTreeSet::new();
    for row in &rows {
        let name = text(row, "name");
        assert!(names.insert(name.to_owned()), "{name} is listed twice");
        assert!(is_snake_case(name) || plugin.foreign_names.contains(&name), "{name} is not in snake case");
        assert!(!text(row, "help").is_empty() && !text(row, "help").ends_with('.'), "the meaning of {name}");
        uom(row);
        let listed = row["per"].as_str().map_or(name.to_owned(), |per| format!("{}:{name}", per.to_uppercase()));
        let line = output.stdout.lines().find(|line| line.split(' ').next() == Some(&listed));
        let line = line.unwrap_or_else(|| panic!("{listed} is not in the text:\n{}", output.stdout));
        assert!(line.ends_with(text(row, "help")), "{line}");
    }
    assert!(names.contains(plugin.judged));
}

/// The defaults in the table are ranges that `-w` and `-c` take.
pub fn default_ranges_are_accepted(plugin: &Plugin) {
    let mut run = plugin.good();
    for row in plugin.metrics() {
        for option in ["warning", "critical"] {
            run = run.arg(format!("--{option}={}={}", text(&row, "name"), text(&row, option)));
        }
    }
    let (given, default) = (checked(run.output()), plugin.good_with(&[]));
    assert_eq!(given.code, default.code, "the defaults, said again: {}", given.stdout);
}

/// Every figure that a run prints is in the table, with that unit, and is the same in perfdata and JSON.
pub fn every_figure_is_in_the_metric_table(plugin: &Plugin) {
    let rows = plugin.metrics();
    let find = |name: &str| rows.iter().find(|row| text(row, "name") == name);
    // Twice, as some figures need an earlier run.
    let run = plugin.good().arg("-vvv");
    checked(run.output());
    for item in perfdata_of(&checked(run.output())) {
        let name = super::metric_of(&item.label);
        let row = find(name).unwrap_or_else(|| panic!("{} is not listed", item.label));
        assert_eq!(item.uom, uom(row), "unit of {}", item.label);
        assert_eq!(item.label.contains(':'), !row["per"].is_null(), "an instance in {}", item.label);
    }
    let document = plugin.document(&plugin.good_with(&["-vvv", "--format", "json"]));
    let figures = figures_of(&document["items"]);
    for figure in &figures {
        let row = find(text(figure, "name")).unwrap_or_else(|| panic!("not listed: {figure}"));
        assert_eq!((uom(figure), figure["instance"].is_null()), (uom(row), row["per"].is_null()), "{figure}");
    }
    let perfdata = perfdata_of(&plugin.good_with(&["-vvv"]));
    let names = |names: Vec<&str>| names.into_iter().map(str::to_owned).collect::<BTreeSet<_>>();
    assert_eq!(
        names(perfdata.iter().map(|item| super::metric_of(&item.label)).collect()),
        names(figures.iter().map(|figure| text(figure, "name")).collect()),
        "perfdata and JSON have the same metrics"
    );
}
