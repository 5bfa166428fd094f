//! The smallest complete plugin: judges a number that it is given. The contract is tested with it.

use std::process::ExitCode;
use std::time::Duration;

use clap::Args;
use common::clock::Clock;
use common::deadline::Deadline;
use common::metric::{Definition, Thresholds};
use common::number::Number;
use common::options::Common;
use common::report::{Item, Report};
use common::run::{Plugin, Verdict};
use common::state::State;
use common::store::Previous;
use common::units::{Unit, parse_duration};

common::metrics! {
    /// The number itself.
    VALUE = Definition::gauge("example", "value", Unit::Number, "the number that was given").defaults("10", "20");
    /// Its change.
    CHANGE = Definition::gauge("example", "change_per_second", Unit::Number, "change since the last run");
}

/// Judges a number.
#[derive(Debug, Args)]
struct Arguments {
    /// The number to judge
    #[arg(default_value = "5", allow_hyphen_values = true)]
    value: i64,
    /// Panic in the middle of the run
    #[arg(long)]
    panic: bool,
    /// Hang for that long
    #[arg(long, value_name = "DURATION", value_parser = parse_duration)]
    hang: Option<Duration>,
    /// Lines of long output
    #[arg(long, value_name = "COUNT", default_value = "1")]
    lines: usize,
}

#[derive(Debug)]
struct Config {
    arguments: Arguments,
    thresholds: Thresholds,
}

struct CheckExample;

impl Plugin for CheckExample {
    const NAME: &'static str = "check_example";
    const ABOUT: &'static str = "Judges a number";
    const KEPT_VERSION: u32 = 1;
    const PRIMARY: Option<&'static str> = Some("value");
    type Args = Arguments;
    type Config = Config;
    type Snapshot = i64;
    type Error = String;
    type Kept = i64;

    fn metrics(_: &Arguments) -> Vec<Definition> {
        METRICS.iter().copied().cloned().collect()
    }

    fn configure(arguments: Arguments, thresholds: Thresholds, _: &Common) -> Result<Config, String> {
        Ok(Config { arguments, thresholds })
    }

    fn target(_: &Config) -> String {
        "example".to_owned()
    }

    fn collect(config: &Config, _: Option<&Previous<i64>>, deadline: &Deadline) -> Result<i64, String> {
        let _step = deadline.step("the example's nap");
        if let Some(hang) = config.arguments.hang {
            std::thread::sleep(hang);
        }
        assert!(!config.arguments.panic, "asked to | panic\nhere");
        Ok(config.arguments.value)
    }

    fn evaluate(
        config: &Config,
        previous: Option<&Previous<i64>>,
        current: &Result<i64, String>,
        now: &Clock,
    ) -> Verdict<i64> {
        let value = match current {
            Ok(value) => *value,
            Err(reason) => {
                return Verdict { report: Report::single(State::Unknown, "value", reason.as_str()), keep: None };
            }
        };
        let metric = config.thresholds.judge(&VALUE, None, Number::from(value));
        let mut item = Item::ok("value", format!("is {value}")).with(metric);
        if let Some(previous) = previous
            && let Some(elapsed) = previous.elapsed(now).filter(|elapsed| *elapsed > 0.0)
            && let Some(rate) =
                Number::real((Number::from(value).to_f64() - Number::from(previous.data).to_f64()) / elapsed)
        {
            item.push(config.thresholds.judge(&CHANGE, None, rate));
        }
        if let Some(breach) = item.breach() {
            item = item.headline(format!("value {value} ({breach})")).then("give another number");
        }
        let mut report = Report::new(format!("value {value}"));
        report.items = vec![item];
        for line in 1..config.arguments.lines {
            report.items.push(Item::new(format!("line {line}"), State::Unknown, "is here"));
        }
        Verdict { report, keep: Some(value) }
    }
}

fn main() -> ExitCode {
    common::run::main::<CheckExample>()
}
