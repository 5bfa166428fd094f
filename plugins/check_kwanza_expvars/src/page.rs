//! The prose of the man page.

use common::page::Page;

/// What `--help` and the metric table do not say.
pub const PAGE: Page = Page {
    description: &[
        "Reads the expvars of Kwanza, the JSON page that Go serves at `/debug/vars`, and judges the 23 variables that the operations guide lists, with what can be derived of them and of the last run: growth and rates of counters, panics, shares of failed logins and of notifications that timed out, a pinger that stands still, deliveries that are stuck, streams that collapse. No documentation of Kwanza but the guide is public; types are what Go's expvar package gives to such variables.",
        "Kwanza says at its start that its expvars are on port 8080, which the guide does not publish. `--container` looks up where the container can be reached, published or not. Go serves the page on every listener that uses its default handlers, so `-p 6060`, which the guide publishes for profiling, often has it too. The check never tries another port by itself.",
        "A counter that fell, or a program that allocated less in all than before, was restarted: a new baseline is taken and said, and `--restart-state` can alert on it. Panics count for an hour, because a core that asks three times before it alerts would miss what holds for one run.",
        "Go can send a page that is not JSON: NaN, a function that fails, keys with control characters, a method that panics. What can be read is judged all the same; the variable that spoils the page is named, WARNING, and CRITICAL if it panicked. A page that lacks a variable of the guide is WARNING (`--missing`).",
        "Down, refused, no answer in time, another page than that of expvars: CRITICAL, with what was answered instead.",
        "The command line, which Go publishes too and which can hold passwords, is never kept, printed or judged.",
    ],
    examples: &[
        ("check_kwanza_expvars --container deploy_kwanza_1", "The guide's container, whose port is not published:"),
        (
            "check_kwanza_expvars -H 127.0.0.1 -p 6060 --memstats",
            "The published port, and the memory of the program too:",
        ),
        (
            "check_kwanza_expvars -H kwanza -w Streams=10: -c Streams=1: -c AuthenticationFailures_per_second=5",
            "Thresholds of one's own:",
        ),
        (
            "check_kwanza_expvars -H kwanza --var 'Cache/*' -w 'Cache/misses:value=1000'",
            "A variable that the guide does not list:",
        ),
        (
            "check_kwanza_expvars --url https://kwanza:8443/debug/vars --ca-file ca.pem --token-file token",
            "With TLS and a login:",
        ),
    ],
    privileges: &[
        "None to read the page. `--container` asks the Docker Engine, whose socket belongs to root and the group docker; a socket proxy that passes only GET of `/_ping` and `/containers/NAME/json` is enough. Files with logins and keys must be readable for the monitoring user and should be for nobody else.",
    ],
    files: &[(
        "/var/run/docker.sock",
        "The engine, with `--container`, unless `--docker-host` or `DOCKER_HOST` names another.",
    )],
    environment: &[("DOCKER_HOST", "Address of the engine, with `--container`.")],
    see_also: &["https://pkg.go.dev/expvar"],
    ..Page::EMPTY
};
