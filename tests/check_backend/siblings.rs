//! With the plugins of the suite: nothing that they say is lost.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use backend::{cuesta, kwanza};
use support::perfdata::Datum;
use support::tool::plugin;
use support::{Run, Tree};

use crate::bench::Bench;

const HOST: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/fixtures/check_docker_host/disk_96.tree");

/// Adds a check with a plugin of the suite, found by its name alone.
fn add(bench: &Bench, name: &str, program: &str, arguments: &[String]) {
    plugin(program);
    bench.append(&format!("[[check]]\nname = '{name}'\nplugin = '{program}'\narguments = {arguments:?}\n"));
}

fn host(tree: &std::path::Path) -> Vec<String> {
    let path = |name: &str| tree.join(name).display().to_string();
    let [proc, sys, statvfs] = ["proc", "sys", "statvfs"].map(path);
    let words = ["--procfs", &proc, "--sysfs", &sys, "--statvfs", &statvfs, "--sample", "50ms", "--no-docker"];
    words.map(str::to_owned).to_vec()
}

/// What a plugin prints by itself.
fn alone(program: &str, arguments: &[String]) -> Vec<Datum> {
    let output = Run::new(plugin(program)).args(arguments).output();
    let (_, perfdata) = output.first_line().split_once(" | ").unwrap();
    support::perfdata::parse_strictly(perfdata).unwrap()
}

#[test]
fn every_figure_of_a_plugin_is_there_with_its_thresholds() {
    let tree = Tree::load(HOST).unpack();
    let kwanza = kwanza::Kwanza::start(&kwanza::Config::loopback()).unwrap();
    let checks = [
        ("host", "check_docker_host", host(tree.path())),
        (
            "kwanza",
            "check_kwanza_expvars",
            vec!["-H".into(), "127.0.0.1".into(), "-p".into(), kwanza.expvars.port().to_string()],
        ),
        (
            "kwanza-endpoints",
            "check_endpoint",
            vec![format!("grpc=grpc://{}", kwanza.grpc), format!("http://{}", kwanza.http)],
        ),
    ];
    let bench = Bench::new();
    for (name, program, arguments) in &checks {
        add(&bench, name, program, arguments);
    }
    let said = bench.run(&[]);
    said.has_code(2).headlines("BACKEND CRITICAL - host: disk /var 96 % (over 95 %); ").headlines("2 of 3 checks OK");
    let (_, perfdata) = said.output.first_line().split_once(" | ").unwrap();
    let merged = support::perfdata::parse_strictly(perfdata).unwrap();
    let merged: BTreeMap<&str, &Datum> = merged.iter().map(|datum| (datum.label.as_str(), datum)).collect();
    for (name, program, arguments) in &checks {
        let own = alone(program, arguments);
        assert!(!own.is_empty());
        for datum in own {
            let label = format!("{name}:{}", datum.label);
            let same = merged.get(label.as_str()).unwrap_or_else(|| panic!("no {label} in: {perfdata}"));
            assert_eq!(
                (&same.uom, &same.warning, &same.critical),
                (&datum.uom, &datum.warning, &datum.critical),
                "{label}"
            );
            assert_eq!((&same.min, &same.max), (&datum.min, &datum.max), "{label}");
        }
    }
}

#[test]
fn a_plugin_says_below_its_name_what_it_says_alone() {
    let tree = Tree::load(HOST).unpack();
    let bench = Bench::new();
    let arguments = host(tree.path());
    add(&bench, "host", "check_docker_host", &arguments);
    for verbosity in [&[][..], &["-v"]] {
        let alone = Run::new(plugin("check_docker_host")).args(&arguments).args(verbosity).output();
        // But for where it keeps its samples, and what was measured just now.
        let lines = |text: &str, indent: &str| {
            let own = text.lines().skip(1).filter_map(|line| line.strip_prefix(indent));
            own.filter(|line| !line.contains("samples are kept") && !line.contains("] run:")).fold(
                String::new(),
                |mut all, line| {
                    let _ = writeln!(all, "{line}");
                    all
                },
            )
        };
        let said = bench.run(verbosity);
        let below: String = lines(said.text(), "  ");
        for line in lines(&alone.stdout, "").lines() {
            assert!(below.contains(line), "{line} is expected in: {}", said.text());
        }
    }
}

#[test]
fn a_wrong_argument_of_a_plugin_is_told_and_costs_its_own_check() {
    let tree = Tree::load(HOST.replace("disk_96", "healthy")).unpack();
    let bench = Bench::new();
    add(&bench, "host", "check_docker_host", &host(tree.path()));
    add(&bench, "wrong", "check_endpoint", &["--no-such-option".to_owned()]);
    let said = bench.run(&[]);
    said.has_code(3).headlines("wrong: unexpected argument '--no-such-option' found").headlines("1 of 2 checks OK");
}

#[test]
fn a_service_that_goes_away_explains_its_expvars() {
    let (kwanza, cuesta) =
        (kwanza::Kwanza::start(&kwanza::Config::loopback()), cuesta::Cuesta::start(&cuesta::Config::loopback()));
    let (kwanza, cuesta) = (kwanza.unwrap(), cuesta.unwrap());
    let bench = Bench::new();
    let port = kwanza.expvars.port().to_string();
    add(&bench, "kwanza", "check_kwanza_expvars", &["-H", "127.0.0.1", "-p", &port].map(str::to_owned));
    add(&bench, "kwanza-endpoints", "check_endpoint", &[format!("kwanza-grpc=grpc://{}", kwanza.grpc)]);
    add(&bench, "cuesta", "check_endpoint", &[format!("cuesta=https://{}/", cuesta.https), "--insecure".to_owned()]);
    bench.run(&[]).has_code(0);
    drop(kwanza);
    let said = bench.run(&[]);
    said.has_code(2)
        .headlines("1 of 3 checks OK")
        .headlines("kwanza: nothing listens")
        .says("kwanza-grpc refuses connections");
}
