//! Runs of a user who may not see everything.

use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;

use support::run::Run;

use crate::host::{Host, binary, healthy_engine, scenario};

#[test]
fn unknown_socket_without_permission() {
    let run = Unprivileged::new();
    let host = Host::new("healthy").with_engine(healthy_engine);
    Unprivileged::may_enter(&host);
    let socket = host.path("docker.sock");
    std::fs::set_permissions(&socket, std::fs::Permissions::from_mode(0o600)).unwrap();
    let output = run.run(&host, &["--only", "docker"]);
    assert_eq!(output.code, 3, "{}{}", output.stdout, output.stderr);
    assert!(output.first_line().contains("permission denied on unix://"), "{}", output.stdout);
    assert!(output.stdout.contains("-> add the monitoring user to the group docker"), "{}", output.stdout);
}

#[test]
fn ok_what_is_hidden_is_counted() {
    let run = Unprivileged::new();
    let host = Host::new("healthy");
    Unprivileged::may_enter(&host);
    for pid in [812, 1500, 1600] {
        let fd = host.path(&format!("proc/{pid}/fd"));
        std::fs::set_permissions(fd, std::fs::Permissions::from_mode(0o000)).unwrap();
    }
    let stat = host.path("proc/1700/stat");
    std::fs::set_permissions(stat, std::fs::Permissions::from_mode(0o000)).unwrap();
    host.compare("ok_what_is_hidden_is_counted", &run.run(&host, &["-v"]));
}

/// Runs the check as `nobody`; as an ordinary user the tests are unprivileged already.
struct Unprivileged {
    program: PathBuf,
    is_root: bool,
    _directory: tempfile::TempDir,
}

impl Unprivileged {
    fn new() -> Self {
        let id = support::tool::run("id", &["-u"]);
        // The build directory may be closed to nobody.
        let directory = tempfile::tempdir().unwrap();
        let program = directory.path().join("check_docker_host");
        std::fs::copy(binary(), &program).unwrap();
        std::fs::set_permissions(directory.path(), std::fs::Permissions::from_mode(0o755)).unwrap();
        Self { program, is_root: id.trim() == "0", _directory: directory }
    }

    /// Lets it enter the directories of `host`, which are closed to others.
    fn may_enter(host: &Host) {
        for (directory, mode) in [(&host.directory, 0o755), (&host.state, 0o1777)] {
            std::fs::set_permissions(directory.path(), std::fs::Permissions::from_mode(mode)).unwrap();
        }
    }

    fn run(&self, host: &Host, arguments: &[&str]) -> support::run::Output {
        let run = if self.is_root {
            Run::new(support::tool::need("setpriv", "apt-get install util-linux"))
                .args(["--reuid", "65534", "--regid", "65534", "--clear-groups"])
                .arg(&self.program)
        } else {
            Run::new(&self.program)
        };
        // Behind the program, where setpriv does not take it for its own.
        let state = host.state.path().display().to_string();
        run.args(host.options()).args(arguments).args(["--state-dir", &state]).no_state_dir().output()
    }
}

#[test]
fn unknown_where_the_processes_of_others_are_hidden() {
    // As with the option hidepid of /proc, which shows a user its own processes alone.
    let output = Host::of(&scenario("healthy").without("proc/1")).run(&["--only", "processes,files,memory"]);
    assert_eq!(output.code, 3, "{}", output.stdout);
    assert!(output.first_line().contains("the processes of other users are hidden"), "{}", output.stdout);
    assert!(output.stdout.contains("mount /proc with the option gid="), "{}", output.stdout);
}
