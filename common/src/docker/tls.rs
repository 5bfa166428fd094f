//! TLS to an engine: the options, and what the docker client's variables say.

use std::ffi::OsString;
use std::path::PathBuf;

use clap::Args;

use super::address::{Address, Scheme, default_endpoint, home, named, variable};
use crate::http::{Endpoint, Identity, TlsServer};

const TLS_PORT: u16 = 2376;

/// Options of a plugin that speaks TLS to the engine, to be flattened into its own.
#[derive(Clone, Debug, Default, PartialEq, Eq, Args)]
pub struct TlsOptions {
    /// Speak TLS to the engine, whose certificate a CA in FILE must have signed; else one that the system trusts
    ///
    /// With any --tls option, `DOCKER_TLS_VERIFY`, `DOCKER_TLS` and `DOCKER_CERT_PATH` are not looked at. Without one
    /// they are read as the docker client reads them: ca.pem, cert.pem and key.pem in `DOCKER_CERT_PATH` or ~/.docker.
    #[arg(long, value_name = "FILE")]
    pub tls_ca: Option<PathBuf>,
    /// Speak TLS to the engine and show it the certificate in FILE
    #[arg(long, value_name = "FILE")]
    pub tls_cert: Option<PathBuf>,
    /// The key of --tls-cert, not encrypted
    #[arg(long, value_name = "FILE")]
    pub tls_key: Option<PathBuf>,
}

/// What a connection with TLS takes.
#[derive(Debug, PartialEq, Eq)]
struct Tls {
    /// The option or variable that asks for it.
    wish: &'static str,
    ca: Option<PathBuf>,
    identity: Option<Identity>,
    verify: bool,
}

impl TlsOptions {
    /// What the options ask for; the error is one sentence.
    fn tls(&self) -> Result<Option<Tls>, String> {
        let identity = match (&self.tls_cert, &self.tls_key) {
            (Some(certificate), Some(key)) => {
                Some(Identity { certificate: certificate.clone(), key: key.clone(), is_optional: false })
            }
            (Some(_), None) => return Err("--tls-cert needs the key of the certificate too: --tls-key".to_owned()),
            (None, Some(_)) => return Err("--tls-key needs the certificate of the key too: --tls-cert".to_owned()),
            (None, None) => None,
        };
        let wish = if self.tls_ca.is_some() { "--tls-ca" } else { "--tls-cert" };
        let is_given = self.tls_ca.is_some() || identity.is_some();
        Ok(is_given.then(|| Tls { wish, ca: self.tls_ca.clone(), identity, verify: true }))
    }
}

/// What the variables of the docker client ask for. Any value of them is a yes, even `0`.
fn from_environment(environment: &dyn Fn(&str) -> Option<OsString>, home: Option<PathBuf>) -> Option<Tls> {
    let wish = ["DOCKER_TLS_VERIFY", "DOCKER_TLS"].into_iter().find(|name| environment(name).is_some())?;
    let files = environment("DOCKER_CERT_PATH").map(PathBuf::from);
    let files = files.unwrap_or_else(|| home.unwrap_or_else(|| PathBuf::from("/")).join(".docker"));
    // That client does without a certificate where there is none, and not without a CA.
    let identity = Identity { certificate: files.join("cert.pem"), key: files.join("key.pem"), is_optional: true };
    let verify = wish == "DOCKER_TLS_VERIFY";
    Some(Tls { wish, ca: Some(files.join("ca.pem")), identity: Some(identity), verify })
}

/// The endpoint that an option, else `DOCKER_HOST`, else a default socket names, with TLS where `options`, the
/// variables of the docker client or `https://` ask for it.
///
/// The error says what is wrong with what was named. No file is read here.
pub fn endpoint_with_tls(option: Option<&str>, options: &TlsOptions) -> Result<Endpoint, String> {
    let given = options.tls()?;
    let Some(address) = named(option, &variable, Address::read)? else {
        return match given {
            Some(tls) => Err(format!("{}: TLS needs an address: --docker-host tcp://HOST:PORT", tls.wish)),
            None => Ok(default_endpoint()),
        };
    };
    combine(address, given, from_environment(&variable, home()))
}

fn combine(address: Address, given: Option<Tls>, environment: Option<Tls>) -> Result<Endpoint, String> {
    let (host, port, scheme) = match (address, given.as_ref()) {
        (Address::Unix(path), Some(tls)) => {
            return Err(format!("{}: there is no TLS on a socket, {}", tls.wish, Endpoint::Unix(path)));
        }
        // The docker client's variables often stay when its address becomes a socket.
        (Address::Unix(path), None) => return Ok(Endpoint::Unix(path)),
        (Address::Host { host, port, scheme }, _) => (host, port, scheme),
    };
    let tls = match (given.or(environment), scheme) {
        (Some(tls), Scheme::Http) => {
            return Err(format!("{}: http:// is an address without TLS, write tcp://HOST:PORT", tls.wish));
        }
        (None, Scheme::Https) => Tls { wish: "https://", ca: None, identity: None, verify: true },
        (Some(tls), _) => tls,
        (None, _) => return Ok(Endpoint::Tcp(format!("{host}:{}", port.unwrap_or(super::address::PLAIN_PORT)))),
    };
    let server = TlsServer::new(format!("{host}:{}", port.unwrap_or(TLS_PORT)), tls.ca, tls.identity);
    Ok(Endpoint::Tls(if tls.verify { server } else { server.unverified() }))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn options(ca: bool, cert: bool, key: bool) -> TlsOptions {
        let file = |given: bool, name: &str| given.then(|| PathBuf::from(name));
        TlsOptions { tls_ca: file(ca, "CA"), tls_cert: file(cert, "CERT"), tls_key: file(key, "KEY") }
    }

    fn identity(certificate: &str, key: &str, is_optional: bool) -> Identity {
        Identity { certificate: certificate.into(), key: key.into(), is_optional }
    }

    /// The endpoint of `address` with `options` and the variables in `environment`, for a user whose home is `/h`.
    fn endpoint(address: &str, options: &TlsOptions, environment: &[(&str, &str)]) -> Result<Endpoint, String> {
        let variable = |name: &str| {
            environment.iter().find(|(key, value)| *key == name && !value.is_empty()).map(|(_, value)| value.into())
        };
        combine(Address::read(address)?, options.tls()?, from_environment(&variable, Some("/h".into())))
    }

    #[test]
    fn any_option_means_tls_that_verifies_and_the_environment_is_not_mixed_in() {
        let variables = [("DOCKER_TLS", "1"), ("DOCKER_CERT_PATH", "/certs")];
        for (given, ca, pair) in [
            (options(true, false, false), Some("CA"), None),
            (options(false, true, true), None, Some(identity("CERT", "KEY", false))),
            (options(true, true, true), Some("CA"), Some(identity("CERT", "KEY", false))),
        ] {
            let server = TlsServer::new("h:2376".to_owned(), ca.map(PathBuf::from), pair);
            for address in ["tcp://h:2376", "https://h:2376", "tcp://h", "https://h", "h:2376"] {
                assert_eq!(endpoint(address, &given, &variables), Ok(Endpoint::Tls(server.clone())), "{address}");
            }
        }
    }

    #[test]
    fn half_a_pair_and_tls_where_there_can_be_none_are_refused() {
        for (address, given, reason) in [
            ("tcp://h:1", options(false, true, false), "--tls-cert needs the key"),
            ("tcp://h:1", options(true, false, true), "--tls-key needs the certificate"),
            ("unix:///s", options(true, false, false), "--tls-ca: there is no TLS on a socket, unix:///s"),
            ("http://h:1", options(false, true, true), "--tls-cert: http:// is an address without TLS"),
        ] {
            let refusal = endpoint(address, &given, &[]).unwrap_err();
            assert!(refusal.contains(reason), "{refusal}");
        }
        let refusal = endpoint("http://h:1", &TlsOptions::default(), &[("DOCKER_TLS_VERIFY", "1")]).unwrap_err();
        assert!(refusal.contains("DOCKER_TLS_VERIFY: http://"), "{refusal}");
    }

    #[test]
    fn the_variables_are_read_as_the_docker_client_reads_them() {
        let none = TlsOptions::default();
        let server = |files: &str| {
            let [ca, certificate, key] = ["ca.pem", "cert.pem", "key.pem"].map(|name| format!("{files}/{name}"));
            TlsServer::new("h:1".to_owned(), Some(ca.into()), Some(identity(&certificate, &key, true)))
        };
        let path = ("DOCKER_CERT_PATH", "/certs");
        let plain = Endpoint::Tcp("h:1".to_owned());
        for (variables, wanted) in [
            (vec![], plain.clone()),
            (vec![("DOCKER_TLS_VERIFY", ""), path], plain.clone()),
            (vec![path], plain),
            (vec![("DOCKER_TLS_VERIFY", "1"), path], Endpoint::Tls(server("/certs"))),
            (vec![("DOCKER_TLS_VERIFY", "0")], Endpoint::Tls(server("/h/.docker"))),
            (vec![("DOCKER_TLS", "1"), path], Endpoint::Tls(server("/certs").unverified())),
            (vec![("DOCKER_TLS", "1"), ("DOCKER_TLS_VERIFY", "1"), path], Endpoint::Tls(server("/certs"))),
        ] {
            assert_eq!(endpoint("tcp://h:1", &none, &variables), Ok(wanted), "{variables:?}");
        }
        let socket = Endpoint::Unix("/s".into());
        assert_eq!(endpoint("unix:///s", &none, &[("DOCKER_TLS_VERIFY", "1")]), Ok(socket));
        let trusted = Endpoint::Tls(TlsServer::new("h:2376".to_owned(), None, None));
        assert_eq!(endpoint("https://h", &none, &[]), Ok(trusted.clone()));
        assert_eq!(trusted.to_string(), "https://h:2376");
        assert_eq!(endpoint("tcp://h", &none, &[]), Ok(Endpoint::Tcp("h:2375".to_owned())));
    }
}
