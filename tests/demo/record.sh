#!/usr/bin/env bash
# Writes what `cargo demo` shows into the README, between the lines that begin and end it there.
# A test compares the two, numbers aside.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

arguments=(--scenario disk-full)
shown=$(mktemp)
trap 'rm -f "$shown"' EXIT
{
    printf '```\n$ cargo demo -- %s\n' "${arguments[*]}"
    cargo demo "${arguments[@]}" 2>/dev/null
    printf '```\n'
} >"$shown"

awk -v shown="$shown" '
    $0 == "<!-- end of the demo -->" { inside = 0 }
    !inside { print }
    $0 == "<!-- the demo, by tests/demo/record.sh -->" { inside = 1; while ((getline line <shown) > 0) print line }
' README.md >README.new
mv README.new README.md
