//! The file that `--init` writes: from what runs here to the checks that suit it. Pure.

mod file;
mod proposals;

use std::path::PathBuf;

use common::state::State;

pub use self::file::file;
pub use self::proposals::proposals;

/// What runs here.
#[derive(Clone, Debug)]
pub struct Deployment {
    /// Where the engine listens, or why it cannot be asked.
    pub engine: Result<String, String>,
    /// The engine as it was said, if it was.
    pub docker_host: Option<String>,
    /// The project of docker-compose.
    pub project: Option<Project>,
    /// The other projects of the engine.
    pub others: Vec<String>,
    /// Where dumps are.
    pub dump: Option<Dump>,
    /// Whether the plugin that looks at dumps is installed.
    pub has_backup_plugin: bool,
}

/// A project of docker-compose.
#[derive(Clone, Debug)]
pub struct Project {
    /// Its name.
    pub name: String,
    /// The folder of its compose file, where that is on this machine.
    pub folder: Option<PathBuf>,
    /// Its services, by name.
    pub services: Vec<Service>,
}

/// A service.
#[derive(Clone, Debug)]
pub struct Service {
    /// Its name.
    pub name: String,
    /// Its container.
    pub container: String,
    /// What it is for.
    pub role: Role,
    /// Its TCP ports.
    pub ports: Vec<Port>,
}

/// What a service is for, by the guide.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// The database.
    Postgres,
    /// The server.
    Kwanza,
    /// The page.
    Cuesta,
    /// Something else.
    Other,
}

impl Role {
    /// What a service is for, by its name, its image and its ports.
    pub fn of(name: &str, image: &str, ports: &[Port]) -> Self {
        let roles = [(Self::Postgres, "postgres", 5432), (Self::Kwanza, "kwanza", 8001), (Self::Cuesta, "cuesta", 443)];
        let called = |text: &str| roles.iter().find(|(_, word, _)| text.contains(word)).map(|(role, ..)| *role);
        let by_port =
            || roles.iter().find(|(.., port)| ports.iter().any(|has| has.inner == *port)).map(|(role, ..)| *role);
        called(name).or_else(|| called(image)).or_else(by_port).unwrap_or(Self::Other)
    }
}

/// A TCP port of a service.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Port {
    /// In the container.
    pub inner: u16,
    /// `HOST:PORT` where it is published.
    pub published: Option<String>,
}

/// Where dumps are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Dump {
    /// Their folder.
    pub folder: PathBuf,
    /// The pattern of their names.
    pub pattern: String,
    /// The newest.
    pub newest: String,
}

/// A check that may go into the file.
#[derive(Clone, Debug)]
pub struct Proposal {
    /// Its name.
    pub name: String,
    /// The plugin.
    pub plugin: &'static str,
    /// What it looks at.
    pub title: String,
    /// Its arguments: the first that go well are taken.
    pub candidates: Vec<Candidate>,
    /// What explains it.
    pub parent: Option<String>,
    /// Whether it is there to be filled in, as nothing was found that it suits.
    pub is_example: bool,
    /// Whether it is an example too if no candidate goes well.
    pub needs_success: bool,
    /// The check that is better, if that can be had.
    pub instead_of: Option<&'static str>,
}

/// Arguments, and why those.
#[derive(Clone, Debug)]
pub struct Candidate {
    /// The arguments.
    pub arguments: Vec<String>,
    /// Why.
    pub comment: String,
}

/// A proposal and what came of it.
#[derive(Clone, Debug)]
pub struct Trial {
    /// The proposal.
    pub proposal: Proposal,
    /// What each of its first candidates came to; none where there was no choice.
    pub tried: Vec<(State, String)>,
}

impl Trial {
    /// The candidate to take; `None` where it is to be filled in.
    pub fn chosen(&self) -> Option<&Candidate> {
        self.position().and_then(|position| self.proposal.candidates.get(position))
    }

    /// What was said of that, or of the first where it is to be filled in.
    pub fn said(&self) -> Option<&str> {
        self.tried.get(self.position().unwrap_or(0)).map(|(_, said)| said.as_str())
    }

    fn position(&self) -> Option<usize> {
        let proposal = &self.proposal;
        if proposal.is_example {
            return None;
        }
        // What is down just now is no reason to leave its check out.
        let position = |is_good: fn(State) -> bool| self.tried.iter().position(|(state, _)| is_good(*state));
        let best = position(|state| state == State::Ok).or_else(|| position(|state| state != State::Unknown));
        match best {
            None if proposal.needs_success => None,
            best => Some(best.unwrap_or(0)),
        }
    }
}

/// The trials whose check is in the file, or stands there to be filled in.
pub fn relevant(trials: &[Trial]) -> impl Iterator<Item = &Trial> {
    let is_there = |name: &str| trials.iter().any(|trial| trial.proposal.name == name && trial.chosen().is_some());
    trials.iter().filter(move |trial| trial.proposal.instead_of.is_none_or(|better| !is_there(better)))
}
