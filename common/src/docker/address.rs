//! Addresses of engines, as the docker client writes and finds them.

use std::path::PathBuf;

use crate::http::Endpoint;

/// Sockets where an engine listens by default, rootful and rootless, Docker before Podman.
pub fn default_endpoint() -> Endpoint {
    let runtime = std::env::var_os("XDG_RUNTIME_DIR").map(PathBuf::from);
    let mut candidates = vec![PathBuf::from("/var/run/docker.sock")];
    candidates.extend(runtime.as_ref().map(|dir| dir.join("docker.sock")));
    candidates.push(PathBuf::from("/run/podman/podman.sock"));
    candidates.extend(runtime.map(|dir| dir.join("podman/podman.sock")));
    let found = candidates.iter().find(|path| path.symlink_metadata().is_ok());
    // Where there is none, the first is the one to name.
    Endpoint::Unix(found.cloned().unwrap_or_else(|| PathBuf::from("/var/run/docker.sock")))
}

/// Reads an address as the docker client writes it: `unix:///path`, `tcp://host:port`, `/path`.
pub fn parse_endpoint(text: &str) -> Result<Endpoint, String> {
    if let Some(path) = text.strip_prefix("unix://") {
        return unix(path, text);
    }
    if text.starts_with('/') {
        return unix(text, text);
    }
    if let Some(authority) = text.strip_prefix("tcp://").or_else(|| text.strip_prefix("http://")) {
        let authority = authority.trim_end_matches('/');
        let (host, port) = authority.rsplit_once(':').unwrap_or((authority, "2375"));
        let is_whole = !host.is_empty() && (!host.contains(':') || (host.starts_with('[') && host.ends_with(']')));
        let is_host = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_' | ':' | '[' | ']' | '%');
        if !is_whole || port.parse::<u16>().is_err() || !host.chars().all(is_host) {
            return Err(format!("'{text}' is not tcp://HOST:PORT"));
        }
        return Ok(Endpoint::Tcp(format!("{host}:{port}")));
    }
    match text.split_once("://") {
        Some(("ssh", _)) => Err("ssh:// is not supported: run the check on the Docker host itself".to_owned()),
        Some(("https", _)) => Err("TLS to the engine is not supported here: use its unix socket".to_owned()),
        _ => Err(format!("'{text}' is not an address: write unix:///PATH or tcp://HOST:PORT")),
    }
}

fn unix(path: &str, text: &str) -> Result<Endpoint, String> {
    if path.starts_with('/') { Ok(Endpoint::Unix(path.into())) } else { Err(format!("'{text}' has no absolute path")) }
}

/// The endpoint that an option, else `DOCKER_HOST`, else a default socket names.
///
/// The error says what is wrong with the one that was named.
pub fn endpoint(option: Option<&str>) -> Result<Endpoint, String> {
    if let Some(text) = option {
        return parse_endpoint(text).map_err(|reason| format!("--docker-host: {reason}"));
    }
    let Some(text) = std::env::var_os("DOCKER_HOST").filter(|text| !text.is_empty()) else {
        return Ok(default_endpoint());
    };
    let endpoint = parse_endpoint(&text.to_string_lossy()).map_err(|reason| format!("DOCKER_HOST: {reason}"))?;
    let wants_tls = std::env::var_os("DOCKER_TLS_VERIFY").is_some_and(|value| !value.is_empty());
    if wants_tls && matches!(endpoint, Endpoint::Tcp(_)) {
        return Err("DOCKER_TLS_VERIFY: TLS to the engine is not supported here: use its unix socket".to_owned());
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
        for (bad, reason) in [
            ("ssh://root@host", "run the check on the Docker host"),
            ("https://host:2376", "TLS"),
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
}
