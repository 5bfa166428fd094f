//! Podman behind the socket that speaks as Docker's does.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use support::live::{Process, eventually, need_root};
use support::need;
use support::tool::run;
use tempfile::TempDir;

use crate::check::{Check, assert_golden_text, without_disks};

/// Podman on its own, which ends with this value and takes its containers along.
struct Podman {
    server: Option<Process>,
    directory: TempDir,
}

impl Podman {
    #[track_caller]
    fn start() -> Self {
        need_root();
        let podman = need("podman", "apt-get install podman").display().to_string();
        let directory = tempfile::Builder::new().prefix("podman-").tempdir().unwrap();
        let path = |name: &str| directory.path().join(name).display().to_string();
        // runc may not raise the limits to those that Podman asks for by default.
        let limits = "[containers]\ndefault_ulimits = [\"nofile=1024:1024\", \"nproc=1024:1024\"]\n";
        std::fs::write(path("containers.conf"), limits).unwrap();
        let mut arguments: Vec<String> = Vec::new();
        for (option, value) in [("--root", path("root")), ("--runroot", path("run")), ("--tmpdir", path("tmp"))] {
            arguments.extend([option.to_owned(), value]);
        }
        arguments.extend(["--cgroup-manager", "cgroupfs", "system", "service", "-t", "0"].map(str::to_owned));
        arguments.push(format!("unix://{}", path("podman.sock")));
        let server = Process::spawn(&podman, &arguments, "TERM", |command| {
            command.env("CONTAINERS_CONF", path("containers.conf")).stdout(Stdio::null()).stderr(Stdio::null())
        });
        let podman = Self { server: Some(server), directory };
        eventually("podman to answer", || podman.docker(&["version"]).is_ok());
        podman.import();
        podman
    }

    fn address(&self) -> String {
        format!("unix://{}", self.directory.path().join("podman.sock").display())
    }

    /// Runs `docker`, which does not notice whom it talks to.
    fn docker(&self, arguments: &[&str]) -> Result<String, String> {
        let mut command = Command::new(need("docker", "apt-get install docker.io"));
        let output = command.env("DOCKER_HOST", self.address()).args(arguments).stdin(Stdio::null()).output();
        let output = output.map_err(|error| error.to_string())?;
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).trim().to_owned();
        if output.status.success() { Ok(text(&output.stdout)) } else { Err(text(&output.stderr)) }
    }

    /// Makes the image: a busybox and nothing else.
    #[track_caller]
    fn import(&self) {
        let (tree, archive) = (self.directory.path().join("tree"), self.directory.path().join("image.tar"));
        std::fs::create_dir_all(tree.join("bin")).unwrap();
        let busybox = need("busybox", "apt-get install busybox-static");
        std::fs::copy(busybox, tree.join("bin/busybox")).unwrap();
        let archive = archive.display().to_string();
        run("tar", &["-C", &tree.display().to_string(), "-cf", &archive, "."]);
        self.docker(&["import", &archive, "sirenia-test-busybox"]).unwrap();
    }
}

impl Drop for Podman {
    fn drop(&mut self) {
        let names = self.docker(&["ps", "--all", "--quiet"]).unwrap_or_default();
        for name in names.lines() {
            let _ = self.docker(&["rm", "--force", name]);
        }
        self.server = None;
        let mounts = std::fs::read_to_string("/proc/self/mounts").unwrap_or_default();
        let mine = mounts.lines().filter_map(|line| line.split(' ').nth(1));
        let mine: Vec<&str> = mine.filter(|path| Path::new(path).starts_with(self.directory.path())).collect();
        // The deepest first.
        for path in mine.iter().rev() {
            let _ = Command::new("umount").args(["--lazy", path]).status();
        }
        remove_groups();
    }
}

/// Podman leaves the groups above those of its containers and of their monitors, which end a moment after them. A group
/// that is in use stays.
fn remove_groups() {
    let root = Path::new("/sys/fs/cgroup");
    let hierarchies = std::fs::read_dir(root).into_iter().flatten().flatten().map(|entry| entry.path());
    let groups: Vec<PathBuf> = hierarchies.chain([root.to_owned()]).map(|path| path.join("libpod_parent")).collect();
    let end = Instant::now() + Duration::from_secs(2);
    while groups.iter().any(|group| group.exists()) && Instant::now() < end {
        for group in &groups {
            let _ = std::fs::remove_dir(group.join("conmon"));
            let _ = std::fs::remove_dir(group);
        }
        thread::sleep(Duration::from_millis(20));
    }
}

#[test]
fn podman_is_watched_as_docker_is() {
    let podman = Podman::start();
    let busybox = ["sirenia-test-busybox", "/bin/busybox"];
    for (network, name) in [("none", "pod_alone"), ("host", "pod_host")] {
        let options = ["run", "-d", "--network", network, "--name", name, "--memory", "64m"];
        podman.docker(&[&options[..], &busybox, &["sleep", "600"]].concat()).unwrap();
    }
    let fault = ["sh", "-c", "echo 'No space left on device' >&2; exit 1"];
    let options = ["run", "-d", "--network", "none", "--name", "pod_ended"];
    podman.docker(&[&options[..], &busybox, &fault].concat()).unwrap();
    let options = ["create", "--network", "none", "--name", "pod_created"];
    podman.docker(&[&options[..], &busybox, &["true"]].concat()).unwrap();
    eventually("the container to end", || {
        podman.docker(&["inspect", "-f", "{{.State.Status}}", "pod_ended"]).is_ok_and(|status| status == "exited")
    });

    let address = podman.address();
    for source in ["auto", "api"] {
        let check = Check::new(&address, ["--stats", source]);
        // Times of creation are whole seconds.
        eventually("its age to be told", || check.run(&[]).text().contains("created and not started, for "));
        // Podman's API tells one reading at a time, and two of the same moment tell no rate.
        thread::sleep(Duration::from_secs(1));
        let said = check.run(&["-v"]);
        said.has_code(2)
            .says_not("baseline taken")
            .headlines("CONTAINERS CRITICAL - pod_ended exited 1 ")
            .headlines(" ago: disk full; ");
        said.headlines("2 of 4 containers up");
        said.line("[WARNING] pod_created: created and not started");
        for name in ["pod_alone", "pod_host"] {
            assert_eq!((said.figure(&format!("{name}:up")), said.figure(&format!("{name}:pids"))), (1.0, 1.0));
            assert_eq!(said.figure(&format!("{name}:memory_limit")), 64.0 * 1024.0 * 1024.0);
            assert!(said.figure(&format!("{name}:memory_used")) < 8.0 * 1024.0 * 1024.0, "{}", said.text());
        }
        assert!(!said.figures.contains_key("pod_host:rx_bytes_per_second"), "{}", said.text());
        assert_golden_text(&format!("podman/{source}"), &without_disks(said.text()), &[(&address, "{engine}")]);
    }
    for (name, code, words) in [
        ("pod_alone", 0, "1 of 1 container up"),
        ("pod_ended", 2, "pod_ended exited 1 "),
        ("pod_created", 1, "pod_created created and not started"),
    ] {
        Check::new(&address, ["--container", name]).run(&[]).has_code(code).headlines(words);
    }
}
