//! Variables beyond those of the guide, and those of it that are missing.

use crate::kwanza::{GO, Site, altered, figure};

#[test]
fn variables_are_found_below_others_and_by_pattern() {
    for go in GO {
        let site = Site::recorded(go, "shapes.json");
        let output = site.run(&[
            "--var",
            "NestedMap/inner/*",
            "--var",
            "List/?",
            "--var",
            "NumericString",
            "--var",
            "FloatString",
            "--var",
            "True",
        ]);
        for (label, value) in [
            ("NestedMap/inner/a:value", Some("1")),
            ("NestedMap/inner/b:value", Some("2.5")),
            ("NestedMap/inner/s:value", None),
            ("NestedMap/number:value", None),
            ("List/0:value", Some("1")),
            ("List/3:value", Some("3.5")),
            ("NumericString:value", Some("42")),
            ("FloatString:value", Some("1500")),
            ("True:value", Some("1")),
        ] {
            assert_eq!(figure(&output, label).as_deref(), value, "{go} {label}: {}", output.stdout);
        }
        assert_eq!(output.code, 0, "{}", output.stdout);
    }
}

#[test]
fn odd_keys_are_paths() {
    for (go, code) in [("go-1.19", 1), ("go-1.23", 0)] {
        let site = Site::recorded(go, "keys.json");
        let output = site.run(&["--var", "Keys/*", "-c", "Keys/a.b/c:value=1"]);
        assert!(output.code == 2 && output.first_line().contains("Keys/a.b/c 2 (over 1)"), "{}", output.stdout);
        let labels = output.first_line().matches(":value").count();
        assert_eq!(labels, 20, "{}", output.stdout);
        assert!(!output.stdout.contains('\u{1b}') && !output.stdout.contains('\u{7}'), "{}", output.stdout);
        assert_eq!(site.run(&[]).code, code);
    }
}

#[test]
fn a_counter_has_growth_and_rate() {
    let site = Site::page(altered("go-1.23", "shapes.json", &[]));
    let arguments = ["--counter", "NestedMap/number", "-c", "NestedMap/number:delta=2"];
    let first = site.run(&arguments);
    assert_eq!((first.code, figure(&first, "NestedMap/number:count").as_deref()), (0, Some("7")), "{}", first.stdout);
    site.says(altered("go-1.23", "shapes.json", &[("\"number\": 7", "\"number\": 10")]));
    let output = site.run(&arguments);
    assert!(
        output.code == 2 && output.first_line().contains("NestedMap/number grew by 3 (over 2)"),
        "{}",
        output.stdout
    );
    assert!(figure(&output, "NestedMap/number:per_second").is_some());
    // Only it fell, so the program was not restarted.
    site.says(altered("go-1.23", "shapes.json", &[("\"number\": 7", "\"number\": 1")]));
    let fell = site.run(&arguments);
    assert_eq!((fell.code, figure(&fell, "NestedMap/number:delta")), (0, None), "{}", fell.stdout);
    assert!(!fell.first_line().contains("restarted"), "{}", fell.stdout);
}

#[test]
fn what_is_not_found_is_unknown() {
    let site = Site::recorded("go-1.23", "shapes.json");
    for (arguments, words) in [
        (&["--var", "Nothing/*"][..], "--var Nothing/* finds no number in the page"),
        (&["--counter", "Version"], "--counter Version finds no number in the page"),
        (
            &["--var", "NestedMap/number", "-w", "NestedMap/numbr:value=1"],
            "thresholds are given for NestedMap/numbr, which no --var or --counter finds",
        ),
    ] {
        let output = site.run(arguments);
        assert!(output.code == 3 && output.first_line().contains(words), "{}", output.stdout);
    }
}

#[test]
fn missing_variables_are_named_with_what_is_alike() {
    for go in GO {
        let site = Site::recorded(go, "missing.json");
        let output = site.run(&[]);
        for words in [
            "Streams is missing; the page has streams, names are told apart by case",
            "Notifications is missing; the page has notifications",
            "SavedTransmissions is missing",
        ] {
            assert!(output.stdout.contains(words), "{words}: {}", output.stdout);
        }
        assert_eq!(figure(&output, "missing_variables").as_deref(), Some("4"));
        for (state, code) in [("ok", 0), ("warning", 1), ("critical", 2), ("unknown", 3)] {
            assert_eq!(site.run(&["--missing", state]).code, code);
        }
    }
    let other = Site::page("{\n\"cmdline\": [\"x\"],\n\"memstats\": {}\n}\n").run(&[]);
    assert!(other.code == 1 && other.stdout.contains("is that Kwanza?"), "{}", other.stdout);
}

#[test]
fn a_variable_of_another_kind_is_told() {
    let page = altered(
        "go-1.23",
        "healthy.1.json",
        &[("\"Streams\": 12", "\"Streams\": {\"a\": 12}"), ("\"Pings\": 600", "\"Pings\": \"many\"")],
    );
    let output = Site::page(page).run(&[]);
    assert!(output.code == 1 && output.first_line().contains("Streams is no number"), "{}", output.stdout);
    assert!(output.first_line().contains("Pings is no number"), "{}", output.stdout);
    let page = altered("go-1.23", "healthy.1.json", &[("{\"cuesta\": 4, \"manatee-01\": 4, \"manatee-02\": 4}", "12")]);
    let output = Site::page(page).run(&[]);
    assert!(output.code == 1 && output.first_line().contains("PerSubscriberStreams"), "{}", output.stdout);
}
