#!/bin/sh
# Makes the database in $PGDATA the first time, then becomes what it is given, as the user postgres.
set -eu

if [ "$(id -u)" = 0 ]; then
    mkdir -p "$PGDATA"
    chown postgres "$PGDATA"
    chmod 700 "$PGDATA"
    # exec twice, so that the server is the first process and gets the signals.
    exec su -s /bin/sh postgres -c "exec $0 $*"
fi
if [ ! -s "$PGDATA/PG_VERSION" ]; then
    echo "$POSTGRES_PASSWORD" >/tmp/password
    # Without waiting for the disk: what the machine's crash could damage, the next test makes anew.
    initdb --no-sync --pgdata "$PGDATA" --username postgres --pwfile /tmp/password --encoding UTF8 --locale C.UTF-8 \
        --auth-local trust --auth-host scram-sha-256
    rm /tmp/password
    echo "listen_addresses = '*'" >>"$PGDATA/postgresql.conf"
    echo 'host all all all scram-sha-256' >>"$PGDATA/pg_hba.conf"
    echo 'CREATE DATABASE kwanza' | postgres --single -D "$PGDATA" -j postgres >/dev/null
fi
exec "$@"
