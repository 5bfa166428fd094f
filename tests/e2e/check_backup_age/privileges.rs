//! The check as an ordinary user.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;

use support::live::need_root;
use support::postgres::Cluster;
use support::run::Run;
use support::said::Said;

use crate::site::Site;

/// A run as `nobody`.
fn as_nobody(arguments: &[&str]) -> Said {
    let check = env!("CARGO_BIN_EXE_check_backup_age");
    // The directory that cargo builds in may be closed to others.
    let copy = tempfile::Builder::new().prefix("check-").tempdir().unwrap();
    fs::set_permissions(copy.path(), fs::Permissions::from_mode(0o755)).unwrap();
    let program = copy.path().join("check_backup_age");
    fs::copy(check, &program).unwrap();
    let setpriv = support::need("setpriv", "apt-get install util-linux");
    let user = ["--reuid", "65534", "--regid", "65534", "--clear-groups", "--"];
    Said::of(Run::new(setpriv).args(user).arg(&program).args(arguments).no_state_dir().output())
}

#[test]
fn what_may_not_be_read_is_unknown_with_its_remedy() {
    need_root();
    let site = Site::of(Cluster::plan().start());
    site.cluster.psql("CREATE TABLE t AS SELECT 1 AS i");
    let path = site.dump("kwanza.tar", &["-F", "t", "postgres"]).display().to_string();
    let said = as_nobody(&[&path]);
    said.has_code(3).headlines("the check may not read").says("-> let the group of the monitoring user read it");
    fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).unwrap();
    as_nobody(&[&path]).has_code(1).headlines("every user of this machine can read it");
    // The newest of several: what is known of the others is still said.
    let newest = site.dump("kwanza-2.tar", &["-F", "t", "postgres"]);
    let said = as_nobody(&[&newest.parent().unwrap().display().to_string(), "--pattern", "*.tar", "-v"]);
    said.has_code(1).says("kwanza-2.tar").says("kwanza.tar: tar of database postgres");
    said.line("[UNKNOWN] path: the check may not read");
    let folder = site.path("closed");
    fs::create_dir(&folder).unwrap();
    fs::set_permissions(&folder, fs::Permissions::from_mode(0o700)).unwrap();
    as_nobody(&[&folder.display().to_string()]).has_code(3).headlines("the check may not read");
}
