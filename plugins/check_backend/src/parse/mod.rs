//! Text to facts. Pure.

pub mod answer;
pub mod config;
