//! Engines that end, may not be asked, or answer nonsense; and containers of odd names.

use std::os::unix::fs::PermissionsExt as _;
use std::time::Duration;

use support::http::{Answer, Routes, Server};
use support::live::{Engine, eventually};
use support::need;
use support::run::Run;

use crate::check::{Check, Said, assert_golden, binary};

#[test]
fn an_engine_that_is_stopped_ended_or_closed_is_told_apart() {
    let mut engine = Engine::start(&[]);
    let address = engine.address();
    let check = Check::new(&address, ["-t", "2s"]);
    let golden = |name: &str, said: &Said| assert_golden(&format!("engine/{name}"), said, &[(&address, "{engine}")]);
    let said = check.run(&[]);
    said.has_code(3).headlines("there is no container");
    golden("empty", &said);

    engine.server().stop();
    let said = check.run(&[]);
    said.has_code(2).headlines("accepts connections and does not answer");
    assert!(said.output.elapsed <= Duration::from_millis(2500), "{:?}", said.output.elapsed);
    golden("stopped", &said);
    engine.server().signal("CONT");
    check.run(&[]).has_code(3);

    let socket = address.trim_start_matches("unix://");
    let said = as_nobody(&address, socket, 0o660);
    said.has_code(3).headlines("permission denied on ").says("group docker");
    golden("closed", &said);

    engine.end();
    let said = check.run(&[]);
    said.has_code(2).headlines("the engine is down, there is no socket at ").says("-> systemctl start docker");
    golden("ended", &said);
}

/// A run as somebody who may do nothing, with the socket's mode being `mode`.
#[track_caller]
fn as_nobody(address: &str, socket: &str, mode: u32) -> Said {
    std::fs::set_permissions(socket, std::fs::Permissions::from_mode(mode)).unwrap();
    let state = tempfile::tempdir().unwrap();
    // Where everybody may read and go.
    let program = state.path().join("check_containers");
    std::fs::copy(binary(), &program).unwrap();
    let above = std::path::Path::new(socket).parent().unwrap();
    for path in [state.path(), above] {
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o777)).unwrap();
    }
    let setpriv = need("setpriv", "apt-get install util-linux");
    let identity = ["--reuid", "65534", "--regid", "65534", "--clear-groups", "--"];
    let run = Run::new(setpriv).no_state_dir().args(identity).arg(&program).args(["--docker-host", address]);
    Said::of(run.arg("--state-dir").arg(state.path()).output())
}

#[test]
fn a_server_that_answers_nonsense_is_critical() {
    let directory = tempfile::tempdir().unwrap();
    for (name, answer, words) in [
        ("garbage", Answer::Raw(b"\x00\xff\x1b[31m220 smtp | ready\r\n\r\n".to_vec()), "does not answer as it should"),
        ("hangs", Answer::HangAfterHeaders, "does not answer"),
        ("endless", Answer::Endless, "does not answer as it should"),
    ] {
        let socket = directory.path().join(name);
        let whole = |routes: Routes| routes.on("GET", "/", answer.clone());
        let list = |routes: Routes| {
            let ping = Answer::text("OK").header("Api-Version", "1.41").header("Server", "Docker/20.10.24");
            routes.on("GET", "/_ping", ping).on("GET", "/", answer.clone())
        };
        for (place, server) in [
            ("ping", Server::unix(&socket, whole)),
            ("list", {
                let socket = directory.path().join(format!("{name}-list"));
                Server::unix(socket, list)
            }),
        ] {
            let address = format!("unix://{}", server.path().display());
            let said = Check::new(&address, ["-t", "2s"]).run(&[]);
            said.has_code(2).headlines(words);
            assert!(said.output.elapsed <= Duration::from_millis(2500), "{:?}", said.output.elapsed);
            assert_golden(&format!("engine/{name}_{place}"), &said, &[(&address, "{engine}")]);
        }
    }
}

#[test]
fn names_and_logs_cannot_forge_output() {
    let engine = Engine::given();
    let long = "kwanza".to_owned() + &"x".repeat(5000);
    let odd = "od|d\n\u{1b}[31mservice' =1;0 CRITICAL";
    let label = |key: &str, value: &str| format!("com.docker.compose.{key}={value}");
    let script = r"printf 'line one\033]0;title\007 | up=1;;; \033[2J\n\nOK - all is well | x=1\nNo space left on device |\033[1m\r\n'; exit 1";
    let names = ["forged_long", "forged_odd"];
    let _guards = names.map(|name| Removed { engine: &engine, name });
    for (name, service) in names.iter().zip([long.as_str(), odd]) {
        let _ = engine.docker(&["rm", "-f", name]);
        let labels = [label("project", "forged"), label("service", service), format!("note={}", "y|\n".repeat(1500))];
        let mut arguments = vec!["run", "-d", "--network", "none", "--name", name];
        arguments.extend(labels.iter().flat_map(|label| ["--label", label.as_str()]));
        arguments.extend(["sirenia-test-busybox", "/bin/busybox", "sh", "-c", script]);
        engine.docker(&arguments).unwrap();
        eventually("it to end", || engine.docker(&["inspect", "-f", "{{.State.Status}}", name]).unwrap() == "exited");
    }
    let said = Check::new(&engine.address(), ["--project", "forged"]).run(&["-v"]);
    said.has_code(2).headlines(" ago: disk full; ").says("No space left on device");
    said.line("od/d service' =1;0 CRITICAL: exited 1 ");
    assert!(said.text().matches(" | ").count() == 1 && !said.text().contains('\u{1b}'), "{}", said.text());
    assert!(
        said.text().lines().skip(1).all(|line| line.starts_with("\\_") || line.starts_with("  ")),
        "{}",
        said.text()
    );
    assert_golden("engine/forged", &said, &[(&long[..100], "{long}")]);
    // By the names that the engine keeps clean.
    let said = Check::new(&engine.address(), ["--container", "forged_*"]).run(&[]);
    said.has_code(2).headlines("forged_long exited 1 ").headlines("forged_odd exited 1 ");
    assert_golden("engine/forged_by_name", &said, &[]);
}

/// A container that is removed with this value.
struct Removed<'a> {
    engine: &'a Engine,
    name: &'a str,
}

impl Drop for Removed<'_> {
    fn drop(&mut self) {
        let _ = self.engine.docker(&["rm", "-f", self.name]);
    }
}
