//! Text to facts. Pure: no I/O and no clock.

pub mod certificate;
pub mod conninfo;
pub mod files;
