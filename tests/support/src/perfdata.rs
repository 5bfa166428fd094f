//! A reader of performance data, written from the standard and from Icinga's behaviour, and strict.
//!
//! It shares no code with the renderer, so that a misunderstanding there is not repeated here.

use std::fmt;

/// One item: `'label'=value[UOM];[warn];[crit];[min];[max]`.
#[derive(Clone, Debug, PartialEq)]
pub struct Datum {
    /// The label without its quotes.
    pub label: String,
    /// The value.
    pub value: Number,
    /// Unit of measurement, empty for none.
    pub uom: String,
    /// Warning range.
    pub warning: Option<Range>,
    /// Critical range.
    pub critical: Option<Range>,
    /// Smallest possible value.
    pub min: Option<Number>,
    /// Largest possible value.
    pub max: Option<Number>,
}

/// A number as it was written.
#[derive(Clone, Debug, PartialEq)]
pub struct Number {
    /// Its value.
    pub value: f64,
    /// Its digits.
    pub text: String,
}

/// A threshold `[@][start:][end]`.
#[derive(Clone, Debug, PartialEq)]
pub struct Range {
    /// Whether it begins with `@`.
    pub inside: bool,
    /// Start; `None` for `~`.
    pub start: Option<f64>,
    /// End; `None` for none.
    pub end: Option<f64>,
    /// Whether it is one number, the only form that Icinga keeps.
    pub is_plain: bool,
}

/// Reads all items of `text`, which may be more liberal than this suite is: see [`Datum::keep_rules`].
pub fn parse(text: &str) -> Result<Vec<Datum>, String> {
    let mut items = Vec::new();
    let mut rest = text.trim_start();
    while !rest.is_empty() {
        let (label, after) = label(rest)?;
        let end = after.find(char::is_whitespace).unwrap_or(after.len());
        let (fields, tail) = after.split_at(end);
        items.push(datum(label, fields).map_err(|reason| format!("{label}: {reason}"))?);
        rest = tail.trim_start();
    }
    Ok(items)
}

/// Reads all items of `text`, each of which must keep this suite's rules.
pub fn parse_strictly(text: &str) -> Result<Vec<Datum>, String> {
    if text != text.trim() || text.contains("  ") || text.contains(['\t', '\n']) {
        return Err(format!("items are to be separated by one space each: {text:?}"));
    }
    let items = parse(text)?;
    for (position, item) in items.iter().enumerate() {
        item.keep_rules().map_err(|reason| format!("{}: {reason}", item.label))?;
        if items[..position].iter().any(|other| other.label == item.label) {
            return Err(format!("{} stands there twice", item.label));
        }
    }
    Ok(items)
}

impl Datum {
    /// What this suite promises beyond the standard.
    pub fn keep_rules(&self) -> Result<(), String> {
        if self.label.is_empty() || self.label.contains(['\'', '"', '=', '|', ';']) || self.label.contains("::") {
            return Err("the label holds what a reader may take for something else".to_owned());
        }
        if self.label.chars().any(char::is_control) {
            return Err("the label holds a control character".to_owned());
        }
        if !["", "B", "s", "%", "c"].contains(&self.uom.as_str()) {
            return Err(format!("unit '{}' is none of B, s, %, c", self.uom));
        }
        for number in [Some(&self.value), self.min.as_ref(), self.max.as_ref()].into_iter().flatten() {
            if number.text.contains(['e', 'E', '+']) || number.text.starts_with('.') || number.text.ends_with('.') {
                return Err(format!("'{}' is not a plain decimal number", number.text));
            }
        }
        if let (Some(min), Some(max)) = (&self.min, &self.max)
            && min.value > max.value
        {
            return Err("its smallest value is above its largest".to_owned());
        }
        Ok(())
    }
}

impl fmt::Display for Number {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

/// The label at the start of `text`, and what follows its `=`.
fn label(text: &str) -> Result<(&str, &str), String> {
    let split = match text.strip_prefix('\'') {
        Some(quoted) => quoted.split_once("'="),
        // A blank ends an unquoted label before it has begun.
        None => text.split_once('=').filter(|(label, _)| !label.contains(char::is_whitespace)),
    };
    match split {
        Some((label, rest)) if !label.is_empty() && !label.contains(['\'', '=']) => Ok((label, rest)),
        _ => Err(format!("no label at {text:?}")),
    }
}

fn datum(label: &str, fields: &str) -> Result<Datum, String> {
    let mut fields = fields.split(';');
    let (value, uom) = number(fields.next().unwrap_or_default())?;
    if uom.chars().any(|c| !c.is_alphabetic() && !matches!(c, '%' | '°' | '/')) {
        return Err(format!("'{uom}' is not a unit"));
    }
    let warning = fields.next().map(range).transpose()?.flatten();
    let critical = fields.next().map(range).transpose()?.flatten();
    let min = fields.next().map(limit).transpose()?.flatten();
    let max = fields.next().map(limit).transpose()?.flatten();
    if let Some(surplus) = fields.next() {
        return Err(format!("a field too many, '{surplus}'"));
    }
    Ok(Datum { label: label.to_owned(), value, uom: uom.to_owned(), warning, critical, min, max })
}

/// The number at the start of `text`, and the rest. An `e` or `E` is an exponent only before digits.
fn number(text: &str) -> Result<(Number, &str), String> {
    let count = |from: usize| text.bytes().skip(from).take_while(u8::is_ascii_digit).count();
    let sign = usize::from(text.starts_with(['+', '-']));
    let whole = count(sign);
    let mut end = sign + whole;
    let mut fraction = 0;
    if text[end..].starts_with('.') {
        fraction = count(end + 1);
        end += 1 + fraction;
    }
    if whole + fraction == 0 {
        return Err(format!("'{text}' does not begin with a number"));
    }
    if text[end..].starts_with(['e', 'E']) {
        let sign = usize::from(text[end + 1..].starts_with(['+', '-']));
        let digits = count(end + 1 + sign);
        if digits > 0 {
            end += 1 + sign + digits;
        }
    }
    let (digits, rest) = text.split_at(end);
    match digits.parse::<f64>() {
        Ok(value) if value.is_finite() => Ok((Number { value, text: digits.to_owned() }, rest)),
        _ => Err(format!("'{digits}' is not a finite number")),
    }
}

/// A whole field that is a number or empty.
fn limit(text: &str) -> Result<Option<Number>, String> {
    if text.is_empty() {
        return Ok(None);
    }
    match number(text)? {
        (number, "") => Ok(Some(number)),
        (_, rest) => Err(format!("'{rest}' follows the number in '{text}'")),
    }
}

fn range(text: &str) -> Result<Option<Range>, String> {
    if text.is_empty() {
        return Ok(None);
    }
    let (inside, bounds) = match text.strip_prefix('@') {
        Some(bounds) => (true, bounds),
        None => (false, text),
    };
    let (start, end) = match bounds.split_once(':') {
        Some((start, end)) => (start, end),
        None => ("0", bounds),
    };
    let plain = |text: &str| limit(text).map(|number| number.map(|number| number.value));
    let start = match start {
        "~" => None,
        "" => Some(0.0),
        start => plain(start)?,
    };
    let end = plain(end)?;
    if let (Some(start), Some(end)) = (start, end)
        && start > end
    {
        return Err(format!("range '{text}' is empty"));
    }
    Ok(Some(Range { inside, start, end, is_plain: !text.contains(['@', ':']) }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_field_is_read() {
        let items = parse_strictly("'/my disk:used'=12.5%;80;@90:95;0;100 forks=7c load=0.5;~:4;-2:;;").unwrap();
        let first = &items[0];
        assert_eq!((first.label.as_str(), first.value.value, first.uom.as_str()), ("/my disk:used", 12.5, "%"));
        assert_eq!(first.warning, Some(Range { inside: false, start: Some(0.0), end: Some(80.0), is_plain: true }));
        assert_eq!(first.critical, Some(Range { inside: true, start: Some(90.0), end: Some(95.0), is_plain: false }));
        assert_eq!((first.min.as_ref().unwrap().value, first.max.as_ref().unwrap().value), (0.0, 100.0));
        assert_eq!((items[1].uom.as_str(), items[1].warning.clone()), ("c", None));
        assert_eq!((items[2].warning.as_ref().unwrap().start, items[2].critical.as_ref().unwrap().end), (None, None));
    }

    #[test]
    fn what_a_core_would_refuse_is_refused() {
        for text in [
            "123",
            "a=",
            "a=x",
            "a=1,5",
            "a=1_5",
            "a=inf",
            "a=nan",
            "a=1;2;3;4;5;6",
            "a=1;x",
            "a=1;;;x",
            "a = 1",
            "a b=1",
            "'a=1",
            "a'b=1",
            "=1",
            "''=1",
            "a=U",
            "a=1;2:1",
            "a=1;;;3%",
        ] {
            assert!(parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn this_suite_promises_more() {
        for text in [
            "a=1e3",
            "a=1.",
            "a=.5",
            "a=+5",
            "a=1KB",
            "a=1ms",
            "a::b=1",
            "a;b=1",
            "a=1  b=2",
            " a=1",
            "a=1 ",
            "a=1 a=2",
            "a=1;;;5;4",
            "a=1\tb=2",
        ] {
            assert!(parse(text).is_ok() || text.contains(';'), "{text}");
            assert!(parse_strictly(text).is_err(), "{text}");
        }
    }
}
