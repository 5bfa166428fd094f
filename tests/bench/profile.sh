#!/usr/bin/env bash
# Builds check_docker_host with variants of the release profile and prints what each costs: the size of the program,
# the time and CPU time of a run that finds the sample of the last run, and the instructions of such a run.
#
#   tests/bench/profile.sh
set -euo pipefail
# shellcheck source=lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
need hyperfine hyperfine jq jq valgrind valgrind

# opt-level, lto, codegen-units, panic: what Cargo.toml has, one change at a time, combinations, cargo's own default.
variants() {
    cat <<'END'
3 fat 1 abort
2 fat 1 abort
s fat 1 abort
z fat 1 abort
3 thin 1 abort
3 off 1 abort
3 fat 16 abort
3 fat 1 unwind
2 thin 1 abort
s thin 1 abort
s off 16 unwind
3 false 16 unwind
END
}

# One target directory, as the macros that run while compiling are the same in all variants.
build() {
    say "building: opt-level $1, lto $2, codegen-units $3, panic $4"
    CARGO_PROFILE_RELEASE_OPT_LEVEL=$1 CARGO_PROFILE_RELEASE_LTO=$2 CARGO_PROFILE_RELEASE_CODEGEN_UNITS=$3 \
        CARGO_PROFILE_RELEASE_PANIC=$4 CARGO_TARGET_DIR=$temporary/target \
        cargo build --quiet --locked --release --package check_docker_host
    cp "$temporary/target/release/check_docker_host" "$temporary/$1-$2-$3-$4"
}

# The least of five: on a busy machine the check has more to tell.
instructions() {
    for _ in {1..5}; do
        sleep 0.3
        valgrind --tool=callgrind --callgrind-out-file=/dev/null "$@" 2>&1 >"$temporary/answer" |
            sed -n 's/.*Collected : //p'
    done | sort -n | sed -n 1p
}

commands=()
while read -r variant; do
    # shellcheck disable=SC2086 # four words
    build $variant
    program=$temporary/${variant// /-}
    "$program" --no-docker --state-dir "$temporary/state" >"$temporary/answer" || true
    grep -q '^DOCKER_HOST .*cpu_percent=' "$temporary/answer" || { cat "$temporary/answer" >&2 && exit 1; }
    commands+=("$program --no-docker --state-dir $temporary/state")
done < <(variants)
rm -rf "$temporary/target"

measure variants 5 8 "${commands[@]}"
machine
printf '\n%-9s  %-5s  %13s  %-6s  %7s  %7s  %7s  %12s\n' opt-level lto codegen-units panic size time CPU instructions
position=0
while read -r level lto units panic; do
    program=$temporary/$level-$lto-$units-$panic
    printf '%-9s  %-5s  %13s  %-6s  %4d kB  %4.2f ms  %4.2f ms  %10.2f M\n' "$level" "$lto" "$units" "$panic" \
        $(($(stat --format=%s "$program") / 1000)) "$(figure variants "$position" wall)" "$(figure variants "$position" cpu)" \
        "$(instructions "$program" --no-docker --state-dir "$temporary/state" | awk '{ print $1 / 1e6 }')"
    position=$((position + 1))
done < <(variants)
