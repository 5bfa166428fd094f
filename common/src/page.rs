//! What the man page of a plugin says beyond its options and metrics.

/// The prose of one man page. Words between backticks are printed in bold.
#[derive(Clone, Copy, Debug)]
pub struct Page {
    /// Paragraphs: what is looked at, how, and what each state means.
    pub description: &'static [&'static str],
    /// Where the metrics depend on what is monitored: which there are beyond the table, in one sentence.
    /// `None` if the table is complete.
    pub further_metrics: Option<&'static str>,
    /// A command line of the plugin and what it is for.
    pub examples: &'static [(&'static str, &'static str)],
    /// Paragraphs: which permissions the check needs, and what is left out without them.
    pub privileges: &'static [&'static str],
    /// Files that the plugin reads, and what for. Those of the samples are the same for all plugins.
    pub files: &'static [(&'static str, &'static str)],
    /// Environment variables of the plugin's own, and what each does.
    pub environment: &'static [(&'static str, &'static str)],
    /// Other pages (`docker(1)`) and addresses.
    pub see_also: &'static [&'static str],
}

impl Page {
    /// A page without prose, to start from.
    pub const EMPTY: Self = Self {
        description: &[],
        further_metrics: None,
        examples: &[],
        privileges: &[],
        files: &[],
        environment: &[],
        see_also: &[],
    };
}
