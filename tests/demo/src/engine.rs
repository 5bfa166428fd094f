//! A Docker Engine that answers from a recording: three containers of it, of which one has filled its disk.

use std::io;
use std::path::Path;

use support::http::{Answer, Routes, Server};
use tempfile::TempDir;

const RECORDING: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../fixtures/check_containers/engines/engine-20.10");
/// Containers of the recording, by the folders that hold them.
const CONTAINERS: [&str; 3] = ["postgres_1", "kwanza_1", "nospace_1"];
/// When it was recorded, by the engine's clock, from which ages are counted.
const DATE: &str = "Tue, 24 Nov 2026 23:33:50 GMT";

/// An engine that listens as long as this lives.
pub struct Engine {
    directory: TempDir,
    _server: Server,
}

impl Engine {
    /// The engine.
    pub fn recorded() -> io::Result<Self> {
        let directory = tempfile::tempdir()?;
        let read = |name: &str| std::fs::read(Path::new(RECORDING).join(name));
        let containers = read("containers.json")?;
        let mut answers = Vec::new();
        for name in CONTAINERS {
            for (what, file) in
                [("json", "inspect.json"), ("stats", "stats.1.json"), ("stats", "stats.2.json"), ("logs", "log.raw")]
            {
                // One that has ended has no second reading.
                if let Ok(body) = read(&format!("{name}/{file}")) {
                    answers.push((name, what, body));
                }
            }
        }
        let script = |routes: Routes| {
            let ping = Answer::text("OK").header("Api-Version", "1.41").header("Date", DATE);
            let routes =
                routes.on("GET", "/_ping", ping).on("GET", "/v1.41/containers/json", Answer::json(&containers));
            answers.iter().fold(routes, |routes, (name, what, body)| {
                routes.on("GET", &format!("/v1.41/containers/{}/{what}", id(&containers, name)), Answer::json(body))
            })
        };
        let server = Server::unix(directory.path().join("docker.sock"), script);
        Ok(Self { directory, _server: server })
    }

    /// The options that point the check at it and its containers.
    pub fn options(&self) -> Vec<String> {
        let mut options = vec![
            "--docker-host".to_owned(),
            format!("unix://{}", self.directory.path().join("docker.sock").display()),
            "--state-dir".to_owned(),
            self.directory.path().join("state").display().to_string(),
        ];
        options.extend(CONTAINERS.iter().flat_map(|name| ["--container".to_owned(), format!("deploy_{name}")]));
        // Its processes are not of this machine.
        options.extend(["--stats", "api", "--sample", "100ms"].map(str::to_owned));
        options
    }
}

/// The ID of container `deploy_NAME` in the list.
fn id(list: &[u8], name: &str) -> String {
    let list: serde_json::Value = serde_json::from_slice(list).unwrap_or_default();
    let name = format!("/deploy_{name}");
    let row = list
        .as_array()
        .into_iter()
        .flatten()
        .find(|row| row.pointer("/Names/0").and_then(serde_json::Value::as_str) == Some(name.as_str()));
    row.and_then(|row| row.get("Id")?.as_str()).unwrap_or_default().to_owned()
}
