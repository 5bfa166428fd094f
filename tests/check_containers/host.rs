//! A host in a box: an engine that answers from a recording, the `/proc` and `/sys` of its host, and the samples of
//! the runs on it.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};
use support::golden::Golden;
use support::http::{Answer, Routes, Server};
use support::run::{Output, Run};
use support::tree::Tree;
use tempfile::TempDir;

pub const FIXTURES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/fixtures/check_containers");
/// The engine of most tests: cgroup v1, docker-compose 1.
pub const DOCKER: &str = "engine-20.10";
/// The same on cgroup v2.
pub const DOCKER_V2: &str = "engine-20.10-cgroup-v2";
/// A newer engine, Compose 2.
pub const DOCKER_26: &str = "engine-26.1";
/// The shapes of API 1.52, which this check never asks for; an engine may have no older ones some day.
pub const API_1_52: &str = "derived-api-1.52";
pub const PODMAN: &str = "podman-4.3";

pub fn binary() -> PathBuf {
    env!("CARGO_BIN_EXE_check_containers").into()
}

/// A file of recording `engine`.
pub fn recorded(engine: &str, path: &str) -> Vec<u8> {
    let path = Path::new(FIXTURES).join("engines").join(engine).join(path);
    std::fs::read(&path).unwrap_or_else(|error| panic!("cannot read {}: {error}", path.display()))
}

fn exists(engine: &str, path: &str) -> bool {
    Path::new(FIXTURES).join("engines").join(engine).join(path).exists()
}

/// The tree of its host at the first or second sample.
pub fn tree(engine: &str, sample: u8) -> Tree {
    Tree::load(Path::new(FIXTURES).join(format!("engines/{engine}/host.{sample}.tree")))
}

/// Seconds between the two samples of a recording.
pub fn between_samples(engine: &str) -> f64 {
    let uptime = |sample: u8| -> f64 {
        let host = tree(engine, sample).unpack();
        let text = std::fs::read_to_string(host.path().join("proc/uptime")).unwrap();
        text.split(' ').next().unwrap().parse().unwrap()
    };
    uptime(2) - uptime(1)
}

/// What an engine answers, from a recording, and what a test makes of it.
#[derive(Clone)]
pub struct Engine {
    name: &'static str,
    /// `/v1.41`.
    version: String,
    /// Answers by path, in turn.
    answers: BTreeMap<String, Vec<Answer>>,
    /// IDs by name.
    ids: BTreeMap<String, String>,
}

impl Engine {
    /// The engine of recording `name`. Its clock stands where it stood when the recording was begun.
    pub fn recorded(name: &'static str) -> Self {
        let ping = String::from_utf8(recorded(name, "ping.txt")).unwrap();
        let header = |name: &str| ping.lines().find_map(|line| line.strip_prefix(name)).unwrap().trim().to_owned();
        // Newer engines are asked for an older version, which the derived one does not have.
        let offered = header("Api-Version:");
        let version = if name == API_1_52 { "/v1.51".to_owned() } else { format!("/v{offered}") };
        let answer = Answer::text("OK").header("Api-Version", &offered).header("Date", &header("Date:"));
        let mut engine = Self { name, version, answers: BTreeMap::new(), ids: BTreeMap::new() };
        engine = engine.answers("/_ping", answer).answers("/containers/json", file(name, "containers.json"));
        let list: Value = serde_json::from_slice(&recorded(name, "containers.json")).unwrap();
        for row in list.as_array().unwrap() {
            engine.add(row);
        }
        engine
    }

    /// Adds what is recorded of one container of the list.
    fn add(&mut self, row: &Value) {
        let (name, id) = (row["Names"][0].as_str().unwrap().trim_start_matches('/'), row["Id"].as_str().unwrap());
        let directory = name.strip_prefix("deploy").map_or(name, |rest| rest.trim_start_matches(['_', '-']));
        self.ids.insert(name.to_owned(), id.to_owned());
        let path = |what: &str| format!("/containers/{id}/{what}");
        let inspected: Value =
            serde_json::from_slice(&recorded(self.name, &format!("{directory}/inspect.json"))).unwrap();
        self.answers.insert(path("json"), vec![Answer::json(inspected.to_string())]);
        // A first run reads twice and finds no time between; the next one has the second sample.
        let samples = [1, 1, 2].map(|number| format!("{directory}/stats.{number}.json"));
        let samples = samples.iter().filter(|path| exists(self.name, path)).map(|path| file(self.name, path)).collect();
        self.answers.insert(path("stats"), samples);
        self.answers.insert(path("logs"), vec![self.log(name, directory)]);
        for image in [&row["Image"], &inspected["Config"]["Image"]].map(|image| image.as_str().unwrap()) {
            let path = format!("images/{}.json", image.replace(['/', ':'], "-"));
            // No image is derived.
            if exists(self.name, &path) {
                self.answers.insert(format!("/images/{image}/json"), vec![file(self.name, &path)]);
            }
        }
    }

    /// The log of a container, or the refusal to give it.
    fn log(&self, name: &str, directory: &str) -> Answer {
        let body = recorded(self.name, &format!("{directory}/log.raw"));
        let known = if exists(self.name, "logs.txt") { recorded(self.name, "logs.txt") } else { Vec::new() };
        let known = String::from_utf8(known).unwrap();
        let status = known.lines().find_map(|line| line.strip_prefix(name)?.trim().split(' ').next()?.parse().ok());
        Answer::status(status.unwrap_or(200), body)
    }

    /// The path of `what` (`json`, `stats`, `logs`) of container `name`.
    pub fn path(&self, name: &str, what: &str) -> String {
        format!("/containers/{}/{what}", self.id(name))
    }

    pub fn id(&self, name: &str) -> &str {
        self.ids.get(name).unwrap_or_else(|| panic!("{name} is not recorded"))
    }

    /// With another answer to `path`, which is without the version.
    #[must_use]
    pub fn answers(mut self, path: &str, answer: Answer) -> Self {
        self.answers.insert(path.to_owned(), vec![answer]);
        self
    }

    /// With another answer about container `name`.
    #[must_use]
    pub fn says(self, name: &str, what: &str, answer: Answer) -> Self {
        let path = self.path(name, what);
        self.answers(&path, answer)
    }

    /// With its answers to `path` edited, which are JSON.
    #[must_use]
    pub fn edited(mut self, path: &str, edit: impl Fn(&mut Value)) -> Self {
        let answers = self.answers.get_mut(path).unwrap_or_else(|| panic!("nothing is answered to {path}"));
        for answer in answers {
            let Answer::Response { body, .. } = answer else { panic!("{answer:?} is no JSON") };
            let mut value = serde_json::from_slice(body).unwrap();
            edit(&mut value);
            *body = serde_json::to_vec(&value).unwrap();
        }
        self
    }

    /// With what it says of container `name` edited.
    #[must_use]
    pub fn with(self, name: &str, edit: impl Fn(&mut Value)) -> Self {
        let path = self.path(name, "json");
        self.edited(&path, edit)
    }

    /// With the row of container `name` in its list edited.
    #[must_use]
    pub fn with_row(self, name: &str, edit: impl Fn(&mut Value)) -> Self {
        let id = self.id(name).to_owned();
        self.edited("/containers/json", |list| {
            edit(list.as_array_mut().unwrap().iter_mut().find(|row| row["Id"] == *id).unwrap());
        })
    }

    /// With the containers `names` alone in its list.
    #[must_use]
    pub fn with_only(self, names: &[&str]) -> Self {
        let ids: Vec<String> = names.iter().map(|name| self.id(name).to_owned()).collect();
        self.edited("/containers/json", |list| {
            list.as_array_mut().unwrap().retain(|row| ids.iter().any(|id| row["Id"] == **id));
        })
    }

    /// With its clock at `date`, as HTTP writes it.
    #[must_use]
    pub fn later(self, date: &str) -> Self {
        let version = self.version.trim_start_matches("/v").to_owned();
        self.answers("/_ping", Answer::text("OK").header("Api-Version", &version).header("Date", date))
    }

    /// With time between the two readings that a first run makes of container `name`.
    #[must_use]
    pub fn with_two_readings(mut self, name: &str) -> Self {
        let path = self.path(name, "stats");
        let [first, _, second] = self.answers[&path].as_slice() else { panic!("{name} has not two samples") };
        let readings = vec![first.clone(), second.clone()];
        self.answers.insert(path, readings);
        self
    }

    fn routes(&self, mut routes: Routes) -> Routes {
        for (path, answers) in &self.answers {
            let version = if path == "/_ping" { "" } else { &self.version };
            for answer in answers {
                routes = routes.on("GET", &format!("{version}{path}"), answer.clone());
            }
        }
        routes
    }
}

fn file(engine: &str, path: &str) -> Answer {
    Answer::json(recorded(engine, path))
}

/// A directory with a host's files and its engine's socket, and the samples of the runs on it.
pub struct Host {
    pub directory: TempDir,
    pub state: TempDir,
    server: Option<Server>,
}

impl Host {
    /// The host and engine of recording `name`.
    pub fn new(name: &'static str) -> Self {
        Self::of(&Engine::recorded(name))
    }

    /// The host of the recording that `engine` was made from.
    pub fn of(engine: &Engine) -> Self {
        // What is derived was recorded on the host of another engine.
        let name = if engine.name == API_1_52 { DOCKER_26 } else { engine.name };
        Self::with_tree(&tree(name, 1), engine)
    }

    pub fn with_tree(tree: &Tree, engine: &Engine) -> Self {
        let state = tempfile::tempdir().expect("a directory for samples");
        let mut host = Self { directory: tree.unpack(), state, server: None };
        host.becomes(engine);
        host
    }

    /// A host without an engine, and without containers.
    pub fn without_engine() -> Self {
        let state = tempfile::tempdir().expect("a directory for samples");
        Self { directory: Tree::new().directory("proc").directory("sys").unpack(), state, server: None }
    }

    /// Time passes, and the engine answers like this.
    pub fn becomes(&mut self, engine: &Engine) {
        // The old one has to be gone from the socket first.
        self.server = None;
        self.server = Some(Server::unix(self.path("docker.sock"), |routes| engine.routes(routes)));
    }

    /// Time passes, and the kernel counts as in `tree`.
    pub fn after(&self, seconds: f64, tree: &Tree) {
        tree.unpack_into(self.directory.path());
        self.edit_kept(|container| {
            let at = container["counters"]["at"].as_f64().unwrap();
            container["counters"]["at"] = json!(at - seconds);
        });
    }

    /// The second sample of the recording is the host's state now.
    pub fn at_second_sample(&self, engine: &str) {
        self.after(between_samples(engine), &tree(engine, 2));
    }

    /// Edits what the last run has kept of each container.
    pub fn edit_kept(&self, edit: impl Fn(&mut Value)) {
        self.edit_sample(|sample| sample["data"]["containers"].as_object_mut().unwrap().values_mut().for_each(&edit));
    }

    /// Edits what the last run has kept.
    pub fn edit_sample(&self, edit: impl Fn(&mut Value)) {
        let files = std::fs::read_dir(self.state.path()).expect("the directory of samples").flatten();
        let mut samples = files.map(|file| file.path()).filter(|path| path.extension() == Some("json".as_ref()));
        let path = samples.next().expect("a sample");
        let mut sample: Value = serde_json::from_slice(&std::fs::read(&path).unwrap()).unwrap();
        edit(&mut sample);
        std::fs::write(&path, serde_json::to_vec(&sample).unwrap()).unwrap();
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    /// Writes a file of the project and returns the directory that holds it.
    pub fn project_file(&self, name: &str, text: impl AsRef<[u8]>) -> String {
        let directory = self.path("deploy");
        std::fs::create_dir_all(&directory).unwrap();
        std::fs::write(directory.join(name), text).unwrap();
        directory.display().to_string()
    }

    /// The targets that were asked for so far, without the version.
    pub fn requests(&self) -> Vec<String> {
        let requests = self.server.as_ref().expect("an engine").requests();
        let without_version = |target: &str| match target.strip_prefix("/v1.") {
            Some(rest) => rest.trim_start_matches(|c: char| c.is_ascii_digit()).to_owned(),
            None => target.to_owned(),
        };
        requests.iter().map(|request| without_version(&request.target)).collect()
    }

    /// The options that point a run at this host.
    pub fn options(&self) -> Vec<String> {
        let path = |name: &str| self.path(name).display().to_string();
        let socket = format!("unix://{}", path("docker.sock"));
        ["--procfs", &path("proc"), "--sysfs", &path("sys"), "--sample", "100ms", "--docker-host", &socket]
            .map(str::to_owned)
            .to_vec()
    }

    /// A run that a test may go on with.
    pub fn start(&self, arguments: &[&str]) -> Run {
        Run::new(binary()).args(self.options()).args(arguments).state_dir(self.state.path())
    }

    pub fn run(&self, arguments: &[&str]) -> Output {
        let output = self.start(arguments).output();
        assert_eq!(output.stderr, "", "{}", output.stdout);
        output
    }

    /// Compares the whole output and the exit code of a run with the golden file `name`, whose first word is the
    /// state.
    #[track_caller]
    pub fn assert(&self, name: &str, arguments: &[&str]) {
        self.compare(name, arguments, mask_first_run);
    }

    /// The same where a second sample was read from cgroups, whose rates rest on this machine's clock: they are
    /// masked.
    #[track_caller]
    pub fn assert_without_rates(&self, name: &str, arguments: &[&str]) {
        self.compare(name, arguments, mask_rates);
    }

    #[track_caller]
    fn compare(&self, name: &str, arguments: &[&str], mask: fn(&str) -> String) {
        let output = self.run(arguments);
        let state = name.split('_').next().unwrap().to_ascii_uppercase();
        let status = format!("CONTAINERS {state} - ");
        assert!(output.stdout.starts_with(&status), "{name}: {}", output.stdout);
        Golden::new(Path::new(FIXTURES).join(format!("{name}.out")))
            .replace(self.directory.path().display().to_string(), "{host}")
            .replace(self.state.path().display().to_string(), "{state}")
            .mask(move |text| mask(&text))
            .assert(&format!("{}exit code {}\n", output.stdout, output.code));
    }
}

/// The name of the sample is made from the host's directory, and the time between two readings of one run is real.
fn mask_first_run(text: &str) -> String {
    let text = masked(text, "{state}/check_containers-", "{sample}", |c| c != '.');
    let text = masked(&text, "rates since ", "{time}", |c| c != ')');
    // How long a state has lasted rests on both clocks, and a second may be rounded away.
    masked(&text, "created and not started, for ", "{time}", |c| c != ';' && c != '\n')
}

/// The values of rates, in perfdata and in words.
fn mask_rates(text: &str) -> String {
    let number = |c: char| c.is_ascii_digit() || c == '.';
    let places = ["cpu_percent=", "cpu_cores=", "_per_second=", " cpu "];
    places.iter().fold(mask_first_run(text), |text, before| masked(&text, before, "{rate}", number))
}

/// `text` with what is `hidden` behind each `before` replaced.
fn masked(text: &str, before: &str, by: &str, hidden: impl Fn(char) -> bool + Copy) -> String {
    let mut parts = text.split(before);
    let first = parts.next().unwrap_or_default().to_owned();
    parts.fold(first, |text, part| {
        let rest = part.trim_start_matches(hidden);
        let by = if rest.len() < part.len() { by } else { "" };
        text + before + by + rest
    })
}

/// The value of metric `label` in the perfdata of `output`.
#[track_caller]
pub fn figure(output: &Output, label: &str) -> f64 {
    find(output, label).unwrap_or_else(|| panic!("there is no {label} in {}", output.first_line()))
}

/// The same where there may be none.
#[track_caller]
pub fn find(output: &Output, label: &str) -> Option<f64> {
    let (_, perfdata) = output.first_line().split_once(" | ").unwrap_or_default();
    let data = support::perfdata::parse_strictly(perfdata).unwrap_or_else(|reason| panic!("{reason}: {perfdata}"));
    data.iter().find(|datum| datum.label == label).map(|datum| datum.value.value)
}
