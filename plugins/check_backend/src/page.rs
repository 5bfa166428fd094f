//! The prose of the man page.

use common::page::Page;

/// What `--help` and the metric table do not say.
pub const PAGE: Page = Page {
    description: &[
        "Runs the checks that a file lists, all at the same time, and makes one report of theirs: the operations guide's \"Health Check of a System\" as one command and as one service of a monitoring core. What they say stands below the name of each check, all of their figures are printed as `NAME:METRIC` or `NAME:INSTANCE:METRIC` with their thresholds, and the state is the worst of theirs.",
        "What follows from something else hangs below that, and the first line names the cause alone. When the container of PostgreSQL is down, the database that nobody can log in to, Kwanza's errors and its endpoints follow from it; so does a container that ended for lack of memory or space from the memory or the disk of the host, Cuesta from Kwanza, and everything that needs the Docker Engine from that. A check may name what else explains it (`parent`). What was there more than a minute before its cause does not follow from it, and neither does a certificate that ends. What follows counts for the state, but not as a problem of its own.",
        "Where it is known when things began, a line below the cause tells them in their order. Containers tell when they ended; of all else the check remembers when it saw it first.",
        "The file is TOML: `[[check]]` begins a check, `name` and `plugin` must be there, `arguments` (a list of words), `timeout` and `parent` (`CHECK` or `CHECK:ITEM`) may be. A plugin is looked for beside check_backend, then in the folders of plugins, or is an absolute path. Keys that are not known are faults. `--init` writes a file with a comment on every line: it asks the Docker Engine for the project of docker-compose, its services and their ports, tries which arguments go well, and looks for dumps near the deployment. What it does not find is left as an example.",
        "A plugin that is missing, cannot be run, is killed, prints no report, or prints one that its exit code contradicts makes its check UNKNOWN, and so does one that does not answer in time (`--timeout-state`). One that writes to stderr beside its report has an UNKNOWN item for that. The other checks are not affected. A plugin ends with the run, and with it all that it started.",
        "On a terminal a line tells what a slow run waits for. `--watch` shows the checks again and again until ctrl-C, which gives the terminal back, leaves the last report on it, and exits with the exit code of that.",
        "Thresholds of the plugins belong to their arguments in the file. `-w` and `-c` are for the figures of check_backend itself.",
    ],
    further_metrics: Some(
        "Beside these, every figure of the plugins is printed with the name of its check before it; their own man pages explain them.",
    ),
    examples: &[
        ("check_backend --init", "Look at what runs here and write the file:"),
        ("check_backend", "The health check:"),
        ("check_backend --watch 5s", "The same, every five seconds, until ctrl-C:"),
        ("check_backend --only database --only kwanza* -v", "Some of the checks, with all that they looked at:"),
        ("check_backend --init - --project deploy", "What would be written, for one of several projects:"),
        ("check_backend -t 30s --perfdata '*:check_*' --perfdata 'host:*'", "As a service, with some of the figures:"),
    ],
    privileges: &[
        "Those that the plugins need, as they run as the same user: see their pages. `--init` asks the Docker Engine.",
        "Whoever may write to the file can run programs as the user of the check. So it must belong to root or to that user, and neither it nor a directory that leads to it may be written to by group or others (but for directories like /tmp, where only one's own files can be replaced). Else the check is UNKNOWN and says what to change.",
    ],
    files: &[
        ("/etc/monitoring-plugins-sirenia/backend.toml", "The checks; `--config` names another file."),
        ("/etc/localtime", "The time zone in which it is told when things began."),
    ],
    environment: &[
        ("DOCKER_HOST", "The engine that `--init` asks, without `--docker-host`. The plugins inherit the environment."),
        ("TERM", "Without it, or with `dumb`, no progress is shown and `--watch` is refused."),
        ("TZ", "The time zone, in place of /etc/localtime."),
    ],
    see_also: &["docker-compose(1)"],
};
