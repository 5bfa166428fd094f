//! Programs that a test needs.

use std::path::{Path, PathBuf};
use std::time::SystemTime;

/// The path of `tool`. A test whose tool is missing fails with the command that installs it: one that is
/// skipped in silence proves nothing.
#[track_caller]
pub fn need(tool: &str, install: &str) -> PathBuf {
    match find(tool) {
        Some(path) => path,
        None => panic!("this test needs {tool}: {install}"),
    }
}

/// What `tool` prints when it is run with `arguments`, which must succeed.
#[track_caller]
pub fn run(tool: &str, arguments: &[&str]) -> String {
    let output = std::process::Command::new(tool).args(arguments).output();
    let output = output.unwrap_or_else(|error| panic!("cannot run {tool}: {error}"));
    assert!(output.status.success(), "{tool} {arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8_lossy(&output.stdout).into_owned()
}

/// The program of another plugin, which cargo builds beside the directory of the tests.
#[track_caller]
pub fn plugin(name: &str) -> PathBuf {
    let test = std::env::current_exe().expect("the path of the test");
    let program = test.ancestors().nth(2).expect("a target directory").join(name);
    let built = format!("cargo build -p {name}");
    assert!(program.exists(), "this test needs {}: {built}", program.display());
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let is_newer = |path: &Path| changed(path) > changed(&program);
    let newer = ["common/src".to_owned(), format!("plugins/{name}/src")]
        .into_iter()
        .find_map(|folder| sources(&root.join(folder)).into_iter().find(|source| is_newer(source)));
    assert!(newer.is_none(), "{} is older than {newer:?}: {built}", program.display());
    program
}

fn sources(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten().map(|entry| entry.path());
    entries.flat_map(|path| if path.is_dir() { sources(&path) } else { vec![path] }).collect()
}

fn changed(path: &Path) -> Option<SystemTime> {
    std::fs::metadata(path).and_then(|metadata| metadata.modified()).ok()
}

/// The path of `tool`, if it is there.
pub fn find(tool: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    // An ordinary user's PATH may lack the directories of administration.
    let directories = std::env::split_paths(&path).chain(["/usr/sbin", "/sbin"].map(PathBuf::from));
    directories.map(|directory| directory.join(tool)).find(|candidate| candidate.is_file())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tool_is_found() {
        assert!(need("sh", "apt-get install dash").is_absolute());
    }

    #[test]
    #[should_panic(expected = "this test needs no-such-tool: apt-get install it")]
    fn a_missing_tool_fails_with_its_remedy() {
        need("no-such-tool", "apt-get install it");
    }
}
