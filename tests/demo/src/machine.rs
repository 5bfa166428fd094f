//! A machine of the tests' fixtures, with an engine that answers from a recording.

use std::io;
use std::path::Path;

use support::Tree;
use support::http::{Answer, Server};
use tempfile::TempDir;

const FIXTURES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../fixtures/check_docker_host");

/// A machine that exists as long as this does.
pub struct Machine {
    directory: TempDir,
    _engine: Server,
}

impl Machine {
    /// The machine of a scenario.
    pub fn new(scenario: &str) -> io::Result<Self> {
        let directory = Tree::load(Path::new(FIXTURES).join(format!("{scenario}.tree"))).unpack();
        let recorded = |name: &str| std::fs::read(Path::new(FIXTURES).join("engine-20.10").join(name));
        let (info, containers, usage) =
            (recorded("info.json")?, recorded("containers_json.json")?, recorded("system_df.json")?);
        let engine = Server::unix(directory.path().join("docker.sock"), |routes| {
            routes
                .on("GET", "/_ping", Answer::text("OK").header("Api-Version", "1.41"))
                .on("GET", "/v1.41/info", Answer::json(info))
                .on("GET", "/v1.41/containers/json", Answer::json(containers))
                .on("GET", "/v1.41/system/df", Answer::json(usage))
        });
        Ok(Self { directory, _engine: engine })
    }

    /// The options that point the check at it.
    pub fn options(&self) -> Vec<String> {
        let path = |name: &str| self.directory.path().join(name).display().to_string();
        let option = |name: &str, value: String| [format!("--{name}"), value];
        [
            option("procfs", path("proc")),
            option("sysfs", path("sys")),
            option("statvfs", path("statvfs")),
            option("docker-host", format!("unix://{}", path("docker.sock"))),
            option("state-dir", path("state")),
        ]
        .concat()
    }
}
