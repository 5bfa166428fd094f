//! The two files of libpq: services and passwords.

/// The settings of service `name` in the text of a service file; `None` where it has no such service.
pub fn service(text: &str, name: &str) -> Option<Result<Vec<(String, String)>, String>> {
    let mut settings = None;
    for (number, line) in text.lines().enumerate().map(|(index, line)| (index + 1, line.trim())) {
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        if let Some(heading) = line.strip_prefix('[') {
            if settings.is_some() {
                break;
            }
            if heading.strip_suffix(']') == Some(name) {
                settings = Some(Vec::new());
            }
        } else if let Some(settings) = &mut settings {
            match line.split_once('=') {
                Some((key, value)) if key != "service" => {
                    settings.push((key.trim_end().to_owned(), value.trim_start().to_owned()));
                }
                Some(_) => return Some(Err(format!("line {number}: a service cannot name another"))),
                None => return Some(Err(format!("line {number} is not KEY=VALUE"))),
            }
        }
    }
    settings.map(Ok)
}

/// What a password is looked up by.
#[derive(Clone, Copy, Debug)]
pub struct Login<'a> {
    /// Host as it was given, `localhost` for the default socket.
    pub host: &'a str,
    /// Port.
    pub port: &'a str,
    /// Database.
    pub database: &'a str,
    /// User.
    pub user: &'a str,
}

/// The password for `login` in the text of a password file.
pub fn password(text: &str, login: Login) -> Option<String> {
    let wanted = [login.host, login.port, login.database, login.user];
    text.split('\n').map(|line| line.strip_suffix('\r').unwrap_or(line)).filter(|line| !line.starts_with('#')).find_map(
        |line| {
            let mut rest = line;
            for value in wanted {
                let (field, tail) = field(rest)?;
                if field != "*" && unescaped(field) != value {
                    return None;
                }
                rest = tail;
            }
            Some(unescaped(field(rest).map_or(rest, |(field, _)| field)))
        },
    )
}

/// What stands before the next colon that no backslash hides, and what stands behind it.
fn field(text: &str) -> Option<(&str, &str)> {
    let mut is_escaped = false;
    let end = text.find(|c| {
        let ends = c == ':' && !is_escaped;
        is_escaped = c == '\\' && !is_escaped;
        ends
    })?;
    Some((text.get(..end)?, text.get(end + 1..)?))
}

fn unescaped(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        plain.extend(if c == '\\' { chars.next() } else { Some(c) });
    }
    plain
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_service_is_its_section() {
        let text = "# comment\nhost=before\n[a]\nhost=ha\n[b]\n  host=hb\nport=5433 \n\n# x\ndbname=d=e\n[c]\nhost=hc\n[b]\nhost=again\n";
        let settings = service(text, "b").unwrap().unwrap();
        let shown: Vec<String> = settings.iter().map(|(key, value)| format!("{key}={value}")).collect();
        assert_eq!(shown, ["host=hb", "port=5433", "dbname=d=e"]);
        assert!(service(text, "d").is_none());
        assert!(service("[a]\nhost\n", "a").unwrap().unwrap_err().contains("line 2"));
        assert!(service("[a]\nservice=b\n", "a").unwrap().is_err());
    }

    #[test]
    fn the_first_line_that_matches_has_the_password() {
        let text =
            "# h:1:d:u:comment\nh:1:other:u:no\nh:1:*:u:first\n*:*:*:*:rest\\:of\\\\it:ignored\nx\\:y:1:d:u:colon\n";
        let of = |host, port| password(text, Login { host, port, database: "d", user: "u" });
        assert_eq!(of("h", "1").as_deref(), Some("first"));
        assert_eq!(of("h", "2").as_deref(), Some("rest:of\\it"));
        let colon = password("x\\:y:1:d:u:colon", Login { host: "x:y", port: "1", database: "d", user: "u" });
        assert_eq!(colon.as_deref(), Some("colon"));
        assert_eq!(password("h:1:d\nh:1:d:v:p", Login { host: "h", port: "1", database: "d", user: "u" }), None);
    }
}
