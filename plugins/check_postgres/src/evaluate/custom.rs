//! What the user's own statement says.

use common::judging::Judging;
use common::metric::{Bounds, Metric};
use common::number::Number;
use common::range::Range;
use common::report::Item;
use common::state::State;
use common::text::Text;
use common::units::{Unit, counted};

use super::groups::Context;
use crate::metrics::VALUE;
use crate::snapshot::CustomRow;

pub(super) fn custom(context: &Context, rows: &[CustomRow]) -> Item {
    if rows.is_empty() {
        // Whoever wrote it believes that something is watched.
        let text = "the statement of --query-file brings no row";
        return Item::new("custom", State::Unknown, text).headline(text);
    }
    let mut item = Item::ok("custom", counted(rows.len(), "row"));
    item.children = rows.iter().map(|row| of_row(context, row)).collect();
    item
}

fn of_row(context: &Context, row: &CustomRow) -> Item {
    let name = row.name.clone().unwrap_or_default();
    let label = Text::limited(&name, 60);
    let mut judging = Judging::new(context.thresholds, label.as_str(), Some(name.clone()));
    let value = row.value.as_deref().map(|value| Unit::Number.parse(value));
    let value = match value {
        Some(Ok(value)) if !label.is_empty() => value,
        Some(Ok(_)) => {
            judging.problem(State::Unknown, "a row of --query-file has no name");
            return judging.finish("no name");
        }
        Some(Err(reason)) => {
            judging.problem(State::Unknown, format!("{label}: {reason}"));
            return judging.finish("no number");
        }
        None => {
            judging.problem(State::Unknown, format!("{label} has no value"));
            return judging.finish("no value");
        }
    };
    let metric = match judged(context, row, &name, value) {
        Ok(metric) => metric,
        Err(reason) => {
            judging.problem(State::Unknown, format!("{label}: {reason}"));
            return judging.finish(value.to_string());
        }
    };
    let headline = metric.breach().map(|breach| format!("{label} {} ({breach})", metric.human())).unwrap_or_default();
    judging.finish(metric.human()).with(metric).headline(headline)
}

/// The value against the ranges of the command line, else of the row.
fn judged(context: &Context, row: &CustomRow, name: &str, value: Number) -> Result<Metric, String> {
    let metric = context.thresholds.judge(&VALUE, Some(name), value);
    if context.thresholds.are_given(&VALUE, Some(name)) {
        return Ok(metric);
    }
    let range = |text: &Option<String>, column: &str| -> Result<Option<Range>, String> {
        match text.as_deref().map(str::trim).filter(|text| !text.is_empty()) {
            Some(text) => Range::parse(text, Unit::Number).map(Some).map_err(|reason| format!("{column}: {reason}")),
            None => Ok(None),
        }
    };
    let bounds = Bounds { warning: range(&row.warning, "warning")?, critical: range(&row.critical, "critical")? };
    let (state, broken) = bounds.judge(metric.value);
    Ok(Metric { bounds, state, broken, ..metric })
}
