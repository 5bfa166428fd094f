//! The logs of containers.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Instant;

use common::deadline::Deadline;
use common::docker::{Container, Engine, EngineError, Status, demultiplexed};
use common::pool;

use super::{WORKERS, patience};
use crate::cli::Config;
use crate::parse::time::engine_time;
use crate::snapshot::{Kept, LogText, Snapshot};

/// What is kept of a log: its end.
const KEPT_BYTES: usize = 64 << 10;
/// What is read of it, as only its beginning can be limited.
const READ_BYTES: u64 = 1 << 20;
/// Seconds by which a line may be older than the start that the engine notes. Any more could be of an earlier life.
const BEFORE_START: f64 = 0.5;

/// A log that is to be read.
struct Question {
    id: String,
    name: String,
    driver: Option<String>,
    /// From when on, in seconds since 1970 as the engine takes it.
    since: Option<String>,
}

impl Question {
    /// The log of a container since `since`, in seconds since 1970.
    fn new(id: &str, name: &str, details: &Container, since: Option<f64>) -> Self {
        let log = details.host_config.log_config.as_ref();
        Self {
            id: id.to_owned(),
            name: name.to_owned(),
            driver: log.and_then(|log| log.driver.clone()),
            since: since.map(|since| format!("{since:.9}")),
        }
    }
}

/// From when on its log is that of its last life. The engine notes a start when its command runs already, and what
/// fails at once has logged why and even ended by then.
fn begin_of_life(details: &Container) -> Option<f64> {
    let time = |text: &Option<String>| text.as_deref().and_then(engine_time);
    let started = time(&details.state.started_at)?;
    let ended = time(&details.state.finished_at).filter(|_| details.state.status != Some(Status::Running));
    Some(started.min(ended.unwrap_or(started)) - BEFORE_START)
}

/// Reads what containers have logged since the last run, of those that are new since they were started. The first
/// run reads nothing: what is in a log by then is no news.
pub fn read_news(
    config: &Config,
    previous: Option<&Kept>,
    engine: &Engine,
    snapshot: &mut Snapshot,
    deadline: &Deadline,
) {
    let Some(previous) = previous else { return };
    let questions = questions(snapshot, |id, details| match previous.containers.get(id) {
        None => Some(begin_of_life(details)),
        Some(kept) => kept.log_read.map(Some),
    });
    snapshot.news = ask(config, engine, questions, deadline);
}

/// Reads the end of the logs of the containers `ids`, of their last life or, where that is still going on, of earlier
/// ones too. Returns whether there is anything new.
pub fn read(config: &Config, ids: &BTreeSet<String>, snapshot: &mut Snapshot, deadline: &Deadline) -> bool {
    let questions = questions(snapshot, |id, details| {
        let is_over = details.state.status != Some(Status::Running);
        ids.contains(id).then(|| begin_of_life(details).filter(|_| is_over))
    });
    if questions.is_empty() {
        return false;
    }
    let begin = Instant::now();
    let engine = {
        let _step = deadline.step(format!("GET /_ping of {}", config.engine));
        Engine::connect(&config.engine, patience(deadline, begin))
    };
    let Ok(engine) = engine else { return false };
    snapshot.logs = ask(config, &engine, questions, deadline);
    true
}

/// A question for each judged container for which `since` says from when on, if at all.
fn questions(snapshot: &Snapshot, since: impl Fn(&str, &Container) -> Option<Option<f64>>) -> Vec<Question> {
    let known = snapshot.selection.judged.iter().filter_map(|judged| {
        let details = snapshot.containers.get(&judged.row.id)?.details.as_ref().ok()?;
        Some((&judged.row, details))
    });
    known
        .filter_map(|(row, details)| {
            since(&row.id, details).map(|since| Question::new(&row.id, &row.name, details, since))
        })
        .collect()
}

fn ask(config: &Config, engine: &Engine, questions: Vec<Question>, deadline: &Deadline) -> BTreeMap<String, LogText> {
    let begin = Instant::now();
    let texts = pool::each(&questions, WORKERS, |question| {
        let _step = deadline.step(format!("the log of {}", question.name));
        tail(engine, question, config.options.log_lines, deadline, begin).map_err(|error| unreadable(question, &error))
    });
    questions.into_iter().map(|question| question.id).zip(texts).collect()
}

/// The last lines of a log. Where they are long, fewer of them.
fn tail(
    engine: &Engine,
    question: &Question,
    lines: u32,
    deadline: &Deadline,
    begin: Instant,
) -> Result<Vec<u8>, EngineError> {
    let mut lines = lines;
    loop {
        let since = question.since.as_deref();
        let raw = engine.logs(&question.id, lines, since, READ_BYTES, patience(deadline, begin))?;
        let is_cut = u64::try_from(raw.len()).is_ok_and(|length| length >= READ_BYTES);
        if is_cut && lines > 1 {
            // What was cut off is the end, which matters most.
            lines = (lines / 8).max(1);
            continue;
        }
        let text = demultiplexed(&raw);
        let start = text.len().saturating_sub(KEPT_BYTES);
        return Ok(text.get(start..).unwrap_or_default().to_vec());
    }
}

/// Why a log cannot be read. Some drivers keep nothing that could be.
fn unreadable(question: &Question, error: &EngineError) -> String {
    match (&question.driver, error) {
        (Some(driver), EngineError::Status { status: 400.., message })
            if message.contains("does not support reading") =>
        {
            format!("its logging driver '{driver}' keeps nothing that can be read here")
        }
        _ => format!("its log cannot be read: {error}"),
    }
}
