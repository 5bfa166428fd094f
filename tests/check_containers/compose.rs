//! What should be there by a compose file, and files that are none.

use std::path::Path;

use support::run::Output;

use crate::host::{DOCKER, DOCKER_26, Engine, FIXTURES, Host, figure};

/// The services of the recorded project.
fn project() -> String {
    std::fs::read_to_string(Path::new(FIXTURES).join("engines/deploy/docker-compose.yml")).unwrap()
}

/// The guide's three services, which are up.
const GUIDE: &str = "services:\n  postgres: {image: a}\n  kwanza: {image: b}\n  cuesta: {image: c}\n";
const THREE: [&str; 3] = ["deploy_postgres_1", "deploy_kwanza_1", "deploy_cuesta_1"];

fn guide() -> Host {
    Host::of(&Engine::recorded(DOCKER).with_only(&THREE))
}

/// A run with the files `name, text` in the directory of the project, as `--deploy-dir`.
#[track_caller]
fn deployed(files: &[(&str, &str)], arguments: &[&str]) -> Output {
    let host = guide();
    let mut directory = host.project_file("docker-compose.yml", GUIDE);
    for (name, text) in files {
        directory = host.project_file(name, text);
    }
    host.run(&[&["--deploy-dir", &directory], arguments].concat())
}

#[test]
fn critical_whole_project() {
    let host = Host::new(DOCKER);
    let directory = host.project_file("docker-compose.yml", project());
    host.assert(
        "critical_whole_project",
        &["--deploy-dir", &directory, "--allow-exited", "job", "--allow-exited", "long_*"],
    );
}

#[test]
fn critical_whole_project_26() {
    let host = Host::new(DOCKER_26);
    let directory = host.project_file("docker-compose.yml", project());
    host.assert("critical_whole_project_26", &["--deploy-dir", &directory, "-v"]);
}

#[test]
fn ok_project_of_the_guide() {
    let host = guide();
    let directory = host.project_file("docker-compose.yml", GUIDE);
    host.assert("ok_project_of_the_guide", &["--deploy-dir", &directory, "-v"]);
}

#[test]
fn critical_service_without_a_container() {
    let host = guide();
    let directory = host.project_file("docker-compose.yml", format!("{GUIDE}  stats: {{image: d}}\n"));
    host.assert("critical_service_without_a_container", &["--deploy-dir", &directory]);
}

#[test]
fn critical_project_that_is_down() {
    let host = Host::of(&Engine::recorded(DOCKER).with_only(&[]));
    let directory = host.project_file("docker-compose.yml", GUIDE);
    host.assert("critical_project_that_is_down", &["--deploy-dir", &directory]);
}

#[test]
fn critical_too_few_replicas() {
    let host = Host::of(&Engine::recorded(DOCKER).with_only(&["deploy_scaled_1", "deploy_scaled_2"]));
    let directory = host.project_file("docker-compose.yml", "services:\n  scaled:\n    image: a\n    scale: 3\n");
    host.assert("critical_too_few_replicas", &["--deploy-dir", &directory]);
    host.project_file("docker-compose.yml", "services:\n  scaled:\n    image: a\n    deploy: {replicas: 2}\n");
    assert_eq!(host.run(&["--deploy-dir", &directory]).code, 0);
}

#[test]
fn ok_orphans_are_counted_and_listed() {
    let output = deployed(&[("docker-compose.yml", "services:\n  postgres: {image: a}\n")], &["-v"]);
    assert_eq!(output.code, 0, "{}", output.stdout);
    assert!((figure(&output, "deploy:orphans") - 2.0).abs() < 0.1, "{}", output.stdout);
    assert!(
        output.stdout.contains("deploy_kwanza_1: an orphan, the compose file has no such service"),
        "{}",
        output.stdout
    );
    let strict = deployed(&[("docker-compose.yml", "services:\n  postgres: {image: a}\n")], &["-w", "orphans=0"]);
    assert_eq!(strict.code, 1, "{}", strict.stdout);
}

#[test]
fn profiles_are_chosen() {
    let files = [("docker-compose.yml", &*format!("{GUIDE}  tools: {{image: d, profiles: [debug]}}\n"))];
    assert_eq!(deployed(&files, &[]).code, 0);
    let missing = deployed(&files, &["--profile", "debug"]);
    assert!(missing.first_line().contains("tools has no container"), "{}", missing.stdout);
    let by_file = deployed(&[files[0], (".env", "COMPOSE_PROFILES=other, debug\n")], &[]);
    assert!(by_file.first_line().contains("tools has no container"), "{}", by_file.stdout);
    // A service that is asked for by name is expected, whatever its profile.
    let named = deployed(&files, &["--service", "tools"]);
    assert!(named.first_line().contains("tools has no container"), "{}", named.stdout);
    let alone = guide().run(&["--profile", "debug"]);
    assert_eq!(alone.code, 3);
    assert!(alone.first_line().contains("--profile needs a compose file"), "{}", alone.stdout);
}

#[test]
fn the_environment_comes_before_the_env_file() {
    let host = guide();
    let directory =
        host.project_file("docker-compose.yml", format!("{GUIDE}  x: {{image: a, scale: '${{COUNT:-0}}'}}\n"));
    let run = |count: &str| {
        let run = host.start(&["--deploy-dir", &directory]);
        if count.is_empty() { run.output() } else { run.env("COUNT", count).output() }
    };
    assert_eq!(run("").code, 0);
    host.project_file(".env", "COUNT=2\n");
    assert_eq!(run("").code, 2);
    assert_eq!(run("0").code, 0);
}

#[test]
fn further_files_are_read() {
    // An override beside it, as docker-compose takes it.
    let output = deployed(&[("docker-compose.override.yml", "services:\n  extra: {image: x}\n")], &[]);
    assert!(output.first_line().contains("extra has no container"), "{}", output.stdout);
    // Files that COMPOSE_FILE names.
    let files = [("a.yml", "services:\n  b: {image: x}\n"), (".env", "COMPOSE_FILE=docker-compose.yml:a.yml\n")];
    let output = deployed(&files, &[]);
    assert!(output.first_line().contains("b has no container"), "{}", output.stdout);
    // Included and extended.
    let text = format!("include: [sub.yml]\n{GUIDE}  more: {{extends: {{file: sub.yml, service: base}}}}\n");
    let sub = "services:\n  base: {image: x, scale: 2}\n";
    let output = deployed(&[("docker-compose.yml", &text), ("sub.yml", sub)], &[]);
    assert!(
        output.stdout.contains("base: has no container") && output.stdout.contains("more: has no container"),
        "{}",
        output.stdout
    );
    let output = deployed(&[("docker-compose.yml", "include: [docker-compose.yml]\nservices: {}\n")], &[]);
    assert_eq!(output.code, 3, "{}", output.stdout);
    // Two that options name; the later one wins.
    let host = guide();
    let directory = host.project_file("a.yml", format!("{GUIDE}  d: {{image: d}}\n"));
    host.project_file("b.yml", "services: {d: {scale: 0}}\n");
    let both = [format!("{directory}/a.yml"), format!("{directory}/b.yml")];
    let options = ["--compose-file", &both[0], "--compose-file", &both[1], "--project", "deploy"];
    let output = host.run(&options);
    assert_eq!(output.code, 0, "{}", output.stdout);
    let output = host.run(&options[..2]);
    assert!(output.first_line().contains("d has no container"), "{}", output.stdout);
}

#[test]
fn the_projects_name_is_that_of_compose() {
    // The directory is called otherwise than the project, whose containers know their directory.
    let host = guide();
    host.project_file("docker-compose.yml", GUIDE);
    let moved = host.path("elsewhere");
    std::fs::rename(host.path("deploy"), &moved).unwrap();
    let directory = moved.display().to_string();
    let lost = host.run(&["--deploy-dir", &directory]);
    assert_eq!(lost.code, 2, "{}", lost.stdout);
    assert_eq!(host.run(&["--deploy-dir", &directory, "--project", "deploy"]).code, 0);
    std::fs::write(moved.join(".env"), "COMPOSE_PROJECT_NAME=deploy\n").unwrap();
    assert_eq!(host.run(&["--deploy-dir", &directory]).code, 0);
    std::fs::remove_file(moved.join(".env")).unwrap();
    std::fs::write(moved.join("docker-compose.yml"), format!("name: deploy\n{GUIDE}")).unwrap();
    assert_eq!(host.run(&["--deploy-dir", &directory]).code, 0);
}

/// Each is UNKNOWN in one line, which names the file.
#[test]
fn unknown_files_that_are_none() {
    let huge = "#".repeat(5 << 20);
    for (text, expected) in [
        ("", "it has no services"),
        ("hello", ""),
        ("services: [a]\n", ""),
        ("services:\n  a: {image: x\n", ""),
        ("services:\n  a: {scale: many}\n", "'many' is not a number of replicas"),
        ("services:\n  a: {scale: '${N:?say how many}'}\n", "variable N is not set: say how many"),
        ("include: [none.yml]\nservices: {}\n", "none.yml: no such file or directory"),
        ("\u{0}\u{1}\u{2}", ""),
        (huge.as_str(), "it is longer than 4 MiB"),
        ("services:\n  a: {environment: {PASSWORD: s3cret}, image: [\n", ""),
    ] {
        let output = deployed(&[("docker-compose.yml", text)], &[]);
        assert_eq!(output.code, 3, "{}", output.stdout);
        assert!(output.first_line().starts_with("CONTAINERS UNKNOWN - "), "{}", output.stdout);
        assert!(output.first_line().contains("deploy/") && output.first_line().contains(expected), "{}", output.stdout);
        assert!(!output.stdout.contains("s3cret"), "{}", output.stdout);
    }
    let host = guide();
    let directory = host.project_file("docker-compose.yml", b"services: \xff\xfe");
    let output = host.run(&["--deploy-dir", &directory]);
    assert!(output.first_line().contains("it is not UTF-8"), "{}", output.stdout);
    std::fs::remove_file(host.path("deploy/docker-compose.yml")).unwrap();
    let output = host.run(&["--deploy-dir", &directory]);
    assert!(output.first_line().contains("there is no docker-compose.yml or compose.yaml"), "{}", output.stdout);
    let output = host.run(&["--deploy-dir", "/proc/nonexistent"]);
    assert!(output.first_line().contains("/proc/nonexistent: no such file or directory"), "{}", output.stdout);
    let output = host.run(&["--compose-file", "/proc/self/none.yml"]);
    assert!(output.first_line().contains("/proc/self/none.yml: no such file or directory"), "{}", output.stdout);
    let output = host.run(&["--compose-file", &directory]);
    assert_eq!(output.code, 3, "{}", output.stdout);
    assert_eq!(host.requests().len(), 0, "the engine is not troubled");
}
