//! An Icinga 2 of the test's own.

use std::fmt::Write as _;
use std::fs;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde_json::{Value, json};
use support::live::{Process, eventually};
use support::tool::{need, run};
use tempfile::TempDir;

const INSTALL: &str = "apt-get install --no-install-recommends icinga2-bin";
const NODE: &str = "node";
const LOGIN: &str = "root:of-the-test";
/// What Debian's script begins with, which would run the daemon as another user.
const PROGRAM: &str = "icinga2/sbin/icinga2";

/// A daemon with its own directories, API and certificates. It ends with this value.
pub struct Icinga {
    home: TempDir,
    port: u16,
    process: Option<Process>,
}

/// What Icinga keeps of a check.
#[derive(Debug)]
pub struct CheckResult {
    /// 0 OK, 1 WARNING, 2 CRITICAL, 3 UNKNOWN.
    pub state: u64,
    /// The first line and all others.
    pub output: String,
    /// One item each.
    pub perfdata: Vec<String>,
}

impl Icinga {
    /// A daemon that reads `files` and the text `objects`, and finds plugins in `plugins`.
    #[track_caller]
    pub fn start(plugins: &Path, files: &[PathBuf], objects: &str) -> Self {
        let mut icinga = Self::prepare(plugins, files, objects);
        let arguments = icinga.arguments(&["daemon", "-c", &icinga.path("icinga2.conf")]);
        // Asked to end, it takes its own processes along.
        icinga.process = Some(Process::spawn(&program(), arguments, "TERM", |command| {
            command.stdout(Stdio::null()).stderr(Stdio::null())
        }));
        eventually("Icinga to answer", || icinga.try_ask("status/IcingaApplication", None).is_some());
        icinga
    }

    /// The same without a daemon, after Icinga has found nothing wrong with it.
    #[track_caller]
    pub fn prepare(plugins: &Path, files: &[PathBuf], objects: &str) -> Self {
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let icinga = Self { home: tempfile::tempdir().unwrap(), port, process: None };
        for folder in ["var/certs", "var/ca", "var/certificate-requests", "var/api/packages", "var/api/zones"] {
            fs::create_dir_all(icinga.home.path().join(folder)).unwrap();
        }
        for folder in ["var/api/zones-stage", "log/crash", "cache", "spool/perfdata", "spool/tmp", "run/cmd"] {
            fs::create_dir_all(icinga.home.path().join(folder)).unwrap();
        }
        fs::write(icinga.path("objects.conf"), objects).unwrap();
        fs::write(icinga.path("icinga2.conf"), icinga.configuration(plugins, files)).unwrap();
        icinga.make_certificates();
        let said = icinga.run(&["daemon", "-C", "-c", &icinga.path("icinga2.conf")]);
        assert!(said.contains("Finished validating") && !said.contains("warning/"), "{said}");
        icinga
    }

    fn configuration(&self, plugins: &Path, files: &[PathBuf]) -> String {
        let mut text = format!(
            "const NodeName = \"{NODE}\"\nconst ZoneName = NodeName\nconst PluginDir = \"{}\"\n\
             const TicketSalt = \"of the test\"\ninclude <itl>\ninclude <plugins>\n\
             object CheckerComponent \"checker\" {{ }}\n\
             object ApiListener \"api\" {{\n  bind_host = \"127.0.0.1\"\n  bind_port = {}\n}}\n\
             object ApiUser \"root\" {{\n  password = \"of-the-test\"\n  permissions = [ \"*\" ]\n}}\n\
             object Endpoint NodeName {{ }}\nobject Zone ZoneName {{ endpoints = [ NodeName ] }}\n",
            plugins.display(),
            self.port
        );
        for file in files {
            let _ = writeln!(text, "include \"{}\"", file.display());
        }
        let _ = writeln!(text, "include \"{}\"", self.path("objects.conf"));
        text
    }

    fn make_certificates(&self) {
        let certificate = |ending: &str| self.path(&format!("var/certs/{NODE}.{ending}"));
        self.run(&["pki", "new-ca"]);
        self.run(&["pki", "new-cert", "--cn", NODE, "--key", &certificate("key"), "--csr", &certificate("csr")]);
        self.run(&["pki", "sign-csr", "--csr", &certificate("csr"), "--cert", &certificate("crt")]);
        fs::copy(self.path("var/ca/ca.crt"), self.path("var/certs/ca.crt")).unwrap();
    }

    fn path(&self, name: &str) -> String {
        self.home.path().join(name).display().to_string()
    }

    /// A subcommand with everything below the home of this instance. The words of a subcommand come first.
    fn arguments(&self, subcommand: &[&str]) -> Vec<String> {
        let user = run("id", &["-un"]).trim().to_owned();
        let settings = [
            ("ConfigDir", self.path("")),
            ("ZonesDir", self.path("zones.d")),
            ("DataDir", self.path("var")),
            ("LogDir", self.path("log")),
            ("CacheDir", self.path("cache")),
            ("SpoolDir", self.path("spool")),
            ("InitRunDir", self.path("run")),
            ("PidPath", self.path("run/icinga2.pid")),
            ("VarsPath", self.path("cache/icinga2.vars")),
            ("ObjectsPath", self.path("cache/icinga2.debug")),
            ("StatePath", self.path("var/icinga2.state")),
            ("RunAsUser", user.clone()),
            ("RunAsGroup", user),
        ];
        let mut arguments: Vec<String> = subcommand.iter().map(ToString::to_string).collect();
        for (name, value) in settings {
            arguments.extend(["-D".to_owned(), format!("Configuration.{name}={value}")]);
        }
        arguments
    }

    #[track_caller]
    fn run(&self, subcommand: &[&str]) -> String {
        let output = Command::new(program()).args(self.arguments(subcommand)).stdin(Stdio::null()).output().unwrap();
        let said = format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
        assert!(output.status.success(), "icinga2 {}: {said}", subcommand.join(" "));
        said
    }

    /// What the API answers to a GET, or to a POST of `body`.
    #[track_caller]
    fn ask(&self, path: &str, body: Option<&Value>) -> Value {
        self.try_ask(path, body).unwrap_or_else(|| panic!("Icinga does not answer to {path}"))
    }

    fn try_ask(&self, path: &str, body: Option<&Value>) -> Option<Value> {
        let mut command = Command::new(need("curl", "apt-get install curl"));
        command.args(["--silent", "--fail", "--globoff", "--user", LOGIN, "--header", "Accept: application/json"]);
        command.args(["--cacert", &self.path("var/certs/ca.crt"), "--resolve"]);
        command.arg(format!("{NODE}:{}:127.0.0.1", self.port));
        if let Some(body) = body {
            command.args(["--request", "POST", "--data", &body.to_string()]);
        }
        let output = command.arg(format!("https://{NODE}:{}/v1/{path}", self.port)).output().unwrap();
        serde_json::from_slice(&output.stdout).ok()
    }

    /// Has the service of that name checked now.
    #[track_caller]
    pub fn check(&self, service: &str) -> CheckResult {
        let last = || self.ask(&format!("objects/services?attrs=last_check_result&service=host!{service}"), None);
        let end = |answer: &Value| answer["results"][0]["attrs"]["last_check_result"]["execution_end"].as_f64();
        let before = end(&last());
        let filter = format!("service.name==\"{service}\"");
        self.ask("actions/reschedule-check", Some(&json!({"type": "Service", "filter": filter, "force": true})));
        let mut answer = Value::Null;
        eventually(&format!("{service} to be checked"), || {
            answer = last();
            end(&answer) != before
        });
        let result = &answer["results"][0]["attrs"]["last_check_result"];
        let items = result["performance_data"].as_array().into_iter().flatten();
        CheckResult {
            state: result["exit_status"].as_u64().unwrap(),
            output: result["output"].as_str().unwrap().to_owned(),
            perfdata: items.map(|item| item.as_str().unwrap_or_default().to_owned()).collect(),
        }
    }

    /// What Icinga makes of an item of performance data; null if it rejects it.
    #[track_caller]
    pub fn parsed(&self, item: &str) -> Value {
        let text = item.replace('\\', "\\\\").replace('"', "\\\"");
        let command = json!({"command": format!("parse_performance_data(\"{text}\")"), "session": "test"});
        self.ask("console/execute-script", Some(&command))["results"][0]["result"].clone()
    }
}

fn program() -> String {
    let folders = fs::read_dir("/usr/lib").unwrap().flatten().map(|entry| entry.path());
    let found =
        folders.chain([PathBuf::from("/usr/lib")]).map(|folder| folder.join(PROGRAM)).find(|path| path.exists());
    found.unwrap_or_else(|| panic!("{PROGRAM} is not installed: {INSTALL}")).display().to_string()
}
