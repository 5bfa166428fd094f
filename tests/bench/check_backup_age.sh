#!/usr/bin/env bash
# Compares check_backup_age with pg_restore, gzip and a plain walk over blocks on a dump of 1 GB, and holds it to its
# bounds.
#
#   tests/bench/check_backup_age.sh
#
# Times are medians of runs that took turns; CPU is user and system time together. Files are in the page cache.
set -euo pipefail
# shellcheck source=lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
need hyperfine hyperfine jq jq gzip gzip zstd zstd xz xz-utils lz4 lz4 bzip2 bzip2 pg_dump postgresql-client \
    setpriv util-linux /usr/bin/time time
need_root

check=$PWD/target/release/check_backup_age
programs=$(printf '%s\n' /usr/lib/postgresql/*/bin | sort --version-sort | tail -n 1)
export PGHOST=$temporary/socket PGUSER=postgres

as_postgres() {
    (cd / && setpriv --reuid postgres --regid postgres --init-groups --pdeathsig INT -- "$@")
}

start_postgres() {
    chmod 755 "$temporary"
    install --directory --owner postgres "$temporary/data" "$temporary/socket"
    as_postgres "$programs/initdb" --no-sync --auth=trust -D "$temporary/data" >"$temporary/initdb.log"
    cd /
    setpriv --reuid postgres --regid postgres --init-groups --pdeathsig INT -- "$programs/postgres" \
        -D "$temporary/data" -c fsync=off -c listen_addresses= -c unix_socket_directories="$PGHOST" \
        -c max_wal_size=4GB >"$temporary/postgres.log" 2>&1 &
    started+=("$!")
    cd "$OLDPWD"
    for _ in {1..100}; do
        ! pg_isready --quiet || return 0
        sleep 0.1
    done
    cat "$temporary/postgres.log" >&2
    exit 1
}

# sound LEVEL FILE: stops where the check does not find a dump valid.
sound() {
    "$check" --state-dir "$temporary/sound" -t 5m --verify "$1" "$2" >"$temporary/answer" || true
    if ! grep -q '^BACKUP_AGE OK ' "$temporary/answer"; then
        cat "$temporary/answer" >&2
        exit 1
    fi
}

# once LEVEL FILE: the command line of a check that remembers nothing.
once() {
    # Without a state directory each run verifies anew.
    echo "$check --state-dir /dev/null -t 5m --verify $1 $2"
}

# kept LEVEL FILE: the command line of a check that remembers.
kept() {
    echo "$check --state-dir $temporary/state -t 5m --verify $1 $2"
}

say "building"
cargo build --quiet --locked --release --package check_backup_age --package bench
say "making a dump of 1 GB"
start_postgres
psql --quiet postgres <<'END'
CREATE TABLE events AS SELECT i AS id, md5(i::text) AS device, 'a line of some words, ' || i % 1000 AS text,
    '2026-01-01'::timestamptz + i * interval '1 s' AS at, i * 1.5 AS value FROM generate_series(1, 9500000) i;
CREATE TABLE small AS SELECT * FROM events LIMIT 250000;
END
umask 077
dumps=$temporary/dumps
mkdir "$dumps"
pg_dump --format tar --file "$dumps/large.tar" postgres
pg_dump --format custom --compress 1 --file "$dumps/large.custom" postgres
pg_dump --format custom --compress 0 --file "$dumps/large0.custom" postgres
pg_dump --format tar --table small --file "$dumps/small.tar" postgres
pg_dump --format plain --table small --file "$dumps/small.sql" postgres
gzip --fast --stdout "$dumps/large.tar" >"$dumps/large.tar.gz"
for file in small.tar small.sql; do
    gzip --keep "$dumps/$file"
    bzip2 --keep "$dumps/$file"
    xz --keep "$dumps/$file"
    zstd --quiet -19 "$dumps/$file"
    lz4 --quiet --best "$dumps/$file" "$dumps/$file.lz4"
done
for file in "$dumps"/*; do sound full "$file"; done

measure tar 3 3 "$(once structure "$dumps/large.tar")" "pg_restore --file /dev/null $dumps/large.tar" \
    "$(once full "$dumps/large.tar")" "$(kept structure "$dumps/large.tar")" "cat $dumps/large.tar"
measure custom 3 3 "$(once structure "$dumps/large.custom")" "$PWD/target/release/blocks $dumps/large.custom" \
    "$(once full "$dumps/large.custom")" "pg_restore --file /dev/null $dumps/large.custom"
measure custom0 3 3 "$(once structure "$dumps/large0.custom")" "$PWD/target/release/blocks $dumps/large0.custom"
measure gzip 3 2 "$(once full "$dumps/large.tar.gz")" "gzip --test $dumps/large.tar.gz"
for kind in bz2:bzip2 xz:xz zst:zstd lz4:lz4; do
    measure "${kind#*:}" 2 2 "$(once full "$dumps/small.tar.${kind%:*}")" "${kind#*:} --test $dumps/small.tar.${kind%:*}"
done

machine
printf 'dump       %s MB in tar, %s MB in custom\n' "$(megabytes "$dumps/large.tar")" "$(megabytes "$dumps/large.custom")"
heading 'check_backup_age against' ours '(CPU)' other '(CPU)' ratio bound
compared 'structure of tar: pg_restore -f /dev/null' tar 0 1 0.05
compared '  cat into nothing' tar 0 4
compared '  remembered: verified anew' tar 3 0
compared 'full of tar: pg_restore -f /dev/null' tar 2 1
compared 'structure of custom: a plain read of its blocks' custom 0 1 1.2
compared '  of custom -Z0' custom0 0 1 1.2
compared 'full of custom: pg_restore -f /dev/null' custom 2 3
compared 'full of tar.gz: gzip -t' gzip 0 1 1.1
for tool in bzip2 xz zstd lz4; do
    compared "  of tar.$tool: $tool -t" "$tool" 0 1
done
printf '\n%-50s %7s\n' 'check_backup_age by itself' ''
measured 'structure of a tar of 1 GB, warm' "$(figure tar 0 wall | awk '{ printf "%.2f", $1 }')" ms 50
most=0
for file in "$dumps"/*; do
    # shellcheck disable=SC2046 # a command line
    memory=$(peak $(once full "$file"))
    measured "peak memory, full of ${file##*/}" "$(mib "$memory")" MiB 16
    ((memory < most)) || most=$memory
done
measured 'stripped program' "$(megabytes "$check")" MB 5
conclude
