//! All the I/O of the plugin, and no verdict.

mod cgroup;
mod expectation;
mod logs;
mod rules;

use std::collections::{BTreeMap, BTreeSet};
use std::thread;
use std::time::{Duration, Instant};

use common::clock::Clock;
use common::deadline::Deadline;
use common::docker::{Container, Engine, EngineError, Status};
use common::pool;

use self::cgroup::Host;
use crate::cli::{Config, StatsSource};
use crate::parse;
use crate::selection::{self, Judged, Row};
use crate::snapshot::{Counters, Fault, Figures, Found, Kept, KeptContainer, Snapshot};

pub use self::logs::read as read_logs;

/// How many containers are asked about at once. More of them would only queue up in the engine.
const WORKERS: usize = 4;
/// An earlier run closer than this, in seconds, tells little of the CPU.
const SHORTEST_BETWEEN_RUNS: f64 = 0.2;

/// Looks at everything that `config` asks for.
pub fn collect(config: &Config, previous: Option<&Kept>, deadline: &Deadline) -> Result<Snapshot, Fault> {
    let expectation = expectation::read(config, deadline).map_err(Fault::File)?;
    let rules = rules::read(config, deadline).map_err(Fault::File)?;
    let engine = {
        let _step = deadline.step(format!("GET /_ping of {}", config.engine));
        Engine::connect(&config.engine, deadline.budget()).map_err(Fault::Engine)?
    };
    let engine_now = engine_clock(&engine);
    let rows = {
        let _step = deadline.step("GET /containers/json");
        engine.containers(deadline.budget()).map_err(Fault::Engine)?
    };
    let rows = rows.iter().filter_map(Row::of).collect();
    let selection = selection::select(&expectation, config.is_scoped(), &config.containers, &config.excluded, rows);
    let host = Host::new(&config.options);
    let look = Look { config, previous, engine: &engine, host: &host, deadline };
    let containers = look.at(&selection.judged);
    let mut snapshot = Snapshot {
        engine_now,
        ping: engine.ping,
        host_memory: host.memory(),
        expectation,
        selection,
        containers,
        rules,
        ..Snapshot::default()
    };
    if config.options.image_drift {
        snapshot.images = images(&engine, &snapshot, deadline);
    }
    if config.options.logs {
        logs::read_news(config, previous, &engine, &mut snapshot, deadline);
    }
    Ok(snapshot)
}

/// Seconds since 1970 by the engine's clock. Its answers tell whole seconds, so it is this machine's clock
/// unless the two are apart.
fn engine_clock(engine: &Engine) -> f64 {
    const APART: f64 = 2.0;
    let here = Clock::now().wall;
    match engine.date.as_deref().and_then(parse::time::http_date) {
        Some(there) if (there - here).abs() > APART => there,
        _ => here,
    }
}

/// The IDs of the images that the names of the containers' images stand for now.
fn images(engine: &Engine, snapshot: &Snapshot, deadline: &Deadline) -> BTreeMap<String, Result<String, String>> {
    let details = snapshot.containers.values().filter_map(|found| found.details.as_ref().ok());
    let names: BTreeSet<String> = details.filter_map(|details| details.config.image.clone()).collect();
    let names: Vec<String> = names.into_iter().collect();
    let ids = pool::each(&names, WORKERS, |name| {
        let _step = deadline.step(format!("GET /images/{name}/json"));
        let image = engine.image(name, deadline.budget()).map_err(|error| error.to_string())?;
        image.id.ok_or_else(|| "the engine tells no ID".to_owned())
    });
    names.into_iter().zip(ids).collect()
}

/// What looking at a container needs.
struct Look<'a> {
    config: &'a Config,
    previous: Option<&'a Kept>,
    engine: &'a Engine,
    host: &'a Host,
    deadline: &'a Deadline,
}

impl Look<'_> {
    /// Everything about the containers in `judged`. One that is gone by now is left out.
    fn at(&self, judged: &[Judged]) -> BTreeMap<String, Found> {
        let found = pool::each(judged, WORKERS, |judged| self.first(judged));
        let mut found: Vec<(&Judged, Found)> = judged.iter().zip(found).filter_map(|(j, f)| Some((j, f?))).collect();
        self.sample_again(&mut found);
        self.ask_for_figures(&mut found);
        found.into_iter().map(|(judged, found)| (judged.row.id.clone(), found)).collect()
    }

    /// What the engine knows of a container and, where its cgroup is here, its figures.
    fn first(&self, judged: &Judged) -> Option<Found> {
        let id = &judged.row.id;
        let details = {
            let _step = self.deadline.step(format!("GET /containers/{}/json", judged.row.name));
            self.engine.container(id, self.config.options.size, self.deadline.budget())
        };
        if matches!(details, Err(EngineError::Status { status: 404, .. })) {
            return None;
        }
        let figures = details.as_ref().ok().filter(|_| self.config.options.stats == StatsSource::Auto);
        let figures = figures.and_then(|details| self.local(id, details)).map(Ok);
        Some(Found { details, figures, first: None })
    }

    /// The figures of the container's cgroup, if it runs on this machine.
    fn local(&self, id: &str, details: &Container) -> Option<Figures> {
        let pid = details.state.pid.filter(|pid| *pid > 0 && is_running(details))?;
        let _step = self.deadline.step(format!("the cgroup of process {pid}"));
        cgroup::figures(self.host, pid, id, details)
    }

    /// Reads the cgroups once more where no earlier run can be compared with.
    fn sample_again(&self, found: &mut [(&Judged, Found)]) {
        let needs_another = |judged: &Judged, found: &Found| {
            let Some(Ok(figures)) = &found.figures else { return false };
            !found.details.as_ref().is_ok_and(|details| self.is_comparable(&judged.row.id, details, figures))
        };
        let alone: Vec<&mut (&Judged, Found)> =
            found.iter_mut().filter(|(judged, found)| needs_another(judged, found)).collect();
        if alone.is_empty() {
            return;
        }
        let _step = self.deadline.step("a second sample");
        thread::sleep(self.config.sample.min(self.deadline.budget()));
        for (judged, found) in alone {
            let (Ok(details), Some(Ok(before))) = (&found.details, &found.figures) else { continue };
            let first = before.counters.clone();
            if let Some(figures) = self.local(&judged.row.id, details) {
                found.first = Some(first);
                found.figures = Some(Ok(figures));
            }
        }
    }

    /// Whether the last run's counters of the container can be compared with `figures`.
    fn is_comparable(&self, id: &str, details: &Container, figures: &Figures) -> bool {
        self.same_life(id, details).is_some_and(|kept| {
            kept.source == figures.source
                && kept.counters.cpu.is_some()
                && figures.counters.at - kept.counters.at >= SHORTEST_BETWEEN_RUNS
        })
    }

    /// What is kept of the container, if it was not started since.
    fn same_life(&self, id: &str, details: &Container) -> Option<&KeptContainer> {
        let kept = self.previous?.containers.get(id)?;
        (Some(&kept.started) == details.state.started_at.as_ref()).then_some(kept)
    }

    /// Asks the engine for the figures of containers that have none here. Some engines make each wait for their next
    /// reading, so all are asked at once.
    fn ask_for_figures(&self, found: &mut [(&Judged, Found)]) {
        if self.config.options.stats == StatsSource::None {
            return;
        }
        let is_lacking = |found: &Found| found.figures.is_none() && found.details.as_ref().is_ok_and(is_running);
        let mut lacking: Vec<&mut (&Judged, Found)> = found.iter_mut().filter(|(_, found)| is_lacking(found)).collect();
        let answers = {
            let questions: Vec<&(&Judged, Found)> = lacking.iter().map(|each| &**each).collect();
            pool::each(&questions, questions.len(), |(judged, found)| self.readings(judged, found))
        };
        for ((_, found), answer) in lacking.iter_mut().zip(answers) {
            match answer {
                Ok((figures, first)) => {
                    found.figures = Some(Ok(figures));
                    found.first = first;
                }
                Err(reason) => found.figures = Some(Err(reason)),
            }
        }
    }

    /// The engine's figures of a container, and those of a moment before where no earlier run can be compared with.
    fn readings(&self, judged: &Judged, found: &Found) -> Result<(Figures, Option<Counters>), String> {
        let begin = Instant::now();
        let figures = self.reading(judged, found)?;
        let is_comparable = |details| self.is_comparable(&judged.row.id, details, &figures);
        if found.details.as_ref().is_ok_and(is_comparable) {
            return Ok((figures, None));
        }
        thread::sleep(self.config.sample.saturating_sub(begin.elapsed()).min(self.deadline.budget()));
        Ok((self.reading(judged, found)?, Some(figures.counters)))
    }

    fn reading(&self, judged: &Judged, found: &Found) -> Result<Figures, String> {
        let _step = self.deadline.step(format!("GET /containers/{}/stats", judged.row.name));
        let stats = self.engine.stats(&judged.row.id, self.deadline.budget()).map_err(|error| error.to_string())?;
        let mut figures = parse::stats::figures(&stats)?;
        // Some engines count nothing there instead of leaving it out.
        let is_of_host = |details: &Container| details.host_config.network_mode.as_deref() == Some("host");
        figures.counters.network.take_if(|_| found.details.as_ref().is_ok_and(is_of_host));
        Ok(figures)
    }
}

/// Whether the container has processes that can be measured.
fn is_running(details: &Container) -> bool {
    matches!(details.state.status, Some(Status::Running | Status::Paused))
}

/// The time that is left for a second look, which is not worth the whole run's.
fn patience(deadline: &Deadline, since: Instant) -> Duration {
    const PATIENCE: Duration = Duration::from_secs(4);
    deadline.budget().min(PATIENCE.saturating_sub(since.elapsed()))
}
