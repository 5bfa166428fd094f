//! Patterns with `*` and `?`, as thresholds and filters take them.

/// A pattern in which `*` stands for any characters (none included, `/` too) and `?` for one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Glob {
    text: String,
    pattern: Vec<char>,
}

impl Glob {
    /// A pattern; every text is one.
    pub fn new(pattern: &str) -> Self {
        Self { text: pattern.to_owned(), pattern: pattern.chars().collect() }
    }

    /// Whether the whole of `text` matches.
    pub fn matches(&self, text: &str) -> bool {
        let text: Vec<char> = text.chars().collect();
        let (mut pattern, mut text) = (self.pattern.as_slice(), text.as_slice());
        // Where to go on when what follows the last `*` does not match: one more character belongs to it.
        let mut retry = None;
        loop {
            match (pattern.split_first(), text.split_first()) {
                (Some((&'*', rest)), _) => {
                    retry = Some((rest, text));
                    pattern = rest;
                }
                (Some((&expected, rest)), Some((&found, tail))) if expected == '?' || expected == found => {
                    (pattern, text) = (rest, tail);
                }
                (None, None) => return true,
                _ => {
                    let Some((rest, [_, tail @ ..])) = retry else { return false };
                    (pattern, text) = (rest, tail);
                    retry = Some((rest, tail));
                }
            }
        }
    }

    /// The pattern as it was written.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The one text that the pattern names, if it names just one.
    pub fn literal(&self) -> Option<&str> {
        self.is_literal().then_some(self.text.as_str())
    }

    /// Whether the pattern names exactly one text.
    pub fn is_literal(&self) -> bool {
        !self.pattern.iter().any(|c| matches!(c, '*' | '?'))
    }

    /// How specific the pattern is: a literal beats every pattern, more literal characters beat fewer.
    pub fn specificity(&self) -> (bool, usize) {
        (self.is_literal(), self.pattern.iter().filter(|c| !matches!(c, '*' | '?')).count())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn star_and_question_mark() {
        for (pattern, text, expected) in [
            ("", "", true),
            ("", "a", false),
            ("*", "", true),
            ("*", "/var/lib", true),
            ("/var", "/var", true),
            ("/var", "/var/lib", false),
            ("/var*", "/var/lib", true),
            ("*lib", "/var/lib", true),
            ("*a*b*", "xaxbx", true),
            ("*a*b*", "xbxax", false),
            ("?", "é", true),
            ("??", "é", false),
            ("a*ab", "aab", true),
            ("a*ab", "aaab", true),
            ("a*ab", "ab", false),
            ("deploy_?_1", "deploy_x_1", true),
        ] {
            assert_eq!(Glob::new(pattern).matches(text), expected, "{pattern} {text}");
        }
    }

    #[test]
    fn many_stars_stay_cheap() {
        assert!(!Glob::new(&"a*".repeat(30)).matches(&"a".repeat(29)));
        assert!(!Glob::new(&format!("{}b", "*a".repeat(30))).matches(&"a".repeat(300)));
    }

    #[test]
    fn a_literal_is_most_specific() {
        let specificity = |pattern| Glob::new(pattern).specificity();
        assert!(specificity("/v") > specificity("/var/lib/docker/*"));
        assert!(specificity("/var/*") > specificity("/*"));
    }
}
