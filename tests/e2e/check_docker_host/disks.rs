//! Filesystems that fill up, become read-only, hang, and are kept busy.

use std::time::Duration;

use support::live::{Engine, Mount, Process, eventually};

use crate::check::{CALM, Check, Said};

const MIB: u64 = 1 << 20;

/// A run on `mount` alone.
fn check_of(mount: &Mount) -> Check {
    Check::new(["--only", "disk", "--mount", &mount.name()])
}

/// The percentage agrees with df, which rounds up.
#[track_caller]
fn as_df_says(said: &Said, mount: &Mount, metric: &str, column: &str) {
    let figure = said.figure(&format!("{}:{metric}", mount.name()));
    let df = mount.df(column).to_string();
    // The figure is printed with two decimals.
    let possible = [figure - 0.005, figure + 0.005].map(|figure| figure.ceil().to_string());
    assert!(possible.contains(&df), "{metric} of {}: {figure}, and df says {df}", mount.name());
}

#[test]
fn a_full_tmpfs_is_critical() {
    let mount = Mount::tmpfs("64m");
    let check = check_of(&mount);
    check.run(&[]).has_code(0);
    mount.fill(96);
    let said = check.run(&[]);
    said.has_code(2).headlines(&format!("DOCKER_HOST CRITICAL - disk {} 96", mount.name()));
    said.says("(over 95 %)");
    as_df_says(&said, &mount, "used_percent", "pcent");
    // Memory is no disk: it is judged where it is named only.
    Check::new(["--only", "disk"]).run(&["-v"]).says_not(&mount.name());
}

#[test]
fn a_full_disk_is_critical_and_names_who_holds_deleted_files() {
    let mount = Mount::ext4(64 * MIB, &[]);
    let held = Process::script(
        r#"exec 3>"$1"; rm "$1"; head -c 16777216 /dev/zero >&3; sync; exec sleep 600"#,
        &[mount.path().join("held")],
    );
    held.becomes("sleep");
    mount.fill(97);
    let said = check_of(&mount).run(&[]);
    said.has_code(2).headlines(&format!("disk {} 9", mount.name())).says("(over 95 %)");
    as_df_says(&said, &mount, "used_percent", "pcent");
    assert_eq!(said.line("in deleted files"), "16 MiB in deleted files that are still open:");
    assert_eq!(said.line(&format!("pid {}", held.pid())), format!("16 MiB sleep pid {}", held.pid()));
    drop(held);
    eventually("the space to come back", || mount.df("pcent") < 90);
    check_of(&mount).run(&[]).has_code(0).says_not("deleted files");
}

#[test]
fn a_disk_without_inodes_is_critical() {
    let mount = Mount::ext4(64 * MIB, &["-N", "128"]);
    let check = check_of(&mount);
    check.run(&[]).has_code(0);
    let created = (0..1000).take_while(|number| std::fs::write(mount.path().join(number.to_string()), "").is_ok());
    assert!(created.count() < 1000);
    let said = check.run(&[]);
    said.has_code(2).headlines(&format!("inodes of {} 100 % (over 95 %)", mount.name()));
    as_df_says(&said, &mount, "inodes_used_percent", "ipcent");
    assert!(said.figure(&format!("{}:used_percent", mount.name())) < 90.0);
}

#[test]
fn a_mount_that_becomes_read_only_is_critical_until_it_is_mended() {
    let mount = Mount::ext4(32 * MIB, &[]);
    // Found by itself, as the disks of a host are.
    let check = Check::new(["--only", "disk"]);
    let label = format!("{}:read_only", mount.name());
    assert_eq!(check.run(&[]).figures.get(&label), Some(&0.0));
    mount.remount("ro");
    for _ in 0..2 {
        let said = check.run(&[]);
        said.has_code(2).headlines(&format!("{} became read-only", mount.name()));
        assert_eq!(said.figures.get(&label), Some(&1.0));
    }
    // Who never saw it writable does not complain.
    check_of(&mount).run(&[]).has_code(0).says("read_only=1");
    mount.remount("rw");
    check.run(&[]).says_not(&format!("{} became", mount.name()));
    check_of(&mount).run(&[]).has_code(0);
}

#[test]
fn a_mount_that_hangs_is_named_and_all_else_is_judged() {
    let mount = Mount::fuse();
    let remote = Check::new(CALM.iter().chain(&["--remote", "-t", "2s"]));
    remote.run(&[]).has_code(0).says(&format!("{}:used_percent=", mount.name()));
    mount.server().stop();

    let said = remote.run(&["-v"]);
    assert!(said.output.elapsed <= Duration::from_millis(2500), "{:?}", said.output.elapsed);
    said.has_code(3).headlines(&format!("DOCKER_HOST UNKNOWN - {}: no answer within 1.8s", mount.name()));
    for label in ["memory_used_percent", "/:used_percent", "oom_kills", "process_files_used_percent"] {
        said.figure(label);
    }
    said.line("[OK] memory: ");
    said.line("[OK] /: ");
    assert!(!said.figures.contains_key(&format!("{}:used_percent", mount.name())), "{}", said.text());
    let critical = remote.run(&["--timeout-state", "critical"]);
    critical.has_code(2).headlines(&format!("{}: no answer within", mount.name()));
    let named = Check::new(["--only", "disk", "-t", "1s", "--mount", &mount.name()]).run(&[]);
    named.has_code(3).headlines("no answer");
    assert!(named.output.elapsed <= Duration::from_millis(1500), "{:?}", named.output.elapsed);

    let busy = Check::new(["--no-docker", "--busy", &mount.name()]).run(&[]);
    busy.has_code(0).headlines(&format!("nobody uses mount {}", mount.name()));
    assert!(busy.output.elapsed < Duration::from_secs(1), "{:?}", busy.output.elapsed);

    let untouched = Check::new(CALM).run(&["-v"]);
    untouched.has_code(0).line(&format!("not touched without --remote: {}", mount.name()));
    assert!(untouched.output.elapsed < Duration::from_secs(1), "{:?}", untouched.output.elapsed);
    untouched.says_not(&format!("{}:", mount.name()));

    mount.server().signal("CONT");
    remote.run(&[]).has_code(0);
}

#[test]
fn who_keeps_a_disk_busy_is_named() {
    let engine = Engine::given();
    let mount = Mount::ext4(32 * MIB, &[]);
    let check = Check::new(["--docker-host", &engine.address(), "--busy", &mount.name(), "-c", "busy_processes=0"]);
    check.run(&[]).has_code(0).headlines(&format!("nobody uses mount {}", mount.name()));

    let file = mount.path().join("open");
    let opener = Process::script(r#"exec 3>"$1"; exec sleep 600"#, &[&file]);
    let worker = Process::script(r#"cd "$1"; exec sleep 600"#, &[mount.path()]);
    opener.becomes("sleep");
    worker.becomes("sleep");
    let said = check.run(&[]);
    said.has_code(2).headlines(&format!("2 processes use mount {}: sleep, sleep", mount.name()));
    assert!(said.line(&format!("pid {}:", opener.pid())).ends_with(&format!("has {} open", file.display())));
    assert!(said.line(&format!("pid {}:", worker.pid())).ends_with("works there"));

    let volume = format!("{}:/data", mount.name());
    let script = "exec 3>/data/held; exec /bin/busybox sleep 600";
    let container = engine.container("sirenia_test_busy_1", &[&volume], script);
    let held = mount.path().join("held");
    eventually("the container to open its file", || held.exists());
    let said = check.run(&[]);
    said.has_code(2).headlines("3 processes use mount");
    assert_eq!(said.figure("busy_processes").to_string(), "3");
    assert_eq!(
        said.line(&format!("pid {}:", container.pid())),
        format!("busybox (sirenia_test_busy_1) pid {}: has /data/held open", container.pid())
    );

    drop((container, opener, worker));
    check.run(&[]).has_code(0).headlines("nobody uses");
}

#[test]
fn who_keeps_a_directory_busy_is_named_whatever_its_path_there() {
    let engine = Engine::given();
    let mount = Mount::ext4(32 * MIB, &[]);
    let subject = mount.path().join("volumes/db");
    std::fs::create_dir_all(subject.join("deep")).unwrap();
    let check = Check::new([
        "--docker-host",
        &engine.address(),
        "--busy",
        &subject.display().to_string(),
        "-c",
        "busy_processes=0",
    ]);
    let bind = |directory: &str| format!("{}:/data", mount.path().join(directory).display());
    let waits = "cd /data; exec /bin/busybox sleep 600";
    let below = engine.container("sirenia_test_below_1", &[&bind("volumes/db/deep")], waits);
    let above =
        engine.container("sirenia_test_above_1", &[&bind("volumes")], "cd /data/db; exec /bin/busybox sleep 600");
    let beside = engine.container("sirenia_test_beside_1", &[&bind("beside")], waits);
    // A directory of the container's own that happens to be called as the subject is.
    let own = format!("/bin/busybox mkdir -p {0}; cd {0}; exec /bin/busybox sleep 600", subject.display());
    let namesake = engine.container("sirenia_test_namesake_1", &[], &own);
    for container in [&below, &above, &beside, &namesake] {
        eventually("the container to sleep", || {
            let arguments = std::fs::read(format!("/proc/{}/cmdline", container.pid())).unwrap_or_default();
            arguments == b"/bin/busybox\0sleep\x00600\0"
        });
    }
    let said = check.run(&[]);
    said.has_code(2).headlines("2 processes use path");
    assert!(said.line("(sirenia_test_below_1)").ends_with("works there"));
    assert!(said.line("(sirenia_test_above_1)").ends_with("works there"));
    said.says_not("beside").says_not("namesake");
}
