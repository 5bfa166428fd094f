//! A plugin for the tests, with everything that a page or schema could stumble over.

use clap::Args;
use common::clock::Clock;
use common::deadline::Deadline;
use common::metric::{Definition, Thresholds};
use common::options::Common;
use common::page::Page;
use common::report::Report;
use common::run::{Plugin, Verdict};
use common::store::Previous;
use common::units::Unit;

use crate::plugins::Entry;

common::metrics! {
    /// Age.
    AGE = Definition::gauge("time", "age", Unit::Seconds, "'Tis the .time").defaults("1h", "@2h:3h");
    /// Size of a file.
    SIZE = Definition::gauge("files", "size", Unit::Bytes, "size of the file").per("file");
    /// Events.
    EVENTS = Definition::gauge("time", "events", Unit::Number, "events since C:\\ was mounted").counter();
}

const PAGE: Page = Page {
    description: &[".first comes a `.dot`, 'then quotes' and C:\\temp.", "A second paragraph, with -- hyphens."],
    examples: &[("check_sample -w '/my file:size=5GiB' -c 26h target", "Judges a size and the primary metric:")],
    privileges: &["None."],
    files: &[("/proc/uptime", "Time since boot.")],
    environment: &[("SAMPLE_TOKEN", "A secret, which is never printed.")],
    see_also: &["stat(1)"],
    ..Page::EMPTY
};

pub fn entry() -> Entry {
    Entry::of::<CheckSample>(METRICS, PAGE)
}

#[derive(Debug, Args)]
pub struct Arguments {
    /// What to look at
    #[arg(default_value = ".")]
    target: String,
    /// .Depth of the colour, C:\ or 'none'
    ///
    /// 'A second paragraph with `words` in bold.
    #[arg(long, value_name = "BITS", default_value = "8", value_parser = ["8", "16"])]
    colour_depth: String,
    /// Not for users
    #[arg(long, hide = true)]
    hidden: bool,
}

struct CheckSample;

impl Plugin for CheckSample {
    const NAME: &'static str = "check_sample";
    const ABOUT: &'static str = "Judges the age of a thing that isn't there";
    const KEPT_VERSION: u32 = 1;
    const PRIMARY: Option<&'static str> = Some("age");
    type Args = Arguments;
    type Config = ();
    type Snapshot = ();
    type Error = ();
    type Kept = ();

    fn metrics(_: &Arguments) -> Vec<Definition> {
        METRICS.iter().copied().cloned().collect()
    }

    fn configure(_: Arguments, _: Thresholds, _: &Common) -> Result<(), String> {
        Ok(())
    }

    fn target((): &()) -> String {
        String::new()
    }

    fn collect((): &(), _: Option<&Previous<()>>, _: &Deadline) -> Result<(), ()> {
        Ok(())
    }

    fn evaluate((): &(), _: Option<&Previous<()>>, _: &Result<(), ()>, _: &Clock) -> Verdict<()> {
        Verdict { report: Report::default(), keep: None }
    }
}
