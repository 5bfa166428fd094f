//! The guide's command, typed into a terminal.

use std::fs::{self, File};
use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};

use support::live::eventually;
use support::need;
use support::postgres::Cluster;

use crate::site::{Site, protect};

const PASSWORD: &str = "s3cret-of-the-guide";

/// Writes to `output` what a terminal shows of `command`, to which somebody types the password: once too early, and
/// again when it is asked for.
fn in_a_terminal(site: &Site, command: &str, output: &Path) {
    let mut script = Command::new(need("script", "apt-get install bsdutils"));
    script.args(["-qec", command, "/dev/null"]).stdin(Stdio::piped()).stdout(File::create(output).unwrap());
    let port = site.cluster.port().to_string();
    let mut script = script.env("PGHOST", "127.0.0.1").env("PGPORT", port).spawn().unwrap();
    let mut keyboard = script.stdin.take().unwrap();
    writeln!(keyboard, "{PASSWORD}").unwrap();
    eventually("the prompt", || holds(&fs::read(output).unwrap(), "Password:"));
    writeln!(keyboard, "{PASSWORD}").unwrap();
    drop(keyboard);
    assert!(script.wait().unwrap().success(), "{}", String::from_utf8_lossy(&fs::read(output).unwrap()));
}

fn holds(bytes: &[u8], text: &str) -> bool {
    bytes.windows(text.len()).any(|window| window == text.as_bytes())
}

fn site() -> Site {
    let site = Site::of(Cluster::plan().hba("host all all 127.0.0.1/32 scram-sha-256").start());
    site.cluster.psql(&format!("ALTER ROLE postgres PASSWORD '{PASSWORD}'"));
    site.cluster.psql("CREATE DATABASE kwanza");
    site.cluster.psql_in("kwanza", "CREATE TABLE devices AS SELECT i, 'device ' || i FROM generate_series(1, 100) i");
    site
}

#[test]
fn a_dump_through_a_terminal_is_explained_and_the_password_is_not_printed() {
    let site = site();
    let path = site.path("kwanza.tar");
    // As `docker exec -t` does it: what pg_dump writes passes through the terminal.
    in_a_terminal(&site, "pg_dump -U postgres -W -F t kwanza", &path);
    protect(&path);
    assert!(holds(&fs::read(&path).unwrap(), PASSWORD), "the terminal echoes what is typed before it is asked for");
    for level in ["header", "structure", "full"] {
        for format in ["nagios", "json", "openmetrics"] {
            let run = site.run(&["{}/kwanza.tar", "--verify", level, "-vvv", "--format", format]).output();
            assert_eq!((run.code, run.stderr.as_str()), (2, ""), "{}", run.stdout);
            for part in (0..PASSWORD.len() - 4).map(|at| &PASSWORD[at..at + 5]) {
                assert!(!run.stdout.contains(part), "{part} is in {}", run.stdout);
            }
        }
    }
    let said = site.check(&["{}/kwanza.tar"]);
    said.headlines("written through a terminal: a password prompt stands in front of the dump");
    said.says("-> pg_dump -U postgres -w -F t -f ").says("~/.pgpass").says("without printing it");
}

#[test]
fn the_guides_own_command_is_good_where_a_shell_redirects_it() {
    let site = site();
    let path = site.path("kwanza.tar");
    let command = format!("pg_dump -U postgres -W -F t kwanza > {}", path.display());
    in_a_terminal(&site, &command, &site.path("screen"));
    protect(&path);
    site.check(&["{}/kwanza.tar", "--database", "kwanza"]).has_code(0).says(" tables=1 ");
}
