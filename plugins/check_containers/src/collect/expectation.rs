//! What should be there: the options, and the compose files that they name.

use std::collections::{BTreeMap, BTreeSet};
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use common::deadline::Deadline;
use common::text::io_error;

use super::rules::read_text;
use crate::cli::Config;
use crate::parse::compose::{self, ComposeFile};
use crate::selection::Expectation;

/// The names that docker-compose looks for, in its order; the first that is there counts, with its override.
const NAMES: [(&str, &str); 4] = [
    ("compose.yaml", "compose.override.yaml"),
    ("compose.yml", "compose.override.yml"),
    ("docker-compose.yml", "docker-compose.override.yml"),
    ("docker-compose.yaml", "docker-compose.override.yaml"),
];
/// Files that include or extend each other without end end here.
const MAX_FILES: usize = 50;

/// Reads what should be there. The error names the file and says what is wrong with it.
pub fn read(config: &Config, deadline: &Deadline) -> Result<Expectation, String> {
    let options = &config.options;
    let mut expectation = Expectation {
        project: options.project.clone(),
        is_narrow: !options.service.is_empty(),
        ..Expectation::default()
    };
    if !options.compose_file.is_empty() || options.deploy_dir.is_some() {
        let _step = deadline.step("the compose file");
        let project = Project::open(options.compose_file.first(), options.deploy_dir.as_deref())?;
        project.expect(config, &mut expectation)?;
    }
    if expectation.is_narrow {
        for service in &options.service {
            if expectation.is_complete
                && !expectation.services.contains_key(service)
                && !expectation.idle.contains(service)
            {
                return Err(format!("--service {service}: the compose file has no such service"));
            }
        }
        let known = std::mem::take(&mut expectation.services);
        // Where nobody says how many, one will do; a service that is idle otherwise is asked for now.
        let replicas = |service: &String| known.get(service).copied().flatten();
        expectation.services = options.service.iter().map(|service| (service.clone(), replicas(service))).collect();
        expectation.is_complete = false;
    }
    Ok(expectation)
}

/// The directory of a compose file, and what is set there.
struct Project {
    directory: PathBuf,
    variables: BTreeMap<String, String>,
}

impl Project {
    fn open(file: Option<&PathBuf>, directory: Option<&Path>) -> Result<Self, String> {
        let directory = match (file, directory) {
            (Some(file), _) => file.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new(".")),
            (None, directory) => directory.unwrap_or(Path::new(".")),
        };
        let absolute =
            directory.canonicalize().map_err(|error| format!("{}: {}", directory.display(), io_error(&error)))?;
        let variables = match read_text(&absolute.join(".env")) {
            Ok(text) => compose::dotenv(&text),
            Err((ErrorKind::NotFound, _)) => BTreeMap::new(),
            Err((_, reason)) => return Err(reason),
        };
        Ok(Self { directory: absolute, variables })
    }

    /// A variable of the environment, else of the `.env` file.
    fn variable(&self, name: &str) -> Option<String> {
        let own = std::env::var_os(name).map(|value| value.to_string_lossy().into_owned());
        own.or_else(|| self.variables.get(name).cloned())
    }

    fn expect(&self, config: &Config, expectation: &mut Expectation) -> Result<(), String> {
        let options = &config.options;
        let paths = if options.compose_file.is_empty() { self.files()? } else { options.compose_file.clone() };
        let mut reader = Reader { project: self, read: 0 };
        let mut file = ComposeFile::default();
        for path in &paths {
            file.overridden_by(reader.read(path)?);
        }
        let mut profiles: BTreeSet<String> = options.profile.iter().cloned().collect();
        let set = self.variable("COMPOSE_PROFILES").unwrap_or_default();
        profiles.extend(set.split(',').map(str::trim).filter(|profile| !profile.is_empty()).map(str::to_owned));
        (expectation.services, expectation.idle) = file.expected(&profiles);
        expectation.is_complete = true;
        if expectation.project.is_none() {
            let set = self.variable("COMPOSE_PROJECT_NAME").filter(|name| !name.is_empty());
            let name = self.directory.file_name().unwrap_or_default().to_string_lossy();
            expectation.project = set.or(file.name).or_else(|| Some(compose::project_name(&name)));
            expectation.directory = Some(self.directory.to_string_lossy().into_owned());
        }
        Ok(())
    }

    /// The files that docker-compose would use in the directory.
    fn files(&self) -> Result<Vec<PathBuf>, String> {
        if let Some(list) = self.variable("COMPOSE_FILE").filter(|list| !list.is_empty()) {
            let separator = self.variable("COMPOSE_PATH_SEPARATOR").filter(|separator| !separator.is_empty());
            let files = list.split(separator.as_deref().unwrap_or(":"));
            return Ok(files.map(|file| self.directory.join(file)).collect());
        }
        let is_file = |name: &str| self.directory.join(name).is_file();
        let Some((name, _)) = NAMES.iter().find(|(name, _)| is_file(name)) else {
            return Err(format!("{}: there is no docker-compose.yml or compose.yaml", self.directory.display()));
        };
        let mut files = vec![self.directory.join(name)];
        files.extend(
            NAMES.iter().map(|(_, other)| *other).find(|other| is_file(other)).map(|other| self.directory.join(other)),
        );
        Ok(files)
    }
}

/// Reads compose files and those that they refer to.
struct Reader<'a> {
    project: &'a Project,
    read: usize,
}

impl Reader<'_> {
    fn read(&mut self, path: &Path) -> Result<ComposeFile, String> {
        self.read += 1;
        if self.read > MAX_FILES {
            return Err(format!("{}: more than {MAX_FILES} files include or extend each other", path.display()));
        }
        let text = read_text(path).map_err(|(_, reason)| reason)?;
        let variables = |name: &str| self.project.variable(name);
        let mut file = compose::parse(&text, &variables).map_err(|reason| format!("{}: {reason}", path.display()))?;
        let directory = path.parent().unwrap_or(Path::new(".")).to_owned();
        for include in std::mem::take(&mut file.includes) {
            let mut included = self.read(&directory.join(include))?;
            included.name = None;
            for (name, service) in included.services {
                file.services.entry(name).or_insert(service);
            }
        }
        self.extend(&mut file, &directory)?;
        Ok(file)
    }

    /// Gives services that extend another one what they do not say themselves. Profiles are not taken over.
    fn extend(&mut self, file: &mut ComposeFile, directory: &Path) -> Result<(), String> {
        let extending: Vec<(String, Option<String>, String)> = file
            .services
            .iter()
            .filter(|(_, service)| service.replicas.is_none())
            .filter_map(|(name, service)| service.extends.clone().map(|(other, base)| (name.clone(), other, base)))
            .collect();
        for (name, other, base) in extending {
            let replicas = match other {
                Some(other) => self.read(&directory.join(other))?.services.get(&base).and_then(|base| base.replicas),
                None => base_replicas(file, &base),
            };
            if let Some(service) = file.services.get_mut(&name) {
                service.replicas = replicas;
            }
        }
        Ok(())
    }
}

/// The replicas of a service or of what it extends in the same file.
fn base_replicas(file: &ComposeFile, name: &str) -> Option<u32> {
    let mut name = name.to_owned();
    for _ in 0..MAX_FILES {
        let service = file.services.get(&name)?;
        match (&service.replicas, &service.extends) {
            (None, Some((None, base))) => name.clone_from(base),
            (replicas, _) => return *replicas,
        }
    }
    None
}
