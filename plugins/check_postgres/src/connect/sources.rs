//! Where the settings of a connection come from: options, `--dsn`, a service, the environment. The first that has
//! one counts, as libpq has it.

use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};

use crate::connect::file;
use crate::parse::{conninfo, files};

/// What libpq 10 to 18 takes in a connection string, and the variable of the environment that says the same.
const PARAMETERS: &[(&str, &str)] = &[
    ("application_name", "PGAPPNAME"),
    ("channel_binding", "PGCHANNELBINDING"),
    ("client_encoding", "PGCLIENTENCODING"),
    ("connect_timeout", "PGCONNECT_TIMEOUT"),
    ("dbname", "PGDATABASE"),
    ("fallback_application_name", ""),
    ("gssdelegation", "PGGSSDELEGATION"),
    ("gssencmode", "PGGSSENCMODE"),
    ("gsslib", "PGGSSLIB"),
    ("host", "PGHOST"),
    ("hostaddr", "PGHOSTADDR"),
    ("keepalives", ""),
    ("keepalives_count", ""),
    ("keepalives_idle", ""),
    ("keepalives_interval", ""),
    ("krbsrvname", "PGKRBSRVNAME"),
    ("load_balance_hosts", "PGLOADBALANCEHOSTS"),
    ("options", "PGOPTIONS"),
    ("passfile", "PGPASSFILE"),
    ("password", "PGPASSWORD"),
    ("port", "PGPORT"),
    ("replication", ""),
    ("require_auth", "PGREQUIREAUTH"),
    ("requirepeer", "PGREQUIREPEER"),
    ("service", "PGSERVICE"),
    ("ssl_max_protocol_version", "PGSSLMAXPROTOCOLVERSION"),
    ("ssl_min_protocol_version", "PGSSLMINPROTOCOLVERSION"),
    ("sslcert", "PGSSLCERT"),
    ("sslcertmode", "PGSSLCERTMODE"),
    ("sslcompression", "PGSSLCOMPRESSION"),
    ("sslcrl", "PGSSLCRL"),
    ("sslcrldir", "PGSSLCRLDIR"),
    ("sslkey", "PGSSLKEY"),
    ("sslmode", "PGSSLMODE"),
    ("sslnegotiation", "PGSSLNEGOTIATION"),
    ("sslpassword", ""),
    ("sslrootcert", "PGSSLROOTCERT"),
    ("sslsni", "PGSSLSNI"),
    ("target_session_attrs", "PGTARGETSESSIONATTRS"),
    ("tcp_user_timeout", ""),
    ("user", "PGUSER"),
];
/// What else is read of the environment: where files are.
const PLACES: [&str; 3] = ["HOME", "PGSERVICEFILE", "PGSYSCONFDIR"];
/// Where the libpq of Debian looks for services of all users, and that of Red Hat.
const SYSTEM_DIRECTORIES: [&str; 2] = ["/etc/postgresql-common", "/etc/sysconfig/pgsql"];

/// Settings by name.
pub type Values = BTreeMap<String, String>;

/// The sources, as they are given. Files are not read yet.
#[derive(Clone, Default)]
pub struct Sources {
    /// Options of the command line, by the names of libpq.
    options: Values,
    /// `--dsn`.
    dsn: Values,
    /// The environment, by the names of libpq, and its places.
    environment: Values,
}

impl fmt::Debug for Sources {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The environment can hold a password.
        f.debug_struct("Sources").field("options", &self.options).field("dsn", &self.dsn).finish_non_exhaustive()
    }
}

/// What the sources say together.
pub struct Settled {
    /// Settings by name.
    pub values: Values,
    /// The user's home.
    pub home: Option<PathBuf>,
}

impl Sources {
    /// The sources of a run: `options` by the names of libpq, `dsn` as it was given, and the environment by
    /// `variable`.
    pub fn new(options: Values, dsn: Option<&str>, variable: impl Fn(&str) -> Option<String>) -> Result<Self, String> {
        let known = PARAMETERS.iter().filter(|(_, variable)| !variable.is_empty());
        let places = PLACES.iter().map(|place| (*place, *place));
        let all = known.copied().chain(places);
        let environment = all.filter_map(|(name, key)| Some((name.to_owned(), variable(key)?))).collect();
        let dsn = dsn.map(parsed).transpose()?.unwrap_or_default();
        Ok(Self { options, dsn, environment })
    }

    /// What distinguishes the server from another, without any secret.
    pub fn identity(&self) -> String {
        let names = ["host", "hostaddr", "port", "dbname", "user", "service"];
        let value = |name: &str| self.options.get(name).or(self.dsn.get(name)).or(self.environment.get(name));
        names.iter().map(|name| format!("{name}={:?}", value(name))).collect::<Vec<_>>().join(" ")
    }

    /// Whether anything says where the server is.
    pub fn name_host(&self) -> bool {
        let sources = [&self.options, &self.dsn, &self.environment];
        let is_given =
            |name: &str| sources.iter().any(|source| source.get(name).is_some_and(|value| !value.is_empty()));
        ["host", "hostaddr", "service"].into_iter().any(is_given)
    }

    /// Puts the sources together, and reads the service file.
    pub fn settle(&self) -> Result<Settled, String> {
        let mut values = self.dsn.clone();
        values.extend(self.options.clone());
        let home = self.environment.get("HOME").map(PathBuf::from).or_else(home_by_user);
        let service = values.get("service").or(self.environment.get("service")).filter(|name| !name.is_empty());
        if let Some(service) = service.cloned() {
            for (name, value) in self.service(&service, home.as_deref())? {
                values.entry(name).or_insert(value);
            }
        }
        for (name, value) in &self.environment {
            if !PLACES.contains(&name.as_str()) {
                values.entry(name.clone()).or_insert_with(|| value.clone());
            }
        }
        Ok(Settled { values, home })
    }

    /// The settings of service `name`: from the user's file, else from that of the system.
    fn service(&self, name: &str, home: Option<&Path>) -> Result<Vec<(String, String)>, String> {
        let named = self.environment.get("PGSERVICEFILE").map(PathBuf::from);
        let own = named.clone().or_else(|| home.map(|home| home.join(".pg_service.conf")));
        let directories = match self.environment.get("PGSYSCONFDIR") {
            Some(directory) => vec![PathBuf::from(directory)],
            None => SYSTEM_DIRECTORIES.iter().map(PathBuf::from).collect(),
        };
        let system = directories.iter().map(|directory| directory.join("pg_service.conf"));
        let mut searched = Vec::new();
        for path in own.into_iter().chain(system) {
            if named.as_ref() != Some(&path) && !path.exists() {
                continue;
            }
            let fault = |reason: String| format!("service file {}: {reason}", path.display());
            let text = file::read(&path).map_err(fault)?;
            if let Some(settings) = files::service(&text, name) {
                let settings = settings.map_err(fault)?;
                return match settings.iter().find(|(name, _)| !is_known(name)) {
                    Some((name, _)) => Err(fault(format!("libpq knows no setting '{name}'"))),
                    None => Ok(settings),
                };
            }
            searched.push(path.display().to_string());
        }
        Err(match searched.as_slice() {
            [] => format!(
                "no file defines service '{name}': there is neither ~/.pg_service.conf (PGSERVICEFILE) nor a pg_service.conf of the system (PGSYSCONFDIR)"
            ),
            files => format!("service '{name}' is not defined in {}", files.join(" or ")),
        })
    }
}

fn is_known(name: &str) -> bool {
    PARAMETERS.iter().any(|(known, _)| *known == name)
}

fn parsed(dsn: &str) -> Result<Values, String> {
    if !conninfo::is_conninfo(dsn) {
        return Err("--dsn is neither 'KEY=VALUE …' nor postgresql://…".to_owned());
    }
    let pairs = conninfo::parse(dsn).map_err(|reason| format!("--dsn: {reason}"))?;
    let is_secret =
        |(name, value): &&(String, String)| matches!(name.as_str(), "password" | "sslpassword") && !value.is_empty();
    if let Some((name, _)) = pairs.iter().find(is_secret) {
        return Err(format!(
            "--dsn holds a {name}, which the process list would show: use --password-file, ~/.pgpass or a service file"
        ));
    }
    match pairs.iter().find(|(name, _)| !is_known(name)) {
        Some((name, _)) => Err(format!("--dsn: libpq knows no setting '{name}'")),
        None => Ok(pairs.into_iter().collect()),
    }
}

fn home_by_user() -> Option<PathBuf> {
    nix::unistd::User::from_uid(nix::unistd::Uid::effective()).ok().flatten().map(|user| user.dir)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn values(pairs: &[(&str, &str)]) -> Values {
        pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
    }

    fn sources(options: &[(&str, &str)], dsn: Option<&str>, environment: &[(&str, &str)]) -> Sources {
        let environment = values(environment);
        Sources::new(values(options), dsn, |name| environment.get(name).cloned()).unwrap()
    }

    #[test]
    fn an_option_comes_before_the_string_the_service_the_environment() {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("services");
        std::fs::write(&file, "[s]\nhost=service\nport=3\ndbname=service\nuser=service\n").unwrap();
        let environment = [
            ("PGHOST", "environment"),
            ("PGPORT", "4"),
            ("PGDATABASE", "environment"),
            ("PGUSER", "environment"),
            ("PGSSLMODE", "require"),
            ("PGSERVICEFILE", file.to_str().unwrap()),
        ];
        let all = sources(&[("host", "option")], Some("host=dsn port=2 service=s"), &environment);
        let all = all.settle().unwrap().values;
        let of = |name: &str| all.get(name).map(String::as_str);
        assert_eq!(
            (of("host"), of("port"), of("dbname"), of("sslmode")),
            (Some("option"), Some("2"), Some("service"), Some("require"))
        );
        let plain = sources(&[], None, &environment).settle().unwrap().values;
        assert_eq!(plain.get("user").map(String::as_str), Some("environment"));
    }

    #[test]
    fn a_service_is_looked_for_as_libpq_does() {
        let directory = tempfile::tempdir().unwrap();
        let path = |name: &str| directory.path().join(name).to_str().unwrap().to_owned();
        std::fs::write(path(".pg_service.conf"), "[own]\nhost=home\n").unwrap();
        std::fs::write(path("pg_service.conf"), "[own]\nhost=system\n[all]\nhost=system\n").unwrap();
        std::fs::write(path("bad"), "[own]\nhots=a\n").unwrap();
        let home = directory.path().to_str().unwrap();
        let host = |service: &str, environment: &[(&str, &str)]| {
            let settled = sources(&[("service", service)], None, environment).settle();
            settled.map(|settled| settled.values.get("host").cloned().unwrap_or_default())
        };
        let both = [("HOME", home), ("PGSYSCONFDIR", home)];
        assert_eq!(host("own", &both).as_deref(), Ok("home"));
        assert_eq!(host("all", &both).as_deref(), Ok("system"));
        assert!(host("none", &both).unwrap_err().contains("is not defined in"));
        let named = |name: &str| host("own", &[("PGSERVICEFILE", &path(name)), ("PGSYSCONFDIR", home)]);
        assert!(named("gone").unwrap_err().contains("no such file"));
        assert!(named("bad").unwrap_err().contains("no setting 'hots'"));
        let nowhere = [("HOME", "/nonexistent"), ("PGSYSCONFDIR", "/nonexistent")];
        assert!(host("own", &nowhere).unwrap_err().contains("no file defines"));
    }

    #[test]
    fn a_password_on_the_command_line_is_refused_and_not_repeated() {
        let refused = |dsn: &str| Sources::new(Values::new(), Some(dsn), |_| None).unwrap_err();
        for dsn in
            ["password=s3cret", "postgres://u:s3cret@h/d", "postgresql://h?password=s3cret", "sslpassword='s3cret'"]
        {
            let reason = refused(dsn);
            assert!(reason.contains("--password-file") && !reason.contains("s3cret"), "{reason}");
        }
        assert!(refused("hots=a").contains("'hots'"));
        assert!(refused("kwanza").contains("neither"));
    }

    #[test]
    fn no_password_is_shown() {
        let sources = sources(&[], None, &[("PGPASSWORD", "s3cret")]);
        assert!(!format!("{sources:?} {}", sources.identity()).contains("s3cret"));
    }
}
