#!/usr/bin/env bash
# Compares check_docker_host with the commands that it stands in for, and holds it to its bounds.
#
#   tests/bench/check_docker_host.sh
#
# Times are medians of runs that took turns; CPU is user and system time together. Needs root, for an engine of its own.
set -euo pipefail
# shellcheck source=lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
need hyperfine hyperfine jq jq lsof lsof vmstat procps curl curl dockerd docker.io iptables iptables \
    /usr/bin/time time /usr/lib/nagios/plugins/check_load monitoring-plugins-basic
need_root

check=$PWD/target/release/check_docker_host
# One sample a place, as the processes differ from scene to scene.
alone="$check --no-docker --state-dir $temporary/state"

# sound COMMAND...: stops where the check does not do what is to be measured. Leaves a sample for the next run.
sound() {
    "$@" >"$temporary/answer" || true
    if ! grep -q '^DOCKER_HOST .*cpu_percent=' "$temporary/answer"; then
        cat "$temporary/answer" >&2
        exit 1
    fi
}

scripts() {
    cat >"$temporary/plugins" <<'END'
#!/bin/sh
cd /usr/lib/nagios/plugins
./check_load --warning=90,90,90 --critical=99,99,99
./check_disk --warning=10% --critical=5% --local
./check_swap --warning=40% --critical=10% --no-swap=ok
./check_procs
END
    cat >"$temporary/guide" <<'END'
#!/bin/sh
lsof | awk '{print $1}' | sort | uniq -c | sort -r | head -10
END
    chmod +x "$temporary/plugins" "$temporary/guide"
}

# crowd PROCESSES FILES [THREADS]: so many more processes with so many files and threads each, until `disperse`.
crowd() {
    local before open
    ulimit -Sn "$(ulimit -Hn)"
    read -r before _ </proc/sys/fs/file-nr
    rm -f "$temporary/door"
    mkfifo "$temporary/door"
    : >"$temporary/crowd"
    "$PWD/target/release/crowd" "$1" "$2" "${3-1}" <"$temporary/door" >"$temporary/crowd" &
    crowd=$!
    started+=("$crowd")
    exec 7>"$temporary/door"
    # /dev/null is opened anew for all but the three standard streams.
    for _ in {1..600}; do
        read -r open _ </proc/sys/fs/file-nr
        if [[ $(cat "$temporary/crowd") == "$1" && $((open - before)) -ge $(($1 * ($2 - 3))) ]]; then
            sleep 2
            return
        fi
        sleep 0.1
    done
    say "a crowd of $1 processes did not gather; see ulimit -u and -n, and kernel.pid_max"
    exit 1
}

disperse() {
    exec 7>&-
    wait "$crowd"
    unset 'started[-1]'
    sleep 2
}

say "building"
cargo build --quiet --locked --release --package check_docker_host --package bench
scripts
information=('vmstat 1 2' 'df -h' free 'top -bn1' 'sh -c true')

bare=$(processes)
# shellcheck disable=SC2086 # a command line, as hyperfine takes it
sound $alone
measure bare 5 6 "$alone" "$temporary/plugins" "$temporary/guide"
measure information 1 11 "$alone" "${information[@]}"
# shellcheck disable=SC2086
memory=$(peak $alone)

# About the host of the guide: services run several threads, and lsof lists the files of each.
crowd 165 20 4
host=$(processes)
# shellcheck disable=SC2086
sound $alone
measure host 5 6 "$alone" "$temporary/plugins" "$temporary/guide"
disperse

crowd 5000 10
many=$(processes)
# shellcheck disable=SC2086
sound $alone
measure many 5 6 "$alone" "$PWD/target/release/fd_walk"
# shellcheck disable=SC2086
many_memory=$(peak $alone)
disperse

start_dockerd
api=$(api_version)
whole="$check --docker-host unix://$socket --state-dir $temporary/state"
# shellcheck disable=SC2086
sound $whole
measure docker 5 6 "$whole" "curl --silent --fail --unix-socket $socket --output /dev/null http://engine/_ping \
    --output /dev/null http://engine/v$api/info"
# shellcheck disable=SC2086
docker_memory=$(peak $whole)

machine
heading 'check_docker_host against' ours '(CPU)' other '(CPU)' ratio bound
plugins='check_load, check_disk, check_swap, check_procs'
compared "$plugins" bare 0 1 0.5
compared "  with $host processes, most of 4 threads" host 0 1 0.5
compared "lsof | awk | sort | uniq, $bare processes" bare 0 2 0.05
compared "  with $host processes, most of 4 threads" host 0 2 0.05
for position in "${!information[@]}"; do
    compared "${information[position]}" information 0 $((position + 1))
done
compared "a bare walk of $many /proc/*/fd" many 0 1 1.5
compared "with docker: curl of /_ping and /v$api/info" docker 0 1 1.2
printf '\n%-50s %7s\n' 'check_docker_host by itself' ''
measured 'peak memory' "$(mib "$memory")" MiB 8
measured '  with docker' "$(mib "$docker_memory")" MiB 8
measured "  with $many processes" "$(mib "$many_memory")" MiB 8
measured 'stripped program' "$(megabytes "$check")" MB 3
conclude
