//! What is not OK, wherever it stands, and what it is about.

use common::metric::Metric;
use common::number::Number;
use common::report::Item;
use common::state::State;

use crate::parse::config::Check;
use crate::plan::Role as Kind;
use crate::snapshot::{Kept, Looked, Outcome, Seen};

/// Share of a filesystem in percent from which on it is full for those who want to write.
const FULL: Number = Number::integer(98);

/// Where an item stands: the check, and from there the positions of parts.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Place {
    /// Position of the check.
    pub check: usize,
    /// Positions among the children.
    pub path: Vec<usize>,
}

impl Place {
    /// Whether `other` is a part of what stands here, or the same.
    pub fn holds(&self, other: &Self) -> bool {
        self.check == other.check && other.path.starts_with(&self.path)
    }
}

/// An item that is not OK by itself.
#[derive(Debug)]
pub(super) struct Problem<'a> {
    /// Where it stands.
    pub place: Place,
    /// The labels that lead to it, for another run to find it by.
    pub key: String,
    /// The first of them: what the plugin calls it.
    pub label: String,
    /// The item.
    pub item: &'a Item,
    /// Since when it is seen.
    pub seen: Seen,
    /// Since when it is so at the latest, in seconds since 1970.
    pub since: f64,
    /// Before when it was not, in seconds since 1970; `None` where nobody knows.
    pub not_before: Option<f64>,
    /// What it is about.
    pub subject: Subject,
    /// Whether another's failure can be the reason.
    pub can_follow: bool,
    /// All that it says, in lower case.
    pub said: String,
}

/// What a problem is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Subject {
    /// The Docker Engine.
    Engine,
    /// The memory of the host.
    Memory,
    /// Kills for lack of memory, of whatever container.
    Kills,
    /// A filesystem of the host that is full.
    Disk,
    /// A container or service, and whether it does not do its work.
    Container {
        /// What it is for.
        kind: Kind,
        /// Whether it does not run, or is not well.
        is_down: bool,
    },
    /// What a service offers.
    Service {
        /// What it is for.
        kind: Kind,
        /// Whether it does not answer.
        is_down: bool,
    },
    /// The check itself, or what nothing else explains.
    Other,
}

/// All that is not OK, parents before their parts.
pub(super) fn list<'a>(checks: &[Looked], reports: &'a [Item], previous: Option<&Kept>, now: f64) -> Vec<Problem<'a>> {
    let kinds = Kinds(checks);
    let mut problems = Vec::new();
    for (position, (looked, report)) in checks.iter().zip(reports).enumerate() {
        let known = previous.and_then(|kept| kept.checks.get(&looked.check.name)).filter(|known| known.at <= now);
        let mut walk = vec![(report, Vec::new(), Vec::<&str>::new())];
        while let Some((item, path, labels)) = walk.pop() {
            for (index, child) in item.children.iter().enumerate().rev() {
                let path = [&path[..], &[index]].concat();
                walk.push((child, path, [&labels[..], &[child.label.as_str()]].concat()));
            }
            if item.state == State::Ok {
                continue;
            }
            let key = labels.join("/");
            let seen = known.and_then(|known| known.problems.get(&key)).copied();
            let seen = seen.unwrap_or(Seen { well: known.map(|known| known.at), first: now });
            let exact = item.since.filter(|since| *since <= seen.first);
            problems.push(Problem {
                place: Place { check: position, path },
                key,
                label: labels.first().copied().unwrap_or_default().to_owned(),
                item,
                seen,
                since: exact.unwrap_or(seen.first),
                not_before: exact.or(seen.well),
                subject: kinds.subject(looked, &labels, item),
                can_follow: can_follow(looked, &labels, item),
                said: said(item),
            });
        }
    }
    problems
}

fn said(item: &Item) -> String {
    let texts = [&item.headline, &item.text].into_iter().chain(&item.causes);
    texts.map(|text| text.as_str().to_lowercase()).collect::<Vec<_>>().join("\n")
}

/// What the checks tell of which service is for what.
struct Kinds<'a>(&'a [Looked]);

impl Kinds<'_> {
    /// What the item is about that `labels` lead to.
    fn subject(&self, looked: &Looked, labels: &[&str], item: &Item) -> Subject {
        let Some(label) = labels.first() else {
            // The plugin itself has failed; that it did not answer may be its service's fault.
            return service_of(&looked.check, "")
                .map_or(Subject::Other, |kind| Subject::Service { kind, is_down: false });
        };
        let breaks = |name: &str| broken(item, name).is_some();
        match (looked.check.kind(), *label) {
            ("check_docker_host", "disk" | "docker") if is_full(item) => Subject::Disk,
            ("check_docker_host", "docker") if breaks("docker_root_used_percent") => Subject::Other,
            ("check_docker_host" | "check_containers", "docker") => Subject::Engine,
            ("check_docker_host", "memory") => Subject::Memory,
            ("check_docker_host", "swap") if breaks("swap_used_percent") => Subject::Memory,
            ("check_docker_host", "swap") if breaks("oom_kills") => Subject::Kills,
            ("check_docker_host", "pressure") if breaks("memory_pressure_full") => Subject::Memory,
            ("check_containers", "file" | "thresholds" | "project" | "usage") => Subject::Other,
            ("check_containers", label) => Subject::Container { kind: self.container(label), is_down: is_down(item) },
            (_, label) => match service_of(&looked.check, label) {
                Some(kind) => Subject::Service { kind, is_down: is_unavailable(&looked.check, label, item) },
                None => Subject::Other,
            },
        }
    }

    /// What the container called `label` is for: by the checks whose parent it is, else by its name. Where the file says
    /// which container a service runs in, no other is taken for it (`postgres-exporter`).
    fn container(&self, label: &str) -> Kind {
        let parents = self.0.iter().filter_map(|looked| {
            let item = looked.check.parent.as_ref()?.item.as_deref()?;
            Some((item, by_plugin(looked.check.kind())?))
        });
        let parents: Vec<(&str, Kind)> = parents.collect();
        if let Some((_, kind)) = parents.iter().find(|(item, _)| *item == label) {
            return *kind;
        }
        let named = Kind::of(&label.to_lowercase(), "", &[]);
        if parents.iter().any(|(_, kind)| *kind == named) { Kind::Other } else { named }
    }
}

fn by_plugin(plugin: &str) -> Option<Kind> {
    match plugin {
        "check_postgres" => Some(Kind::Postgres),
        "check_kwanza_expvars" => Some(Kind::Kwanza),
        _ => None,
    }
}

/// The service that a check looks at, where `label` is an endpoint.
fn service_of(check: &Check, label: &str) -> Option<Kind> {
    by_plugin(check.kind()).or_else(|| {
        (check.kind() == "check_endpoint").then_some(())?;
        let named = |text: &str| Some(Kind::of(&text.to_lowercase(), "", &[])).filter(|kind| *kind != Kind::Other);
        let by_port = || {
            let digits = label.trim_end_matches('/').rsplit(':').next().unwrap_or_default();
            match digits {
                "5432" | "5444" => Some(Kind::Postgres),
                "6060" | "8000" | "8001" | "8080" => Some(Kind::Kwanza),
                "80" | "443" => Some(Kind::Cuesta),
                _ => None,
            }
        };
        let by_parent = || check.parent.as_ref().and_then(|parent| named(parent.item.as_deref()?));
        named(label).or_else(by_parent).or_else(|| named(&check.name)).or_else(by_port)
    })
}

/// Whether a filesystem is as good as full. One that is merely fuller than it should be keeps nobody from writing.
fn is_full(item: &Item) -> bool {
    let shares = ["used_percent", "inodes_used_percent", "docker_root_used_percent"];
    shares.iter().filter_map(|name| figure(item, name)).any(|share| share.value >= FULL)
}

/// Whether a container does not do its work.
fn is_down(item: &Item) -> bool {
    match figure(item, "up") {
        Some(up) => up.value == Number::ZERO || item.text.as_str().contains("unhealthy"),
        // A service without a container has no figures.
        None => true,
    }
}

/// Whether a service does not answer.
fn is_unavailable(check: &Check, label: &str, item: &Item) -> bool {
    match check.kind() {
        "check_postgres" => label == "connection" && item.state == State::Critical,
        "check_endpoint" => figure(item, "up").is_none_or(|up| up.value == Number::ZERO),
        _ => item.state == State::Critical && item.metrics.is_empty(),
    }
}

/// Whether something else can be the reason: not of what is wrong with the check itself, nor of a certificate that ends.
fn can_follow(looked: &Looked, labels: &[&str], item: &Item) -> bool {
    let is_own_fault = match &looked.outcome {
        Outcome::Ran(ran) => labels.is_empty() && ran.end != common::child::End::OutOfTime,
        Outcome::Missing(_) | Outcome::Refused(..) => true,
    };
    let is_option = matches!(labels.first(), Some(&("usage" | "thresholds" | "file" | "stderr" | "internal error")));
    !is_own_fault && !is_option && broken(item, "cert_expiry").is_none()
}

fn figure<'a>(item: &'a Item, name: &str) -> Option<&'a Metric> {
    item.metrics.iter().find(|metric| metric.definition.name == name)
}

fn broken<'a>(item: &'a Item, name: &str) -> Option<&'a Metric> {
    figure(item, name).filter(|metric| metric.state != State::Ok)
}
