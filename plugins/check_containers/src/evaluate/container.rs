//! One container: its state and health, and why it is as it is.

use common::docker::diagnosis::{Diagnosis, diagnose, faults};
use common::docker::{Container, EngineError, Status, exit, hints};
use common::judging::Judging;
use common::metric::Metric;
use common::number::{Number, float};
use common::recent;
use common::report::Item;
use common::state::State;
use common::text::{Text, shell_word};
use common::units::{bytes, counted, duration};

use super::{Context, Subject, figures, history};
use crate::metrics::{LOG_MATCHES, OOM_KILLS, RESTARTS, UP, UPTIME};
use crate::selection::Row;

/// A health check without an interval of its own runs this often, in nanoseconds.
const DEFAULT_INTERVAL: u64 = 30_000_000_000;
/// Exit code of a process that was killed.
const KILLED: i64 = 137;

/// The verdict on a container.
pub(super) fn judge(context: &Context, subject: &Subject) -> Item {
    let mut case = Case::new(context, subject);
    let mut text = match &subject.found.details {
        Ok(details) => case.status(details),
        Err(error) => case.uninspected(error),
    };
    case.count();
    if let Some(said) = figures::judge(context, subject, &mut case.judging) {
        text = format!("{text}, {said}");
    }
    case.read_news();
    case.notes();
    case.judging.finish(text)
}

/// Whether the log of a container that is not OK may tell why: not that of one that is short of something while it
/// runs.
pub(super) fn is_explained_by_log(item: Option<&Item>, details: &Container) -> bool {
    let restarts = |item: &Item| {
        item.metrics.iter().any(|figure| figure.definition.name == RESTARTS.name && figure.state != State::Ok)
    };
    !matches!(details.state.status, Some(Status::Running | Status::Paused))
        || !is_fit(details)
        || item.is_some_and(restarts)
}

/// Whether it has no health check that says otherwise.
pub(super) fn is_fit(details: &Container) -> bool {
    matches!(health(details), "" | "none" | "healthy")
}

/// Whether the engine says why it could not start it.
pub(super) fn has_failed_to_start(details: &Container) -> bool {
    details.state.error.as_deref().is_some_and(|error| !error.is_empty())
}

/// The word of its health check; empty or `none` without one.
fn health(details: &Container) -> &str {
    details.state.health.as_ref().and_then(|health| health.status.as_deref()).unwrap_or_default()
}

/// A container under judgement.
struct Case<'a> {
    context: &'a Context<'a>,
    subject: &'a Subject<'a>,
    judging: Judging<'a>,
    /// What its log tells, if it was read.
    diagnosis: Option<Diagnosis<'a>>,
}

impl<'a> Case<'a> {
    fn new(context: &'a Context<'a>, subject: &'a Subject<'a>) -> Self {
        let instance = &subject.judged.instance;
        let log = context.snapshot.logs.get(&subject.judged.row.id);
        let mut diagnosis = log.and_then(|log| log.as_ref().ok()).map(|log| diagnose(log, &context.snapshot.rules));
        // Lines of its start may be the last that a service logged.
        if !matches!(subject.status(), Status::Running | Status::Paused)
            && let Some(diagnosis) = &mut diagnosis
        {
            diagnosis.hints.retain(|(rule, _)| !rule.is_passing());
        }
        let judging = Judging::new(&context.config.thresholds, instance, Some(instance.clone()));
        Self { context, subject, judging, diagnosis }
    }

    fn row(&self) -> &'a Row {
        &self.subject.judged.row
    }

    /// Says `text` of the container in the first line.
    fn problem(&mut self, state: State, text: &str) {
        let instance = &self.subject.judged.instance;
        self.judging.problem(state, format!("{instance} {text}"));
    }

    /// Judges what it is doing. Returns the words for it.
    fn status(&mut self, details: &Container) -> String {
        let context = self.context;
        let age = |time: Option<&str>| {
            context.since(time).map(|age| format!(" {} ago", duration(age.round()))).unwrap_or_default()
        };
        match self.subject.status() {
            Status::Running => self.running(details),
            Status::Exited => self.exited(details, &age(details.state.finished_at.as_deref())),
            Status::Created => self.created(details),
            Status::Paused => {
                let text = self.unsettled("paused", State::Ok);
                self.judging.item.next.push(format!("{} unpause {}", self.compose(), self.target()).into());
                text
            }
            Status::Restarting => self.restarting(details, &age(details.state.finished_at.as_deref())),
            Status::Stopping => self.unsettled("stopping", State::Ok),
            status @ (Status::Dead | Status::Removing) => {
                let text = match status {
                    Status::Dead => "dead: the engine could not remove it".to_owned(),
                    _ => "being removed".to_owned(),
                };
                self.problem(State::Critical, &text);
                self.judging
                    .item
                    .next
                    .push(format!("docker rm -f {}; journalctl -u docker --since -1h", self.name()).into());
                self.start_again();
                text
            }
            Status::Other(word) => {
                let text = if word.is_empty() {
                    "in no state that the engine tells".to_owned()
                } else {
                    format!("in a state that is not known here: {word}")
                };
                self.problem(State::Unknown, &text);
                text
            }
        }
    }

    fn running(&mut self, details: &Container) -> String {
        let uptime = self.context.since(self.subject.started());
        self.judging.add(
            &UPTIME,
            uptime.map(f64::floor).and_then(Number::real),
            &format!("{} up for", self.subject.judged.instance),
        );
        let mut text = uptime.map_or_else(|| "up".to_owned(), |uptime| format!("up {}", duration(uptime.floor())));
        match health(details) {
            "" | "none" => {}
            "healthy" => text = format!("{text}, healthy"),
            "unhealthy" => text = format!("{text}, {}", self.unhealthy(details)),
            "starting" => text = format!("{text}, {}", self.starting(details, uptime.unwrap_or(0.0))),
            word => {
                let said = format!("health is '{word}', a word that is not known here");
                self.problem(State::Unknown, &said);
                text = format!("{text}, {said}");
            }
        }
        text
    }

    fn unhealthy(&mut self, details: &Container) -> String {
        let streak = details.state.health.as_ref().and_then(|health| health.failing_streak).unwrap_or(0);
        let text = match streak {
            0 => "unhealthy".to_owned(),
            1 => "unhealthy: its health check failed".to_owned(),
            times => format!("unhealthy: its health check failed {times} times in a row"),
        };
        self.problem(State::Critical, &text);
        self.explain_health(details);
        text
    }

    /// Health is unknown until the first check, which comes an interval after the start, and until a check succeeds.
    fn starting(&mut self, details: &Container, uptime: f64) -> String {
        let check = details.config.healthcheck.unwrap_or_default();
        let interval = check.interval.filter(|interval| *interval > 0).unwrap_or(DEFAULT_INTERVAL);
        let allowed = float(check.start_period.unwrap_or(0).saturating_add(interval)) / 1e9;
        if uptime <= allowed {
            return "health starting".to_owned();
        }
        let text = format!("health still starting after {}", duration(uptime.floor()));
        self.problem(State::Warning, &text);
        self.explain_health(details);
        text
    }

    /// What the last health check said, and where to look.
    fn explain_health(&mut self, details: &Container) {
        let last = details.state.health.as_ref().and_then(|health| health.log.as_ref()?.last());
        if let Some(check) = last {
            let output = check.output.as_deref().unwrap_or_default().trim();
            let said = if output.is_empty() { String::new() } else { format!(": {}", Text::limited(output, 200)) };
            let code = match check.exit_code {
                Some(-1) => "took too long".to_owned(),
                Some(code) => format!("ended with exit code {code}"),
                None => "failed".to_owned(),
            };
            self.judging.item.causes.push(format!("the last health check {code}{said}").into());
        }
        self.explain_by_log();
        let name = self.name();
        self.judging.item.next.push(format!("docker inspect --format '{{{{json .State.Health}}}}' {name}").into());
        self.look_at_log();
    }

    fn exited(&mut self, details: &Container, ago: &str) -> String {
        let code = details.state.exit_code;
        let (signal, said) =
            (code.map(exit::words).unwrap_or_default(), code.map_or_else(|| "?".to_owned(), |code| code.to_string()));
        // Commas would run into those between problems.
        let signal = signal.split(',').next().filter(|word| word.starts_with("SIG")).map(|word| format!(" ({word})"));
        let text = format!("exited {said}{}{ago}", signal.unwrap_or_default());
        // By this machine's clock, like what other checks tell.
        let ended = self.context.since(details.state.finished_at.as_deref());
        self.judging.item.since = ended.map(|ago| (self.context.now.wall - ago).floor());
        if code == Some(0) && self.context.is_job(self.subject) {
            return format!("{text}, its work is done");
        }
        let text = match self.class(details) {
            Some(class) => format!("{text}: {class}"),
            None => text,
        };
        self.problem(State::Critical, &text);
        self.explain_end(details);
        self.start_again();
        text
    }

    /// A container that was made and not started; where the engine says why, it has failed.
    fn created(&mut self, details: &Container) -> String {
        if has_failed_to_start(details) {
            let text = match self.class(details) {
                Some(class) => format!("could not be started: {class}"),
                None => "could not be started".to_owned(),
            };
            self.problem(State::Critical, &text);
            self.explain_end(details);
            self.start_again();
            return text;
        }
        let text = self.unsettled("created and not started", State::Ok);
        self.start_again();
        text
    }

    fn restarting(&mut self, details: &Container, ago: &str) -> String {
        let code = details.state.exit_code.map_or_else(|| "?".to_owned(), |code| code.to_string());
        let class = self.class(details).map(|class| format!(": {class}")).unwrap_or_default();
        let restarts = self.restarts();
        self.judging.item.push(restarts.clone());
        let often = match restarts.broken {
            Some(_) => format!(", {} in the last hour", counted(restarts.value, "restart")),
            None => String::new(),
        };
        self.judging.item.raise(restarts.state);
        let what = format!("restarting{often}, last exit code {code}{ago}{class}");
        let text = self.unsettled(&what, restarts.state);
        self.explain_end(details);
        self.start_again();
        text
    }

    /// A state in which a container should not stay: WARNING, and CRITICAL once the grace is over.
    fn unsettled(&mut self, what: &str, at_least: State) -> String {
        let lasted = history::unsettled(self.context, self.subject).map_or(0.0, |since| self.context.now.wall - since);
        let is_over = lasted >= self.context.config.options.grace.as_secs_f64();
        let text = if lasted >= 1.0 { format!("{what}, for {}", duration(lasted.floor())) } else { what.to_owned() };
        let state = if is_over { State::Critical } else { State::Warning };
        self.problem(state.max(at_least), &text);
        text
    }

    /// Its restarts in the last hour, judged.
    fn restarts(&self) -> Metric {
        let restarts = number_of(&history::restarts(self.context, self.subject));
        self.context.config.thresholds.judge(&RESTARTS, Some(&self.subject.judged.instance), restarts)
    }

    /// The kind of fault in a few words: by the engine's own account, else by the log's.
    fn class(&self, details: &Container) -> Option<String> {
        if is_out_of_memory(self.context, self.subject, details) {
            return Some("out of memory".to_owned());
        }
        let error = details.state.error.as_deref().filter(|error| !error.is_empty());
        let told = error.and_then(|error| hints::matching(&self.context.snapshot.rules, error));
        // What stopped in order has no fault to tell, whatever it has logged before.
        let stopped =
            details.state.status == Some(Status::Exited) && details.state.exit_code.is_some_and(exit::is_orderly);
        let by_log = || self.diagnosis.as_ref().filter(|_| !stopped)?.class();
        told.map(|rule| rule.class.to_string()).or_else(by_log)
    }

    /// Why a container ended or could not be started, and what to do about that.
    fn explain_end(&mut self, details: &Container) {
        let error = details.state.error.as_deref().filter(|error| !error.is_empty());
        let code = details.state.exit_code.filter(|code| *code != 0 || error.is_none());
        if is_out_of_memory(self.context, self.subject, details) {
            self.out_of_memory(details);
        } else if let Some((cause, next)) = code.filter(|_| self.class(details).is_none()).and_then(exit::explanation) {
            self.judging.item.causes.push(cause.into());
            if code == Some(KILLED)
                && let Some(limit) = memory_limit(details)
            {
                let cause =
                    format!("its memory limit is {}; engines do not always notice that it was reached", bytes(limit));
                self.judging.item.causes.push(cause.into());
            }
            let next = if next == exit::JOB { format!("{next} {}", self.target()) } else { next.to_owned() };
            self.judging.item.next.push(next.into());
        }
        if let Some(error) = error {
            self.judging.item.causes.push(format!("the engine says: {}", Text::limited(error, 300)).into());
            if let Some(rule) = hints::matching(&self.context.snapshot.rules, error) {
                self.judging.item.next.push(rule.next.as_ref().into());
            }
        }
        self.explain_by_log();
    }

    fn out_of_memory(&mut self, details: &Container) {
        let (cause, next) = match memory_limit(details) {
            Some(limit) => (
                format!("killed for lack of memory: its limit is {}", bytes(limit)),
                "raise mem_limit in docker-compose.yml, or find out what it needs the memory for",
            ),
            None => (
                "killed for lack of memory: it has no limit, so the host ran out of it".to_owned(),
                "check_docker_host --only memory,swap",
            ),
        };
        self.judging.item.causes.push(cause.into());
        self.judging.item.next.push(next.into());
    }

    fn explain_by_log(&mut self) {
        if let Some(diagnosis) = &self.diagnosis {
            self.judging.item.causes.extend(diagnosis.causes());
            self.judging.item.next.extend(diagnosis.next());
        } else if let Some(Err(reason)) = self.context.snapshot.logs.get(&self.row().id) {
            self.judging.item.causes.push(reason.as_str().into());
            if is_forbidden(reason) {
                self.judging.item.next.push("let the proxy before the engine pass GET of /containers/ID/logs".into());
            }
        }
    }

    /// Restarts and kills of the last hour.
    fn count(&mut self) {
        let subject = self.subject;
        let instance = &subject.judged.instance;
        self.judging.item.push(self.context.config.thresholds.judge(
            &UP,
            Some(instance),
            Number::from(u32::from(subject.is_up(self.context))),
        ));
        let Some(details) = subject.details else { return };
        self.count_restarts();
        let kills = history::kills(self.context, subject);
        if is_out_of_memory(self.context, subject, details) {
            // The first line says so as its state already.
            let figure = self.context.config.thresholds.judge(&OOM_KILLS, Some(instance), number_of(&kills));
            self.judging.item.push(figure);
            return;
        }
        let state = self.judging.add(
            &OOM_KILLS,
            number_of(&kills),
            &format!("{instance} kills for lack of memory in the last hour:"),
        );
        if state != State::Ok && *subject.status() == Status::Running {
            self.judging
                .item
                .causes
                .push("a process of it was killed for lack of memory, and the container goes on".into());
            self.judging
                .item
                .next
                .push("raise mem_limit in docker-compose.yml; check_docker_host --only memory,swap".into());
        }
    }

    /// Restarts of a container that is not restarting just now; for that they belong to its state.
    fn count_restarts(&mut self) {
        if *self.subject.status() == Status::Restarting {
            return;
        }
        let restarts = self.restarts();
        if let Some(breach) = restarts.breach() {
            let class = self.diagnosis.as_ref().and_then(Diagnosis::class).map(|class| format!(": {class}"));
            let times = counted(restarts.value, "time");
            let text = format!("restarted {times} in the last hour ({breach}){}", class.unwrap_or_default());
            self.problem(restarts.state, &text);
            if *self.subject.status() == Status::Running {
                self.explain_by_log();
                self.look_at_log();
            }
        }
        self.judging.item.push(restarts);
    }

    /// Faults in what was logged since the last run.
    fn read_news(&mut self) {
        match self.context.snapshot.news.get(&self.row().id) {
            Some(Ok(log)) => {
                let (count, latest) = faults(log, &self.context.snapshot.rules);
                let class = latest.as_ref().map(|(rule, _)| format!(" ({})", rule.class)).unwrap_or_default();
                let lines = if count == 1 { "line that tells" } else { "lines that tell" };
                let phrase = format!("{} logs {{}} {lines} of a fault{class}", self.subject.judged.instance);
                if self.judging.add(&LOG_MATCHES, Number::from(count), &phrase) != State::Ok
                    && let Some((rule, line)) = latest
                {
                    self.judging.item.causes.push(format!("{}: {}", rule.class, rule.meaning).into());
                    self.judging.item.causes.push(format!("  log: {line}").into());
                    if !rule.next.is_empty() {
                        self.judging.item.next.push(rule.next.as_ref().into());
                    }
                }
            }
            Some(Err(reason)) => {
                self.judging.problem(State::Unknown, format!("{}: {reason}", self.subject.judged.instance));
            }
            None if self.context.config.options.logs => {
                self.judging.item.notes.push((1, "baseline taken of its log".into()));
            }
            None => {}
        }
    }

    fn notes(&mut self) {
        let Some(details) = self.subject.details else { return };
        let name = &self.row().name;
        let mut notes: Vec<(u8, String)> = Vec::new();
        if self.subject.judged.instance != *name {
            notes.push((1, format!("container {name}")));
        }
        if let Some(count) = details.restart_count.filter(|count| *count > 0) {
            let restarts = counted(count, "restart");
            notes.push((1, format!("{restarts} by its policy since it was last started by hand")));
        }
        if history::was_started_by_hand(self.subject) {
            notes.push((1, "started by hand since the last run".to_owned()));
        }
        if let Some(image) = &details.config.image {
            notes.push((2, format!("image {image}, id {}", self.row().id.get(..12).unwrap_or(&self.row().id))));
        }
        self.judging.item.notes.extend(notes.into_iter().map(|(level, note)| (level, Text::from(note))));
        self.image_drift(details);
    }

    /// Whether the name of its image stands for another one by now.
    fn image_drift(&mut self, details: &Container) {
        let (Some(name), Some(own)) = (&details.config.image, &details.image) else { return };
        match self.context.snapshot.images.get(name) {
            Some(Ok(id)) if !same_image(id, own) => {
                self.problem(State::Warning, &format!("runs an older image than {name} names now"));
                let step = format!("{} up -d {} (makes the container anew)", self.compose(), self.target());
                self.judging.item.next.push(step.into());
            }
            Some(Err(reason)) => self.judging.item.notes.push((1, format!("image {name}: {reason}").into())),
            _ => {}
        }
    }

    /// The engine lists the container and tells no more of it.
    fn uninspected(&mut self, error: &EngineError) -> String {
        let text = format!("{}, and the engine tells no more of it: {error}", self.row().status.word());
        let (state, next) = match error {
            EngineError::Status { status: 401 | 403, .. } => {
                (State::Unknown, "let the proxy before the engine pass GET of /containers/ID/json")
            }
            EngineError::Http(common::http::HttpError::Timeout) => {
                (self.context.config.timeout_state, "journalctl -u docker --since -1h")
            }
            _ => (State::Critical, "journalctl -u docker --since -1h"),
        };
        self.problem(state, &text);
        self.judging.item.next.push(next.into());
        text
    }

    /// The command that composes its project, or the engine's own.
    fn compose(&self) -> &'static str {
        command(self.row())
    }

    /// What that command calls the container.
    fn target(&self) -> String {
        let row = self.row();
        shell_word(row.compose.as_ref().map_or(row.name.as_str(), |compose| compose.service.as_str()))
    }

    /// What the engine's own command calls it.
    fn name(&self) -> String {
        shell_word(&self.row().name)
    }

    /// The guide's steps: attached, to see why it stops, and detached once that is resolved.
    fn start_again(&mut self) {
        let (command, target) = (self.compose(), self.target());
        let steps = match &self.row().compose {
            Some(compose) => {
                let place = compose.directory.as_ref().map(|directory| format!("in {directory}; ")).unwrap_or_default();
                [
                    format!("{command} up {target} ({place}attached, shows why it stops)"),
                    format!("{command} up -d {target} (once that is resolved)"),
                ]
            }
            None => [
                format!("docker start --attach {target} (shows why it stops)"),
                format!("docker start {target} (once that is resolved)"),
            ],
        };
        self.judging.item.next.extend(steps.map(Text::from));
    }

    fn look_at_log(&mut self) {
        self.judging.item.next.push(format!("{} logs --tail 50 {}", self.compose(), self.target()).into());
    }
}

/// The command that the container was made with.
pub(super) fn command(row: &Row) -> &'static str {
    match &row.compose {
        Some(compose) if compose.is_v2 => "docker compose",
        Some(_) => "docker-compose",
        None => "docker",
    }
}

/// Whether its last life ended for lack of memory: the engine says so, or it was killed and the kernel had just
/// counted a kill in its cgroup.
fn is_out_of_memory(context: &Context, subject: &Subject, details: &Container) -> bool {
    let was_killed = details.state.exit_code == Some(KILLED);
    let engine_says = details.state.oom_killed == Some(true);
    let kernel_counted = || was_killed && !history::kills(context, subject).is_empty();
    *subject.status() != Status::Running && (engine_says || kernel_counted())
}

/// Its memory limit in bytes, if it has one.
fn memory_limit(details: &Container) -> Option<u64> {
    details.host_config.memory.and_then(|limit| u64::try_from(limit).ok()).filter(|limit| *limit > 0)
}

fn number_of(events: &[(u64, u64)]) -> Number {
    Number::from(recent::sum(events))
}

/// Whether a proxy before the engine refused to answer for that `reason`.
pub(super) fn is_forbidden(reason: &str) -> bool {
    ["HTTP 401", "HTTP 403"].iter().any(|status| reason.contains(status))
}

/// Image IDs, with or without the name of their hash.
fn same_image(a: &str, b: &str) -> bool {
    a.trim_start_matches("sha256:") == b.trim_start_matches("sha256:")
}
