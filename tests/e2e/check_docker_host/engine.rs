//! The engine as it runs, ends and hangs, and its data.

use std::time::Duration;

use support::live::{Engine, eventually};

use crate::check::Check;

#[test]
fn what_docker_keeps_is_told_when_its_disk_fills_up() {
    let engine = Engine::given();
    let script = "i=0; while [ $i -lt 2000 ]; do echo 0123456789012345678901234567890123456789; i=$((i+1)); done; \
                  exec /bin/busybox sleep 600";
    let _talker = engine.container("deploy_talker_1", &[], script);
    let _leftover = engine.container("deploy_leftover_1", &[], "head -c 100000 /dev/zero > /leftover");
    let check = Check::new(["--docker-host", &engine.address(), "--only", "docker,disk"]);
    let full = ["-c", "docker_root_used_percent=0", "-c", "*:used_percent=0"];
    eventually("the other container to have ended", || {
        engine
            .docker(&["ps", "--filter", "status=exited", "--format", "{{.Names}}"])
            .is_ok_and(|names| names.contains("deploy_leftover_1"))
    });
    eventually("the container to have talked", || {
        engine.docker(&["logs", "deploy_talker_1"]).is_ok_and(|log| log.lines().count() == 2000)
    });
    let said = check.run(&full);
    said.has_code(2).says("largest container logs:").line("Docker keeps its data here, see the group docker");
    let log = said.line(" deploy_talker_1");
    assert!(log.ends_with(" KiB deploy_talker_1"), "{log}");
    assert!(said.line("docker could free ").contains(" of stopped containers"), "{}", said.text());
    said.headlines("disk of docker's data ");
    check.run(&[]).says_not("container logs").says_not("could free");
}

#[test]
fn an_engine_that_ends_or_hangs_is_critical() {
    let mut engine = Engine::start(&[]);
    let groups = ["--only", "docker,disk,memory", "--mount", "/", "-t", "2s"];
    let check = Check::new(["--docker-host", &engine.address()].iter().chain(&groups));
    check.run(&[]).has_code(0).headlines(" with 0 running");

    engine.server().stop();
    let said = check.run(&[]);
    let sentence = format!("docker: the engine at {} accepts connections and does not answer", engine.address());
    said.has_code(2).headlines(&sentence);
    assert!(said.output.elapsed <= Duration::from_millis(2500), "{:?}", said.output.elapsed);
    for label in ["docker_root_used_percent", "memory_used_percent", "/:used_percent"] {
        said.figure(label);
    }
    engine.server().signal("CONT");
    check.run(&[]).has_code(0);

    engine.end();
    for _ in 0..2 {
        let said = check.run(&["-c", "docker_root_used_percent=0"]);
        said.has_code(2).headlines(&format!("docker: the engine is down, there is no socket at {}", engine.address()));
        said.headlines("disk of docker's data ");
        said.line("-> systemctl start docker");
        assert!(said.output.elapsed <= Duration::from_secs(1), "{:?}", said.output.elapsed);
    }
}

#[test]
fn an_engine_is_found_by_environment_and_over_tcp() {
    // The kernel gives a port, which is free again at once.
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let tcp = format!("tcp://127.0.0.1:{port}");
    let mut engine = Engine::start(&[&tcp]);
    let root = engine.root();
    for address in [&tcp, &engine.address()] {
        let check = Check::new(["--only", "docker", "-v"]);
        let output = check.command().env("DOCKER_HOST", address).output();
        assert_eq!((output.code, output.stderr.as_str()), (0, ""), "{address}: {}", output.stdout);
        assert!(output.stdout.contains(&format!("data in {root} on a filesystem")), "{}", output.stdout);
        Check::new(["--only", "docker", "--docker-host", address]).run(&[]).has_code(0);
    }
    engine.end();
    let said = Check::new(["--only", "docker", "--docker-host", &tcp]).run(&[]);
    said.has_code(2).headlines(&format!("docker: the engine is down, nothing listens at {tcp}"));
}
