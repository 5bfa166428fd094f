//! TLS and logins, beside psql, which asks the same server the same way.

use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;
use std::process::Command;

use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair, date_time_ymd};
use support::postgres::Cluster;
use support::run::{Output, Run};
use support::tool::need;
use tempfile::TempDir;

/// In every login here.
const PASSWORD: &str = "s3cret-of-the-role";

/// A CA of the test's own.
struct Authority {
    issuer: Issuer<'static, KeyPair>,
    pem: String,
}

impl Authority {
    fn new(name: &str) -> Self {
        let key = KeyPair::generate().unwrap();
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.distinguished_name.push(DnType::CommonName, name);
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let pem = params.self_signed(&key).unwrap().pem();
        Self { issuer: Issuer::new(params, key), pem }
    }

    /// A certificate and its key, for `names` and the common name `common`.
    fn issue(&self, names: &[&str], common: &str, is_expired: bool) -> (String, String) {
        let key = KeyPair::generate().unwrap();
        let names: Vec<String> = names.iter().map(ToString::to_string).collect();
        let mut params = CertificateParams::new(names).unwrap();
        params.distinguished_name.push(DnType::CommonName, common);
        if is_expired {
            params.not_before = date_time_ymd(2020, 1, 1);
            params.not_after = date_time_ymd(2021, 1, 1);
        }
        (params.signed_by(&key, &self.issuer).unwrap().pem(), key.serialize_pem())
    }
}

/// A server with TLS and a role for each way to log in, and a client's home.
struct Stage {
    cluster: Cluster,
    authority: Authority,
    home: TempDir,
}

impl Stage {
    fn new() -> Self {
        let authority = Authority::new("the CA");
        let (certificate, key) = authority.issue(&["localhost"], "server", false);
        let hba = [
            "hostssl all tls_only 127.0.0.1/32 scram-sha-256",
            "hostnossl all plain_only 127.0.0.1/32 scram-sha-256",
            "host all scram 127.0.0.1/32 scram-sha-256",
            "host all md5 127.0.0.1/32 md5",
            "host all clear 127.0.0.1/32 password",
            "hostssl all certified 127.0.0.1/32 cert",
            "host all free 127.0.0.1/32 trust",
            "host all rejected 127.0.0.1/32 reject",
        ];
        let plan = Cluster::plan()
            .setting("ssl", "on")
            .setting("ssl_cert_file", "s.crt")
            .setting("ssl_key_file", "s.key")
            .setting("ssl_ca_file", "ca.crt")
            .file("s.crt", &certificate)
            .file("s.key", &key)
            .file("ca.crt", &authority.pem);
        let cluster = hba.iter().fold(plan, |plan, line| plan.hba(line)).start();
        cluster.psql("CREATE DATABASE kwanza");
        cluster.psql("CREATE ROLE free LOGIN; CREATE ROLE certified LOGIN; CREATE ROLE rejected LOGIN");
        for role in ["tls_only", "plain_only", "scram", "clear"] {
            cluster.psql(&format!("CREATE ROLE {role} LOGIN PASSWORD '{PASSWORD}'"));
        }
        let stage = Self { cluster, authority, home: tempfile::tempdir().unwrap() };
        stage.cluster.psql(&format!("SET password_encryption = 'md5'; CREATE ROLE md5 LOGIN PASSWORD '{PASSWORD}'"));
        stage
    }

    /// Puts another certificate in place.
    fn serve(&self, (certificate, key): &(String, String)) {
        std::fs::write(self.cluster.data().join("s.crt"), certificate).unwrap();
        std::fs::write(self.cluster.data().join("s.key"), key).unwrap();
        self.cluster.restart_sessions();
    }

    /// A file of the client.
    fn file(&self, name: &str, text: &str, mode: u32) -> PathBuf {
        let path = self.home.path().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, text).unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(mode)).unwrap();
        path
    }

    /// A run with `dsn`, which knows no password yet.
    fn run(&self, dsn: &str) -> Run {
        let dsn = format!("port={} connect_timeout=5 {dsn}", self.cluster.port());
        let run = Run::new(env!("CARGO_BIN_EXE_check_postgres")).args(["--dsn", &dsn, "--only", "backends", "-vv"]);
        run.env("HOME", self.home.path())
    }

    /// What a run with the password says, which never is the password.
    #[track_caller]
    fn asks(&self, dsn: &str) -> Output {
        checked(self.run(dsn).env("PGPASSWORD", PASSWORD).output())
    }

    /// Whether psql is let in, and then whether by TLS.
    fn psql(&self, dsn: &str) -> Option<bool> {
        let mut command = Command::new(need("psql", "apt-get install postgresql-client"));
        command.env_clear().env("HOME", self.home.path()).env("PGPASSWORD", PASSWORD).env("PATH", "/usr/bin:/bin");
        let dsn = format!("port={} dbname=kwanza {dsn}", self.cluster.port());
        let sql = "SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()";
        let output = command.args(["-XAtw", "-d", &dsn, "-c", sql]).output().unwrap();
        output.status.success().then(|| output.stdout.starts_with(b"t"))
    }
}

#[track_caller]
fn checked(output: Output) -> Output {
    assert!(!output.stdout.contains(PASSWORD), "the password is in: {}", output.stdout);
    assert_eq!(output.stderr, "");
    output
}

/// Whether the plugin was let in, and then whether by TLS.
fn entered(output: &Output) -> Option<bool> {
    let is_in = output.stdout.contains("connected in");
    is_in.then(|| output.stdout.contains("(TLSv1."))
}

#[track_caller]
fn says(output: &Output, code: i32, words: &str) {
    assert_eq!(output.code, code, "{}", output.stdout);
    assert!(output.first_line().contains(words), "{words:?} is expected in: {}", output.stdout);
}

#[test]
fn every_sslmode_lets_in_as_it_does_for_psql() {
    let stage = Stage::new();
    let own = stage.file("own.pem", &stage.authority.pem, 0o644);
    let other = stage.file("other.pem", &Authority::new("another").pem, 0o644);
    let roots = [String::new(), format!("sslrootcert={}", own.display()), format!("sslrootcert={}", other.display())];
    for mode in ["disable", "allow", "prefer", "require", "verify-ca", "verify-full"] {
        for root in &roots {
            for (host, user) in [
                ("localhost", "tls_only"),
                ("localhost", "plain_only"),
                ("localhost", "scram"),
                ("127.0.0.1", "free"),
                ("localhost", "rejected"),
            ] {
                let dsn = format!("host={host} hostaddr=127.0.0.1 user={user} sslmode={mode} {root}");
                let output = stage.asks(&dsn);
                assert_eq!(entered(&output), stage.psql(&dsn), "{dsn}: {}", output.stdout);
            }
        }
    }
}

#[test]
fn every_login_is_done_and_a_wrong_password_is_unknown() {
    let stage = Stage::new();
    for user in ["scram", "md5", "clear"] {
        for mode in ["disable", "require"] {
            let dsn = format!("host=127.0.0.1 user={user} sslmode={mode}");
            assert_eq!(entered(&stage.asks(&dsn)), Some(mode == "require"), "{dsn}");
            let wrong = checked(stage.run(&dsn).env("PGPASSWORD", "wrong").output());
            says(&wrong, 3, &format!("refuses the password of user {user}"));
            let none = checked(stage.run(&dsn).output());
            says(&none, 3, "and none is known");
        }
    }
    says(&stage.asks("host=127.0.0.1 user=rejected"), 3, "rejects user rejected");
    says(&stage.asks("host=127.0.0.1 user=nobody"), 3, "no entry that lets user nobody in");
    let plain = stage.asks("host=127.0.0.1 user=tls_only sslmode=disable");
    says(&plain, 3, "no entry");
    assert!(plain.stdout.contains("--sslmode require may be let in"), "{}", plain.stdout);
    says(&stage.asks("host=127.0.0.1 user=free dbname=gone"), 2, "database gone is not there");
    stage.cluster.psql("REVOKE CONNECT ON DATABASE kwanza FROM PUBLIC");
    says(&stage.asks("host=127.0.0.1 user=free"), 3, "may not connect to database kwanza");
}

#[test]
fn passwords_come_from_files_that_are_private() {
    let stage = Stage::new();
    let dsn = "host=127.0.0.1 user=scram";
    let with_option = |name: &str| {
        let path = stage.home.path().join(name);
        checked(stage.run(dsn).arg("--password-file").arg(path).output())
    };
    stage.file("password", &format!("{PASSWORD}\n"), 0o600);
    assert!(entered(&with_option("password")).is_some());
    stage.file("two", &format!("{PASSWORD}\nx\n"), 0o600);
    says(&with_option("two"), 3, "it is not one line with the password");
    says(&with_option("gone"), 3, "no such file");
    let line = format!("127.0.0.1:{}:kwanza:scram:{PASSWORD}\n", stage.cluster.port());
    stage.file(".pgpass", &line, 0o600);
    assert!(entered(&checked(stage.run(dsn).output())).is_some());
    stage.file(".pgpass", &line, 0o644);
    let open = checked(stage.run(dsn).output());
    says(&open, 3, "none is known");
    assert!(open.stdout.contains("chmod 600"), "{}", open.stdout);
    let named = stage.file("passwords", "*:*:*:*:wrong\n", 0o600);
    let wrong = checked(stage.run(dsn).env("PGPASSFILE", &named).output());
    says(&wrong, 3, "refuses the password");
    assert!(wrong.stdout.contains(&format!("the password is from {}", named.display())), "{}", wrong.stdout);
    let service = format!("[kwanza]\nhost=127.0.0.1\nport={}\nuser=scram\npassword={PASSWORD}\n", stage.cluster.port());
    stage.file(".pg_service.conf", &service, 0o600);
    let run = Run::new(env!("CARGO_BIN_EXE_check_postgres")).args(["--service", "kwanza", "-vv"]);
    assert!(entered(&checked(run.env("HOME", stage.home.path()).output())).is_some());
}

#[test]
fn a_password_is_shown_and_kept_nowhere() {
    let stage = Stage::new();
    stage.cluster.psql("GRANT pg_monitor TO scram, md5, clear");
    let right = stage.file("right", PASSWORD, 0o600);
    let wrong = stage.file("wrong", &format!("not-{PASSWORD}"), 0o600);
    let samples = tempfile::tempdir().unwrap();
    for user in ["scram", "md5", "clear"] {
        let dsn = format!("host=127.0.0.1 user={user}");
        for level in ["-t10s", "-v", "-vv", "-vvv"] {
            for format in ["nagios", "json", "openmetrics"] {
                for (file, is_let_in) in [(&right, true), (&wrong, false)] {
                    let run = stage.run(&dsn).args(["--format", format, level, "--password-file"]).arg(file);
                    let output = checked(run.state_dir(samples.path()).output());
                    assert_eq!(output.code == 3, !is_let_in, "{}", output.stdout);
                }
            }
        }
    }
    let mut kept = 0;
    for file in std::fs::read_dir(samples.path()).unwrap().flatten() {
        let text = std::fs::read(file.path()).unwrap();
        assert!(!String::from_utf8_lossy(&text).contains(PASSWORD), "{} holds it", file.path().display());
        kept += text.len();
    }
    assert!(kept > 0, "no sample was looked at");
}

#[test]
fn a_login_is_bound_to_tls_where_that_is_demanded() {
    let stage = Stage::new();
    for (user, mode, is_let_in) in [
        ("scram", "require", true),
        ("scram", "disable", false),
        ("md5", "require", false),
        ("clear", "require", false),
    ] {
        let dsn = format!("host=localhost hostaddr=127.0.0.1 user={user} sslmode={mode} channel_binding=require");
        let output = stage.asks(&dsn);
        assert_eq!(entered(&output).is_some(), is_let_in, "{dsn}: {}", output.stdout);
        assert_eq!(stage.psql(&dsn).is_some(), is_let_in, "{dsn}");
        if !is_let_in {
            says(&output, 3, "does not bind the login to TLS");
        }
    }
    let bound = stage.asks("host=127.0.0.1 user=scram sslmode=require");
    assert!(bound.stdout.contains("the login may be bound to it"), "{}", bound.stdout);
}

#[test]
fn a_client_shows_its_certificate() {
    let stage = Stage::new();
    let dsn = "host=127.0.0.1 user=certified sslmode=require";
    let none = stage.asks(dsn);
    assert_eq!(none.code, 3, "{}", none.stdout);
    let (certificate, key) = stage.authority.issue(&[], "certified", false);
    stage.file(".postgresql/postgresql.crt", &certificate, 0o644);
    says(&stage.asks(dsn), 3, "is not there");
    stage.file(".postgresql/postgresql.key", &key, 0o644);
    says(&stage.asks(dsn), 3, "that others may read");
    stage.file(".postgresql/postgresql.key", &key, 0o600);
    assert_eq!((entered(&stage.asks(dsn)), stage.psql(dsn)), (Some(true), Some(true)));
    let (strange, key) = Authority::new("another").issue(&[], "certified", false);
    let certificate = stage.file("strange.crt", &strange, 0o644);
    let key = stage.file("strange.key", &key, 0o600);
    let own = format!("{dsn} sslcert={} sslkey={}", certificate.display(), key.display());
    says(&stage.asks(&own), 3, "refuses the client certificate");
    let (another, key) = stage.authority.issue(&[], "somebody", false);
    stage.file("strange.crt", &another, 0o644);
    stage.file("strange.key", &key, 0o600);
    says(&stage.asks(&own), 3, "does not let user certified in");
}

#[test]
fn what_is_wrong_with_a_certificate_is_said() {
    let stage = Stage::new();
    let root = stage.file("root.pem", &stage.authority.pem, 0o644);
    let full =
        format!("host=localhost hostaddr=127.0.0.1 user=free sslmode=verify-full sslrootcert={}", root.display());
    assert_eq!(entered(&stage.asks(&full)), Some(true));
    says(&stage.asks(&full.replace("host=localhost", "host=127.0.0.1")), 2, "its certificate is not for 127.0.0.1");
    stage.serve(&stage.authority.issue(&["localhost"], "server", true));
    says(&stage.asks(&full), 2, "its certificate expired");
    stage.serve(&Authority::new("another").issue(&["localhost"], "server", false));
    says(&stage.asks(&full), 2, "no CA that is trusted here has signed its certificate");
    says(&stage.asks(&full.replace(&*root.display().to_string(), "/nonexistent")), 3, "no such file");
    says(&stage.asks("host=127.0.0.1 user=free sslmode=verify-ca"), 3, "--ssl-root-cert");
}

#[test]
fn a_certificate_that_signs_itself_is_trusted_as_it_is() {
    let stage = Stage::new();
    let key = KeyPair::generate().unwrap();
    let mut params = CertificateParams::new(vec!["localhost".to_owned()]).unwrap();
    // As `openssl req -x509` makes it.
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let pair = (params.self_signed(&key).unwrap().pem(), key.serialize_pem());
    stage.serve(&pair);
    let root = stage.file("root.pem", &pair.0, 0o644);
    for (host, mode) in [("localhost", "verify-full"), ("127.0.0.1", "verify-full"), ("127.0.0.1", "verify-ca")] {
        let dsn = format!("host={host} hostaddr=127.0.0.1 user=free sslmode={mode} sslrootcert={}", root.display());
        let output = stage.asks(&dsn);
        assert_eq!(entered(&output), stage.psql(&dsn), "{dsn}: {}", output.stdout);
    }
}

#[test]
fn a_server_without_tls_is_critical_where_tls_is_demanded() {
    let cluster = Cluster::plan().start();
    let dsn = format!("host=127.0.0.1 port={} user=postgres dbname=postgres sslmode=require", cluster.port());
    let output = Run::new(env!("CARGO_BIN_EXE_check_postgres")).args(["--dsn", &dsn]).output();
    says(&output, 2, "speaks no TLS, and sslmode demands it");
}
