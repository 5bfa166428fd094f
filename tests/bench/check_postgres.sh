#!/usr/bin/env bash
# Compares check_postgres with check_pgsql, with one action of the Perl check_postgres and of check_pgactivity, and with
# itself on a large server, and holds it to its bounds.
#
#   tests/bench/check_postgres.sh      as root, because a server does not run as root itself
#
# Times are medians of runs that took turns. Everybody logs in by SCRAM over TCP, as the superuser, because the others
# lack figures otherwise. The database holds what a small application has.
set -euo pipefail
# shellcheck source=lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
need hyperfine hyperfine jq jq setpriv util-linux /usr/bin/time time psql postgresql-client \
    /usr/lib/nagios/plugins/check_pgsql monitoring-plugins-standard /usr/bin/check_postgres check-postgres \
    /usr/lib/nagios/plugins/check_pgactivity check-pgactivity
need_root

plugins=/usr/lib/nagios/plugins
check=$PWD/target/release/check_postgres
programs=$(printf '%s\n' /usr/lib/postgresql/*/bin | sort --version-sort | tail -n 1)
[[ -x $programs/pgbench ]] || {
    say 'missing; as root: apt-get install postgresql'
    exit 1
}

# Not the user's own settings.
unset "${!PG@}"
export PGPASSFILE=$temporary/pgpass PGHOST=127.0.0.1 PGUSER=postgres PGDATABASE=kwanza
printf '*:*:*:*:of the benchmark\n' >"$PGPASSFILE"
chmod 600 "$PGPASSFILE"
chmod 755 "$temporary"

as_postgres() {
    setpriv --reuid postgres --regid postgres --init-groups -- "$@"
}

free_port() {
    local port
    for ((port = 25000; ; port++)); do
        (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null || break
    done
    echo "$port"
}

# start_server NAME: a cluster with an empty database kwanza, at the port `PGPORT`.
start_server() {
    local data=$temporary/$1/data
    install --directory --owner postgres "$temporary/$1"
    install --owner postgres --mode 600 <(echo 'of the benchmark') "$temporary/$1/password"
    as_postgres "$programs/initdb" --no-sync --auth=scram-sha-256 --username=postgres --encoding=UTF8 \
        --locale=C.UTF-8 --pwfile "$temporary/$1/password" -D "$data" >"$temporary/initdb.log"
    PGPORT=$(free_port)
    export PGPORT
    as_postgres "$programs/postgres" -D "$data" -p "$PGPORT" -k "$temporary/$1" -c listen_addresses=127.0.0.1 \
        -c max_connections=600 -c max_locks_per_transaction=1024 -c fsync=off >"$temporary/$1.log" 2>&1 &
    started+=("$!")
    for _ in {1..100}; do
        if "$programs/pg_isready" --quiet; then
            psql --quiet --dbname postgres --command 'CREATE DATABASE kwanza'
            return
        fi
        sleep 0.1
    done
    cat "$temporary/$1.log" >&2
    exit 1
}

# sound COMMAND...: stops where a check does not do what is to be measured; a WARNING may be.
sound() {
    "$@" >"$temporary/answer" || [[ $? -eq 1 ]] || {
        cat "$temporary/answer" >&2
        exit 1
    }
}

# tables PREFIX COUNT COLUMNS
tables() {
    psql --quiet --variable prefix="$1" --variable count="$2" --variable columns="$3" <<'END_OF_SQL'
SELECT format('CREATE TABLE %s%s (%s)', :'prefix', i, :'columns') FROM generate_series(1, :count) AS i \gexec
END_OF_SQL
}

# Sessions that sit idle until the script ends.
connections() {
    printf '\\sleep 3600 s\n' >"$temporary/idle.sql"
    "$programs/pgbench" --no-vacuum --client "$1" --time 3600 --file "$temporary/idle.sql" >"$temporary/pgbench.log" 2>&1 &
    started+=("$!")
    for _ in {1..300}; do
        if [[ $(psql --tuples-only --no-align --command 'SELECT count(*) FROM pg_stat_activity') -gt $1 ]]; then
            return
        fi
        sleep 0.1
    done
    cat "$temporary/pgbench.log" >&2
    exit 1
}

say "building"
cargo build --quiet --locked --release --package check_postgres

# With an index for the key, a sequence, a table for long texts and an index for that.
ordinary='id serial PRIMARY KEY, name text'

start_server small
# A server that was just started is worth a warning by itself, which is not what is measured.
ours="$check -w uptime= --state-dir $temporary/state"
empty="$ours -p $PGPORT"
# shellcheck disable=SC2086 # a command line, as hyperfine takes it
sound $empty
measure empty 3 20 "$empty"
tables t 30 "$ordinary"
theirs="$plugins/check_pgsql -P $PGPORT -H 127.0.0.1 -l postgres -d kwanza -q"
perl="/usr/bin/check_postgres --host=127.0.0.1 --port=$PGPORT --dbuser=postgres --dbname=kwanza --action=backends"
activity="$plugins/check_pgactivity -h 127.0.0.1 -p $PGPORT -U postgres -d kwanza --status-file $temporary/pga -s backends -w 80% -c 90%"
# shellcheck disable=SC2086
{
    sound $theirs 'SELECT 1'
    sound $perl
    sound $activity
}
measure small 5 20 "$empty" "$theirs 'SELECT 1'"
measure perl 3 5 "$empty" "$perl" "$activity"
# shellcheck disable=SC2086
memory=$(peak $empty)

start_server large
large="$ours -p $PGPORT"
say "making 10,000 tables"
tables plain 10000 'id int'
connections 500
# shellcheck disable=SC2086
sound $large
measure plain 3 20 "$empty" "$large"
# shellcheck disable=SC2086
large_memory=$(peak $large)
say "making 10,000 more"
tables ordinary 10000 "$ordinary"
measure ordinary 3 5 "$empty" "$large" "$large --skip sequences"

machine
heading 'check_postgres, all groups, against' ours '(CPU)' other '(CPU)' ratio bound
compared 'check_pgsql, one query' small 0 1 1.5
compared 'check_postgres (Perl), one action' perl 0 1 0.2
compared 'check_pgactivity, one service' perl 0 2 0.2
heading 'check_postgres on large servers, against' large '(CPU)' small '(CPU)' ratio bound
compared '10,000 tables and 500 connections' plain 1 0 3
compared '60,000 relations and 10,000 sequences' ordinary 1 0
compared '  without the sequences' ordinary 2 0
printf '\n%-50s %7s\n' 'check_postgres by itself' ''
measured 'an empty database' "$(figure empty 0 wall | cut -c1-5)" ms
measured 'peak memory' "$(mib "$memory")" MiB 11.4
measured '  with 10,000 tables and 500 connections' "$(mib "$large_memory")" MiB 11.4
measured 'stripped program' "$(megabytes "$check")" MB 5
conclude
