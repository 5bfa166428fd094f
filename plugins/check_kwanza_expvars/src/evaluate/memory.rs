//! The memory of the program and its garbage collection.

use common::number::{Number, float};
use common::report::Item;
use common::state::State;
use common::units::{bytes, duration};

use super::Context;
use crate::metrics::{GC_PAUSE_P99, GC_PER_SECOND, GOROUTINES, HEAP_ALLOC, HEAP_INUSE, MEMORY_SYS};
use crate::parse::path;

pub(super) fn memory(context: &Context) -> Option<Item> {
    if !context.config.options.memstats {
        return None;
    }
    let Some(memory) = &context.snapshot.page.memory else {
        return Some(Item::new("memory", State::Unknown, "memstats is not published"));
    };
    let mut judging = context.judging("memory");
    judging.add(&HEAP_INUSE, Number::from(memory.heap_inuse), "heap in use");
    judging.add(&HEAP_ALLOC, Number::from(memory.heap_alloc), "heap of objects");
    judging.add(&MEMORY_SYS, Number::from(memory.sys), "memory from the system");
    let pause = p99(&memory.pause_ns).and_then(|nanoseconds| Number::real(float(nanoseconds) / 1e9));
    judging.add(&GC_PAUSE_P99, pause, "garbage collection pauses");
    let collections =
        context.baseline().and_then(|kept| kept.allocated).map(|(_, before)| memory.num_gc.saturating_sub(before));
    let rate = collections.zip(context.elapsed()).and_then(|(count, elapsed)| Number::real(float(count) / elapsed));
    judging.add(&GC_PER_SECOND, rate, "garbage collections/s");
    let goroutines = context.snapshot.page.goroutines().and_then(path::number);
    judging.add(&GOROUTINES, goroutines, "goroutines:");
    if judging.item.state != State::Ok {
        judging.item.next.push("go tool pprof http://HOST:6060/debug/pprof/heap; docker stats".into());
    }
    let mut text = format!("heap {} in use, {} from the system", bytes(memory.heap_inuse), bytes(memory.sys));
    if let Some(pause) = pause {
        text = format!("{text}, pauses up to {}", duration(pause.to_f64()));
    }
    Some(judging.finish(text))
}

/// The 99th percentile (nearest rank) of the pauses in the ring; a place that was not used yet is 0.
fn p99(ring: &[u64]) -> Option<u64> {
    let mut pauses: Vec<u64> = ring.iter().copied().filter(|pause| *pause > 0).collect();
    pauses.sort_unstable();
    let rank = (pauses.len() * 99).div_ceil(100);
    pauses.get(rank.checked_sub(1)?).copied()
}

#[cfg(test)]
mod tests {
    use super::p99;

    #[test]
    fn the_99th_percentile_is_the_nearest_rank() {
        assert_eq!(p99(&[0, 0]), None);
        assert_eq!(p99(&[5, 0, 3]), Some(5));
        assert_eq!(p99(&(1..=200).collect::<Vec<_>>()), Some(198));
        assert_eq!(p99(&(1..=256).collect::<Vec<_>>()), Some(254));
    }
}
