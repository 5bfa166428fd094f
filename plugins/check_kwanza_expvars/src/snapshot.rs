//! What a run finds, unjudged, and what it keeps for the next one.

use std::collections::BTreeMap;

use common::clock::Clock;
use common::docker::EngineError;
use common::http::HttpError;
use common::number::Number;
use serde::{Deserialize, Serialize};

use crate::parse::page::Page;

/// Why nothing was found.
#[derive(Debug)]
pub enum Fault {
    /// A file of the check's own cannot be used: which, and why.
    File(String),
    /// The engine that knows where the container is does not answer as it should.
    Engine(EngineError),
    /// The container cannot be reached: why.
    Container(String),
    /// No page.
    Http {
        /// Where it was looked for.
        url: String,
        /// What went wrong.
        error: HttpError,
    },
    /// The page began, and its end did not come.
    BrokenOff {
        /// Where it is.
        url: String,
        /// What went wrong.
        error: HttpError,
        /// How many variables came before that.
        variables: usize,
    },
    /// Another answer than the page.
    Refused {
        /// Where it was looked for.
        url: String,
        /// HTTP status.
        status: u16,
        /// Type of the body, as the server says.
        kind: String,
        /// How the body begins.
        begin: Vec<u8>,
        /// Where a redirect leads.
        location: String,
    },
    /// The body is not a page of expvars.
    NotThePage {
        /// Where it was looked for.
        url: String,
        /// Type of the body, as the server says.
        kind: String,
        /// Why it is none.
        reason: String,
        /// How the body begins.
        begin: Vec<u8>,
    },
}

/// The findings of one run.
#[derive(Debug)]
pub struct Snapshot {
    /// Where the page is.
    pub url: String,
    /// The page.
    pub page: Page,
    /// When it was read.
    pub at: Clock,
    /// How long that took, in seconds.
    pub took: f64,
}

/// What is kept for the next run. The command line is not.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Kept {
    /// When the page was read.
    pub at: Option<Clock>,
    /// Every counter, by the name of its variable or path.
    pub counters: BTreeMap<String, Number>,
    /// Streams.
    pub streams: Option<Number>,
    /// Notifications in flight.
    pub in_flight: Option<Number>,
    /// When Pings was last found to have grown, in seconds since boot.
    pub pinged: Option<f64>,
    /// When deliveries were last found to move, likewise.
    pub delivered: Option<f64>,
    /// Bytes allocated since the program was started, and garbage collections.
    pub allocated: Option<(u64, u64)>,
    /// Panics of the last hour, by variable: (seconds since 1970, count).
    pub panics: BTreeMap<String, Vec<(u64, u64)>>,
}
