//! Services that do not come up or do not stay up. Each names its cause in the first line.

use std::net::TcpListener;

use support::live::{Engine, Mount, eventually};
use support::stand::Stand;

use crate::check::{Check, Said, assert_golden, becomes, compose, deployment, inspect};

const EXITED: &str = "{{.State.Status}}";

/// A run that watches `service` alone; compared with the golden file `faults/SERVICE`.
#[track_caller]
fn alone(engine: &Engine, stand: &Stand, service: &str, code: i32, cause: &str) -> Said {
    let said = Check::of(stand, engine, &["--service", service]).run(&[]);
    said.has_code(code).headlines(cause);
    golden(&format!("faults/{service}"), &said, stand);
    said
}

#[track_caller]
fn golden(name: &str, said: &Said, stand: &Stand) {
    assert_golden(name, said, &[(&stand.folder().display().to_string(), "{deploy}")]);
}

#[test]
fn what_ends_says_why() {
    let engine = Engine::given();
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port().to_string();
    let stand = deployment(&engine, "faults", include_str!("deploy/faults.yml"), &format!("TAKEN_PORT={port}\n"));
    let ending = ["memory", "disk", "files", "readonly", "damaged", "silent", "crashed", "job"];
    compose(&stand, &[&["up", "-d", "worker", "loop"], &ending[..]].concat());
    for service in ending {
        becomes(&engine, &format!("faults_{service}_1"), EXITED, "exited");
    }

    let said = alone(&engine, &stand, "memory", 2, "memory exited 137 (SIGKILL) ");
    said.headlines(" ago: out of memory; 0 of 1 service up").says("its limit is 16 MiB");
    assert_eq!(said.figure("memory:oom_kills"), 1.0);
    assert_eq!(inspect(&engine, "faults_memory_1", "{{.State.ExitCode}} {{.State.OOMKilled}}"), "137 true");

    eventually("a process of the worker to be killed", || {
        engine.docker(&["top", "faults_worker_1"]).is_ok_and(|top| top.contains("sleep 600"))
    });
    let said = alone(&engine, &stand, "worker", 2, "worker kills for lack of memory in the last hour: 1");
    assert_eq!((said.figure("worker:oom_kills"), said.figure("worker:up")), (1.0, 1.0));
    assert_eq!(said.figure("worker:memory_limit"), 16.0 * 1024.0 * 1024.0);

    alone(&engine, &stand, "disk", 2, " ago: disk full; ").says("No space left on device");
    alone(&engine, &stand, "files", 2, " ago: too many open files; ").says("Too many open files");
    alone(&engine, &stand, "readonly", 2, " ago: corrupt file system; ").says("Read-only file system");
    alone(&engine, &stand, "damaged", 2, " ago: corrupt file system; ").says("Structure needs cleaning");
    alone(&engine, &stand, "silent", 2, "silent exited 3 ");
    alone(&engine, &stand, "crashed", 2, "crashed exited 139 (SIGSEGV) ");

    // A job that is none, and one.
    let said = alone(&engine, &stand, "job", 2, "job exited 0 ");
    said.says("--allow-exited");
    let said = Check::of(&stand, &engine, &["--service", "job", "--allow-exited", "job"]).run(&["-v"]);
    said.has_code(0).headlines("1 of 1 service up").says("its work is done");
    golden("faults/job_allowed", &said, &stand);
    assert_eq!(said.figure("job:up"), 1.0);
    let said = Check::of(&stand, &engine, &["--service", "silent", "--allow-exited", "silent"]).run(&[]);
    said.has_code(2).headlines("silent exited 3 ");

    restarts(&engine, &stand);
    never_started(&engine, &stand, &port);

    // All of it, and what was never created.
    let said = Check::of(&stand, &engine, &["--grace", "1ms"]).run(&[]);
    said.has_code(2).headlines("1 of 12 services up");
    for service in [&ending[..], &["command", "port", "loop"]].concat() {
        assert_eq!(said.figure(&format!("{service}:up")), 0.0, "{service}");
        said.line(&format!("[CRITICAL] {service}: "));
    }
    drop(taken);
}

/// A service that ends as often as it is started.
#[track_caller]
fn restarts(engine: &Engine, stand: &Stand) {
    // The pauses between become longer: 3.2 s after the fifth.
    let count = || inspect(engine, "faults_loop_1", "{{.State.Status}} {{.RestartCount}}");
    eventually("the loop to pause", || {
        count().strip_prefix("restarting ").is_some_and(|count| count.parse::<u32>().unwrap() >= 5)
    });
    let check = Check::of(stand, engine, &["--service", "loop"]);
    let said = check.run(&[]);
    said.has_code(2).headlines("loop restarting, last exit code 3 ").headlines("restarts in the last hour: ");
    said.says("fatal: Failed to read licence: file is empty");
    let restarts = said.figure("loop:restarts");
    assert!(restarts >= 5.0, "{}", said.text());
    let folder = stand.folder().display().to_string();
    let counts = [format!("last hour: {restarts}"), format!("loop:restarts={restarts}")];
    let masks = [(folder.as_str(), "{deploy}"), (&counts[0], "last hour: {n}"), (&counts[1], "loop:restarts={n}")];
    assert_golden("faults/loop", &said, &masks);
    // Whichever of its states the next run meets.
    let said = check.run(&["--grace", "1ms"]);
    said.has_code(2).headlines("loop ");
}

/// Containers that are created, and that the engine cannot start.
#[track_caller]
fn never_started(engine: &Engine, stand: &Stand, port: &str) {
    let refused = stand.compose(&["up", "-d", "port"]).unwrap_err();
    assert!(refused.contains("address already in use"), "{refused}");
    let said = Check::of(stand, engine, &["--service", "port"]).run(&[]);
    said.has_code(2).headlines("port could not be started: port in use; ");
    let folder = stand.folder().display().to_string();
    assert_golden("faults/port", &said, &[(&folder, "{deploy}"), (port, "{port}")]);
    said.says("address already in use").says("-> ss -ltnp shows who has the port");

    let refused = stand.compose(&["up", "-d", "command"]).unwrap_err();
    assert!(refused.contains("executable file not found"), "{refused}");
    alone(engine, stand, "command", 2, "command could not be started: wrong command; ");
}

#[test]
fn a_full_disk_keeps_postgres_from_starting() {
    let engine = Engine::given();
    let disk = Mount::tmpfs("96m");
    let file = std::fs::read_to_string(concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../../tests/e2e/backend/deploy/docker-compose.yml"
    ));
    let file = file.unwrap().replace("- postgres:/var", "- ${DATA}:/var");
    let stand = deployment(&engine, "full", &file, &format!("DATA={}\n", disk.name()));
    compose(&stand, &["up", "-d", "postgres"]);
    let logs = || compose(&stand, &["logs", "--no-color", "postgres"]);
    eventually("postgres to be ready", || logs().contains("database system is ready to accept connections"));
    let check = Check::of(&stand, &engine, &["--service", "postgres"]);
    check.run(&[]).has_code(0).headlines("1 of 1 service up");

    // What it frees when it stops is taken too.
    compose(&stand, &["stop", "postgres"]);
    disk.fill(100);
    compose(&stand, &["start", "postgres"]);
    becomes(&engine, "full_postgres_1", EXITED, "exited");
    let said = check.run(&[]);
    said.has_code(2).headlines("postgres exited 1 ").headlines(" ago: disk full; 0 of 1 service up");
    said.says("No space left on device").says("-> df -h; docker system df").says("-> docker-compose up postgres");
    golden("faults/postgres_full", &said, &stand);

    // Room again, and the guide's last step.
    std::fs::remove_file(disk.path().join("filler")).unwrap();
    compose(&stand, &["up", "-d", "postgres"]);
    eventually("postgres to be ready again", || check.run(&[]).output.code == 0);
}
