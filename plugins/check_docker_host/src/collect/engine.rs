//! The Docker Engine: a ping, its own account of itself, and the filesystem of its data.

use std::path::Path;

use common::deadline::Deadline;
use common::docker;

use super::disks;
use super::root::Root;
use crate::cli::Config;
use crate::snapshot::{Engine, Kept};

/// Asks the engine. Its data root is remembered, so that a full disk is seen while the engine is down.
pub fn collect(config: &Config, root: &Root, previous: Option<&Kept>, deadline: &Deadline) -> Engine {
    let connected = {
        let _step = deadline.step(format!("GET /_ping of {}", config.engine));
        docker::Engine::connect(&config.engine, deadline.budget())
    };
    let info = connected.as_ref().ok().map(|engine| {
        let _step = deadline.step(format!("GET /info of {}", config.engine));
        engine.info(deadline.budget())
    });
    let known = previous.and_then(|previous| previous.docker_root.clone());
    let told = info.as_ref().and_then(|info| info.as_ref().ok()?.docker_root_dir.clone());
    let data = told.or(known).map(|path| {
        let _step = deadline.step(format!("statvfs {path}"));
        let usage = disks::usage_within(root, Path::new(&path), deadline.budget());
        (path, usage)
    });
    Engine { ping: connected.map(|engine| engine.ping), info, root: data }
}
