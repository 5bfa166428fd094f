//! The metric table.

use common::metric::Definition;
use common::units::Unit::{self, Bytes, Number, Percent, Seconds};

const fn container(group: &'static str, name: &'static str, unit: Unit, help: &'static str) -> Definition {
    Definition::gauge(group, name, unit, help).per("container")
}

const fn services(name: &'static str, help: &'static str) -> Definition {
    Definition::gauge("project", name, Number, help).per("project")
}

common::metrics! {
    /// Services expected.
    SERVICES_EXPECTED = services("services_expected", "Services that should be up: those of the compose file or of --service, else those that have a container");
    /// Services up.
    SERVICES_UP = services("services_up", "Services with all their replicas running, or done where they are jobs");
    /// Services missing.
    SERVICES_MISSING = services("services_missing", "Services that should be up and have no container").defaults("0", "0");
    /// Orphans.
    ORPHANS = services("orphans", "Containers of the project whose service is not in the compose file");

    /// Up.
    UP = container("state", "up", Number, "1 while the container runs, or has done its work where it is a job; else 0");
    /// Uptime.
    UPTIME = container("state", "uptime", Seconds, "Time since the container was started");
    /// Restarts.
    RESTARTS = container("state", "restarts", Number, "Restarts by its restart policy in the last hour, as far as earlier runs tell").defaults("0", "3");
    /// OOM kills.
    OOM_KILLS = container("state", "oom_kills", Number, "Kills for lack of memory in the last hour, as far as earlier runs tell").defaults("0", "0");
    /// Log matches.
    LOG_MATCHES = container("state", "log_matches", Number, "Log lines since the last run that tell of a fault, with --logs").defaults("0", "");

    /// CPU.
    CPU_PERCENT = container("cpu", "cpu_percent", Percent, "CPU time used since the last run, of what its quota, its cpuset or the host allow").defaults("90", "").open_ended();
    /// Cores.
    CPU_CORES = container("cpu", "cpu_cores", Number, "Cores kept busy since the last run");
    /// Throttled.
    CPU_THROTTLED_PERCENT = container("cpu", "cpu_throttled_percent", Percent, "Periods since the last run in which the CPU quota ran out, of those in which the container wanted to run").defaults("25", "50");

    /// Memory used.
    MEMORY_USED_PERCENT = container("memory", "memory_used_percent", Percent, "Memory used, of its limit; without one of the host's memory, and then judged only by a threshold of its own").defaults("90", "95");
    /// Memory used.
    MEMORY_USED = container("memory", "memory_used", Bytes, "Memory used, without page cache");
    /// Memory limit.
    MEMORY_LIMIT = container("memory", "memory_limit", Bytes, "Memory limit, where there is one");
    /// Swap used.
    SWAP_USED = container("memory", "swap_used", Bytes, "Swap used, where it is accounted for");

    /// PIDs.
    PIDS_USED_PERCENT = container("processes", "pids_used_percent", Percent, "Processes and threads, of their limit, where there is one").defaults("80", "90");
    /// PIDs.
    PIDS = container("processes", "pids", Number, "Processes and threads");

    /// CPU pressure.
    CPU_PRESSURE_SOME = container("pressure", "cpu_pressure_some", Percent, "Time in which some thread waited for a CPU, of the last 60 s (cgroup v2)");
    /// Memory pressure.
    MEMORY_PRESSURE_FULL = container("pressure", "memory_pressure_full", Percent, "Time in which every runnable thread waited for memory, of the last 60 s (cgroup v2)");
    /// I/O pressure.
    IO_PRESSURE_FULL = container("pressure", "io_pressure_full", Percent, "Time in which every runnable thread waited for I/O, of the last 60 s (cgroup v2)");

    /// Read.
    READ_BYTES = container("io", "read_bytes_per_second", Number, "Bytes read from all block devices");
    /// Written.
    WRITE_BYTES = container("io", "write_bytes_per_second", Number, "Bytes written to all block devices");
    /// Received.
    RX_BYTES = container("io", "rx_bytes_per_second", Number, "Bytes received on all networks; none with the host's network");
    /// Sent.
    TX_BYTES = container("io", "tx_bytes_per_second", Number, "Bytes sent on all networks; none with the host's network");
    /// Receive errors.
    RX_ERRORS = container("io", "rx_errors", Number, "Errors while receiving since the last run");
    /// Send errors.
    TX_ERRORS = container("io", "tx_errors", Number, "Errors while sending since the last run");
    /// Writable layer.
    SIZE_RW = container("io", "size_rw", Bytes, "Size of its writable layer, with --size");
}
