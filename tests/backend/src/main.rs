//! The program of the containers: `stand-in kwanza serve` and `stand-in cuesta`. Started by the name `kwanza` or
//! `cuesta` it is that program, so that a container's command reads as in the guide.
//!
//! Environment variables set it up: `KWANZA_PROFILING_PORT`, `KWANZA_EXPVARS_PORT`, `KWANZA_HTTP_PORT`,
//! `KWANZA_GRPC_PORT`, `KWANZA_POSTGRES` (`host:port`), `KWANZA_POSTGRES_TRIES`, `KWANZA_SPEED`;
//! `CUESTA_HTTP_PORT`, `CUESTA_HTTPS_PORT`, `CUESTA_HOST`.

use std::path::Path;
use std::process::ExitCode;

use backend::ending::Ending;
use backend::{Cuesta, Kwanza, cuesta, kwanza};

fn main() -> ExitCode {
    let mut words: Vec<String> = std::env::args().collect();
    let name = words.first().and_then(|program| Path::new(program).file_name()?.to_str());
    if !matches!(name, Some("kwanza" | "cuesta")) {
        words.remove(0);
    } else if let Some(name) = name.map(str::to_owned) {
        words[0] = name;
    }
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    match words.as_slice() {
        ["kwanza", "serve"] => run(kwanza::Config::from_environment(log), Kwanza::start),
        ["cuesta"] => run(cuesta::Config::from_environment(log), Cuesta::start),
        _ => {
            log("usage: stand-in kwanza serve | stand-in cuesta");
            ExitCode::from(2)
        }
    }
}

fn log(line: &str) {
    eprintln!("{line}");
}

/// Runs until it is asked to end. The first process of a container has to listen to that itself.
fn run<C, T>(config: Result<C, String>, start: impl FnOnce(&C) -> Result<T, String>) -> ExitCode {
    let Ok(ending) = Ending::listen().inspect_err(|error| log(error)) else { return ExitCode::FAILURE };
    // What keeps it from starting it logs itself.
    let Ok(_server) = config.inspect_err(|error| log(error)).and_then(|config| start(&config)) else {
        return ExitCode::FAILURE;
    };
    ending.wait();
    ExitCode::SUCCESS
}
