//! The guide's deployment, as it runs and as its services end.

use std::thread;
use std::time::{Duration, Instant};

use support::live::{Engine, eventually};
use support::stand::Stand;

use crate::check::{Check, MIB, Said, assert_golden, becomes, compose, docker_stats, inspect};

const SERVICES: [&str; 3] = ["cuesta", "kwanza", "postgres"];

#[track_caller]
fn golden(name: &str, said: &Said, stand: &Stand) {
    assert_golden(&format!("backend/{name}"), said, &[(&stand.folder().display().to_string(), "{deploy}")]);
}

#[test]
fn the_deployment_is_up_and_then_postgres_is_killed() {
    let engine = Engine::given();
    let stand = Stand::start(&engine);
    let check = Check::of(&stand, &engine, &[]);
    let said = check.run(&[]);
    said.has_code(0).headlines("CONTAINERS OK - 3 of 3 services up, most cpu ");
    golden("all_up", &said, &stand);
    let said = check.run(&["-vv"]);
    said.has_code(0).says_not("baseline taken");
    golden("all_up_in_detail", &said, &stand);
    as_compose_and_inspect(&engine, &stand, &said);
    as_docker_stats(&engine, &said);
    runs_follow_closely(&stand, &engine);

    // By the project's name alone, and all that the engine has.
    Check::new(&engine.address(), ["--project", "deploy"]).run(&[]).has_code(0).headlines("3 of 3 services up");
    let said = Check::new(&engine.address(), ["--container", "deploy_*"]).run(&[]);
    said.has_code(0).headlines("3 of 3 containers up");
    assert_eq!(said.figure("deploy_kwanza_1:up"), 1.0);

    engine.docker(&["kill", "deploy_postgres_1"]).unwrap();
    becomes(&engine, "deploy_postgres_1", "{{.State.Status}}", "exited");
    assert!(compose(&stand, &["ps"]).contains("Exit 137"));
    let said = check.run(&[]);
    said.has_code(2).headlines("CONTAINERS CRITICAL - postgres exited 137 (SIGKILL) ");
    said.headlines(" ago; 2 of 3 services up")
        .says("-> docker-compose up postgres")
        .says("-> docker-compose up -d postgres");
    golden("postgres_killed", &said, &stand);

    // The guide's last step. PostgreSQL recovers; that it did is no fault.
    compose(&stand, &["up", "-d", "postgres"]);
    eventually("postgres to be up again", || check.run(&[]).output.code == 0);
    let said = check.run(&[]);
    said.has_code(0).headlines("3 of 3 services up");

    compose(&stand, &["stop"]);
    let said = check.run(&[]);
    said.has_code(2).headlines("cuesta exited 0 ").headlines("; 0 of 3 services up");
    golden("stopped", &said, &stand);
    compose(&stand, &["down"]);
    let said = check.run(&[]);
    said.has_code(2).headlines("cuesta has no container");
    golden("removed", &said, &stand);
}

/// What `docker-compose ps` and `docker inspect` say.
#[track_caller]
fn as_compose_and_inspect(engine: &Engine, stand: &Stand, said: &Said) {
    let ps = compose(stand, &["ps"]);
    assert_eq!(ps.matches(" Up ").count(), 3, "{ps}");
    for service in SERVICES {
        let container = format!("deploy_{service}_1");
        assert_eq!(said.figure(&format!("{service}:up")), 1.0);
        let restarts: f64 = inspect(engine, &container, "{{.RestartCount}}").parse().unwrap();
        assert_eq!(said.figure(&format!("{service}:restarts")), restarts);
        said.says(&format!("(container {container})")).says("figures from its cgroup (v");
        assert!(said.figure(&format!("{service}:uptime")) < 120.0);
    }
}

#[track_caller]
fn as_docker_stats(engine: &Engine, said: &Said) {
    let names = SERVICES.map(|service| format!("deploy_{service}_1"));
    for (service, (_, memory, pids)) in SERVICES.iter().zip(docker_stats(engine, &names)) {
        let ours = said.figure(&format!("{service}:memory_used"));
        assert!((ours - memory).abs() < MIB + memory / 10.0, "{service}: {ours}, docker stats: {memory}");
        assert_eq!(said.figure(&format!("{service}:pids")), pids, "{service}");
    }
}

#[track_caller]
fn is_sound(said: &Said) {
    said.has_code(0).says_not("baseline taken").says_not("damaged").says_not("set aside");
    for (label, value) in &said.figures {
        assert!(*value >= 0.0, "{label}={value} in: {}", said.text());
    }
    for service in SERVICES {
        for metric in ["cpu_percent", "read_bytes_per_second", "rx_bytes_per_second"] {
            said.figure(&format!("{service}:{metric}"));
        }
    }
}

/// How long a run a second is repeated.
fn while_it_runs_every_second() -> Duration {
    // Set for a longer look by hand.
    let seconds = std::env::var("SIRENIA_TEST_SECONDS").ok().and_then(|seconds| seconds.parse().ok());
    Duration::from_secs(seconds.unwrap_or(20))
}

/// Two runs at once, and a run every second beside them: none loses its baseline.
#[track_caller]
fn runs_follow_closely(stand: &Stand, engine: &Engine) {
    let check = Check::of(stand, engine, &[]);
    check.run(&[]);
    let end = Instant::now() + while_it_runs_every_second();
    let mut runs = 0;
    while Instant::now() < end {
        let begin = Instant::now();
        thread::scope(|scope| {
            for _ in 0..2 {
                scope.spawn(|| is_sound(&check.run(&["-v"])));
            }
        });
        is_sound(&check.run(&[]));
        runs += 1;
        // The pace is the point here, nothing is waited for.
        thread::sleep(Duration::from_secs(1).saturating_sub(begin.elapsed()));
    }
    assert!(runs >= 10, "only {runs} rounds");
}
