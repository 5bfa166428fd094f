//! `cargo demo`: the suite at work on the guide's backend, which runs in this process.
//!
//! - [`options`]: the command line.
//! - [`suite`]: the plugins, built and run.
//! - [`scenario`]: what can go wrong, and who is to find it.
//! - [`course`]: what is shown, one thing after the other.
//! - [`screen`]: how it looks.

pub mod course;
pub mod options;
pub mod scenario;
pub mod screen;
pub mod suite;
