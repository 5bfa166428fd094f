//! Services that run, more or less, and what else is found beside them.

use std::net::TcpListener;

use support::live::{Engine, eventually};
use support::need;
use support::stand::Stand;
use support::tool::run;

use crate::check::{Check, Said, assert_golden, becomes, compose, deployment, inspect};

const HEALTH: &str = "{{.State.Health.Status}}";
/// An image that is made anew while a container of it runs.
const DRIFTED: &str = "sirenia-test-drifted";

/// Makes [`DRIFTED`], with `what` in it.
#[track_caller]
fn import(engine: &Engine, what: &str) {
    let directory = tempfile::tempdir().unwrap();
    let tree = directory.path().join("tree");
    std::fs::create_dir_all(tree.join("bin")).unwrap();
    std::fs::copy(need("busybox", "apt-get install busybox-static"), tree.join("bin/busybox")).unwrap();
    std::fs::write(tree.join("version"), what).unwrap();
    let archive = directory.path().join("image.tar").display().to_string();
    run("tar", &["-C", &tree.display().to_string(), "-cf", &archive, "."]);
    engine.docker(&["import", &archive, DRIFTED]).unwrap();
}

/// The image, which goes with this value, and those that had its name before.
struct Image<'a>(&'a Engine);

impl Drop for Image<'_> {
    fn drop(&mut self) {
        let _ = self.0.docker(&["rmi", "-f", DRIFTED]);
        let _ = self.0.docker(&["image", "prune", "-f"]);
    }
}

/// A deployment and its engine.
struct Case<'a> {
    engine: &'a Engine,
    stand: &'a Stand<'a>,
}

impl Case<'_> {
    /// Runs that watch `service` alone.
    fn service(&self, service: &str) -> Check {
        Check::of(self.stand, self.engine, &["--service", service])
    }

    /// Compares with the golden file `states/NAME`.
    #[track_caller]
    fn golden(&self, name: &str, said: &Said) {
        let folder = self.stand.folder().display().to_string();
        assert_golden(&format!("states/{name}"), said, &[(&folder, "{deploy}")]);
    }

    #[track_caller]
    fn docker(&self, arguments: &[&str]) -> String {
        self.engine.docker(arguments).unwrap_or_else(|error| panic!("docker {arguments:?}: {error}"))
    }

    /// Makes `from` of the compose file `to`.
    fn edit(&self, from: &str, to: &str) {
        let file = self.stand.folder().join("docker-compose.yml");
        let text = std::fs::read_to_string(&file).unwrap();
        assert!(text.contains(from), "no {from} in {text}");
        std::fs::write(file, text.replace(from, to)).unwrap();
    }
}

#[test]
fn what_runs_is_told_apart() {
    let engine = Engine::given();
    let _image = Image(&engine);
    import(&engine, "one");
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = format!("TAKEN_PORT={}\n", taken.local_addr().unwrap().port());
    let stand = deployment(&engine, "states", include_str!("deploy/states.yml"), &port);
    let case = Case { engine: &engine, stand: &stand };
    compose(&stand, &["up", "-d"]);
    for service in ["healthy", "unhealthy"] {
        becomes(&engine, &format!("states_{service}_1"), HEALTH, service);
    }
    health(&case);
    pause(&case);
    replicas(&case);
    news_of_logs(&case);
    drift(&case);
    size(&case);
    beside(&case);
    missing(&case);
    replaced(&case, taken);
}

#[track_caller]
fn health(case: &Case) {
    let said = case.service("healthy").run(&["-v"]);
    said.has_code(0).headlines("1 of 1 service up").says(", healthy, cpu ");
    case.golden("healthy", &said);

    let said = case.service("unhealthy").run(&[]);
    said.has_code(2).headlines("unhealthy unhealthy: its health check failed ").headlines(" times in a row");
    said.says("the last health check ended with exit code 1: no answer / from port 8000");
    case.golden("unhealthy", &said);

    let said = case.service("starting").run(&["-v"]);
    said.has_code(0).says(", health starting, ");
    case.golden("starting", &said);

    eventually("the first health check to be over", || case.service("late").run(&[]).output.code == 1);
    let said = case.service("late").run(&[]);
    said.has_code(1)
        .headlines("late health still starting after ")
        .says("can't open '/ready': No such file or directory");
    case.golden("late", &said);
}

#[track_caller]
fn pause(case: &Case) {
    let check = case.service("plain");
    check.run(&[]).has_code(0);
    compose(case.stand, &["pause", "plain"]);
    let said = check.run(&[]);
    said.has_code(1).headlines("plain paused; 0 of 1 service up").says("-> docker-compose unpause plain");
    case.golden("paused", &said);
    let said = check.run(&["--grace", "1ms"]);
    said.has_code(2).headlines("plain paused");
    assert_eq!(said.figure("plain:up"), 0.0);
    compose(case.stand, &["unpause", "plain"]);
    check.run(&[]).has_code(0);
}

#[track_caller]
fn replicas(case: &Case) {
    let check = case.service("scaled");
    let said = check.run(&["-v"]);
    said.has_code(0).headlines("1 of 1 service up");
    for instance in ["scaled", "scaled_2", "scaled_3"] {
        assert_eq!(said.figure(&format!("{instance}:up")), 1.0);
    }
    case.docker(&["kill", "states_scaled_2"]);
    let said = check.run(&[]);
    said.has_code(2).headlines("scaled_2 exited 137 (SIGKILL) ").headlines("; 0 of 1 service up");
    case.golden("replica_killed", &said);
    assert_eq!(said.figure("scaled_3:up"), 1.0);

    // One that is not even there.
    case.docker(&["rm", "states_scaled_2"]);
    let said = check.run(&[]);
    said.has_code(2).headlines("scaled has 2 of 3 replicas");
    case.golden("replica_missing", &said);
    compose(case.stand, &["up", "-d", "--no-recreate", "scaled"]);
    check.run(&[]).has_code(0);
}

/// A line of its log counts once.
#[track_caller]
fn news_of_logs(case: &Case) {
    let say =
        |line: &str| case.docker(&["exec", "states_plain_1", "sh", "-c", &format!("echo '{line}' >/proc/1/fd/1")]);
    let logged = |line: &str| {
        eventually("the engine to have the line", || {
            case.docker(&["logs", "--tail", "1", "states_plain_1"]).contains(line)
        });
    };
    let check = Check::of(case.stand, case.engine, &["--service", "plain", "--logs"]);
    say("FATAL:  sorry, too many clients already (before the first run)");
    logged("before");
    check.run(&[]).has_code(0).says_not("too many clients");
    say("LOG:  checkpoint complete");
    logged("complete");
    let said = check.run(&[]);
    said.has_code(0);
    assert_eq!(said.figure("plain:log_matches"), 0.0);
    say("FATAL:  sorry, too many clients already | for user=kwanza password=hidden");
    logged("hidden");
    let said = check.run(&[]);
    said.has_code(1).headlines("plain logs 1 lines that tell of a fault (too many clients)").says_not("hidden");
    assert_eq!(said.figure("plain:log_matches"), 1.0);
    case.golden("news_of_its_log", &said);
    let said = check.run(&[]);
    said.has_code(0).says_not("too many clients");
    assert_eq!(said.figure("plain:log_matches"), 0.0);
}

#[track_caller]
fn drift(case: &Case) {
    let check = Check::of(case.stand, case.engine, &["--service", "drifted", "--image-drift"]);
    check.run(&[]).has_code(0).says_not("image");
    import(case.engine, "two");
    let said = check.run(&[]);
    said.has_code(1).headlines("drifted runs an older image than sirenia-test-drifted names now");
    case.golden("image_drift", &said);
    case.service("drifted").run(&[]).has_code(0);
    compose(case.stand, &["up", "-d", "--timeout", "0", "drifted"]);
    check.run(&[]).has_code(0);
}

#[track_caller]
fn size(case: &Case) {
    case.docker(&["exec", "states_healthy_1", "dd", "if=/dev/zero", "of=/written", "bs=1k", "count=500"]);
    let check = case.service("healthy");
    let said = check.run(&["--size"]);
    let size: f64 = inspect_size(case, "states_healthy_1");
    assert_eq!(said.figure("healthy:size_rw"), size);
    assert!((500.0 * 1024.0..600.0 * 1024.0).contains(&size), "{size}");
    check
        .run(&["--size", "-w", "size_rw=100KiB"])
        .has_code(1)
        .headlines("healthy writable layer 500 KiB (over 100 KiB)");
    assert!(!check.run(&[]).figures.contains_key("healthy:size_rw"));
}

fn inspect_size(case: &Case, container: &str) -> f64 {
    case.docker(&["inspect", "--size", "--format", "{{.SizeRw}}", container]).parse().unwrap()
}

/// Containers of the project that are not judged.
#[track_caller]
fn beside(case: &Case) {
    compose(case.stand, &["run", "-d", "plain", "sh", "-c", "exit 1"]);
    case.edit("  #retired", "  retired");
    compose(case.stand, &["up", "-d", "retired"]);
    case.edit("  retired", "  #retired");
    case.docker(&["kill", "states_retired_1"]);
    let check = Check::of(case.stand, case.engine, &["--exclude", "*_unhealthy_*", "--exclude", "*_late_*"]);
    let said = check.run(&["-v"]);
    // Those two are services all the same.
    said.says("states_retired_1: an orphan, the compose file has no such service");
    let one_off = said.line(": made by docker-compose run").to_owned();
    assert!(one_off.starts_with("states_plain_run_"), "{one_off}");
    assert_eq!(said.figure("states:orphans"), 1.0);
    said.says_not("retired exited");
    let said = check.run(&["-w", "orphans=0"]);
    said.headlines("states orphans: 1 (over 0)");
    compose(case.stand, &["rm", "-f", "plain"]);
}

#[track_caller]
fn missing(case: &Case) {
    case.docker(&["rm", "-f", "states_healthy_1"]);
    let said = case.service("healthy").run(&[]);
    said.has_code(2).headlines("healthy has no container; 0 of 1 service up").says("-> docker-compose up -d healthy");
    case.golden("removed", &said);
    assert_eq!(said.figure("states:services_missing"), 1.0);
    let name = "states_healthy_1";
    let said = Check::new(&case.engine.address(), ["--container", name]).run(&[]);
    said.has_code(2).headlines("container states_healthy_1 is not there");
}

/// A container that is made anew, and cannot start as it should: what it replaces is left, renamed.
#[track_caller]
fn replaced(case: &Case, taken: TcpListener) {
    let check = case.service("deployed");
    check.run(&[]).has_code(0);
    case.edit("    #ports", "    ports");
    let refused = case.stand.compose(&["up", "-d", "--timeout", "1", "deployed"]).unwrap_err();
    assert!(refused.contains("already in use"), "{refused}");
    let old = case.docker(&["ps", "-a", "--filter", "name=_states_deployed_1", "--format", "{{.Names}} {{.State}}"]);
    assert!(old.ends_with("_states_deployed_1 exited"), "{old}");
    let said = check.run(&["-v"]);
    said.has_code(2).headlines("deployed could not be started: port in use; 0 of 1 service up");
    said.says("_states_deployed_1: another container is replacing it");
    let (folder, port) = (case.stand.folder().display().to_string(), taken.local_addr().unwrap().port().to_string());
    assert_golden("states/replaced_refused", &said, &[(&folder, "{deploy}"), (&port, "{port}")]);

    drop(taken);
    case.docker(&["start", "states_deployed_1"]);
    let said = check.run(&["-v"]);
    said.has_code(0).headlines("1 of 1 service up").says("_states_deployed_1: another container is replacing it");
    case.golden("replaced", &said);
    assert_eq!(inspect(case.engine, "states_deployed_1", "{{.State.Status}}"), "running");
}
