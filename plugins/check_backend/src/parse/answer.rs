//! What a plugin prints, and whether it can be believed.

use common::render::json::{Document, Entry, SCHEMA_VERSION};
use common::report::Item;
use common::state::State;
use common::text::Text;

/// A report as a plugin has printed it.
#[derive(Clone, Debug)]
pub struct Answer {
    /// The text of its first line.
    pub summary: Text,
    /// What it looked at.
    pub items: Vec<Item>,
}

/// The report in `output` of a plugin that ended with `code`. The error says why it cannot be believed.
pub fn parse(output: &[u8], code: i32) -> Result<Answer, String> {
    if output.trim_ascii().is_empty() {
        return Err(format!("printed nothing, and ended with exit code {code}"));
    }
    let document: Document = serde_json::from_slice(output)
        .map_err(|error| format!("did not print a report ({error}): {}", begin(output)))?;
    if document.schema != SCHEMA_VERSION {
        let (its, ours) = (document.schema, SCHEMA_VERSION);
        return Err(format!("printed a report of version {its}, and version {ours} is known here"));
    }
    let items = document.items.into_iter().map(Entry::into_item).collect::<Result<Vec<_>, _>>();
    let items = items.map_err(|reason| format!("printed a range that is none: {reason}"))?;
    let worst = State::worst(items.iter().map(Item::worst));
    if i32::from(document.state.exit_code()) != code || document.state != worst {
        let (said, summary) = (document.state, Text::limited(&document.summary, 200));
        let items = if document.state == worst { String::new() } else { format!(", its items are {worst}") };
        return Err(format!("contradicts itself: its report is {said}{items}, its exit code is {code}: {summary}"));
    }
    Ok(Answer { summary: Text::from(document.summary), items })
}

/// The begin of what should have been a report.
fn begin(output: &[u8]) -> String {
    let first = output.trim_ascii_start().split(|byte| *byte == b'\n').next().unwrap_or_default();
    let text = String::from_utf8_lossy(first.get(..400).unwrap_or(first)).into_owned();
    format!("'{}'", Text::limited(&text, 80))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn document(state: &str, items: &str) -> String {
        format!(
            r#"{{"schema": 1, "plugin": "check_x", "version": "1", "state": "{state}", "exit_code": 0, "summary": "all | is", "items": {items}}}"#
        )
    }

    const WELL: &str = r#"[{"label": "a", "state": "OK", "text": "fine"}]"#;

    #[test]
    fn a_report_is_read() {
        let answer = parse(document("OK", WELL).as_bytes(), 0).unwrap();
        assert_eq!((answer.summary.as_str(), answer.items[0].label.as_str()), ("all / is", "a"));
        assert!(parse(document("UNKNOWN", "[]").as_bytes(), 3).is_ok());
    }

    #[test]
    fn what_cannot_be_believed_says_why() {
        let bad = r#"[{"label": "a", "state": "WARNING", "text": "x"}]"#;
        let newer = document("OK", WELL).replace("\"schema\": 1", "\"schema\": 2");
        let nested = document("OK", &r#"[{"label": "a", "state": "OK", "text": "", "children": "#.repeat(200));
        for (output, code, reason) in [
            (String::new(), 0, "printed nothing, and ended with exit code 0"),
            (" \n".to_owned(), 1, "printed nothing"),
            ("OK - fine|a=1\nmore".to_owned(), 0, "did not print a report ("),
            ("OK - fine|a=1\nmore".to_owned(), 0, ": 'OK - fine/a=1'"),
            (nested, 0, "recursion limit"),
            (document("OK", WELL), 2, "its report is OK, its exit code is 2: all / is"),
            (document("OK", bad), 0, "its report is OK, its items are WARNING, its exit code is 0"),
            (document("OK", "[]"), 0, "its items are UNKNOWN"),
            (newer, 0, "a report of version 2"),
        ] {
            let fault = parse(output.as_bytes(), code).unwrap_err();
            assert!(fault.contains(reason), "{output}: {fault}");
        }
    }
}
