//! What an argument names: how to speak to whom, and what to ask for.

use std::fmt;

use crate::parse::percent;

/// How to speak.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scheme {
    /// HTTP/1.1.
    Http,
    /// HTTP/1.1 over TLS.
    Https,
    /// Only a connection.
    Tcp,
    /// Only a handshake.
    Tls,
    /// The health service of gRPC.
    Grpc,
    /// The same over TLS.
    Grpcs,
}

impl Scheme {
    const ALL: [Self; 6] = [Self::Http, Self::Https, Self::Tcp, Self::Tls, Self::Grpc, Self::Grpcs];

    /// As in a URL.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Http => "http",
            Self::Https => "https",
            Self::Tcp => "tcp",
            Self::Tls => "tls",
            Self::Grpc => "grpc",
            Self::Grpcs => "grpcs",
        }
    }

    /// Whether TLS is spoken.
    pub const fn is_tls(self) -> bool {
        matches!(self, Self::Https | Self::Tls | Self::Grpcs)
    }

    /// Whether HTTP/1.1 is spoken.
    pub const fn is_http(self) -> bool {
        matches!(self, Self::Http | Self::Https)
    }

    /// Whether gRPC is spoken.
    pub const fn is_grpc(self) -> bool {
        matches!(self, Self::Grpc | Self::Grpcs)
    }

    /// The port where a URL has none.
    pub const fn port(self) -> Option<u16> {
        match self {
            Self::Http => Some(80),
            Self::Https => Some(443),
            _ => None,
        }
    }
}

/// A URL, of which nothing secret is printed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Url {
    /// How to speak.
    pub scheme: Scheme,
    /// A name or an address, without brackets.
    pub host: String,
    /// The port.
    pub port: u16,
    /// Path and query as they are sent, beginning with `/`; `None` where the URL ends with the port.
    pub path: Option<String>,
}

impl Url {
    /// Reads `text`. The error is one sentence that holds nothing of the URL that may be secret.
    pub fn parse(text: &str) -> Result<Self, String> {
        let shown = || redacted(text);
        let (scheme, rest) = text.split_once("://").ok_or_else(|| {
            format!("'{}' is not a URL: write http://, https://, tcp://, tls://, grpc:// or grpcs://HOST:PORT", shown())
        })?;
        let scheme = Scheme::ALL.into_iter().find(|known| known.word().eq_ignore_ascii_case(scheme));
        let scheme = scheme.ok_or_else(|| {
            if text.starts_with("postgres") {
                format!("{}: that is what check_postgres checks", shown())
            } else {
                format!("{}: the scheme must be one of http, https, tcp, tls, grpc and grpcs", shown())
            }
        })?;
        let (authority, tail) = rest.split_at(rest.find(['/', '?', '#']).unwrap_or(rest.len()));
        if authority.contains('@') {
            return Err(format!(
                "{}: a user name or password on a command line is seen by everybody here: put it into a --header-file",
                shown()
            ));
        }
        let (host, port) =
            authority_of(authority).ok_or_else(|| format!("{}: there is no HOST:PORT in it", shown()))?;
        let port = port.or(scheme.port()).ok_or_else(|| format!("{}: it needs a port", shown()))?;
        Ok(Self { scheme, host, port, path: path_of(scheme, tail).map_err(|fault| format!("{}: {fault}", shown()))? })
    }

    /// `HOST:PORT`, with brackets around an address of IPv6.
    pub fn authority(&self) -> String {
        format!("{}:{}", self.bracketed(), self.port)
    }

    /// The authority as requests carry it: without the port where that is the scheme's own.
    pub fn host_header(&self) -> String {
        if self.scheme.port() == Some(self.port) { self.bracketed() } else { self.authority() }
    }

    fn bracketed(&self) -> String {
        if self.host.contains(':') { format!("[{}]", self.host) } else { self.host.clone() }
    }

    /// Path and query to ask for.
    pub fn request_target(&self) -> &str {
        self.path.as_deref().unwrap_or("/")
    }

    /// The URL that `location`, of an answer of this one, leads to.
    pub fn join(&self, location: &str) -> Result<Self, String> {
        let location = location.split('#').next().unwrap_or_default();
        if location.contains("://") {
            return Self::parse(location);
        }
        if let Some(rest) = location.strip_prefix("//") {
            return Self::parse(&format!("{}://{rest}", self.scheme.word()));
        }
        let (path, _) = split_query(self.request_target());
        let target = match location.chars().next() {
            Some('/') => location.to_owned(),
            Some('?') => format!("{path}{location}"),
            None => self.request_target().to_owned(),
            Some(_) => {
                let folder = path.rsplit_once('/').map_or("", |(folder, _)| folder);
                format!("{folder}/{location}")
            }
        };
        let (path, query) = split_query(&target);
        let whole = format!("{}{query}", without_dots(path));
        Ok(Self { path: path_of(self.scheme, &whole)?, ..self.clone() })
    }

    /// Whether the request would make a Go server measure itself for half a minute.
    pub fn is_costly(&self) -> bool {
        let path = without_dots(&percent::decoded(split_query(self.request_target()).0));
        let words: Vec<&str> = path.split('/').filter(|word| !word.is_empty()).collect();
        matches!(words.as_slice(), [.., "pprof", "profile" | "trace"])
    }
}

impl fmt::Display for Url {
    /// Without the values of the query.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}://{}", self.scheme.word(), self.host_header())?;
        f.write_str(&self.path.as_deref().map(without_values).unwrap_or_default())
    }
}

fn authority_of(authority: &str) -> Option<(String, Option<u16>)> {
    let (host, port) = match authority.rsplit_once(':') {
        Some((host, port)) if !port.ends_with(']') => (host, Some(port.parse().ok().filter(|port| *port > 0)?)),
        _ => (authority, None),
    };
    let host = match host.strip_prefix('[') {
        Some(rest) => {
            let address = rest.strip_suffix(']')?;
            address.parse::<core::net::Ipv6Addr>().ok()?;
            address
        }
        None => host,
    };
    let is_name = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_');
    let is_whole = !host.is_empty() && (authority.starts_with('[') || host.chars().all(is_name));
    is_whole.then(|| (host.to_ascii_lowercase(), port))
}

/// The path and query in what follows an authority.
fn path_of(scheme: Scheme, tail: &str) -> Result<Option<String>, String> {
    let tail = tail.split('#').next().unwrap_or_default();
    if tail.is_empty() || (tail == "/" && !scheme.is_http()) {
        return Ok(None);
    }
    match scheme {
        Scheme::Tcp | Scheme::Tls => Err(format!("{}:// takes no path", scheme.word())),
        Scheme::Grpc | Scheme::Grpcs => Err("it takes no path: --grpc-service names a service".to_owned()),
        _ if !tail.chars().all(|c| c.is_ascii_graphic()) => {
            Err("a path takes only ASCII, and else %XX for a byte".to_owned())
        }
        _ if tail.starts_with('/') => Ok(Some(tail.to_owned())),
        _ => Ok(Some(format!("/{tail}"))),
    }
}

/// The path, and the query with its question mark.
fn split_query(target: &str) -> (&str, &str) {
    target.split_at(target.find('?').unwrap_or(target.len()))
}

/// `path` without `.` and `..`.
fn without_dots(path: &str) -> String {
    let mut words: Vec<&str> = Vec::new();
    let mut all = path.split('/').skip(1).peekable();
    while let Some(word) = all.next() {
        let is_last = all.peek().is_none();
        match word {
            "." | ".." => {
                if word == ".." {
                    words.pop();
                }
                if is_last {
                    words.push("");
                }
            }
            word => words.push(word),
        }
    }
    format!("/{}", words.join("/"))
}

/// `target` with the names in its query alone, as values may be secret.
fn without_values(target: &str) -> String {
    let (path, query) = split_query(target);
    let names: Vec<&str> = query.split(['?', '&']).filter_map(|pair| pair.split('=').next()).collect();
    let names: Vec<&str> = names.into_iter().filter(|name| !name.is_empty()).collect();
    if names.is_empty() { path.to_owned() } else { format!("{path}?{}", names.join("&")) }
}

/// A text that may be a URL, without what may be secret in it.
fn redacted(text: &str) -> String {
    let (before, rest) = match text.split_once("://") {
        Some((scheme, rest)) => (format!("{scheme}://"), rest),
        None => (String::new(), text),
    };
    let (authority, tail) = rest.split_at(rest.find(['/', '?', '#']).unwrap_or(rest.len()));
    let host = authority.rsplit('@').next().unwrap_or_default();
    let tail = without_values(tail.split('#').next().unwrap_or_default());
    format!("{before}{host}{tail}")
}

/// An endpoint to check.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Target {
    /// What its metrics are called by: its name, else its URL as it was written, without secrets.
    pub instance: String,
    /// Its URL.
    pub url: Url,
}

impl Target {
    /// Reads `[NAME=]URL`.
    pub fn parse(text: &str) -> Result<Self, String> {
        let scheme = text.find("://").unwrap_or(text.len());
        match text.split_once('=') {
            Some((name, url)) if name.len() < scheme => {
                let is_name = |c: char| c.is_alphanumeric() || matches!(c, '.' | '-' | '_');
                if name.is_empty() || !name.chars().all(is_name) {
                    return Err(format!(
                        "'{name}' is no name for an endpoint: write letters, digits, '.', '-' and '_'"
                    ));
                }
                Ok(Self { instance: name.to_owned(), url: Url::parse(url)? })
            }
            _ => Ok(Self { instance: redacted(text), url: Url::parse(text)? }),
        }
    }

    /// The service of the operations guide that answers there: by the name of the endpoint, the host, or the port.
    pub fn service(&self) -> Option<&'static str> {
        let words = [self.instance.as_str(), self.url.host.as_str()];
        let by_name = |service: &&str| {
            words.iter().any(|words| words.split(|c: char| !c.is_alphanumeric()).any(|word| word == *service))
        };
        ["kwanza", "cuesta", "postgres"].into_iter().find(by_name).or(match self.url.port {
            6060 | 8000 | 8001 | 8080 => Some("kwanza"),
            80 | 443 => Some("cuesta"),
            5432 | 5444 => Some("postgres"),
            _ => None,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn url(text: &str) -> Url {
        Url::parse(text).unwrap()
    }

    #[test]
    fn a_url_has_a_scheme_a_host_a_port_and_perhaps_a_path() {
        for (text, host, port, path) in [
            ("http://kwanza", "kwanza", 80, None),
            ("http://Kwanza:8000/", "kwanza", 8000, Some("/")),
            ("HTTPS://cuesta/a/b?c=d#e", "cuesta", 443, Some("/a/b?c=d")),
            ("http://h?x", "h", 80, Some("/?x")),
            ("https://[::1]:8443/x", "::1", 8443, Some("/x")),
            ("tcp://127.0.0.1:5444", "127.0.0.1", 5444, None),
            ("grpc://kwanza:8001/", "kwanza", 8001, None),
            ("tls://[fe80::1]:1", "fe80::1", 1, None),
        ] {
            let read = url(text);
            assert_eq!((read.host.as_str(), read.port, read.path.as_deref()), (host, port, path), "{text}");
        }
    }

    #[test]
    fn what_is_no_url_is_refused_in_a_sentence() {
        for (text, reason) in [
            ("kwanza:8000", "is not a URL"),
            ("ftp://kwanza", "must be one of"),
            ("postgres://h:5444", "check_postgres"),
            ("http://", "no HOST:PORT"),
            ("http://:80", "no HOST:PORT"),
            ("http://h:0", "no HOST:PORT"),
            ("http://h:99999", "no HOST:PORT"),
            ("http://::1", "no HOST:PORT"),
            ("http://[::1", "no HOST:PORT"),
            ("http://[kwanza]", "no HOST:PORT"),
            ("http://ho st/", "no HOST:PORT"),
            ("grpc://kwanza", "needs a port"),
            ("tcp://kwanza:1/x", "takes no path"),
            ("grpc://kwanza:1/x", "--grpc-service"),
            ("http://h/a b", "%XX"),
            ("http://me:hunter2@h/", "--header-file"),
        ] {
            let refusal = Url::parse(text).unwrap_err();
            assert!(refusal.contains(reason), "{text}: {refusal}");
            assert!(!refusal.contains("hunter2"), "{refusal}");
        }
    }

    #[test]
    fn an_instance_is_the_url_as_written_without_secrets() {
        for (text, instance) in [
            ("http://kwanza:8000", "http://kwanza:8000"),
            ("https://cuesta:443/x", "https://cuesta:443/x"),
            ("https://h/x?token=hunter2&y&z=#f", "https://h/x?token&y&z"),
            ("kwanza=grpc://h:8001", "kwanza"),
            ("http://h/?a=b", "http://h/?a"),
        ] {
            assert_eq!(Target::parse(text).unwrap().instance, instance);
        }
        assert!(Target::parse("a b=http://h").unwrap_err().contains("no name"));
        assert!(Target::parse("=http://h").unwrap_err().contains("no name"));
        assert_eq!(url("http://h/x?token=hunter2").to_string(), "http://h/x?token");
    }

    #[test]
    fn locations_are_read_against_the_url_that_gave_them() {
        let base = url("http://h:8000/a/b?c");
        for (location, joined) in [
            ("https://cuesta/x", "https://cuesta/x"),
            ("//other:1/x", "http://other:1/x"),
            ("/x#y", "http://h:8000/x"),
            ("x", "http://h:8000/a/x"),
            ("../x", "http://h:8000/x"),
            ("../../../x/./y/..", "http://h:8000/x/"),
            ("?d", "http://h:8000/a/b?d"),
            ("", "http://h:8000/a/b?c"),
        ] {
            assert_eq!(base.join(location).unwrap().to_string(), joined, "{location}");
        }
        assert!(base.join("ftp://x/").is_err());
    }

    #[test]
    fn profiles_that_cost_are_known_however_they_are_written() {
        for path in
            ["/debug/pprof/profile", "/debug/pprof/trace?seconds=1", "/debug/pprof//profile/", "/x/pprof/%70rofile"]
        {
            assert!(url(&format!("http://h{path}")).is_costly(), "{path}");
        }
        for path in ["/debug/pprof/", "/debug/pprof/goroutine?debug=1", "/profile", "/trace"] {
            assert!(!url(&format!("http://h{path}")).is_costly(), "{path}");
        }
        assert!(url("http://h/debug/pprof/x/../profile").is_costly());
    }

    #[test]
    fn the_service_is_told_by_name_host_or_port() {
        for (text, service) in [
            ("http://h:6060/x", Some("kwanza")),
            ("grpc://h:8001", Some("kwanza")),
            ("https://h", Some("cuesta")),
            ("http://cuesta:8000", Some("cuesta")),
            ("kwanza-grpc=grpc://h:443", Some("kwanza")),
            ("tcp://h:5444", Some("postgres")),
            ("tcp://h:1", None),
        ] {
            assert_eq!(Target::parse(text).unwrap().service(), service, "{text}");
        }
    }

    proptest! {
        #[test]
        fn no_secret_is_printed_of_any_text(before in "[ -~]{0,20}", after in "[ -~]{0,20}") {
            let text = format!("http://{before}:SECRET@{after}");
            let said = match Target::parse(&text) {
                Ok(target) => format!("{} {}", target.instance, target.url),
                Err(reason) => reason,
            };
            let is_path = before.contains(['/', '?', '#']);
            prop_assert!(is_path || !said.contains("SECRET"), "{}", said);
        }

        #[test]
        fn no_location_does_harm(location in any::<String>()) {
            if let Ok(joined) = url("http://h/a/b").join(&location) {
                prop_assert!(joined.request_target().starts_with('/'));
                prop_assert!(joined.request_target().chars().all(|c| c.is_ascii_graphic()));
            }
        }
    }
}
