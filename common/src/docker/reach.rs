//! Where a port of a container can be reached.

use super::{Container, Status};

/// `HOST:PORT` of `port` of a container, as it is reached from the engine's host: where it is published, else the
/// container's own address. The error says why there is none.
pub fn address(container: &Container, port: u16) -> Result<String, String> {
    if container.state.status != Some(Status::Running) {
        let word = container.state.status.as_ref().map_or("in no known state", Status::word);
        return Err(format!("it does not run, it is {word}"));
    }
    if container.host_config.network_mode.as_deref() == Some("host") {
        return Ok(format!("127.0.0.1:{port}"));
    }
    let settings = &container.network_settings;
    let bindings = settings.ports.as_ref().and_then(|ports| ports.get(&format!("{port}/tcp"))?.as_deref());
    let published = bindings.and_then(|bindings| {
        bindings.iter().find_map(|binding| binding.host_port.as_deref().map(|port| (binding, port)))
    });
    if let Some((binding, port)) = published.filter(|(_, port)| !port.is_empty()) {
        let host = match binding.host_ip.as_deref() {
            None | Some("" | "0.0.0.0" | "::") => "127.0.0.1",
            Some(host) => host,
        };
        return Ok(authority(host, port));
    }
    let own = settings.networks.iter().flatten().filter_map(|(_, place)| place.ip_address.as_deref());
    match own.into_iter().find(|address| !address.is_empty()) {
        Some(address) => Ok(authority(address, &port.to_string())),
        None => Err(format!("port {port} is not published, and it has no address of its own")),
    }
}

fn authority(host: &str, port: &str) -> String {
    if host.contains(':') { format!("[{host}]:{port}") } else { format!("{host}:{port}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reached(settings: &str, mode: &str) -> Result<String, String> {
        let text = format!(
            r#"{{"State": {{"Status": "running"}}, "HostConfig": {{"NetworkMode": "{mode}"}}, "NetworkSettings": {settings}}}"#
        );
        address(&serde_json::from_str(&text).unwrap(), 8080)
    }

    #[test]
    fn a_published_port_is_preferred_to_the_containers_own_address() {
        let own = r#""Networks": {"deploy_default": {"IPAddress": "172.18.0.3"}}"#;
        let published =
            |ip: &str| format!(r#"{{{own}, "Ports": {{"8080/tcp": [{{"HostIp": "{ip}", "HostPort": "18080"}}]}}}}"#);
        assert_eq!(reached(&published("0.0.0.0"), "deploy_default").as_deref(), Ok("127.0.0.1:18080"));
        assert_eq!(reached(&published("10.0.0.1"), "deploy_default").as_deref(), Ok("10.0.0.1:18080"));
        assert_eq!(reached(&published("fd00::1"), "deploy_default").as_deref(), Ok("[fd00::1]:18080"));
        let hidden = format!(r#"{{{own}, "Ports": {{"8080/tcp": null}}}}"#);
        assert_eq!(reached(&hidden, "deploy_default").as_deref(), Ok("172.18.0.3:8080"));
        assert_eq!(reached("{}", "host").as_deref(), Ok("127.0.0.1:8080"));
    }

    #[test]
    fn a_container_that_cannot_be_reached_says_why() {
        assert!(
            reached(r#"{"Networks": {"none": {"IPAddress": ""}}}"#, "none")
                .unwrap_err()
                .contains("8080 is not published")
        );
        let ended = serde_json::from_str(r#"{"State": {"Status": "exited"}}"#).unwrap();
        assert_eq!(address(&ended, 1), Err("it does not run, it is exited".to_owned()));
    }
}
