//! The prose of the man page.

use common::page::Page;

/// What `--help` and the metric table do not say.
pub const PAGE: Page = Page {
    description: &[
        "Connects to a PostgreSQL server of version 10 or later once, and judges in that one session what else takes a check for each figure. The session is read-only, waits a second for locks at most, and is cancelled on the server when the time of the run is over.",
        "The server is found as by psql and everything else that uses libpq: options, then `--dsn`, then the service that is named (`~/.pg_service.conf`, `PGSERVICEFILE`, `PGSYSCONFDIR`), then the environment (`PGHOST` and the others). Several hosts between commas are asked in turn, of the kind that `target_session_attrs` in `--dsn` wants. A password comes from `--password-file`, a service, `PGPASSWORD` or `~/.pgpass` (`PGPASSFILE`, `passfile`), which is ignored, and said, while others may read it. One in `--dsn` is refused, because everybody on the machine can read command lines. Only the default database differs from libpq: it is kwanza.",
        "TLS is as `sslmode` says, 1.2 and 1.3. CAs are those of `--ssl-root-cert` or `~/.postgresql/root.crt`; where there are any, the chain of signatures is verified in every mode that speaks TLS, and the name of the host in verify-full. Certificates of the client are those of `--ssl-cert` or `~/.postgresql/postgresql.crt`. SCRAM is bound to the TLS connection where the server offers it, and must be with `--channel-binding require`. Other than in libpq, a file that is named must be there, the host's name must stand in subjectAltName and not in the common name alone, and what would weaken a check in silence is refused: `sslcrl`, `requirepeer`, `require_auth`, `gssencmode=require`.",
        "A server that is not there is CRITICAL, in words for each way of not being there: refused, no socket, no route, silence, another program, starting up, shutting down, recovering, too many clients, a missing database, TLS that cannot be trusted. A login that is refused is UNKNOWN, because it says nothing of the server. With `--container` the state of the container stands beside it, and what its log tells.",
    ],
    examples: &[
        ("check_postgres -H 127.0.0.1 -p 5444 -U monitoring", "The guide's container, with a password in ~/.pgpass:"),
        ("check_postgres --container deploy_postgres_1 -U monitoring --password-file pw", "Wherever its container is:"),
        (
            "check_postgres --dsn 'host=a,b target_session_attrs=primary sslmode=verify-full sslrootcert=ca.pem' -U monitoring",
            "Whichever of two is the primary, with TLS that proves who it is:",
        ),
        (
            "check_postgres --service kwanza --only backends,transactions -c connections_used_percent=95",
            "Two groups only:",
        ),
    ],
    privileges: &[
        "A role with LOGIN, CONNECT to the database and membership in `pg_monitor`; packaging/postgres/monitoring-role.sql makes it. What a lesser role may not see is UNKNOWN, with the GRANT that helps.",
        "Files with passwords and keys must be readable for the monitoring user and for nobody else. `--container` asks the Docker Engine, whose socket belongs to root and the group docker; a proxy that passes only GET of `/_ping`, `/containers/NAME/json` and `/containers/NAME/logs` is enough.",
    ],
    files: &[
        ("~/.pgpass", "Passwords, one a line: host:port:database:user:password."),
        ("~/.pg_service.conf", "Services."),
        ("~/.postgresql/", "root.crt, postgresql.crt and postgresql.key."),
    ],
    environment: &[
        (
            "PGHOST, PGHOSTADDR, PGPORT, PGDATABASE, PGUSER, PGPASSWORD, PGPASSFILE, PGSERVICE, PGSERVICEFILE, PGSYSCONFDIR, PGSSLMODE, PGSSLROOTCERT, PGSSLCERT, PGSSLKEY, PGCHANNELBINDING, PGTARGETSESSIONATTRS, PGCONNECT_TIMEOUT, PGOPTIONS, PGAPPNAME",
            "As for libpq, after all options.",
        ),
        ("DOCKER_HOST", "Address of the engine, with `--container`."),
    ],
    see_also: &["https://www.postgresql.org/docs/current/libpq-connect.html", "psql(1)"],
    ..Page::EMPTY
};
