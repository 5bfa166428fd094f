//! `check_kwanza_expvars` on the guide's deployment, on a real engine. tests/run starts that and runs this as root:
//!
//! `cargo test -p check_kwanza_expvars --test e2e_check_kwanza_expvars -- --test-threads=1`

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test that cannot go on fails")]
#![allow(clippy::indexing_slicing, reason = "a test that is wrong fails")]

use support::live::Engine;
use support::run::{Output, Run};
use support::stand::Stand;

const NAME: &str = "deploy_kwanza_1";

/// The two ways to the page that the guide's deployment has, each with a sample of its own.
struct Checks {
    published: Run,
    looked_up: Run,
}

impl Checks {
    fn new(engine: &Engine, stand: &Stand) -> Self {
        let check = || Run::new(env!("CARGO_BIN_EXE_check_kwanza_expvars")).arg("-v");
        let port = stand.port("kwanza", 6060).to_string();
        Self {
            published: check().args(["-H", "127.0.0.1", "-p", &port]),
            // 8080, which is not published.
            looked_up: check().args(["--docker-host", &engine.address(), "--container", NAME]),
        }
    }

    fn run(&self) -> [Output; 2] {
        [&self.published, &self.looked_up].map(|check| {
            let output = check.output();
            assert!(output.stderr.is_empty(), "{}", output.stderr);
            output
        })
    }
}

#[track_caller]
fn assert_says(output: &Output, code: i32, words: &[&str]) {
    assert_eq!(output.code, code, "{}", output.stdout);
    for words in words {
        assert!(output.stdout.contains(words), "no {words}: {}", output.stdout);
    }
}

#[test]
fn kwanza_is_watched_through_its_death_and_its_return() {
    let engine = Engine::given();
    let stand = Stand::start(&engine);
    let checks = Checks::new(&engine, &stand);

    let [published, looked_up] = checks.run();
    assert_says(&published, 0, &[" streams, ", "(baseline taken)", "page: 25 variables"]);
    let address =
        stand.docker(&["inspect", "--format", "{{range .NetworkSettings.Networks}}{{.IPAddress}}{{end}}", NAME]);
    assert_says(&looked_up, 0, &["(baseline taken)", &format!("from http://{}:8080/debug/vars", address.unwrap())]);
    for second in checks.run() {
        assert_says(&second, 0, &[" Notifications_delta=", " Requests_per_second="]);
    }

    stand.docker(&["kill", NAME]).unwrap();
    let [published, looked_up] = checks.run();
    assert_says(&published, 2, &["nothing listens at http://127.0.0.1:", "-> docker-compose up kwanza"]);
    let said = format!("container {NAME} cannot be reached: it does not run, it is exited");
    assert_says(&looked_up, 2, &[&said, "-> docker-compose up kwanza"]);

    // The counters begin at nothing and soon have passed what they were, but less was allocated.
    stand.compose(&["up", "-d"]).unwrap();
    stand.wait("kwanza", 8000);
    for anew in checks.run() {
        assert_says(&anew, 0, &["restarted since the last run", "a new baseline is taken"]);
        assert!(!anew.stdout.contains("_delta=") && !anew.stdout.contains("=-"), "{}", anew.stdout);
    }
    for next in checks.run() {
        assert_says(&next, 0, &[" Notifications_delta="]);
    }

    stand.docker(&["rm", "--force", NAME]).unwrap();
    let [_, gone] = checks.run();
    assert_says(&gone, 2, &[&format!("container {NAME} cannot be reached: there is no such container")]);
}
