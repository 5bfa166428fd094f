//! `check_backup_age` against dumps that PostgreSQL made, and those that something went wrong with.
