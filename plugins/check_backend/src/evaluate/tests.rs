//! Which problem follows from which, and what is said of it.

use std::collections::BTreeSet;
use std::time::Duration;

use common::child::{End, Ran};
use common::glob::Glob;
use common::metric::Thresholds;
use common::render::{self, Style};
use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;
use crate::metrics::METRICS;
use crate::parse::config::{Check, Parent};

/// 2026-11-25 10:45:00 UTC.
const NOW: f64 = 1_795_603_500.0;

fn config() -> Config {
    Config {
        file: "/etc/x.toml".into(),
        only: Vec::new(),
        skip: Vec::new(),
        watch: None,
        init: None,
        timeout_state: State::Unknown,
        verbosity: 0,
        state_dir: None,
        thresholds: Thresholds::parse(METRICS, None, &[], &[]).unwrap(),
    }
}

fn at(wall: f64) -> Clock {
    Clock { wall, boot: 1.0, boot_id: "b".to_owned() }
}

/// A check whose plugin printed `items`.
fn check(name: &str, plugin: &str, parent: &str, items: &Value) -> Looked {
    let state = |items: &Value| {
        let states =
            items.as_array().unwrap().iter().map(|item| serde_json::from_value(item["state"].clone()).unwrap());
        State::worst(states)
    };
    let state = state(items);
    let document = json!({
        "schema": 1, "plugin": plugin, "version": "1", "state": state, "exit_code": state.exit_code(),
        "summary": format!("summary of {name}"), "items": items,
    });
    let stdout = document.to_string().into_bytes();
    let ran =
        Ran { stdout, stderr: Vec::new(), end: End::Exited(state.exit_code().into()), took: Duration::from_millis(5) };
    let parent =
        parent.split_once(':').map(|(check, item)| Parent { check: check.to_owned(), item: Some(item.to_owned()) });
    let check =
        Check { name: name.to_owned(), plugin: plugin.to_owned(), arguments: Vec::new(), timeout: None, parent };
    Looked { check, outcome: Outcome::Ran(ran) }
}

fn item(label: &str, state: &str, text: &str) -> Value {
    json!({"label": label, "state": state, "text": text, "headline": format!("{label} {text}")})
}

fn with(mut item: Value, name: &str, value: u32, state: &str) -> Value {
    let figure = json!({"name": name, "value": value, "unit": "number", "kind": "gauge", "state": state, "instance": item["label"]});
    match item["metrics"].as_array_mut() {
        Some(figures) => figures.push(figure),
        None => item["metrics"] = json!([figure]),
    }
    item
}

fn container(label: &str, text: &str) -> Value {
    let is_up = text.starts_with("up");
    with(item(label, if is_up { "OK" } else { "CRITICAL" }, text), "up", is_up.into(), "OK")
}

fn containers(items: &[Value]) -> Looked {
    check("containers", "check_containers", "", &json!(items))
}

fn database(text: &str) -> Looked {
    let state = if text == "fine" { "OK" } else { "CRITICAL" };
    check("database", "check_postgres", "", &json!([item("connection", state, text)]))
}

fn endpoint(label: &str, is_up: bool) -> Value {
    let (state, text) = if is_up { ("OK", "answers") } else { ("CRITICAL", "refuses connections") };
    with(item(label, state, text), "up", is_up.into(), "OK")
}

fn endpoints(name: &str, items: &[Value]) -> Looked {
    check(name, "check_endpoint", "", &json!(items))
}

fn expvars(state: &str) -> Looked {
    check("kwanza", "check_kwanza_expvars", "", &json!([item("page", "OK", "fine"), item("panics", state, "3 panics")]))
}

fn host(items: &[Value]) -> Looked {
    check("host", "check_docker_host", "", &json!(items))
}

fn run(previous: Option<&Kept>, checks: Vec<Looked>, now: f64) -> (Report, Kept) {
    let snapshot = Ok(Snapshot::Checks(Checks { checks, utc_offset: 3600 }));
    let verdict = evaluate(&config(), previous, &snapshot, &at(now));
    (verdict.report, verdict.keep.unwrap())
}

fn said(checks: Vec<Looked>) -> String {
    text(&run(None, checks, NOW).0)
}

fn text(report: &Report) -> String {
    render::render(report, &Style { plugin: "check_backend", perfdata: vec![Glob::new("")], ..Style::default() })
}

/// What hangs below what: `CAUSE > EFFECT`, by the labels.
#[track_caller]
fn links(checks: Vec<Looked>) -> Vec<String> {
    fn collect(item: &Item, into: &mut Vec<String>) {
        for child in &item.children {
            if child.follows {
                into.push(format!("{} > {}", item.label, child.label));
            }
            collect(child, into);
        }
    }
    let before: Vec<State> = checks.iter().map(|looked| check::item(&config(), looked).worst()).collect();
    let (report, _) = run(None, checks, NOW);
    assert_eq!(report.state(), State::worst(before), "what follows counts for the state");
    let mut links = Vec::new();
    report.items.iter().for_each(|item| collect(item, &mut links));
    links
}

const KILLED: &str = "exited 137 (SIGKILL) 3m ago";

#[test]
fn what_follows_from_a_container_hangs_below_it() {
    let checks = || {
        vec![
            host(&[item("cpu", "OK", "idle")]),
            containers(&[container("cuesta", "up 1h"), container("kwanza", "up 1h"), container("postgres", KILLED)]),
            database("nothing listens at 127.0.0.1:5444"),
            expvars("WARNING"),
            endpoints("kwanza-endpoints", &[endpoint("kwanza-http", true), endpoint("kwanza-grpc", false)]),
            endpoints("cuesta", &[endpoint("cuesta", true)]),
        ]
    };
    assert_eq!(links(checks()), ["postgres > database", "postgres > kwanza", "postgres > kwanza-endpoints"]);
    assert_eq!(
        said(checks()),
        "BACKEND CRITICAL - containers: postgres exited 137 (SIGKILL) 3m ago (3 problems follow from it); 2 of 6 checks OK\n\
         \\_ [CRITICAL] containers: summary of containers\n  \
         \\_ [CRITICAL] postgres: exited 137 (SIGKILL) 3m ago\n    \
         \\_ [CRITICAL] follows: database: summary of database\n      \
         \\_ [CRITICAL] connection: nothing listens at 127.0.0.1:5444\n    \
         \\_ [CRITICAL] follows: kwanza-endpoints: summary of kwanza-endpoints\n      \
         \\_ [CRITICAL] kwanza-grpc: refuses connections\n    \
         \\_ [WARNING] follows: kwanza: summary of kwanza\n      \
         \\_ [WARNING] panics: 3 panics\n\
         \\_ [OK] host: summary of host\n\
         \\_ [OK] cuesta: summary of cuesta\n\
         \\_ [OK] run: 6 checks at the same time, in 5ms\n"
    );
}

#[test]
fn services_follow_from_what_they_need_where_they_gave_up_by_themselves() {
    let checks = |kwanza: &str| {
        vec![
            containers(&[container("cuesta", "up 1h"), container("kwanza", kwanza), container("postgres", KILLED)]),
            expvars("CRITICAL"),
            endpoints("cuesta", &[endpoint("cuesta", false)]),
        ]
    };
    let below_kwanza = ["kwanza > kwanza", "kwanza > cuesta"];
    assert_eq!(links(checks("exited 1 2m ago")), [&["postgres > kwanza"][..], &below_kwanza].concat());
    for stopped in ["exited 0 2m ago", "exited 143 (SIGTERM) 2m ago", "exited 1 2m ago: disk full"] {
        assert_eq!(links(checks(stopped)), below_kwanza, "{stopped}");
    }
}

#[test]
fn without_a_look_at_containers_the_database_explains() {
    let checks =
        vec![database("nothing listens"), expvars("WARNING"), endpoints("cuesta", &[endpoint("cuesta", false)])];
    assert_eq!(links(checks), ["connection > kwanza", "connection > cuesta"]);
}

#[test]
fn a_host_without_memory_explains_what_was_killed() {
    let memory = item("memory", "WARNING", "97 % (over 95 %)");
    let swap = || with(item("swap", "WARNING", "2 killed for lack of memory"), "oom_kills", 2, "WARNING");
    let all = |text: &str| containers(&[container("kwanza", "up 1h"), container("postgres", text)]);
    let checks = || vec![host(&[memory.clone(), swap()]), all(KILLED), database("nothing listens")];
    assert_eq!(links(checks()), ["memory > swap", "memory > containers", "postgres > database"]);
    let said = said(checks());
    assert!(
        said.starts_with("BACKEND CRITICAL - host: memory 97 % (over 95 %) (3 problems follow from it); "),
        "{said}"
    );
    // Memory that is there again tells that the container took it.
    let checks = vec![host(&[swap()]), all("exited 137 (SIGKILL) 1m ago: out of memory")];
    assert_eq!(links(checks), ["postgres > host"]);
    assert!(links(vec![host(&[memory]), all("exited 1 1m ago")]).is_empty());
}

#[test]
fn a_full_disk_explains_what_has_no_space() {
    let mut disk = item("disk", "CRITICAL", "2 filesystems");
    disk["own_state"] = json!("OK");
    let srv = item("/srv", "CRITICAL", "99 % used");
    disk["children"] = json!([with(srv.clone(), "used_percent", 99, "CRITICAL")]);
    let docker =
        with(item("docker", "WARNING", "data on a filesystem 99 % used"), "docker_root_used_percent", 99, "WARNING");
    let checks = vec![
        host(&[disk, docker]),
        containers(&[container("kwanza", "exited 2 1m ago"), container("postgres", "exited 1 3m ago: disk full")]),
        database("nothing listens"),
    ];
    let links = links(checks);
    let expected = ["/srv > docker", "/srv > containers", "postgres > kwanza", "postgres > database"];
    assert_eq!(links.iter().map(String::as_str).collect::<BTreeSet<_>>(), BTreeSet::from(expected));
    // One that will be full some day does not.
    let mut disk = item("disk", "CRITICAL", "2 filesystems");
    disk["children"] = json!([with(srv, "used_percent", 96, "CRITICAL")]);
    let checks = vec![host(&[disk]), containers(&[container("postgres", "exited 1 3m ago: disk full")])];
    assert!(self::links(checks).is_empty());
}

#[test]
fn an_engine_that_is_down_explains_what_it_ran_and_one_that_refuses_does_not() {
    let checks = |state: &str| {
        vec![
            host(&[item("docker", state, "is so")]),
            check("containers", "check_containers", "", &json!([item("docker", state, "is so")])),
            endpoints("kwanza-endpoints", &[endpoint("kwanza-http", false)]),
        ]
    };
    assert_eq!(links(checks("CRITICAL")), ["docker > containers", "docker > kwanza-endpoints"]);
    assert_eq!(links(checks("UNKNOWN")), ["docker > containers"]);
}

#[test]
fn some_faults_follow_from_nothing() {
    let down = || containers(&[container("cuesta", "exited 0 1m ago"), container("postgres", KILLED)]);
    let expired = with(endpoint("cuesta", false), "cert_expiry", 0, "CRITICAL");
    assert!(links(vec![down(), endpoints("cuesta", &[expired])]).is_empty());
    let missing = Looked { outcome: Outcome::Missing(Vec::new()), ..database("") };
    assert!(links(vec![down(), missing]).is_empty());
    assert!(
        links(vec![down(), check("database", "check_postgres", "", &json!([item("usage", "UNKNOWN", "x")]))])
            .is_empty()
    );
    let tired = Looked {
        outcome: Outcome::Ran(Ran {
            stdout: Vec::new(),
            stderr: Vec::new(),
            end: End::OutOfTime,
            took: Duration::from_secs(9),
        }),
        ..database("")
    };
    assert_eq!(links(vec![down(), tired]), ["postgres > database"], "waiting for what is down does");
    // A container that runs explains nothing, however much memory it uses.
    let busy = with(container("postgres", "up 1h"), "memory_used_percent", 96, "CRITICAL");
    let busy =
        json!({"label": "postgres", "state": "CRITICAL", "text": "up 1h, memory 96 %", "metrics": busy["metrics"]});
    assert!(links(vec![containers(&[busy]), database("no answer")]).is_empty());
}

#[test]
fn a_parent_explains_what_is_not_worse() {
    let db = container("db", KILLED);
    let child =
        |parent| check("database", "check_postgres", parent, &json!([item("connection", "CRITICAL", "refused")]));
    assert_eq!(
        links(vec![containers(std::slice::from_ref(&db)), child("containers:db"), expvars("WARNING")]),
        ["db > database", "db > kwanza"]
    );
    assert!(links(vec![containers(&[db]), child("containers:other")]).is_empty());
    // The name alone makes no database of it, where the file says which one it is.
    let exporter = [container("postgres", "up 1h"), container("postgres-exporter", KILLED)];
    assert!(links(vec![containers(&exporter), child("containers:postgres")]).is_empty());
    let own = |state: &str| check("san", "check_example", "", &json!([item("path", state, "is down")]));
    assert_eq!(links(vec![own("CRITICAL"), child("san:path")]), ["path > database"]);
    assert!(links(vec![own("WARNING"), child("san:path")]).is_empty());
}

#[test]
fn a_check_whose_problems_have_several_causes_says_so() {
    let checks = |also: bool| {
        vec![
            containers(&[container("cuesta", "exited 0 1m ago"), container("kwanza", "exited 0 1m ago")]),
            endpoints("all", &[endpoint("cuesta", false), endpoint("kwanza", false), endpoint("mail", also)]),
        ]
    };
    assert_eq!(links(checks(true)), ["cuesta > all cuesta", "kwanza > all kwanza"]);
    let said = said(checks(true));
    assert!(said.contains("\\_ [CRITICAL] follows: all: summary of all; each is listed below its cause\n"), "{said}");
    assert!(said.lines().next().unwrap().ends_with("0 of 2 checks OK") && !said.contains("all: cuesta"), "{said}");
    let said = self::said(checks(false));
    assert!(said.contains("\\_ [CRITICAL] all: summary of all\n  \\_ [CRITICAL] mail: refuses"), "{said}");
}

#[test]
fn what_was_there_before_does_not_follow() {
    let all = |text: &str| containers(&[container("postgres", text)]);
    let (_, kept) = run(None, vec![all("up 1h"), expvars("WARNING")], NOW - 3600.0);
    let (_, kept) = run(Some(&kept), vec![all("up 2h"), expvars("WARNING")], NOW - 60.0);
    let (report, later) = run(Some(&kept), vec![all(KILLED), expvars("WARNING")], NOW);
    assert!(!text(&report).contains("follows"), "{}", text(&report));
    let (report, _) = run(Some(&later), vec![all(KILLED), expvars("WARNING")], NOW + 60.0);
    assert!(!text(&report).contains("follows"));
    // Nobody knows what came first where nobody looked.
    assert!(text(&run(None, vec![all(KILLED), expvars("WARNING")], NOW).0).contains("follows: kwanza"));
    // It has been well since.
    let (_, kept) = run(Some(&later), vec![all("up 5m"), expvars("OK")], NOW + 60.0);
    assert!(text(&run(Some(&kept), vec![all(KILLED), expvars("WARNING")], NOW + 120.0).0).contains("follows: kwanza"));
}

#[test]
fn it_is_told_in_which_order_things_happened() {
    let memory = |state: &str| host(&[item("memory", state, "97 %")]);
    let all = |text: &str, since: f64| {
        let mut postgres = container("postgres", text);
        postgres["since"] = json!(since);
        containers(&[postgres])
    };
    let (_, kept) = run(None, vec![memory("OK"), all("up 1h", NOW), database("fine")], NOW - 300.0);
    let (_, kept) = run(Some(&kept), vec![memory("CRITICAL"), all("up 1h", NOW), database("fine")], NOW - 240.0);
    let (report, _) =
        run(Some(&kept), vec![memory("CRITICAL"), all(KILLED, NOW - 180.0), database("nothing listens")], NOW);
    let told = "11:41 host: memory 97 %; 11:42 containers: postgres exited 137 (SIGKILL) 3m ago; 11:45 database: connection nothing listens";
    assert!(text(&report).contains(&format!("\n       {told}\n")), "{}", text(&report));
    // Nothing is told of what was so when it was first looked at.
    let (report, _) = run(None, vec![memory("CRITICAL"), all(KILLED, NOW - 180.0), database("nothing listens")], NOW);
    assert!(!text(&report).contains("11:4"), "{}", text(&report));
}

#[test]
fn checks_that_are_left_out_keep_what_is_known_of_them() {
    let (_, kept) = run(None, vec![expvars("WARNING"), database("fine")], NOW);
    let part = Config { only: vec![Glob::new("database")], ..config() };
    let snapshot = Ok(Snapshot::Checks(Checks { checks: vec![database("fine")], utc_offset: 0 }));
    let later = evaluate(&part, Some(&kept), &snapshot, &at(NOW + 60.0)).keep.unwrap();
    assert_eq!(later.checks["kwanza"], kept.checks["kwanza"]);
    // One that is not in the file any more is forgotten.
    assert_eq!(run(Some(&kept), vec![database("fine")], NOW).1.checks.len(), 1);
}

#[test]
fn one_that_gives_no_usable_report_is_unknown_and_says_why() {
    let outcome = |stdout: &str, stderr: &str, end| {
        let (stdout, stderr) = (stdout.as_bytes().to_vec(), stderr.as_bytes().to_vec());
        Outcome::Ran(Ran { stdout, stderr, end, took: Duration::from_secs(3) })
    };
    let fine = match database("fine").outcome {
        Outcome::Ran(ran) => String::from_utf8(ran.stdout).unwrap(),
        _ => unreachable!(),
    };
    for (outcome, expected) in [
        (Outcome::Missing(vec!["/a".into()]), "database: check_postgres is not installed"),
        (
            Outcome::Refused("/a".into(), "permission denied".to_owned()),
            "check_postgres cannot be run: permission denied",
        ),
        (outcome("", "", End::Exited(0)), "check_postgres printed nothing, and ended with exit code 0"),
        (outcome("POSTGRES OK", "", End::Exited(0)), "check_postgres did not print a report"),
        (
            outcome(&fine, "", End::Exited(2)),
            "contradicts itself: its report is OK, its exit code is 2: summary of database",
        ),
        (outcome("", "", End::Killed(11)), "was ended by signal 11 (SIGSEGV)"),
        (outcome("", "", End::Killed(40)), "was ended by signal 40"),
        (outcome("xxx", "", End::TooMuch), "printed without end and was ended"),
        (outcome("", "", End::OutOfTime), "did not answer within 3s and was ended"),
        (outcome(&fine, "warning: old\nx", End::Exited(0)), "database: check_postgres wrote to stderr: warning: old"),
    ] {
        let (report, _) = run(None, vec![Looked { outcome, ..database("fine") }], NOW);
        assert_eq!(report.state(), State::Unknown);
        let text = text(&report);
        assert!(text.lines().next().unwrap().contains(expected), "{expected}: {text}");
    }
}

/// Label, state and whether it has a part, of an item.
type AnyItem = (usize, usize, bool);

/// A few checks with whatever labels and states.
fn any_checks() -> impl Strategy<Value = Vec<(usize, Vec<AnyItem>)>> {
    let items = prop::collection::vec((0..LABELS.len(), 0usize..4, any::<bool>()), 1..4);
    prop::collection::vec((0..KINDS.len(), items), 1..6)
}

const KINDS: [&str; 5] =
    ["check_docker_host", "check_containers", "check_postgres", "check_kwanza_expvars", "check_endpoint"];
const LABELS: [&str; 9] =
    ["docker", "memory", "swap", "disk", "postgres", "kwanza", "cuesta", "connection", "http://127.0.0.1:8001"];
const TEXTS: [&str; 4] = ["exited 137", "disk full", "out of memory", "exited 1"];

proptest! {
    /// Nothing that was found is left out or said twice, whatever is taken for the cause of what.
    #[test]
    fn nothing_is_lost(checks in any_checks(), parents in prop::collection::vec((0usize..6, 0..LABELS.len()), 6)) {
        let part = |label: usize, state: usize, text: usize| {
            let state = ["OK", "WARNING", "CRITICAL", "UNKNOWN"][state];
            with(item(LABELS[label], state, TEXTS[text % 4]), "up", 0, "OK")
        };
        let looked = checks.iter().enumerate().map(|(position, (kind, items))| {
            let items = items.iter().enumerate().map(|(index, (label, state, has_part))| {
                let mut whole = part(*label, *state, index + position);
                if *has_part {
                    let worst = json!(State::worst([*state, 2].map(|state| State::BY_EXIT_CODE[state])));
                    whole["own_state"] = std::mem::replace(&mut whole["state"], worst);
                    whole["children"] = json!([part((*label + index) % LABELS.len(), 2, index)]);
                }
                whole
            });
            let (parent, label) = parents[position];
            // Only backwards, as circles are refused.
            let parent = if parent < position { format!("c{parent}:{}", LABELS[label]) } else { String::new() };
            check(&format!("c{position}"), KINDS[*kind], &parent, &json!(items.collect::<Vec<_>>()))
        });
        let looked: Vec<Looked> = looked.collect();
        let reports: Vec<Item> = looked.iter().map(|looked| check::item(&config(), looked)).collect();
        let said = |items: &[Item]| {
            let mut said = Vec::new();
            let mut walk: Vec<&Item> = items.iter().collect();
            while let Some(item) = walk.pop() {
                said.extend((item.state != State::Ok && !item.headline.is_empty()).then(|| item.headline.to_string()));
                walk.extend(&item.children);
            }
            said.sort();
            said
        };
        let (report, _) = run(None, looked, NOW);
        prop_assert_eq!(report.state(), State::worst(reports.iter().map(Item::worst)));
        prop_assert_eq!(said(&report.items), said(&reports));
    }
}
