//! The time that a run may take, and what it is waiting for.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// The end of a run, shared by all that it waits for.
///
/// Work that can block is announced with [`Deadline::step`], so that a run that is cut off can say where it hung.
#[derive(Clone, Debug)]
pub struct Deadline {
    begin: Instant,
    allowed: Duration,
    steps: Arc<Mutex<Steps>>,
}

#[derive(Debug, Default)]
struct Steps {
    last: u64,
    pending: BTreeMap<u64, String>,
    done: Vec<(String, Duration)>,
}

/// A step under way; dropping it ends the step.
#[derive(Debug)]
pub struct Step {
    steps: Arc<Mutex<Steps>>,
    id: u64,
    begin: Instant,
}

impl Deadline {
    /// A deadline `allowed` from now.
    pub fn after(allowed: Duration) -> Self {
        Self { begin: Instant::now(), allowed, steps: Arc::default() }
    }

    /// The whole time that the run may take.
    pub const fn allowed(&self) -> Duration {
        self.allowed
    }

    /// The time that is left; zero once it is over.
    pub fn remaining(&self) -> Duration {
        self.allowed.saturating_sub(self.begin.elapsed())
    }

    /// The time that a part of the run may wait and still leave the whole run time to report: nine tenths
    /// of what is left, and at most all but a quarter of a second.
    pub fn budget(&self) -> Duration {
        let remaining = self.remaining();
        (remaining * 9 / 10).max(remaining.saturating_sub(Duration::from_millis(250)))
    }

    /// The time that is left until `duration` after the begin; zero once that is over.
    pub fn until(&self, duration: Duration) -> Duration {
        duration.saturating_sub(self.begin.elapsed())
    }

    /// The time since the begin.
    pub fn elapsed(&self) -> Duration {
        self.begin.elapsed()
    }

    /// Announces that the run now waits for `name`, until the returned value is dropped.
    #[must_use = "the step ends when this is dropped"]
    pub fn step(&self, name: impl Into<String>) -> Step {
        let mut steps = lock(&self.steps);
        steps.last += 1;
        let id = steps.last;
        steps.pending.insert(id, name.into());
        Step { steps: Arc::clone(&self.steps), id, begin: Instant::now() }
    }

    /// What the run is waiting for, the oldest first; a word for the run itself where it waits for nothing.
    pub fn pending(&self) -> String {
        let steps = lock(&self.steps);
        let names: Vec<&str> = steps.pending.values().map(String::as_str).collect();
        if names.is_empty() { "its own work".to_owned() } else { names.join(", ") }
    }

    /// The steps that have ended and how long each took, in the order of their ends.
    pub fn timings(&self) -> Vec<(String, Duration)> {
        lock(&self.steps).done.clone()
    }
}

impl Drop for Step {
    fn drop(&mut self) {
        let mut steps = lock(&self.steps);
        if let Some(name) = steps.pending.remove(&self.id) {
            steps.done.push((name, self.begin.elapsed()));
        }
    }
}

fn lock(steps: &Mutex<Steps>) -> MutexGuard<'_, Steps> {
    steps.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_pending_steps_are_named_and_the_ended_ones_timed() {
        let deadline = Deadline::after(Duration::from_mins(1));
        assert_eq!(deadline.pending(), "its own work");
        let first = deadline.step("connect");
        let second = deadline.step("statvfs /mnt");
        assert_eq!(deadline.pending(), "connect, statvfs /mnt");
        drop(first);
        assert_eq!(deadline.pending(), "statvfs /mnt");
        drop(second);
        assert_eq!(deadline.timings().len(), 2);
    }

    #[test]
    fn a_budget_leaves_time_to_report() {
        let deadline = Deadline::after(Duration::from_secs(10));
        assert!(deadline.budget() < Duration::from_millis(9_751) && deadline.budget() > Duration::from_secs(9));
        assert_eq!(Deadline::after(Duration::ZERO).budget(), Duration::ZERO);
    }
}
