//! Metric definitions, thresholds by metric and instance, and judged values.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};

use crate::glob::Glob;
use crate::number::Number;
use crate::range::Range;
use crate::state::State;
use crate::text::Text;
use crate::units::Unit;

/// Whether a metric may fall.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// May rise and fall.
    Gauge,
    /// Only rises, until its source restarts.
    Counter,
}

/// One row of a plugin's metric table: everything that is said about a metric anywhere is made from it.
#[derive(Clone, Debug)]
pub struct Definition {
    /// The one name, `snake_case`: perfdata label, key of `-w` and `-c`, key in JSON and OpenMetrics.
    pub name: Cow<'static, str>,
    /// The group that the row is listed under, a word of the plugin's own.
    pub group: &'static str,
    /// What it is measured in.
    pub unit: Unit,
    /// Whether it may fall.
    pub kind: Kind,
    /// What it tells, one sentence without a full stop.
    pub help: Cow<'static, str>,
    /// What there is one of it per (`mount`, `container`); `None` if it exists once.
    pub per: Option<&'static str>,
    /// Whether a percentage may leave 0 to 100: a change, or a share of a limit that can be passed for a while.
    pub open_ended: bool,
    /// Default warning range, empty for none.
    pub warning: &'static str,
    /// Default critical range, empty for none.
    pub critical: &'static str,
}

impl Definition {
    /// A gauge that exists once and is not judged by default.
    pub const fn gauge(group: &'static str, name: &'static str, unit: Unit, help: &'static str) -> Self {
        Self {
            name: Cow::Borrowed(name),
            group,
            unit,
            kind: Kind::Gauge,
            help: Cow::Borrowed(help),
            per: None,
            open_ended: false,
            warning: "",
            critical: "",
        }
    }

    /// This row with default ranges; an empty one is none.
    #[must_use]
    pub const fn defaults(mut self, warning: &'static str, critical: &'static str) -> Self {
        self.warning = warning;
        self.critical = critical;
        self
    }

    /// This row, existing once per `instance`.
    #[must_use]
    pub const fn per(mut self, instance: &'static str) -> Self {
        self.per = Some(instance);
        self
    }

    /// This row, a percentage that may leave 0 to 100.
    #[must_use]
    pub const fn open_ended(mut self) -> Self {
        self.open_ended = true;
        self
    }

    /// This row as a counter.
    #[must_use]
    pub const fn counter(mut self) -> Self {
        self.kind = Kind::Counter;
        self
    }
}

/// The warning and critical range that hold for one metric of one instance.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Bounds {
    /// Range whose breach is WARNING.
    pub warning: Option<Range>,
    /// Range whose breach is CRITICAL; judged first.
    pub critical: Option<Range>,
}

impl Bounds {
    /// The state of `value` and the range that it breaks.
    pub fn judge(&self, value: Number) -> (State, Option<Range>) {
        let broken = |range: Option<Range>| range.filter(|range| range.alerts(value));
        if let Some(range) = broken(self.critical) {
            return (State::Critical, Some(range));
        }
        match broken(self.warning) {
            Some(range) => (State::Warning, Some(range)),
            None => (State::Ok, None),
        }
    }
}

/// The thresholds of one run: a plugin's defaults under what `-w` and `-c` say.
#[derive(Clone, Debug)]
pub struct Thresholds {
    defaults: Vec<(Cow<'static, str>, Bounds)>,
    warning: Vec<Rule>,
    critical: Vec<Rule>,
}

/// One `[INSTANCE:]METRIC=[RANGE]`.
#[derive(Clone, Debug)]
struct Rule {
    instance: Option<Glob>,
    metric: String,
    range: Option<Range>,
}

impl Thresholds {
    /// Reads the values of `-w` and `-c` against `table`. `primary` is the metric that a bare range means.
    ///
    /// The error is one sentence that names the option, the fault and, for an unknown metric, the nearest one.
    pub fn parse(
        table: &[&Definition],
        primary: Option<&str>,
        warning: &[String],
        critical: &[String],
    ) -> Result<Self, String> {
        let rules = |option: &str, values: &[String]| -> Result<Vec<Rule>, String> {
            values
                .iter()
                .map(|value| Rule::parse(table, primary, value).map_err(|reason| format!("{option} {value}: {reason}")))
                .collect()
        };
        let default = |definition: &Definition, text: &str| -> Result<Option<Range>, String> {
            if text.is_empty() {
                return Ok(None);
            }
            Range::parse(text, definition.unit)
                .map(Some)
                .map_err(|reason| format!("default of {}: {reason}", definition.name))
        };
        let defaults = table
            .iter()
            .map(|row| {
                let warning = default(row, row.warning)?;
                let critical = default(row, row.critical)?;
                Ok((row.name.clone(), Bounds { warning, critical }))
            })
            .collect::<Result<_, String>>()?;
        Ok(Self { defaults, warning: rules("--warning", warning)?, critical: rules("--critical", critical)? })
    }

    /// The ranges that hold for `metric` of `instance`: the most specific rule, of equals the later one, else the default.
    pub fn bounds(&self, metric: &Definition, instance: Option<&str>) -> Bounds {
        let default = self
            .defaults
            .iter()
            .find(|(name, _)| *name == metric.name)
            .map_or_else(Bounds::default, |(_, bounds)| *bounds);
        let pick = |rules: &[Rule], default| match most_specific(rules, metric, instance) {
            Some(rule) => rule.range,
            None => default,
        };
        Bounds { warning: pick(&self.warning, default.warning), critical: pick(&self.critical, default.critical) }
    }

    /// Whether `-w` or `-c` says anything of `metric` of `instance`.
    pub fn are_given(&self, metric: &Definition, instance: Option<&str>) -> bool {
        [&self.warning, &self.critical].iter().any(|rules| most_specific(rules, metric, instance).is_some())
    }

    /// The instances that `-w` and `-c` name for `metric` without a pattern.
    pub fn named_instances<'a>(&'a self, metric: &Definition) -> impl Iterator<Item = &'a str> + use<'a> {
        let name = metric.name.clone();
        let rules = self.warning.iter().chain(&self.critical).filter(move |rule| rule.metric == name);
        rules.filter_map(|rule| rule.instance.as_ref().and_then(Glob::literal))
    }

    /// `value` of `metric`, rounded as its unit says and judged.
    pub fn judge(&self, metric: &Definition, instance: Option<&str>, value: Number) -> Metric {
        let value = value.rounded(metric.unit.decimals());
        let bounds = self.bounds(metric, instance);
        let (state, broken) = bounds.judge(value);
        Metric {
            definition: metric.clone(),
            instance: instance.map(Text::new),
            value,
            bounds,
            state,
            broken,
            min: None,
            max: None,
        }
    }
}

fn most_specific<'a>(rules: &'a [Rule], metric: &Definition, instance: Option<&str>) -> Option<&'a Rule> {
    rules
        .iter()
        .filter(|rule| rule.metric == metric.name)
        .filter(|rule| match (&rule.instance, instance) {
            (None, _) => true,
            (Some(glob), Some(instance)) => glob.matches(instance),
            (Some(_), None) => false,
        })
        // `max_by_key` takes the last of equals.
        .max_by_key(|rule| rule.instance.as_ref().map(Glob::specificity))
}

impl Rule {
    fn parse(table: &[&Definition], primary: Option<&str>, text: &str) -> Result<Self, String> {
        let Some((name, range)) = text.rsplit_once('=') else {
            return Self::bare(table, primary, text);
        };
        let (instance, metric) = match name.rsplit_once(':') {
            Some((instance, metric)) => (Some(instance), metric),
            None => (None, name),
        };
        let definition = find(table, metric)?;
        if instance == Some("") {
            return Err("the instance before the colon is empty; * means all".to_owned());
        }
        if instance.is_some() && definition.per.is_none() {
            return Err(format!("{metric} exists once and takes no instance"));
        }
        let range = if range.trim().is_empty() { None } else { Some(Range::parse(range, definition.unit)?) };
        Ok(Self { instance: instance.map(Glob::new), metric: metric.to_owned(), range })
    }

    /// A range without a name, which means the primary metric.
    fn bare(table: &[&Definition], primary: Option<&str>, text: &str) -> Result<Self, String> {
        let Some(primary) = primary else {
            // Somebody may have forgotten the range rather than the metric.
            let metric = text.rsplit_once(':').map_or(text, |(_, metric)| metric);
            if let Ok(definition) = find(table, metric) {
                return Err(format!("a range is missing: write {text}={}", example(definition)));
            }
            let names: Vec<&str> = judged_first(table).map(|row| row.name.as_ref()).take(6).collect();
            return Err(format!(
                "which metric? write METRIC=RANGE; metrics: {} and more with --list-metrics",
                names.join(", ")
            ));
        };
        let definition = find(table, primary)?;
        Ok(Self { instance: None, metric: primary.to_owned(), range: Some(Range::parse(text, definition.unit)?) })
    }
}

fn judged_first<'a>(table: &'a [&Definition]) -> impl Iterator<Item = &'a &'a Definition> {
    let judged = |row: &&&Definition| !row.warning.is_empty() || !row.critical.is_empty();
    table.iter().filter(judged).chain(table.iter().filter(move |row| !judged(row)))
}

fn example(definition: &Definition) -> &str {
    if definition.warning.is_empty() { "10" } else { definition.warning }
}

fn find<'a>(table: &[&'a Definition], name: &str) -> Result<&'a Definition, String> {
    if let Some(row) = table.iter().find(|row| row.name == name) {
        return Ok(row);
    }
    let nearest = table.iter().map(|row| (distance(name, &row.name), &row.name)).min_by_key(|(distance, _)| *distance);
    let hint = match nearest {
        Some((distance, nearest)) if distance <= 2 + name.len() / 4 => format!("did you mean {nearest}? "),
        _ => String::new(),
    };
    Err(format!("no metric is called '{name}'; {hint}--list-metrics lists them"))
}

/// The number of characters to insert, delete or replace that turns `a` into `b` (Levenshtein).
fn distance(a: &str, b: &str) -> usize {
    let mut row: Vec<usize> = (0..=b.chars().count()).collect();
    for (i, left) in a.chars().enumerate() {
        let mut diagonal = i;
        let mut previous = i + 1;
        let mut next = vec![previous];
        for (right, above) in b.chars().zip(row.iter().skip(1)) {
            let replaced = diagonal + usize::from(left != right);
            diagonal = *above;
            previous = replaced.min(above + 1).min(previous + 1);
            next.push(previous);
        }
        row = next;
    }
    row.last().copied().unwrap_or(0)
}

/// A judged value.
#[derive(Clone, Debug)]
pub struct Metric {
    /// Its row in the table.
    pub definition: Definition,
    /// What it belongs to, where there is one per thing.
    pub instance: Option<Text>,
    /// The value, in the unit of the definition.
    pub value: Number,
    /// The ranges that hold for it.
    pub bounds: Bounds,
    /// Its state by those ranges.
    pub state: State,
    /// The range that it breaks.
    pub broken: Option<Range>,
    /// The smallest value that it can take, where one is known.
    pub min: Option<Number>,
    /// The largest value that it can take, where one is known.
    pub max: Option<Number>,
}

impl Metric {
    /// This metric with the limits that its value cannot leave.
    #[must_use]
    pub fn within(mut self, min: Number, max: Number) -> Self {
        self.min = Some(min);
        self.max = Some(max);
        self
    }

    /// This metric without verdict, for a value that must not be judged now.
    #[must_use]
    pub fn unjudged(mut self) -> Self {
        self.bounds = Bounds::default();
        self.state = State::Ok;
        self.broken = None;
        self
    }

    /// `INSTANCE:METRIC`, or the metric's name where it exists once.
    pub fn full_name(&self) -> String {
        match &self.instance {
            Some(instance) => format!("{instance}:{}", self.definition.name),
            None => self.definition.name.to_string(),
        }
    }

    /// The value with its unit, for a reader.
    pub fn human(&self) -> String {
        let human = self.definition.unit.human(self.value);
        // `95 % (over 95 %)` would puzzle: what was rounded away is what matters then.
        let is_puzzling = self.breach().is_some_and(|breach| breach.ends_with(&format!(" {human}")));
        if is_puzzling && self.definition.unit == Unit::Percent { format!("{} %", self.value) } else { human }
    }

    /// How the value breaks its range (`over 90 %`), if it does.
    pub fn breach(&self) -> Option<String> {
        self.broken.map(|range| range.breach(self.value, self.definition.unit))
    }
}

/// Defines a plugin's metrics, one static each, and the table `METRICS` that lists them in this order.
#[macro_export]
macro_rules! metrics {
    ($($(#[$doc:meta])* $name:ident = $definition:expr;)+) => {
        $($(#[$doc])* pub static $name: $crate::metric::Definition = $definition;)+
        /// Every metric of the plugin, in the order in which they are listed and documented.
        pub static METRICS: &[&$crate::metric::Definition] = &[$(&$name),+];
    };
}

#[cfg(test)]
mod tests {
    use super::*;

    static CPU: Definition = Definition::gauge("cpu", "cpu_percent", Unit::Percent, "busy").defaults("90", "97");
    static USED: Definition =
        Definition::gauge("disk", "used_percent", Unit::Percent, "used").defaults("90", "95").per("mount");
    static AGE: Definition = Definition::gauge("x", "age", Unit::Seconds, "age");
    static TABLE: &[&Definition] = &[&CPU, &USED, &AGE];

    fn given(warning: &[&str], critical: &[&str]) -> Result<Thresholds, String> {
        let owned = |values: &[&str]| values.iter().map(ToString::to_string).collect::<Vec<_>>();
        Thresholds::parse(TABLE, None, &owned(warning), &owned(critical))
    }

    fn printed(bounds: Bounds) -> (String, String) {
        let text = |range: Option<Range>| range.map_or_else(|| "-".to_owned(), |range| range.to_string());
        (text(bounds.warning), text(bounds.critical))
    }

    #[test]
    fn defaults_hold_until_something_is_said() {
        let thresholds = given(&["cpu_percent=50"], &[]).unwrap();
        assert_eq!(printed(thresholds.bounds(&CPU, None)), ("50".into(), "97".into()));
        assert_eq!(printed(thresholds.bounds(&USED, Some("/"))), ("90".into(), "95".into()));
        assert!(thresholds.are_given(&CPU, None) && !thresholds.are_given(&USED, Some("/")));
    }

    #[test]
    fn the_most_specific_rule_wins_and_the_later_of_two_equals() {
        let thresholds = given(
            &[
                "/var/lib/*:used_percent=1",
                "/var:used_percent=2",
                "*:used_percent=3",
                "used_percent=4",
                "/var*:used_percent=5",
            ],
            &[],
        )
        .unwrap();
        let warning = |mount| printed(thresholds.bounds(&USED, Some(mount))).0;
        assert_eq!(warning("/var"), "2");
        assert_eq!(warning("/var/lib/x"), "1");
        assert_eq!(warning("/var/log"), "5");
        assert_eq!(warning("/"), "3");
        let equals = given(&["cpu_percent=1", "cpu_percent=2"], &[]).unwrap();
        assert_eq!(printed(equals.bounds(&CPU, None)).0, "2");
    }

    #[test]
    fn an_empty_range_switches_a_default_off() {
        let thresholds = given(&["/tmp:used_percent="], &["/tmp:used_percent="]).unwrap();
        assert_eq!(thresholds.bounds(&USED, Some("/tmp")), Bounds::default());
        assert_eq!(printed(thresholds.bounds(&USED, Some("/"))).0, "90");
    }

    #[test]
    fn instances_may_hold_colons_and_equals_signs() {
        let thresholds = given(&["nfs:/a=b:used_percent=@5:6"], &[]).unwrap();
        assert_eq!(printed(thresholds.bounds(&USED, Some("nfs:/a=b"))).0, "@5:6");
    }

    #[test]
    fn a_bare_range_needs_a_primary_metric() {
        let owned = ["26h".to_owned()];
        let thresholds = Thresholds::parse(TABLE, Some("age"), &owned, &[]).unwrap();
        assert_eq!(printed(thresholds.bounds(&AGE, None)).0, "93600");
        assert_eq!(
            given(&["80"], &[]).unwrap_err(),
            "--warning 80: which metric? write METRIC=RANGE; metrics: cpu_percent, used_percent, age and more with --list-metrics"
        );
        assert_eq!(
            given(&["/:used_percent"], &[]).unwrap_err(),
            "--warning /:used_percent: a range is missing: write /:used_percent=90"
        );
    }

    #[test]
    fn refusals_name_the_option_and_the_remedy() {
        assert_eq!(
            given(&[], &["cpu_procent=5"]).unwrap_err(),
            "--critical cpu_procent=5: no metric is called 'cpu_procent'; did you mean cpu_percent? --list-metrics lists them"
        );
        assert!(given(&["zzz=5"], &[]).unwrap_err().contains("'zzz'; --list-metrics"));
        assert!(given(&["x:cpu_percent=5"], &[]).unwrap_err().contains("takes no instance"));
        assert!(given(&["age=5MiB"], &[]).unwrap_err().contains("does not fit"));
    }

    #[test]
    fn critical_is_judged_first_and_values_are_judged_as_they_are_shown() {
        let thresholds = given(&["cpu_percent=80"], &["cpu_percent=80"]).unwrap();
        assert_eq!(thresholds.judge(&CPU, None, Number::integer(81)).state, State::Critical);
        let shown = thresholds.judge(&CPU, None, Number::real(80.001).unwrap());
        assert_eq!((shown.value, shown.state), (Number::integer(80), State::Ok));
    }

    #[test]
    fn a_broken_default_is_an_error_not_a_silence() {
        static BAD: Definition = Definition::gauge("x", "bad", Unit::Number, "bad").defaults("5:1", "");
        assert!(Thresholds::parse(&[&BAD], None, &[], &[]).is_err());
    }
}
