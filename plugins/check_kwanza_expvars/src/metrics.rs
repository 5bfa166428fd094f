//! The metric table. Names that begin with a capital are the guide's own, and those made from them.

use common::metric::Definition;
use common::units::Unit::{Bytes, Number, Percent, Seconds};

common::metrics! {
    /// Streams (update channels) that are registered.
    STREAMS = Definition::gauge("streams", "Streams", Number, "Streams (update channels) that are registered");
    /// Streams with the optimized buffered delivery strategy.
    BUFFERED_STREAMS = Definition::gauge("streams", "BufferedStreams", Number, "Streams with the optimized buffered delivery strategy");
    /// Change of Streams.
    STREAMS_CHANGE_PERCENT = Definition::gauge("streams", "Streams_change_percent", Percent, "Change of Streams since the last run; judged from 5 streams on, or with a threshold of its own").defaults("-50:", "-99.99:").open_ended();
    /// Pings sent; each stream is pinged at an interval.
    PINGS = Definition::gauge("streams", "Pings", Number, "Pings sent; each stream is pinged at an interval").counter();
    /// Growth of Pings.
    PINGS_DELTA = Definition::gauge("streams", "Pings_delta", Number, "Growth of Pings since the last run");
    /// Pings per second.
    PINGS_PER_SECOND = Definition::gauge("streams", "Pings_per_second", Number, "Pings per second since the last run");
    /// Pings per second, as Kwanza counts them.
    PINGS_PR_SEC = Definition::gauge("streams", "PingsPrSec", Number, "Pings per second, as Kwanza counts them");
    /// Stalled pinger.
    PINGER_STALLED = Definition::gauge("streams", "pinger_stalled", Number, "1 while there are streams and Pings has not grown for longer than --ping-interval, else 0").defaults("0", "");
    /// Updates sent across all streams.
    NOTIFICATIONS = Definition::gauge("notifications", "Notifications", Number, "Updates sent across all streams").counter();
    /// Growth of Notifications.
    NOTIFICATIONS_DELTA = Definition::gauge("notifications", "Notifications_delta", Number, "Growth of Notifications since the last run");
    /// Notifications per second.
    NOTIFICATIONS_PER_SECOND = Definition::gauge("notifications", "Notifications_per_second", Number, "Notifications per second since the last run");
    /// Notifications that are actual changes.
    CHANGE_NOTIFICATIONS = Definition::gauge("notifications", "ChangeNotifications", Number, "Notifications that are actual changes").counter();
    /// Growth of ChangeNotifications.
    CHANGE_NOTIFICATIONS_DELTA = Definition::gauge("notifications", "ChangeNotifications_delta", Number, "Growth of ChangeNotifications since the last run");
    /// ChangeNotifications per second.
    CHANGE_NOTIFICATIONS_PER_SECOND = Definition::gauge("notifications", "ChangeNotifications_per_second", Number, "ChangeNotifications per second since the last run");
    /// Notifications that timed out.
    NOTIFICATION_TIMEOUTS = Definition::gauge("notifications", "NotificationTimeouts", Number, "Notifications that timed out").counter();
    /// Growth of NotificationTimeouts.
    NOTIFICATION_TIMEOUTS_DELTA = Definition::gauge("notifications", "NotificationTimeouts_delta", Number, "Growth of NotificationTimeouts since the last run");
    /// NotificationTimeouts per second.
    NOTIFICATION_TIMEOUTS_PER_SECOND = Definition::gauge("notifications", "NotificationTimeouts_per_second", Number, "NotificationTimeouts per second since the last run");
    /// Transmissions avoided by the caching and diff layer.
    SAVED_TRANSMISSIONS = Definition::gauge("notifications", "SavedTransmissions", Number, "Transmissions avoided by the caching and diff layer").counter();
    /// Growth of SavedTransmissions.
    SAVED_TRANSMISSIONS_DELTA = Definition::gauge("notifications", "SavedTransmissions_delta", Number, "Growth of SavedTransmissions since the last run");
    /// SavedTransmissions per second.
    SAVED_TRANSMISSIONS_PER_SECOND = Definition::gauge("notifications", "SavedTransmissions_per_second", Number, "SavedTransmissions per second since the last run");
    /// Notifications per second, as Kwanza counts them.
    NOTIFICATIONS_PR_SEC = Definition::gauge("notifications", "NotificationsPrSec", Number, "Notifications per second, as Kwanza counts them");
    /// Change notifications per second, as Kwanza counts them.
    CHANGE_NOTIFICATIONS_PR_SEC = Definition::gauge("notifications", "ChangeNotificationsPrSec", Number, "Change notifications per second, as Kwanza counts them");
    /// Notifications that are in transit on streams.
    NOTIFICATIONS_IN_FLIGHT = Definition::gauge("notifications", "NotificationsInFlight", Number, "Notifications that are in transit on streams");
    /// Subscriptions that are receiving notifications.
    ACTIVE_SUBSCRIPTIONS = Definition::gauge("notifications", "ActiveSubscriptions", Number, "Subscriptions that are receiving notifications");
    /// All subscriptions.
    SUBSCRIPTIONS = Definition::gauge("notifications", "Subscriptions", Number, "All subscriptions");
    /// Timed out.
    NOTIFICATION_TIMEOUT_PERCENT = Definition::gauge("notifications", "notification_timeout_percent", Percent, "Notifications that timed out, of those since the last run").defaults("1", "5");
    /// Stuck.
    DELIVERIES_STUCK = Definition::gauge("notifications", "deliveries_stuck", Number, "1 while notifications are in flight, no fewer than in the last run, and none was sent for more than 10 s; else 0").defaults("0", "");
    /// Active subscriptions.
    ACTIVE_SUBSCRIPTION_PERCENT = Definition::gauge("notifications", "active_subscription_percent", Percent, "Active subscriptions, of all");
    /// Requests made across all services and endpoints.
    REQUESTS = Definition::gauge("requests", "Requests", Number, "Requests made across all services and endpoints").counter();
    /// Growth of Requests.
    REQUESTS_DELTA = Definition::gauge("requests", "Requests_delta", Number, "Growth of Requests since the last run");
    /// Requests per second.
    REQUESTS_PER_SECOND = Definition::gauge("requests", "Requests_per_second", Number, "Requests per second since the last run");
    /// Authentication requests.
    AUTHENTICATION_REQUESTS = Definition::gauge("requests", "AuthenticationRequests", Number, "Authentication requests").counter();
    /// Growth of AuthenticationRequests.
    AUTHENTICATION_REQUESTS_DELTA = Definition::gauge("requests", "AuthenticationRequests_delta", Number, "Growth of AuthenticationRequests since the last run");
    /// AuthenticationRequests per second.
    AUTHENTICATION_REQUESTS_PER_SECOND = Definition::gauge("requests", "AuthenticationRequests_per_second", Number, "AuthenticationRequests per second since the last run");
    /// Authentication requests that succeeded.
    AUTHENTICATION_SUCCESSES = Definition::gauge("requests", "AuthenticationSuccesses", Number, "Authentication requests that succeeded").counter();
    /// Growth of AuthenticationSuccesses.
    AUTHENTICATION_SUCCESSES_DELTA = Definition::gauge("requests", "AuthenticationSuccesses_delta", Number, "Growth of AuthenticationSuccesses since the last run");
    /// AuthenticationSuccesses per second.
    AUTHENTICATION_SUCCESSES_PER_SECOND = Definition::gauge("requests", "AuthenticationSuccesses_per_second", Number, "AuthenticationSuccesses per second since the last run");
    /// Authentication requests that failed.
    AUTHENTICATION_FAILURES = Definition::gauge("requests", "AuthenticationFailures", Number, "Authentication requests that failed").counter();
    /// Growth of AuthenticationFailures.
    AUTHENTICATION_FAILURES_DELTA = Definition::gauge("requests", "AuthenticationFailures_delta", Number, "Growth of AuthenticationFailures since the last run");
    /// AuthenticationFailures per second.
    AUTHENTICATION_FAILURES_PER_SECOND = Definition::gauge("requests", "AuthenticationFailures_per_second", Number, "AuthenticationFailures per second since the last run");
    /// Requests per second, as Kwanza counts them.
    REQUESTS_PR_SEC = Definition::gauge("requests", "RequestsPrSec", Number, "Requests per second, as Kwanza counts them");
    /// Authentication requests per second, as Kwanza counts them.
    AUTHENTICATION_REQUESTS_PR_SEC = Definition::gauge("requests", "AuthenticationRequestsPrSec", Number, "Authentication requests per second, as Kwanza counts them");
    /// Failed authentications.
    AUTH_FAILURE_PERCENT = Definition::gauge("requests", "auth_failure_percent", Percent, "Authentication requests that failed, of those since the last run, where they are 20 or more").defaults("20", "50");
    /// Panics seen when streaming updates on streams.
    STREAM_PANICS = Definition::gauge("panics", "StreamPanics", Number, "Panics seen when streaming updates on streams").counter();
    /// Growth of StreamPanics.
    STREAM_PANICS_DELTA = Definition::gauge("panics", "StreamPanics_delta", Number, "Growth of StreamPanics since the last run");
    /// StreamPanics per second.
    STREAM_PANICS_PER_SECOND = Definition::gauge("panics", "StreamPanics_per_second", Number, "StreamPanics per second since the last run");
    /// Recent StreamPanics.
    STREAM_PANICS_LAST_HOUR = Definition::gauge("panics", "StreamPanics_last_hour", Number, "Growth of StreamPanics in the last hour, as far as earlier runs tell").defaults("0", "10");
    /// Panics seen when sending notifications.
    NOTIFICATION_PANICS = Definition::gauge("panics", "NotificationPanics", Number, "Panics seen when sending notifications").counter();
    /// Growth of NotificationPanics.
    NOTIFICATION_PANICS_DELTA = Definition::gauge("panics", "NotificationPanics_delta", Number, "Growth of NotificationPanics since the last run");
    /// NotificationPanics per second.
    NOTIFICATION_PANICS_PER_SECOND = Definition::gauge("panics", "NotificationPanics_per_second", Number, "NotificationPanics per second since the last run");
    /// Recent NotificationPanics.
    NOTIFICATION_PANICS_LAST_HOUR = Definition::gauge("panics", "NotificationPanics_last_hour", Number, "Growth of NotificationPanics in the last hour, as far as earlier runs tell").defaults("0", "10");
    /// Panics that were intercepted in the gRPC layer.
    GRPC_INTERCEPTOR_PANICS = Definition::gauge("panics", "GrpcInterceptorPanics", Number, "Panics that were intercepted in the gRPC layer").counter();
    /// Growth of GrpcInterceptorPanics.
    GRPC_INTERCEPTOR_PANICS_DELTA = Definition::gauge("panics", "GrpcInterceptorPanics_delta", Number, "Growth of GrpcInterceptorPanics since the last run");
    /// GrpcInterceptorPanics per second.
    GRPC_INTERCEPTOR_PANICS_PER_SECOND = Definition::gauge("panics", "GrpcInterceptorPanics_per_second", Number, "GrpcInterceptorPanics per second since the last run");
    /// Recent GrpcInterceptorPanics.
    GRPC_INTERCEPTOR_PANICS_LAST_HOUR = Definition::gauge("panics", "GrpcInterceptorPanics_last_hour", Number, "Growth of GrpcInterceptorPanics in the last hour, as far as earlier runs tell").defaults("0", "10");
    /// Subscribers that have streams (keys of PerSubscriberStreams).
    SUBSCRIBERS = Definition::gauge("subscribers", "subscribers", Number, "Subscribers that have streams (keys of PerSubscriberStreams)");
    /// Streams of one subscriber, with --per-subscriber.
    PER_SUBSCRIBER_STREAMS = Definition::gauge("subscribers", "PerSubscriberStreams", Number, "Streams of one subscriber, with --per-subscriber").per("subscriber");
    /// Streams of all subscribers together (sum of PerSubscriberStreams).
    SUBSCRIBER_STREAMS = Definition::gauge("subscribers", "subscriber_streams", Number, "Streams of all subscribers together (sum of PerSubscriberStreams)");
    /// Streams of the subscriber that has most.
    STREAMS_PER_SUBSCRIBER_MAX = Definition::gauge("subscribers", "streams_per_subscriber_max", Number, "Streams of the subscriber that has most");
    /// Heap in use by the program (memstats HeapInuse), with --memstats.
    HEAP_INUSE = Definition::gauge("memory", "heap_inuse", Bytes, "Heap in use by the program (memstats HeapInuse), with --memstats");
    /// Heap that holds objects (memstats HeapAlloc), with --memstats.
    HEAP_ALLOC = Definition::gauge("memory", "heap_alloc", Bytes, "Heap that holds objects (memstats HeapAlloc), with --memstats");
    /// Memory obtained from the system (memstats Sys), with --memstats.
    MEMORY_SYS = Definition::gauge("memory", "memory_sys", Bytes, "Memory obtained from the system (memstats Sys), with --memstats");
    /// 99th percentile of the last garbage collection pauses, at most 256, with --memstats.
    GC_PAUSE_P99 = Definition::gauge("memory", "gc_pause_p99", Seconds, "99th percentile of the last garbage collection pauses, at most 256, with --memstats");
    /// Garbage collections per second since the last run, with --memstats.
    GC_PER_SECOND = Definition::gauge("memory", "gc_per_second", Number, "Garbage collections per second since the last run, with --memstats");
    /// Goroutines, where they are published, with --memstats.
    GOROUTINES = Definition::gauge("memory", "goroutines", Number, "Goroutines, where they are published, with --memstats");
    /// Value of a variable of --var.
    VALUE = Definition::gauge("variables", "value", Number, "Value of a variable of --var").per("variable");
    /// Value of a variable of --counter.
    COUNT = Definition::gauge("variables", "count", Number, "Value of a variable of --counter").counter().per("variable");
    /// Growth of a variable of --counter since the last run.
    DELTA = Definition::gauge("variables", "delta", Number, "Growth of a variable of --counter since the last run").per("variable");
    /// Rate of a variable of --counter.
    PER_SECOND = Definition::gauge("variables", "per_second", Number, "The same per second").per("variable");
    /// Time in which the page was read.
    TIME = Definition::gauge("page", "time", Seconds, "Time in which the page was read").defaults("2", "8");
    /// Size of the page.
    SIZE = Definition::gauge("page", "size", Bytes, "Size of the page");
    /// Variables of the guide that the page lacks.
    MISSING_VARIABLES = Definition::gauge("page", "missing_variables", Number, "Variables of the guide that the page lacks");
    /// Variables whose value is not JSON.
    BAD_VARIABLES = Definition::gauge("page", "bad_variables", Number, "Variables whose value is not JSON");
}

/// A counter of Kwanza, and what is made of it.
#[derive(Clone, Copy, Debug)]
pub struct Counter {
    /// Its value; the name is that of the guide.
    pub total: &'static Definition,
    /// Its growth since the last run.
    pub delta: &'static Definition,
    /// The same per second.
    pub per_second: &'static Definition,
}

macro_rules! counters {
    ($($total:ident $delta:ident $per_second:ident;)+) => {
        &[$(Counter { total: &$total, delta: &$delta, per_second: &$per_second }),+]
    };
}

/// Every counter of the guide that does not count panics.
pub static COUNTERS: &[Counter] = counters! {
    PINGS PINGS_DELTA PINGS_PER_SECOND;
    NOTIFICATIONS NOTIFICATIONS_DELTA NOTIFICATIONS_PER_SECOND;
    CHANGE_NOTIFICATIONS CHANGE_NOTIFICATIONS_DELTA CHANGE_NOTIFICATIONS_PER_SECOND;
    NOTIFICATION_TIMEOUTS NOTIFICATION_TIMEOUTS_DELTA NOTIFICATION_TIMEOUTS_PER_SECOND;
    SAVED_TRANSMISSIONS SAVED_TRANSMISSIONS_DELTA SAVED_TRANSMISSIONS_PER_SECOND;
    REQUESTS REQUESTS_DELTA REQUESTS_PER_SECOND;
    AUTHENTICATION_REQUESTS AUTHENTICATION_REQUESTS_DELTA AUTHENTICATION_REQUESTS_PER_SECOND;
    AUTHENTICATION_SUCCESSES AUTHENTICATION_SUCCESSES_DELTA AUTHENTICATION_SUCCESSES_PER_SECOND;
    AUTHENTICATION_FAILURES AUTHENTICATION_FAILURES_DELTA AUTHENTICATION_FAILURES_PER_SECOND;
};

/// Every counter of panics, with its growth in the last hour.
pub static PANICS: &[(Counter, &Definition)] = &[
    (
        Counter { total: &STREAM_PANICS, delta: &STREAM_PANICS_DELTA, per_second: &STREAM_PANICS_PER_SECOND },
        &STREAM_PANICS_LAST_HOUR,
    ),
    (
        Counter {
            total: &NOTIFICATION_PANICS,
            delta: &NOTIFICATION_PANICS_DELTA,
            per_second: &NOTIFICATION_PANICS_PER_SECOND,
        },
        &NOTIFICATION_PANICS_LAST_HOUR,
    ),
    (
        Counter {
            total: &GRPC_INTERCEPTOR_PANICS,
            delta: &GRPC_INTERCEPTOR_PANICS_DELTA,
            per_second: &GRPC_INTERCEPTOR_PANICS_PER_SECOND,
        },
        &GRPC_INTERCEPTOR_PANICS_LAST_HOUR,
    ),
];

/// Every gauge of the guide.
pub static GAUGES: &[&Definition] = &[
    &STREAMS,
    &BUFFERED_STREAMS,
    &PINGS_PR_SEC,
    &NOTIFICATIONS_PR_SEC,
    &CHANGE_NOTIFICATIONS_PR_SEC,
    &NOTIFICATIONS_IN_FLIGHT,
    &ACTIVE_SUBSCRIPTIONS,
    &SUBSCRIPTIONS,
    &REQUESTS_PR_SEC,
    &AUTHENTICATION_REQUESTS_PR_SEC,
];

/// The map of streams by subscriber.
pub const MAP: &str = "PerSubscriberStreams";

/// The names of all variables that the guide lists.
pub fn guide() -> impl Iterator<Item = &'static str> {
    let counters = COUNTERS.iter().chain(PANICS.iter().map(|(counter, _)| counter));
    let totals = counters.map(|counter| counter.total);
    totals.chain(GAUGES.iter().copied()).map(|metric| metric.name.as_ref()).chain([MAP])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_guide_lists_23_variables() {
        let names: std::collections::BTreeSet<&str> = guide().collect();
        assert_eq!((names.len(), guide().count()), (23, 23));
        assert!(METRICS.iter().filter(|metric| names.contains(metric.name.as_ref())).count() == 23);
    }
}
