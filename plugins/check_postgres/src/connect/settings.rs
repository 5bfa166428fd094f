//! What the settings of a connection mean.

use std::fmt;
use std::net::IpAddr;
use std::path::PathBuf;
use std::time::Duration;

use crate::connect::file;
use crate::connect::sources::{Settled, Values};
use crate::parse::files::{self, Login};

const DEFAULT_PORT: u16 = 5432;
const DEFAULT_DATABASE: &str = "kwanza";
const APPLICATION: &str = "check_postgres";
/// Where Debian and Red Hat keep the socket, and where PostgreSQL itself does.
const SOCKET_DIRECTORIES: [&str; 2] = ["/var/run/postgresql", "/tmp"];
/// What libpq can do and is not done here: its name, and the values that change nothing.
const NOT_DONE: [(&str, &[&str]); 7] = [
    ("gssencmode", &["disable", "prefer"]),
    ("replication", &["false", "off", "no", "0"]),
    ("require_auth", &[]),
    ("requirepeer", &[]),
    ("sslcertmode", &["allow", "disable"]),
    ("sslcrl", &[]),
    ("sslcrldir", &[]),
];

/// Text that is never shown.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(pub String);

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}

/// Where a server listens.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Place {
    /// On a socket in a directory.
    Socket(PathBuf),
    /// At a host, whose address may be given besides.
    Host {
        /// Its name, or its address in words.
        name: String,
        /// Its address, where it need not be looked up.
        address: Option<IpAddr>,
    },
}

/// One server that may be asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Server {
    /// Where it listens.
    pub place: Place,
    /// On which port, which a socket has in its name too.
    pub port: u16,
}

impl fmt::Display for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.place {
            Place::Socket(directory) => write!(f, "{}/.s.PGSQL.{}", directory.display(), self.port),
            Place::Host { name, .. } if name.contains(':') => write!(f, "[{name}]:{}", self.port),
            Place::Host { name, .. } => write!(f, "{name}:{}", self.port),
        }
    }
}

/// When TLS is spoken, and what of the server is verified.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[expect(missing_docs, reason = "the words of sslmode")]
pub enum TlsMode {
    Disable,
    Allow,
    Prefer,
    Require,
    VerifyCa,
    VerifyFull,
}

/// Whether SCRAM is bound to the TLS connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the words of channel_binding")]
pub enum Binding {
    Disable,
    Prefer,
    Require,
}

/// Which servers are good enough.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the words of target_session_attrs")]
pub enum Role {
    Any,
    ReadWrite,
    ReadOnly,
    Primary,
    Standby,
    PreferStandby,
}

impl Role {
    /// Its word.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Any => "any",
            Self::ReadWrite => "read-write",
            Self::ReadOnly => "read-only",
            Self::Primary => "primary",
            Self::Standby => "standby",
            Self::PreferStandby => "prefer-standby",
        }
    }
}

/// How TLS is spoken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tls {
    /// Whether at all.
    pub mode: TlsMode,
    /// Whether it begins at once, without asking the server before.
    pub is_direct: bool,
    /// Whom to trust; `None` for nobody in particular.
    pub roots: Option<Roots>,
    /// The client's certificate and its key.
    pub identity: Option<(PathBuf, PathBuf)>,
    /// Whether the server is told which name it was asked by.
    pub names_server: bool,
    /// TLS 1.2, TLS 1.3.
    pub versions: (bool, bool),
}

/// Whom to trust.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Roots {
    /// Those in a file.
    File(PathBuf),
    /// Those that the system trusts.
    System,
}

/// All that a connection needs to know.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The servers, in the order in which they are asked.
    pub servers: Vec<Server>,
    /// The database.
    pub database: String,
    /// The user.
    pub user: String,
    /// The password for each server, and the file that has it, if that is the file of passwords.
    pub passwords: Vec<(Option<Secret>, Option<PathBuf>)>,
    /// What is odd and does no harm.
    pub notes: Vec<String>,
    /// The time that each server may take to let us in, where somebody has said.
    pub timeout: Option<Duration>,
    /// TLS.
    pub tls: Tls,
    /// Channel binding.
    pub binding: Binding,
    /// Which servers are good enough.
    pub role: Role,
    /// What the session calls itself.
    pub application: String,
    /// Options of the server, as `-c work_mem=4MB`.
    pub options: Option<String>,
    /// Whether a connection that is cut unseen is noticed.
    pub keepalives: bool,
    /// Whether any server may be asked first.
    pub is_balanced: bool,
}

/// Translates what the sources say. `password` is that of --password-file. The error is one sentence.
pub fn settings(settled: &Settled, password: Option<Secret>) -> Result<Settings, String> {
    let values = Reader(&settled.values);
    for (name, harmless) in NOT_DONE {
        if let Some(value) = values.text(name).filter(|value| !harmless.contains(value)) {
            return Err(format!("{name}={value} is not done here; leave it out"));
        }
    }
    let servers = servers(&values)?;
    let user = match values.text("user") {
        Some(user) => user.to_owned(),
        None => own_name()?,
    };
    let database = values.text("dbname").unwrap_or(DEFAULT_DATABASE).to_owned();
    let mut notes = Vec::new();
    let given = password.or(values.text("password").map(|password| Secret(password.to_owned())));
    let passwords = match given {
        Some(password) => servers.iter().map(|_| (Some(password.clone()), None)).collect(),
        None => from_file(settled, &servers, &user, &database, &mut notes),
    };
    let seconds = values.parsed::<i64>("connect_timeout", "a number of seconds")?;
    Ok(Settings {
        tls: tls(settled)?,
        servers,
        database,
        user,
        passwords,
        notes,
        timeout: match seconds {
            None => None,
            // Only the deadline of the run limits it then.
            Some(..=0) => Some(Duration::MAX),
            // libpq rounds it up too.
            Some(seconds) => Some(Duration::from_secs(seconds.unsigned_abs().max(2))),
        },
        binding: values.word(
            "channel_binding",
            Binding::Prefer,
            &[("disable", Binding::Disable), ("prefer", Binding::Prefer), ("require", Binding::Require)],
        )?,
        role: values.word(
            "target_session_attrs",
            Role::Any,
            &[
                ("any", Role::Any),
                ("read-write", Role::ReadWrite),
                ("read-only", Role::ReadOnly),
                ("primary", Role::Primary),
                ("standby", Role::Standby),
                ("prefer-standby", Role::PreferStandby),
            ],
        )?,
        application: values
            .text("application_name")
            .or(values.text("fallback_application_name"))
            .unwrap_or(APPLICATION)
            .to_owned(),
        options: values.text("options").map(str::to_owned),
        keepalives: values.text("keepalives") != Some("0"),
        is_balanced: values.word("load_balance_hosts", false, &[("disable", false), ("random", true)])?,
    })
}

/// Reads settings. One that is empty counts as none, as in libpq.
struct Reader<'a>(&'a Values);

impl<'a> Reader<'a> {
    fn text(&self, name: &str) -> Option<&'a str> {
        self.0.get(name).map(String::as_str).filter(|value| !value.is_empty())
    }

    fn word<T: Copy>(&self, name: &str, default: T, words: &[(&str, T)]) -> Result<T, String> {
        let Some(value) = self.text(name) else { return Ok(default) };
        let meaning = words.iter().find(|(word, _)| *word == value).map(|(_, meaning)| *meaning);
        meaning.ok_or_else(|| {
            let words = words.iter().map(|(word, _)| *word).collect::<Vec<_>>().join(", ");
            format!("{name}={value}: it is none of {words}")
        })
    }

    fn parsed<T: std::str::FromStr>(&self, name: &str, what: &str) -> Result<Option<T>, String> {
        let Some(value) = self.text(name) else { return Ok(None) };
        value.trim().parse().map(Some).map_err(|_| format!("{name}={value}: it is not {what}"))
    }

    /// The elements of a list; those that are empty are `None`.
    fn list(&self, name: &str) -> Vec<Option<&'a str>> {
        let some = |part: &'a str| Some(part.trim()).filter(|part| !part.is_empty());
        self.text(name).map(|text| text.split(',').map(some).collect()).unwrap_or_default()
    }
}

fn servers(values: &Reader) -> Result<Vec<Server>, String> {
    let (hosts, addresses) = (values.list("host"), values.list("hostaddr"));
    let count = hosts.len().max(addresses.len()).max(1);
    for (name, list) in [("host", &hosts), ("hostaddr", &addresses)] {
        if !list.is_empty() && list.len() != count {
            return Err(format!("{name} has {} elements and must have {count}, as many as the other", list.len()));
        }
    }
    let ports = values.list("port");
    if ports.len() > 1 && ports.len() != count {
        return Err(format!("there are {} ports for {count} hosts", ports.len()));
    }
    let element = |list: &[Option<&str>], index: usize| list.get(index).copied().flatten().map(str::to_owned);
    (0..count)
        .map(|index| {
            let port = ports.get(index).or(ports.first()).copied().flatten();
            let port = match port.map(str::parse::<u16>) {
                None => DEFAULT_PORT,
                Some(Ok(port)) if port > 0 => port,
                Some(_) => return Err(format!("port {} is not between 1 and 65535", port.unwrap_or_default())),
            };
            let address = match element(&addresses, index) {
                None => None,
                Some(text) => {
                    Some(text.parse::<IpAddr>().map_err(|_| format!("hostaddr {text} is not an IP address"))?)
                }
            };
            let place = match (element(&hosts, index), address) {
                (Some(host), None) if host.starts_with('/') => Place::Socket(PathBuf::from(host)),
                (Some(host), None) if host.starts_with('@') => {
                    return Err(format!("host {host}: sockets without a file are not supported"));
                }
                (Some(name), address) => Place::Host { name, address },
                (None, Some(address)) => Place::Host { name: address.to_string(), address: Some(address) },
                (None, None) => Place::Socket(default_directory(port)),
            };
            Ok(Server { place, port })
        })
        .collect()
}

/// The first of the usual directories that has the socket.
fn default_directory(port: u16) -> PathBuf {
    let directories = SOCKET_DIRECTORIES.map(PathBuf::from);
    let found = directories.iter().find(|directory| directory.join(format!(".s.PGSQL.{port}")).exists());
    found.or(directories.first()).cloned().unwrap_or_default()
}

fn own_name() -> Result<String, String> {
    let uid = nix::unistd::Uid::effective();
    match nix::unistd::User::from_uid(uid) {
        Ok(Some(user)) => Ok(user.name),
        _ => Err(format!("user {uid} of this system has no name: -U names the user of the database")),
    }
}

/// The passwords that the file of passwords has for `servers`.
fn from_file(
    settled: &Settled,
    servers: &[Server],
    user: &str,
    database: &str,
    notes: &mut Vec<String>,
) -> Vec<(Option<Secret>, Option<PathBuf>)> {
    let named = Reader(&settled.values).text("passfile").map(PathBuf::from);
    let path = named.or_else(|| settled.home.as_ref().map(|home| home.join(".pgpass")));
    let none = || servers.iter().map(|_| (None, None)).collect();
    let Some((path, (mode, _))) = path.and_then(|path| Some((path.clone(), file::rights(&path)?))) else {
        return none();
    };
    if mode & 0o077 != 0 {
        notes.push(format!(
            "{} is ignored, as libpq does: others than its owner may read it; chmod 600 {0}",
            path.display()
        ));
        return none();
    }
    let text = match file::read(&path) {
        Ok(text) => text,
        Err(reason) => {
            notes.push(format!("{} is ignored: {reason}", path.display()));
            return none();
        }
    };
    let of = |server: &Server| {
        let host = match &server.place {
            Place::Socket(directory) if SOCKET_DIRECTORIES.iter().any(|usual| directory.as_os_str() == *usual) => {
                "localhost".to_owned()
            }
            Place::Socket(directory) => directory.display().to_string(),
            Place::Host { name, .. } => name.clone(),
        };
        let port = server.port.to_string();
        let found = files::password(&text, Login { host: &host, port: &port, database, user });
        found.map_or((None, None), |password| (Some(Secret(password)), Some(path.clone())))
    };
    servers.iter().map(of).collect()
}

fn tls(settled: &Settled) -> Result<Tls, String> {
    let values = Reader(&settled.values);
    let is_system = values.text("sslrootcert") == Some("system");
    // Certificates of the whole world prove nothing without the name.
    let default = if is_system { TlsMode::VerifyFull } else { TlsMode::Prefer };
    let mode = values.word(
        "sslmode",
        default,
        &[
            ("disable", TlsMode::Disable),
            ("allow", TlsMode::Allow),
            ("prefer", TlsMode::Prefer),
            ("require", TlsMode::Require),
            ("verify-ca", TlsMode::VerifyCa),
            ("verify-full", TlsMode::VerifyFull),
        ],
    )?;
    if is_system && mode < TlsMode::VerifyFull {
        return Err("sslrootcert=system proves nothing without sslmode=verify-full".to_owned());
    }
    let is_direct = values.word("sslnegotiation", false, &[("postgres", false), ("direct", true)])?;
    if is_direct && mode < TlsMode::Require {
        return Err("sslnegotiation=direct needs sslmode=require or more".to_owned());
    }
    let own = |name: &str| settled.home.as_ref().map(|home| home.join(".postgresql").join(name));
    let found = |name: &str| own(name).filter(|path| path.exists());
    let roots = match values.text("sslrootcert") {
        _ if is_system => Some(Roots::System),
        Some(path) => Some(Roots::File(PathBuf::from(path))),
        None => found("root.crt").map(Roots::File),
    };
    if roots.is_none() && mode >= TlsMode::VerifyCa {
        return Err(
            "sslmode verifies the server, and there is no file of trusted CAs: --ssl-root-cert FILE, --ssl-root-cert system or ~/.postgresql/root.crt"
                .to_owned(),
        );
    }
    let (version12, version13) = versions(&values)?;
    Ok(Tls {
        mode,
        is_direct,
        roots,
        identity: identity(settled, mode)?,
        names_server: values.text("sslsni") != Some("0"),
        versions: (version12, version13),
    })
}

/// Whether TLS 1.2 and 1.3 may be spoken. Older ones are not.
fn versions(values: &Reader) -> Result<(bool, bool), String> {
    let words = [("TLSv1", 10), ("TLSv1.1", 11), ("TLSv1.2", 12), ("TLSv1.3", 13)];
    let least = values.word("ssl_min_protocol_version", 12, &words)?;
    let most = values.word("ssl_max_protocol_version", 13, &words)?;
    let versions = (least <= 12 && most >= 12, least <= 13 && most >= 13);
    if versions == (false, false) {
        return Err("ssl_min_protocol_version and ssl_max_protocol_version leave neither TLS 1.2 nor 1.3".to_owned());
    }
    Ok(versions)
}

/// The certificate to show, with its key, which must be nobody else's to read.
fn identity(settled: &Settled, mode: TlsMode) -> Result<Option<(PathBuf, PathBuf)>, String> {
    let values = Reader(&settled.values);
    if mode == TlsMode::Disable || values.text("sslcertmode") == Some("disable") {
        return Ok(None);
    }
    let own = |name: &str| settled.home.as_ref().map(|home| home.join(".postgresql").join(name));
    let certificate = match values.text("sslcert") {
        Some(path) => PathBuf::from(path),
        None => match own("postgresql.crt").filter(|path| path.exists()) {
            Some(path) => path,
            None => return Ok(None),
        },
    };
    let Some(key) = values.text("sslkey").map(PathBuf::from).or_else(|| own("postgresql.key")) else {
        return Err(format!("{} has no key: --ssl-key names it", certificate.display()));
    };
    let Some((mode, owner)) = file::rights(&key) else {
        return Err(format!("{}, the key of {}, is not there", key.display(), certificate.display()));
    };
    // A key of root may be lent to a group.
    let allowed = if owner == 0 { 0o640 } else { 0o600 };
    if mode & 0o777 & !allowed & 0o077 != 0 {
        return Err(format!("{} is a private key that others may read: chmod 600 {0}", key.display()));
    }
    Ok(Some((certificate, key)))
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;
    use std::path::Path;

    use super::*;

    fn settled(pairs: &[(&str, &str)], home: Option<&Path>) -> Settled {
        let values = pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        Settled { values, home: home.map(Path::to_owned) }
    }

    fn of(pairs: &[(&str, &str)]) -> Result<Settings, String> {
        settings(&settled(pairs, None), None)
    }

    fn write(path: &Path, text: &str, mode: u32) {
        std::fs::write(path, text).unwrap();
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).unwrap();
    }

    fn shown(pairs: &[(&str, &str)]) -> Vec<String> {
        of(pairs).unwrap().servers.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn nothing_given_is_the_socket_and_kwanza() {
        let settings = of(&[("host", ""), ("port", "1")]).unwrap();
        assert_eq!(settings.servers[0].to_string(), "/var/run/postgresql/.s.PGSQL.1");
        assert_eq!((settings.database.as_str(), settings.application.as_str()), ("kwanza", "check_postgres"));
        assert_eq!(settings.timeout, None);
        assert_eq!((settings.tls.mode, settings.binding, settings.role), (TlsMode::Prefer, Binding::Prefer, Role::Any));
    }

    #[test]
    fn hosts_and_ports_are_paired() {
        assert_eq!(shown(&[("host", "a,b"), ("port", "1,2")]), ["a:1", "b:2"]);
        assert_eq!(shown(&[("host", "a,/tmp"), ("port", "7")]), ["a:7", "/tmp/.s.PGSQL.7"]);
        assert_eq!(shown(&[("host", "a,b"), ("port", ",2")]), ["a:5432", "b:2"]);
        assert_eq!(shown(&[("hostaddr", "::1")]), ["[::1]:5432"]);
        let both = of(&[("host", "db"), ("hostaddr", "127.0.0.1")]).unwrap().servers;
        assert_eq!(both[0].place, Place::Host { name: "db".to_owned(), address: "127.0.0.1".parse().ok() });
    }

    #[test]
    fn what_makes_no_sense_is_said() {
        for (pairs, expected) in [
            (&[("host", "a,b"), ("port", "1,2,3")][..], "3 ports for 2 hosts"),
            (&[("host", "a,b"), ("hostaddr", "::1")], "hostaddr has 1"),
            (&[("port", "0")], "between 1 and 65535"),
            (&[("port", "x")], "between 1 and 65535"),
            (&[("hostaddr", "localhost")], "not an IP address"),
            (&[("sslmode", "on")], "none of disable, allow"),
            (&[("sslmode", "verify-full")], "--ssl-root-cert"),
            (&[("sslmode", "require"), ("sslrootcert", "system")], "verify-full"),
            (&[("sslnegotiation", "direct")], "needs sslmode=require"),
            (&[("ssl_max_protocol_version", "TLSv1.1")], "neither TLS 1.2 nor 1.3"),
            (&[("sslcrl", "crl.pem")], "not done here"),
            (&[("requirepeer", "postgres")], "not done here"),
            (&[("target_session_attrs", "master")], "none of any, read-write"),
            (&[("connect_timeout", "soon")], "number of seconds"),
        ] {
            let reason = of(pairs).unwrap_err();
            assert!(reason.contains(expected), "{pairs:?}: {reason}");
        }
    }

    #[test]
    fn a_timeout_is_taken_as_libpq_does() {
        let timeout = |value| of(&[("connect_timeout", value)]).unwrap().timeout.unwrap();
        assert_eq!(timeout("1"), Duration::from_secs(2));
        assert_eq!(timeout("0"), Duration::MAX);
        assert_eq!(timeout("7"), Duration::from_secs(7));
    }

    #[test]
    fn a_password_comes_from_its_file_only_while_that_is_private() {
        let home = tempfile::tempdir().unwrap();
        let path = home.path().join(".pgpass");
        write(&path, "localhost:*:kwanza:u:socket\nb:5432:*:*:other\n", 0o600);
        let ask = |host: &str| settings(&settled(&[("host", host), ("user", "u")], Some(home.path())), None).unwrap();
        let password = |settings: &Settings, index: usize| settings.passwords[index].0.clone().map(|secret| secret.0);
        let settings = ask("/var/run/postgresql,b,c");
        assert_eq!(password(&settings, 0).as_deref(), Some("socket"));
        assert_eq!(password(&settings, 1).as_deref(), Some("other"));
        assert_eq!(password(&settings, 2), None);
        assert!(!format!("{settings:?}").contains("other"));
        write(&path, "*:*:*:*:x\n", 0o640);
        let settings = ask("b");
        assert_eq!((password(&settings, 0), settings.notes.len()), (None, 1));
        assert!(settings.notes[0].contains("chmod 600"), "{:?}", settings.notes);
    }

    #[test]
    fn a_password_that_is_given_comes_before_the_file() {
        let home = tempfile::tempdir().unwrap();
        write(&home.path().join(".pgpass"), "*:*:*:*:file\n", 0o600);
        let values = settled(&[("password", "given"), ("user", "u")], Some(home.path()));
        let password = |own: Option<&str>| {
            let own = own.map(|own| Secret(own.to_owned()));
            settings(&values, own).unwrap().passwords[0].0.clone().unwrap().0
        };
        assert_eq!((password(None).as_str(), password(Some("option")).as_str()), ("given", "option"));
    }

    #[test]
    fn a_certificate_is_found_in_the_users_home_with_a_private_key() {
        let home = tempfile::tempdir().unwrap();
        let directory = home.path().join(".postgresql");
        std::fs::create_dir(&directory).unwrap();
        let ask = || tls(&settled(&[], Some(home.path())));
        assert_eq!(ask().unwrap().identity, None);
        write(&directory.join("postgresql.crt"), "", 0o644);
        assert!(ask().unwrap_err().contains("is not there"));
        write(&directory.join("postgresql.key"), "", 0o644);
        assert!(ask().unwrap_err().contains("chmod 600"));
        write(&directory.join("postgresql.key"), "", 0o600);
        write(&directory.join("root.crt"), "", 0o644);
        let tls = ask().unwrap();
        assert_eq!(tls.identity, Some((directory.join("postgresql.crt"), directory.join("postgresql.key"))));
        assert_eq!(tls.roots, Some(Roots::File(directory.join("root.crt"))));
    }
}
