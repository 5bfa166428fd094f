//! Which server is asked, and servers that are not there.

use std::fs;

use support::live::eventually;
use support::postgres::Cluster;
use support::run::{Output, Run};

use crate::check::wait_for;

/// A run with `arguments` as the superuser.
fn run(arguments: &[&str]) -> Run {
    Run::new(env!("CARGO_BIN_EXE_check_postgres")).args(["-U", "postgres", "-d", "postgres", "-v"]).args(arguments)
}

#[track_caller]
fn says(output: &Output, code: i32, words: &str) {
    assert_eq!((output.code, output.stderr.as_str()), (code, ""), "{}", output.stdout);
    assert!(output.first_line().contains(words), "{words:?} is expected in: {}", output.stdout);
}

#[track_caller]
fn connects_to(output: &Output, server: &str) {
    let words = format!("at {server}, PostgreSQL");
    assert!(output.stdout.contains(&words), "{words:?} is expected in: {}", output.stdout);
}

#[test]
fn the_server_is_found_by_every_source() {
    let cluster = Cluster::plan().start();
    let (socket, port) = (cluster.socket_dir().display().to_string(), cluster.port().to_string());
    let by_socket = format!("{socket}/.s.PGSQL.{port}");
    let by_address = format!("127.0.0.1:{port}");
    connects_to(&run(&["-H", &socket, "-p", &port]).output(), &by_socket);
    connects_to(&run(&["-H", "127.0.0.1", "-p", &port]).output(), &by_address);
    connects_to(&run(&["--dsn", &format!("postgresql://127.0.0.1:{port}")]).output(), &by_address);
    let encoded = socket.replace('/', "%2F");
    connects_to(&run(&["--dsn", &format!("postgresql://{encoded}:{port}/postgres")]).output(), &by_socket);
    connects_to(&run(&[]).env("PGHOST", &socket).env("PGPORT", &port).output(), &by_socket);
    // An option comes before all, a string before the environment.
    let all = run(&["-H", "127.0.0.1", "--dsn", &format!("host=/nonexistent port={port}")]);
    connects_to(&all.env("PGHOST", "nowhere").env("PGPORT", "1").output(), &by_address);
}

#[test]
fn servers_are_asked_in_turn_until_one_is_fit() {
    let primary = Cluster::plan().start();
    let standby = Cluster::plan().start_standby_of(&primary, None);
    let (first, second) = (primary.port().to_string(), standby.port().to_string());
    let ask = |role: &str| {
        let dsn = format!("host=127.0.0.1,127.0.0.1,127.0.0.1 port=1,{first},{second} target_session_attrs={role}");
        run(&["--dsn", &dsn]).output()
    };
    for (role, port) in [
        ("any", &first),
        ("primary", &first),
        ("read-write", &first),
        ("standby", &second),
        ("read-only", &second),
        ("prefer-standby", &second),
    ] {
        let output = ask(role);
        connects_to(&output, &format!("127.0.0.1:{port}"));
        assert!(output.stdout.contains("passed over: nothing listens at 127.0.0.1:1"), "{}", output.stdout);
    }
    drop(standby);
    connects_to(&ask("prefer-standby"), &format!("127.0.0.1:{first}"));
    let none = ask("standby");
    says(&none, 2, "none of 3 servers lets the check in");
    assert!(none.stdout.contains(&format!("127.0.0.1:{first} is not what is wanted")), "{}", none.stdout);
}

#[test]
fn critical_a_standby_where_a_primary_is_wanted() {
    let primary = Cluster::plan().start();
    let standby = Cluster::plan().start_standby_of(&primary, None);
    let port = standby.port().to_string();
    says(&run(&["-H", "127.0.0.1", "-p", &port, "--require-primary"]).output(), 2, "the server is a standby");
}

#[test]
fn critical_starting_up() {
    let mut cluster = Cluster::plan().setting("restore_command", "exec sleep 600").setting("hot_standby", "off").make();
    fs::write(cluster.data().join("recovery.signal"), "").unwrap();
    cluster.start_without_waiting();
    let port = cluster.port().to_string();
    let ask = || run(&["-H", "127.0.0.1", "-p", &port]).output();
    eventually("the server to listen", || !ask().stdout.contains("nothing listens"));
    says(&ask(), 2, &format!("127.0.0.1:{port} is starting up"));
}

#[test]
fn critical_a_standby_that_lets_nobody_in() {
    let primary = Cluster::plan().start();
    let mut standby = Cluster::plan().start_standby_of(&primary, None);
    standby.stop();
    standby.configure(&[("hot_standby", "off")]);
    standby.start_without_waiting();
    let port = standby.port().to_string();
    let ask = || run(&["-H", "127.0.0.1", "-p", &port]).output();
    eventually("recovery to go on", || ask().stdout.contains("is in recovery"));
    says(&ask(), 2, "is in recovery and lets nobody in");
}

#[test]
fn critical_shutting_down() {
    let cluster = Cluster::plan().start();
    let session = cluster.session("postgres", "SELECT 1");
    wait_for(&cluster, "SELECT count(*) FROM pg_stat_activity WHERE state = 'idle'", "1");
    // A smart shutdown waits for its clients.
    cluster.process().signal("TERM");
    let port = cluster.port().to_string();
    let ask = || run(&["-H", "127.0.0.1", "-p", &port]).output();
    eventually("the shutdown to begin", || ask().stdout.contains("shutting down"));
    says(&ask(), 2, &format!("127.0.0.1:{port} is shutting down"));
    drop(session);
}

#[test]
fn critical_too_many_clients() {
    let cluster = Cluster::plan().setting("max_connections", "5").hba("host all all 127.0.0.1/32 trust").start();
    cluster.psql("CREATE ROLE monitoring LOGIN");
    let sessions: Vec<_> = (0..2).map(|_| cluster.session("postgres", "SELECT 1")).collect();
    wait_for(&cluster, "SELECT count(*) FROM pg_stat_activity WHERE state = 'idle'", "2");
    let port = cluster.port().to_string();
    let monitoring = ["-H", "127.0.0.1", "-p", &port, "-U", "monitoring", "-d", "postgres"];
    let output = Run::new(env!("CARGO_BIN_EXE_check_postgres")).args(monitoring).output();
    says(&output, 2, "has too many clients");
    assert!(output.stdout.contains("pg_stat_activity"), "{}", output.stdout);
    drop(sessions);
}

#[test]
fn critical_down_by_socket_and_port() {
    let mut cluster = Cluster::plan().start();
    let (socket, port) = (cluster.socket_dir().display().to_string(), cluster.port().to_string());
    let file = format!("{socket}/.s.PGSQL.{port}");
    cluster.crash();
    says(&run(&["-H", "127.0.0.1", "-p", &port]).output(), 2, &format!("nothing listens at 127.0.0.1:{port}"));
    fs::remove_file(&file).ok();
    says(&run(&["-H", &socket, "-p", &port]).output(), 2, &format!("there is no socket {file}"));
    drop(std::os::unix::net::UnixListener::bind(&file).unwrap());
    says(&run(&["-H", &socket, "-p", &port]).output(), 2, &format!("nobody listens on the socket {file}"));
}

#[test]
fn critical_a_server_that_stands_still() {
    let cluster = Cluster::plan().start();
    let port = cluster.port().to_string();
    cluster.process().stop();
    let output = run(&["-H", "127.0.0.1", "-p", &port, "-t", "4s"]).output();
    says(&output, 2, "accepts connections and does not answer");
    cluster.process().signal("CONT");
}

#[test]
fn critical_a_server_that_falls_silent_in_a_statement() {
    let cluster = Cluster::plan().start();
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("query.sql");
    fs::write(&file, "SELECT 'x' AS name, 1 AS value FROM pg_sleep(60)").unwrap();
    let port = cluster.port().to_string();
    let arguments = ["-H", "127.0.0.1", "-p", &port, "-t", "4s", "--query-file"];
    std::thread::scope(|scope| {
        let output = scope.spawn(|| run(&arguments).arg(&file).output());
        let found = "FROM pg_stat_activity WHERE application_name = 'check_postgres' AND query LIKE '%pg_sleep%'";
        wait_for(&cluster, &format!("SELECT count(*) {found}"), "1");
        let pid = cluster.psql(&format!("SELECT pid {found}"));
        support::tool::run("kill", &["-STOP", &pid]);
        let output = output.join().unwrap();
        support::tool::run("kill", &["-CONT", &pid]);
        says(&output, 2, "let the check in and does not answer, waiting for the statement of --query-file");
    });
    // The request to cancel reached it, and no session is left.
    let left = "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'check_postgres'";
    wait_for(&cluster, left, "0");
}

#[test]
fn the_session_can_change_nothing() {
    let cluster = Cluster::plan().start();
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("query.sql");
    cluster.psql("CREATE SEQUENCE s");
    fs::write(&file, "SELECT 's' AS name, nextval('s') AS value").unwrap();
    let port = cluster.port().to_string();
    let output = run(&["-H", "127.0.0.1", "-p", &port, "--query-file"]).arg(&file).output();
    assert!(output.stdout.contains("read-only"), "{}", output.stdout);
    assert_eq!(cluster.psql("SELECT is_called FROM s"), "f");
}
