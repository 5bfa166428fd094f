//! Text from elsewhere to facts. Pure; every text is taken, none panics.

pub mod cgroup;
pub mod compose;
pub mod hint_file;
pub mod stats;
pub mod time;
