//! Two runs and what happened between them.

use std::thread::sleep;
use std::time::Duration;

use support::run::Output;

use crate::kwanza::{Site, figure, number};

/// A live Kwanza after a first run.
fn after_a_run(arguments: &[&str]) -> Site {
    let site = Site::live();
    let first = site.run(arguments);
    assert_eq!(first.code, 0, "{}", first.stdout);
    site
}

#[track_caller]
fn assert_says(output: &Output, code: i32, words: &str) {
    assert!(output.code == code && output.first_line().contains(words), "{words}: {}", output.stdout);
}

#[test]
fn the_rate_is_that_of_the_server() {
    let site = Site::live();
    site.kwanza.figures().rate("Notifications", 100.0);
    let first = site.run(&["-v"]);
    assert!(figure(&first, "Notifications_delta").is_none(), "{}", first.stdout);
    assert!(first.stdout.contains("baseline taken"), "{}", first.stdout);
    sleep(Duration::from_secs(1));
    let output = site.run(&[]);
    let rate = number(&output, "Notifications_per_second");
    assert!((90.0..=110.0).contains(&rate), "{rate}: {}", output.stdout);
    assert_eq!(output.code, 0, "{}", output.stdout);
    assert!(output.first_line().contains(" notifications/s"), "{}", output.stdout);
}

#[test]
fn a_restart_makes_no_negative_number() {
    let site = Site::live();
    site.kwanza.figures().add("Requests", 1_000_000);
    site.kwanza.figures().add("Notifications", 10_000);
    site.run(&[]);
    site.kwanza.figures().restart();
    let output = site.run(&["-v"]);
    assert_says(&output, 0, "restarted since the last run");
    assert!(output.stdout.contains("a new baseline is taken"), "{}", output.stdout);
    assert!(!output.first_line().contains("=-") && figure(&output, "Requests_delta").is_none(), "{}", output.stdout);
    let next = site.run(&[]);
    assert!(number(&next, "Requests_delta") >= 0.0 && !next.first_line().contains("restarted"), "{}", next.stdout);
}

#[test]
fn a_restart_alerts_where_that_is_wanted() {
    let site = Site::live();
    site.kwanza.figures().add("Requests", 1000);
    let arguments = ["--restart-state", "warning"];
    assert_eq!(site.run(&arguments).code, 0);
    site.kwanza.figures().restart();
    let output = site.run(&arguments);
    assert_says(&output, 1, "Kwanza was restarted since the last run");
    assert!(output.stdout.contains("-> docker-compose ps; docker-compose logs --tail 100 kwanza"), "{}", output.stdout);
    assert_eq!(site.run(&arguments).code, 0);
}

#[test]
fn panics_are_judged_for_an_hour() {
    let site = Site::live();
    site.kwanza.figures().add("NotificationPanics", 50);
    assert_says(&site.run(&[]), 0, "no new panics");
    site.kwanza.figures().add("NotificationPanics", 1);
    for _ in 0..3 {
        assert_says(&site.run(&[]), 1, "1 NotificationPanics in the last hour (over 0)");
    }
    site.kwanza.figures().add("NotificationPanics", 10);
    site.kwanza.figures().add("StreamPanics", 2);
    let output = site.run(&[]);
    assert_says(
        &output,
        2,
        "11 NotificationPanics in the last hour (over 10), 2 StreamPanics in the last hour (over 0)",
    );
    assert_eq!(figure(&output, "NotificationPanics_delta").as_deref(), Some("10"));
    assert!(output.stdout.contains("look for 'panic'"), "{}", output.stdout);

    // An hour later.
    site.remember(|sample| {
        for events in sample["data"]["panics"].as_object_mut().unwrap().values_mut() {
            for event in events.as_array_mut().unwrap() {
                event[0] = (event[0].as_u64().unwrap() - 3601).into();
            }
        }
    });
    assert_says(&site.run(&[]), 0, "no new panics");
}

#[test]
fn panics_since_a_restart_are_new() {
    let site = Site::live();
    site.kwanza.figures().add("Requests", 1000);
    site.run(&[]);
    site.kwanza.figures().restart();
    site.kwanza.figures().add("GrpcInterceptorPanics", 3);
    assert_says(&site.run(&[]), 1, "3 GrpcInterceptorPanics in the last hour (over 0)");
}

#[test]
fn a_pinger_that_stands_still_is_told() {
    let arguments = ["--ping-interval", "1s"];
    let site = after_a_run(&arguments);
    site.kwanza.figures().rate("Pings", 0.0);
    site.run(&arguments);
    assert_eq!(site.run(&arguments).code, 0, "not for a second yet");
    sleep(Duration::from_millis(1100));
    let output = site.run(&arguments);
    assert_says(&output, 1, "no ping for 1.");
    assert!(output.first_line().contains(" although there are 1"), "{}", output.stdout);
    assert_eq!(figure(&output, "pinger_stalled").as_deref(), Some("1"));
    assert_eq!(site.run(&[]).code, 0, "not for five minutes");
    site.kwanza.figures().streams(0);
    let nobody = site.run(&["--ping-interval", "1s", "-c", "Streams_change_percent="]);
    assert_eq!(figure(&nobody, "pinger_stalled").as_deref(), Some("0"), "nobody is to be pinged: {}", nobody.stdout);
    site.kwanza.figures().streams(5);
    site.kwanza.figures().rate("Pings", 1000.0);
    sleep(Duration::from_millis(10));
    assert_eq!(figure(&site.run(&arguments), "pinger_stalled").as_deref(), Some("0"));
}

#[test]
fn deliveries_that_are_stuck_are_told() {
    let site = after_a_run(&[]);
    let later = || {
        site.remember(|sample| {
            let delivered = &mut sample["data"]["delivered"];
            *delivered = (delivered.as_f64().unwrap() - 11.0).into();
        });
    };
    site.kwanza.figures().deliveries_stick(7);
    site.run(&[]);
    assert_eq!(site.run(&[]).code, 0, "two runs at once prove nothing");
    later();
    let output = site.run(&[]);
    assert_says(&output, 1, "7 notifications are in flight, and none was sent for 11s");
    assert_eq!(figure(&output, "deliveries_stuck").as_deref(), Some("1"));
    site.kwanza.figures().deliveries_stick(6);
    assert_eq!(site.run(&[]).code, 0, "they become fewer");
    later();
    site.kwanza.figures().add("Notifications", 1);
    assert_eq!(site.run(&[]).code, 0, "one was sent");
    later();
    site.kwanza.figures().deliveries_stick(0);
    assert_eq!(site.run(&[]).code, 0, "none is in flight");
}

#[test]
fn logins_that_fail_are_told_from_twenty_on() {
    let site = after_a_run(&[]);
    site.kwanza.figures().rate("AuthenticationSuccesses", 0.0);
    site.kwanza.figures().rate("AuthenticationFailures", 0.0);
    site.run(&[]);
    site.kwanza.figures().add("AuthenticationFailures", 19);
    let few = site.run(&[]);
    assert_eq!((few.code, figure(&few, "auth_failure_percent").as_deref()), (0, Some("100")), "{}", few.stdout);
    site.kwanza.figures().add("AuthenticationFailures", 6);
    site.kwanza.figures().add("AuthenticationSuccesses", 18);
    assert_says(&site.run(&[]), 1, "25 % of the logins failed (over 20 %)");
    site.kwanza.figures().add("AuthenticationFailures", 20);
    assert_says(&site.run(&[]), 2, "100 % of the logins failed (over 50 %)");
    site.kwanza.figures().add("AuthenticationFailures", 1);
    assert_says(&site.run(&["-w", "auth_failure_percent=10"]), 2, "100 % of the logins failed (over 50 %)");
}

#[test]
fn notifications_that_time_out_are_told() {
    let site = after_a_run(&[]);
    for name in ["Notifications", "NotificationTimeouts"] {
        site.kwanza.figures().rate(name, 0.0);
    }
    site.run(&[]);
    site.kwanza.figures().add("Notifications", 100);
    site.kwanza.figures().add("NotificationTimeouts", 2);
    assert_says(&site.run(&[]), 1, "2 % of the notifications timed out (over 1 %)");
    site.kwanza.figures().add("Notifications", 100);
    site.kwanza.figures().add("NotificationTimeouts", 6);
    assert_says(&site.run(&[]), 2, "6 % of the notifications timed out (over 5 %)");
    // Those that timed out may not count among those that were sent.
    site.kwanza.figures().add("NotificationTimeouts", 3);
    assert_says(&site.run(&[]), 2, "100 % of the notifications timed out (over 5 %)");
}

#[test]
fn streams_that_collapse_are_told() {
    let site = after_a_run(&[]);
    site.kwanza.figures().streams(10);
    site.run(&[]);
    site.kwanza.figures().streams(4);
    let output = site.run(&[]);
    assert_says(&output, 1, "streams went from 10 to 4, a change of -60 % (below -50 %)");
    assert!(output.stdout.contains("clients lost their update channels"), "{}", output.stdout);
    site.kwanza.figures().streams(10);
    assert_eq!(site.run(&[]).code, 0, "more are no fault");
    site.kwanza.figures().streams(0);
    assert_says(&site.run(&[]), 2, "streams went from 10 to 0, a change of -100 %");
    site.kwanza.figures().streams(4);
    site.run(&[]);
    site.kwanza.figures().streams(0);
    assert_eq!(site.run(&[]).code, 0, "four may go home");
}

#[test]
fn the_subscribers_with_most_streams_become_figures_where_that_is_wanted() {
    let site = after_a_run(&["--per-subscriber", "2"]);
    let output = site.run(&["--per-subscriber", "2"]);
    let shown = output.first_line().matches(":PerSubscriberStreams'=").count()
        + output.first_line().matches(":PerSubscriberStreams=").count();
    assert_eq!(shown, 2, "{}", output.stdout);
    assert_says(
        &site.run(&["--per-subscriber", "2", "-w", "manatee-*:PerSubscriberStreams=2"]),
        1,
        "streams of subscriber manatee-0",
    );
    assert!(!site.run(&[]).first_line().contains("PerSubscriberStreams"));
}

#[test]
fn the_memory_is_judged_where_that_is_wanted() {
    let site = after_a_run(&["--memstats"]);
    sleep(Duration::from_millis(50));
    let output = site.run(&["--memstats", "-v"]);
    // There was no collection yet, so that no pause is known.
    for name in ["heap_inuse", "heap_alloc", "memory_sys", "gc_per_second"] {
        assert!(figure(&output, name).is_some(), "no {name}: {}", output.stdout);
    }
    assert_says(&site.run(&["--memstats", "-c", "heap_inuse=1KiB"]), 2, "heap in use ");
    assert!(figure(&site.run(&[]), "heap_inuse").is_none());
    site.kwanza.figures().show("goroutines", "23");
    assert_eq!(figure(&site.run(&["--memstats"]), "goroutines").as_deref(), Some("23"));
    site.kwanza.figures().hide("memstats");
    assert_says(&site.run(&["--memstats"]), 3, "memstats is not published");
}

#[test]
fn services_that_judge_other_variables_keep_apart() {
    let site = after_a_run(&[]);
    site.kwanza.figures().show("Jobs", "1");
    assert!(site.run(&["--counter", "Jobs", "-v"]).stdout.contains("Jobs: 1, baseline taken"));
    site.kwanza.figures().show("Jobs", "4");
    site.run(&[]);
    let output = site.run(&["--counter", "Jobs"]);
    assert_eq!(figure(&output, "Jobs:delta").as_deref(), Some("3"), "{}", output.stdout);
}
