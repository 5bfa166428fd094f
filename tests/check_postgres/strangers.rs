//! Servers that are not there, refuse, or are something else.

use std::io::Write as _;
use std::time::Duration;

use support::http::{Answer, Server};
use support::live::Process;
use support::run::{Output, Run};

use crate::fake::{Fake, hear_out, let_in, message, question, startup};

fn ask(fake: &Fake, further: &[&str]) -> Output {
    let run = Run::new(env!("CARGO_BIN_EXE_check_postgres")).args(fake.arguments()).args(further);
    run.env("HOME", "/nonexistent").output()
}

#[track_caller]
fn says(output: &Output, code: i32, words: &str) {
    assert_eq!((output.code, output.stderr.as_str()), (code, ""), "{}", output.stdout);
    assert!(output.first_line().contains(words), "{words:?} is expected in: {}", output.stdout);
    assert!(!output.stdout.contains('\u{1b}'), "{:?}", output.stdout);
}

#[test]
fn critical_another_program_whatever_sslmode_says() {
    let http = Fake::new(|mut stream| {
        stream.write_all(b"HTTP/1.1 400 Bad Request\r\nServer: \x1b[31mx\r\n\r\n")?;
        hear_out(&mut stream)
    });
    let ssh = Fake::saying(b"SSH-2.0-OpenSSH_9.2p1 Debian-2\r\n");
    for mode in ["disable", "allow", "prefer", "require"] {
        let options = ["--sslmode", mode, "--connect-timeout", "1s"];
        let arguments = |fake: &Fake| {
            let run = Run::new(env!("CARGO_BIN_EXE_check_postgres")).args(["-H", "127.0.0.1", "-p", &fake.port()]);
            run.args(["-U", "x"]).args(options).output()
        };
        says(&arguments(&http), 2, "an HTTP server listens");
        says(&arguments(&ssh), 2, "an SSH server listens");
    }
}

#[test]
fn critical_silence() {
    let fake = Fake::saying(b"");
    says(&ask(&fake, &["--connect-timeout", "1s"]), 2, "accepts connections and does not answer, waited 1s");
}

#[test]
fn critical_closed_at_once() {
    let fake = Fake::new(|stream| {
        drop(stream);
        Ok(())
    });
    says(&ask(&fake, &[]), 2, "closes connections before the login is done");
}

#[test]
fn critical_closed_in_the_first_statement() {
    let fake = Fake::new(|mut stream| {
        let_in(&mut stream)?;
        question(&mut stream).map(drop)
    });
    says(&ask(&fake, &[]), 2, "broke");
}

#[test]
fn critical_a_server_that_refuses_says_why() {
    for (code, message, words) in [
        ("57P03", "the database system is starting up", "is starting up"),
        ("57P03", "the database system is shutting down", "is shutting down"),
        ("57P03", "the database system is in recovery mode", "is recovering from a crash"),
        ("57P03", "the database system is not yet accepting connections", "is in recovery and lets nobody in"),
        ("53300", "sorry, too many clients already", "has too many clients"),
        ("3D000", "database \"kwanza\" does not exist", "database kwanza is not there"),
        ("XX000", "cache \u{1b}[31m| lookup\nfailed", "refuses the connection: cache / lookup failed (XX000)"),
    ] {
        says(&ask(&Fake::refusing(code, message), &[]), 2, words);
    }
}

#[test]
fn unknown_a_login_that_is_refused() {
    let fake = Fake::refusing("28P01", "password authentication failed for user \"monitoring\"");
    says(&ask(&fake, &[]), 3, "refuses the password of user monitoring");
}

#[test]
fn critical_a_server_that_sends_no_end() {
    // A message that claims to be of two gigabytes.
    let fake = Fake::new(|mut stream| {
        startup(&mut stream)?;
        stream.write_all(b"E\x7f\xff\xff\xffSFATAL\0")?;
        let piece = vec![b'x'; 1 << 16];
        while stream.write_all(&piece).is_ok() {}
        Ok(())
    });
    let output = ask(&fake, &["--connect-timeout", "500ms", "-t", "3s"]);
    assert_eq!(output.code, 2, "{}", output.stdout);
    assert!(output.elapsed < Duration::from_secs(4), "{:?}", output.elapsed);
}

#[test]
fn critical_nothing_listens_and_the_guides_port_is_named() {
    let port = Fake::saying(b"").port();
    let run = |arguments: &[&str]| Run::new(env!("CARGO_BIN_EXE_check_postgres")).args(arguments).output();
    says(&run(&["-H", "127.0.0.1", "-p", &port]), 2, &format!("nothing listens at 127.0.0.1:{port}"));
    says(&run(&["-H", "/nonexistent"]), 2, "there is no socket /nonexistent/.s.PGSQL.5432");
    says(&run(&["-H", "nowhere.invalid"]), 2, "the host name has no address");
}

#[test]
fn unknown_options_that_make_no_sense() {
    for (arguments, words) in [
        (&["--dsn", "host=a password=s3cret"][..], "which the process list would show"),
        (&["--dsn", "postgresql://u:s3cret@h/d"], "which the process list would show"),
        (&["-d", "host=a password=s3cret"], "goes to --dsn"),
        (&["--sslmode", "on"], "none of disable, allow"),
        (&["-p", "70000"], "between 1 and 65535"),
        (&["-H", "a,b", "-p", "1,2,3"], "3 ports for 2 hosts"),
        (&["--service", "none"], "service 'none'"),
        (&["-H", "a", "--sslmode", "verify-full"], "--ssl-root-cert"),
        (&["-H", "a", "--sslmode", "require", "--ssl-root-cert", "/nonexistent"], "/nonexistent: no such file"),
    ] {
        let run = Run::new(env!("CARGO_BIN_EXE_check_postgres")).args(arguments);
        let output = run.env("HOME", "/nonexistent").output();
        says(&output, 3, words);
        assert!(!output.stdout.contains("s3cret"), "{}", output.stdout);
    }
}

#[test]
fn unknown_a_container_that_the_engine_does_not_tell_of() {
    let run = Run::new(env!("CARGO_BIN_EXE_check_postgres"));
    let engine = ["--container", "x", "--docker-host", "unix:///nonexistent.sock"];
    says(&run.args(engine).output(), 3, "container x cannot be looked up");
    let port = Fake::saying(b"").port();
    let run =
        Run::new(env!("CARGO_BIN_EXE_check_postgres")).args(["-H", "127.0.0.1", "-p", &port]).args(engine).output();
    says(&run, 2, "nothing listens");
    assert!(run.stdout.contains("the engine does not tell how container x is"), "{}", run.stdout);
}

/// An engine whose container `x` is in `state`, and what its log says.
fn engine(directory: &std::path::Path, state: &str, log: &'static str) -> (Server, String) {
    let socket = directory.join("engine.sock");
    let inspected = format!(r#"{{"Id": "x", "State": {state}}}"#);
    let server = Server::unix(&socket, |routes| {
        routes.on("GET", "/_ping", Answer::text("OK")).on("GET", "/containers/x/json", Answer::json(inspected)).on(
            "GET",
            "/containers/x/logs",
            Answer::text(log),
        )
    });
    (server, format!("unix://{}", socket.display()))
}

#[test]
fn critical_down_as_its_container_explains() {
    let directory = tempfile::tempdir().unwrap();
    let state = r#"{"Status": "exited", "ExitCode": 1, "OOMKilled": false}"#;
    let log =
        "LOG:  starting PostgreSQL\nFATAL:  could not write lock file \"postmaster.pid\": No space left on device\n";
    let (_server, address) = engine(directory.path(), state, log);
    let ask = |arguments: &[&str]| {
        let run = Run::new(env!("CARGO_BIN_EXE_check_postgres")).args(["--container", "x", "--docker-host", &address]);
        run.args(arguments).env("HOME", "/nonexistent").output()
    };
    let port = Fake::saying(b"").port();
    let refused = ask(&["-H", "127.0.0.1", "-p", &port]);
    says(&refused, 2, "nothing listens at 127.0.0.1");
    // Nothing else says where the server is, so the container is what is judged.
    let down = ask(&[]);
    says(&down, 2, "container x is exited, exit code 1");
    for output in [refused, down] {
        assert!(output.stdout.contains("disk full"), "{}", output.stdout);
        assert!(output.stdout.contains("-> df"), "{}", output.stdout);
    }
}

#[test]
fn unknown_a_login_refused_while_the_container_runs() {
    let directory = tempfile::tempdir().unwrap();
    let (_server, address) = engine(directory.path(), r#"{"Status": "running"}"#, "LOG:  ready\n");
    let fake = Fake::refusing("28P01", "password authentication failed");
    let output = ask(&fake, &["--container", "x", "--docker-host", &address]);
    says(&output, 3, "refuses the password");
    assert!(output.stdout.contains("container x is running"), "{}", output.stdout);
}

#[test]
fn the_process_list_shows_no_password() {
    let (sender, heard) = std::sync::mpsc::channel();
    let fake = Fake::new(move |mut stream| {
        startup(&mut stream)?;
        stream.write_all(&message(b'R', &[0, 0, 0, 3]))?;
        let _ = sender.send(question(&mut stream)?);
        hear_out(&mut stream)
    });
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), "s3cret").unwrap();
    let mut arguments = fake.arguments();
    arguments.extend(["--password-file".to_owned(), file.path().display().to_string()]);
    let check = Process::start(env!("CARGO_BIN_EXE_check_postgres"), &arguments);
    assert_eq!(heard.recv_timeout(Duration::from_secs(10)).unwrap(), b"s3cret\0");
    let shown = std::fs::read_to_string(format!("/proc/{}/cmdline", check.pid())).unwrap();
    assert!(shown.contains("--password-file") && !shown.contains("s3cret"), "{shown}");
}
