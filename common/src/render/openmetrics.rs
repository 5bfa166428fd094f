//! OpenMetrics text, which `promtool check metrics` accepts too.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use super::Style;
use crate::metric::{Kind, Metric};
use crate::report::Report;
use crate::state::State;

/// The metrics of `report`, each family under the plugin's name (`check_x_METRIC`), and the state as `check_x_state`.
///
/// Both readers accept only gauges alike: OpenMetrics wants a counter's family without the `_total` that the
/// Prometheus text format wants with it. So a counter is a gauge here, and its help says that it only rises.
pub fn render(report: &Report, style: &Style) -> String {
    let plugin = style.plugin;
    let mut families: BTreeMap<String, Vec<&Metric>> = BTreeMap::new();
    for metric in style.selected(report) {
        families.entry(metric_name(&metric.definition.name)).or_default().push(metric);
    }
    let mut text = String::new();
    for (name, metrics) in &families {
        let Some(first) = metrics.first() else { continue };
        let definition = &first.definition;
        let note = if definition.kind == Kind::Counter { " (only rises until its source restarts)" } else { "" };
        let _ = writeln!(text, "# TYPE {plugin}_{name} gauge");
        let _ = writeln!(text, "# HELP {plugin}_{name} {}{note}.", escape(&definition.help));
        let mut seen = std::collections::BTreeSet::new();
        for metric in metrics {
            let labels = match (&metric.instance, definition.per) {
                (Some(instance), per) => {
                    format!("{{{}=\"{}\"}}", per.unwrap_or("instance"), escape(instance.as_str()))
                }
                (None, _) => String::new(),
            };
            // One sample a series, or the whole exposition is refused.
            if seen.insert(labels.clone()) {
                let _ = writeln!(text, "{plugin}_{name}{labels} {}", metric.value);
            }
        }
    }
    let state = report.state();
    let _ = writeln!(text, "# TYPE {plugin}_state gauge");
    let _ = writeln!(text, "# HELP {plugin}_state State of the check, 1 for the one that holds.");
    for each in State::BY_EXIT_CODE {
        let _ =
            writeln!(text, "{plugin}_state{{state=\"{}\"}} {}", each.word().to_lowercase(), u8::from(each == state));
    }
    text.push_str("# EOF\n");
    text
}

/// `name` as a metric name: lower snake case, for names of the guide such as `StreamPanics`.
fn metric_name(name: &str) -> String {
    let mut snake = String::new();
    for c in name.chars() {
        match c {
            'A'..='Z' => {
                if snake.ends_with(|last: char| last.is_ascii_lowercase() || last.is_ascii_digit()) {
                    snake.push('_');
                }
                snake.push(c.to_ascii_lowercase());
            }
            'a'..='z' | '0'..='9' | '_' => snake.push(c),
            _ => snake.push('_'),
        }
    }
    // Prometheus wants units spelled out; the guide's NotificationsPrSec is the only kind of name that has none.
    if let Some(stem) = snake.strip_suffix("_pr_sec") {
        return format!("{stem}_pr_second");
    }
    // These words end the series of histograms and summaries, and are refused elsewhere.
    match snake.rsplit('_').next() {
        Some("count" | "sum" | "bucket") => snake + "_value",
        _ => snake,
    }
}

fn escape(text: &str) -> String {
    text.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metric::{Definition, Thresholds};
    use crate::number::Number;
    use crate::report::Item;
    use crate::units::Unit;

    static USED: Definition = Definition::gauge("disk", "used_percent", Unit::Percent, "Space used").per("mount");
    static PANICS: Definition = Definition::gauge("x", "StreamPanics", Unit::Number, "Panics").counter();

    #[test]
    fn families_are_whole_and_labels_escaped() {
        let thresholds = Thresholds::parse(&[&USED, &PANICS], None, &[], &[]).unwrap();
        let used = |mount| thresholds.judge(&USED, Some(mount), Number::integer(5));
        let mut report = Report::new("fine");
        report.items = vec![
            Item::ok("a", "").with(used("/")).with(thresholds.judge(&PANICS, None, Number::integer(1))),
            Item::ok("b", "").with(used("/a\"b\\c")).with(used("/")),
        ];
        assert_eq!(
            render(&report, &Style { plugin: "check_x", ..Style::default() }),
            "# TYPE check_x_stream_panics gauge\n\
             # HELP check_x_stream_panics Panics (only rises until its source restarts).\n\
             check_x_stream_panics 1\n\
             # TYPE check_x_used_percent gauge\n\
             # HELP check_x_used_percent Space used.\n\
             check_x_used_percent{mount=\"/\"} 5\n\
             check_x_used_percent{mount=\"/a\\\"b\\\\c\"} 5\n\
             # TYPE check_x_state gauge\n\
             # HELP check_x_state State of the check, 1 for the one that holds.\n\
             check_x_state{state=\"ok\"} 1\ncheck_x_state{state=\"warning\"} 0\n\
             check_x_state{state=\"critical\"} 0\ncheck_x_state{state=\"unknown\"} 0\n# EOF\n"
        );
    }

    #[test]
    fn names_of_the_guide_become_snake_case() {
        for (name, expected) in [
            ("StreamPanics", "stream_panics"),
            ("NotificationsPrSec", "notifications_pr_second"),
            ("load5_per_core", "load5_per_core"),
            ("Streams_delta", "streams_delta"),
            ("count", "count_value"),
            ("counted", "counted"),
        ] {
            assert_eq!(metric_name(name), expected);
        }
    }
}
