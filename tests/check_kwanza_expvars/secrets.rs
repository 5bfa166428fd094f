//! What must never be shown: the command line of Kwanza, and what the check logs in with.

use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use support::http::{Answer, Server};
use support::run::{Output, Run};

use crate::kwanza::{GO, Site, binary, checked, recorded};

const SECRETS: [&str; 5] = ["Pa55word", "S4lt", "T0ken", "postgres://", "--salt"];
const LEVELS: [&[&str]; 4] = [&[], &["-v"], &["-vv"], &["-vvv"]];

#[test]
fn the_command_line_is_shown_nowhere() {
    for go in GO {
        let page = recorded(go, "secrets.json");
        assert!(SECRETS.iter().all(|secret| String::from_utf8_lossy(&page).contains(secret)));
        // Also where it is not JSON, or the page breaks off in it.
        let text = String::from_utf8(page.clone()).unwrap();
        let broken = text.replace("\"cmdline\": [", "\"cmdline\": NaN, [");
        let place = text.find("T0ken").unwrap() + 5;
        let panicked = text.replace("\"cmdline\": [", "\"cmdline\": %!s(PANIC=");
        for page in [&text, &broken, &panicked, &text[..place]] {
            let site = Site::page(page.as_bytes());
            for level in LEVELS {
                for format in ["nagios", "json", "openmetrics"] {
                    let wide = ["--format", format, "--var", "*", "--counter", "*", "--memstats"];
                    let output = site.run(&[level, &wide[..]].concat());
                    for secret in SECRETS {
                        assert!(!output.stdout.contains(secret), "{secret} at {level:?}: {}", output.stdout);
                        assert!(!site_holds(&site, secret), "{secret} is kept");
                    }
                }
            }
        }
    }
}

/// Whether a file that the runs have left holds this text.
fn site_holds(site: &Site, secret: &str) -> bool {
    let files = std::fs::read_dir(site.state()).unwrap().flatten();
    files.map(|file| std::fs::read(file.path()).unwrap()).any(|text| String::from_utf8_lossy(&text).contains(secret))
}

/// A server that wants this header, and the runs on it with a file.
fn log_in(option: &str, content: &str, level: &[&str]) -> (Output, Option<String>, tempfile::TempDir) {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("login");
    std::fs::write(&file, content).unwrap();
    let server =
        Server::tcp(|routes| routes.on("GET", "/debug/vars", Answer::json(recorded("go-1.23", "healthy.1.json"))));
    let url = format!("http://{}/debug/vars", server.address());
    let state = tempfile::tempdir().unwrap();
    let run = Run::new(binary()).state_dir(state.path()).args(["--url", &url, option]).arg(&file).args(level);
    let output = checked(run.output());
    let sent = server.requests().first().and_then(|request| request.header("authorization").map(str::to_owned));
    (output, sent, state)
}

#[test]
fn logins_are_sent_and_never_shown() {
    for (option, content, sent, secrets) in [
        ("--login-file", "monitor:Pa55:word\n", "Basic bW9uaXRvcjpQYTU1OndvcmQ=", ["Pa55", "bW9uaXRvcjpQYTU1OndvcmQ="]),
        ("--token-file", "eyJhbGciOiJub25lIn0\r\n", "Bearer eyJhbGciOiJub25lIn0", ["eyJhbGciOiJub25lIn0", "Bearer"]),
    ] {
        for level in LEVELS {
            let (output, header, state) = log_in(option, content, level);
            assert_eq!((output.code, header.as_deref()), (0, Some(sent)), "{}", output.stdout);
            for secret in secrets {
                assert!(!output.stdout.contains(secret), "{level:?}: {}", output.stdout);
                for file in std::fs::read_dir(state.path()).unwrap().flatten() {
                    assert!(!std::fs::read_to_string(file.path()).unwrap().contains(secret));
                }
            }
        }
    }
}

#[test]
fn a_file_that_is_no_login_is_named_and_not_shown() {
    for (option, content, reason) in [
        ("--login-file", "Pa55word", "it does not hold USER:PASSWORD"),
        ("--login-file", "", "it is not one line of text"),
        ("--token-file", "\n", "it is not one line of text"),
        ("--token-file", "Pa55word\nsecond: line\n", "it is not one line of text"),
        ("--token-file", "Pa55word\u{1b}[31m", "it is not one line of text"),
    ] {
        let (output, header, _state) = log_in(option, content, &["-vvv"]);
        assert_eq!((output.code, header), (3, None), "{}", output.stdout);
        assert!(output.first_line().contains(reason) && output.first_line().contains(option), "{}", output.stdout);
        assert!(!output.stdout.contains("Pa55word"), "{}", output.stdout);
    }
}

#[test]
fn a_file_that_cannot_be_read_is_the_checks_own_fault() {
    let directory = tempfile::tempdir().unwrap();
    let binary_file = directory.path().join("binary");
    std::fs::write(&binary_file, b"\xff\xfe").unwrap();
    std::fs::set_permissions(&binary_file, std::fs::Permissions::from_mode(0o600)).unwrap();
    for (path, reason) in [
        (Path::new("/nonexistent/token"), "no such file or directory"),
        (directory.path(), "is a directory"),
        (&binary_file, "UTF-8"),
    ] {
        let output = checked(Run::new(binary()).args(["-H", "127.0.0.1", "--token-file"]).arg(path).output());
        assert_eq!(output.code, 3, "{}", output.stdout);
        assert!(output.first_line().contains(&format!("--token-file {}: ", path.display())), "{}", output.stdout);
        assert!(output.first_line().contains(reason), "{}", output.stdout);
    }
}
