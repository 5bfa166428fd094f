#!/usr/bin/env bash
# Compares check_kwanza_expvars with curl and with a plain parse of what curl reads, and holds it to its bounds.
#
#   tests/bench/check_kwanza_expvars.sh
#
# Times are medians of runs that took turns; CPU is user and system time together.
set -euo pipefail
# shellcheck source=lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
need hyperfine hyperfine jq jq curl curl python3 python3 /usr/bin/time time

check=$PWD/target/release/check_kwanza_expvars
fixtures=$PWD/tests/fixtures/check_kwanza_expvars

# serve FILE [CHUNK]: sets `url` to where the file is served, until the script ends.
serve() {
    mkfifo "$temporary/door.$((++doors))"
    : >"$temporary/port"
    "$PWD/target/release/body" "$@" <"$temporary/door.$doors" >"$temporary/port" &
    started+=("$!")
    # Held open for as long as the script runs: the server ends with its standard input.
    # shellcheck disable=SC2034
    exec {door}>"$temporary/door.$doors"
    for _ in {1..100}; do
        [[ ! -s $temporary/port ]] || break
        sleep 0.1
    done
    url=http://127.0.0.1:$(cat "$temporary/port")/debug/vars
}
doors=0

# sound COMMAND...: stops where the check does not do what is to be measured. Leaves a sample for the next run.
sound() {
    "$@" >"$temporary/answer" || true
    if ! grep -q '^KWANZA_EXPVARS .* Streams=12 ' "$temporary/answer"; then
        cat "$temporary/answer" >&2
        exit 1
    fi
}

# piped NAME COMMAND: a script that gives the command what curl reads at `url`.
piped() {
    printf '#!/bin/sh\ncurl --silent --fail %s | %s\n' "$url" "$2" >"$temporary/$1"
    chmod +x "$temporary/$1"
}

say "building"
cargo build --quiet --locked --release --package check_kwanza_expvars --package bench
"$fixtures/recorder/subscribers.py" 1000000 <"$fixtures/go-1.23/subscribers.json" >"$temporary/page"

# The ordinary page, against nothing but its transfer, and against a shell that has jq take one figure of it.
serve "$fixtures/go-1.23/healthy.1.json"
usual="$check --url $url --state-dir $temporary/state"
# shellcheck disable=SC2086 # a command line, as hyperfine takes it
sound $usual
piped jq 'jq .Streams'
measure usual 5 10 "$usual" "curl --silent $url" "$temporary/jq"
# shellcheck disable=SC2086
memory=$(peak $usual)

# A million subscribers, in one chunk as Go 1.23 sends them.
serve "$temporary/page"
million="$check --url $url --state-dir $temporary/state -t 60s"
# shellcheck disable=SC2086
sound $million
piped value "$PWD/target/release/parse value"
piped ignored "$PWD/target/release/parse ignored"
measure million 5 3 "$million" "$temporary/value" "$temporary/ignored" "curl --silent --output /dev/null $url"
# shellcheck disable=SC2086
million_memory=$(peak $million)
value_memory=$(peak "$PWD/target/release/parse" value <"$temporary/page")

# In chunks of 2 KiB, as Go 1.19 sends them.
serve "$temporary/page" 2048
chunks="$check --url $url --state-dir $temporary/state -t 60s"
# shellcheck disable=SC2086
sound $chunks
piped value_of_chunks "$PWD/target/release/parse value"
measure chunks 3 3 "$chunks" "$temporary/value_of_chunks"
# shellcheck disable=SC2086
chunks_memory=$(peak $chunks)

machine
heading 'check_kwanza_expvars against' ours '(CPU)' other '(CPU)' ratio bound
compared 'curl of the page' usual 0 1 1.5
compared 'curl of the page | jq .Streams' usual 0 2
compared 'a million subscribers: curl | a plain parse' million 0 1 1.2
compared '  curl | a parse into nothing' million 0 2
compared '  curl alone' million 0 3
compared '  in chunks of 2 KiB: curl | a plain parse' chunks 0 1 1.2
printf '\n%-50s %7s\n' 'check_kwanza_expvars by itself' ''
measured 'peak memory' "$(mib "$memory")" MiB 8
measured '  with a million subscribers' "$(mib "$million_memory")" MiB 40
measured '  in chunks of 2 KiB' "$(mib "$chunks_memory")" MiB 40
measured 'stripped program' "$(megabytes "$check")" MB 5
printf '\na plain parse of the million takes %s MiB\n' "$(mib "$value_memory")"

conclude
