//! What each container of the recordings is said to be: whole output by scenario.

use crate::host::{API_1_52, DOCKER, DOCKER_26, DOCKER_V2, Engine, Host, PODMAN};

/// Runs the check on one container of an engine and compares the whole output.
macro_rules! containers {
    ($($name:ident => $engine:expr, $container:literal $(, $argument:literal)*;)+) => {
        $(
            #[test]
            fn $name() {
                Host::new($engine).assert(stringify!($name), &["--container", $container $(, $argument)*]);
            }
        )+
    };
}

containers! {
    ok_healthy_with_limits => DOCKER, "deploy_postgres_1", "-vv";
    ok_without_limits => DOCKER, "deploy_kwanza_1", "-vv";
    ok_quota_and_cpuset => DOCKER, "deploy_quota_1", "-v";
    ok_health_starting => DOCKER, "deploy_starting_1", "-v";
    ok_network_of_the_host => DOCKER, "deploy_hostnet_1", "-v";
    ok_no_network => DOCKER, "deploy_nonet_1", "-v";
    ok_odd_name => DOCKER, "Odd.name_with-all.0", "-vv";
    ok_scaled => DOCKER, "deploy_scaled_*", "-v";
    critical_unhealthy => DOCKER, "deploy_unhealthy_1";
    critical_a_child_was_killed_for_memory => DOCKER, "deploy_oom_survivor_1";
    warning_paused => DOCKER, "deploy_paused_1";
    critical_restarting => DOCKER, "deploy_looping_1";
    critical_killed => DOCKER, "deploy_killed_1";
    critical_out_of_memory => DOCKER, "deploy_oom_1";
    critical_disk_full => DOCKER, "deploy_nospace_1";
    critical_job_that_is_none => DOCKER, "deploy_job_1";
    ok_job => DOCKER, "deploy_job_1", "--allow-exited", "job", "-v";
    critical_gave_up => DOCKER, "deploy_gave_up_1";
    critical_created => DOCKER, "deploy_created_1";
    critical_wrong_command => DOCKER, "deploy_no_command_1";
    critical_logging_driver => DOCKER, "deploy_journald_log_1";
    critical_leftover_alone => DOCKER, "*_deploy_renamed_1";
    warning_image_drift => DOCKER, "deploy_drifted_1", "--image-drift";

    critical_unhealthy_v2 => DOCKER_V2, "deploy_unhealthy_1";
    ok_healthy_v2 => DOCKER_V2, "deploy_postgres_1", "-vv";
    critical_out_of_memory_v2 => DOCKER_V2, "deploy_oom_1";
    critical_a_child_was_killed_for_memory_v2 => DOCKER_V2, "deploy_oom_survivor_1";

    ok_healthy_26 => DOCKER_26, "deploy-postgres-1", "-vv";
    critical_a_child_was_killed_for_memory_26 => DOCKER_26, "deploy-oom_survivor-1";
    critical_out_of_memory_26 => DOCKER_26, "deploy-oom-1";
    ok_job_26 => DOCKER_26, "deploy-job-1", "--allow-exited", "job", "-v";
    critical_logging_driver_26 => DOCKER_26, "deploy-journald_log-1";

    ok_healthy_podman => PODMAN, "deploy_postgres_1", "-vv";
    critical_out_of_memory_podman => PODMAN, "deploy_oom_1";
    critical_created_podman => PODMAN, "deploy_created_1";
    critical_wrong_command_podman => PODMAN, "deploy_no_command_1";
    critical_restart_loop_podman => PODMAN, "deploy_looping_1";
}

#[test]
fn critical_everything_by_api_1_52() {
    Host::new(API_1_52).assert("critical_everything_by_api_1_52", &[]);
}

#[test]
fn a_label_of_five_thousand_characters_is_no_matter() {
    let output = Host::new(DOCKER).run(&["--container", "deploy_long_label_1", "--allow-exited", "long_label", "-vvv"]);
    assert_eq!(output.code, 0, "{}", output.stdout);
    assert!(!output.stdout.contains("0123456789012345"), "{}", output.stdout);
}

#[test]
fn podman_between_an_end_and_a_restart() {
    // Caught in the moment in which the list says `stopped`, a word for exited.
    let inspected = crate::host::recorded(PODMAN, "looping_1/inspect_stopped.json");
    let list = crate::host::recorded(PODMAN, "containers_stopped.json");
    let engine = Engine::recorded(PODMAN).answers("/containers/json", support::http::Answer::json(list)).says(
        "deploy_looping_1",
        "json",
        support::http::Answer::json(inspected),
    );
    let output = Host::of(&engine).run(&["--container", "deploy_looping_1"]);
    assert_eq!(output.code, 2, "{}", output.stdout);
    assert!(output.first_line().contains("deploy_looping_1 exited 2 "), "{}", output.stdout);
    assert!(
        output.stdout.contains("port in use: another program or container listens on its port"),
        "{}",
        output.stdout
    );
}

/// The figures of a container are the same however its host's hierarchies are mounted and its groups named.
#[test]
fn groups_are_found_however_they_are_laid_out() {
    let lines = |host: &Host| {
        let output = host.run(&["--container", "deploy_postgres_1", "--container", "deploy_kwanza_1", "-vv"]);
        assert!(output.stdout.contains("figures from its cgroup"), "{}", output.stdout);
        // The time between the two readings and the place of the sample are another each time.
        let same = |line: &&str| !line.contains("rates since") && !line.contains("samples are kept");
        output.stdout.lines().filter(same).map(str::to_owned).collect::<Vec<_>>()
    };
    let plain = lines(&Host::new(DOCKER));
    let text = |name: &str| String::from_utf8(crate::host::recorded(name, "host.1.tree")).unwrap();
    let with = |name: &'static str, text: &str| {
        let tree = support::tree::Tree::parse(text, std::path::Path::new("/nonexistent")).unwrap();
        lines(&Host::with_tree(&tree, &Engine::recorded(name)))
    };
    // `cpu` and `cpuacct` are mounted together, as on most hosts.
    let together: String = text(DOCKER)
        .lines()
        .filter(|line| !line.starts_with("2:cpuacct:"))
        .map(|line| {
            let line = line.replace("sys/fs/cgroup/cpuacct/", "sys/fs/cgroup/cpu,cpuacct/");
            let line = line.replace("sys/fs/cgroup/cpu/", "sys/fs/cgroup/cpu,cpuacct/");
            line.replace("1:cpu:", "1:cpu,cpuacct:") + "\n"
        })
        .collect();
    assert!(together.contains("-- sys/fs/cgroup/cpu,cpuacct/docker/") && together.contains("1:cpu,cpuacct:/docker/"));
    assert_eq!(with(DOCKER, &together), plain);
    // The systemd driver, on both versions.
    let scopes = |text: &str, engine: &Engine| {
        ["deploy_postgres_1", "deploy_kwanza_1"].iter().fold(text.to_owned(), |text, name| {
            let id = engine.id(name);
            text.replace(&format!("/docker/{id}"), &format!("/system.slice/docker-{id}.scope"))
        })
    };
    for name in [DOCKER, DOCKER_V2] {
        let moved = scopes(&text(name), &Engine::recorded(name));
        assert!(moved.contains("/system.slice/docker-"));
        assert_eq!(with(name, &moved), lines(&Host::new(name)), "{name}");
    }
    // Seen from inside a container with a cgroup namespace of its own: then the engine has to tell.
    let engine = Engine::recorded(DOCKER_V2);
    let hidden = text(DOCKER_V2).replace("0::/docker/", "0::/../");
    let tree = support::tree::Tree::parse(&hidden, std::path::Path::new("/nonexistent")).unwrap();
    let output = Host::with_tree(&tree, &engine).run(&["--container", "deploy_postgres_1", "-vv"]);
    assert!(output.stdout.contains("figures from the Engine API"), "{}", output.stdout);
}

#[test]
fn the_same_is_found_by_the_engine_s_figures() {
    // A health check was running in postgres at only one of the two times.
    let names = ["deploy_kwanza_1", "deploy_quota_1", "deploy_oom_survivor_1"];
    let host = Host::new(DOCKER);
    for name in names {
        let (own, api) = (host.run(&["--container", name]), host.run(&["--container", name, "--stats", "api"]));
        for metric in ["memory_used_percent", "memory_limit", "pids"] {
            let label = format!("{name}:{metric}");
            let (own, api) = (crate::host::find(&own, &label), crate::host::find(&api, &label));
            match (own, api) {
                (Some(own), Some(api)) => assert!((own - api).abs() <= own * 0.1 + 0.5, "{label}: {own} and {api}"),
                (own, api) => assert_eq!(own, api, "{label}"),
            }
        }
    }
}
