//! The second look: what explains a group that is not OK.

use std::collections::{BTreeMap, BTreeSet};
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;
use std::time::Duration;

use common::deadline::Deadline;
use common::docker::{Engine, container_id};
use nix::sys::stat::{major, minor};

use super::processes::{self, pids};
use super::root::{Root, read};
use crate::cli::Config;
use crate::evaluate::Subjects;
use crate::parse;
use crate::snapshot::{Details, Snapshot};

/// How many container logs are named.
const LOGS: usize = 3;

/// How long an engine that is not judged itself may take to tell names.
const PATIENCE: Duration = Duration::from_secs(2);

/// Reads the processes for a run whose groups did not need them until something was wrong.
pub fn read_processes(config: &Config, snapshot: &mut Snapshot, deadline: &Deadline) {
    if snapshot.processes.is_none() {
        let _step = deadline.step("the processes");
        snapshot.processes = Root::new(&config.options, deadline).map(|root| processes::collect(&root, false)).ok();
    }
}

/// Looks at `subjects` and adds what it finds to `snapshot`. Returns whether there was anything to look at.
pub fn collect(config: &Config, snapshot: &mut Snapshot, subjects: &Subjects, deadline: &Deadline) -> bool {
    if *subjects == Subjects::default() {
        return false;
    }
    let Ok(root) = Root::new(&config.options, deadline) else { return false };
    let mut details = Details::default();
    let mut named = subjects.processes.clone();
    if subjects.swap {
        let _step = deadline.step("the swap used by each process");
        details.swap = swap(&root, snapshot, config.options.top);
        named.extend(details.swap.keys());
    }
    if !subjects.devices.is_empty() {
        let _step = deadline.step("deleted files that are still open");
        details.deleted = deleted(&root, &subjects.devices);
        named.extend(details.deleted.values().flat_map(BTreeMap::keys));
    }
    if let Some(data) = &subjects.docker_root {
        let _step = deadline.step("the container logs");
        details.logs = logs(&root.host(Path::new(data)));
    }
    attribute(&root, config, &named, &mut details, deadline);
    ask_engine(config, snapshot, subjects, &mut details, deadline);
    snapshot.details = details;
    true
}

/// The processes that use most swap, in bytes.
fn swap(root: &Root, snapshot: &Snapshot, top: usize) -> BTreeMap<u32, u64> {
    let Some(Ok(processes)) = &snapshot.processes else { return BTreeMap::new() };
    let mut used: Vec<(u64, u32)> = processes
        .list
        .iter()
        .filter_map(|process| {
            let text = read(&root.procfs.join(format!("{}/status", process.pid))).ok()?;
            parse::swap_used(&text).filter(|used| *used > 0).map(|used| (used, process.pid))
        })
        .collect();
    used.sort_unstable_by(|a, b| b.cmp(a));
    used.into_iter().take(top).map(|(used, pid)| (pid, used)).collect()
}

/// The bytes of deleted files on `devices` that are still open, by device and process; each file once.
fn deleted(root: &Root, devices: &BTreeSet<String>) -> BTreeMap<String, BTreeMap<u32, u64>> {
    let mut found: BTreeMap<String, BTreeMap<u32, u64>> = BTreeMap::new();
    let mut seen = BTreeSet::new();
    for pid in pids(&root.procfs).unwrap_or_default() {
        let Ok(files) = std::fs::read_dir(root.procfs.join(format!("{pid}/fd"))) else { continue };
        for file in files.flatten() {
            let path = file.path();
            let is_deleted = std::fs::read_link(&path).is_ok_and(|to| to.to_string_lossy().ends_with(" (deleted)"));
            // Only then is the file itself asked, which a dead network mount would not answer.
            let Some(metadata) = is_deleted.then(|| std::fs::metadata(&path).ok()).flatten() else { continue };
            let device = format!("{}:{}", major(metadata.dev()), minor(metadata.dev()));
            if metadata.nlink() == 0 && devices.contains(&device) && seen.insert((metadata.dev(), metadata.ino())) {
                *found.entry(device).or_default().entry(pid).or_default() += metadata.blocks() * 512;
            }
        }
    }
    found
}

/// The largest logs of the engine's json-file and local drivers, in bytes by container ID.
fn logs(data: &Path) -> Vec<(String, u64)> {
    let size = |directory: &Path| -> u64 {
        let files = std::fs::read_dir(directory).into_iter().flatten().flatten();
        let is_log = |name: &str| name.contains("-json.log") || name.contains("container.log");
        files
            .filter(|file| file.file_name().to_str().is_some_and(is_log))
            .filter_map(|file| file.metadata().ok())
            .map(|metadata| metadata.len())
            .sum()
    };
    let containers = std::fs::read_dir(data.join("containers")).into_iter().flatten().flatten();
    let mut logs: Vec<(String, u64)> = containers
        .map(|container| {
            let path = container.path();
            let id = container.file_name().to_string_lossy().into_owned();
            (id, size(&path) + size(&path.join("local-logs")))
        })
        .filter(|(_, size)| *size > 0)
        .collect();
    logs.sort_unstable_by(|(a, left), (b, right)| right.cmp(left).then(a.cmp(b)));
    logs.truncate(LOGS);
    logs
}

/// The container of each process that is named and, where asked for, its arguments.
fn attribute(root: &Root, config: &Config, named: &BTreeSet<u32>, details: &mut Details, deadline: &Deadline) {
    let _step = deadline.step("the containers and arguments of processes");
    for pid in named {
        if let Ok(text) = read(&root.procfs.join(format!("{pid}/cgroup")))
            && let Some(id) = container_id(&text)
        {
            details.containers.insert(*pid, id.to_owned());
        }
        if config.options.show_args
            && let Ok(text) = read(&root.procfs.join(format!("{pid}/cmdline")))
        {
            details.arguments.insert(*pid, text.trim_end_matches('\0').replace('\0', " "));
        }
    }
}

/// The names of the containers and what pruning would free.
fn ask_engine(config: &Config, snapshot: &Snapshot, subjects: &Subjects, details: &mut Details, deadline: &Deadline) {
    // An engine that is not judged may still tell names; one that did not answer before is not asked again.
    let is_down = snapshot.engine.as_ref().is_some_and(|engine| engine.ping.is_err());
    let has_containers = !details.containers.is_empty() || !details.logs.is_empty();
    let wants_usage = subjects.docker_root.is_some();
    if config.options.no_docker || is_down || !(has_containers || wants_usage) {
        return;
    }
    let _step = deadline.step("the Docker Engine's list of containers and disk usage");
    // Names are not worth the whole time that the run may take.
    let budget = || if snapshot.engine.is_some() { deadline.budget() } else { deadline.budget().min(PATIENCE) };
    let Ok(engine) = Engine::connect(&config.engine, budget()) else { return };
    if has_containers && let Ok(containers) = engine.containers(budget()) {
        let name =
            |container: &common::docker::ContainerSummary| Some((container.id.clone()?, container.name()?.to_owned()));
        details.names = containers.iter().filter_map(name).collect();
    }
    if wants_usage {
        let usage = engine.disk_usage(deadline.budget());
        details.reclaimable = Some(usage.map(|usage| usage.reclaimable()).map_err(|error| error.to_string()));
    }
}
