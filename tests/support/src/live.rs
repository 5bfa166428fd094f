//! The real machine: processes, mounts and an engine that end with the test, however it ends.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use tempfile::TempDir;

use crate::tool::{need, run};

/// How long a condition may take to come true.
const PATIENCE: Duration = Duration::from_secs(20);

/// Fails where the test does not run as root.
#[track_caller]
pub fn need_root() {
    assert_eq!(
        run("id", &["-u"]).trim(),
        "0",
        "this test needs root: it looks into every process and mounts filesystems"
    );
}

/// Waits until `condition` is true. `what` says what was waited for in vain.
#[track_caller]
pub fn eventually(what: &str, mut condition: impl FnMut() -> bool) {
    let end = Instant::now() + PATIENCE;
    while !condition() {
        assert!(Instant::now() < end, "waited {PATIENCE:?} in vain: {what}");
        thread::sleep(Duration::from_millis(5));
    }
}

/// A process that ends with this value, and with the test where that is killed.
#[derive(Debug)]
pub struct Process {
    child: Child,
    /// What asks it to end.
    farewell: &'static str,
}

impl Process {
    /// Runs `program`; what it prints goes nowhere.
    #[track_caller]
    pub fn start<A: AsRef<OsStr>>(program: &str, arguments: impl IntoIterator<Item = A>) -> Self {
        Self::spawn(program, arguments, "KILL", |command| command.stdout(Stdio::null()).stderr(Stdio::null()))
    }

    /// Runs `script` with bash, which may begin by `exec sleep` something. `$1` and so on are `arguments`.
    #[track_caller]
    pub fn script<A: AsRef<OsStr>>(script: &str, arguments: &[A]) -> Self {
        let words = ["-c", script, "bash"].into_iter().map(OsStr::new).chain(arguments.iter().map(AsRef::as_ref));
        Self::start("bash", words)
    }

    /// Runs `program` as `adjust` says; the signal `farewell` asks it to end.
    #[track_caller]
    pub fn spawn<A: AsRef<OsStr>>(
        program: &str,
        arguments: impl IntoIterator<Item = A>,
        farewell: &'static str,
        adjust: impl FnOnce(&mut Command) -> &mut Command,
    ) -> Self {
        let mut command = Command::new(need("setpriv", "apt-get install util-linux"));
        command.args(["--pdeathsig", farewell, "--"]).arg(need(program, "apt-get install the package that has it"));
        let child = adjust(command.args(arguments).stdin(Stdio::null())).spawn();
        Self { child: child.unwrap_or_else(|error| panic!("cannot run {program}: {error}")), farewell }
    }

    /// Its process ID.
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Sends it the signal `name`.
    #[track_caller]
    pub fn signal(&self, name: &str) {
        run("kill", &["-s", name, &self.pid().to_string()]);
    }

    /// Stops it and waits until it has stopped.
    #[track_caller]
    pub fn stop(&self) {
        self.signal("STOP");
        eventually("the process to stop", || state_of(self.pid()) == Some('T'));
    }

    /// Waits until it is the program that `name` names, after what prepares it.
    #[track_caller]
    pub fn becomes(&self, name: &str) {
        let comm = format!("/proc/{}/comm", self.pid());
        eventually(&format!("pid {} to become {name}", self.pid()), || {
            std::fs::read_to_string(&comm).is_ok_and(|comm| comm.trim_end() == name)
        });
    }

    /// Whether it has ended.
    pub fn has_ended(&mut self) -> bool {
        self.child.try_wait().is_ok_and(|status| status.is_some())
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        if self.has_ended() {
            return;
        }
        let pid = self.pid().to_string();
        for signal in [self.farewell, "CONT"] {
            let _ = Command::new("kill").args(["-s", signal, &pid]).status();
        }
        let end = Instant::now() + PATIENCE;
        while !self.has_ended() && Instant::now() < end {
            thread::sleep(Duration::from_millis(5));
        }
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The state of process `pid`, `S` or `Z` say; `None` once it is gone.
pub fn state_of(pid: u32) -> Option<char> {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    // The name before it may hold anything, brackets too.
    stat.rsplit_once(") ")?.1.chars().next()
}

/// A filesystem of the test's own, in a temporary directory of its own.
#[derive(Debug)]
pub struct Mount {
    path: PathBuf,
    /// What serves it, if that is a process.
    server: Option<Process>,
    _directory: TempDir,
}

impl Mount {
    /// A tmpfs of `size` (`64m`).
    #[track_caller]
    pub fn tmpfs(size: &str) -> Self {
        need_root();
        let mount = Self::prepare();
        run("mount", &["-t", "tmpfs", "-o", &format!("size={size}"), "tmpfs", &mount.name()]);
        mount
    }

    /// An ext4 of `size` in a sparse file, made by mkfs with `options` too.
    #[track_caller]
    pub fn ext4(size: u64, options: &[&str]) -> Self {
        need_root();
        need("mkfs.ext4", "apt-get install e2fsprogs");
        let mount = Self::prepare();
        let image = mount.path.with_file_name("image");
        let file = std::fs::File::create(&image).expect("a file for the filesystem");
        file.set_len(size).expect("a sparse file");
        let image = image.display().to_string();
        run("mkfs.ext4", &[&["-q", "-F", "-m", "0"], options, &[&image]].concat());
        run("mount", &["-o", "loop", &image, &mount.name()]);
        mount
    }

    /// A FUSE filesystem, served by a process that can be stopped.
    #[track_caller]
    pub fn fuse() -> Self {
        need_root();
        let bindfs = need("bindfs", "apt-get install bindfs fuse3").display().to_string();
        assert!(Path::new("/dev/fuse").exists(), "this test needs /dev/fuse: modprobe fuse");
        let mut mount = Self::prepare();
        let source = mount.path.with_file_name("source");
        std::fs::create_dir(&source).expect("a directory to serve");
        let server = Process::start(&bindfs, ["-f", &source.display().to_string(), &mount.name()]);
        mount.server = Some(server);
        eventually("bindfs to mount", || mount.is_mounted());
        mount
    }

    /// The process that serves it.
    #[track_caller]
    pub fn server(&self) -> &Process {
        self.server.as_ref().expect("a filesystem with a process")
    }

    fn prepare() -> Self {
        let directory = tempfile::Builder::new().prefix("mount-").tempdir().expect("a temporary directory");
        // As the kernel names it, whatever TMPDIR is.
        let path = directory.path().canonicalize().expect("a real path").join("fs");
        std::fs::create_dir(&path).expect("a directory to mount on");
        Self { path, server: None, _directory: directory }
    }

    /// Where it is mounted.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The same as text.
    pub fn name(&self) -> String {
        self.path.display().to_string()
    }

    /// Mounts it again with `options`.
    #[track_caller]
    pub fn remount(&self, options: &str) {
        run("mount", &["-o", &format!("remount,{options}"), &self.name()]);
    }

    /// What `df --output` says of it in `column`, without `%`.
    #[track_caller]
    pub fn df(&self, column: &str) -> u64 {
        df(&self.path, column)
    }

    /// Writes a file until at least `percent` of the space is used, by df's judgement.
    #[track_caller]
    pub fn fill(&self, percent: u64) {
        let total = self.df("used") + self.df("avail");
        let kib = (total * percent).div_ceil(100).saturating_sub(self.df("used"));
        let mut file = std::fs::File::create(self.path.join("filler")).expect("a file to write");
        let zeros = std::io::Read::take(std::io::repeat(0), kib * 1024);
        std::io::copy(&mut std::io::BufReader::with_capacity(1 << 16, zeros), &mut file).expect("to write");
        file.sync_all().expect("to write it to disk");
    }

    fn is_mounted(&self) -> bool {
        let mounts = std::fs::read_to_string("/proc/self/mounts").expect("the mounts");
        mounts.lines().any(|line| line.split(' ').nth(1) == Some(&self.name()))
    }
}

impl Drop for Mount {
    fn drop(&mut self) {
        // A filesystem without its process answers at once, with an error.
        self.server = None;
        if self.is_mounted() {
            let _ = Command::new("umount").args(["--lazy", &self.name()]).status();
        }
    }
}

/// What `df --output` says in `column` of the filesystem of `path`, in KiB or percent.
#[track_caller]
pub fn df(path: &Path, column: &str) -> u64 {
    let text = run("df", &[&format!("--output={column}"), &path.display().to_string()]);
    let value = text.lines().nth(1).unwrap_or_default().trim().trim_end_matches('%');
    value.parse().unwrap_or_else(|_| panic!("df --output={column}: {text}"))
}

/// The engine that `SIRENIA_TEST_DOCKER_SOCKET` names, or one that the test starts itself.
#[derive(Debug)]
pub struct Engine {
    socket: PathBuf,
    server: Option<Process>,
    directory: Option<TempDir>,
}

/// The image of all containers of the tests.
const IMAGE: &str = "sirenia-test-busybox";

impl Engine {
    /// The engine that tests/run has started.
    #[track_caller]
    pub fn given() -> Self {
        let Some(socket) = std::env::var_os("SIRENIA_TEST_DOCKER_SOCKET") else {
            panic!("SIRENIA_TEST_DOCKER_SOCKET is not set: tests/run starts a Docker engine and sets it");
        };
        let engine = Self { socket: socket.into(), server: None, directory: None };
        engine.import();
        engine
    }

    /// An engine that shares nothing with any other, and listens at `further` addresses too.
    #[track_caller]
    pub fn start(further: &[&str]) -> Self {
        need_root();
        let dockerd = need("dockerd", "apt-get install docker.io").display().to_string();
        let directory = tempfile::Builder::new().prefix("engine-").tempdir().expect("a temporary directory");
        let path = |name: &str| directory.path().join(name).display().to_string();
        let socket = path("docker.sock");
        let (data, exec, pidfile) = (path("data"), path("exec"), path("pid"));
        let mut arguments: Vec<String> = vec!["--host".to_owned(), format!("unix://{socket}")];
        arguments.extend(further.iter().flat_map(|address| ["--host", address].map(str::to_owned)));
        for (option, value) in [("--data-root", &data), ("--exec-root", &exec), ("--pidfile", &pidfile)] {
            arguments.extend([option.to_owned(), value.clone()]);
        }
        arguments.extend(["--bridge=none", "--iptables=false", "--tls=false"].map(str::to_owned));
        let log = std::fs::File::create(path("log")).expect("a file for the log");
        let server = Process::spawn(&dockerd, &arguments, "TERM", |command| command.stdout(Stdio::null()).stderr(log));
        let mut engine = Self { socket: socket.into(), server: Some(server), directory: Some(directory) };
        eventually("the engine to answer", || {
            let ended = engine.server.as_mut().is_some_and(Process::has_ended);
            assert!(!ended, "dockerd: {}", std::fs::read_to_string(path_in(&engine, "log")).unwrap_or_default());
            engine.docker(&["version"]).is_ok()
        });
        engine
    }

    /// Its socket as a `DOCKER_HOST`.
    pub fn address(&self) -> String {
        format!("unix://{}", self.socket.display())
    }

    /// Its process, if the test started it.
    #[track_caller]
    pub fn server(&self) -> &Process {
        self.server.as_ref().expect("an engine of the test's own")
    }

    /// Ends it; its files stay.
    #[track_caller]
    pub fn end(&mut self) {
        self.server = None;
    }

    /// Where it keeps its data.
    #[track_caller]
    pub fn root(&self) -> String {
        self.docker(&["info", "--format", "{{.DockerRootDir}}"]).unwrap_or_else(|error| panic!("{error}"))
    }

    /// Runs `docker` with `arguments`.
    pub fn docker(&self, arguments: &[&str]) -> Result<String, String> {
        let mut command = Command::new(need("docker", "apt-get install docker.io"));
        let output = command.env("DOCKER_HOST", self.address()).args(arguments).stdin(Stdio::null()).output();
        let output = output.map_err(|error| error.to_string())?;
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).trim().to_owned();
        if output.status.success() { Ok(text(&output.stdout)) } else { Err(text(&output.stderr)) }
    }

    /// Makes the image: a busybox and nothing else.
    #[track_caller]
    fn import(&self) {
        if self.docker(&["image", "inspect", IMAGE]).is_ok() {
            return;
        }
        let busybox = need("busybox", "apt-get install busybox-static");
        let directory = tempfile::tempdir().expect("a temporary directory");
        let tree = directory.path().join("tree");
        std::fs::create_dir_all(tree.join("bin")).expect("a directory for the image");
        std::fs::copy(busybox, tree.join("bin/busybox")).expect("to copy busybox");
        let archive = directory.path().join("image.tar").display().to_string();
        run("tar", &["-C", &tree.display().to_string(), "-cf", &archive, "."]);
        self.docker(&["import", &archive, IMAGE]).unwrap_or_else(|error| panic!("docker import: {error}"));
    }

    /// A container without a network that runs `script`, with the bind mounts `volumes` (`/from:/to`).
    #[track_caller]
    pub fn container(&self, name: &str, volumes: &[&str], script: &str) -> Container<'_> {
        // Left by a test that was killed.
        let _ = self.docker(&["rm", "-f", name]);
        let mut arguments = vec!["run", "-d", "--network", "none", "--name", name];
        arguments.extend(volumes.iter().flat_map(|volume| ["-v", *volume]));
        arguments.extend([IMAGE, "/bin/busybox", "sh", "-c", script]);
        let container = Container { engine: self, name: name.to_owned() };
        self.docker(&arguments).unwrap_or_else(|error| panic!("docker run: {error}"));
        container
    }
}

fn path_in(engine: &Engine, name: &str) -> PathBuf {
    engine.directory.as_ref().map_or_else(PathBuf::new, |directory| directory.path().join(name))
}

impl Drop for Engine {
    fn drop(&mut self) {
        let Some(directory) = &self.directory else { return };
        self.server = None;
        // dockerd takes its containerd along, unless it had to be killed.
        if let Ok(pid) = std::fs::read_to_string(directory.path().join("exec/containerd/containerd.pid"))
            && std::fs::read_to_string(format!("/proc/{}/comm", pid.trim())).is_ok_and(|comm| comm == "containerd\n")
        {
            let _ = Command::new("kill").args(["-s", "KILL", pid.trim()]).stderr(Stdio::null()).status();
        }
        let mounts = std::fs::read_to_string("/proc/self/mounts").unwrap_or_default();
        let mine = mounts.lines().filter_map(|line| line.split(' ').nth(1));
        // The deepest first.
        for path in mine.filter(|path| Path::new(path).starts_with(directory.path())).collect::<Vec<_>>().iter().rev() {
            let _ = Command::new("umount").args(["--lazy", path]).status();
        }
    }
}

/// A container that ends with this value.
#[derive(Debug)]
pub struct Container<'a> {
    engine: &'a Engine,
    name: String,
}

impl Container<'_> {
    /// The ID of its first process, as the host counts.
    #[track_caller]
    pub fn pid(&self) -> u32 {
        let pid = self.engine.docker(&["inspect", "--format", "{{.State.Pid}}", &self.name]);
        pid.and_then(|pid| pid.parse().map_err(|_| pid)).unwrap_or_else(|error| panic!("docker inspect: {error}"))
    }
}

impl Drop for Container<'_> {
    fn drop(&mut self) {
        let _ = self.engine.docker(&["rm", "-f", &self.name]);
    }
}
