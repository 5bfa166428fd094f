//! The host of the deployment: `/proc`, `/sys` and the figures of its filesystems, as a tree of the fixtures of
//! `check_docker_host` has them, with a CPU that works.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use support::Tree;

use crate::engine::{Engine, Service};

const TREE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../fixtures/check_docker_host/healthy.tree");
/// Where the process of a service is in that tree.
const PROCESSES: [(Service, &str); 3] =
    [(Service::Postgres, "proc/1500"), (Service::Kwanza, "proc/1600"), (Service::Cuesta, "proc/1700")];
/// How often the kernel's counters are written. It counts hundredths of a second.
const PACE: Duration = Duration::from_millis(50);
/// Of the four cores' 400 hundredths in a second: user, nice, system, idle, I/O wait. The rest stands still.
const TICKS: [u64; 5] = [34, 0, 14, 350, 2];

/// The host, whose clock stands still when it is dropped.
#[derive(Debug)]
pub struct Host {
    folder: PathBuf,
    clock: Option<(Sender<()>, JoinHandle<()>)>,
}

impl Host {
    /// Writes its files below `folder`: `proc`, `sys` and `statvfs`. Its processes are those of the containers of `engine`.
    pub fn start(folder: &Path, engine: &Engine) -> Self {
        let tree = PROCESSES.iter().fold(Tree::load(TREE), |tree, (service, process)| {
            let group = format!("0::/system.slice/docker-{}.scope\n", engine.id(*service));
            tree.file(&format!("{process}/cgroup"), group)
        });
        tree.unpack_into(folder);
        let (sender, receiver) = channel();
        let proc = folder.join("proc");
        let [stat, uptime] =
            ["stat", "uptime"].map(|name| fs::read_to_string(proc.join(name)).expect("a file of the tree"));
        let clock = std::thread::spawn(move || {
            let begin = Instant::now();
            while receiver.recv_timeout(PACE) == Err(RecvTimeoutError::Timeout) {
                write(&proc.join("stat"), &stat_after(&stat, begin.elapsed()));
                write(&proc.join("uptime"), &uptime_after(&uptime, begin.elapsed()));
            }
        });
        Self { folder: folder.to_owned(), clock: Some((sender, clock)) }
    }

    /// The processes of `service` have ended.
    pub fn end(&self, service: Service) {
        for (_, process) in PROCESSES.iter().filter(|(each, _)| *each == service) {
            let _ = fs::remove_dir_all(self.folder.join(process));
        }
    }

    /// Nothing is left of `/var`, where Docker keeps its data.
    pub fn fill_disk(&self) {
        let file = self.folder.join("statvfs");
        let text = fs::read_to_string(&file).expect("a file of the tree");
        let full = |line: &str| match line.split(' ').collect::<Vec<_>>().as_slice() {
            ["/var", size, _, _, inodes, free] => format!("/var {size} 0 0 {inodes} {free}\n"),
            _ => format!("{line}\n"),
        };
        write(&file, &text.lines().map(full).collect::<String>());
    }
}

impl Drop for Host {
    fn drop(&mut self) {
        if let Some((sender, clock)) = self.clock.take() {
            drop(sender);
            let _ = clock.join();
        }
    }
}

/// At once, so that nobody reads a half.
fn write(path: &Path, text: &str) {
    let new = path.with_extension("new");
    fs::write(&new, text).and_then(|()| fs::rename(&new, path)).expect("a file to write");
}

/// `/proc/stat` after `elapsed`: the first line counts all four cores, the next four one each.
fn stat_after(text: &str, elapsed: Duration) -> String {
    let line = |line: &str| {
        let Some(cpu) = line.split(' ').next().filter(|word| word.starts_with("cpu")) else {
            return format!("{line}\n");
        };
        let cores = if cpu == "cpu" { 4 } else { 1 };
        let counts = line.split_whitespace().skip(1).zip(TICKS.into_iter().chain([0; 5])).map(|(count, ticks)| {
            let count: u64 = count.parse().expect("a count");
            (count + ticks * cores * u64::try_from(elapsed.as_millis()).expect("a short time") / 4000).to_string()
        });
        format!("{cpu} {}\n", counts.collect::<Vec<_>>().join(" "))
    };
    text.lines().map(line).collect()
}

/// `/proc/uptime` after `elapsed`.
fn uptime_after(text: &str, elapsed: Duration) -> String {
    let mut numbers = text.split_whitespace().map(|number| number.parse::<f64>().expect("a number"));
    let mut next = |rate: f64| numbers.next().expect("two numbers") + rate * elapsed.as_secs_f64();
    format!("{:.2} {:.2}\n", next(1.0), next(3.5))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_kernel_counts_on() {
        let text = "cpu  100 0 50 1000 7 0 3 0 0 0\ncpu0 25 0 12 250 1 0 1 0 0 0\nbtime 1792000000\n";
        let later = "cpu 134 0 64 1350 9 0 3 0 0 0\ncpu0 33 0 15 337 1 0 1 0 0 0\nbtime 1792000000\n";
        assert_eq!(stat_after(text, Duration::from_secs(1)), later);
        assert_eq!(uptime_after("10.00 30.00\n", Duration::from_secs(2)), "12.00 37.00\n");
    }
}
