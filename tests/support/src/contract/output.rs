//! What a run prints, in each format and at each verbosity.

use std::io::Write as _;
use std::process::{Command, Stdio};

use super::{Plugin, checked, exit_code, figures_of, perfdata_of, state_of};
use crate::run::Stdout;
use crate::tool::need;

const VERBOSITIES: [&[&str]; 5] = [&[], &["-v"], &["-vv"], &["-v", "-v", "-v"], &["-vvvvv"]];
/// The whole output at most: NRPE cuts at 64 KiB.
const MAX_BYTES: usize = 60 * 1024;

/// The state is the same in all formats, and so is the exit code.
pub fn formats_agree_on_the_state(plugin: &Plugin) {
    let always = plugin.threshold("@~:");
    for (arguments, expected) in [(&[][..], None), (&["-w", &always], None), (&["-c", &always], Some("CRITICAL"))] {
        let format = |format| {
            let mut all = arguments.to_vec();
            all.extend(["--format", format]);
            plugin.good_with(&all)
        };
        let (nagios, json, openmetrics) = (format("nagios"), format("json"), format("openmetrics"));
        let state = state_of(&nagios);
        assert!(expected.is_none_or(|expected| expected == state), "{arguments:?}: {}", nagios.stdout);
        assert!(nagios.stdout.starts_with(&plugin.status(state)), "{}", nagios.stdout);
        let code = exit_code(state);
        assert_eq!((nagios.code, json.code, openmetrics.code), (code, code, code), "{arguments:?}");
        let document = plugin.document(&json);
        assert_eq!((&document["state"], document["exit_code"].as_i64()), (&state.into(), Some(code.into())));
        let line = format!("\n{}_state{{state=\"{}\"}} 1\n", plugin.name, state.to_lowercase());
        assert!(openmetrics.stdout.contains(&line), "{line} is expected in:\n{}", openmetrics.stdout);
    }
}

/// JSON is one line, valid by the published schema, with the same figures as perfdata.
pub fn json_is_valid_by_its_schema(plugin: &Plugin) {
    let always = plugin.threshold("@~:");
    for verbosity in VERBOSITIES {
        plugin.document(&checked(plugin.good().args(["--format", "json"]).args(verbosity).output()));
    }
    let document = plugin.document(&plugin.good_with(&["--format", "json", "-c", &always]));
    let figures = figures_of(&document["items"]);
    assert!(figures.iter().any(|figure| figure["name"] == plugin.judged && figure["state"] == "CRITICAL"));
}

/// OpenMetrics text passes `promtool check metrics`.
pub fn openmetrics_pass_promtool(plugin: &Plugin) {
    for further in [&[][..], &["-vvv"], &["--perfdata", "nothing is called so"]] {
        let output = checked(plugin.good().args(["--format", "openmetrics"]).args(further).output());
        assert_openmetrics(&output.stdout);
    }
}

/// Accepts `text` as OpenMetrics by promtool's judgement, warnings included.
#[track_caller]
pub fn assert_openmetrics(text: &str) {
    assert!(text.ends_with("\n# EOF\n"), "OpenMetrics ends with # EOF:\n{text}");
    let mut promtool = Command::new(need("promtool", "apt-get install prometheus"))
        .args(["check", "metrics"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("promtool to start");
    let mut stdin = promtool.stdin.take().expect("a pipe to promtool");
    stdin.write_all(text.as_bytes()).expect("promtool to read");
    drop(stdin);
    let output = promtool.wait_with_output().expect("promtool to end");
    let said = format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success() && said.trim().is_empty(), "promtool: {said}\n{text}");
}

/// Perfdata stands on the first line only, by the strict grammar, and nothing else holds a `|`.
pub fn perfdata_is_strict_and_on_the_first_line(plugin: &Plugin) {
    let always = plugin.threshold("@~:");
    for verbosity in VERBOSITIES {
        for further in [&[][..], &["-c", &always]] {
            let output = checked(plugin.good().args(verbosity).args(further).output());
            let items = perfdata_of(&output);
            assert!(!items.is_empty(), "the good run prints perfdata: {}", output.stdout);
            assert!(output.stdout.ends_with('\n'));
        }
    }
    // Icinga drops thresholds that are not plain numbers; a plain one must be printed as such.
    let output = plugin.good_with(&["-w", &plugin.threshold("0:123456"), "-c", &plugin.threshold(":234567")]);
    let name = plugin.judged;
    let judged =
        perfdata_of(&output).into_iter().find(|item| metric_of(&item.label) == name).expect("the judged metric");
    assert!(judged.warning.is_some_and(|range| range.is_plain) && judged.critical.is_some_and(|range| range.is_plain));
}

/// The metric in a perfdata label.
pub(super) fn metric_of(label: &str) -> &str {
    label.rsplit_once(':').map_or(label, |(_, metric)| metric)
}

/// `--perfdata` picks metrics and changes nothing else.
pub fn perfdata_can_be_chosen(plugin: &Plugin) {
    let all = plugin.good_with(&[]);
    let chosen = plugin.good_with(&["--perfdata", plugin.judged]);
    let items = perfdata_of(&chosen);
    assert!(!items.is_empty() && items.iter().all(|item| metric_of(&item.label) == plugin.judged), "{}", chosen.stdout);
    let every = plugin.good_with(&["--perfdata", "*"]);
    let labels = |items: Vec<crate::perfdata::Datum>| items.into_iter().map(|item| item.label).collect::<Vec<_>>();
    assert_eq!(labels(perfdata_of(&every)), labels(perfdata_of(&all)));
    let none = plugin.good_with(&["--perfdata", "nothing is called so"]);
    assert!(perfdata_of(&none).is_empty(), "{}", none.stdout);
    assert_eq!((chosen.code, every.code, none.code), (all.code, all.code, all.code));
}

/// The plugin standard's output stays below what NRPE passes on.
pub fn output_is_bounded(plugin: &Plugin) {
    for verbosity in VERBOSITIES {
        let output = checked(plugin.good().args(verbosity).output());
        assert!(output.stdout.len() <= MAX_BYTES, "{} bytes", output.stdout.len());
    }
}

/// However much is to be said, stderr stays empty and the exit code the same.
pub fn stderr_is_empty_at_any_verbosity(plugin: &Plugin) {
    let expected = plugin.good_with(&[]);
    for format in ["nagios", "json", "openmetrics"] {
        for verbosity in VERBOSITIES {
            let output = checked(plugin.good().args(["--format", format]).args(verbosity).output());
            assert_eq!(output.code, expected.code, "{format} {verbosity:?}: {}", output.stdout);
        }
    }
}

/// A terminal gets colours; a pipe never does, whatever the environment asks for.
pub fn colour_is_for_terminals(plugin: &Plugin) {
    let always = plugin.threshold("@~:");
    for arguments in
        [&["-vvv", "-c", &always][..], &["--help"], &["--no-such-option"], &["--format=json"], &["--list-metrics"]]
    {
        let run = plugin.good().args(arguments).env("TERM", "xterm-256color").env("CLICOLOR_FORCE", "1");
        let output = checked(run.env("FORCE_COLOR", "1").output());
        assert!(!output.stdout.contains('\u{1b}'), "{arguments:?}: {:?}", output.stdout);
    }
    let output = plugin.good().args(["-c", &always]).env("TERM", "xterm").stdout(Stdout::Terminal).output();
    assert!(output.stdout.contains("\u{1b}[31mCRITICAL\u{1b}[0m"), "{:?}", output.stdout);
    assert_eq!(output.code, 2);
    let run = plugin.good().args(["--format", "json"]).env("TERM", "xterm").stdout(Stdout::Terminal);
    assert!(!run.output().stdout.contains('\u{1b}'));
}

/// `NO_COLOR` takes the colours away; an empty one does not.
pub fn no_color_is_heeded(plugin: &Plugin) {
    let on_terminal = |value: &str| plugin.good().env("NO_COLOR", value).stdout(Stdout::Terminal).output().stdout;
    assert!(!on_terminal("1").contains('\u{1b}'));
    assert!(on_terminal("").contains('\u{1b}'));
}
