//! Verdicts. Pure: no I/O, and no clock but the one that is given.

mod certificate;
mod failure;
mod grpc;
mod guide;
mod http;

use common::clock::Clock;
use common::judging::Judging;
use common::metric::Definition;
use common::number::Number;
use common::report::{Item, Report};
use common::state::State;
use common::text::Text;
use common::units::duration;

use crate::cli::Config;
use crate::metrics::{CONNECT_TIME, DNS_TIME, FIRST_BYTE_TIME, METRICS, TIME, TLS_TIME, UP};
use crate::snapshot::{Fault, Found, Outcome, Phases, Snapshot};
use crate::target::Target;

/// The report of a run.
pub fn evaluate(config: &Config, current: &Result<Snapshot, Fault>, now: &Clock) -> Report {
    let snapshot = match current {
        Ok(snapshot) => snapshot,
        Err(Fault::HeaderFile(reason)) => {
            let mut report = Report::single(State::Unknown, "header file", format!("--header-file {reason}"));
            report.items.iter_mut().for_each(|item| {
                item.next.push("let the monitoring user read it; it holds 'Name: value' lines".into());
            });
            return report;
        }
    };
    let pairs = config.targets.iter().zip(&snapshot.endpoints);
    let items: Vec<Item> = pairs.map(|(target, found)| Subject { config, target, found, now }.judge()).collect();
    let mut report = Report::new(summary(&items, snapshot, config));
    report.context = context(&items).into();
    report.items = items;
    report.items.extend(unmatched(config));
    report
}

/// The first line of a report that is OK.
fn summary(items: &[Item], snapshot: &Snapshot, config: &Config) -> String {
    if let [item] = items {
        return format!("{}: {}", item.label, item.text);
    }
    let times = config.targets.iter().zip(&snapshot.endpoints);
    let slowest = times.max_by(|(_, one), (_, other)| one.phases.total.total_cmp(&other.phases.total));
    let slowest =
        slowest.map(|(target, found)| format!(", slowest {} ({})", duration(found.phases.total), target.instance));
    format!("{} endpoints answer{}", items.len(), slowest.unwrap_or_default())
}

/// How many of several answer.
fn context(items: &[Item]) -> String {
    let is_up = |item: &&Item| {
        item.metrics.iter().any(|figure| figure.definition.name == UP.name && figure.value > Number::ZERO)
    };
    let up = items.iter().filter(is_up).count();
    if items.len() > 1 { format!("{up} of {} endpoints up", items.len()) } else { String::new() }
}

/// Thresholds for an endpoint that is not among those given: whoever wrote them believes it is watched.
fn unmatched(config: &Config) -> Option<Item> {
    let is_known = |instance: &&str| config.targets.iter().any(|target| target.instance == **instance);
    let mut names: Vec<&str> = METRICS.iter().flat_map(|metric| config.thresholds.named_instances(metric)).collect();
    names.retain(|name| !is_known(name));
    names.sort_unstable();
    names.dedup();
    if names.is_empty() {
        return None;
    }
    let known: Vec<&str> = config.targets.iter().map(|target| target.instance.as_str()).collect();
    let text = format!("a threshold names {}, and no endpoint is called so", names.join(", "));
    let step = format!("endpoints are called {}", known.join(", "));
    Some(Item::new("thresholds", State::Unknown, text.clone()).headline(text).then(step))
}

/// An endpoint and what came of it.
struct Subject<'a> {
    config: &'a Config,
    target: &'a Target,
    found: &'a Found,
    now: &'a Clock,
}

impl Subject<'_> {
    fn judge(&self) -> Item {
        let instance = &self.target.instance;
        let mut judging = Judging::new(&self.config.thresholds, instance, Some(instance.clone()));
        let text = match &self.found.outcome {
            Ok(outcome) => self.answered(&mut judging, outcome),
            Err(failure) => failure::judge(self, &mut judging, failure),
        };
        self.notes(&mut judging.item);
        judging.finish(text)
    }

    /// What an endpoint that answers says.
    fn answered(&self, judging: &mut Judging, outcome: &Outcome) -> String {
        // The time belongs to the first of what is said.
        let mut said = match outcome {
            Outcome::Connected if self.target.url.scheme.is_tls() => vec!["shakes hands".to_owned()],
            Outcome::Connected => vec!["connects".to_owned()],
            Outcome::Http(answer) => http::judge(self, judging, answer),
            Outcome::Grpc(answer) => grpc::judge(self, judging, answer),
        };
        if judging.item.state == State::Critical {
            guide::not_well(self.target, &mut judging.item);
        }
        let up = judging.item.state != State::Critical;
        judging.add(&UP, Number::from(u64::from(up)), &format!("{} up:", self.target.instance));
        let times = self.times(judging);
        let certificate = certificate::judge(self, judging);
        if let Some(first) = said.first_mut() {
            *first = format!("{first} {times}");
        }
        said.extend(certificate);
        said.join(", ")
    }

    /// The times, all of which are there.
    fn times(&self, judging: &mut Judging) -> String {
        let Phases { dns, connect, tls, first_byte, total } = self.found.phases;
        let instance = &self.target.instance;
        let mut add = |metric: &Definition, seconds: f64, what: &str| {
            judging.add(metric, time(seconds), &format!("{instance} {what} {{}}"))
        };
        if add(&TIME, total, "answers in") != State::Ok {
            judging.item.causes.extend(parts(&self.found.phases).map(Text::from));
            guide::not_well(self.target, &mut judging.item);
        }
        let mut add = |metric: &Definition, seconds: Option<f64>, what: &str| {
            judging.add(metric, seconds.and_then(time), &format!("{instance}: {what} {{}}"));
        };
        add(&DNS_TIME, dns, "look-up of the name");
        add(&CONNECT_TIME, connect, "connection");
        add(&TLS_TIME, tls, "TLS handshake");
        add(&FIRST_BYTE_TIME, first_byte, "first byte after");
        format!("in {}", duration(total))
    }

    /// How it was found out.
    fn notes(&self, item: &mut Item) {
        if let Some(parts) = parts(&self.found.phases).map(Text::from).filter(|parts| !item.causes.contains(parts)) {
            item.notes.push((1, parts));
        }
        certificate::notes(self, item);
        for url in &self.found.followed {
            item.notes.push((1, format!("redirected to {url}").into()));
        }
        if let Some(peer) = &self.found.peer {
            item.notes.push((2, format!("{} at {peer}", self.target.url).into()));
        }
        for (address, reason) in self.found.missed.iter().filter(|_| self.found.peer.is_some()) {
            item.notes.push((1, format!("{address} was tried first: {reason}").into()));
        }
        if let Ok(Outcome::Http(answer)) = &self.found.outcome {
            let options = &self.config.options;
            item.notes.push((3, format!("{} {}", options.method.word(), self.target.url).into()));
            let named = ["server", "content-type", "content-length", "date"];
            for (name, value) in answer.head.headers.iter().filter(|(name, _)| named.contains(&name.as_str())) {
                item.notes.push((3, format!("{name}: {value}").into()));
            }
        }
    }
}

/// A time to a hundredth of a millisecond, below which it is noise.
fn time(seconds: f64) -> Option<Number> {
    Number::real(seconds).map(|seconds| seconds.rounded(5))
}

/// The parts of the time that there were.
fn parts(phases: &Phases) -> Option<String> {
    let all =
        [("dns", phases.dns), ("connect", phases.connect), ("tls", phases.tls), ("first byte", phases.first_byte)];
    let parts = all.into_iter().filter_map(|(name, seconds)| Some(format!("{name} {}", duration(seconds?))));
    let parts: Vec<String> = parts.collect();
    (!parts.is_empty()).then(|| parts.join(", "))
}
