//! The prose of the man page.

use common::page::Page;

/// What `--help` and the metric table do not say.
pub const PAGE: Page = Page {
    description: &[
        "Looks at the containers of the backend: what the operations guide looks at with docker-compose ps, docker stats and docker-compose logs. It asks the Docker Engine (or Podman) for states, and reads what running containers use from their cgroups where the engine is this machine's, else from the Engine API; no other program is run.",
        "What must be there is said by `--deploy-dir` or `--compose-file` (every service of the file, in its number of replicas; profiles, overrides, included and extended files, .env and its variables are heeded), by `--service`, or by `--project` (every service that has a container). Containers are found by the labels of docker-compose, never by their names. Without any of these every container is judged.",
        "Where one project is watched, a container is called by its service in the output and in thresholds: `postgres`, and `postgres_2` for the second replica. Else it is called by its own name.",
        "A service without a container is CRITICAL, and so is a container that exited, is dead, is being removed, could not be started, or is unhealthy. One that is paused, created or restarting is WARNING until `--grace` is over. A state that is not known here is UNKNOWN. Exit code 0 is OK only for what `--allow-exited` names.",
        "Not judged are containers of docker-compose run, those that another one is replacing, what is left of an older configuration of a service that runs in a newer one, and orphans, whose service the compose file does not have; `-v` lists them.",
        "A container that is not as it should be is explained: its exit code in words, whether it was killed for lack of memory (by exit code, the engine's account and the kernel's together), the engine's error, and what the last lines of its log tell: a full disk, too little memory, too many open files, a damaged filesystem or database, a port in use, a wrong owner or version of the data directory, a database that cannot be reached, a certificate. `--hint-file` teaches it further ones. Then come the steps of the guide. Passwords in log lines are hidden.",
        "CPU, throttling and rates are averages since the last run of the same life of a container, whose sample is kept (see FILES); where there is none, two readings are taken within the run. `cpu_percent` is of what the container may use, by its quota, its cpuset or the host. `memory_used` leaves out page cache, all of it, which docker stats does only in part. Without a memory limit its share of the host's memory is shown and judged only by a threshold of its own. Restarts and kills for lack of memory count for an hour, because a core that asks three times before it alerts would miss what holds for one run.",
    ],
    examples: &[
        (
            "check_containers --deploy-dir /root/deploy",
            "The services of the compose file in that directory, as the guide keeps it:",
        ),
        (
            "check_containers --project deploy --service postgres --service kwanza",
            "Two services of a project, whatever the file says:",
        ),
        (
            "check_containers --deploy-dir /root/deploy --allow-exited migrate -w kwanza:memory_used_percent=70 -c kwanza:memory_used_percent=85",
            "A service that is a job, and a threshold of its own for another:",
        ),
        ("check_containers --container 'deploy_*' --exclude '*_test_*'", "Containers by their names:"),
        (
            "check_containers --deploy-dir /root/deploy --logs",
            "Alert on faults in what is logged between two runs, too:",
        ),
        (
            "check_containers -H tcp://docker.example:2376 --tls-ca ca.pem --tls-cert cert.pem --tls-key key.pem --project deploy",
            "An engine elsewhere; figures come from its API then:",
        ),
    ],
    privileges: &[
        "The engine's socket belongs to root and the group docker, whose members are as good as root. A socket proxy that passes only GET of `/_ping`, `/containers/json`, `/containers/ID/json` and, for explanations, `/containers/ID/logs` is enough; `/containers/ID/stats` where the engine is not this machine's, and `/images/NAME/json` with `--image-drift`.",
        "The cgroups of containers may be read by everybody. The compose file must be readable, which for the guide's /root/deploy means a copy, a group, or `--project` with `--service`.",
    ],
    files: &[
        (
            "/var/run/docker.sock",
            "The engine, unless `-H` or `DOCKER_HOST` names another; sockets of rootless engines and of Podman are looked for too.",
        ),
        (
            "docker-compose.yml, compose.yaml",
            "What must be there, in `--deploy-dir`, with their override files and `.env`.",
        ),
        (
            "/proc/PID/cgroup, /proc/PID/net/dev",
            "Where the container's cgroup is, and what its interfaces did; `--procfs` names another /proc.",
        ),
        ("/sys/fs/cgroup", "What containers use; `--sysfs` names another /sys."),
    ],
    environment: &[
        ("DOCKER_HOST", "Address of the engine, as the docker client reads it; ssh is not supported."),
        ("DOCKER_TLS_VERIFY, DOCKER_TLS", "If not empty, TLS with or without verification."),
        ("DOCKER_CERT_PATH", "Where ca.pem, cert.pem and key.pem are then; ~/.docker if unset."),
        ("XDG_RUNTIME_DIR", "Where the sockets of rootless engines are looked for."),
        (
            "COMPOSE_FILE, COMPOSE_PROJECT_NAME, COMPOSE_PROFILES",
            "As docker-compose reads them, with `--deploy-dir`; also from its .env.",
        ),
    ],
    see_also: &["docker(1)", "docker-compose(1)", "cgroups(7)"],
    ..Page::EMPTY
};
