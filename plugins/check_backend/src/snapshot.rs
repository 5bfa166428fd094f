//! What was found, unjudged.

use std::collections::BTreeMap;
use std::path::PathBuf;

use common::child::Ran;
use serde::{Deserialize, Serialize};

use crate::parse::config::Check;
use crate::plan::{Deployment, Trial};

/// What a run has found.
#[derive(Clone, Debug)]
pub enum Snapshot {
    /// What came of the checks.
    Checks(Checks),
    /// What runs here, and the file that was made from it.
    Init(Box<Written>),
}

/// What came of the checks.
#[derive(Clone, Debug)]
pub struct Checks {
    /// In the order of the file.
    pub checks: Vec<Looked>,
    /// Seconds that the clocks of this machine are ahead of UTC.
    pub utc_offset: i32,
}

/// A check and what came of it.
#[derive(Clone, Debug)]
pub struct Looked {
    /// The check.
    pub check: Check,
    /// What came of it.
    pub outcome: Outcome,
}

/// What came of a check.
#[derive(Clone, Debug)]
pub enum Outcome {
    /// There is no such plugin, where it was looked for.
    Missing(Vec<PathBuf>),
    /// The plugin cannot be run, and why.
    Refused(PathBuf, String),
    /// The plugin has run.
    Ran(Ran),
}

/// The file that was made.
#[derive(Clone, Debug)]
pub struct Written {
    /// What runs here.
    pub deployment: Deployment,
    /// The checks that were tried.
    pub trials: Vec<Trial>,
    /// What is in the file.
    pub text: String,
}

/// Why nothing was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// What is wrong.
    pub text: String,
    /// What to do.
    pub next: Option<String>,
}

impl Fault {
    /// A fault with its remedy.
    pub fn new(text: impl Into<String>, next: impl Into<String>) -> Self {
        Self { text: text.into(), next: Some(next.into()) }
    }

    /// A fault that says itself what to do.
    pub fn plain(text: impl Into<String>) -> Self {
        Self { text: text.into(), next: None }
    }
}

/// What is kept for the next run.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Kept {
    /// By the name of the check.
    pub checks: BTreeMap<String, KeptCheck>,
}

/// What is kept of a check. Times are in seconds since 1970.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct KeptCheck {
    /// When it was run.
    pub at: f64,
    /// What was not OK, by the labels that lead to it.
    pub problems: BTreeMap<String, Seen>,
}

/// Since when something is not OK. Times are in seconds since 1970.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Seen {
    /// When it was last seen as it should be; `None` if it never was.
    pub well: Option<f64>,
    /// When it was first seen as it is.
    pub first: f64,
}
