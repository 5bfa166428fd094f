//! One pass over `/proc`: every process, its open files and its limit of them.

use std::io::ErrorKind;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::thread;

use nix::sys::statfs::{PROC_SUPER_MAGIC, statfs};
use nix::unistd::{SysconfVar, sysconf};

use super::root::{Root, read_into, text};
use crate::parse;
use crate::snapshot::{Fact, Process, Processes};

/// Below this many processes a second thread costs more than it saves.
const WORTH_A_THREAD: usize = 512;

/// All processes; with their open files if `files`.
pub fn collect(root: &Root, files: bool) -> Fact<Processes> {
    let pids = pids(&root.procfs).map_err(|error| root.fault("", common::text::io_error(&error)))?;
    let files = files.then(|| FileCounter::new(&root.procfs));
    let threads = thread::available_parallelism().map_or(1, usize::from).min(pids.len() / WORTH_A_THREAD + 1);
    let mut processes = if threads == 1 {
        read_all(&root.procfs, &pids, files)
    } else {
        read_in_parallel(&root.procfs, &pids, files, threads)
    };
    processes.ticks_per_second = configured(SysconfVar::CLK_TCK, 100);
    processes.page_size = configured(SysconfVar::PAGE_SIZE, 4096);
    Ok(processes)
}

fn configured(variable: SysconfVar, default: u64) -> u64 {
    sysconf(variable).ok().flatten().and_then(|value| u64::try_from(value).ok()).unwrap_or(default)
}

/// The PIDs below `procfs`, in ascending order.
pub fn pids(procfs: &Path) -> std::io::Result<Vec<u32>> {
    let mut pids: Vec<u32> =
        std::fs::read_dir(procfs)?.filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok()).collect();
    pids.sort_unstable();
    Ok(pids)
}

fn read_in_parallel(procfs: &Path, pids: &[u32], files: Option<FileCounter>, threads: usize) -> Processes {
    let mut all = Processes::default();
    thread::scope(|scope| {
        let parts: Vec<_> = pids
            .chunks(pids.len().div_ceil(threads))
            .map(|part| scope.spawn(move || read_all(procfs, part, files)))
            .collect();
        for part in parts {
            let Ok(part) = part.join() else { continue };
            all.list.extend(part.list);
            all.unreadable += part.unreadable;
            all.files_hidden += part.files_hidden;
        }
    });
    all
}

fn read_all(procfs: &Path, pids: &[u32], files: Option<FileCounter>) -> Processes {
    let mut processes = Processes { list: Vec::with_capacity(pids.len()), ..Processes::default() };
    let mut path = PathBuf::from(procfs);
    let mut buffer = Vec::with_capacity(4096);
    for pid in pids {
        path.push(pid.to_string());
        match read(&mut path, &mut buffer) {
            Ok(Some(mut process)) => {
                if let Some(counter) = files
                    && counter.count(&mut path, &mut buffer, &mut process).is_none()
                {
                    processes.files_hidden += 1;
                }
                processes.list.push(process);
            }
            Ok(None) => processes.unreadable += 1,
            Err(Gone) => {}
        }
        path.pop();
    }
    processes
}

/// The process ended between the listing and the reading.
struct Gone;

fn read(directory: &mut PathBuf, buffer: &mut Vec<u8>) -> Result<Option<Process>, Gone> {
    directory.push("stat");
    let result = read_into(directory, buffer);
    directory.pop();
    match result {
        Ok(()) => Ok(parse::process(&text(buffer))),
        // ESRCH where it ended while it was read.
        Err(error) if error.kind() == ErrorKind::NotFound || error.raw_os_error() == Some(3) => Err(Gone),
        Err(_) => Ok(None),
    }
}

/// How open files are counted.
#[derive(Clone, Copy, Debug)]
struct FileCounter {
    /// Since Linux 6.2 the size of `/proc/PID/fd` is their number: one call, and no permission is needed.
    by_size: bool,
}

impl FileCounter {
    fn new(procfs: &Path) -> Self {
        let is_procfs = statfs(procfs).is_ok_and(|found| found.filesystem_type() == PROC_SUPER_MAGIC);
        // This check has at least its standard streams open, so an older kernel's 0 tells itself.
        let has_size = std::fs::metadata("/proc/self/fd").is_ok_and(|metadata| metadata.size() > 0);
        Self { by_size: is_procfs && has_size }
    }

    /// Fills in the open files of `process` and its limit of them; `None` if they are hidden.
    fn count(self, directory: &mut PathBuf, buffer: &mut Vec<u8>, process: &mut Process) -> Option<()> {
        directory.push("fd");
        let files = if self.by_size {
            std::fs::metadata(&*directory).map(|metadata| metadata.size())
        } else {
            std::fs::read_dir(&*directory).map(|entries| {
                let numeric = |name: &std::ffi::OsStr| name.to_str().is_some_and(|name| name.parse::<u32>().is_ok());
                entries.flatten().filter(|entry| numeric(&entry.file_name())).fold(0, |count, _| count + 1)
            })
        };
        directory.pop();
        process.files = Some(files.ok()?);
        if process.files == Some(0) {
            return Some(());
        }
        directory.push("limits");
        let result = read_into(directory, buffer);
        directory.pop();
        result.ok()?;
        process.files_limit = parse::files_limit(std::str::from_utf8(buffer).ok()?)?;
        Some(())
    }
}
