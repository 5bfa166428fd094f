//! An NRPE of the test's own.

use std::net::TcpListener;
use std::path::Path;

use support::live::{Process, eventually};
use support::tool::run;
use tempfile::TempDir;

use crate::checks::{Checks, plugins_folder};

/// As the package says; NRPE does not run as root.
pub const USER: &str = "nagios";

/// A daemon on loopback that runs the packaged commands. It ends with this value.
pub struct Nrpe {
    port: u16,
    _process: Process,
    _home: TempDir,
}

impl Nrpe {
    /// A daemon with the commands of the file `commands`, whose options files say what `checks` are to do.
    #[track_caller]
    pub fn start(commands: &Path, checks: &Checks) -> Self {
        let home = tempfile::tempdir().unwrap();
        let path = |name: &str| home.path().join(name).display().to_string();
        for check in &checks.list {
            let lines = check.lines().iter().map(|words| words.join(" ")).collect::<Vec<_>>().join("\n");
            std::fs::write(path(&format!("{}.options", check.stem())), lines).unwrap();
        }
        let installed = std::fs::read_to_string(commands).unwrap();
        let here = installed
            .replace("/usr/lib/nagios/plugins", &plugins_folder().display().to_string())
            .replace("/etc/monitoring-plugins-sirenia", &home.path().display().to_string());
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let settings = format!(
            "server_address=127.0.0.1\nserver_port={port}\nallowed_hosts=127.0.0.1\nnrpe_user={USER}\n\
             nrpe_group={USER}\npid_file={}\ncommand_timeout=60\nlog_file={}\n{here}",
            path("nrpe.pid"),
            path("nrpe.log")
        );
        std::fs::write(path("nrpe.cfg"), settings).unwrap();
        run("chown", &["-R", USER, &path("")]);
        let process = Process::start("nrpe", ["-c", &path("nrpe.cfg"), "-f"]);
        eventually("NRPE to listen", || std::net::TcpStream::connect(("127.0.0.1", port)).is_ok());
        Self { port, _process: process, _home: home }
    }

    /// Where it listens.
    pub fn port(&self) -> u16 {
        self.port
    }
}
