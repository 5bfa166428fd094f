//! The prose of the man page.

use common::page::Page;

/// What `--help` and the metric table do not say.
pub const PAGE: Page = Page {
    description: &[
        "Looks at the host that the backend runs on: what the operations guide looks at with vmstat, free, df, top and lsof, and whether the Docker Engine answers. Everything is read from `/proc`, `/sys`, statvfs(2) and the engine's socket; no other program is run.",
        "Rates and shares of CPU time are averages since the last run, whose sample is kept (see FILES). Where there is none, the CPU is sampled twice within the run and the other rates say `baseline taken`.",
        "High memory use is WARNING at most while nothing waits for memory, by the kernel's pressure stall information; `--no-pressure-gate` turns that off. A host without swap is no fault.",
        "Filesystems are judged once each. Those of the kernel, of memory, of images and of containers are left out, and network and FUSE mounts are not touched without `--remote`, so that a dead server cannot hang the check. A filesystem that was writable and became read-only is CRITICAL until it is mended or the host is rebooted.",
        "A group that is not OK, and with `-v` every group, is explained: the processes that use what is scarce, each with its container; deleted files that are still open; the largest container logs; and what Docker could free. Processes are named without their arguments unless `--show-args` is given, because arguments can hold passwords.",
        "An engine that is down, hangs or answers nonsense is CRITICAL. A socket that this user may not use is UNKNOWN.",
    ],
    examples: &[
        ("check_docker_host", "Everything, with the default thresholds:"),
        (
            "check_docker_host -w /var:used_percent=80 -c /var:used_percent=90 -w '/boot*:used_percent=' -c '/boot*:used_percent='",
            "A threshold of its own for one mount, and none for others:",
        ),
        (
            "check_docker_host --only disk --mount /var --mount '/srv/*'",
            "Only some mounts, of any type; `/var` must be mounted:",
        ),
        ("check_docker_host -c full_in=1d:", "Warn a day before a disk is full, however empty it is now:"),
        ("check_docker_host --busy /mnt/backup", "Who keeps a disk from being unmounted:"),
        (
            "check_docker_host --procfs /host/proc --sysfs /host/sys --rootfs /host",
            "In a container that has the host's filesystems mounted below /host:",
        ),
    ],
    privileges: &[
        "Most of it needs none. On Linux 6.2 and later the number of open files of every process is public; before, only root sees those of other users, and how many were hidden is said at `-v`.",
        "The engine's socket belongs to root and the group docker, whose members are as good as root. A socket proxy that passes only GET of `/_ping`, `/info`, `/containers/json` and `/system/df` is enough.",
        "Deleted files that are still open, and the size of container logs, are seen only as root.",
    ],
    files: &[
        ("/proc", "Processes, CPU, memory, pressure, mounts and limits; `--procfs` names another."),
        ("/sys/block", "Tells disks from partitions; `--sysfs` names another root."),
        ("/var/run/docker.sock", "The Docker Engine, unless `-H` or `DOCKER_HOST` names another."),
    ],
    environment: &[
        ("DOCKER_HOST", "Address of the Docker Engine, as the docker client reads it; TLS and ssh are not supported."),
        ("DOCKER_TLS_VERIFY", "Refused together with a TCP address, because TLS is not supported."),
        ("XDG_RUNTIME_DIR", "Where the sockets of rootless engines are looked for."),
    ],
    see_also: &["vmstat(8)", "free(1)", "df(1)", "top(1)", "lsof(8)", "docker(1)", "proc(5)"],
    ..Page::EMPTY
};
