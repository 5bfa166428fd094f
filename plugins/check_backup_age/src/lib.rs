//! Checks that there is a recent PostgreSQL dump, and that it would restore.

pub mod parse;
pub mod pitr;
