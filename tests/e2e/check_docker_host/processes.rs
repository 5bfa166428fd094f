//! Processes that hold too many files and processes that nobody buries.

use std::os::unix::fs::PermissionsExt as _;

use support::live::{Engine, Process, eventually, state_of};
use support::need;
use support::run::Run;
use support::tool::run;

use crate::check::{Check, Said, binary};

/// Holds 1,000 files besides its standard streams, of 1,024 that it may.
fn holder() -> Process {
    let script = "ulimit -Sn 1024; for ((i = 0; i < 1000; i++)); do exec {file}</dev/null; done; exec sleep 600";
    let holder = Process::script::<&str>(script, &[]);
    holder.becomes("sleep");
    holder
}

/// The holder is named with its files; it may have inherited some more.
#[track_caller]
fn named(said: &Said, holder: &Process) {
    let line = said.line(&format!("(of 1024) sleep pid {}", holder.pid()));
    let files: u32 = line.split(' ').next().unwrap().parse().unwrap();
    assert!((1003..1024).contains(&files), "{line}");
}

#[test]
fn a_process_at_its_limit_of_open_files_is_named() {
    let holder = holder();
    let said = Check::new(["--only", "files", "--top", "20"]).run(&[]);
    said.has_code(2);
    assert!(said.figure("process_files_used_percent") >= 97.0, "{}", said.text());
    named(&said, &holder);
    said.headlines(" of the files it may open (over 90 %)");
}

#[test]
fn an_unprivileged_user_sees_it_where_the_kernel_tells() {
    let holder = holder();
    // The build directory may be closed to nobody.
    let directory = tempfile::tempdir().unwrap();
    let program = directory.path().join("check_docker_host");
    std::fs::copy(binary(), &program).unwrap();
    std::fs::set_permissions(directory.path(), std::fs::Permissions::from_mode(0o755)).unwrap();
    let output = Run::new(need("setpriv", "apt-get install util-linux"))
        .args(["--reuid", "65534", "--regid", "65534", "--clear-groups"])
        .arg(program)
        .args(["--only", "files", "--top", "20", "-v"])
        .no_state_dir()
        .output();
    let said = Said::of(output);
    let release = run("uname", &["-r"]);
    let mut parts = release.split(|c: char| !c.is_ascii_digit()).map(|part| part.parse::<u32>().unwrap_or(0));
    if (parts.next(), parts.next()) >= (Some(6), Some(2)) {
        said.has_code(2).says_not("hidden");
        named(&said, &holder);
    } else {
        said.line("processes are hidden from this user");
    }
}

#[test]
fn only_old_zombies_count_and_their_parent_is_named() {
    let check = Check::new(["--only", "processes", "-w", "zombies=0", "-c", "zombies="]);
    let before = check.run(&[]).figure("zombies");
    // sleep takes no notice of the child that it did not start itself.
    let parent = Process::script::<&str>("sleep 0 & exec sleep 600", &[]);
    parent.becomes("sleep");
    let children = format!("/proc/{0}/task/{0}/children", parent.pid());
    let child = || -> Option<u32> { std::fs::read_to_string(&children).ok()?.trim().parse().ok() };
    eventually("the child to end", || child().is_some_and(|pid| state_of(pid) == Some('Z')));
    let zombie = child().unwrap();

    for _ in 0..2 {
        let fresh = check.run(&["-v"]);
        assert_eq!(fresh.figure("zombies").to_string(), before.to_string(), "{}", fresh.text());
        fresh.says_not(&format!("pid {zombie}"));
    }
    let mut sample = check.read_sample();
    let zombies = sample["data"]["zombies"].as_array_mut().unwrap();
    let entry = zombies.iter_mut().find(|entry| entry[0] == zombie).expect("the zombie is remembered");
    let first_seen = entry[2].as_f64().unwrap();
    entry[2] = (first_seen - 61.0).into();
    check.write_sample(&sample);

    for _ in 0..2 {
        let old = check.run(&[]);
        old.has_code(1).headlines(" zombies (over 0)");
        assert!(old.figure("zombies") > before, "{}", old.text());
        old.line(&format!("left by sleep pid {}: sleep pid {zombie}", parent.pid()));
    }
    drop(parent);
    eventually("the zombie to be buried", || state_of(zombie).is_none());
    check.run(&["-v"]).says_not(&format!("pid {zombie}"));
}

#[test]
fn processes_of_containers_are_named_with_their_container() {
    let engine = Engine::given();
    let check = Check::new(["--docker-host", &engine.address(), "--only", "memory,files,docker", "--top", "100"]);
    let script = "/bin/busybox dd if=/dev/zero bs=200M count=1 2>/dev/null | /bin/busybox sleep 600";
    let hungry = engine.container("deploy_hungry_1", &[], script);
    let child = |pid: u32| -> Vec<u32> {
        let text = std::fs::read_to_string(format!("/proc/{pid}/task/{pid}/children")).unwrap_or_default();
        text.split_whitespace().map(|pid| pid.parse().unwrap()).collect()
    };
    let is_large = |pid: &u32| {
        let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
        let resident = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap_or_default();
        resident.split_whitespace().next().and_then(|kib| kib.parse().ok()).unwrap_or(0) > 200 * 1024
    };
    let shell = hungry.pid();
    eventually("the container to take memory", || child(shell).iter().any(&is_large));
    let large = child(shell).into_iter().find(&is_large).unwrap();
    let said = check.run(&["-v"]);
    let line = said.line(&format!("busybox (deploy_hungry_1) pid {large}"));
    assert!(line.starts_with("20") && line.contains(" MiB busybox"), "{line}");

    let script = "ulimit -Sn 10; exec 3</dev/null 4</dev/null 5</dev/null 6</dev/null 7</dev/null 8</dev/null \
                  9</dev/null; exec /bin/busybox sleep 600";
    let greedy = engine.container("deploy_greedy_1", &[], script);
    eventually("the container to open files", || {
        std::fs::read_dir(format!("/proc/{}/fd", greedy.pid())).is_ok_and(|files| files.count() == 10)
    });
    let said = check.run(&[]);
    let name = format!("busybox (deploy_greedy_1) pid {}", greedy.pid());
    said.has_code(2).headlines(&format!("{name} has 100 % of the files it may open (over 90 %)"));
    said.line(&format!("nearest to its limit is {name} with 10 of 10"));
    drop(greedy);
    check.run(&["-v"]).says_not("deploy_greedy_1");
}
