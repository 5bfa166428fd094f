//! Text from Kwanza to facts. Pure; every text is taken, none panics.

pub mod go;
pub mod page;
pub mod path;
pub mod subscribers;
