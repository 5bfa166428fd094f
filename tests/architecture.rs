//! What ARCHITECTURE.md promises and the compiler does not hold.

#![allow(clippy::expect_used, clippy::panic, reason = "a test that cannot go on fails")]

use std::path::{Path, PathBuf};

const ROOT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../..");

/// Every Rust file below `directory`.
fn sources(directory: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(directory).unwrap_or_else(|error| panic!("{}: {error}", directory.display()));
    entries
        .flatten()
        .flat_map(|entry| match entry.file_type() {
            Ok(kind) if kind.is_dir() => sources(&entry.path()),
            _ => vec![entry.path()],
        })
        .filter(|path| path.extension().is_some_and(|extension| extension == "rs"))
        .collect()
}

fn plugins() -> Vec<PathBuf> {
    let plugins: Vec<PathBuf> = std::fs::read_dir(Path::new(ROOT).join("plugins"))
        .expect("the plugins")
        .flatten()
        .map(|entry| entry.path())
        .collect();
    assert!(!plugins.is_empty());
    plugins
}

/// The code of a file without its tests.
fn code(path: &Path) -> String {
    let text = std::fs::read_to_string(path).expect("a source file");
    text.split("#[cfg(test)]").next().unwrap_or_default().to_owned()
}

/// Modules that only compute: those of every plugin, and what `check_backend` and `check_backup_age` have besides.
const PURE: [&str; 6] = ["evaluate", "parse", "plan", "pitr", "made", "rows"];

#[test]
fn evaluate_and_parse_do_no_io_and_read_no_clock() {
    let forbidden = [
        "std::fs",
        "std::net",
        "std::process",
        "std::env",
        "std::thread",
        "Instant",
        "SystemTime",
        "Clock::now",
        "since_boot",
        "use nix::",
    ];
    let mut seen = 0;
    for plugin in plugins() {
        for path in sources(&plugin.join("src")) {
            let names = path.with_extension("");
            let is_pure = names.components().any(|part| PURE.iter().any(|name| part.as_os_str() == *name));
            if !is_pure {
                continue;
            }
            seen += 1;
            let code = code(&path);
            for word in forbidden {
                assert!(!code.contains(word), "{} uses {word}", path.display());
            }
        }
    }
    assert!(seen > 1, "no pure file was looked at");
}

#[test]
fn no_plugin_depends_on_another_and_common_on_none() {
    let names: Vec<String> = plugins().iter().filter_map(|path| Some(path.file_name()?.to_str()?.to_owned())).collect();
    let mut manifests: Vec<PathBuf> = plugins().iter().map(|plugin| plugin.join("Cargo.toml")).collect();
    manifests.push(Path::new(ROOT).join("common/Cargo.toml"));
    for manifest in manifests {
        let text = std::fs::read_to_string(&manifest).expect("a manifest");
        let dependencies =
            text.split("[dependencies]").nth(1).expect("dependencies").split("\n[").next().unwrap_or_default();
        for name in &names {
            assert!(!dependencies.contains(name.as_str()), "{} depends on {name}", manifest.display());
        }
    }
}

#[test]
fn every_plugin_has_its_pages_and_the_files_that_all_have() {
    for plugin in plugins() {
        let name = plugin.file_name().and_then(|name| name.to_str()).expect("a name");
        for file in ["README.md", "src/main.rs", "src/lib.rs", "src/cli.rs", "src/metrics.rs", "src/page.rs"] {
            assert!(plugin.join(file).exists(), "{name} has no {file}");
        }
        for file in
            [format!("man/{name}.8"), format!("packaging/schema/{name}.schema.json"), format!("tests/{name}.rs")]
        {
            assert!(Path::new(ROOT).join(&file).exists(), "{file} is missing");
        }
        let readme = std::fs::read_to_string(plugin.join("README.md")).expect("a README");
        for heading in ["## Usage", "## States", "## Perfdata", "## Privileges"] {
            assert!(readme.contains(heading), "the README of {name} has no {heading}");
        }
    }
}
