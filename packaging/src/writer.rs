//! A man page as headings, paragraphs and terms, over the roff builder, which escapes.

use roff::{Inline, Roff, bold, roman};

/// Writes one man page from top to bottom.
#[derive(Debug, Default)]
pub struct Writer {
    roff: Roff,
    /// Whether a heading has just been written, after which a paragraph needs no macro and may have none.
    after_heading: bool,
}

impl Writer {
    /// A page with its title line: name, section, date, source and manual.
    pub fn new([name, section, date, source, manual]: [&str; 5]) -> Self {
        let mut writer = Self::default();
        writer.roff.control("TH", [name.to_uppercase().as_str(), section, date, source, manual]);
        writer
    }

    /// Begins a section.
    pub fn section(&mut self, title: &str) {
        self.heading("SH", title);
    }

    /// Begins a subsection.
    pub fn subsection(&mut self, title: &str) {
        self.heading("SS", title);
    }

    fn heading(&mut self, macro_name: &str, title: &str) {
        // As a text line, because the builder does not escape arguments of macros.
        self.roff.control(macro_name, []);
        self.roff.text([roman(title)]);
        self.after_heading = true;
    }

    /// A paragraph with words in bold where `text` has backticks.
    pub fn paragraph(&mut self, text: &str) {
        self.line(marked(text));
    }

    /// Paragraphs with words in bold where they have backticks.
    pub fn paragraphs(&mut self, texts: &[&str]) {
        for text in texts {
            self.paragraph(text);
        }
    }

    /// A paragraph.
    pub fn line(&mut self, inlines: Vec<Inline>) {
        if !std::mem::take(&mut self.after_heading) {
            self.roff.control("PP", []);
        }
        self.roff.text(inlines);
    }

    /// A term and, indented, what it means.
    pub fn term(&mut self, term: Vec<Inline>, meaning: &str) {
        self.after_heading = false;
        self.roff.control("TP", []);
        self.roff.text(term);
        self.roff.text(marked(meaning));
    }

    /// Terms in bold and, indented, what each means.
    pub fn terms(&mut self, terms: &[(&str, &str)]) {
        for (term, meaning) in terms {
            self.term(vec![bold(*term)], meaning);
        }
    }

    /// A further paragraph on the last term.
    pub fn further(&mut self, text: &str) {
        self.roff.control("IP", []);
        self.roff.text(marked(text));
    }

    /// Terms below the last term.
    pub fn nested(&mut self, terms: &[(&str, &str)]) {
        self.roff.control("RS", []);
        self.terms(terms);
        self.roff.control("RE", []);
    }

    /// A command line, as it is to be typed.
    pub fn command(&mut self, line: &str) {
        self.after_heading = false;
        self.roff.control("PP", []);
        self.roff.control("RS", ["4"]);
        self.roff.control("EX", []);
        self.roff.text([roman(line)]);
        self.roff.control("EE", []);
        self.roff.control("RE", []);
    }

    /// The page.
    pub fn finish(self) -> String {
        self.roff.render()
    }
}

/// `text` on one line, in bold between each pair of backticks.
fn marked(text: &str) -> Vec<Inline> {
    let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
    let parts: Vec<&str> = text.split('`').collect();
    if parts.len().is_multiple_of(2) {
        // A backtick without its pair is one to print.
        return vec![roman(text)];
    }
    let marked = parts.iter().zip([false, true].into_iter().cycle());
    let inline = |(part, is_bold): (&&str, bool)| if is_bold { bold(*part) } else { roman(*part) };
    // An empty part at the start would keep the builder from escaping the one behind it.
    marked.filter(|(part, _)| !part.is_empty()).map(inline).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn page(write: impl FnOnce(&mut Writer)) -> String {
        let mut writer = Writer::new(["check_x", "8", "2020-02-29", "suite 1", "Manual"]);
        write(&mut writer);
        writer.finish()
    }

    #[test]
    fn the_title_is_in_capitals() {
        assert!(page(|_| ()).ends_with(".TH CHECK_X 8 2020-02-29 \"suite 1\" Manual\n"), "{}", page(|_| ()));
    }

    #[test]
    fn what_roff_would_interpret_is_escaped() {
        let text = page(|writer| {
            writer.section("IT'S");
            writer.paragraph(".dot 'quote \\back --long-option");
            writer.term(vec![bold("--no-docker")], "'tis");
        });
        let expected = ".SH\nIT\\*(AqS\n\\&.dot \\*(Aqquote \\\\back \\-\\-long\\-option\n\
                        .TP\n\\fB\\-\\-no\\-docker\\fR\n\\*(Aqtis\n";
        assert!(text.ends_with(expected), "{text}");
    }

    #[test]
    fn backticks_mark_words() {
        assert_eq!(marked("`a` b"), [bold("a"), roman(" b")]);
        assert_eq!(marked("one ` is\n  printed"), [roman("one ` is printed")]);
        assert_eq!(marked("plain"), [roman("plain")]);
    }

    #[test]
    fn only_the_second_paragraph_of_a_section_has_a_macro() {
        let text = page(|writer| {
            writer.section("S");
            writer.paragraph("one");
            writer.paragraph("two");
        });
        assert!(text.ends_with(".SH\nS\none\n.PP\ntwo\n"), "{text}");
    }
}
