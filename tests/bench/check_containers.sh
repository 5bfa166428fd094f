#!/usr/bin/env bash
# Compares check_containers with the commands that it stands in for, and holds it to its bounds.
#
#   tests/bench/check_containers.sh
#
# Times are medians of runs that took turns; CPU is user and system time together. Needs root, for an engine of its own.
set -euo pipefail
# shellcheck source=lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
need hyperfine hyperfine jq jq curl curl dockerd docker.io docker docker.io docker-compose docker-compose \
    iptables iptables busybox busybox-static python3 python3 pip3 python3-pip /usr/bin/time time
need_root

program=$PWD/target/release/check_containers
check="$program --state-dir $temporary/state"
api="$program --stats api --state-dir $temporary/api"
# A run that finds no sample has to take two.
first_check="$program --state-dir /dev/null"
first_api="$program --stats api --state-dir /dev/null"
many=100

# The plugin that many sites have now, from PyPI.
install_check_docker() {
    export PYTHONPATH=$temporary/python
    pip3 install --quiet --root-user-action=ignore --disable-pip-version-check --no-deps \
        --target "$PYTHONPATH" check_docker >&2
    check_docker="$PYTHONPATH/bin/check_docker --connection $socket --memory 90:95:%"
}

# run_each OPTION...: a container for each of the numbers on standard input. Starting one is work for the engine, so
# more at once would only queue up.
run_each() {
    xargs --max-procs 4 --replace=NUMBER docker run --detach --network none --name bench_NUMBER "$@" \
        "$image" /bin/busybox sleep 100000 >"$temporary/answer"
}

# As many containers as `many`, half of them with limits.
multiply() {
    local begin=$SECONDS
    say "starting containers until there are $many"
    seq 4 2 "$many" | run_each --memory 64m --pids-limit 50 --cpus 0.5
    seq 5 2 "$many" | run_each
    starting=$((SECONDS - begin))
}

# sound CONTAINERS COMMAND...: stops where the check does not do what is to be measured. Leaves a sample.
sound() {
    local first="CONTAINERS OK - $1 of $1 containers up" metric
    shift
    "$@" >"$temporary/answer" || true
    for metric in memory_limit pids_used_percent cpu_percent; do
        if ! grep -q "^$first.*:$metric=" "$temporary/answer"; then
            say "not $first, or no $metric:"
            cat "$temporary/answer" >&2
            exit 1
        fi
    done
}

# requests FILE PATH...: the command that makes these requests, over one connection, or all at once with --parallel.
requests() {
    local file=$temporary/$1 path
    shift
    printf 'silent\nfail\nparallel-max = 300\nparallel-immediate\nunix-socket = "%s"\n' "$socket" >"$file"
    for path; do
        printf 'url = "http://engine%s"\noutput = "/dev/null"\n' "$path"
    done >>"$file"
    echo "curl --config $file"
}

# each_container SUFFIX: the paths of all of them.
each_container() {
    docker ps --quiet --no-trunc | sed "s|.*|/v$version/containers/&/$1|"
}

# floors NAME: the requests that no check can do without, and those without which it cannot know the CPU.
floors() {
    local inspects stats one_shot
    mapfile -t inspects < <(each_container json)
    mapfile -t stats < <(each_container 'stats?stream=false')
    mapfile -t one_shot < <(each_container 'stats?stream=false\&one-shot=true')
    floor=$(requests "$1" /_ping "/v$version/containers/json?all=1" "${inspects[@]}")
    floor_api="$(requests "$1-stats" "${stats[@]}") --parallel"
    floor_one_shot="$(requests "$1-one-shot" "${one_shot[@]}") --parallel"
}

# samples CONTAINERS: leaves them for what is measured next.
samples() {
    # shellcheck disable=SC2086 # command lines, as hyperfine takes them
    {
        sound "$1" $check
        sound "$1" $api
    }
}

say "building"
cargo build --quiet --locked --release --package check_containers
start_dockerd
export DOCKER_HOST=unix://$socket
install_check_docker
import_image
deploy
version=$(api_version)

samples 3
floors few
measure few 5 6 "$check" "$floor" "$first_check" "$check --deploy-dir $temporary/deploy"
measure few-others 3 3 "$check" "$check_docker" "docker stats --no-stream" "$compose ps" "docker ps"
measure few-api 2 2 "$api" "$first_api"
# shellcheck disable=SC2086
memory=$(peak $check)

multiply
samples "$many"
floors many
measure many 5 6 "$check" "$floor" "$first_check"
measure many-others 1 2 "$check" "$check_docker" "docker stats --no-stream"
measure many-api 2 3 "$api" "$first_api" "$floor_one_shot" "$floor_api"
# shellcheck disable=SC2086
many_memory=$(peak $check)
# shellcheck disable=SC2086
api_memory=$(peak $api)

machine
engine=$(docker version --format '{{.Server.Version}}')
printf 'engine     %s; %s containers more started in %s s\n' "$engine" $((many - 3)) "$starting"
heading 'check_containers against' ours '(CPU)' other '(CPU)' ratio bound
compared 'check_docker --memory, 3 containers' few-others 0 1
compared 'docker stats --no-stream' few-others 0 2
compared 'docker-compose ps' few-others 0 3
compared 'docker ps' few-others 0 4
compared 'curl of /_ping, the list and 3 inspects' few 0 1
compared "check_docker --memory, $many containers" many-others 0 1
compared 'docker stats --no-stream' many-others 0 2
compared "curl of /_ping, the list and $many inspects" many 0 1
compared "--stats api: curl of all $many, one-shot" many-api 0 2 1.1
compared '  first run: curl of all, two readings' many-api 1 3 1.1
printf '\n%-50s\n' 'check_containers by itself'
milliseconds() {
    printf '%.1f' "$(figure "$1" "$2" wall)"
}
measured '3 containers' "$(milliseconds few 0)" ms 25
measured '  with --deploy-dir' "$(milliseconds few 3)" ms 25
measured '  without a sample of an earlier run' "$(milliseconds few 2)" ms
measured "$many containers" "$(milliseconds many 0)" ms 200
measured '  without a sample of an earlier run' "$(milliseconds many 2)" ms
measured '3 containers, --stats api' "$(milliseconds few-api 0)" ms 2200
measured '  without a sample of an earlier run' "$(milliseconds few-api 1)" ms 2200
measured "$many containers, --stats api" "$(milliseconds many-api 0)" ms 2200
measured '  without a sample of an earlier run' "$(milliseconds many-api 1)" ms 2200
# 15 MB.
measured 'peak memory, 3 containers' "$(mib "$memory")" MiB 14.3
measured "  $many containers" "$(mib "$many_memory")" MiB 14.3
measured "  $many containers, --stats api" "$(mib "$api_memory")" MiB 14.3
measured 'stripped program' "$(megabytes "$program")" MB
conclude
