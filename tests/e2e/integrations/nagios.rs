//! A Nagios of the test's own.

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{SystemTime, UNIX_EPOCH};

use support::live::{Process, eventually};
use support::tool::{need, run};
use tempfile::TempDir;

use crate::checks::{Checks, plugins_folder};

const INSTALL: &str = "apt-get install --no-install-recommends nagios4-core";
/// Where the program is that asks NRPE.
const PLUGINS: &str = "/usr/lib/nagios/plugins";

const OBJECTS: &str = "\
define timeperiod {
    timeperiod_name  always
    alias            always
}
define command {
    command_name  none
    command_line  /bin/true
}
define contact {
    contact_name                   nobody
    host_notification_period       always
    service_notification_period    always
    host_notification_commands     none
    service_notification_commands  none
}
define host {
    host_name              host
    address                127.0.0.1
    max_check_attempts     1
    check_period           always
    contacts               nobody
    notification_period    always
    active_checks_enabled  0
}
";

/// A daemon with its own directories. It ends with this value.
pub struct Nagios {
    home: TempDir,
    _process: Process,
}

/// What Nagios keeps of a check.
#[derive(Debug)]
pub struct CheckResult {
    /// 0 OK, 1 WARNING, 2 CRITICAL, 3 UNKNOWN.
    pub state: u64,
    /// The first line without its performance data.
    pub output: String,
    /// That.
    pub perfdata: String,
}

impl Nagios {
    /// A daemon with the commands of the file `commands`, and a service for each of `checks`: by itself and by the NRPE
    /// that listens at `port`.
    #[track_caller]
    pub fn start(commands: &Path, checks: &Checks, port: u16) -> Self {
        let home = home(&[]);
        let path = |name: &str| home.path().join(name);
        let installed = fs::read_to_string(commands).unwrap();
        let here = installed
            .replace("$USER1$/check_nrpe", &format!("{PLUGINS}/check_nrpe -p {port}"))
            .replace("$USER1$", &plugins_folder().display().to_string());
        let mut objects = format!("{OBJECTS}{here}");
        for check in &checks.list {
            let words: Vec<String> = check.arguments().iter().map(|word| format!("'{word}'")).collect();
            service(&mut objects, &check.name(), &format!("{}!{}", check.name(), words.join(" ")));
            let remote = format!("{}-by-nrpe", check.name());
            service(&mut objects, &remote, &remote);
        }
        fs::write(path("objects.cfg"), objects).unwrap();
        configure(home.path(), &[path("objects.cfg")]);
        // Asked to end, it takes its own processes along.
        let process = Process::spawn("nagios4", [path("nagios.cfg")], "TERM", |command| {
            command.stdout(Stdio::null()).stderr(Stdio::null())
        });
        eventually("Nagios to take commands", || path("rw/nagios.cmd").exists());
        Self { home, _process: process }
    }

    /// Has a service checked now.
    #[track_caller]
    pub fn result(&self, service: &str) -> CheckResult {
        let before = self.status(service).map(|status| field(&status, "last_check").to_owned());
        // Nagios knows whole seconds, so that two checks within one look the same.
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs();
        let order = format!("[{now}] SCHEDULE_FORCED_SVC_CHECK;host;{service};{now}\n");
        fs::write(self.home.path().join("rw/nagios.cmd"), order).unwrap();
        let mut status = String::new();
        eventually(&format!("Nagios to check {service}"), || {
            status = self.status(service).unwrap_or_default();
            let last = field(&status, "last_check");
            field(&status, "has_been_checked") == "1" && last != "0" && Some(last) != before.as_deref()
        });
        CheckResult {
            state: field(&status, "current_state").parse().unwrap(),
            output: field(&status, "plugin_output").to_owned(),
            perfdata: field(&status, "performance_data").to_owned(),
        }
    }

    /// What status.dat says of a service.
    fn status(&self, service: &str) -> Option<String> {
        let text = fs::read_to_string(self.home.path().join("var/status.dat")).ok()?;
        let name = format!("service_description={service}\n");
        text.split("servicestatus {").skip(1).find(|block| block.contains(&name)).map(str::to_owned)
    }
}

/// Lets Nagios look for faults in `files`.
#[track_caller]
pub fn verify(files: &[PathBuf]) {
    let home = home(files);
    let program = need("nagios4", INSTALL);
    let output = Command::new(program).arg("-v").arg(home.path().join("nagios.cfg")).output().unwrap();
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(output.status.success() && said.contains("Total Warnings: 0\nTotal Errors:   0"), "{said}");
}

/// A home with a configuration that reads `files`.
fn home(files: &[PathBuf]) -> TempDir {
    need("nagios4", INSTALL);
    let home = tempfile::tempdir().unwrap();
    for folder in ["var/spool/checkresults", "var/archives", "rw"] {
        fs::create_dir_all(home.path().join(folder)).unwrap();
    }
    fs::write(home.path().join("resource.cfg"), format!("$USER1$={PLUGINS}\n")).unwrap();
    configure(home.path(), files);
    home
}

fn configure(home: &Path, files: &[PathBuf]) {
    let user = run("id", &["-un"]);
    let (home, user) = (home.display(), user.trim());
    let mut text = format!(
        "resource_file={home}/resource.cfg\nlog_file={home}/var/nagios.log\nobject_cache_file={home}/var/objects.cache\n\
         precached_object_file={home}/var/objects.precache\nstatus_file={home}/var/status.dat\nstatus_update_interval=1\n\
         state_retention_file={home}/var/retention.dat\nlock_file={home}/var/nagios.pid\ntemp_file={home}/var/nagios.tmp\n\
         temp_path={home}/var\nlog_archive_path={home}/var/archives\ncheck_result_path={home}/var/spool/checkresults\n\
         command_file={home}/rw/nagios.cmd\nquery_socket={home}/rw/nagios.qh\nnagios_user={user}\nnagios_group={user}\n\
         check_external_commands=1\nexecute_service_checks=1\nenable_notifications=0\nuse_syslog=0\n\
         illegal_macro_output_chars=`~$&|'\"<>\nevent_broker_options=0\n"
    );
    for file in files {
        let _ = writeln!(text, "cfg_file={}", file.display());
    }
    fs::write(format!("{home}/nagios.cfg"), text).unwrap();
}

fn service(objects: &mut String, name: &str, command: &str) {
    let _ = writeln!(
        objects,
        "define service {{\n    host_name              host\n    service_description    {name}\n    check_command          \
         {command}\n    check_interval         1440\n    retry_interval         1440\n    max_check_attempts     1\n    \
         check_period           always\n    contacts               nobody\n    notification_period    always\n    \
         active_checks_enabled  1\n}}"
    );
}

fn field<'a>(block: &'a str, name: &str) -> &'a str {
    block.lines().find_map(|line| line.trim().strip_prefix(name)?.strip_prefix('=')).unwrap_or_default()
}
