//! What a running container uses, judged.

use common::judging::Judging;
use common::metric::Definition;
use common::number::{Number, float, percent};
use common::state::State;
use common::text::{Text, shell_word};
use common::units::{bytes, counted, duration, whole};

use super::container::{command, is_forbidden};
use super::{Context, Subject};
use crate::metrics::{
    CPU_CORES, CPU_PERCENT, CPU_PRESSURE_SOME, CPU_THROTTLED_PERCENT, IO_PRESSURE_FULL, MEMORY_LIMIT,
    MEMORY_PRESSURE_FULL, MEMORY_USED, MEMORY_USED_PERCENT, PIDS, PIDS_USED_PERCENT, READ_BYTES, RX_BYTES, RX_ERRORS,
    SIZE_RW, SWAP_USED, TX_BYTES, TX_ERRORS, WRITE_BYTES,
};
use crate::snapshot::{Counters, Figures, Source};

/// Periods of a CPU quota, a tenth of a second each, from which on the share that was throttled is judged.
const FEWEST_PERIODS: u64 = 10;
/// Two samples closer than this, in seconds, tell no rate.
const SHORTEST_BETWEEN_SAMPLES: f64 = 0.04;

/// Judges the figures of a container. Returns the words for them, if there are any.
pub(super) fn judge(context: &Context, subject: &Subject, judging: &mut Judging) -> Option<String> {
    size(subject, judging);
    let figures = match subject.found.figures.as_ref()? {
        Ok(figures) => figures,
        Err(reason) => {
            let text = format!("{} tells no figures: {reason}", subject.judged.instance);
            judging.problem(State::Unknown, text);
            if is_forbidden(reason) {
                judging.item.next.push("let the proxy before the engine pass GET of /containers/ID/stats".into());
            }
            return Some(format!("no figures: {reason}"));
        }
    };
    judging.item.notes.push((2, format!("figures from {}", figures.source.describe()).into()));
    let mut said = Vec::new();
    match baseline(subject, figures) {
        Some((before, elapsed)) => {
            said.extend(cpu(subject, judging, figures, before, elapsed));
            rates(subject, judging, figures, before, elapsed);
            judging.item.notes.push((2, format!("rates since {}", duration(elapsed)).into()));
        }
        None => said.push("baseline taken".to_owned()),
    }
    said.extend(memory(context, subject, judging, figures));
    said.extend(processes(subject, judging, figures));
    pressure(subject, judging, figures);
    Some(said.join(", ")).filter(|said| !said.is_empty())
}

/// The counters of the last run, or of a moment before, and the seconds since then.
fn baseline<'a>(subject: &'a Subject, figures: &Figures) -> Option<(&'a Counters, f64)> {
    let of_last_run = || {
        let kept = subject.kept_of_this_life().filter(|kept| kept.source == figures.source)?;
        Some(&kept.counters)
    };
    let before = subject.found.first.as_ref().or_else(of_last_run)?;
    let elapsed = figures.counters.at - before.at;
    (elapsed >= SHORTEST_BETWEEN_SAMPLES).then_some((before, elapsed))
}

/// The growth of a counter; nothing for one that fell or was not there.
fn growth(now: Option<u64>, before: Option<u64>) -> Option<u64> {
    now?.checked_sub(before?)
}

/// The same per second.
fn rate(now: Option<u64>, before: Option<u64>, elapsed: f64) -> Option<Number> {
    Number::real(float(growth(now, before)?) / elapsed)
}

fn cpu(subject: &Subject, judging: &mut Judging, figures: &Figures, before: &Counters, elapsed: f64) -> Option<String> {
    let now = &figures.counters;
    let instance = &subject.judged.instance;
    let used = float(growth(now.cpu, before.cpu)?) / 1e9 / elapsed;
    judging.add(&CPU_CORES, Number::real(used), &format!("{instance} cpu cores"));
    let cores = cores(subject, figures);
    let share = cores.map(|cores| 100.0 * used / cores);
    let mut text = match (share, cores) {
        (Some(share), Some(cores)) => {
            let limit = Number::real(cores).map(|cores| cores.rounded(2).to_string()).unwrap_or_default();
            let noun = if limit == "1" { "core" } else { "cores" };
            format!("cpu {} % of {limit} {noun}", whole(share))
        }
        _ => format!("cpu {} % of a core", whole(100.0 * used)),
    };
    let name = shell_word(&subject.judged.row.name);
    let busy = judging.add(&CPU_PERCENT, share.and_then(Number::real), &format!("{instance} cpu"));
    let mut held_back = State::Ok;
    let periods = growth(now.periods, before.periods);
    let throttled = growth(now.throttled, before.throttled);
    if let Some(share) = periods.zip(throttled).and_then(|(periods, throttled)| percent(throttled, periods)) {
        // Of a few periods a single one says too much.
        if periods.is_some_and(|periods| periods >= FEWEST_PERIODS) {
            held_back = judging.add(&CPU_THROTTLED_PERCENT, Number::real(share), &format!("{instance} cpu throttled"));
        } else if let Some(value) = Number::real(share) {
            judging.show(&CPU_THROTTLED_PERCENT, value);
        }
        if share >= 1.0 {
            text = format!("{text}, throttled {} %", whole(share));
        }
    }
    if held_back != State::Ok {
        judging.item.causes.push("its CPU quota runs out while it has work to do".into());
    }
    if busy.max(held_back) != State::Ok {
        judging
            .item
            .next
            .push(format!("docker top {name} (what it works at); raise cpus in docker-compose.yml").into());
    }
    Some(text)
}

/// Cores that the container may use. The Engine API tells only those of the host.
fn cores(subject: &Subject, figures: &Figures) -> Option<f64> {
    let config = subject.details.map(|details| &details.host_config);
    let positive =
        |value: Option<i64>| value.and_then(|value| u64::try_from(value).ok()).filter(|value| *value > 0).map(float);
    let quota = config.and_then(|config| {
        let by_quota = || Some(positive(config.cpu_quota)? / positive(config.cpu_period).unwrap_or(100_000.0));
        positive(config.nano_cpus).map(|billionths| billionths / 1e9).or_else(by_quota)
    });
    let cpuset = config.and_then(|config| crate::parse::cgroup::cores(config.cpuset_cpus.as_deref()?)).map(f64::from);
    let limits = match figures.source {
        Source::Api => [figures.cores, quota, cpuset],
        Source::CgroupV1 | Source::CgroupV2 => [figures.cores, None, None],
    };
    limits.into_iter().flatten().filter(|cores| *cores > 0.0).min_by(f64::total_cmp)
}

fn memory(context: &Context, subject: &Subject, judging: &mut Judging, figures: &Figures) -> Option<String> {
    let instance = &subject.judged.instance;
    let used = figures.memory;
    judging.add(&MEMORY_USED, used.map(Number::from), &format!("{instance} memory"));
    judging.add(&SWAP_USED, figures.swap.map(Number::from), &format!("{instance} swap"));
    let host = context.snapshot.host_memory.filter(|_| figures.source != Source::Api);
    let has_limit = match figures.source {
        Source::Api => subject.details.is_some_and(|details| details.host_config.memory.is_some_and(|limit| limit > 0)),
        Source::CgroupV1 | Source::CgroupV2 => true,
    };
    let limit = figures.memory_limit.filter(|limit| has_limit && host.is_none_or(|host| *limit < host));
    judging.add(&MEMORY_LIMIT, limit.map(Number::from), &format!("{instance} memory limit"));
    let used = used?;
    // The Engine API gives the host's memory for the limit of a container that has none.
    let whole_memory = limit.or(host).or(figures.memory_limit);
    let Some(share) = whole_memory.and_then(|whole| percent(used, whole)) else {
        return Some(format!("memory {}", bytes(used)));
    };
    let is_judged = limit.is_some() || context.config.thresholds.are_given(&MEMORY_USED_PERCENT, Some(instance));
    let value = Number::real(share)?;
    if !is_judged {
        judging.show(&MEMORY_USED_PERCENT, value);
    } else if judging.add(&MEMORY_USED_PERCENT, value, &format!("{instance} memory")) != State::Ok {
        judging
            .item
            .next
            .push("raise mem_limit in docker-compose.yml, or find out what it needs the memory for".into());
        judging.item.next.push(format!("docker top {} -o pid,rss,comm", shell_word(&subject.judged.row.name)).into());
    }
    Some(match limit {
        Some(limit) => format!("memory {} % of {}", whole(share), bytes(limit)),
        None => format!("memory {} (no limit, {} % of the host's)", bytes(used), whole(share)),
    })
}

fn processes(subject: &Subject, judging: &mut Judging, figures: &Figures) -> Option<String> {
    let instance = &subject.judged.instance;
    let pids = figures.pids?;
    judging.add(&PIDS, Number::from(pids), &format!("{instance} processes:"));
    let limit = figures.pids_limit.filter(|limit| *limit > 0);
    if let Some(share) = limit.and_then(|limit| percent(pids, limit)) {
        let state = judging.add(&PIDS_USED_PERCENT, Number::real(share), &format!("{instance} processes"));
        if state != State::Ok {
            let command = command(&subject.judged.row);
            judging.item.next.push(
                format!("docker top {}; raise pids_limit, or {command} restart", shell_word(&subject.judged.row.name))
                    .into(),
            );
        }
    }
    Some(match limit {
        Some(limit) => format!("{pids} of {limit} processes"),
        None => counted(pids, "process"),
    })
}

fn pressure(subject: &Subject, judging: &mut Judging, figures: &Figures) {
    let instance = &subject.judged.instance;
    let pressure = &figures.pressure;
    let some = |stall: &Option<common::pressure::Stall>| stall.map(|stall| stall.some[1]);
    let full = |stall: &Option<common::pressure::Stall>| stall.and_then(|stall| stall.full).map(|full| full[1]);
    for (metric, value, what) in [
        (&CPU_PRESSURE_SOME, some(&pressure.cpu), "cpu pressure"),
        (&MEMORY_PRESSURE_FULL, full(&pressure.memory), "memory pressure"),
        (&IO_PRESSURE_FULL, full(&pressure.io), "I/O pressure"),
    ] {
        judging.add(metric, value.and_then(Number::real), &format!("{instance} {what}"));
    }
}

/// Bytes and errors since the last run.
fn rates(subject: &Subject, judging: &mut Judging, figures: &Figures, before: &Counters, elapsed: f64) {
    let instance = &subject.judged.instance;
    let now = &figures.counters;
    let pair = |counters: &Counters| counters.io.map_or((None, None), |(read, written)| (Some(read), Some(written)));
    let ((read, written), (read_before, written_before)) = (pair(now), pair(before));
    let mut rows: Vec<(&Definition, Option<Number>, &str)> = vec![
        (&READ_BYTES, rate(read, read_before, elapsed), "bytes read/s"),
        (&WRITE_BYTES, rate(written, written_before, elapsed), "bytes written/s"),
    ];
    if let (Some(now), Some(before)) = (&now.network, &before.network) {
        let count = |now: u64, before: u64| growth(Some(now), Some(before)).map(Number::from);
        rows.extend([
            (&RX_BYTES, rate(Some(now.rx_bytes), Some(before.rx_bytes), elapsed), "bytes received/s"),
            (&TX_BYTES, rate(Some(now.tx_bytes), Some(before.tx_bytes), elapsed), "bytes sent/s"),
            (&RX_ERRORS, count(now.rx_errors, before.rx_errors), "receive errors:"),
            (&TX_ERRORS, count(now.tx_errors, before.tx_errors), "send errors:"),
        ]);
    }
    for (metric, value, what) in rows {
        judging.add(metric, value, &format!("{instance} {what}"));
    }
}

/// The writable layer, which the engine measures only when asked.
fn size(subject: &Subject, judging: &mut Judging) {
    let size = subject.details.and_then(|details| details.size_rw);
    let instance = &subject.judged.instance;
    if judging.add(&SIZE_RW, size.map(Number::from), &format!("{instance} writable layer")) != State::Ok {
        let step = format!("docker diff {}; write to a volume instead", shell_word(&subject.judged.row.name));
        judging.item.next.push(Text::from(step));
    }
}
