//! PostgreSQL servers for tests: a cluster of its own for each, which ends with the test, however it ends.

use std::fmt::Write as _;
use std::fs;
use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use tempfile::TempDir;

use crate::live::{Process, eventually};
use crate::tool::{find, need, run};

/// Where Debian keeps the programs of each major version.
const PROGRAMS: &str = "/usr/lib/postgresql";
const INSTALL: &str = "apt-get install postgresql";
/// The server does not run as root; this user comes with the package.
const USER: &str = "postgres";

/// A cluster that is yet to be made.
#[derive(Debug, Default)]
pub struct Plan {
    programs: Option<PathBuf>,
    initdb: Vec<String>,
    settings: Vec<(String, String)>,
    hba: Vec<String>,
    files: Vec<(String, String)>,
    port: Option<u16>,
}

/// A cluster, its superuser `postgres`. Its server runs unless it was stopped.
#[derive(Debug)]
pub struct Cluster {
    programs: PathBuf,
    port: u16,
    process: Option<Process>,
    /// Holds the data, the socket and the log. The last to go, because the server writes there until its end.
    root: TempDir,
}

impl Plan {
    /// With the programs in `directory` instead of the newest that are installed.
    #[must_use]
    pub fn programs(mut self, directory: impl Into<PathBuf>) -> Self {
        self.programs = Some(directory.into());
        self
    }

    /// At `port` instead of a free one.
    #[must_use]
    pub fn port(mut self, port: u16) -> Self {
        self.port = Some(port);
        self
    }

    /// With one more argument for initdb.
    #[must_use]
    pub fn initdb(mut self, argument: &str) -> Self {
        self.initdb.push(argument.to_owned());
        self
    }

    /// With a setting, a line of postgresql.conf.
    #[must_use]
    pub fn setting(mut self, name: &str, value: &str) -> Self {
        self.settings.push((name.to_owned(), value.to_owned()));
        self
    }

    /// With a line of `pg_hba.conf`. Without any, all are let in; with some, nobody else is but by the socket.
    #[must_use]
    pub fn hba(mut self, line: &str) -> Self {
        self.hba.push(line.to_owned());
        self
    }

    /// With a file in the data directory, which only the server can read.
    #[must_use]
    pub fn file(mut self, name: &str, text: &str) -> Self {
        self.files.push((name.to_owned(), text.to_owned()));
        self
    }

    /// Makes the cluster and starts its server.
    #[track_caller]
    pub fn start(self) -> Cluster {
        let mut cluster = self.make();
        cluster.start();
        cluster
    }

    /// Makes the cluster.
    #[track_caller]
    pub fn make(self) -> Cluster {
        let mut cluster = Cluster::empty(self.programs.clone());
        cluster.port = self.port.unwrap_or(cluster.port);
        let mut arguments = vec!["--no-sync", "--auth=trust", "--username=postgres"];
        arguments.extend(["--encoding=UTF8", "--locale=C.UTF-8"]);
        arguments.extend(self.initdb.iter().map(String::as_str));
        let data = cluster.data();
        cluster.program("initdb").args(arguments).arg("-D").arg(&data).run();
        self.write_into(&cluster);
        cluster
    }

    /// Makes a standby of `primary`, which must let replication in, and starts it.
    #[track_caller]
    pub fn start_standby_of(self, primary: &Cluster, slot: Option<&str>) -> Cluster {
        let mut cluster = Cluster::empty(Some(primary.programs.clone()));
        let data = cluster.data();
        let mut backup = cluster.program("pg_basebackup").args(["--no-sync", "-c", "fast", "-R", "-U", "postgres"]);
        if let Some(slot) = slot {
            backup = backup.args(["-S", slot]);
        }
        backup.arg("-h").arg(primary.socket_dir()).args(["-p", &primary.port.to_string()]).arg("-D").arg(&data).run();
        self.write_into(&cluster);
        cluster.start();
        cluster
    }

    fn write_into(&self, cluster: &Cluster) {
        let data = cluster.data();
        for (name, text) in &self.files {
            write_private(&data.join(name), text);
        }
        cluster.configure(&self.settings.iter().map(|(name, value)| (&**name, &**value)).collect::<Vec<_>>());
        if !self.hba.is_empty() {
            let local = "local all all trust\nlocal replication all trust\n";
            write_private(&data.join("pg_hba.conf"), &format!("{}\n{local}", self.hba.join("\n")));
        }
        give_away(&data);
    }
}

impl Cluster {
    /// A plan for a cluster like any other.
    pub fn plan() -> Plan {
        Plan::default()
    }

    #[track_caller]
    fn empty(programs: Option<PathBuf>) -> Self {
        let programs = programs.unwrap_or_else(newest_programs);
        let root = tempfile::Builder::new().prefix("pg-").tempdir().expect("a temporary directory");
        // Sockets must be reachable for the plugin under whatever user it runs.
        fs::set_permissions(root.path(), fs::Permissions::from_mode(0o755)).expect("chmod");
        let cluster = Self { programs, port: free_port(), process: None, root };
        fs::create_dir(cluster.socket_dir()).expect("mkdir");
        give_away(cluster.root.path());
        cluster
    }

    /// Adds settings; the last of a name counts. They hold from the next start or [`Cluster::reload`] on.
    pub fn configure(&self, settings: &[(&str, &str)]) {
        let path = self.data().join("postgresql.auto.conf");
        let mut text = fs::read_to_string(&path).unwrap_or_default();
        let socket = self.socket_dir();
        let _ = writeln!(text, "port = {}\nunix_socket_directories = '{}'", self.port, socket.display());
        text.push_str("listen_addresses = '127.0.0.1'\nfsync = off\nshared_buffers = '16MB'\n");
        text.push_str("lc_messages = 'C'\ntimezone = 'UTC'\n");
        for (name, value) in settings {
            let _ = writeln!(text, "{name} = '{}'", value.replace('\'', "''"));
        }
        write_private(&path, &text);
        give_away(&path);
    }

    /// Starts the server and waits until it lets clients in.
    #[track_caller]
    pub fn start(&mut self) {
        self.start_without_waiting();
        let file = self.data().join("postmaster.pid");
        let process = self.process.as_mut().expect("it was just started");
        let log = self.root.path().join("log");
        eventually("PostgreSQL to let clients in", || {
            let log = || fs::read_to_string(&log).unwrap_or_default();
            assert!(!process.has_ended(), "PostgreSQL did not start:\n{}", log());
            fs::read_to_string(&file).is_ok_and(|text| text.lines().nth(7).is_some_and(|word| word.trim() == "ready"))
        });
    }

    /// Starts the server and waits for nothing.
    #[track_caller]
    pub fn start_without_waiting(&mut self) {
        let _ = fs::remove_file(self.data().join("postmaster.pid"));
        let log = self.root.path().join("log");
        let log = fs::File::options().create(true).append(true).open(log).expect("the log opens");
        let command = self.program("postgres").arg("-D").arg(self.data());
        let words: Vec<String> = command.words.into_iter().skip(1).collect();
        let errors = log.try_clone().expect("the log opens");
        self.process = Some(Process::spawn("setpriv", words, "INT", |command| {
            command.current_dir("/").stdout(log).stderr(errors)
        }));
    }

    /// Stops the server at once, and its clients with it.
    pub fn stop(&mut self) {
        self.process = None;
    }

    /// Kills the server as a machine that fails does.
    #[track_caller]
    pub fn crash(&mut self) {
        if let Some(mut process) = self.process.take() {
            process.signal("QUIT");
            eventually("PostgreSQL to end", || process.has_ended());
        }
    }

    /// Stops the server and starts it again.
    #[track_caller]
    pub fn restart(&mut self) {
        self.stop();
        self.start();
    }

    /// Lets the server read its settings again.
    #[track_caller]
    pub fn reload(&self) {
        self.psql("SELECT pg_reload_conf()");
    }

    /// Lets sessions from now on find what is new in its files of certificates.
    #[track_caller]
    pub fn restart_sessions(&self) {
        self.reload();
        // Whoever is answered after the reload was begun may still be served by what was before.
        let since = self.psql("SELECT pg_conf_load_time()");
        eventually("the settings to be read", || {
            self.psql("SELECT pg_reload_conf()");
            self.psql("SELECT pg_conf_load_time()") != since
        });
    }

    /// The first process of the server.
    #[track_caller]
    pub fn process(&self) -> &Process {
        self.process.as_ref().expect("the server runs")
    }

    /// Its port, on 127.0.0.1 and in the name of its socket.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// The directory of its socket.
    pub fn socket_dir(&self) -> PathBuf {
        self.root.path().join("socket")
    }

    /// The directory of its programs.
    pub fn programs(&self) -> &Path {
        &self.programs
    }

    /// Its data directory.
    pub fn data(&self) -> PathBuf {
        self.root.path().join("data")
    }

    /// What it has logged.
    pub fn log(&self) -> String {
        fs::read_to_string(self.root.path().join("log")).unwrap_or_default()
    }

    /// Runs `sql` as the superuser in database postgres; returns what it prints, without headings and alignment.
    #[track_caller]
    pub fn psql(&self, sql: &str) -> String {
        self.psql_in("postgres", sql)
    }

    /// Runs `sql` as the superuser in `database`. Several statements are sent one by one.
    #[track_caller]
    pub fn psql_in(&self, database: &str, sql: &str) -> String {
        let output = self.client(database).args(["-c", sql]).output().expect("psql runs");
        assert!(output.status.success(), "{sql}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8_lossy(&output.stdout).trim_end().to_owned()
    }

    /// A psql of the superuser that runs beside the test, for sessions that stay: it does what `sql` says and then
    /// nothing, until it is dropped.
    #[track_caller]
    pub fn session(&self, database: &str, sql: &str) -> Process {
        let (socket, port) = (self.socket_dir().display().to_string(), self.port.to_string());
        let idle = r"\! exec setpriv --pdeathsig KILL sleep 600";
        let server = ["-XqAt", "-U", "postgres", "-h", &socket, "-p", &port, "-d", database];
        Process::start("psql", server.into_iter().chain(["-c", sql, "-c", idle]))
    }

    /// psql of the superuser.
    #[track_caller]
    pub fn client(&self, database: &str) -> Command {
        let mut command = Command::new(need("psql", INSTALL));
        command.args([
            "-XqAt",
            "-v",
            "ON_ERROR_STOP=1",
            "-U",
            "postgres",
            "-d",
            database,
            "-p",
            &self.port.to_string(),
        ]);
        command.arg("-h").arg(self.socket_dir()).stdin(Stdio::null());
        command
    }

    fn program(&self, name: &str) -> AsServer {
        let mut command = AsServer { words: vec!["setpriv".to_owned()] };
        if is_root() {
            command = command.args(["--reuid", USER, "--regid", USER, "--init-groups"]);
        }
        // A server that is killed with the test is to leave no children.
        command.args(["--pdeathsig", "INT", "--"]).arg(self.programs.join(name))
    }
}

/// A program that runs as the server's user.
struct AsServer {
    words: Vec<String>,
}

impl AsServer {
    fn arg(mut self, word: impl AsRef<Path>) -> Self {
        self.words.push(word.as_ref().display().to_string());
        self
    }

    fn args<'a>(mut self, words: impl IntoIterator<Item = &'a str>) -> Self {
        self.words.extend(words.into_iter().map(str::to_owned));
        self
    }

    #[track_caller]
    fn run(self) {
        let (program, arguments) = self.words.split_first().expect("it begins with setpriv");
        let output =
            Command::new(need(program, "apt-get install util-linux")).args(arguments).current_dir("/").output();
        let output = output.unwrap_or_else(|error| panic!("cannot run {program}: {error}"));
        assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    }
}

/// A port on which nothing listens.
fn free_port() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    listener.local_addr().expect("its address").port()
}

/// Why this machine can run no server, if it cannot.
pub fn lacking() -> Option<String> {
    let tools = ["psql", "setpriv", "id", "chown", "kill"];
    if programs().is_none() {
        return Some("PostgreSQL is not installed".to_owned());
    }
    if let Some(tool) = tools.iter().find(|tool| find(tool).is_none()) {
        return Some(format!("{tool} is not installed"));
    }
    let account = || Command::new("id").args(["-u", USER]).output().is_ok_and(|output| output.status.success());
    (is_root() && !account()).then(|| format!("there is no user {USER}"))
}

/// The newest that are installed.
fn programs() -> Option<PathBuf> {
    let versions = fs::read_dir(PROGRAMS).into_iter().flatten().flatten();
    let number = |path: &Path| path.file_name()?.to_str()?.parse::<u32>().ok();
    let homes = versions.map(|entry| entry.path()).filter(|path| path.join("bin/postgres").is_file());
    homes.max_by_key(|path| number(path)).map(|home| home.join("bin"))
}

#[track_caller]
fn newest_programs() -> PathBuf {
    programs().unwrap_or_else(|| panic!("this test needs a PostgreSQL server: {INSTALL}"))
}

fn is_root() -> bool {
    run("id", &["-u"]).trim() == "0"
}

fn write_private(path: &Path, text: &str) {
    fs::write(path, text).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    fs::set_permissions(path, fs::Permissions::from_mode(0o600)).expect("chmod");
}

fn give_away(path: &Path) {
    if is_root() {
        run("chown", &["-R", &format!("{USER}:"), &path.display().to_string()]);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cluster_starts_crashes_and_ends_with_its_value() {
        let mut cluster = Cluster::plan().setting("max_connections", "7").start();
        assert_eq!(cluster.psql("SHOW max_connections"), "7");
        cluster.psql("CREATE DATABASE kwanza");
        let session = cluster.session("kwanza", "BEGIN");
        eventually("the session", || {
            cluster.psql("SELECT count(*) FROM pg_stat_activity WHERE state = 'idle in transaction'") == "1"
        });
        drop(session);
        cluster.crash();
        cluster.start();
        assert!(cluster.log().contains("was not properly shut down"), "{}", cluster.log());
        let (pid, data) = (cluster.process().pid(), cluster.data());
        drop(cluster);
        assert!(!data.exists() && !Path::new(&format!("/proc/{pid}")).exists());
    }
}
