//! The recording of the demonstration in the README.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test that cannot go on fails")]
#![allow(clippy::indexing_slicing, reason = "a test that is wrong fails")]

use backend::database::Starting;
use backend::ending::Ending;
use demo::course;
use demo::options::Options;
use demo::scenario::Scenario;
use demo::screen::Screen;
use demo::suite::Suite;

const README: &str = include_str!("../../../README.md");

/// What stays the same from run to run: headings, the programs that are run, and what they find.
fn skeleton(text: &str) -> Vec<String> {
    let kept = |line: &str| {
        let words: Vec<&str> = line.split(' ').collect();
        match words.as_slice() {
            ["==", ..] => Some(line.to_owned()),
            ["$", program, ..] => Some(format!("$ {program}")),
            [name, state @ ("OK" | "WARNING" | "CRITICAL" | "UNKNOWN"), "-", ..] => Some(format!("{name} {state}")),
            _ => None,
        }
    };
    text.lines().filter_map(kept).collect()
}

#[test]
fn the_readme_shows_what_is_shown() {
    let recorded = README.split_once("<!-- the demo, by tests/demo/record.sh -->").unwrap().1;
    let recorded = recorded.split_once("<!-- end of the demo -->").unwrap().0;
    let (mut screen, ending) = (Screen::new(Vec::new(), false), Ending::listen().unwrap());
    let options = Options { scenario: Some(Scenario::DiskFull), keep: false };
    course::run(options, &Suite::build().unwrap(), &ending, &mut screen, Starting::recorded().unwrap()).unwrap();
    let shown = String::from_utf8(screen.into_inner()).unwrap();
    let expected: Vec<String> = ["$ cargo".to_owned()].into_iter().chain(skeleton(&shown)).collect();
    assert_eq!(skeleton(recorded), expected, "tests/demo/record.sh writes it anew");
}
