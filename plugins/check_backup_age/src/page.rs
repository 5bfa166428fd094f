//! The prose of the man page.

use common::page::Page;

/// What `--help` and the metric table do not say.
pub const PAGE: Page = Page {
    description: &[
        "Looks whether there is a recent dump of a PostgreSQL database, and whether it would restore. An age by mtime and a size say nothing of that: a dump that was cut short, an empty one, one with an error message or a password prompt in it and one of a disk that was full are all young files. This check opens them.",
        "Formats are recognised by content: tar (the guide's `-F t`), custom and directory archives of versions 1.12 to 1.16 (PostgreSQL 9.0 to 19), plain SQL and that of pg_dumpall, each also within gzip, zstd, lz4, xz or bzip2. What gpg or age has encrypted cannot be verified. PATHs are files, dumps in directory format, and directories that hold such; all of them together are the backups of one thing. Directories are not descended into.",
        "The newest dump is the one that was begun last by the time inside it, so that no copy is newer than what it is a copy of. Members of tar files have times in UTC. In custom and directory archives the time is that of pg_dump's clock, without its zone, see `--dump-timezone`. SQL has none, so its mtime counts.",
        "`--verify structure` walks every block or member header to the exact end of the dump and requires the data of every table that its table of contents lists, the end of its rows where they are not compressed, and the trailer. Of a tar file of 500 GB the headers are read and not the rest. `full` reads and decompresses everything, compares checksums and looks for holes. The tables of SQL are known only at `full`, and within a wrapper at `structure`. A verification that ends for lack of time is UNKNOWN. What was verified is remembered while size, mtime, ctime and inode stay as they are.",
        "An incomplete dump that was written less than `--grace` ago may be one that is being written: the one before it is judged meanwhile. pg_dump collects each table of a tar file elsewhere before it writes it there, so that `--grace` must be longer than the largest table takes. The newest dump that is broken is CRITICAL, whatever is left of older ones; `age` and the other figures are those of the newest valid dump. Older dumps are verified as far as the thresholds of `count` need it.",
        "`--restore-test` restores the newest dump into a database that it creates, compares the number of rows of every table with the dump, and drops the database again: only databases whose name begins with check_backup_age_restore_, whose comment says that they are of this test, and which belong to this user. What a run leaves behind that is killed, a later run drops. While a test is alive, no other begins on that server. Owners, privileges, tablespaces, publications and subscriptions are not restored. SQL is not restored, because a script does whatever stands in it. A restore that went well is remembered until the dump changes.",
        "For recovery to a point in time, `--base-backup` compares the files of the newest base backup with its backup_manifest (sizes, and at `--verify full` checksums), and `--wal-archive` looks whether all segments are there, from the beginning of that base backup or of the archive to its end, on the newest timeline and those that lead to it. Segments may be compressed with gzip, zstd, lz4, xz or bzip2.",
    ],
    further_metrics: None,
    examples: &[
        ("check_backup_age /backup/kwanza.tar", "The guide's one dump, which is written anew each night:"),
        (
            "check_backup_age /backup --pattern 'kwanza-*.tar' --database kwanza --min-count 7 -w 26h -c 50h",
            "A week of dumps in a directory with others:",
        ),
        (
            "check_backup_age /backup --pattern '*.dump' --require-table devices --require-globals 'globals-*.sql'",
            "What must be in it, and the roles that are not:",
        ),
        (
            "check_backup_age /backup --verify full --sha256 '{}.sha256' -t 10m",
            "All of it, in a service that is checked once after each backup:",
        ),
        (
            "check_backup_age /backup --restore-test 'host=/run/postgresql user=backuptest' -t 1h --jobs 4 -w restore_time=30m",
            "Whether it restores, and how long that takes:",
        ),
        (
            "check_backup_age --base-backup /backup/base --wal-archive /backup/wal -w wal_age=1h",
            "Recovery to a point in time:",
        ),
    ],
    privileges: &[
        "The monitoring user must be able to read the dumps. They hold all of the database: give them to a group of its own rather than to everybody, and `world_readable` stays 0.",
        "`--restore-test` needs psql and pg_restore, as new as the dump, and a role with CREATEDB; extensions that only a superuser may create need one. A dump can do what that role can do: use a server that nothing depends on, and no superuser where the dump can do without. Passwords come from PGPASSFILE or ~/.pgpass, never from the command line.",
    ],
    files: &[
        (
            "/var/lib/postgresql, /var/lib/pgsql, /var/lib/docker/volumes",
            "Where the data is, unless --data-directory says so: only the device is looked at.",
        ),
        ("~/.pgpass", "Passwords of --restore-test, which psql and pg_restore read."),
    ],
    environment: &[
        ("PGPASSFILE, PGSERVICEFILE, PGSSLROOTCERT …", "Reach psql and pg_restore as they are."),
        ("TZ", "The time zone of this machine, where that of a dump's clock is not given."),
    ],
    see_also: &["pg_dump(1)", "pg_restore(1)", "pg_dumpall(1)", "pg_verifybackup(1)", "pg_basebackup(1)"],
};
