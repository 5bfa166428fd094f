//! Runs of a user who may not see everything.

use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;

use support::run::Run;

use crate::host::{DOCKER, Engine, Host, binary};

fn allow(path: PathBuf, mode: u32) {
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).unwrap();
}

/// Runs the check as `nobody`; as an ordinary user the tests are unprivileged already.
fn run_as_nobody(host: &Host, arguments: &[&str]) -> support::run::Output {
    let id = support::tool::run("id", &["-u"]);
    // The build directory may be closed to nobody.
    let directory = tempfile::tempdir().unwrap();
    let program = directory.path().join("check_containers");
    std::fs::copy(binary(), &program).unwrap();
    allow(directory.path().to_owned(), 0o755);
    allow(host.directory.path().to_owned(), 0o755);
    allow(host.state.path().to_owned(), 0o1777);
    let run = if id.trim() == "0" {
        Run::new(support::tool::need("setpriv", "apt-get install util-linux"))
            .args(["--reuid", "65534", "--regid", "65534", "--clear-groups"])
            .arg(&program)
    } else {
        Run::new(&program)
    };
    // Behind the program, where setpriv does not take it for its own.
    let state = host.state.path().display().to_string();
    run.args(host.options()).args(arguments).args(["--state-dir", &state]).no_state_dir().output()
}

#[test]
fn unknown_socket_without_permission() {
    let host = Host::new(DOCKER);
    allow(host.path("docker.sock"), 0o600);
    let output = run_as_nobody(&host, &[]);
    assert_eq!(output.code, 3, "{}{}", output.stdout, output.stderr);
    assert!(output.first_line().contains("permission denied on unix://"), "{}", output.stdout);
    assert!(output.stdout.contains("-> add the monitoring user to the group docker"), "{}", output.stdout);
}

#[test]
fn ok_groups_that_may_not_be_read_are_asked_of_the_engine() {
    let host = Host::of(&Engine::recorded(DOCKER));
    allow(host.path("docker.sock"), 0o666);
    allow(host.path("sys/fs/cgroup"), 0o000);
    let output = run_as_nobody(&host, &["--container", "deploy_postgres_1", "-vv"]);
    assert_eq!(output.code, 0, "{}{}", output.stdout, output.stderr);
    assert!(output.stdout.contains("figures from the Engine API"), "{}", output.stdout);
}

#[test]
fn unknown_files_without_permission() {
    let host = Host::new(DOCKER);
    allow(host.path("docker.sock"), 0o666);
    let directory = host.project_file("docker-compose.yml", "services: {postgres: {image: postgres}}\n");
    host.project_file(".env", "A=1\n");
    allow(host.path("deploy/.env"), 0o600);
    let run = |expected: &str| {
        let output = run_as_nobody(&host, &["--deploy-dir", &directory]);
        assert_eq!(output.code, 3, "{}{}", output.stdout, output.stderr);
        let expected = format!("{expected}: permission denied");
        assert!(output.first_line().contains(&expected), "{}", output.stdout);
    };
    run("deploy/.env");
    allow(host.path("deploy/.env"), 0o644);
    allow(host.path("deploy/docker-compose.yml"), 0o600);
    run("deploy/docker-compose.yml");
}
