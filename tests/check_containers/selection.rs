//! Services, names and thresholds that are chosen, and options that make no sense.

use serde_json::json;

use crate::host::{DOCKER, Engine, Host, find};

#[test]
fn critical_every_container_of_the_engine() {
    Host::new(DOCKER).assert("critical_every_container_of_the_engine", &["--perfdata", "up"]);
}

#[test]
fn what_is_not_judged_is_listed() {
    let output = Host::new(DOCKER).run(&["-v"]);
    let one_off = "deploy_kwanza_run_c182abe772d3: made by docker-compose run";
    assert!(output.stdout.contains(one_off), "{}", output.stdout);
    assert_eq!(find(&output, "deploy_kwanza_run_c182abe772d3:up"), None, "{}", output.stdout);
    // Whoever names the same container wants it judged.
    let output = Host::new(DOCKER).run(&["--container", "deploy_kwanza_run_c182abe772d3", "-v"]);
    assert_eq!(output.code, 0, "{}", output.stdout);
    assert_eq!(find(&output, "deploy_kwanza_run_c182abe772d3:up"), Some(1.0), "{}", output.stdout);
}

#[test]
fn a_leftover_is_judged_only_while_it_is_alone() {
    let alone = Host::new(DOCKER).run(&["--service", "renamed"]);
    assert_eq!(alone.code, 2, "{}", alone.stdout);
    assert!(alone.first_line().contains("renamed exited 137 (SIGKILL)"), "{}", alone.stdout);
    // The new container is there.
    let engine = Engine::recorded(DOCKER).with_row("deploy_scaled_1", |row| {
        row["Names"] = json!(["/deploy_renamed_1"]);
        row["Labels"]["com.docker.compose.service"] = json!("renamed");
    });
    let output = Host::of(&engine).run(&["--service", "renamed", "-v"]);
    assert_eq!(output.code, 0, "{}", output.stdout);
    assert!(output.stdout.contains("_deploy_renamed_1: another container is replacing it"), "{}", output.stdout);
}

#[test]
fn services_are_chosen() {
    let host = Host::new(DOCKER);
    let output = host.run(&["--service", "postgres", "--service", "kwanza"]);
    assert_eq!(output.code, 0, "{}", output.stdout);
    assert!(output.first_line().starts_with("CONTAINERS OK - 2 of 2 services up, "), "{}", output.stdout);
    assert!(find(&output, "postgres:memory_used_percent").is_some(), "{}", output.stdout);
    let scaled = host.run(&["--service", "scaled"]);
    assert!(find(&scaled, "scaled:up").is_some() && find(&scaled, "scaled_2:up").is_some(), "{}", scaled.stdout);
    let missing = host.run(&["--service", "postgress"]);
    assert_eq!(missing.code, 2, "{}", missing.stdout);
    assert!(missing.first_line().contains("postgress has no container"), "{}", missing.stdout);
    // Against a compose file that lacks it, it is a mistake of the options.
    let directory = host.project_file("docker-compose.yml", "services: {postgres: {image: a}}\n");
    let output = host.run(&["--deploy-dir", &directory, "--service", "postgress"]);
    assert_eq!(output.code, 3, "{}", output.stdout);
    assert!(
        output.first_line().contains("--service postgress: the compose file has no such service"),
        "{}",
        output.stdout
    );
}

#[test]
fn critical_project_that_nobody_has() {
    let output = Host::new(DOCKER).run(&["--project", "depoly"]);
    assert_eq!(output.code, 2, "{}", output.stdout);
    assert!(output.first_line().contains("project depoly has no container"), "{}", output.stdout);
}

#[test]
fn unknown_service_of_two_projects() {
    let engine = Engine::recorded(DOCKER)
        .with_only(&["deploy_scaled_1", "deploy_scaled_2"])
        .with_row("deploy_scaled_2", |row| row["Labels"]["com.docker.compose.project"] = json!("test"));
    let host = Host::of(&engine);
    host.assert("unknown_service_of_two_projects", &["--service", "scaled"]);
    assert_eq!(host.run(&["--service", "scaled", "--project", "test"]).code, 0);
}

#[test]
fn containers_are_chosen_by_name() {
    let host = Host::new(DOCKER);
    let output = host.run(&["--container", "deploy_scaled_*", "--exclude", "*_2", "--perfdata", "up"]);
    assert_eq!(output.code, 0, "{}", output.stdout);
    assert!(output.first_line().ends_with(" | deploy_scaled_1:up=1"), "{}", output.stdout);
    let missing = host.run(&["--container", "deploy_kwanza_2"]);
    assert_eq!(missing.code, 2, "{}", missing.stdout);
    assert!(missing.first_line().contains("container deploy_kwanza_2 is not there"), "{}", missing.stdout);
    let none = host.run(&["--container", "kwanza*"]);
    assert_eq!(none.code, 2, "{}", none.stdout);
    assert!(none.first_line().contains("no container has such a name"), "{}", none.stdout);
}

#[test]
fn unknown_thresholds_for_a_stranger() {
    let host = Host::new(DOCKER);
    let options = ["--service", "postgres", "-w"];
    let output = host.run(&[&options[..], &["posgres:memory_used_percent=80"]].concat());
    assert_eq!(output.code, 3, "{}", output.stdout);
    assert!(
        output.first_line().contains("thresholds are given for posgres, and nothing of that name is judged"),
        "{}",
        output.stdout
    );
    assert_eq!(host.run(&[&options[..], &["postgres:memory_used_percent=3"]].concat()).code, 1, "4 % are used");
    assert_eq!(host.run(&[&options[..], &["post*:memory_used_percent=80"]].concat()).code, 0);
    assert_eq!(host.run(&[&options[..], &["deploy:services_up=5"]].concat()).code, 0);
}

#[test]
fn memory_without_a_limit_is_judged_only_by_a_threshold_of_its_own() {
    let host = Host::new(DOCKER);
    let code = |options: &[&str]| host.run(&[&["--container", "deploy_kwanza_1"], options].concat()).code;
    assert_eq!(code(&[]), 0);
    assert_eq!(code(&["-w", "memory_used_percent=0.01"]), 1, "0.02 % of the host's are used");
    assert_eq!(code(&["-w", "memory_used=4MiB"]), 1, "4.9 MiB are used");
}

#[test]
fn jobs_are_named_by_service_or_container() {
    let host = Host::new(DOCKER);
    for name in ["job", "deploy_job_1", "jo*", "deploy_*"] {
        let output = host.run(&["--container", "deploy_job_1", "--allow-exited", name]);
        assert_eq!(output.code, 0, "{name}: {}", output.stdout);
    }
    // One that failed is no job that is done.
    let failed = host.run(&["--container", "deploy_nospace_1", "--allow-exited", "nospace"]);
    assert_eq!(failed.code, 2, "{}", failed.stdout);
}

#[test]
fn figures_may_be_left_out_and_sizes_asked_for() {
    let host = Host::of(&Engine::recorded(DOCKER).with("deploy_kwanza_1", |value| value["SizeRw"] = json!(8_388_608)));
    let options = ["--container", "deploy_kwanza_1", "-v"];
    let bare = host.run(&[&options[..], &["--stats", "none"]].concat());
    assert_eq!(bare.code, 0, "{}", bare.stdout);
    assert!(!bare.stdout.contains("memory_used") && !bare.stdout.contains("cpu"), "{}", bare.stdout);
    let sized = host.run(&[&options[..], &["--size", "-w", "size_rw=8000000"]].concat());
    assert_eq!(sized.code, 1, "{}", sized.stdout);
    assert!(host.requests().iter().any(|target| target.ends_with("/json?size=1")));
}

#[test]
fn ok_image_that_is_not_there() {
    let host = Host::of(&Engine::recorded(DOCKER).answers(
        "/images/sirenia/busybox:1/json",
        support::http::Answer::status(404, r#"{"message":"No such image: sirenia/busybox:1"}"#),
    ));
    let output = host.run(&["--container", "deploy_postgres_1", "--image-drift", "-v"]);
    assert_eq!(output.code, 0, "{}", output.stdout);
    assert!(output.stdout.contains("image sirenia/busybox:1: it answers HTTP 404: No such image"), "{}", output.stdout);
}

#[test]
fn options_that_make_no_sense_are_one_line() {
    for (options, expected) in [
        (&["--service", ""][..], "--service needs a name"),
        (&["--container", ""], "--container needs a name"),
        (&["--allow-exited", ""], "--allow-exited needs a name"),
        (&["--profile", "x"], "--profile needs a compose file: --compose-file or --deploy-dir"),
        (&["--sample", "10ms"], "--sample must be 100ms or longer"),
        (&["--sample", "20s"], "--sample must be shorter than --timeout"),
        (&["--sample", "-1s"], "--sample"),
        (&["--grace", "soon"], "--grace"),
        (&["--grace", "-1s"], "--grace"),
        (&["--log-lines", "0"], "--log-lines"),
        (&["--log-lines", "-5"], "--log-lines"),
        (&["--stats", "apis"], "a similar value exists: 'api'"),
        (&["--compose-file", "a", "--deploy-dir", "b"], "--compose-file"),
        (&["-w", "memory=80"], "memory"),
        (&["-w", "80"], "80"),
        (&["-c", "uptime=80B"], "uptime"),
        (&["kwanza"], "kwanza"),
    ] {
        let output = support::run::Run::new(crate::host::binary()).args(options).output();
        assert_eq!((output.code, output.stdout.lines().count()), (3, 1), "{options:?}: {}", output.stdout);
        assert!(output.first_line().starts_with("CONTAINERS UNKNOWN - "), "{options:?}: {}", output.stdout);
        assert!(output.first_line().contains(expected), "{options:?}: {}", output.stdout);
    }
    for (address, expected) in [
        ("nonsense", "write unix:///PATH or tcp://HOST:PORT"),
        ("ssh://root@host", "run the check on the Docker host itself"),
        ("tcp://host:port", "is not tcp://HOST:PORT"),
    ] {
        let output = support::run::Run::new(crate::host::binary()).args(["-H", address]).output();
        assert_eq!((output.code, output.stdout.lines().count()), (3, 1), "{}", output.stdout);
        assert!(output.first_line().contains(expected), "{address}: {}", output.stdout);
    }
}
