//! Names to addresses, by the system's resolver.

use std::io;
use std::net::{IpAddr, SocketAddr, ToSocketAddrs as _};
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::thread;
use std::time::Instant;

use crate::cli::Config;
use crate::parse::lookup;
use crate::snapshot::{Failure, LookupFault, Phase};
use crate::target::Url;

/// A look-up, which may hang.
type Lookup = fn(&str, u16) -> io::Result<Vec<SocketAddr>>;

/// What a look-up gave.
#[derive(Debug)]
pub struct Addresses {
    /// At least one.
    pub found: Vec<SocketAddr>,
    /// Whether somebody was asked.
    pub is_looked_up: bool,
}

/// The addresses of the host in `url`.
pub fn addresses(config: &Config, url: &Url, end: Instant) -> Result<Addresses, Failure> {
    addresses_by(config, url, end, |host, port| (host, port).to_socket_addrs().map(Iterator::collect))
}

fn addresses_by(config: &Config, url: &Url, end: Instant, lookup: Lookup) -> Result<Addresses, Failure> {
    let is_meant =
        |address: &IpAddr| !(config.options.ipv4 && address.is_ipv6() || config.options.ipv6 && address.is_ipv4());
    let given: Vec<IpAddr> = config
        .resolved
        .iter()
        .filter(|known| known.host == url.host && known.port == url.port)
        .map(|known| known.address)
        .chain(url.host.parse())
        .collect();
    let is_looked_up = given.is_empty();
    let all = if is_looked_up {
        look_up(&url.host, url.port, end, lookup)?
    } else {
        given.into_iter().map(|address| SocketAddr::new(address, url.port)).collect()
    };
    let found: Vec<SocketAddr> = all.into_iter().filter(|address| is_meant(&address.ip())).collect();
    if found.is_empty() { Err(Failure::Lookup(LookupFault::NoAddress)) } else { Ok(Addresses { found, is_looked_up }) }
}

/// Asks in a thread of its own, which is left behind where it hangs.
fn look_up(host: &str, port: u16, end: Instant, lookup: Lookup) -> Result<Vec<SocketAddr>, Failure> {
    let (sender, answer) = channel();
    let name = host.to_owned();
    let thread = thread::Builder::new().spawn(move || {
        let _ = sender.send(lookup(&name, port));
    });
    let own = |reason: String| Failure::Lookup(LookupFault::Resolver(reason));
    if let Err(error) = thread {
        return Err(own(common::text::io_error(&error)));
    }
    match answer.recv_timeout(end.saturating_duration_since(Instant::now())) {
        Ok(Ok(addresses)) => Ok(addresses),
        // An error with a number is one of the system: no file descriptor left, say.
        Ok(Err(error)) if error.raw_os_error().is_some() => Err(own(common::text::io_error(&error))),
        Ok(Err(error)) => Err(Failure::Lookup(lookup::fault(&error.to_string()))),
        Err(RecvTimeoutError::Timeout) => Err(Failure::Timeout(Phase::Lookup)),
        Err(RecvTimeoutError::Disconnected) => Err(own("it gave no answer".to_owned())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    fn found(words: &[&str], lookup: Lookup) -> Result<Vec<String>, Failure> {
        let config = crate::cli::config_of(words);
        let end = Instant::now() + Duration::from_millis(200);
        let addresses = addresses_by(&config, &config.targets[0].url, end, lookup)?;
        Ok(addresses.found.iter().map(ToString::to_string).collect())
    }

    #[allow(clippy::unnecessary_wraps, reason = "it stands for a look-up, which may fail")]
    fn both(_: &str, port: u16) -> io::Result<Vec<SocketAddr>> {
        Ok(["::1", "127.0.0.1"].map(|address| SocketAddr::new(address.parse().unwrap(), port)).to_vec())
    }

    fn nobody(_: &str, _: u16) -> io::Result<Vec<SocketAddr>> {
        panic!("nobody is to be asked")
    }

    #[test]
    fn addresses_are_those_of_the_version_that_is_wanted() {
        for (option, expected) in
            [(&[][..], &["[::1]:1", "127.0.0.1:1"][..]), (&["-4"], &["127.0.0.1:1"]), (&["-6"], &["[::1]:1"])]
        {
            assert_eq!(found(&[&["tcp://h:1"], option].concat(), both).unwrap(), expected);
        }
        let none = found(&["tcp://127.0.0.1:1", "-6"], nobody);
        assert_eq!(none, Err(Failure::Lookup(LookupFault::NoAddress)));
    }

    #[test]
    fn what_is_known_is_not_looked_up() {
        assert_eq!(found(&["tcp://[::1]:1"], nobody).unwrap(), ["[::1]:1"]);
        let given = ["tcp://H:1", "--resolve", "h:1:127.0.0.2", "--resolve", "h:2:127.0.0.3"];
        assert_eq!(found(&given, nobody).unwrap(), ["127.0.0.2:1"]);
    }

    #[test]
    fn a_resolver_that_hangs_is_left_behind() {
        let begin = Instant::now();
        let hangs: Lookup = |_, _| {
            thread::sleep(Duration::from_mins(1));
            Ok(Vec::new())
        };
        assert_eq!(found(&["tcp://h:1"], hangs), Err(Failure::Timeout(Phase::Lookup)));
        assert!(begin.elapsed() < Duration::from_secs(5));
    }

    #[test]
    fn faults_of_this_machine_are_the_resolvers() {
        let full: Lookup = |_, _| Err(io::Error::from_raw_os_error(24));
        let Err(Failure::Lookup(LookupFault::Resolver(reason))) = found(&["tcp://h:1"], full) else { panic!() };
        assert_eq!(reason, "too many open files");
    }
}
