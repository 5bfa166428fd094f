#!/usr/bin/env bash
# Compares check_endpoint with curl, check_http and, where it is in the PATH, grpc_health_probe, and holds it to its
# bounds.
#
#   tests/bench/check_endpoint.sh
#
# Times are medians of runs that took turns; CPU is user and system time together. The servers are the backend that
# the tests play, on loopback.
set -euo pipefail
# shellcheck source=lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
need hyperfine hyperfine jq jq curl curl busybox busybox-static /usr/bin/time time \
    /usr/lib/nagios/plugins/check_http monitoring-plugins-standard

check=$PWD/target/release/check_endpoint
own=("$check" --state-dir "$temporary/state")
failed=0

# sound COMMAND...: stops where the check does not do what is to be measured.
sound() {
    "$@" >"$temporary/answer" || {
        cat "$temporary/answer" >&2
        exit 1
    }
}

# peak COMMAND...: the peak memory in KiB.
peak() {
    /usr/bin/time --format %M --output "$temporary/peak" "$@" >/dev/null
    cat "$temporary/peak"
}

# row WHAT OURS AGAINST THEIRS [BOUND]: a line of the table; a ratio over the bound is a failure.
row() {
    local ratio verdict=''
    ratio=$(awk -v ours="$2" -v theirs="$4" 'BEGIN { printf "%.2f", ours / theirs }')
    if [[ -n ${5-} ]]; then
        verdict="at most $5"
        if awk -v ratio="$ratio" -v bound="$5" 'BEGIN { exit !(ratio > bound) }'; then
            verdict="$verdict FAILED"
            failed=$((failed + 1))
        fi
    fi
    printf '%-24s %7.1f ms   %-28s %7.1f ms   %5s   %s\n' "$1" "$2" "$3" "$4" "$ratio" "$verdict"
}

# bound WHAT VALUE UNIT LIMIT
bound() {
    local verdict="at most $4"
    if awk -v value="$2" -v limit="$4" 'BEGIN { exit !(value > limit) }'; then
        verdict="$verdict FAILED"
        failed=$((failed + 1))
    fi
    printf '%-24s %7s %-4s %s\n' "$1" "$2" "$3" "$verdict"
}

cargo build --quiet --release -p check_endpoint -p backend
start_servers
answers "${own[@]}" "$grpc"
sound "${own[@]}" "$http"
sound "${own[@]}" "$https" --insecure
sound "${own[@]}" "$grpc"
all=("$http" "http://127.0.0.1:${ports[3]}" "http://127.0.0.1:${ports[5]}/" "$https" "$grpc")
sound "${own[@]}" "${all[@]}" --insecure

plugins=/usr/lib/nagios/plugins
measure http 3 20 "${own[*]} $http" "curl --silent --output /dev/null $http" "$plugins/check_http -H 127.0.0.1 -p ${ports[2]} -u /debug/vars"
measure https 3 20 "${own[*]} $https --insecure" "curl --silent --insecure --output /dev/null $https" \
    "$plugins/check_http -S -H 127.0.0.1 -p ${ports[6]} -u /"
probe=$(command -v grpc_health_probe grpc-health-probe | head -n 1 || true)
measure grpc 3 20 "${own[*]} $grpc" ${probe:+"$probe -addr=127.0.0.1:${ports[4]}"}
measure trust 3 20 "${own[*]} $https --insecure --ca-file /etc/ssl/certs/ca-certificates.crt" "${own[*]} tls://127.0.0.1:${ports[6]} --exit-zero"
printf '#!/bin/sh\nset -e\n' >"$temporary/each"
for url in "${all[@]}"; do printf '%s %s --insecure\n' "${own[*]}" "$url" >>"$temporary/each"; done
chmod +x "$temporary/each"
measure several 3 20 "${own[*]} ${all[*]} --insecure" "$temporary/each"

machine
printf '\n'
row http "$(figure http 0 wall)" 'curl --silent' "$(figure http 1 wall)" 1.5
row http "$(figure http 0 wall)" 'check_http' "$(figure http 2 wall)" 1.5
row https "$(figure https 0 wall)" 'curl --silent --insecure' "$(figure https 1 wall)" 1.5
row https "$(figure https 0 wall)" 'check_http -S' "$(figure https 2 wall)" 1.5
row 'tls, the system trusted' "$(figure trust 1 wall)" 'nobody trusted' "$(figure trust 0 wall)"
if [[ -n $probe ]]; then
    row grpc "$(figure grpc 0 wall)" "${probe##*/}" "$(figure grpc 1 wall)" 1.5
else
    printf '%-24s %7.1f ms   (grpc_health_probe is not in the PATH)\n' grpc "$(figure grpc 0 wall)"
fi
row 'five endpoints' "$(figure several 0 wall)" 'one after another' "$(figure several 1 wall)" 1
printf '\n'
bound 'peak memory, http' "$(awk -v kb="$(peak "${own[@]}" "$http")" 'BEGIN { printf "%.1f", kb / 1024 }')" MiB 12
bound 'peak memory, https' "$(awk -v kb="$(peak "${own[@]}" "$https" --insecure)" 'BEGIN { printf "%.1f", kb / 1024 }')" MiB 12
bound 'peak memory, five' "$(awk -v kb="$(peak "${own[@]}" "${all[@]}" --insecure)" 'BEGIN { printf "%.1f", kb / 1024 }')" MiB 16
bound 'stripped program' "$(stat --format=%s "$check" | awk '{ printf "%.2f", $1 / 1e6 }')" MB 5

if [[ $failed -gt 0 ]]; then
    printf '\n%s bounds do not hold\n' "$failed"
    exit 1
fi
