//! What is left of a restore test that was killed, and who clears it away.

use support::live::{Process, eventually};

use crate::restore::slow_site;

#[test]
fn a_later_run_drops_what_a_killed_one_left_and_nothing_else() {
    let site = slow_site();
    let quick = site.dump("quick", &["-F", "c", "--section=pre-data", "--section=data", "postgres"]);
    let run = site.run(&["{}/slow", "--restore-test", &site.dsn(), "-t", "30s"]).describe();
    let killed = Process::script(&format!("exec {run}"), &[""; 0]);
    eventually("the restore", || {
        site.cluster.psql("SELECT count(*) FROM pg_stat_activity WHERE query LIKE 'CREATE INDEX%'") == "1"
    });
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
