//! `cargo demo`: builds the suite and shows it on this machine, on broken ones, and on a backend in this process, with
//! nothing to install.
//!
//! The broken machines are fixtures of the tests; Docker Engines are stand-ins that answer from recordings, and Kwanza
//! and Cuesta are those of the tests, which listen on this machine.

mod engine;
mod machine;

use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

use backend::{Cuesta, Kwanza, cuesta, kwanza};

use crate::engine::Engine;
use crate::machine::Machine;

/// The plugins that are shown.
const PLUGINS: [&str; 4] = ["check_docker_host", "check_containers", "check_kwanza_expvars", "check_endpoint"];

/// Only these figures, so that the status line fits a screen.
const SHORT: [&str; 2] = ["--perfdata", "*_percent"];

fn main() -> ExitCode {
    match demo() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            let _ = writeln!(io::stderr(), "demo: {error}");
            ExitCode::FAILURE
        }
    }
}

fn demo() -> io::Result<()> {
    let plugins = build()?;
    hosts(&plugins.join("check_docker_host"))?;

    say("Containers: one has filled its disk")?;
    let engine = Engine::recorded()?;
    run(&plugins.join("check_containers"), &engine.options(), &["--perfdata", "*:up"])?;

    backend(&plugins)
}

/// Kwanza and Cuesta, well and not.
fn backend(plugins: &Path) -> io::Result<()> {
    let state = tempfile::tempdir()?;
    let state = ["--state-dir".to_owned(), state.path().display().to_string()];
    let kwanza = Kwanza::start(&kwanza::Config::loopback()).map_err(io::Error::other)?;
    let cuesta = Cuesta::start(&cuesta::Config::loopback()).map_err(io::Error::other)?;
    let url = format!("http://{}/debug/vars", kwanza.expvars);
    let expvars = plugins.join("check_kwanza_expvars");
    let few = ["--url", &url, "--perfdata", "Streams", "--perfdata", "Notifications*"];

    say("Kwanza's expvars, by a stand-in in this process")?;
    run(&expvars, &state, &few)?;
    say("The same after two panics")?;
    kwanza.figures().add("StreamPanics", 2);
    run(&expvars, &state, &few)?;

    say("What Kwanza and Cuesta publish: gRPC, HTTP, and TLS with a certificate that nobody has signed")?;
    let endpoints = [
        format!("kwanza=grpc://{}", kwanza.grpc),
        format!("profiling=http://{}/debug/pprof/", kwanza.profiling),
        format!("cuesta=https://{}/", cuesta.https),
    ];
    let endpoints: Vec<&str> = endpoints.iter().map(String::as_str).chain(["--perfdata", "*:time"]).collect();
    run(&plugins.join("check_endpoint"), &state, &endpoints)
}

/// This machine, and two that are broken.
fn hosts(plugin: &Path) -> io::Result<()> {
    let state = tempfile::tempdir()?;
    let state = state.path().display().to_string();

    say("This machine")?;
    let mut here = vec!["--state-dir", &state];
    if !Path::new("/var/run/docker.sock").exists() {
        writeln!(io::stdout(), "No Docker Engine runs here, so its group is left out.\n")?;
        here.push("--no-docker");
    }
    run(plugin, &here, &[&SHORT[..], &["-v"]].concat())?;

    say("A host whose disk is full: Docker keeps its data on it")?;
    let full = Machine::new("disk_96")?;
    run(plugin, &full.options(), &SHORT)?;

    say("A host with a container at its limit of open files")?;
    let limit = Machine::new("file_limit")?;
    run(plugin, &limit.options(), &SHORT)?;

    say("The same for a program that reads JSON")?;
    run(plugin, &limit.options(), &["--only", "files", "--perfdata", "process_*", "--format", "json"])
}

/// Builds the plugins as they are shipped and returns their directory.
fn build() -> io::Result<PathBuf> {
    let workspace = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    say("Building the suite")?;
    let status = Command::new(cargo)
        .args(["build", "--release", "--bins"])
        .args(PLUGINS.iter().flat_map(|plugin| ["-p", plugin]))
        .current_dir(&workspace)
        .status()?;
    if !status.success() {
        return Err(io::Error::other("the suite does not build"));
    }
    let target = std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| workspace.join("target"), PathBuf::from);
    Ok(target.join("release"))
}

fn say(text: &str) -> io::Result<()> {
    writeln!(io::stdout(), "\n== {text}\n")
}

/// Runs `plugin`; `place` points it at a machine and is not shown.
fn run(plugin: &Path, place: &[impl AsRef<str>], arguments: &[&str]) -> io::Result<()> {
    let name = plugin.file_name().unwrap_or_default().to_string_lossy();
    writeln!(io::stdout(), "$ {name} {}", arguments.join(" "))?;
    let status = Command::new(plugin).args(place.iter().map(AsRef::as_ref)).args(arguments).status()?;
    writeln!(io::stdout(), "[exit code {}]", status.code().unwrap_or(-1))
}
