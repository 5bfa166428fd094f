//! Environments and state directories that nobody would set up on purpose.

use std::ffi::OsStr;
use std::fs;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::{Path, PathBuf};
use std::process::Command;

use super::{Plugin, checked};
use crate::run::Run;

const NOT_UTF8: &[u8] = b"caf\xe9\xff";

/// Arguments that are not UTF-8 are refused or taken, and nothing breaks.
pub fn arguments_that_are_not_utf8_do_no_harm(plugin: &Plugin) {
    let bytes = OsStr::from_bytes(NOT_UTF8);
    let joined = |before: &str| OsStr::from_bytes(&[before.as_bytes(), NOT_UTF8].concat()).to_owned();
    checked(plugin.run().arg(bytes).output());
    for option in ["-w", "-c", "-t", "--format", "--perfdata", "--timeout-state", "--options-file"] {
        checked(plugin.good().arg(option).arg(bytes).output());
        checked(plugin.good().arg(joined(&format!("{option}="))).output());
    }
    assert_eq!(checked(plugin.good().arg(joined("--no-such-option=")).output()).code, 3);
    assert_eq!(checked(plugin.good().arg("-w").arg(joined(&plugin.threshold(""))).output()).code, 3);

    let dir = tempfile::tempdir().expect("a temporary directory");
    let file = dir.path().join("options");
    fs::write(&file, [b"-w ", NOT_UTF8, b"\n"].concat()).expect("a file");
    assert_eq!(checked(plugin.good().arg("--options-file").arg(&file).output()).code, 3);
    let state_dir = plugin.good().state_dir(dir.path().join(bytes));
    assert_eq!(checked(state_dir.output()).code, plugin.good_with(&[]).code);
}

/// Whatever the environment holds or lacks, the answer is the same.
pub fn a_strange_environment_does_no_harm(plugin: &Plugin) {
    let expected = plugin.good_with(&[]).code;
    let here = tempfile::tempdir().expect("a temporary directory");
    let run = || plugin.good().no_state_dir().current_dir(here.path());
    assert_eq!(checked(run().output()).code, expected, "an empty environment");
    let values = [NOT_UTF8, b"", b"relative", b"/dev/null", b"/proc/nonexistent/x", b"/dev/null/x:/y"];
    for value in values.map(OsStr::from_bytes) {
        let mut all = run().env("STATE_DIRECTORY", value);
        for name in ["HOME", "PATH", "XDG_STATE_HOME", "LANG", "LC_ALL", "TERM", "COLUMNS", "NO_COLOR", "TZ"] {
            all = all.env(name, value);
        }
        assert_eq!(checked(all.output()).code, expected, "{}", value.display());
    }
    let noisy = run().env("RUST_BACKTRACE", "full").env("RUST_LOG", "trace").env("STATE_DIRECTORY", "/proc/1");
    assert_eq!(checked(noisy.arg("-vvv").output()).code, expected);
    // A relative path would mean another directory each time, and be anybody's.
    assert!(fs::read_dir(here.path()).expect("a directory").next().is_none(), "nothing is left where it was started");
}

/// The program does not depend on the name it is called by.
pub fn a_strange_name_does_no_harm(plugin: &Plugin) {
    let expected = plugin.good_with(&[]);
    for name in [&b""[..], NOT_UTF8, b"a|b\nc", b"--help"] {
        let name = OsStr::from_bytes(name);
        let output = checked(plugin.good().arg0(name).output());
        assert_eq!(output.code, expected.code, "{}", name.display());
        assert!(output.stdout.starts_with(&plugin.status(super::state_of(&expected))), "{}", output.stdout);
        assert!(checked(plugin.run().arg0(name).arg("--help").output()).stdout.contains(plugin.name));
    }
}

/// The files that the run has left in its state directory, those of samples first.
fn kept_by(run: &Run) -> Vec<PathBuf> {
    let directory = run.state_path().expect("a state directory");
    let entries = fs::read_dir(directory).expect("a state directory");
    let mut paths: Vec<PathBuf> = entries.map(|entry| entry.expect("an entry").path()).collect();
    paths.sort();
    paths
}

/// A sample that is damaged is a first run, not a failure.
pub fn a_damaged_sample_does_no_harm(plugin: &Plugin) {
    let expected = plugin.good_with(&[]).code;
    let run = plugin.good();
    assert_eq!(checked(run.output()).code, expected);
    for path in kept_by(&run) {
        let mode = fs::metadata(&path).expect("a sample").permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "mode of {}", path.display());
        let whole = fs::read(&path).expect("a sample");
        let half = whole[..whole.len() / 2].to_vec();
        let nested = "[".repeat(200_000).into_bytes();
        for damage in [half, Vec::new(), vec![0; 4096], b"[]".to_vec(), b"{\"format\":1}".to_vec(), nested] {
            fs::write(&path, &damage).expect("a damaged sample");
            assert_eq!(
                checked(run.output()).code,
                expected,
                "{:?}",
                String::from_utf8_lossy(&damage[..damage.len().min(40)])
            );
        }
        // Read as a sample of the same shape it would make nonsense of every figure that needs two runs.
        fs::write(&path, String::from_utf8_lossy(&whole).replace("\"wall\":", "\"wall\":9")).expect("a sample");
        assert_eq!(checked(run.output()).code, expected, "a sample of the future");
    }
}

/// What somebody else put in the place of a sample is neither followed nor waited for.
pub fn a_planted_sample_does_no_harm(plugin: &Plugin) {
    let expected = plugin.good_with(&[]).code;
    let run = plugin.good();
    checked(run.output());
    let elsewhere = tempfile::tempdir().expect("a temporary directory");
    let victim = elsewhere.path().join("victim");
    let kept = kept_by(&run);
    let temporary = kept.iter().map(|path| PathBuf::from(format!("{}.tmp", path.display()))).collect::<Vec<_>>();
    let made = victim.with_extension("made");
    let plants: [fn(&Path, &Path); 5] = [
        |path, victim| symlink(victim.with_extension("made"), path).expect("a symbolic link"),
        |path, victim| symlink(victim, path).expect("a symbolic link"),
        |path, _| symlink("/dev/zero", path).expect("a symbolic link"),
        |path, _| fs::create_dir(path).expect("a directory"),
        |path, _| {
            let made = Command::new("mkfifo").arg(path).status().expect("mkfifo, of coreutils");
            assert!(made.success());
        },
    ];
    for plant in plants {
        for path in kept.iter().chain(&temporary) {
            fs::write(&victim, "untouched").expect("a file");
            remove(path);
            plant(path, &victim);
            assert_eq!(checked(run.output()).code, expected, "{}", path.display());
            assert_eq!(fs::read_to_string(&victim).expect("the victim"), "untouched");
            assert!(!made.exists(), "nothing is made through a link");
            remove(path);
        }
    }
}

fn remove(path: &Path) {
    let _ = if path.is_dir() && !path.is_symlink() { fs::remove_dir_all(path) } else { fs::remove_file(path) };
}

/// A state directory that cannot be used costs the samples and nothing else.
pub fn an_unusable_state_directory_does_no_harm(plugin: &Plugin) {
    let expected = plugin.good_with(&[]).code;
    let dir = tempfile::tempdir().expect("a temporary directory");
    let below = |name: &str| dir.path().join(name);
    fs::write(below("file"), "").expect("a file");
    fs::create_dir(below("directory")).expect("a directory");
    symlink(below("directory"), below("link")).expect("a symbolic link");
    for (name, mode) in [("open", 0o777), ("read-only", 0o500), ("closed", 0o000)] {
        fs::create_dir(below(name)).expect("a directory");
        fs::set_permissions(below(name), fs::Permissions::from_mode(mode)).expect("a mode");
    }
    let places = [
        below("file"),
        below("file/below"),
        below("link"),
        below("open"),
        below("read-only"),
        below("closed"),
        below("not/yet/there"),
        below(&"x".repeat(5000)),
        below("a|b\nc = 'd'"),
        PathBuf::from("/proc"),
        PathBuf::from("/dev/null"),
    ];
    for place in &places {
        for verbosity in ["--verbose", "-vvv"] {
            let output = checked(plugin.good().state_dir(place).arg(verbosity).output());
            assert_eq!(output.code, expected, "{}: {}", place.display(), output.stdout);
            super::perfdata_of(&output);
        }
    }
    assert!(fs::read_dir(below("directory")).expect("a directory").next().is_none(), "nothing through a link");
    assert!(fs::read_dir(below("open")).expect("a directory").next().is_none(), "nothing where everybody can write");
}
