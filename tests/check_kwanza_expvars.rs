//! `check_kwanza_expvars` against pages that Go wrote, and servers that misbehave.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test that cannot go on fails")]
#![allow(clippy::indexing_slicing, reason = "a test that is wrong fails")]

#[path = "check_kwanza_expvars/container.rs"]
mod container;
#[path = "check_kwanza_expvars/faults.rs"]
mod faults;
#[path = "check_kwanza_expvars/kwanza.rs"]
mod kwanza;
#[path = "check_kwanza_expvars/large.rs"]
mod large;
#[path = "check_kwanza_expvars/pages.rs"]
mod pages;
#[path = "check_kwanza_expvars/samples.rs"]
mod samples;
#[path = "check_kwanza_expvars/secrets.rs"]
mod secrets;
#[path = "check_kwanza_expvars/tls.rs"]
mod tls;
#[path = "check_kwanza_expvars/variables.rs"]
mod variables;

use std::path::Path;

use kwanza::{FIXTURES, Site, altered, binary};
use support::contract::{Arguments, Plugin};

/// The names of the guide, and those that are made of them.
const FOREIGN_NAMES: &[&str] = &[
    "Streams",
    "BufferedStreams",
    "Streams_change_percent",
    "PingsPrSec",
    "NotificationsPrSec",
    "ChangeNotificationsPrSec",
    "NotificationsInFlight",
    "ActiveSubscriptions",
    "Subscriptions",
    "RequestsPrSec",
    "AuthenticationRequestsPrSec",
    "PerSubscriberStreams",
    "Pings",
    "Pings_delta",
    "Pings_per_second",
    "Notifications",
    "Notifications_delta",
    "Notifications_per_second",
    "ChangeNotifications",
    "ChangeNotifications_delta",
    "ChangeNotifications_per_second",
    "NotificationTimeouts",
    "NotificationTimeouts_delta",
    "NotificationTimeouts_per_second",
    "SavedTransmissions",
    "SavedTransmissions_delta",
    "SavedTransmissions_per_second",
    "Requests",
    "Requests_delta",
    "Requests_per_second",
    "AuthenticationRequests",
    "AuthenticationRequests_delta",
    "AuthenticationRequests_per_second",
    "AuthenticationSuccesses",
    "AuthenticationSuccesses_delta",
    "AuthenticationSuccesses_per_second",
    "AuthenticationFailures",
    "AuthenticationFailures_delta",
    "AuthenticationFailures_per_second",
    "StreamPanics",
    "StreamPanics_delta",
    "StreamPanics_per_second",
    "StreamPanics_last_hour",
    "NotificationPanics",
    "NotificationPanics_delta",
    "NotificationPanics_per_second",
    "NotificationPanics_last_hour",
    "GrpcInterceptorPanics",
    "GrpcInterceptorPanics_delta",
    "GrpcInterceptorPanics_per_second",
    "GrpcInterceptorPanics_last_hour",
];

support::contract_tests!(Plugin {
    name: "check_kwanza_expvars",
    binary: binary(),
    good: {
        // With nothing in flight, so that a second run on the same page finds no delivery stuck.
        let page =
            altered("go-1.23", "healthy.1.json", &[("\"NotificationsInFlight\": 3", "\"NotificationsInFlight\": 0")]);
        let site = Site::page(page);
        Arguments::new(["--url", &site.url()]).keeping(site)
    },
    hang: || {
        // A pipe that nobody writes to stands for a file that never answers: a server that hangs is CRITICAL.
        let site = Site::live();
        let directory = tempfile::tempdir().expect("a temporary directory");
        let pipe = directory.path().join("token").display().to_string();
        support::tool::run("mkfifo", &[&pipe]);
        Arguments::new(["--url", &site.url(), "--token-file", &pipe]).keeping((site, directory))
    },
    hangs_at: "/token",
    judged: "Streams",
    schema: Some(Path::new(FIXTURES).join("../../../packaging/schema/check_kwanza_expvars.schema.json")),
    foreign_names: FOREIGN_NAMES,
});
