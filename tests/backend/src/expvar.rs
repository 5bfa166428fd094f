//! What `/debug/vars` says: Go's own two variables and Kwanza's 23.

use std::time::Duration;

use serde_json::Value;

/// The page of a process that runs for `age`, at `speed` times the usual load. `command_line` is what started it.
pub fn page(command_line: &[&str], age: Duration, speed: f64) -> String {
    let mut variables = kwanza(age, speed);
    variables.push(("cmdline", Value::from(command_line).to_string()));
    variables.push(("memstats", memstats(age, speed)));
    variables.sort();
    let lines: Vec<String> = variables.iter().map(|(name, json)| format!("{}: {json}", Value::from(*name))).collect();
    format!("{{\n{}\n}}\n", lines.join(",\n"))
}

/// The guide's variables, each with its value in JSON.
pub fn kwanza(age: Duration, speed: f64) -> Vec<(&'static str, String)> {
    let seconds = age.as_secs_f64();
    let total = |rate: f64| whole(rate * speed * seconds);
    // A load that swings by a tenth, once a minute.
    let swing = 1.0 + (seconds * std::f64::consts::TAU / 60.0).sin() / 10.0;
    let rate = |rate: f64| ((rate * speed * swing * 100.0).round() / 100.0).to_string();
    let subscribers = [("cuesta", 3), ("manatee-01", 4), ("manatee-02", 4 + whole(swing * 3.0))];
    let streams: u64 = subscribers.iter().map(|(_, streams)| streams).sum();
    let (requests, failures) = (total(2.0), total(0.05));
    let (notifications, changes) = (total(40.0), total(12.0));
    let map: Vec<String> = subscribers.iter().map(|(id, streams)| format!("{}: {streams}", Value::from(*id))).collect();
    vec![
        ("Streams", streams.to_string()),
        ("BufferedStreams", (streams / 2).to_string()),
        ("StreamPanics", "0".to_owned()),
        ("Notifications", notifications.to_string()),
        ("NotificationsPrSec", rate(40.0)),
        ("Pings", total(1.5).to_string()),
        ("PingsPrSec", rate(1.5)),
        ("ChangeNotifications", changes.to_string()),
        ("ChangeNotificationsPrSec", rate(12.0)),
        ("Requests", total(25.0).to_string()),
        ("RequestsPrSec", rate(25.0)),
        ("AuthenticationRequests", requests.to_string()),
        ("AuthenticationSuccesses", (requests - failures).to_string()),
        ("AuthenticationFailures", failures.to_string()),
        ("AuthenticationRequestsPrSec", rate(2.0)),
        ("NotificationTimeouts", total(0.01).to_string()),
        ("NotificationPanics", "0".to_owned()),
        ("NotificationsInFlight", whole(swing * 4.0).to_string()),
        ("PerSubscriberStreams", format!("{{{}}}", map.join(", "))),
        ("ActiveSubscriptions", (streams * 2).to_string()),
        ("Subscriptions", (streams * 2 + 5).to_string()),
        ("GrpcInterceptorPanics", "0".to_owned()),
        ("SavedTransmissions", (notifications - changes).to_string()),
    ]
}

/// The number without its fraction.
#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "what is counted here is small")]
fn whole(number: f64) -> u64 {
    number as u64
}

/// `runtime.MemStats` of a process that allocates 2 MiB and collects garbage twice every second.
fn memstats(age: Duration, speed: f64) -> String {
    const MIB: u64 = 1 << 20;
    let allocated = whole(age.as_secs_f64() * speed * 2.0 * 1_048_576.0) + 4 * MIB;
    let collections = whole(age.as_secs_f64() * speed * 2.0);
    let alloc = 4 * MIB + allocated % MIB;
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
    let last = if collections == 0 { 0 } else { u64::try_from(now.as_nanos()).unwrap_or(u64::MAX) };
    let ring = |value: u64| {
        let seen = usize::try_from(collections).unwrap_or(usize::MAX);
        (0..256).map(|index| if index < seen { value } else { 0 }).collect::<Vec<u64>>()
    };
    let sizes: Vec<Value> = (0..61_u64)
        .map(|class| serde_json::json!({ "Size": class * 16, "Mallocs": allocated / 4096 / (class + 1), "Frees": 0 }))
        .collect();
    let fields: [(&str, Value); 30] = [
        ("Alloc", alloc.into()),
        ("TotalAlloc", allocated.into()),
        ("Sys", (16 * MIB).into()),
        ("Lookups", 0.into()),
        ("Mallocs", (allocated / 64).into()),
        ("Frees", ((allocated - alloc) / 64).into()),
        ("HeapAlloc", alloc.into()),
        ("HeapSys", (12 * MIB).into()),
        ("HeapIdle", (6 * MIB).into()),
        ("HeapInuse", (6 * MIB).into()),
        ("HeapReleased", (2 * MIB).into()),
        ("HeapObjects", (alloc / 64).into()),
        ("StackInuse", MIB.into()),
        ("StackSys", MIB.into()),
        ("MSpanInuse", 98_304.into()),
        ("MSpanSys", 114_688.into()),
        ("MCacheInuse", 2_400.into()),
        ("MCacheSys", 15_600.into()),
        ("BuckHashSys", 1_446_000.into()),
        ("GCSys", 2_500_000.into()),
        ("OtherSys", 900_000.into()),
        ("NextGC", (8 * MIB).into()),
        ("LastGC", last.into()),
        ("PauseTotalNs", (collections * 60_000).into()),
        ("PauseNs", ring(60_000).into()),
        ("PauseEnd", ring(last).into()),
        ("NumGC", collections.into()),
        ("NumForcedGC", 0.into()),
        ("GCCPUFraction", 0.000_15.into()),
        ("EnableGC", true.into()),
    ];
    let mut json: Vec<String> = fields.iter().map(|(name, value)| format!("\"{name}\":{value}")).collect();
    json.push("\"DebugGC\":false".to_owned());
    json.push(format!("\"BySize\":{}", Value::from(sizes)));
    format!("{{{}}}", json.join(","))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_page_holds_25_variables_in_order_one_a_line() {
        let page = page(&["kwanza", "serve"], Duration::from_mins(1), 1.0);
        let lines: Vec<&str> = page.lines().collect();
        assert_eq!((lines.first(), lines.last(), lines.len()), (Some(&"{"), Some(&"}"), 27));
        let names: Vec<&str> = lines[1..26].iter().map(|line| line.split('"').nth(1).unwrap()).collect();
        assert!(names.is_sorted(), "{names:?}");
        let json: Value = serde_json::from_str(&page).unwrap();
        assert_eq!(json["cmdline"], serde_json::json!(["kwanza", "serve"]));
        assert_eq!(json["Notifications"], 2400);
        assert_eq!(json["memstats"]["PauseNs"].as_array().unwrap().len(), 256);
    }

    #[test]
    fn counters_move_at_the_speed_and_agree() {
        let at = |seconds: u64| {
            let page = page(&[], Duration::from_secs(seconds), 10.0);
            serde_json::from_str::<Value>(&page).unwrap()
        };
        let number = |json: &Value, name: &str| json[name].as_u64().unwrap_or_else(|| panic!("{name} of {json}"));
        let (before, after) = (at(100), at(110));
        assert_eq!(number(&after, "Requests") - number(&before, "Requests"), 2500);
        assert!(after["memstats"]["TotalAlloc"].as_u64() > before["memstats"]["TotalAlloc"].as_u64());
        let answered = number(&after, "AuthenticationSuccesses") + number(&after, "AuthenticationFailures");
        assert_eq!(number(&after, "AuthenticationRequests"), answered);
        let streams = after["PerSubscriberStreams"].as_object().unwrap().values();
        assert_eq!(streams.map(|count| count.as_u64().unwrap()).sum::<u64>(), number(&after, "Streams"));
    }
}
