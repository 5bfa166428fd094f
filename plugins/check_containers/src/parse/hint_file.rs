//! The rules of `--hint-file`.

use common::docker::hints::Rule;

/// Reads rules: one a line, PATTERN, CLASS, MEANING and NEXT STEP between tabs; the last may be left out.
/// Lines that begin with `#` are comments. The error names the line.
pub fn parse(text: &str) -> Result<Vec<Rule>, String> {
    let mut rules = Vec::new();
    for (number, line) in text.lines().enumerate().map(|(index, line)| (index + 1, line)) {
        if line.trim().is_empty() || line.starts_with('#') {
            continue;
        }
        let fields: Vec<&str> = line.split('\t').map(str::trim).filter(|field| !field.is_empty()).collect();
        let (pattern, class, meaning, next) = match fields.as_slice() {
            [pattern, class, meaning] => (*pattern, *class, *meaning, ""),
            [pattern, class, meaning, next] => (*pattern, *class, *meaning, *next),
            _ => return Err(format!("line {number} has {} fields between tabs and not 3 or 4", fields.len())),
        };
        if pattern.chars().all(|c| c == '*') {
            return Err(format!("line {number}: the pattern matches every line"));
        }
        rules.push(Rule::new(pattern, class, meaning, next));
    }
    Ok(rules)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rules_are_read_and_bad_lines_named() {
        let rules = parse("# mine\n\nlicen*expired\tlicence\tthe licence has run out\task sales\nx\ty\tz\n").unwrap();
        assert_eq!(rules.len(), 2);
        assert_eq!((rules[0].class.as_ref(), rules[0].next.as_ref()), ("licence", "ask sales"));
        assert!(rules[1].next.is_empty());
        assert!(parse("a\tb\tc\nx y z\n").unwrap_err().contains("line 2 has 1 fields"));
        assert!(parse("**\tb\tc\n").unwrap_err().contains("line 1: the pattern matches every line"));
    }
}
