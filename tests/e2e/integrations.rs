//! What packaging/ holds for monitoring cores, in those cores, on the guide's deployment. tests/run starts an engine and
//! runs this as root:
//!
//! `cargo test -p xtask --test e2e_integrations -- --test-threads=1`

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test that cannot go on fails")]
#![allow(clippy::indexing_slicing, reason = "a test that is wrong fails")]

#[path = "integrations/checks.rs"]
mod checks;
#[path = "integrations/icinga.rs"]
mod icinga;
#[path = "integrations/nagios.rs"]
mod nagios;
#[path = "integrations/nrpe.rs"]
mod nrpe;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use support::live::{Engine, eventually};
use support::perfdata;
use support::stand::Stand;

use checks::{Check, Checks, Said, plugins_folder};
use icinga::Icinga;
use nagios::Nagios;
use nrpe::Nrpe;

/// A file of packaging/.
fn packaged(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(name)
}

/// Figures that are there only if somebody has logged in, or something was read or written, since the last run.
const NOW_AND_THEN: [&str; 2] = ["auth_failure_percent", "await"];

/// All labels but those.
fn labels(perfdata: &str) -> BTreeSet<String> {
    let data = perfdata::parse_strictly(perfdata).unwrap_or_else(|reason| panic!("{reason}: {perfdata}"));
    let labels = data.into_iter().map(|datum| datum.label);
    labels.filter(|label| !NOW_AND_THEN.contains(&label.rsplit(':').next().unwrap_or_default())).collect()
}

/// Whether a core sees the state that the plugin tells by itself. That of the machine may change between the two.
fn is_alike(check: &Check, state: u64, said: &Said) -> bool {
    state == said.state || check.plugin == "check_docker_host"
}

#[test]
fn icinga_takes_every_figure_of_every_plugin_and_sees_a_fault_come_and_go() {
    let engine = Engine::given();
    let stand = Stand::start(&engine);
    let checks = Checks::of(&stand, &engine);
    let icinga = Icinga::start(&plugins_folder(), &[packaged("icinga2/commands.conf")], &checks.icinga_objects());
    for check in &checks.list {
        // The second time there are rates too.
        icinga.check(&check.name());
        let result = icinga.check(&check.name());
        let said = check.run();
        assert!(is_alike(check, result.state, &said) && !result.output.is_empty(), "{result:?}\n{}", said.text);
        let arrived: BTreeSet<String> = result.perfdata.iter().flat_map(|item| labels(item)).collect();
        assert_eq!(arrived, labels(&said.perfdata), "{}", check.plugin);
        for item in &result.perfdata {
            let parsed = icinga.parsed(item);
            assert!(parsed["value"].is_number() || parsed.is_number(), "Icinga rejects {item}: {parsed}");
        }
    }
    let containers = || icinga.check("sirenia-containers");
    assert!(!containers().output.contains("CRITICAL"), "{}", containers().output);
    stand.compose(&["stop", "postgres"]).unwrap();
    let alarm = containers();
    assert!(alarm.state == 2 && alarm.output.contains("postgres exited"), "{}", alarm.output);
    stand.compose(&["start", "postgres"]).unwrap();
    stand.wait("kwanza", 8000);
    eventually("Icinga to see that the database is up again", || !containers().output.contains("CRITICAL"));
}

#[test]
fn the_example_for_icinga_is_sound() {
    let files = [packaged("icinga2/commands.conf"), packaged("icinga2/examples/backend.conf")];
    Icinga::prepare(&plugins_folder(), &files, "");
}

#[test]
fn nagios_runs_every_plugin_by_itself_and_by_nrpe() {
    let engine = Engine::given();
    let stand = Stand::start(&engine);
    let checks = Checks::of(&stand, &engine);
    checks.share(&stand, &engine, nrpe::USER);
    let nrpe = Nrpe::start(&packaged("nrpe/commands.cfg"), &checks);
    let nagios = Nagios::start(&packaged("nagios/commands.cfg"), &checks, nrpe.port());
    for check in &checks.list {
        let direct = nagios.result(&check.name());
        let remote = nagios.result(&format!("{}-by-nrpe", check.name()));
        let said = check.run();
        for result in [direct, remote] {
            assert!(is_alike(check, result.state, &said), "{result:?}\n{}", said.text);
            assert!(labels(&said.perfdata).is_superset(&labels(&result.perfdata)), "{result:?}\n{}", said.text);
            assert!(!result.perfdata.is_empty() && result.output.contains(" - "), "{result:?}");
        }
    }
}

#[test]
fn the_example_for_nagios_is_sound() {
    nagios::verify(&[packaged("nagios/commands.cfg"), packaged("nagios/examples/backend.cfg")]);
}
