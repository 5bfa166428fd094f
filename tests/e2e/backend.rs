//! The stand itself: the guide's deployment on a real engine. tests/run starts that and runs this as root:
//!
//! `cargo test -p backend --test e2e_backend -- --test-threads=1`

use std::process::Command;
use std::time::{Duration, Instant};

use support::live::{Engine, eventually};
use support::need;
use support::stand::Stand;
use support::tool::run;

/// The guide's list.
const EXPVARS: [&str; 23] = [
    "Streams",
    "BufferedStreams",
    "StreamPanics",
    "Notifications",
    "NotificationsPrSec",
    "Pings",
    "PingsPrSec",
    "ChangeNotifications",
    "ChangeNotificationsPrSec",
    "Requests",
    "RequestsPrSec",
    "AuthenticationRequests",
    "AuthenticationSuccesses",
    "AuthenticationFailures",
    "AuthenticationRequestsPrSec",
    "NotificationTimeouts",
    "NotificationPanics",
    "NotificationsInFlight",
    "PerSubscriberStreams",
    "ActiveSubscriptions",
    "Subscriptions",
    "GrpcInterceptorPanics",
    "SavedTransmissions",
];

/// What curl prints, with `-i` header and trailers too.
#[track_caller]
fn curl(arguments: &[&str]) -> String {
    let curl = need("curl", "apt-get install curl").display().to_string();
    run(&curl, &[&["--silent", "--show-error", "--max-time", "10"], arguments].concat())
}

/// What psql prints of `query` at `port`.
fn psql(port: u16, query: &str) -> String {
    let mut command = Command::new(need("psql", "apt-get install postgresql-client"));
    command.env("PGPASSWORD", "postgres").args(["--no-psqlrc", "--tuples-only", "--no-align", "--command", query]);
    let output = command.args(["-h", "127.0.0.1", "-p", &port.to_string(), "-U", "postgres", "kwanza"]).output();
    let output = output.expect("psql runs");
    assert!(output.status.success(), "psql: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8_lossy(&output.stdout).trim().to_owned()
}

/// The answer of the health service at `port` for `service`, header and trailers included.
fn health(port: u16, service: &str) -> String {
    // Field 1 is a text; a field that has its default is left out.
    let length = u8::try_from(service.len()).unwrap();
    let field = if service.is_empty() { Vec::new() } else { [&[0x0a, length], service.as_bytes()].concat() };
    let length = u8::try_from(field.len()).unwrap();
    let directory = tempfile::tempdir().unwrap();
    let (request, head) = (directory.path().join("request"), directory.path().join("head"));
    std::fs::write(&request, [&[0, 0, 0, 0, length], field.as_slice()].concat()).unwrap();
    let (data, head) = (format!("@{}", request.display()), head.display().to_string());
    let header = ["--header", "content-type: application/grpc", "--header", "te: trailers"];
    let url = format!("http://127.0.0.1:{port}/grpc.health.v1.Health/Check");
    let body = curl(
        &[&["--http2-prior-knowledge", "--dump-header", &head, "--data-binary", &data], &header[..], &[&url]].concat(),
    );
    format!("{}{body:?}", std::fs::read_to_string(head).unwrap())
}

#[test]
fn the_stand_is_the_deployment_of_the_guide() {
    let engine = Engine::given();
    let began = Instant::now();
    let stand = Stand::prepare(&engine, "deploy");
    println!("images: {:.1} s", began.elapsed().as_secs_f64());
    let began = Instant::now();
    stand.up();
    let elapsed = began.elapsed();
    println!("up: {:.1} s", elapsed.as_secs_f64());
    assert!(elapsed < Duration::from_mins(1), "{elapsed:?}");

    let ps = stand.compose(&["ps"]).unwrap();
    println!("{ps}");
    for (name, command, ports) in [
        ("deploy_cuesta_1", "/bin/sh -c /bin/sh -c \"if  ...", [("cuesta", 443), ("cuesta", 80)].as_slice()),
        ("deploy_kwanza_1", "kwanza serve", &[("kwanza", 6060), ("kwanza", 8000), ("kwanza", 8001)]),
        ("deploy_postgres_1", "docker-entrypoint.sh postgres", &[("postgres", 5432)]),
    ] {
        let line = ps.lines().find(|line| line.starts_with(name)).unwrap_or_else(|| panic!("no {name}: {ps}"));
        assert!(line.contains(command) && line.contains(" Up "), "{line}");
        for (service, port) in ports {
            assert!(ps.contains(&format!("127.0.0.1:{}->{port}/tcp", stand.port(service, *port))), "{ps}");
        }
    }
    assert!(!ps.contains("8080"), "{ps}");

    assert_eq!(psql(stand.port("postgres", 5432), "SELECT current_database()"), "kwanza");

    let page = curl(&[&format!("http://127.0.0.1:{}/debug/vars", stand.port("kwanza", 6060))]);
    let variables: serde_json::Value = serde_json::from_str(&page).unwrap();
    for name in EXPVARS.iter().chain(&["cmdline", "memstats"]) {
        assert!(variables.get(name).is_some(), "no {name} in {page}");
    }

    let grpc = stand.port("kwanza", 8001);
    for service in ["", "kwanza"] {
        let said = health(grpc, service);
        assert!(said.contains("grpc-status: 0") && said.ends_with(r#""\0\0\0\0\u{2}\u{8}\u{1}""#), "{said}");
    }
    assert!(health(grpc, "nobody").contains("grpc-status: 5"), "{}", health(grpc, "nobody"));

    let page = curl(&["--insecure", &format!("https://127.0.0.1:{}/", stand.port("cuesta", 443))]);
    assert!(page.contains("<title>Cuesta</title>"), "{page}");
    let moved = curl(&["-i", &format!("http://127.0.0.1:{}/", stand.port("cuesta", 80))]);
    assert!(moved.contains("Location: https://127.0.0.1/"), "{moved}");
}

#[test]
fn services_log_what_the_guide_shows_and_end_when_asked() {
    let engine = Engine::given();
    let stand = Stand::start(&engine);
    let log = |service: &str| stand.compose(&["logs", "--no-color", service]).unwrap();
    assert!(
        log("postgres").contains(" [1] LOG:  database system is ready to accept connections"),
        "{}",
        log("postgres")
    );
    assert!(!log("postgres").contains("backend>"), "{}", log("postgres"));
    assert!(log("cuesta").contains("cuesta_1    | Serving with SSL"), "{}", log("cuesta"));
    let kwanza = log("kwanza");
    let mut rest = kwanza.as_str();
    for line in [
        "Either cert or key already exists, aborted cert- and key-generation",
        "######### INTERACTIVE #########",
        r#""caller":"runner/runner.go:71","msg":"expvars available","port":8080}"#,
        r#""msg":"Successfully initialized PostgreSQL registry"}"#,
        r#""msg":"Server started","grpc_port":8001,"http_port":8000}"#,
        r#""msg":"Profiling interface running on port 6060"}"#,
    ] {
        rest = rest.split_once(line).unwrap_or_else(|| panic!("no {line} in {kwanza}")).1;
    }

    let began = Instant::now();
    stand.compose(&["stop"]).unwrap();
    assert!(began.elapsed() < Duration::from_secs(10), "they were killed: {:?}", began.elapsed());
    let ps = stand.compose(&["ps"]).unwrap();
    assert_eq!(ps.matches("Exit 0").count(), 3, "{ps}");
}

#[test]
fn kwanza_ends_when_it_has_no_database() {
    let engine = Engine::given();
    let stand = Stand::prepare(&engine, "lonely");
    let file = stand.folder().join(".env");
    let settings = std::fs::read_to_string(&file).unwrap();
    std::fs::write(&file, settings + "KWANZA_POSTGRES_TRIES=2\n").unwrap();
    stand.compose(&["up", "-d", "--no-deps", "kwanza"]).unwrap();
    eventually("kwanza to end", || stand.compose(&["ps"]).unwrap().contains("Exit 1"));
    let log = stand.compose(&["logs", "--no-color"]).unwrap();
    let (error, fatal) = (log.matches(r#""level":"error""#).count(), log.matches(r#""level":"fatal""#).count());
    assert_eq!((error, fatal), (1, 1), "{log}");
    assert!(log.contains("no such host"), "{log}");
}

#[test]
fn projects_live_side_by_side_and_leave_nothing_behind() {
    let engine = Engine::given();
    {
        let stands = ["one", "two"].map(|project| Stand::prepare(&engine, project));
        for stand in &stands {
            stand.up();
        }
        let names = engine.docker(&["ps", "--format", "{{.Names}}"]).unwrap();
        for name in ["one_kwanza_1", "two_kwanza_1"] {
            assert!(names.lines().any(|line| line == name), "{names}");
        }
    }
    for list in [["ps", "-a"], ["network", "ls"], ["volume", "ls"]] {
        for project in ["one", "two"] {
            let filter = format!("label=com.docker.compose.project={project}");
            let left = engine.docker(&[&list[..], &["-q", "--filter", &filter]].concat()).unwrap();
            assert_eq!(left, "", "{list:?}");
        }
    }
}
