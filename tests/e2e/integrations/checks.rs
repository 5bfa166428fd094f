//! A check by each plugin of the guide's deployment, as each core is told of it.

use std::fmt::Write as _;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use support::live::Engine;
use support::run::Run;
use support::stand::Stand;
use support::tool::{plugin, run};
use tempfile::TempDir;

/// What a check is made of.
pub struct Check {
    /// `check_x`.
    pub plugin: &'static str,
    /// Options and their values; one without a name is positional.
    pub options: Vec<(&'static str, Vec<String>)>,
}

/// The checks of a deployment.
pub struct Checks {
    /// All of them.
    pub list: Vec<Check>,
    /// Holds a password and the samples.
    home: TempDir,
}

/// What a plugin says by itself.
pub struct Said {
    /// Its exit code.
    pub state: u64,
    /// All that it prints.
    pub text: String,
    /// Its performance data.
    pub perfdata: String,
}

impl Check {
    /// The command and service of this check.
    pub fn name(&self) -> String {
        format!("sirenia-{}", self.stem().replace('_', "-"))
    }

    /// What its positional arguments are called in its variables.
    fn positional(&self) -> &'static str {
        if self.plugin == "check_endpoint" { "endpoint" } else { "paths" }
    }

    /// Its name without `check_`.
    pub fn stem(&self) -> &'static str {
        self.plugin.strip_prefix("check_").unwrap()
    }

    /// The arguments as a command line has them.
    pub fn arguments(&self) -> Vec<String> {
        self.lines().into_iter().flatten().collect()
    }

    /// The same as an options file has them: an option and its value, or what is positional, a line.
    pub fn lines(&self) -> Vec<Vec<String>> {
        let lines = |(name, values): &(&str, Vec<String>)| -> Vec<Vec<String>> {
            let option = (!name.is_empty()).then(|| format!("--{name}"));
            if values.is_empty() {
                return vec![option.into_iter().collect()];
            }
            values.iter().map(|value| option.iter().chain([value]).cloned().collect()).collect()
        };
        self.options.iter().flat_map(lines).collect()
    }

    /// The plugin by itself.
    #[track_caller]
    pub fn run(&self) -> Said {
        let run = Run::new(plugin(self.plugin)).no_state_dir().args(self.arguments()).limit(Duration::from_mins(1));
        let output = run.output();
        let perfdata = output.first_line().split_once(" | ").map_or("", |(_, perfdata)| perfdata).to_owned();
        Said { state: u64::try_from(output.code).unwrap(), text: output.stdout, perfdata }
    }
}

impl Checks {
    /// Those of `stand`.
    pub fn of(stand: &Stand, engine: &Engine) -> Self {
        let home = tempfile::tempdir().unwrap();
        let password = home.path().join("password");
        std::fs::write(&password, "postgres\n").unwrap();
        std::fs::set_permissions(&password, std::fs::Permissions::from_mode(0o600)).unwrap();
        let one = |text: String| vec![text];
        let socket = ("docker-host", one(engine.address()));
        let state = ("state-dir", one(home.path().join("state").display().to_string()));
        let url =
            |scheme: &str, service: &str, port: u16| format!("{scheme}://127.0.0.1:{}", stand.port(service, port));
        let list = vec![
            Check { plugin: "check_docker_host", options: vec![socket.clone(), ("no-pressure-gate", Vec::new())] },
            Check {
                plugin: "check_containers",
                options: vec![socket.clone(), ("deploy-dir", one(stand.folder().display().to_string()))],
            },
            Check {
                plugin: "check_kwanza_expvars",
                options: vec![socket, ("container", one("deploy_kwanza_1".to_owned()))],
            },
            Check {
                plugin: "check_endpoint",
                options: vec![
                    ("insecure", Vec::new()),
                    ("", vec![url("grpc", "kwanza", 8001), format!("cuesta={}/", url("https", "cuesta", 443))]),
                ],
            },
            Check {
                plugin: "check_postgres",
                options: vec![
                    ("host", one("127.0.0.1".to_owned())),
                    ("port", one(stand.port("postgres", 5432).to_string())),
                    ("username", one("postgres".to_owned())),
                    ("dbname", one("postgres".to_owned())),
                    ("password-file", one(password.display().to_string())),
                    ("warning", vec!["uptime=".to_owned(), "postgres:database_size=1TB".to_owned()]),
                ],
            },
            Check { plugin: "check_backup_age", options: vec![("", one(dump(home.path(), stand)))] },
            Check { plugin: "check_backend", options: vec![("config", one(backend(home.path(), stand, engine)))] },
        ];
        let with_state = |mut check: Check| {
            check.options.push(state.clone());
            check
        };
        Self { list: list.into_iter().map(with_state).collect(), home }
    }

    /// Lets another user run the checks too: what they read is the test's own.
    pub fn share(&self, stand: &Stand, engine: &Engine, user: &str) {
        let own = |name: &str| self.home.path().join(name).display().to_string();
        std::fs::create_dir_all(own("state")).unwrap();
        run("chown", &["-R", user, &own("state"), &own("password"), &own("kwanza.tar")]);
        run("chmod", &["a+rx", &self.home.path().display().to_string()]);
        let address = engine.address();
        let socket = Path::new(address.trim_start_matches("unix://"));
        run("chmod", &["a+rw", &socket.display().to_string()]);
        for folder in [socket.parent().unwrap(), stand.folder().parent().unwrap()] {
            run("chmod", &["a+rx", &folder.display().to_string()]);
        }
    }

    /// A host and the services, in the language of Icinga.
    pub fn icinga_objects(&self) -> String {
        let mut text = "object Host \"host\" { check_command = \"dummy\" }\n".to_owned();
        for check in &self.list {
            let _ = writeln!(
                text,
                "object Service \"{0}\" {{\n  host_name = \"host\"\n  check_command = \"{0}\"\n  check_interval = 1d\n  \
                 enable_notifications = false\n  max_check_attempts = 1",
                check.name()
            );
            for (name, values) in &check.options {
                let name = if name.is_empty() { check.positional() } else { name };
                let variable = format!("sirenia_{}_{}", check.stem(), name.replace('-', "_"));
                let value = match values.as_slice() {
                    [] => "true".to_owned(),
                    [one] => format!("{one:?}"),
                    several => format!("{several:?}"),
                };
                let _ = writeln!(text, "  vars.{variable} = {value}");
            }
            text.push_str("}\n");
        }
        text
    }
}

/// A dump of the database, as the guide makes one.
#[track_caller]
fn dump(home: &Path, stand: &Stand) -> String {
    let file = home.join("kwanza.tar").display().to_string();
    let port = stand.port("postgres", 5432).to_string();
    let url = format!("postgresql://postgres@127.0.0.1:{port}/postgres");
    let password = home.join("pgpass");
    std::fs::write(&password, "*:*:*:*:postgres\n").unwrap();
    std::fs::set_permissions(&password, std::fs::Permissions::from_mode(0o600)).unwrap();
    let words = [format!("PGPASSFILE={}", password.display()), "pg_dump".to_owned()];
    run("env", &[&words[0], &words[1], "-w", "-F", "t", "-f", &file, "--dbname", &url]);
    file
}

/// The file of a health check of two parts, of which one explains the other.
fn backend(home: &Path, stand: &Stand, engine: &Engine) -> String {
    let file = home.join("backend.toml");
    let text = format!(
        "[[check]]\nname = \"containers\"\nplugin = \"check_containers\"\n\
         arguments = [\"--docker-host\", \"{}\", \"--deploy-dir\", \"{}\"]\n\n\
         [[check]]\nname = \"kwanza\"\nplugin = \"check_endpoint\"\n\
         arguments = [\"grpc=grpc://127.0.0.1:{}\"]\nparent = \"containers:kwanza\"\n",
        engine.address(),
        stand.folder().display(),
        stand.port("kwanza", 8001)
    );
    std::fs::write(&file, text).unwrap();
    file.display().to_string()
}

/// Where the plugins are, all of them and as they are in the source.
#[track_caller]
pub fn plugins_folder() -> PathBuf {
    let all = [
        "check_docker_host",
        "check_containers",
        "check_kwanza_expvars",
        "check_endpoint",
        "check_postgres",
        "check_backup_age",
        "check_backend",
    ];
    let programs = all.map(plugin);
    programs[0].parent().unwrap().to_owned()
}
