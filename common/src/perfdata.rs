//! Performance data in the form that Nagios, Icinga and their graphers accept at every value and label.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use crate::metric::Metric;
use crate::range::Range;

/// All `metrics` as one perfdata string, empty if there are none.
pub fn render<'a>(metrics: impl IntoIterator<Item = &'a Metric>) -> String {
    let mut text = String::new();
    let mut labels = BTreeSet::new();
    for metric in metrics {
        if !text.is_empty() {
            text.push(' ');
        }
        // Two instances can come out alike; a grapher would mix them.
        let plain = plain_label(&metric.full_name());
        let numbered = (2..).map(|number| format!("{plain}_{number}"));
        let label = std::iter::once(plain.clone()).chain(numbered).find(|label| !labels.contains(label));
        let label = label.unwrap_or(plain);
        write(&mut text, &label, metric);
        labels.insert(label);
    }
    text
}

/// `'label'=value[UOM];[warn];[crit];[min];[max]`, without the empty fields at the end.
fn write(text: &mut String, label: &str, metric: &Metric) {
    let unit = if metric.definition.kind == crate::metric::Kind::Counter
        && metric.definition.unit == crate::units::Unit::Number
    {
        "c"
    } else {
        metric.definition.unit.perfdata()
    };
    let start = text.len();
    let _ = write!(text, "{}={}{unit}", quoted(label), metric.value);
    let range = |range: Option<Range>| range.map(|range| range.to_string()).unwrap_or_default();
    let number = |number: Option<crate::number::Number>| number.map(|number| number.to_string()).unwrap_or_default();
    for field in [range(metric.bounds.warning), range(metric.bounds.critical), number(metric.min), number(metric.max)] {
        let _ = write!(text, ";{field}");
    }
    let length = text.trim_end_matches(';').len();
    text.truncate(length.max(start));
}

/// A label that no parser misreads: what has a meaning becomes `_`.
fn plain_label(name: &str) -> String {
    name.replace("::", "__").chars().map(|c| if is_special(c) { '_' } else { c }).collect()
}

/// A label in quotes where it holds a space.
fn quoted(label: &str) -> String {
    if label.contains(' ') { format!("'{label}'") } else { label.to_owned() }
}

fn is_special(c: char) -> bool {
    matches!(c, '\'' | '=' | '|' | '"' | ';') || c.is_control()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metric::{Definition, Thresholds};
    use crate::number::Number;
    use crate::units::Unit;
    use proptest::prelude::*;

    static USED: Definition =
        Definition::gauge("disk", "used_percent", Unit::Percent, "used").defaults("90", "95").per("mount");
    static PANICS: Definition = Definition::gauge("x", "panics", Unit::Number, "panics").counter();
    static LEFT: Definition = Definition::gauge("x", "full_in", Unit::Seconds, "left").defaults("4h:", "");

    fn rendered(definition: &Definition, instance: Option<&str>, value: f64) -> String {
        let thresholds = Thresholds::parse(&[&USED, &PANICS, &LEFT], None, &[], &[]).unwrap();
        render([&thresholds.judge(definition, instance, Number::real(value).unwrap())])
    }

    #[test]
    fn fields_are_in_the_order_of_the_standard() {
        assert_eq!(rendered(&USED, Some("/var"), 12.345_6), "/var:used_percent=12.35%;90;95");
        assert_eq!(rendered(&PANICS, None, 7.0), "panics=7c");
        assert_eq!(rendered(&LEFT, None, 0.25), "full_in=0.25s;14400:");
    }

    #[test]
    fn labels_lose_what_has_a_meaning() {
        assert_eq!(rendered(&USED, Some("/my disk"), 1.0), "'/my disk:used_percent'=1%;90;95");
        assert_eq!(rendered(&USED, Some("a'b=c|d::e"), 1.0), "a_b_c/d__e:used_percent=1%;90;95");
        assert_eq!(rendered(&USED, Some("ends:"), 1.0), "ends__used_percent=1%;90;95");
    }

    #[test]
    fn labels_that_come_out_alike_are_numbered() {
        let thresholds = Thresholds::parse(&[&PANICS, &USED], None, &[], &[]).unwrap();
        let metrics = ["/a=b", "/a_b", "/a'b"].map(|mount| thresholds.judge(&USED, Some(mount), Number::integer(1)));
        assert_eq!(
            render(&metrics),
            "/a_b:used_percent=1%;90;95 /a_b:used_percent_2=1%;90;95 /a_b:used_percent_3=1%;90;95"
        );
    }

    proptest! {
        /// The grammar of Icinga 2's parser: what it reads as the label and the value is what was meant.
        #[test]
        fn any_label_and_value_reads_back(instance in any::<String>(), value in any::<f64>()) {
            prop_assume!(value.is_finite());
            let text = rendered(&USED, Some(&instance), value);
            let (label, rest) = if let Some(quoted) = text.strip_prefix('\'') {
                quoted.split_once("'=").unwrap()
            } else {
                let split = text.split_once('=').unwrap();
                prop_assert!(!split.0.contains(' '));
                split
            };
            prop_assert!(label.ends_with("used_percent"));
            prop_assert!(!label.contains(['\'', '=', '|', '\n', ';']) && !label.contains("::"));
            let mut fields = rest.split(';');
            let number = fields.next().unwrap().strip_suffix('%').unwrap();
            prop_assert!(number.parse::<f64>().unwrap().is_finite());
            prop_assert!(!number.contains(['e', 'E', ',']));
            prop_assert_eq!(fields.collect::<Vec<_>>(), ["90", "95"]);
        }
    }
}
