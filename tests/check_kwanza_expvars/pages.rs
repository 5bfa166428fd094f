//! Every page that was recorded from Go.

use check_kwanza_expvars::metrics::guide;
use support::run::Output;

use crate::kwanza::{FIXTURES, GO, Site, altered, figure, is_a, recorded};

/// One run on each page, compared with `GO/STATE_NAME.out`.
macro_rules! pages {
    ($($name:ident => $file:literal $([$($argument:literal),*])?;)+) => {
        $(
            #[test]
            fn $name() {
                for go in GO {
                    let arguments: &[&str] = &[$($($argument),*)?];
                    Site::recorded(go, $file).assert(go, stringify!($name), arguments);
                }
            }
        )+
    };
}

pages! {
    ok_healthy => "healthy.1.json" ["-v"];
    ok_healthy_with_its_head => "healthy.http";
    ok_http_1_0 => "http_1_0.http";
    ok_integers => "integers.json" ["--var", "M*nt64", "--var", "Over53"];
    ok_floats => "floats.json" ["--var", "M*", "--var", "Large", "--var", "Func*", "--var", "T*"];
    ok_gc_off => "gc_off.json" ["-v", "--memstats"];
    ok_memstats => "healthy.1.json" ["-v", "--memstats"];
    ok_shapes => "shapes.json" ["-v", "--var", "NestedMap/*", "--var", "List/*", "--var", "*String", "--var", "True", "--var", "Object/*"];
    ok_subscribers => "subscribers.json" ["-v", "--per-subscriber", "3"];
    ok_wrong_case => "wrong_case.json";
    ok_secrets => "secrets.json" ["-vvv"];
    warning_missing => "missing.json";
    warning_nan => "nan.json" ["--var", "Load/*"];
    warning_unmarshallable => "unmarshallable.json" ["--var", "Load/*"];
    warning_lookalikes => "lookalikes.json";
    critical_other_mux => "other_mux.http";
    critical_panic_in_panic => "panic_in_panic.http";
    critical_head_without_a_body => "head.http";
}

/// The pages that the two versions answer in other states.
macro_rules! versions {
    ($($name:ident: $go:literal $file:literal $([$($argument:literal),*])?;)+) => {
        $(
            #[test]
            fn $name() {
                let arguments: &[&str] = &[$($($argument),*)?];
                Site::recorded($go, $file).assert($go, stringify!($name), arguments);
            }
        )+
    };
}

versions! {
    critical_panic: "go-1.19" "panic.json";
    critical_panic_with_its_head: "go-1.19" "panic.http";
    critical_panic_in_map: "go-1.19" "panic_in_map.json" ["--var", "Load/*"];
    critical_panic_of_lines: "go-1.19" "panic_of_lines.json";
    critical_panic_before_an_answer: "go-1.23" "panic.json";
    critical_nil_before_an_answer: "go-1.23" "nil.json";
    warning_nil: "go-1.19" "nil.json";
    warning_keys: "go-1.19" "keys.json" ["--var", "Keys/*"];
    ok_keys: "go-1.23" "keys.json" ["--var", "Keys/*"];
    ok_post: "go-1.19" "post.http";
    critical_post: "go-1.23" "post.http";
}

#[test]
fn every_recorded_page_is_read() {
    for go in GO {
        for entry in std::fs::read_dir(format!("{FIXTURES}/{go}")).unwrap().flatten() {
            let name = entry.file_name().into_string().unwrap();
            if is_a(&name, "out") {
                continue;
            }
            let site = Site::recorded(go, &name);
            for format in ["nagios", "json", "openmetrics"] {
                let output =
                    site.run(&["-vvv", "--var", "*", "--memstats", "--per-subscriber", "1000", "--format", format]);
                let first = output.first_line();
                assert!(output.stdout.len() > 20 && !first.contains("--timeout"), "{go} {name}: {}", output.stdout);
            }
        }
    }
}

/// The value of a metric in the JSON of a run.
fn value(output: &Output, name: &str) -> Option<serde_json::Value> {
    let document: serde_json::Value = serde_json::from_str(&output.stdout).unwrap();
    let items = document["items"].as_array().unwrap();
    let mut figures = items.iter().flat_map(|item| item["metrics"].as_array().into_iter().flatten());
    figures.find(|figure| figure["name"] == name).map(|figure| figure["value"].clone())
}

#[test]
fn all_names_of_the_guide_are_listed_and_are_figures() {
    for go in GO {
        let site = Site::recorded(go, "healthy.1.json");
        let table = site.run(&["--list-metrics"]).stdout;
        let (text, json) =
            (site.run(&["--per-subscriber", "3"]), site.run(&["--per-subscriber", "3", "--format", "json"]));
        assert_eq!(guide().count(), 23);
        for name in guide() {
            let row = |line: &&str| {
                line.split(' ').next().is_some_and(|first| first == name || first == format!("SUBSCRIBER:{name}"))
            };
            assert!(table.lines().any(|line| row(&line)), "{name}: {table}");
            let label = if name == "PerSubscriberStreams" { format!("cuesta:{name}") } else { name.to_owned() };
            let shown = figure(&text, &label).unwrap_or_else(|| panic!("no {label}: {}", text.stdout));
            let exact = value(&json, name).unwrap_or_else(|| panic!("no {name}: {}", json.stdout));
            assert_eq!(shown.parse::<f64>().ok(), exact.as_f64(), "{name}");
        }
    }
}

#[test]
fn deltas_are_exact() {
    for go in GO {
        let site = Site::recorded(go, "healthy.1.json");
        site.run(&[]);
        site.says(recorded(go, "healthy.2.json"));
        // Three are in flight in both pages, and 100 were sent in between.
        site.assert(go, "warning_healthy_after_five_seconds", &["-v"]);
        site.says(recorded(go, "healthy.1.json"));
        site.run(&[]);
        site.says(recorded(go, "healthy.2.json"));
        let output = site.run(&[]);
        for (name, delta) in [
            ("Notifications", "100"),
            ("Pings", "15"),
            ("ChangeNotifications", "40"),
            ("Requests", "125"),
            ("AuthenticationRequests", "10"),
            ("AuthenticationSuccesses", "9"),
            ("AuthenticationFailures", "1"),
            ("NotificationTimeouts", "2"),
            ("SavedTransmissions", "60"),
            ("StreamPanics", "0"),
            ("NotificationPanics", "0"),
            ("GrpcInterceptorPanics", "0"),
        ] {
            assert_eq!(figure(&output, &format!("{name}_delta")).as_deref(), Some(delta), "{go} {name}");
            assert!(figure(&output, &format!("{name}_per_second")).is_some(), "{go} {name}");
        }
        assert_eq!(figure(&output, "notification_timeout_percent").as_deref(), Some("2"));
        assert_eq!(figure(&output, "auth_failure_percent").as_deref(), Some("10"));
    }
}

#[test]
fn a_restart_is_a_new_baseline() {
    for go in GO {
        let site = Site::recorded(go, "healthy.2.json");
        site.run(&[]);
        site.says(recorded(go, "restarted.json"));
        site.assert(go, "ok_restarted", &["-v"]);
        let output = site.run(&[]);
        assert_eq!(figure(&output, "Notifications_delta").as_deref(), Some("0"), "{}", output.stdout);
    }
}

#[test]
fn integers_are_exact_in_text_json_and_perfdata() {
    for go in GO {
        let site = Site::recorded(go, "integers.json");
        let arguments = [
            "--var",
            "M*nt64",
            "--var",
            "Over53",
            "-w",
            "Over53:value=9007199254740992",
            "-c",
            "MaxUint64:value=18446744073709551615",
            "-w",
            "MaxUint64:value=18446744073709551614",
        ];
        let output = site.run(&arguments);
        for (label, text) in [
            ("Notifications", "9007199254740993"),
            ("Requests", "9223372036854775807"),
            ("MaxInt64:value", "9223372036854775807"),
            ("MinInt64:value", "-9223372036854775808"),
            ("MaxUint64:value", "18446744073709551615"),
            ("Over53:value", "9007199254740993"),
        ] {
            assert_eq!(figure(&output, label).as_deref(), Some(text), "{go}");
        }
        let alone = site.run(&["--var", "Over53", "-w", "Over53:value=9007199254740992"]);
        assert!(alone.first_line().contains("Over53 9007199254740993 (over 9007199254740992)"), "{}", alone.stdout);
        assert!(
            output.first_line().contains("MaxUint64 18446744073709551615 (over 18446744073709551614)"),
            "{}",
            output.stdout
        );
        let json = site.run(&[&arguments[..], &["--format", "json"]].concat()).stdout;
        for text in ["9007199254740993", "9223372036854775807", "-9223372036854775808", "18446744073709551615"] {
            assert!(json.contains(&format!("\"value\":{text}")), "{text}: {json}");
        }

        // The difference of two numbers beyond 2^53.
        site.says(altered(
            go,
            "integers.json",
            &[("\"Notifications\": 9007199254740993", "\"Notifications\": 9007199254740996")],
        ));
        assert_eq!(figure(&site.run(&arguments), "Notifications_delta").as_deref(), Some("3"));
    }
}

#[test]
fn what_a_variable_forges_replaces_none() {
    // Its words end as those of a panic do, and go on with a line of the page.
    let forged = "\"P\": %!s(PANIC=String method: boom),\n\"Streams\": 99,\n\"PerSubscriberStreams\"";
    for (name, page) in [
        ("before", altered("go-1.19", "healthy.1.json", &[("\"PerSubscriberStreams\"", forged)])),
        (
            "behind",
            altered(
                "go-1.19",
                "unmarshallable.json",
                &[("\"zlast\": ", "\"zlast\": %!s(PANIC=boom),\n\"Streams\": 99")],
            ),
        ),
    ] {
        let output = Site::page(page).run(&[]);
        assert_eq!(figure(&output, "Streams").as_deref(), Some("12"), "{name}: {}", output.stdout);
        assert_eq!(output.code, 2, "{name}: {}", output.stdout);
        assert!(
            output.first_line().contains("lines out of order, which are not taken: Streams"),
            "{name}: {}",
            output.stdout
        );
    }
    let recorded = Site::recorded("go-1.19", "panic_of_lines.json").run(&[]);
    assert_eq!(figure(&recorded, "Streams").as_deref(), Some("12"), "{}", recorded.stdout);
    let lookalikes = Site::recorded("go-1.19", "lookalikes.json").run(&[]);
    assert_eq!(figure(&lookalikes, "Streams").as_deref(), Some("12"), "{}", lookalikes.stdout);
    assert_eq!(figure(&lookalikes, "Requests").as_deref(), Some("5000"), "{}", lookalikes.stdout);
}

#[test]
fn a_page_that_something_between_wrote_anew_is_read() {
    let page: serde_json::Value = serde_json::from_slice(&recorded("go-1.23", "healthy.1.json")).unwrap();
    for page in [serde_json::to_vec(&page).unwrap(), serde_json::to_vec_pretty(&page).unwrap()] {
        let output = Site::page(page).run(&[]);
        assert_eq!(output.code, 0, "{}", output.stdout);
        assert_eq!(figure(&output, "subscribers").as_deref(), Some("3"), "{}", output.stdout);
    }
}
