#!/usr/bin/env bash
# What the benchmarks share. Sourced by them, from any directory; leaves the caller at the root of the checkout.

cd "$(dirname "${BASH_SOURCE[0]}")/../.." || exit
exec </dev/null
# An ordinary user's PATH may lack the directories of administration.
PATH=$PATH:/usr/sbin:/sbin
export LC_ALL=C CARGO_TERM_COLOR=never
unset CARGO_TARGET_DIR DOCKER_HOST DOCKER_TLS_VERIFY

temporary=$(mktemp --directory --tmpdir sirenia-bench.XXXXXX)
started=()
# Of the engine that `start_dockerd` has started.
socket=
# Bounds that do not hold.
failed=0
# Of containers that do nothing.
image=sirenia-bench-busybox

# Ends what the script has started, in whatever way it ends itself.
clean_up() {
    local pid
    # An engine that ends waits for its containers, and one that is killed leaves them running.
    [[ -z $socket ]] || remove_containers || true
    for pid in "${started[@]}"; do end_process "$pid"; done
    # dockerd takes its containerd along, unless it had to be killed.
    [[ -z $socket ]] || end_process "$(cat "$temporary/exec/containerd/containerd.pid" 2>/dev/null || true)"
    # Of an engine: the deepest mount first.
    awk -v top="$temporary/" 'index($2, top) == 1 { print $2 }' /proc/self/mounts | sort -r |
        while IFS= read -r mount; do umount --lazy "$mount" || true; done
    rm -rf --one-file-system "$temporary"
}
trap clean_up EXIT
trap 'exit 130' INT TERM HUP

# end_process PID: asks a child to end, waits, and insists.
end_process() {
    [[ -n $1 ]] || return 0
    kill "$1" 2>/dev/null || return 0
    for _ in {1..150}; do
        kill -0 "$1" 2>/dev/null || return 0
        sleep 0.1
    done
    kill -KILL "$1" 2>/dev/null || true
}

say() {
    echo "$*" >&2
}

# need PROGRAM PACKAGE...: ends with the command that installs what is missing.
need() {
    local packages=()
    while [[ $# -gt 0 ]]; do
        command -v "$1" >/dev/null || packages+=("$2")
        shift 2
    done
    if [[ ${#packages[@]} -gt 0 ]]; then
        say "missing; as root: apt-get install --no-install-recommends ${packages[*]}"
        exit 1
    fi
}

need_root() {
    if [[ $EUID -ne 0 ]]; then
        say "needs root"
        exit 1
    fi
}

# An engine that shares nothing with any other and listens at `socket`.
start_dockerd() {
    socket=$temporary/docker.sock
    dockerd --host "unix://$socket" --data-root "$temporary/data" --exec-root "$temporary/exec" \
        --pidfile "$temporary/dockerd.pid" --bridge=none --iptables=false >"$temporary/dockerd.log" 2>&1 &
    started+=("$!")
    for _ in {1..300}; do
        if curl --silent --fail --unix-socket "$socket" --output /dev/null http://engine/_ping; then
            return
        fi
        sleep 0.1
    done
    tail "$temporary/dockerd.log" >&2
    exit 1
}

# The newest API version of the engine.
api_version() {
    curl --silent --fail --unix-socket "$socket" --output /dev/null --dump-header - http://engine/_ping |
        sed -n 's/\r$//; s/^Api-Version: //Ip'
}

# Without the docker client, which not every benchmark needs.
remove_containers() {
    curl --silent --unix-socket "$socket" 'http://engine/containers/json?all=1' | jq --raw-output '.[].Id' |
        xargs --no-run-if-empty --max-procs 4 -I ID curl --silent --unix-socket "$socket" --output /dev/null \
            --request DELETE 'http://engine/containers/ID?force=1'
}

# Ports that are free now, in `ports`.
find_ports() {
    local port
    ports=()
    for ((port = 23000; ${#ports[@]} < 8; port++)); do
        (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null || ports+=("$port")
    done
}

# answers COMMAND...: waits until the command succeeds.
answers() {
    for _ in {1..100}; do
        "$@" >/dev/null 2>&1 && return
        sleep 0.1
    done
    say "a server did not start: $*"
    exit 1
}

# Kwanza and Cuesta as the tests play them, at `ports`; sets `http`, `https` and `grpc` to their URLs.
start_servers() {
    local server=$PWD/target/release/stand-in
    find_ports
    # Kwanza wants to hear once from its database, that it asks for a password.
    printf '#!/bin/sh\nhead -c 39 >/dev/null\nprintf "R\\0\\0\\0\\010\\0\\0\\0\\0"\n' >"$temporary/database"
    chmod +x "$temporary/database"
    busybox nc -l -p "${ports[0]}" -e "$temporary/database" &
    started+=("$!")
    sleep 0.3
    env KWANZA_POSTGRES="127.0.0.1:${ports[0]}" KWANZA_PROFILING_PORT="${ports[1]}" KWANZA_EXPVARS_PORT="${ports[2]}" \
        KWANZA_HTTP_PORT="${ports[3]}" KWANZA_GRPC_PORT="${ports[4]}" "$server" kwanza serve 2>"$temporary/kwanza" &
    started+=("$!")
    env CUESTA_HTTP_PORT="${ports[5]}" CUESTA_HTTPS_PORT="${ports[6]}" "$server" cuesta 2>"$temporary/cuesta" &
    started+=("$!")
    http=http://127.0.0.1:${ports[2]}/debug/vars
    https=https://127.0.0.1:${ports[6]}/
    # shellcheck disable=SC2034
    grpc=grpc://127.0.0.1:${ports[4]}
    answers curl --silent --fail "$http"
    answers curl --silent --fail --insecure "$https"
}

# An image of the engine, `image`, that holds busybox.
import_image() {
    mkdir -p "$temporary/tree/bin"
    cp "$(command -v busybox)" "$temporary/tree/bin/busybox"
    tar -C "$temporary/tree" -c . | docker import - "$image" >"$temporary/answer"
}

# service NAME SCRIPT: with a limit on all that can be limited.
service() {
    cat <<END
  $1:
    image: $image
    command: [/bin/busybox, sh, -c, '$2']
    network_mode: none
    mem_limit: 64m
    pids_limit: 50
    cpus: 0.5
END
}

# The guide's three services. One wants the CPU now and then, else there is nothing to throttle.
deploy() {
    compose="docker-compose --file $temporary/deploy/docker-compose.yml"
    mkdir "$temporary/deploy"
    {
        printf 'version: "2.4"\nservices:\n'
        service postgres 'exec /bin/busybox sleep 100000'
        service kwanza 'while /bin/busybox sleep 0.1; do :; done'
        service cuesta 'exec /bin/busybox sleep 100000'
    } >"$temporary/deploy/docker-compose.yml"
    $compose up -d 2>"$temporary/answer" || {
        cat "$temporary/answer" >&2
        exit 1
    }
}

processes() {
    # Not `find`, which fails where one of them ends meanwhile.
    local all=(/proc/[1-9]*)
    echo "${#all[@]}"
}

# The facts that the figures depend on.
machine() {
    printf 'CPU        %s, %s online\n' "$(sed -n 's/^model name[^:]*: //p' /proc/cpuinfo | head -n 1)" "$(nproc)"
    printf 'kernel     %s\n' "$(uname -sr)"
    printf 'compiler   %s\n' "$(rustc --version)"
    printf 'processes  %s, load %s\n' "$(processes)" "$(cut -d' ' -f1-3 /proc/loadavg)"
}

# measure NAME ROUNDS RUNS COMMAND...: runs the commands in turns, so that a busy moment hits all of them alike.
measure() {
    local name=$1 rounds=$2 runs=$3 round
    shift 3
    for ((round = 1; round <= rounds; round++)); do
        say "measuring: $name, round $round of $rounds"
        # Two runs closer than 0.2 s would make the check sample the CPU twice. A check that is not OK is no failure.
        hyperfine --shell=none --ignore-failure --style=none --warmup 1 --runs "$runs" --prepare 'sleep 0.3' \
            --export-json "$temporary/$name.$round.json" "$@" >"$temporary/hyperfine.log" 2>&1 || {
            cat "$temporary/hyperfine.log" >&2
            exit 1
        }
    done
    jq --slurp '
        def median: sort | if length % 2 == 1 then .[length / 2 | floor]
            else (.[length / 2 - 1] + .[length / 2]) / 2 end;
        [.[].results] | transpose | map({
            wall: ([.[].times[]] | median * 1000),
            cpu: ([.[] | .user + .system] | median * 1000)
        })' "$temporary/$name".*.json >"$temporary/$name.json"
}

# figure NAME POSITION wall|cpu: milliseconds of one command of a measurement, counted from 0.
figure() {
    jq ".[$2].$3" "$temporary/$1.json"
}

# The most memory that any of ten runs took, in kB.
peak() {
    local _
    for _ in {1..10}; do
        sleep 0.3
        /usr/bin/time --quiet --format %M --output "$temporary/memory" "$@" >"$temporary/answer" || true
        cat "$temporary/memory"
    done | sort -n | tail -n 1
}

# mib KB
mib() {
    awk -v kb="$1" 'BEGIN { printf "%.2f", kb / 1024 }'
}

# megabytes FILE: its size.
megabytes() {
    stat --format=%s "$1" | awk '{ printf "%.2f", $1 / 1e6 }'
}

# judge VALUE BOUND: sets `verdict`.
judge() {
    verdict=pass
    if awk -v value="$1" -v bound="$2" 'BEGIN { exit !(value > bound) }'; then
        verdict=FAIL
        failed=$((failed + 1))
    fi
}

# heading TITLE COLUMN...: six columns for `compared`.
heading() {
    printf '\n%-50s %10s %9s %12s %11s %7s %6s\n' "$@"
}

# compared LABEL NAME OURS OTHER [BOUND]: a row on two commands of a measurement.
compared() {
    local ours other ratio verdict=
    ours=$(figure "$2" "$3" wall)
    other=$(figure "$2" "$4" wall)
    ratio=$(awk -v ours="$ours" -v other="$other" 'BEGIN { printf "%.4f", ours / other }')
    [[ -z ${5-} ]] || judge "$ratio" "$5"
    printf '%-50s %7.2f ms %6.2f ms %9.2f ms %8.2f ms %7.3f %6s  %s\n' "$1" "$ours" "$(figure "$2" "$3" cpu)" \
        "$other" "$(figure "$2" "$4" cpu)" "$ratio" "${5-}" "$verdict"
}

# measured LABEL VALUE UNIT [BOUND]: a row on one figure.
measured() {
    local verdict=
    [[ -z ${4-} ]] || judge "$2" "$4"
    printf '%-50s %7s %-50s %6s  %s\n' "$1" "$2" "$3" "${4-}" "$verdict"
}

# Ends the script, as a failure where a bound does not hold.
conclude() {
    if [[ $failed -gt 0 ]]; then
        printf '\n%s bounds do not hold\n' "$failed"
        exit 1
    fi
}
