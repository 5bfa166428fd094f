//! Man pages, from the command line, the metric table and the prose of each plugin.

use std::io::ErrorKind;
use std::path::PathBuf;
use std::process::Command;

use common::metric::{Definition, Kind};
use common::render::table;
use common::state::State;
use common::store::PACKAGED_DIR;
use common::units::Unit;
use roff::{Inline, bold, roman};

use crate::files::Set;
use crate::options::{self, sentence};
use crate::plugins::Entry;
use crate::prose;
use crate::writer::Writer;

const SECTION: &str = "8";
/// The day of this version. Not that of the build, so that the same code makes the same page on any day.
const DATE: &str = "2026-11-22";
const SOURCE: &str = concat!("monitoring-plugins-sirenia ", env!("CARGO_PKG_VERSION"));
const MANUAL: &str = "Monitoring Plugins";

/// The man page of every plugin.
pub fn pages(plugins: &[Entry]) -> Result<Set, String> {
    let page = |entry: &Entry| Ok((entry.name, page(entry, plugins)?));
    Ok(Set::new("man", ".8", plugins.iter().map(page).collect::<Result<_, String>>()?))
}

/// What mandoc finds wrong with `pages`.
pub fn lint(pages: &[PathBuf]) -> Result<(), String> {
    // Without files it would read its standard input, but that it is missing should show at once.
    let input = if pages.is_empty() { &[PathBuf::from("/dev/null")] } else { pages };
    let output = Command::new("mandoc").args(["-Tlint", "-W", "warning"]).args(input).output().map_err(|error| {
        match error.kind() {
            ErrorKind::NotFound => {
                "mandoc, which lints the man pages, is not installed: apt-get install mandoc".to_owned()
            }
            _ => format!("mandoc: {error}"),
        }
    })?;
    if output.status.success() || pages.is_empty() {
        return Ok(());
    }
    let mut text = String::from_utf8_lossy(&output.stdout).into_owned();
    text.push_str(&String::from_utf8_lossy(&output.stderr));
    Err(text.trim_end().to_owned())
}

/// The man page of `entry`, which refers to all of `plugins`.
fn page(entry: &Entry, plugins: &[Entry]) -> Result<String, String> {
    let mut writer = Writer::new([entry.name, SECTION, DATE, SOURCE, MANUAL]);
    writer.section("NAME");
    writer.line(vec![roman(format!("{} - {}", entry.name, entry.about))]);
    synopsis(&mut writer, entry)?;
    writer.section("DESCRIPTION");
    writer.paragraphs(entry.page.description);
    options::write(&mut writer, &entry.command);
    metrics(&mut writer, entry);
    ranges(&mut writer);
    exit_status(&mut writer);
    writer.section("OUTPUT");
    writer.paragraph(prose::OUTPUT);
    files(&mut writer, entry);
    writer.section("ENVIRONMENT");
    writer.terms(entry.page.environment);
    writer.terms(prose::ENVIRONMENT);
    writer.section("EXAMPLES");
    for (line, text) in entry.page.examples {
        writer.paragraph(text);
        writer.command(line);
    }
    writer.section("PRIVILEGES");
    writer.paragraphs(entry.page.privileges);
    see_also(&mut writer, entry, plugins);
    Ok(writer.finish())
}

fn synopsis(writer: &mut Writer, entry: &Entry) -> Result<(), String> {
    let usage = entry.command.clone().render_usage().to_string();
    let rest = usage.strip_prefix("Usage: ").and_then(|usage| usage.strip_prefix(entry.name));
    let rest = rest.ok_or_else(|| format!("{}: clap's usage is not 'Usage: NAME ...': {usage}", entry.name))?;
    writer.section("SYNOPSIS");
    writer.line(vec![bold(entry.name), roman(rest.trim_end())]);
    Ok(())
}

/// The metric table, by group in the order of the table.
fn metrics(writer: &mut Writer, entry: &Entry) {
    writer.section("METRICS");
    writer.paragraph(
        "The name of a metric is its label in the performance data and its key in `--warning`, `--critical`, \
         `--perfdata` and the other formats. A word in capitals stands for the instance.",
    );
    if let Some(primary) = entry.primary {
        writer.paragraph(&format!("A range without a metric means `{primary}`."));
    }
    if let Some(further) = entry.page.further_metrics {
        writer.paragraph(&sentence(further));
    }
    let mut groups: Vec<&str> = Vec::new();
    for row in entry.metrics {
        if !groups.contains(&row.group) {
            groups.push(row.group);
        }
    }
    for group in groups {
        writer.subsection(group);
        for row in entry.metrics.iter().filter(|row| row.group == group) {
            writer.term(heading(row), &format!("{} {}", sentence(&row.help), defaults(row)));
        }
    }
}

/// The metric's name with its instance, and its unit.
fn heading(row: &Definition) -> Vec<Inline> {
    let unit = match row.unit {
        Unit::Number => None,
        Unit::Bytes => Some("bytes"),
        Unit::Seconds => Some("seconds"),
        Unit::Percent => Some("percent"),
    };
    let counter = (row.kind == Kind::Counter).then_some("counter");
    let facts: Vec<&str> = unit.into_iter().chain(counter).collect();
    let mut inlines = vec![bold(table::name(row))];
    if !facts.is_empty() {
        inlines.push(roman(format!(" ({})", facts.join(", "))));
    }
    inlines
}

fn defaults(row: &Definition) -> String {
    match (row.warning, row.critical) {
        ("", "") => "Not judged by default.".to_owned(),
        (warning, "") => format!("Default: warning `{warning}`."),
        ("", critical) => format!("Default: critical `{critical}`."),
        (warning, critical) => format!("Default: warning `{warning}`, critical `{critical}`."),
    }
}

fn ranges(writer: &mut Writer) {
    writer.section("RANGES");
    writer.paragraphs(prose::RANGE_RULES);
    for (range, meaning, ..) in prose::RANGES {
        writer.term(vec![bold(*range)], &format!("Alerts on a value {meaning}."));
    }
}

fn exit_status(writer: &mut Writer) {
    writer.section("EXIT STATUS");
    for state in State::BY_EXIT_CODE {
        writer.term(
            vec![bold(state.exit_code().to_string()), roman(format!(" {}", state.word()))],
            prose::exit_status(state),
        );
    }
    writer.paragraph(prose::EXIT_NOTE);
}

fn files(writer: &mut Writer, entry: &Entry) {
    writer.section("FILES");
    writer.paragraph(prose::FILES);
    writer.term(vec![bold("$STATE_DIRECTORY")], "The directory that systemd gives to the service that runs the check.");
    writer.term(vec![bold(PACKAGED_DIR)], "Made by the package for the monitoring user.");
    writer.term(
        vec![bold("$XDG_STATE_HOME/monitoring-plugins-sirenia")],
        "Made for any other user, with mode 0700; `~/.local/state` where the variable is unset.",
    );
    if !entry.page.files.is_empty() {
        writer.paragraph("The check reads:");
        writer.terms(entry.page.files);
    }
}

/// The plugin's own references, the other plugins and the standard.
fn see_also(writer: &mut Writer, entry: &Entry, plugins: &[Entry]) {
    let others = plugins.iter().filter(|other| other.name != entry.name);
    let others = others.map(|other| format!("{}({SECTION})", other.name));
    let own = entry.page.see_also.iter().map(ToString::to_string);
    let all: Vec<String> = own.chain(others).chain([prose::SEE_ALSO.to_owned()]).collect();
    writer.section("SEE ALSO");
    writer.line(vec![roman(all.join(", "))]);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sample;

    fn sample_page() -> String {
        page(&sample::entry(), &[sample::entry()]).unwrap()
    }

    /// The page without escapes and fonts.
    fn plain(page: &str) -> String {
        page.replace(r"\-", "-").replace(r"\fB", "").replace(r"\fI", "").replace(r"\fR", "").replace(r"\*(Aq", "'")
    }

    /// The lines between the heading `title` and the next section.
    fn section(page: &str, title: &str) -> String {
        let (_, rest) = page.split_once(&format!(".SH\n{title}\n")).unwrap();
        rest.split(".SH\n").next().unwrap().to_owned()
    }

    #[test]
    fn sections_stand_in_the_usual_order() {
        let page = sample_page();
        let lines: Vec<&str> = page.lines().collect();
        let titles: Vec<&str> = lines.windows(2).filter(|pair| pair[0] == ".SH").map(|pair| pair[1]).collect();
        assert_eq!(
            titles,
            [
                "NAME",
                "SYNOPSIS",
                "DESCRIPTION",
                "OPTIONS",
                "METRICS",
                "RANGES",
                "EXIT STATUS",
                "OUTPUT",
                "FILES",
                "ENVIRONMENT",
                "EXAMPLES",
                "PRIVILEGES",
                "SEE ALSO"
            ]
        );
    }

    #[test]
    fn every_option_is_on_the_page() {
        let page = plain(&section(&sample_page(), "OPTIONS"));
        for option in sample::entry().command.get_arguments().filter(|option| !option.is_hide_set()) {
            if let Some(long) = option.get_long() {
                assert!(page.contains(&format!("--{long}")), "--{long}\n{page}");
            }
        }
        for line in [
            "-w, --warning [INSTANCE:]METRIC=RANGE\n",
            "Default: 10s.",
            "One of ok, warning, critical, unknown.",
            "TARGET\n",
            ".SS\nCommon options\n",
            "openmetrics\n",
        ] {
            assert!(page.contains(line), "{line}\n{page}");
        }
        assert!(page.find("--colour-depth") < page.find("--warning"), "own options come first");
        assert!(!page.contains("--hidden"));
    }

    #[test]
    fn every_metric_is_on_the_page() {
        let page = plain(&section(&sample_page(), "METRICS"));
        assert!(
            page.contains(".SS\nfiles\n.TP\nFILE:size (bytes)\nSize of the file. Not judged by default.\n"),
            "{page}"
        );
        assert!(page.contains("age (seconds)\n'Tis the .time. Default: warning 1h, critical @2h:3h.\n"), "{page}");
        assert!(page.contains("events (counter)\n"), "{page}");
        assert!(page.contains("A range without a metric means age."), "{page}");
    }

    #[test]
    fn the_title_names_version_and_manual() {
        assert!(sample_page().contains(&format!(".TH CHECK_SAMPLE 8 {DATE} \"{SOURCE}\" \"{MANUAL}\"\n")));
    }

    #[test]
    fn mandoc_has_nothing_to_say() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("check_sample.8");
        std::fs::write(&path, sample_page()).unwrap();
        match lint(std::slice::from_ref(&path)) {
            // `cargo xtask check` insists on it, the unit tests run anywhere.
            Err(reason) if reason.contains("apt-get install mandoc") => return,
            result => result.unwrap(),
        }
        std::fs::write(&path, ".TH X 8 \"\"\n.SH NAME\n.PP\nx\n").unwrap();
        assert!(lint(&[path]).unwrap_err().contains("WARNING: skipping paragraph macro"));
    }
}
