//! Addresses of engines, as the docker client writes and finds them.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use nix::fcntl::AtFlags;
use nix::unistd::AccessFlags;

use crate::http::Endpoint;

const DEFAULT_SOCKET: &str = "/var/run/docker.sock";
pub(super) const PLAIN_PORT: u16 = 2375;
const NO_TLS: &str = "TLS to the engine is not supported here: use its unix socket";

/// The socket of an engine on this machine.
///
/// Docker's sockets come before Podman's, the rootful before the rootless. Where this user may not use the first of
/// Docker's and may use another of them, that one is meant. It is never Podman's because Docker's is forbidden: to be
/// told that an engine without containers is well would hide that the right one was not asked.
pub fn default_endpoint() -> Endpoint {
    let runtime = std::env::var_os("XDG_RUNTIME_DIR").filter(|dir| !dir.is_empty()).map_or_else(
        // Services have no session, and the user's directory all the same.
        || PathBuf::from(format!("/run/user/{}", nix::unistd::geteuid())),
        PathBuf::from,
    );
    let mut docker = vec![PathBuf::from(DEFAULT_SOCKET), runtime.join("docker.sock")];
    // Docker Desktop.
    docker.extend(home().map(|home| home.join(".docker/run/docker.sock")));
    let podman = vec![PathBuf::from("/run/podman/podman.sock"), runtime.join("podman/podman.sock")];
    let is_there = |path: &Path| path.metadata().is_ok();
    let may_write = |path: &Path| {
        nix::unistd::faccessat(nix::fcntl::AT_FDCWD, path, AccessFlags::W_OK, AtFlags::AT_EACCESS).is_ok()
    };
    // Where there is none, the first is the one to name.
    let found = [docker, podman].into_iter().find_map(|sockets| usable(sockets, is_there, may_write));
    Endpoint::Unix(found.unwrap_or_else(|| PathBuf::from(DEFAULT_SOCKET)))
}

/// The first that may be written to, else the first that is there.
fn usable(
    sockets: Vec<PathBuf>,
    is_there: impl Fn(&Path) -> bool,
    may_write: impl Fn(&Path) -> bool,
) -> Option<PathBuf> {
    let mut there: Vec<PathBuf> = sockets.into_iter().filter(|path| is_there(path)).collect();
    let best = there.iter().position(|path| may_write(path)).unwrap_or(0);
    (best < there.len()).then(|| there.swap_remove(best))
}

/// The user's home directory, as far as the environment has it.
pub(super) fn home() -> Option<PathBuf> {
    std::env::var_os("HOME").filter(|home| !home.is_empty()).map(PathBuf::from)
}

/// An address as it is written.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Address {
    Unix(PathBuf),
    Host { host: String, port: Option<u16>, scheme: Scheme },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Scheme {
    /// With TLS or without, as else is said.
    Tcp,
    /// Without.
    Http,
    /// With.
    Https,
}

impl Address {
    /// Reads `text`; the error says what is wrong with it.
    pub(super) fn read(text: &str) -> Result<Self, String> {
        if text.starts_with('/') {
            return unix(text, text);
        }
        let Some((scheme, rest)) = text.split_once("://") else {
            // The docker client takes this for a host too.
            return match host(text, Scheme::Tcp) {
                Some(address @ Self::Host { port: Some(_), .. }) => Ok(address),
                _ => Err(format!("'{text}' is not an address: write unix:///PATH or tcp://HOST:PORT")),
            };
        };
        let scheme = match scheme {
            "unix" => return unix(rest, text),
            "tcp" => Scheme::Tcp,
            "http" => Scheme::Http,
            "https" => Scheme::Https,
            "ssh" => return Err("ssh:// is not supported: run the check on the Docker host itself".to_owned()),
            "npipe" => return Err("npipe:// is of Windows alone: write unix:///PATH or tcp://HOST:PORT".to_owned()),
            "fd" => return Err("fd:// is for the engine to listen at: write the unix:///PATH of its socket".to_owned()),
            _ => return Err(format!("'{text}' is not an address: write unix:///PATH or tcp://HOST:PORT")),
        };
        host(rest, scheme).ok_or_else(|| format!("'{text}' is not tcp://HOST:PORT"))
    }

    /// The address as one without TLS; `None` where it asks for that.
    fn plain(self) -> Option<Endpoint> {
        match self {
            Self::Unix(path) => Some(Endpoint::Unix(path)),
            Self::Host { scheme: Scheme::Https, .. } => None,
            Self::Host { host, port, .. } => Some(Endpoint::Tcp(format!("{host}:{}", port.unwrap_or(PLAIN_PORT)))),
        }
    }
}

fn unix(path: &str, text: &str) -> Result<Address, String> {
    if path.starts_with('/') { Ok(Address::Unix(path.into())) } else { Err(format!("'{text}' has no absolute path")) }
}

fn host(authority: &str, scheme: Scheme) -> Option<Address> {
    let authority = authority.trim_end_matches('/');
    let (host, port) = match authority.rsplit_once(':') {
        Some((host, port)) if !port.ends_with(']') => (host, Some(port.parse().ok()?)),
        _ => (authority, None),
    };
    let is_whole = !host.is_empty() && (!host.contains(':') || (host.starts_with('[') && host.ends_with(']')));
    let is_host = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_' | ':' | '[' | ']' | '%');
    (is_whole && host.chars().all(is_host)).then(|| Address::Host { host: host.to_owned(), port, scheme })
}

/// Reads an address as the docker client writes it: `unix:///path`, `tcp://host:port`, `/path`.
pub fn parse_endpoint(text: &str) -> Result<Endpoint, String> {
    Address::read(text)?.plain().ok_or_else(|| NO_TLS.to_owned())
}

/// The address that an option, else `DOCKER_HOST` names, with the name of what named it before the error.
pub(super) fn named<T>(
    option: Option<&str>,
    environment: &dyn Fn(&str) -> Option<OsString>,
    read: impl Fn(&str) -> Result<T, String>,
) -> Result<Option<T>, String> {
    if let Some(text) = option {
        return read(text).map(Some).map_err(|reason| format!("--docker-host: {reason}"));
    }
    let Some(text) = environment("DOCKER_HOST") else { return Ok(None) };
    read(&text.to_string_lossy()).map(Some).map_err(|reason| format!("DOCKER_HOST: {reason}"))
}

/// A variable of the environment; an empty one is none.
pub(super) fn variable(name: &str) -> Option<OsString> {
    std::env::var_os(name).filter(|value| !value.is_empty())
}

/// The endpoint that an option, else `DOCKER_HOST`, else a default socket names. TLS is refused.
///
/// The error says what is wrong with the one that was named.
pub fn endpoint(option: Option<&str>) -> Result<Endpoint, String> {
    let Some(endpoint) = named(option, &variable, parse_endpoint)? else { return Ok(default_endpoint()) };
    if option.is_none() && variable("DOCKER_TLS_VERIFY").is_some() && matches!(endpoint, Endpoint::Tcp(_)) {
        return Err(format!("DOCKER_TLS_VERIFY: {NO_TLS}"));
    }
    Ok(endpoint)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_read_as_the_docker_client_writes_them() {
        let tcp = |text: &str| Ok(Endpoint::Tcp(text.to_owned()));
        assert_eq!(parse_endpoint("unix:///run/d.sock"), Ok(Endpoint::Unix("/run/d.sock".into())));
        assert_eq!(parse_endpoint("/run/d.sock"), Ok(Endpoint::Unix("/run/d.sock".into())));
        assert_eq!(parse_endpoint("tcp://127.0.0.1:2375"), tcp("127.0.0.1:2375"));
        assert_eq!(parse_endpoint("tcp://docker"), tcp("docker:2375"));
        assert_eq!(parse_endpoint("tcp://[::1]:2375/"), tcp("[::1]:2375"));
        assert_eq!(parse_endpoint("tcp://[::1]"), tcp("[::1]:2375"));
        assert_eq!(parse_endpoint("http://docker:80"), tcp("docker:80"));
        assert_eq!(parse_endpoint("docker:2375"), tcp("docker:2375"));
        for (bad, reason) in [
            ("ssh://root@host", "run the check on the Docker host"),
            ("https://host:2376", "TLS"),
            ("npipe:////./pipe/docker_engine", "Windows"),
            ("fd://", "the engine to listen"),
            ("docker", "not an address"),
            ("unix:/run/d.sock", "not an address"),
            ("tcp://::1", "tcp://HOST:PORT"),
            ("unix://relative", "absolute"),
            ("tcp://", "tcp://HOST:PORT"),
            ("tcp://host:99999", "tcp://HOST:PORT"),
            ("tcp://host:1/path", "tcp://HOST:PORT"),
            ("tcp://ho|st\n:1", "tcp://HOST:PORT"),
            ("", "not an address"),
        ] {
            let refusal = parse_endpoint(bad).unwrap_err();
            assert!(refusal.contains(reason), "{bad}: {refusal}");
        }
    }

    #[test]
    fn the_first_socket_that_may_be_used_is_taken_and_else_the_first() {
        let sockets = || ["/a", "/b", "/c"].map(PathBuf::from).to_vec();
        for (there, writable, taken) in [
            ("/a/b/c", "/a/b/c", Some("/a")),
            ("/a/b/c", "/b/c", Some("/b")),
            ("/b/c", "", Some("/b")),
            ("/c", "/c", Some("/c")),
            ("", "", None),
        ] {
            let holds = |list: &'static str| move |path: &Path| list.contains(path.to_str().unwrap());
            assert_eq!(
                usable(sockets(), holds(there), holds(writable)),
                taken.map(PathBuf::from),
                "{there} {writable}"
            );
        }
    }
}
