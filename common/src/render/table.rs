//! The metric table of a plugin, for `--list-metrics`.

use std::fmt::Write as _;

use super::Format;
use crate::metric::Definition;

/// `metrics` as JSON where that is asked for, else as a table for a reader.
pub fn render(metrics: &[Definition], format: Format) -> String {
    match format {
        Format::Json => json(metrics),
        Format::Nagios | Format::OpenMetrics => text(metrics),
    }
}

fn json(metrics: &[Definition]) -> String {
    let row = |row: &Definition| {
        serde_json::json!({
            "name": row.name, "group": row.group, "unit": row.unit, "kind": row.kind, "help": row.help,
            "per": row.per, "warning": row.warning, "critical": row.critical,
        })
    };
    format!("{}\n", serde_json::Value::Array(metrics.iter().map(row).collect()))
}

fn text(metrics: &[Definition]) -> String {
    let names: Vec<String> = metrics.iter().map(name).collect();
    let width = names.iter().map(String::len).max().unwrap_or(0);
    let mut text = format!("{:width$}  unit  warning  critical  meaning\n", "metric");
    let mut group = "";
    for (row, name) in metrics.iter().zip(&names) {
        if group != row.group {
            group = row.group;
            let _ = writeln!(text, "\n[{group}]");
        }
        let _ = writeln!(
            text,
            "{name:width$}  {:4}  {:>7}  {:>8}  {}",
            row.unit.perfdata(),
            or_dash(row.warning),
            or_dash(row.critical),
            row.help
        );
    }
    text
}

/// The name as `-w` and `-c` take it: with a capital word for the instance.
pub fn name(row: &Definition) -> String {
    match row.per {
        Some(per) => format!("{}:{}", per.to_uppercase(), row.name),
        None => row.name.to_string(),
    }
}

fn or_dash(range: &str) -> &str {
    if range.is_empty() { "-" } else { range }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::units::Unit;

    #[test]
    fn rows_are_aligned_below_their_group() {
        let metrics = [
            Definition::gauge("cpu", "cpu_percent", Unit::Percent, "time not idle").defaults("90", "97"),
            Definition::gauge("disk", "size", Unit::Bytes, "size").per("mount"),
        ];
        let expected = "metric       unit  warning  critical  meaning\n\n\
                        [cpu]\n\
                        cpu_percent  %          90        97  time not idle\n\n\
                        [disk]\n\
                        MOUNT:size   B           -         -  size\n";
        assert_eq!(render(&metrics, Format::Nagios), expected);
        let rows: serde_json::Value = serde_json::from_str(&render(&metrics, Format::Json)).unwrap();
        assert_eq!(rows[1]["per"], "mount");
    }
}
