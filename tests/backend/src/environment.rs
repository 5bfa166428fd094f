//! Settings from environment variables.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::str::FromStr;

/// The variable `name`, or `default` where it is not set.
pub fn value<T: FromStr>(name: &str, default: T) -> Result<T, String> {
    match std::env::var(name) {
        Ok(text) => text.parse().map_err(|_| format!("{name} cannot be {text:?}")),
        Err(_) => Ok(default),
    }
}

/// The port that `name` gives, at all addresses.
pub fn port(name: &str, default: u16) -> Result<SocketAddr, String> {
    Ok(SocketAddr::new(IpAddr::V4(Ipv4Addr::UNSPECIFIED), value(name, default)?))
}
