//! What the tests of all plugins share. Every function panics on a fault, with what a reader needs to mend it.
//!
//! - [`run`]: runs a plugin in a clean environment, with a time limit.
//! - [`golden`]: compares whole output with a file; `UPDATE_GOLDEN=1` writes it.
//! - [`tree`]: a directory tree (of `/proc`, say) written as one readable file.
//! - [`http`]: a scripted HTTP server that can misbehave.
//! - [`perfdata`]: a strict reader of performance data that shares no code with the renderer.
//! - [`said`]: what a run said, to be searched for words and figures.
//! - [`schema`]: JSON against a JSON schema.
//! - [`live`]: processes, mounts and an engine on the real machine, for end-to-end tests.
//! - [`stand`]: the guide's deployment on an engine, for end-to-end tests.
//! - [`postgres`]: PostgreSQL servers.
//! - [`tool`]: programs that a test needs.
//! - [`contract`]: what every plugin keeps, written once.

pub mod contract;
pub mod golden;
pub mod http;
pub mod live;
pub mod perfdata;
pub mod postgres;
pub mod run;
pub mod said;
pub mod schema;
pub mod stand;
pub mod tool;
pub mod tree;

pub use golden::{Golden, assert_golden};
pub use run::{Output, Run, Stdout};
pub use tool::need;
pub use tree::Tree;
