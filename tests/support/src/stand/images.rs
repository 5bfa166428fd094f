//! The images of the stand, from programs of this machine: no registry is asked.

use std::collections::BTreeSet;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::time::SystemTime;

use crate::live::Engine;
use crate::stand::FILES;
use crate::tool::{need, run};

/// What the scripts in the images use, and tests that look around in a container.
const APPLETS: [&str; 16] =
    ["sh", "cat", "chmod", "chown", "dd", "df", "head", "id", "kill", "ls", "mkdir", "ps", "rm", "sleep", "su", "wget"];

/// The label that says what an image was made from.
const LABEL: &str = "sirenia.content";

/// Makes the images that `engine` does not have, or has from something older.
#[track_caller]
pub fn make(engine: &Engine) {
    static ONE_AT_A_TIME: Mutex<()> = Mutex::new(());
    let _guard = ONE_AT_A_TIME.lock().unwrap_or_else(PoisonError::into_inner);
    let images = [backend(), postgres()];
    std::thread::scope(|threads| {
        for image in &images {
            threads.spawn(|| image.make(engine));
        }
    });
}

/// An image that is to be.
struct Image {
    name: &'static str,
    /// Files, each with its path in the image.
    files: Vec<(PathBuf, &'static str)>,
    /// Further names of the first file.
    names: &'static [&'static str],
    /// Folders that have the same path here and there.
    folders: Vec<PathBuf>,
    /// Programs and libraries whose own libraries are needed too.
    programs: Vec<PathBuf>,
    /// Instructions of a Dockerfile.
    changes: Vec<String>,
}

/// Kwanza and Cuesta.
fn backend() -> Image {
    let program = stand_in();
    Image {
        name: "sirenia-test-backend",
        files: vec![(program.clone(), "usr/bin/kwanza")],
        names: &["usr/bin/cuesta"],
        folders: Vec::new(),
        programs: vec![program],
        changes: Vec::new(),
    }
}

/// PostgreSQL, with the command of its own image.
fn postgres() -> Image {
    let home = postgres_home();
    let version = home.file_name().map(PathBuf::from).unwrap_or_default();
    let (bin, lib) = (home.join("bin"), home.join("lib"));
    let is_library = |path: &PathBuf| path.extension().is_some_and(|extension| extension == "so");
    let libraries = entries(&lib).into_iter().filter(is_library).filter(|path| !path.ends_with("llvmjit.so"));
    Image {
        name: "sirenia-test-postgres",
        files: vec![(Path::new(FILES).join("postgres/docker-entrypoint.sh"), "usr/bin/docker-entrypoint.sh")],
        names: &[],
        programs: entries(&bin).into_iter().chain(libraries).collect(),
        changes: vec![
            r#"ENTRYPOINT ["docker-entrypoint.sh"]"#.to_owned(),
            r#"CMD ["postgres"]"#.to_owned(),
            format!("ENV PATH={}:/usr/bin:/bin", bin.display()),
            "ENV PGDATA=/var/lib/postgresql/data".to_owned(),
        ],
        folders: vec![
            bin,
            lib,
            Path::new("/usr/share/postgresql").join(version),
            "/usr/share/zoneinfo".into(),
            "/usr/lib/locale/C.utf8".into(),
        ],
    }
}

impl Image {
    #[track_caller]
    fn make(&self, engine: &Engine) {
        let content = self.content();
        let format = format!("{{{{index .Config.Labels {LABEL:?}}}}}");
        if engine.docker(&["image", "inspect", "--format", &format, self.name]).is_ok_and(|label| label == content) {
            return;
        }
        let directory = tempfile::tempdir().expect("a temporary directory");
        let archive = self.archive(directory.path());
        let label = format!("LABEL {LABEL}={content}");
        let mut arguments = vec!["import", "--change", &label];
        arguments.extend(self.changes.iter().flat_map(|change| ["--change", change]));
        arguments.extend([archive.as_str(), self.name]);
        engine.docker(&arguments).unwrap_or_else(|error| panic!("docker import: {error}"));
    }

    /// Tells apart what images are made from.
    fn content(&self) -> String {
        let mut hasher = DefaultHasher::new();
        include_str!("images.rs").hash(&mut hasher);
        for path in self.files.iter().map(|(path, _)| path).chain(&self.programs) {
            (path, changed(path)).hash(&mut hasher);
        }
        format!("{:016x}", hasher.finish())
    }

    /// All files of the image as one archive in `directory`.
    #[track_caller]
    fn archive(&self, directory: &Path) -> String {
        let (tree, archive) = (directory.join("tree"), directory.join("image.tar").display().to_string());
        self.plant(&tree);
        let tree = tree.display().to_string();
        // Follows symbolic links, so that every library has the one name that programs ask for. LLVM's are large, and
        // PostgreSQL does without.
        let mut arguments = vec!["--create", "--file", &archive, "--dereference", "--owner=0", "--group=0"];
        arguments.extend([
            "--exclude=*/lib/bitcode",
            "--exclude=*/llvmjit*",
            "--directory",
            &tree,
            ".",
            "--directory=/",
        ]);
        let libraries = libraries(&self.programs);
        let folders = self.folders.iter().map(|folder| folder.to_str().expect("a name in UTF-8"));
        arguments.extend(folders.chain(libraries.iter().map(String::as_str)).map(|path| path.trim_start_matches('/')));
        run("tar", &arguments);
        archive
    }

    /// Lays out what does not lie here as it does in the image.
    #[track_caller]
    fn plant(&self, tree: &Path) {
        let at = |path: &str| {
            let path = tree.join(path);
            std::fs::create_dir_all(path.parent().expect("a directory")).expect("a directory for the image");
            path
        };
        let busybox = at("bin/busybox");
        std::fs::copy(need("busybox", "apt-get install busybox-static"), &busybox).expect("to copy busybox");
        for applet in APPLETS {
            std::fs::hard_link(&busybox, at(&format!("bin/{applet}"))).expect("a name for busybox");
        }
        for (from, to) in &self.files {
            std::fs::copy(from, at(to)).unwrap_or_else(|error| panic!("{}: {error}", from.display()));
            if self.programs.contains(from) {
                // What debuggers read is most of it, and the engine copies it twice.
                run("strip", &["--strip-debug", &at(to).display().to_string()]);
            }
        }
        for name in self.names {
            std::fs::hard_link(tree.join(self.files[0].1), at(name)).expect("a second name");
        }
        let accounts = "root:x:0:0:root:/root:/bin/sh\npostgres:x:999:999:postgres:/var/lib/postgresql:/bin/sh\n";
        std::fs::write(at("etc/passwd"), accounts).expect("to write accounts");
        std::fs::write(at("etc/group"), "root:x:0:\npostgres:x:999:\n").expect("to write groups");
        for open in ["tmp", "var/run/postgresql"].map(|path| tree.join(path)) {
            std::fs::create_dir_all(&open).expect("a directory for the image");
            run("chmod", &["1777", &open.display().to_string()]);
        }
    }
}

/// The shared libraries of `programs`.
#[track_caller]
fn libraries(programs: &[PathBuf]) -> BTreeSet<String> {
    need("ldd", "apt-get install libc-bin");
    let programs: Vec<&str> = programs.iter().filter_map(|path| path.to_str()).collect();
    // `libz.so.1 => /lib/x86_64-linux-gnu/libz.so.1 (0x00007f…)`, and the loader without `=>`.
    let path = |line: &str| {
        line.split_whitespace().find(|word| word.starts_with('/') && !word.ends_with(':')).map(str::to_owned)
    };
    run("ldd", &programs).lines().filter_map(path).collect()
}

/// Where the newest PostgreSQL of this machine is.
#[track_caller]
fn postgres_home() -> PathBuf {
    let version = |path: &PathBuf| path.file_name()?.to_str()?.parse::<u32>().ok();
    let homes = entries(Path::new("/usr/lib/postgresql")).into_iter().filter(|home| home.join("bin/postgres").exists());
    homes.max_by_key(version).expect("this test needs a PostgreSQL server: apt-get install postgresql")
}

/// The program of `tests/backend`, which cargo builds beside the directory of the tests.
#[track_caller]
fn stand_in() -> PathBuf {
    let test = std::env::current_exe().expect("the path of the test");
    let program = test.ancestors().nth(2).expect("a target directory").join("stand-in");
    let built = "cargo build -p backend";
    assert!(program.exists(), "this test needs {}: {built}", program.display());
    let sources = entries(&Path::new(env!("CARGO_MANIFEST_DIR")).join("../backend/src"));
    let is_old = sources.iter().any(|source| changed(source) > changed(&program));
    assert!(!is_old, "{} is older than its sources: {built}", program.display());
    program
}

fn entries(directory: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(directory).into_iter().flatten().flatten();
    let mut paths: Vec<PathBuf> = entries.map(|entry| entry.path()).collect();
    paths.sort();
    paths
}

fn changed(path: &Path) -> Option<SystemTime> {
    std::fs::metadata(path).and_then(|metadata| metadata.modified()).ok()
}
