//! `--init` without an engine, and with one that the test plays.

use std::os::unix::fs::PermissionsExt as _;

use support::Run;
use support::http::{Answer, Server};
use support::said::Said;

const NOBODY: &str = "unix:///nonexistent/docker.sock";

fn init(arguments: &[&str]) -> Run {
    Run::new(crate::binary()).arg("--init").args(arguments)
}

#[test]
fn without_an_engine_examples_are_left() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("new/backend.toml").display().to_string();
    let said = Said::of(init(&["--config", &file, "--docker-host", NOBODY]).output());
    said.has_code(0).headlines(&format!("wrote {file}: 1 check, 6 to be filled in")).says("no Docker Engine: ");
    let text = std::fs::read_to_string(&file).unwrap();
    assert!(text.contains("\n[[check]] ") && text.contains("\n#plugin = \"check_backup_age\""), "{text}");
    assert_eq!(std::fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o644);

    let again = Said::of(init(&["--config", &file, "--docker-host", NOBODY]).output());
    again.has_code(3).headlines("is there already").says("-> --init - prints a new one, --force writes over it");
    std::fs::write(&file, "own").unwrap();
    init(&["--config", &file, "--docker-host", NOBODY]).output();
    assert_eq!(std::fs::read_to_string(&file).unwrap(), "own");
    Said::of(init(&["--config", &file, "--docker-host", NOBODY, "--force"]).output()).has_code(0);
    assert_eq!(std::fs::read_to_string(&file).unwrap(), text);
    assert_eq!(std::fs::read_dir(directory.path().join("new")).unwrap().count(), 1, "no other file is left");
}

#[test]
fn a_dash_prints_the_file_and_writes_nothing() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("backend.toml").display().to_string();
    let output = init(&["-", "--config", &file, "--docker-host", NOBODY]).output();
    assert_eq!((output.code, output.stderr.as_str()), (0, ""));
    assert!(output.stdout.starts_with("# What check_backend looks at") && !output.stdout.contains("BACKEND OK"));
    assert!(!std::path::Path::new(&file).exists());
    let output = init(&["-", "--format", "json", "--docker-host", NOBODY]).output();
    support::schema::assert_valid(crate::SCHEMA.as_ref(), &output.stdout);
}

#[test]
fn options_of_init_need_it() {
    for arguments in [
        &["--force"][..],
        &["--project", "x"],
        &["--init", "--watch", "5s"],
        &["--init", "x"],
        &["--init", "--only", "x"],
    ] {
        let said = Said::of(Run::new(crate::binary()).args(arguments).output());
        said.has_code(3).headlines("see check_backend --help");
    }
}

#[test]
fn a_place_that_cannot_be_written_to_is_named() {
    let said = Said::of(init(&["--config", "/proc/nothing/backend.toml", "--docker-host", NOBODY]).output());
    said.has_code(3).headlines("/proc/nothing");
}

fn container(project: &str, service: &str, id: &str) -> String {
    format!(
        r#"{{"Id": "{id}", "Names": ["/{project}_{service}_1"], "Image": "x", "State": "running", "Labels": {{
            "com.docker.compose.project": "{project}", "com.docker.compose.service": "{service}",
            "com.docker.compose.project.working_dir": "/nonexistent/{project}"}}}}"#
    )
}

/// An engine with the guide's project, another one, and names that somebody chose to do harm.
fn engine() -> Server {
    let published =
        |inner: u16, port: u16| format!(r#""{inner}/tcp": [{{"HostIp": "0.0.0.0", "HostPort": "{port}"}}]"#);
    let details = move |ports: &str| {
        Answer::json(format!(
            r#"{{"State": {{"Status": "running"}}, "HostConfig": {{}}, "NetworkSettings": {{"Ports": {{{ports}}}}}}}"#
        ))
    };
    let evil = r#"evil\"\n[[check]]\u001b[31m"#;
    let list = [
        container("deploy", "postgres", "p"),
        container("deploy", "kwanza", "k"),
        container("deploy", "cuesta", "c"),
        container("deploy", evil, "e"),
        container("another", "web", "w"),
    ];
    let list = format!("[{}]", list.join(","));
    Server::tcp(move |routes| {
        let routes = routes.on("GET", "/_ping", Answer::text("OK"));
        let routes = routes.on("GET", "/containers/json?all=1", Answer::json(list));
        let routes = routes.on("GET", "/containers/p/json", details(&published(5432, 1)));
        let kwanza = [published(6060, 1), published(8000, 2), published(8001, 3), r#""8080/tcp": null"#.to_owned()];
        let routes = routes.on("GET", "/containers/k/json", details(&kwanza.join(",")));
        let routes = routes.on("GET", "/containers/c/json", details(&[published(443, 4), published(80, 5)].join(",")));
        let routes = routes.on("GET", "/containers/e/json", details(&published(7, 7)));
        routes.on("GET", "/containers/w/json", details(&published(80, 6)))
    })
}

#[test]
fn what_runs_is_written_down() {
    for name in ["check_containers", "check_postgres", "check_kwanza_expvars", "check_endpoint"] {
        support::tool::plugin(name);
    }
    let engine = engine();
    let address = format!("tcp://{}", engine.address());
    let output = init(&["-", "--docker-host", &address]).output();
    let text = output.stdout.replace(&address, "{engine}");
    // Which dumps this machine has in the usual folders is another matter.
    let text = text.split("\n\n").filter(|check| !check.contains("# the dumps ")).collect::<Vec<_>>().join("\n\n");
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/check_backend/init.out");
    support::assert_golden(path, &text);
    assert!(!text.contains('\u{1b}') && !text.contains("\n[[check]]\u{1b}"));
    let other = init(&["-", "--docker-host", &address, "--project", "another"]).output().stdout;
    assert!(other.contains("services of project another") && other.contains("\"web-80=tcp://127.0.0.1:6\""), "{other}");

    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("backend.toml").display().to_string();
    let said = Said::of(init(&["--config", &file, "--docker-host", &address]).output());
    said.has_code(0).says("other projects, which --project chooses: another");
    // Whatever is in the names, it is a file that can be read.
    Said::of(Run::new(crate::binary()).args(["--config", &file, "--only", "host"]).output()).says("\\_ [");
    let said = Said::of(init(&["--config", &file, "--force", "--docker-host", &address, "--project", "none"]).output());
    said.has_code(0).says("no project is called none");
}
