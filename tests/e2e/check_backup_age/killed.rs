//! What is left of a restore test that was killed, and who clears it away.

use support::live::{Process, eventually};

use crate::restore::slow_site;
use crate::site::Site;

/// A restore test that is under way.
fn under_way(site: &Site) -> Process {
    let run = site.run(&["{}/slow", "--restore-test", &site.dsn(), "-t", "30s"]).describe();
    let process = Process::script(&format!("exec {run}"), &[""; 0]);
    eventually("the restore", || {
        site.cluster.psql("SELECT count(*) FROM pg_stat_activity WHERE query LIKE 'CREATE INDEX%'") == "1"
    });
    process
}

/// Whether `pg_restore` still works on the dump of this site.
fn is_restoring(site: &Site) -> bool {
    let dump = site.path("slow").display().to_string();
    let processes = std::fs::read_dir("/proc").unwrap().flatten();
    let command = |entry: std::fs::DirEntry| std::fs::read(entry.path().join("cmdline")).unwrap_or_default();
    processes.map(command).any(|line| {
        let line = String::from_utf8_lossy(&line).into_owned();
        line.contains("pg_restore") && line.contains(&dump)
    })
}

#[test]
fn a_run_that_is_told_to_end_takes_its_pg_restore_along() {
    let site = slow_site();
    let mut told = under_way(&site);
    assert!(is_restoring(&site));
    told.signal("TERM");
    eventually("the check to end", || told.has_ended());
    eventually("pg_restore to end", || !is_restoring(&site));
}

#[test]
fn a_later_run_drops_what_a_killed_one_left_and_nothing_else() {
    let site = slow_site();
    let quick = site.dump("quick", &["-F", "c", "--section=pre-data", "--section=data", "postgres"]);
    let killed = under_way(&site);
    killed.signal("KILL");
    eventually("its session to end", || {
        site.cluster.psql("SELECT count(*) FROM pg_stat_activity WHERE application_name ~ '^check_backup_age_'") == "0"
    });
    let left = site.scratch_databases();
    assert_eq!(left.len(), 1, "{left:?}");
    // Somebody's own, which has the name and not the mark, and one of somebody else with both.
    site.cluster.psql("CREATE DATABASE check_backup_age_restore_mine");
    site.cluster.psql("CREATE ROLE other CREATEDB");
    site.cluster.psql("CREATE DATABASE check_backup_age_restore_other OWNER other");
    site.cluster.psql(
        "COMMENT ON DATABASE check_backup_age_restore_other IS 'scratch database of check_backup_age --restore-test, made by process 1'",
    );
    let said = site.check(&[&quick.display().to_string(), "--restore-test", &site.dsn(), "-v", "-t", "30s"]);
    said.has_code(0).says(&format!("dropped, left by a run that was killed: {}", left[0]));
    said.says("database check_backup_age_restore_mine looks like one of these tests and does not say so");
    assert_eq!(site.scratch_databases(), ["check_backup_age_restore_mine", "check_backup_age_restore_other"]);
}
