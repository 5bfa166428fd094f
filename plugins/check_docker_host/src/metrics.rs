//! The metric table.

use common::metric::Definition;
use common::units::Unit::{Bytes, Number, Percent, Seconds};

const fn cpu(name: &'static str, unit: common::units::Unit, help: &'static str) -> Definition {
    Definition::gauge("cpu", name, unit, help)
}

const fn disk(name: &'static str, unit: common::units::Unit, help: &'static str) -> Definition {
    Definition::gauge("disk", name, unit, help).per("mount")
}

const fn diskio(name: &'static str, unit: common::units::Unit, help: &'static str) -> Definition {
    Definition::gauge("diskio", name, unit, help).per("device")
}

const fn pressure(name: &'static str, help: &'static str) -> Definition {
    Definition::gauge("pressure", name, Percent, help)
}

common::metrics! {
    /// Busy CPU.
    CPU_PERCENT = cpu("cpu_percent", Percent, "CPU time spent working, user and system").defaults("90", "97");
    /// User CPU.
    CPU_USER = cpu("cpu_user_percent", Percent, "CPU time of programs, niced ones and guests included (vmstat us)");
    /// System CPU.
    CPU_SYSTEM = cpu("cpu_system_percent", Percent, "CPU time of the kernel, interrupts included (vmstat sy)");
    /// I/O wait.
    CPU_IOWAIT = cpu("cpu_iowait_percent", Percent, "CPU time idle while I/O was pending (vmstat wa)").defaults("30", "60");
    /// Steal.
    CPU_STEAL = cpu("cpu_steal_percent", Percent, "CPU time that the hypervisor gave to others (vmstat st)").defaults("10", "30");
    /// Idle.
    CPU_IDLE = cpu("cpu_idle_percent", Percent, "CPU time idle (vmstat id)");
    /// Context switches.
    CONTEXT_SWITCHES = cpu("context_switches_per_second", Number, "Context switches (vmstat cs)");
    /// Interrupts.
    INTERRUPTS = cpu("interrupts_per_second", Number, "Interrupts (vmstat in)");
    /// Forks.
    FORKS = cpu("forks_per_second", Number, "Processes and threads created");

    /// Load over one minute.
    LOAD1 = Definition::gauge("load", "load1", Number, "Load average over one minute");
    /// Load over five minutes.
    LOAD5 = Definition::gauge("load", "load5", Number, "Load average over five minutes");
    /// Load over fifteen minutes.
    LOAD15 = Definition::gauge("load", "load15", Number, "Load average over fifteen minutes");
    /// Load over one minute per core.
    LOAD1_PER_CORE = Definition::gauge("load", "load1_per_core", Number, "Load average over one minute, divided by the CPU cores");
    /// Load over five minutes per core.
    LOAD5_PER_CORE = Definition::gauge("load", "load5_per_core", Number, "Load average over five minutes, divided by the CPU cores").defaults("2", "4");
    /// Load over fifteen minutes per core.
    LOAD15_PER_CORE = Definition::gauge("load", "load15_per_core", Number, "Load average over fifteen minutes, divided by the CPU cores");
    /// Runnable.
    RUN_QUEUE = Definition::gauge("load", "run_queue", Number, "Runnable threads besides this check (vmstat r)");
    /// Blocked.
    BLOCKED = Definition::gauge("load", "blocked", Number, "Threads waiting for I/O to complete (vmstat b)");

    /// Memory used.
    MEMORY_USED_PERCENT = Definition::gauge("memory", "memory_used_percent", Percent, "Memory that is not available to programs, of all; a ZFS cache counts as available").defaults("90", "95");
    /// Memory used.
    MEMORY_USED = Definition::gauge("memory", "memory_used", Bytes, "Memory that is not available to programs");
    /// Memory available.
    MEMORY_AVAILABLE = Definition::gauge("memory", "memory_available", Bytes, "Memory that programs can still get without swapping");
    /// Cache.
    MEMORY_CACHE = Definition::gauge("memory", "memory_buffers_cache", Bytes, "Buffers, page cache and reclaimable kernel memory (free's buff/cache)");
    /// Dirty.
    MEMORY_DIRTY = Definition::gauge("memory", "memory_dirty", Bytes, "Cached writes that wait for the disk");

    /// Swap used.
    SWAP_USED_PERCENT = Definition::gauge("swap", "swap_used_percent", Percent, "Swap space used, of all").defaults("60", "90");
    /// Swap used.
    SWAP_USED = Definition::gauge("swap", "swap_used", Bytes, "Swap space used");
    /// Swapped in.
    SWAP_IN = Definition::gauge("swap", "swap_in_per_second", Number, "Pages read from swap (vmstat si, in pages)");
    /// Swapped out.
    SWAP_OUT = Definition::gauge("swap", "swap_out_per_second", Number, "Pages written to swap (vmstat so, in pages)");
    /// OOM kills.
    OOM_KILLS = Definition::gauge("swap", "oom_kills", Number, "Kills for lack of memory in the last hour, as far as earlier runs tell").defaults("0", "0");

    /// CPU pressure.
    CPU_PRESSURE_SOME = pressure("cpu_pressure_some", "Time in which some thread waited for a CPU, of the last 60 s").defaults("50", "80");
    /// CPU pressure over 10 s.
    CPU_PRESSURE_SOME_AVG10 = pressure("cpu_pressure_some_avg10", "The same of the last 10 s");
    /// Memory pressure, some.
    MEMORY_PRESSURE_SOME = pressure("memory_pressure_some", "Time in which some thread waited for memory, of the last 60 s");
    /// Memory pressure, some, over 10 s.
    MEMORY_PRESSURE_SOME_AVG10 = pressure("memory_pressure_some_avg10", "The same of the last 10 s");
    /// Memory pressure, full.
    MEMORY_PRESSURE_FULL = pressure("memory_pressure_full", "Time in which every runnable thread waited for memory, of the last 60 s").defaults("10", "30");
    /// Memory pressure, full, over 10 s.
    MEMORY_PRESSURE_FULL_AVG10 = pressure("memory_pressure_full_avg10", "The same of the last 10 s");
    /// I/O pressure, some.
    IO_PRESSURE_SOME = pressure("io_pressure_some", "Time in which some thread waited for I/O, of the last 60 s");
    /// I/O pressure, some, over 10 s.
    IO_PRESSURE_SOME_AVG10 = pressure("io_pressure_some_avg10", "The same of the last 10 s");
    /// I/O pressure, full.
    IO_PRESSURE_FULL = pressure("io_pressure_full", "Time in which every runnable thread waited for I/O, of the last 60 s").defaults("20", "50");
    /// I/O pressure, full, over 10 s.
    IO_PRESSURE_FULL_AVG10 = pressure("io_pressure_full_avg10", "The same of the last 10 s");

    /// Space used.
    DISK_USED_PERCENT = disk("used_percent", Percent, "Space used, of what unprivileged users can use (df's Use%)").defaults("90", "95");
    /// Inodes used.
    INODES_USED_PERCENT = disk("inodes_used_percent", Percent, "Inodes used, of all (df -i's IUse%)").defaults("90", "95");
    /// Space used.
    DISK_USED = disk("used", Bytes, "Space used");
    /// Space free.
    DISK_FREE = disk("free", Bytes, "Space that unprivileged users can still use");
    /// Size.
    DISK_SIZE = disk("size", Bytes, "Size of the filesystem");
    /// Read-only.
    READ_ONLY = disk("read_only", Number, "1 while read-only; judged where it was writable before or holds Docker's data").defaults("", "0");
    /// Forecast.
    FULL_IN = disk("full_in", Seconds, "Time until full if it fills as it did; judged from 80 % used on, or with a threshold of its own").defaults("4h:", "");

    /// Device busy.
    BUSY_PERCENT = diskio("busy_percent", Percent, "Time in which the device had work");
    /// Read.
    READ_BYTES = diskio("read_bytes_per_second", Number, "Bytes read (vmstat bi, in bytes)");
    /// Written.
    WRITE_BYTES = diskio("write_bytes_per_second", Number, "Bytes written (vmstat bo, in bytes)");
    /// Latency.
    AWAIT = diskio("await", Seconds, "Mean time of a request, queue included (iostat await)");

    /// Processes.
    PROCESSES = Definition::gauge("processes", "processes", Number, "Processes");
    /// Threads.
    THREADS = Definition::gauge("processes", "threads", Number, "Threads, those of the kernel included");
    /// Zombies.
    ZOMBIES = Definition::gauge("processes", "zombies", Number, "Processes that ended more than 60 s ago and whose parent did not take notice").defaults("5", "20");
    /// Uninterruptible.
    UNINTERRUPTIBLE = Definition::gauge("processes", "uninterruptible", Number, "Processes in uninterruptible sleep (state D)").defaults("5", "20");
    /// PIDs.
    PIDS_USED_PERCENT = Definition::gauge("processes", "pids_used_percent", Percent, "Threads, of what pid_max and threads-max allow").defaults("80", "90");

    /// File handles of the system.
    FILE_HANDLES_USED_PERCENT = Definition::gauge("files", "file_handles_used_percent", Percent, "Open file handles of the system, of fs.file-max").defaults("80", "90");
    /// File handles of the system.
    FILE_HANDLES = Definition::gauge("files", "file_handles", Number, "Open file handles of the system");
    /// File handles of the worst process.
    PROCESS_FILES_USED_PERCENT = Definition::gauge("files", "process_files_used_percent", Percent, "Open files of the process that is nearest to its own soft limit").defaults("80", "90");
    /// Connection tracking.
    CONNTRACK_USED_PERCENT = Definition::gauge("files", "conntrack_used_percent", Percent, "Entries of the connection tracking table, of its maximum").defaults("80", "90");

    /// Ping.
    DOCKER_PING = Definition::gauge("docker", "docker_ping", Seconds, "Time in which the engine answered a ping");
    /// Data root.
    DOCKER_ROOT_USED_PERCENT = Definition::gauge("docker", "docker_root_used_percent", Percent, "Space used on the filesystem of Docker's data").defaults("85", "95");
    /// Running containers.
    DOCKER_RUNNING = Definition::gauge("docker", "docker_containers_running", Number, "Containers that run");
    /// Paused containers.
    DOCKER_PAUSED = Definition::gauge("docker", "docker_containers_paused", Number, "Containers that are paused");
    /// Stopped containers.
    DOCKER_STOPPED = Definition::gauge("docker", "docker_containers_stopped", Number, "Containers that neither run nor are paused");
    /// Engine warnings.
    DOCKER_WARNINGS = Definition::gauge("docker", "docker_warnings", Number, "Warnings that the engine gives of its own set-up");

    /// Uptime.
    UPTIME = Definition::gauge("kernel", "uptime", Seconds, "Time since boot").defaults("10m:", "");

    /// Users of a path.
    BUSY_PROCESSES = Definition::gauge("busy", "busy_processes", Number, "Processes that use the path of --busy");
}
