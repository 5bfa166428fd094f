//! The figures of the guide and what is derived of them.

use common::judging::Judging;
use common::metric::Definition;
use common::number::Number;
use common::report::Item;
use common::state::State;
use common::text::Text;
use common::units::duration;

use super::{Context, past};
use crate::metrics::{
    ACTIVE_SUBSCRIPTION_PERCENT, ACTIVE_SUBSCRIPTIONS, AUTH_FAILURE_PERCENT, AUTHENTICATION_REQUESTS_PR_SEC,
    BUFFERED_STREAMS, CHANGE_NOTIFICATIONS_PR_SEC, COUNTERS, Counter, DELIVERIES_STUCK, NOTIFICATION_TIMEOUT_PERCENT,
    NOTIFICATIONS_IN_FLIGHT, NOTIFICATIONS_PR_SEC, PANICS, PER_SUBSCRIBER_STREAMS, PINGER_STALLED, PINGS_PR_SEC,
    REQUESTS_PR_SEC, STREAMS, STREAMS_CHANGE_PERCENT, STREAMS_PER_SUBSCRIBER_MAX, SUBSCRIBER_STREAMS, SUBSCRIBERS,
    SUBSCRIPTIONS,
};

/// Logins since the last run from which on the share that failed is judged.
const FEWEST_LOGINS: i128 = 20;
/// Streams in the last run from which on their fall is judged.
const FEWEST_STREAMS: i128 = 5;
/// The steps of the guide where Kwanza does not do its work.
const LOOK: &str = "docker-compose logs --tail 50 kwanza";

fn one() -> Number {
    Number::integer(1)
}

/// Judges gauges of the guide, each by its own name.
fn gauges(context: &Context, judging: &mut Judging, metrics: &[&Definition]) {
    for metric in metrics {
        judging.add(metric, context.number(&metric.name), &metric.name);
    }
}

/// Judges a counter and its growth.
fn counter(context: &Context, judging: &mut Judging, counter: &Counter) {
    let name = counter.total.name.as_ref();
    judging.add(counter.total, context.counters.get(name).copied(), name);
    judging.add(counter.delta, context.growth(name), &format!("{name} grew by"));
    judging.add(counter.per_second, context.rate(name), &format!("{name}/s"));
}

/// Judges the counters of a group.
fn counters(context: &Context, judging: &mut Judging, group: &str) {
    for each in COUNTERS.iter().filter(|each| each.total.group == group) {
        counter(context, judging, each);
    }
}

/// `part` as a percentage of `whole`.
fn share(part: Number, whole: Number) -> Option<Number> {
    (whole > Number::ZERO).then(|| Number::real(100.0 * part.to_f64() / whole.to_f64())).flatten()
}

/// A number for a reader; a question mark where the page lacks it.
fn said(number: Option<Number>) -> String {
    number.map_or_else(|| "?".to_owned(), |number| number.rounded(1).to_string())
}

pub(super) fn streams(context: &Context) -> Item {
    let mut judging = context.judging("streams");
    gauges(context, &mut judging, &[&STREAMS, &BUFFERED_STREAMS, &PINGS_PR_SEC]);
    change(context, &mut judging);
    counters(context, &mut judging, "streams");
    pinger(context, &mut judging);
    if judging.item.state != State::Ok {
        judging.item.next.push(LOOK.into());
        judging.item.next.push("check_containers --logs; docker-compose ps".into());
    }
    let rate = context.rate("Pings").or_else(|| context.number("PingsPrSec"));
    judging.finish(format!(
        "{} streams, {} buffered, {} pings/s",
        said(context.number("Streams")),
        said(context.number("BufferedStreams")),
        said(rate)
    ))
}

/// How the number of streams has changed since the last run. A restart closes them too, and is said by itself.
fn change(context: &Context, judging: &mut Judging) {
    let before = context.kept.and_then(|kept| kept.streams).filter(|before| *before > Number::ZERO);
    let Some((now, before)) = context.number("Streams").zip(before) else { return };
    let Some(change) = Number::real(100.0 * (now.to_f64() - before.to_f64()) / before.to_f64()) else { return };
    if before >= Number::integer(FEWEST_STREAMS) || context.is_asked_for(&STREAMS_CHANGE_PERCENT) {
        let phrase = format!("streams went from {before} to {now}, a change of {{}}");
        if judging.add(&STREAMS_CHANGE_PERCENT, change, &phrase) != State::Ok {
            let cause = if context.was_restarted {
                "Kwanza was restarted since the last run, and its clients have yet to come back"
            } else {
                "clients lost their update channels: Kwanza, a proxy before it or the network closed them"
            };
            judging.item.causes.push(cause.into());
        }
    } else {
        judging.show(&STREAMS_CHANGE_PERCENT, change);
    }
}

fn pinger(context: &Context, judging: &mut Judging) {
    let (Some(streams), Some(pinged)) = (context.number("Streams"), past::pinged(context)) else { return };
    let quiet = context.snapshot.at.boot - pinged;
    let is_stalled = streams > Number::ZERO && quiet > context.config.options.ping_interval.as_secs_f64();
    let phrase = format!("no ping for {} although there are {streams} streams; pinger_stalled is", duration(quiet));
    if judging.add(&PINGER_STALLED, if is_stalled { one() } else { Number::ZERO }, &phrase) != State::Ok {
        judging.item.causes.push("each stream should be pinged at an interval; the pinger hangs or has died".into());
        judging.item.next.push("docker-compose restart kwanza".into());
    }
}

pub(super) fn notifications(context: &Context) -> Item {
    let mut judging = context.judging("notifications");
    counters(context, &mut judging, "notifications");
    gauges(
        context,
        &mut judging,
        &[
            &NOTIFICATIONS_PR_SEC,
            &CHANGE_NOTIFICATIONS_PR_SEC,
            &NOTIFICATIONS_IN_FLIGHT,
            &ACTIVE_SUBSCRIPTIONS,
            &SUBSCRIPTIONS,
        ],
    );
    let timeouts = context.growth("NotificationTimeouts").zip(context.growth("Notifications"));
    let timed_out = timeouts.and_then(|(timeouts, all)| share(timeouts, all));
    if judging.add(&NOTIFICATION_TIMEOUT_PERCENT, timed_out, "{} of the notifications timed out") != State::Ok {
        judging.item.causes.push("subscribers or the network do not take notifications in time".into());
        judging.item.next.push(LOOK.into());
    }
    stuck(context, &mut judging);
    let active = context.number("ActiveSubscriptions").zip(context.number("Subscriptions"));
    let active = active.and_then(|(active, all)| share(active, all));
    judging.add(&ACTIVE_SUBSCRIPTION_PERCENT, active, "active subscriptions");
    let rate = context.rate("Notifications").or_else(|| context.number("NotificationsPrSec"));
    judging.finish(format!(
        "{} notifications/s, {} in flight, {} of {} subscriptions active",
        said(rate),
        said(context.number("NotificationsInFlight")),
        said(context.number("ActiveSubscriptions")),
        said(context.number("Subscriptions"))
    ))
}

/// Notifications that are in flight, no fewer than in the last run, while none was sent.
fn stuck(context: &Context, judging: &mut Judging) {
    let Some(now) = context.number("NotificationsInFlight") else { return };
    let before = context.baseline().and_then(|kept| kept.in_flight);
    let (Some(before), Some(growth)) = (before, context.growth("Notifications")) else { return };
    let is_stuck = now > Number::ZERO && before > Number::ZERO && now >= before && growth == Number::ZERO;
    let phrase = format!("{now} notifications are in flight and none was sent since the last run; deliveries_stuck is");
    if judging.add(&DELIVERIES_STUCK, if is_stuck { one() } else { Number::ZERO }, &phrase) != State::Ok {
        judging.item.causes.push("deliveries wait for subscribers that do not take them, or for a lock".into());
        judging.item.next.push(
            "curl -s 'http://HOST:6060/debug/pprof/goroutine?debug=1' (its beginning tells where they wait)".into(),
        );
        judging.item.next.push("docker-compose restart kwanza".into());
    }
}

pub(super) fn requests(context: &Context) -> Item {
    let mut judging = context.judging("requests");
    counters(context, &mut judging, "requests");
    gauges(context, &mut judging, &[&REQUESTS_PR_SEC, &AUTHENTICATION_REQUESTS_PR_SEC]);
    let logins = context.growth("AuthenticationRequests");
    let failed = context.growth("AuthenticationFailures").zip(logins).and_then(|(failed, all)| share(failed, all));
    let are_enough = logins.is_some_and(|logins| logins >= Number::integer(FEWEST_LOGINS));
    if let Some(failed) = failed {
        if !are_enough && !context.is_asked_for(&AUTH_FAILURE_PERCENT) {
            judging.show(&AUTH_FAILURE_PERCENT, failed);
        } else if judging.add(&AUTH_FAILURE_PERCENT, failed, "{} of the logins failed") != State::Ok {
            judging.item.causes.push(
                "a wrong or expired credential, an identity provider that is down, or somebody who guesses".into(),
            );
            judging.item.next.push(LOOK.into());
        }
    }
    let rate = context.rate("Requests").or_else(|| context.number("RequestsPrSec"));
    let text = format!("{} requests/s, {} logins since the last run", said(rate), said(logins));
    judging.finish(match failed {
        Some(failed) => format!("{text}, {} % of them failed", said(Some(failed))),
        None => text,
    })
}

pub(super) fn panics(context: &Context) -> Item {
    let mut judging = context.judging("panics");
    let mut sums = Vec::new();
    for (each, last_hour) in PANICS {
        let name = each.total.name.as_ref();
        counter(context, &mut judging, each);
        if !context.counters.contains_key(name) {
            continue;
        }
        let recent: u64 = past::panics(context, name).iter().map(|(_, count)| count).sum();
        judging.add(last_hour, Number::from(recent), &format!("{{}} {name} in the last hour"));
        sums.push(format!("{name} {}", said(context.counters.get(name).copied())));
    }
    if judging.item.state != State::Ok {
        judging.item.causes.push("a panic is an error in the program; Kwanza caught it and went on".into());
        judging
            .item
            .next
            .push("docker-compose logs kwanza (look for 'panic', and keep what follows it for the support)".into());
    }
    let text = if sums.is_empty() { "not published".to_owned() } else { sums.join(", ") };
    judging.finish(text)
}

/// The map of streams by subscriber.
pub(super) fn subscribers(context: &Context) -> Option<Item> {
    let map = context.snapshot.page.subscribers.as_ref()?;
    let mut judging = context.judging("subscribers");
    let most = map.top().next();
    judging.add(&SUBSCRIBERS, Number::from(map.count), "subscribers:");
    judging.add(&SUBSCRIBER_STREAMS, Number::integer(map.streams), "streams of all subscribers:");
    if let Some((name, streams)) = most {
        let phrase = format!("{{}} streams of subscriber {}", Text::limited(name, 60));
        if judging.add(&STREAMS_PER_SUBSCRIBER_MAX, Number::integer(streams), &phrase) != State::Ok {
            judging.item.causes.push("a client that opens streams and does not close them".into());
        }
    }
    for (name, streams) in map.top().take(context.config.options.per_subscriber) {
        judging.instance = Some(name.to_owned());
        judging.add(
            &PER_SUBSCRIBER_STREAMS,
            Number::integer(streams),
            &format!("{{}} streams of subscriber {}", Text::limited(name, 60)),
        );
    }
    judging.instance = None;
    if judging.item.state != State::Ok || context.config.verbosity > 0 {
        let top = map.top().take(context.config.options.top);
        judging
            .item
            .causes
            .extend(top.map(|(name, streams)| Text::from(format!("{streams} {}", Text::limited(name, 120)))));
    }
    if map.odd > 0 {
        judging.item.notes.push((1, format!("{} entries are no whole numbers", map.odd).into()));
    }
    if let Some(streams) = context.number("Streams").filter(|streams| *streams != Number::integer(map.streams)) {
        // The two are read one after the other, so a small difference is no fault.
        judging.item.notes.push((1, format!("the map has {} streams, Streams says {streams}", map.streams).into()));
    }
    let text = format!("{} subscribers with {} streams", map.count, map.streams);
    Some(judging.finish(match most {
        Some((_, streams)) => format!("{text}, at most {streams} each"),
        None => text,
    }))
}
