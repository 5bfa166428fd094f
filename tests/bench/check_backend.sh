#!/usr/bin/env bash
# Compares check_backend with the slowest of the plugins that it runs, each run by itself, and holds it to its bounds.
#
#   tests/bench/check_backend.sh
#
# Times are medians of runs that took turns; CPU is user and system time together. The plugins look at this machine, at
# an engine with the guide's three services, at the Kwanza and Cuesta that the tests play, and at a PostgreSQL of its
# own and a dump of that. Needs root, for the engine.
set -euo pipefail
# shellcheck source=lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
need hyperfine hyperfine jq jq curl curl dockerd docker.io docker docker.io docker-compose docker-compose \
    iptables iptables busybox busybox-static pg_dump postgresql-client setpriv util-linux /usr/bin/time time
need_root

programs=$PWD/target/release
plugins=(check_docker_host check_containers check_postgres check_kwanza_expvars check_endpoint check_backup_age)

start_postgres() {
    local bin as_postgres=(setpriv --reuid postgres --regid postgres --clear-groups)
    bin=$(printf '%s\n' /usr/lib/postgresql/*/bin | sort --version-sort | tail -n 1)
    need "$bin/postgres" postgresql
    # The server's user has to get to its data.
    chmod 755 "$temporary"
    install --directory --owner postgres "$temporary/data-of-postgres"
    "${as_postgres[@]}" "$bin/initdb" --no-sync --auth trust --pgdata "$temporary/data-of-postgres" >"$temporary/answer"
    "${as_postgres[@]}" "$bin/postgres" -D "$temporary/data-of-postgres" -p "${ports[7]}" -k "$temporary/data-of-postgres" \
        2>"$temporary/postgres" &
    started+=("$!")
}

# The arguments of each plugin, as they are written in the file.
arguments_of() {
    case $1 in
        check_docker_host) echo "--docker-host unix://$socket" ;;
        check_containers) echo "--docker-host unix://$socket --deploy-dir $temporary/deploy" ;;
        check_postgres) echo "-H 127.0.0.1 -p ${ports[7]} -U postgres -d postgres" ;;
        check_kwanza_expvars) echo "-H 127.0.0.1 -p ${ports[2]}" ;;
        check_backup_age) echo "$temporary/dump.tar" ;;
        check_endpoint) echo "kwanza=$grpc kwanza-http=http://127.0.0.1:${ports[3]} cuesta=$https --insecure" ;;
    esac
}

write_file() {
    local plugin
    for plugin in "${plugins[@]}"; do
        printf '[[check]]\nname = "%s"\nplugin = "%s"\narguments = [' "${plugin#check_}" "$plugin"
        arguments_of "$plugin" | sed 's/[^ ]*/"&"/g; s/ /, /g; s/$/]\n/'
    done >"$temporary/backend.toml"
}

packages=("${plugins[@]/#/--package=}")
cargo build --quiet --release --package check_backend --package backend "${packages[@]}"
start_servers
start_postgres
start_dockerd
export DOCKER_HOST=unix://$socket
import_image
deploy
write_file
own="$programs/check_backend --config $temporary/backend.toml --state-dir $temporary/state"
answers pg_dump -h 127.0.0.1 -p "${ports[7]}" -U postgres -F t -f "$temporary/dump.tar" postgres
answers "$programs/check_postgres" -H 127.0.0.1 -p "${ports[7]}" -U postgres -d postgres --only backends

commands=("$own")
for plugin in "${plugins[@]}"; do
    commands+=("$programs/$plugin $(arguments_of "$plugin") --state-dir $temporary/alone")
done
$own >"$temporary/answer" || true
if grep --extended-regexp '\[UNKNOWN\]|not installed' "$temporary/answer" >&2; then
    exit 1
fi
measure all 3 20 "${commands[@]}"

machine
heading "" "check_backend" "CPU" "the plugin" "CPU" "ratio" "bound"
slowest=1
for ((position = 1; position <= ${#plugins[@]}; position++)); do
    compared "${plugins[position - 1]} alone" all 0 "$position"
    if awk -v one="$(figure all "$position" wall)" -v other="$(figure all "$slowest" wall)" 'BEGIN { exit !(one > other) }'; then
        slowest=$position
    fi
done
compared "the slowest of them, ${plugins[slowest - 1]}" all 0 "$slowest" 1.3
sum=$(jq '[.[1:][].wall] | add' "$temporary/all.json")
measured "one after another" "$(printf '%.1f' "$sum")" ms
# Word by word, as hyperfine splits it.
read -ra words <<<"$own"
measured "peak memory, its own or of a plugin" "$(mib "$(peak "${words[@]}")")" MiB 12
measured "stripped program" "$(megabytes "$programs/check_backend")" MB 5
conclude
