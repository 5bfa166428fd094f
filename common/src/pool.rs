//! The same question about many things, asked by a few threads.

use std::sync::Mutex;
use std::sync::PoisonError;
use std::thread;

/// Stack of a thread, which speaks TLS and parses an answer at most.
const STACK: usize = 512 << 10;

/// The answers of `ask` to each of `items`, in their order, by `workers` threads at once.
pub fn each<T: Sync, R: Send>(items: &[T], workers: usize, ask: impl Fn(&T) -> R + Sync) -> Vec<R> {
    if workers <= 1 || items.len() <= 1 {
        return items.iter().map(ask).collect();
    }
    let queue = Mutex::new(items.iter().enumerate());
    let answers = Mutex::new(Vec::with_capacity(items.len()));
    let work = || {
        loop {
            let next = queue.lock().unwrap_or_else(PoisonError::into_inner).next();
            let Some((position, item)) = next else { break };
            let answer = ask(item);
            answers.lock().unwrap_or_else(PoisonError::into_inner).push((position, answer));
        }
    };
    thread::scope(|scope| {
        for _ in 1..workers.min(items.len()) {
            // Where the system gives no further thread, those that there are do the work.
            if thread::Builder::new().stack_size(STACK).spawn_scoped(scope, work).is_err() {
                break;
            }
        }
        work();
    });
    let mut answers = answers.into_inner().unwrap_or_else(PoisonError::into_inner);
    answers.sort_unstable_by_key(|(position, _)| *position);
    answers.into_iter().map(|(_, answer)| answer).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Barrier;

    #[test]
    fn answers_come_in_the_order_of_the_questions() {
        let items: Vec<usize> = (0..1000).collect();
        for workers in [0, 1, 2, 7, 2000] {
            assert_eq!(each(&items, workers, |item| item * 2), items.iter().map(|item| item * 2).collect::<Vec<_>>());
        }
        assert!(each(&[] as &[u8], 4, |item| *item).is_empty());
    }

    #[test]
    fn as_many_are_asked_at_once_as_there_are_workers() {
        let all_here = Barrier::new(5);
        each(&[(); 5], 5, |()| all_here.wait());
    }
}
