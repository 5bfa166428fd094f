//! The three forms in which a report is printed.

pub mod json;
pub mod nagios;
pub mod openmetrics;
pub mod table;

use clap::ValueEnum;

use crate::glob::Glob;
use crate::metric::Metric;
use crate::report::Report;

/// Output formats.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// The status line with perfdata and a list, as Nagios, Icinga and NRPE read it.
    #[default]
    Nagios,
    /// One JSON document, as packaging/schema describes it.
    Json,
    /// OpenMetrics text, for a textfile collector or `promtool check metrics`.
    #[value(name = "openmetrics")]
    OpenMetrics,
}

/// How a report is to be rendered.
#[derive(Clone, Debug, Default)]
pub struct Style {
    /// The plugin's name, `check_x`.
    pub plugin: &'static str,
    /// Output format.
    pub format: Format,
    /// Number of `-v`, 0 to 3.
    pub verbosity: u8,
    /// Whether states are coloured for a terminal.
    pub colour: bool,
    /// Only metrics whose name or full name matches one of these become perfdata; all if empty.
    pub perfdata: Vec<Glob>,
}

impl Style {
    /// The name in the status line: `DOCKER_HOST` for `check_docker_host`.
    pub fn service(&self) -> String {
        self.plugin.strip_prefix("check_").unwrap_or(self.plugin).to_ascii_uppercase()
    }

    /// Whether `metric` is to be printed as a figure.
    fn selects(&self, metric: &Metric) -> bool {
        let full = metric.full_name();
        self.perfdata.is_empty()
            || self.perfdata.iter().any(|glob| glob.matches(&metric.definition.name) || glob.matches(&full))
    }

    /// The metrics of `report` that are to be printed as figures.
    fn selected<'a>(&self, report: &'a Report) -> Vec<&'a Metric> {
        report.metrics().into_iter().filter(|metric| self.selects(metric)).collect()
    }
}

/// `report` as text that ends in a line break.
pub fn render(report: &Report, style: &Style) -> String {
    match style.format {
        Format::Nagios => nagios::render(report, style),
        Format::Json => json::render(report, style),
        Format::OpenMetrics => openmetrics::render(report, style),
    }
}
