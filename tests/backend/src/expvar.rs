//! What `/debug/vars` says: Go's own two variables and Kwanza's 23, and what a test makes of them.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use serde_json::Value;

/// The counters, with how much each grows in a second at usual load.
const COUNTERS: [(&str, f64); 11] = [
    ("AuthenticationFailures", 0.05),
    ("AuthenticationSuccesses", 1.95),
    ("ChangeNotifications", 12.0),
    ("GrpcInterceptorPanics", 0.0),
    ("NotificationPanics", 0.0),
    ("NotificationTimeouts", 0.01),
    ("Notifications", 40.0),
    ("Pings", 1.5),
    ("Requests", 25.0),
    ("SavedTransmissions", 28.0),
    ("StreamPanics", 0.0),
];

/// A counter that grows by the clock.
#[derive(Clone, Debug)]
struct Counter {
    /// What it was at `since`, with its fraction.
    base: f64,
    since: Instant,
    per_second: f64,
}

impl Counter {
    fn at(&self, now: Instant) -> f64 {
        self.base + self.per_second * now.saturating_duration_since(self.since).as_secs_f64()
    }
}

/// What is served in the place of the page.
#[derive(Clone, Debug)]
pub enum Answer {
    /// This body, with the usual head.
    Body(Vec<u8>),
    /// These bytes, head included, and then the end of the connection. Only where the expvars listen.
    Raw(Vec<u8>),
}

/// The figures of a process and how they move. A test changes them while they are served.
#[derive(Clone, Debug)]
pub struct Figures {
    started: Instant,
    speed: f64,
    counters: BTreeMap<&'static str, Counter>,
    streams: Option<u64>,
    /// What variables say instead of the usual; nothing hides one.
    instead: BTreeMap<String, Option<String>>,
    /// What is served in the place of the page, if anything.
    pub answer: Option<Answer>,
}

impl Figures {
    /// A process that has just started, at `speed` times the usual load.
    pub fn new(speed: f64) -> Self {
        let started = Instant::now();
        let counter = |per_second| Counter { base: 0.0, since: started, per_second };
        let counters = COUNTERS.map(|(name, rate)| (name, counter(rate * speed))).into();
        Self { started, speed, counters, streams: None, instead: BTreeMap::new(), answer: None }
    }

    /// Lets the counter `name` grow by `per_second` from now on.
    pub fn rate(&mut self, name: &str, per_second: f64) {
        let now = Instant::now();
        let counter = self.counter(name);
        *counter = Counter { base: counter.at(now), since: now, per_second };
    }

    /// Adds to the counter `name` at once.
    pub fn add(&mut self, name: &str, count: u32) {
        self.counter(name).base += f64::from(count);
    }

    fn counter(&mut self, name: &str) -> &mut Counter {
        self.counters.get_mut(name).unwrap_or_else(|| panic!("{name} is no counter that moves by itself"))
    }

    /// Lets this share, 0 to 1, of the authentications fail.
    pub fn authentications_fail(&mut self, share: f64) {
        self.rate("AuthenticationFailures", 2.0 * self.speed * share);
        self.rate("AuthenticationSuccesses", 2.0 * self.speed * (1.0 - share));
    }

    /// Leaves this many streams, of one subscriber.
    pub fn streams(&mut self, count: u64) {
        self.streams = Some(count);
    }

    /// Lets no delivery end, with `count` in flight.
    pub fn deliveries_stick(&mut self, count: u64) {
        self.rate("Notifications", 0.0);
        self.show("NotificationsInFlight", &count.to_string());
    }

    /// Publishes `name` with this value, which need not be JSON.
    pub fn show(&mut self, name: &str, value: &str) {
        self.instead.insert(name.to_owned(), Some(value.to_owned()));
    }

    /// Publishes no `name`.
    pub fn hide(&mut self, name: &str) {
        self.instead.insert(name.to_owned(), None);
    }

    /// Takes back what was shown or hidden.
    pub fn usual(&mut self, name: &str) {
        self.instead.remove(name);
    }

    /// Starts the process again: its counters begin at 0, and move as before.
    pub fn restart(&mut self) {
        self.started = Instant::now();
        for counter in self.counters.values_mut() {
            *counter = Counter { base: 0.0, since: self.started, ..*counter };
        }
    }

    /// The page at `now`. `command_line` is what started the process.
    pub fn page(&self, command_line: &[&str], now: Instant) -> String {
        let age = now.saturating_duration_since(self.started);
        let mut variables: BTreeMap<String, String> =
            self.kwanza(now).into_iter().map(|(name, json)| (name.to_owned(), json)).collect();
        variables.insert("cmdline".to_owned(), Value::from(command_line).to_string());
        variables.insert("memstats".to_owned(), memstats(age, self.speed));
        for (name, value) in &self.instead {
            match value {
                Some(value) => drop(variables.insert(name.clone(), value.clone())),
                None => drop(variables.remove(name)),
            }
        }
        let lines: Vec<String> =
            variables.iter().map(|(name, json)| format!("{}: {json}", Value::from(name.as_str()))).collect();
        format!("{{\n{}\n}}\n", lines.join(",\n"))
    }

    /// The guide's variables, each with its value in JSON.
    fn kwanza(&self, now: Instant) -> Vec<(&'static str, String)> {
        let seconds = now.saturating_duration_since(self.started).as_secs_f64();
        // A load that swings by a tenth, once a minute.
        let swing = 1.0 + (seconds * std::f64::consts::TAU / 60.0).sin() / 10.0;
        let per_second = |names: &[&str]| {
            let rate: f64 = names.iter().map(|name| self.counters[name].per_second).sum();
            float((rate * swing * 100.0).round() / 100.0)
        };
        let total = |name: &str| whole(self.counters[name].at(now));
        let subscribers = match self.streams {
            None => vec![("cuesta", 3), ("manatee-01", 4), ("manatee-02", 4 + whole(swing * 3.0))],
            Some(0) => Vec::new(),
            Some(streams) => vec![("manatee-01", streams)],
        };
        let streams: u64 = subscribers.iter().map(|(_, streams)| streams).sum();
        let map: Vec<String> =
            subscribers.iter().map(|(id, streams)| format!("{}: {streams}", Value::from(*id))).collect();
        // The sum of the two, so that it cannot fall behind them by a rounding.
        let authentications = ["AuthenticationFailures", "AuthenticationSuccesses"];
        let mut variables = vec![
            ("ActiveSubscriptions", (streams * 2).to_string()),
            ("AuthenticationRequests", authentications.map(total).iter().sum::<u64>().to_string()),
            ("AuthenticationRequestsPrSec", per_second(&authentications)),
            ("BufferedStreams", (streams / 2).to_string()),
            ("ChangeNotificationsPrSec", per_second(&["ChangeNotifications"])),
            ("NotificationsInFlight", whole(swing * 4.0).to_string()),
            ("NotificationsPrSec", per_second(&["Notifications"])),
            ("PerSubscriberStreams", format!("{{{}}}", map.join(", "))),
            ("PingsPrSec", per_second(&["Pings"])),
            ("RequestsPrSec", per_second(&["Requests"])),
            ("Streams", streams.to_string()),
            ("Subscriptions", (streams * 2 + 5).to_string()),
        ];
        variables.extend(self.counters.keys().map(|name| (*name, total(name).to_string())));
        variables
    }
}

/// A number as `expvar.Float` writes it: with an exponent from a million on.
fn float(number: f64) -> String {
    let text = format!("{number:e}");
    match text.split_once('e').map(|(digits, exponent)| (digits, exponent.parse::<i32>())) {
        Some((digits, Ok(exponent @ 6..))) => format!("{digits}e+{exponent:02}"),
        Some((digits, Ok(exponent @ ..-4))) => format!("{digits}e-{:02}", -exponent),
        _ => number.to_string(),
    }
}

/// The number without its fraction.
#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "what is counted here is small")]
fn whole(number: f64) -> u64 {
    number as u64
}

/// The sizes of Go's allocation classes.
const SIZES: [u64; 61] = [
    0, 8, 16, 24, 32, 48, 64, 80, 96, 112, 128, 144, 160, 176, 192, 208, 224, 240, 256, 288, 320, 352, 384, 416, 448,
    480, 512, 576, 640, 704, 768, 896, 1024, 1152, 1280, 1408, 1536, 1792, 2048, 2304, 2688, 3072, 3200, 3456, 4096,
    4864, 5376, 6144, 6528, 6784, 6912, 8192, 9472, 9728, 10240, 10880, 12288, 13568, 14336, 16384, 18432,
];

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
    let classes: Vec<String> = SIZES
        .iter()
        .zip(1..)
        .map(|(size, class)| format!("{{\"Size\":{size},\"Mallocs\":{},\"Frees\":0}}", allocated / 4096 / class))
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
    json.push(format!("\"BySize\":[{}]", classes.join(",")));
    format!("{{{}}}", json.join(","))
}

#[cfg(test)]
mod tests {
    use super::*;

    const RECORDED: [&str; 2] = [
        include_str!("../../fixtures/check_kwanza_expvars/go-1.19/healthy.1.json"),
        include_str!("../../fixtures/check_kwanza_expvars/go-1.23/healthy.1.json"),
    ];

    fn json(figures: &Figures, seconds: u64) -> Value {
        let page = figures.page(&[], figures.started + Duration::from_secs(seconds));
        serde_json::from_str(&page).unwrap()
    }

    /// The text with `N` for every number outside of names.
    fn shape(page: &str) -> String {
        let (mut shape, mut is_text, mut is_number) = (String::new(), false, false);
        for letter in page.chars() {
            is_text ^= letter == '"';
            let continues = letter.is_ascii_digit() || (is_number && ".e+-".contains(letter));
            if is_text || !continues {
                shape.push(letter);
            } else if !is_number {
                shape.push('N');
            }
            is_number = !is_text && continues;
        }
        shape
    }

    #[test]
    fn the_page_has_the_form_of_the_recorded_ones() {
        let page = Figures::new(1.0).page(&["kwanza", "serve"], Instant::now() + Duration::from_secs(100));
        for recorded in RECORDED {
            assert_eq!(shape(&page), shape(recorded));
        }
    }

    #[test]
    fn floats_are_written_as_go_writes_them() {
        let recorded = include_str!("../../fixtures/check_kwanza_expvars/go-1.23/floats.json");
        for (name, number) in [
            ("NotificationsPrSec", 1e21),
            ("PingsPrSec", 1e-7),
            ("Three", 3.0),
            ("Tenth", 0.1),
            ("Million", 1e6),
            ("Large", 123_456_789_012_345_680_000.0),
            ("MinusZero", -0.0),
            ("MaxFloat", f64::MAX),
            ("MinFloat", 5e-324),
        ] {
            let line = format!("\n\"{name}\": {},\n", float(number));
            assert!(recorded.contains(&line), "{line}");
        }
    }

    #[test]
    fn counters_move_at_the_speed_and_agree() {
        let figures = Figures::new(10.0);
        let number = |json: &Value, name: &str| json[name].as_u64().unwrap_or_else(|| panic!("{name} of {json}"));
        let (before, after) = (json(&figures, 100), json(&figures, 110));
        assert_eq!(number(&after, "Requests") - number(&before, "Requests"), 2500);
        assert!(after["memstats"]["TotalAlloc"].as_u64() > before["memstats"]["TotalAlloc"].as_u64());
        let answered = number(&after, "AuthenticationSuccesses") + number(&after, "AuthenticationFailures");
        assert_eq!(number(&after, "AuthenticationRequests"), answered);
        let streams = after["PerSubscriberStreams"].as_object().unwrap().values();
        assert_eq!(streams.map(|count| count.as_u64().unwrap()).sum::<u64>(), number(&after, "Streams"));
    }

    #[test]
    fn a_test_moves_the_figures() {
        let mut figures = Figures::new(1.0);
        figures.rate("Notifications", 100.0);
        figures.add("Notifications", 5000);
        figures.add("StreamPanics", 2);
        figures.authentications_fail(1.0);
        figures.streams(1);
        figures.show("PingsPrSec", "NaN");
        figures.hide("Pings");
        let page = figures.page(&[], figures.counters["Notifications"].since + Duration::from_secs(10));
        for line in ["\"Notifications\": 6000", "\"StreamPanics\": 2", "\"PingsPrSec\": NaN", "\"Streams\": 1"] {
            assert!(page.contains(&format!("\n{line},\n")), "{line}: {page}");
        }
        assert!(page.contains("\n\"PerSubscriberStreams\": {\"manatee-01\": 1},\n"), "{page}");
        assert!(!page.contains("\"Pings\""), "{page}");
        figures.usual("Pings");
        figures.usual("PingsPrSec");
        figures.restart();
        figures.deliveries_stick(7);
        let (first, second) = (json(&figures, 0), json(&figures, 60));
        assert_eq!((&first["Notifications"], &second["Notifications"]), (&0.into(), &0.into()));
        assert_eq!((&first["StreamPanics"], &second["NotificationsInFlight"]), (&0.into(), &7.into()));
        assert_eq!(second["AuthenticationFailures"], second["AuthenticationRequests"]);
        assert!(first["Pings"].as_u64() < second["Pings"].as_u64());
    }
}
