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

# Ends what the script has started, in whatever way it ends itself.
clean_up() {
    local pid
    for pid in "${started[@]}"; do end_process "$pid"; done
    # Of an engine: the deepest mount first.
    awk -v top="$temporary/" 'index($2, top) == 1 { print $2 }' /proc/self/mounts | sort -r |
        while IFS= read -r mount; do umount --lazy "$mount" || true; done
    rm -rf --one-file-system "$temporary"
}
trap clean_up EXIT
trap 'exit 130' INT TERM HUP

# end_process PID: asks a child to end, waits, and insists.
end_process() {
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

processes() {
    find /proc -maxdepth 1 -name '[1-9]*' | wc -l
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
