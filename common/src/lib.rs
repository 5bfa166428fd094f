//! What all check plugins of monitoring-plugins-sirenia do the same way.
//!
//! A plugin implements [`run::Plugin`]; [`run::main`] turns its command line into one answer and an exit code.
//! `examples/check_example.rs` is the smallest complete plugin. Nothing here knows a plugin.

pub mod child;
pub mod clock;
pub mod deadline;
#[cfg(feature = "docker")]
pub mod docker;
pub mod file;
pub mod glob;
#[cfg(feature = "docker")]
pub mod http;
pub mod judging;
pub mod metric;
pub mod number;
pub mod options;
pub mod page;
pub mod perfdata;
pub mod pool;
pub mod pressure;
pub mod range;
pub mod recent;
pub mod render;
pub mod report;
pub mod run;
pub mod state;
pub mod store;
pub mod terminal;
pub mod text;
pub mod units;
