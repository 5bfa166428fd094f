//! Connection strings, as libpq takes them: `key=value …` and `postgresql://…`.

/// Pairs of option and value, in their order. The error is one sentence that repeats no value.
pub type Pairs = Result<Vec<(String, String)>, String>;

const SCHEMES: [&str; 2] = ["postgresql://", "postgres://"];

/// Whether `text` is a connection string and not the name of a database.
pub fn is_conninfo(text: &str) -> bool {
    text.contains('=') || SCHEMES.iter().any(|scheme| text.starts_with(scheme))
}

/// Takes a connection string apart.
pub fn parse(text: &str) -> Pairs {
    match SCHEMES.iter().find_map(|scheme| text.strip_prefix(scheme)) {
        Some(rest) => uri(rest),
        None => key_value(text),
    }
}

/// White space to libpq, which asks C's `isspace`.
fn is_space(c: char) -> bool {
    matches!(c, ' ' | '\t' | '\n' | '\r' | '\u{b}' | '\u{c}')
}

fn key_value(text: &str) -> Pairs {
    let mut pairs = Vec::new();
    let mut rest = text.trim_start_matches(is_space);
    while !rest.is_empty() {
        let end = rest.find(|c| c == '=' || is_space(c)).unwrap_or(rest.len());
        let (key, tail) = rest.split_at(end);
        let Some(tail) = tail.trim_start_matches(is_space).strip_prefix('=') else {
            return Err("a word in it has no '=' behind it".to_owned());
        };
        let (value, tail) = value(tail.trim_start_matches(is_space))?;
        pairs.push((key.to_owned(), value));
        rest = tail.trim_start_matches(is_space);
    }
    Ok(pairs)
}

/// A value, in apostrophes or up to the next white space, and what follows it.
fn value(text: &str) -> Result<(String, &str), String> {
    let (mut chars, is_quoted) = match text.strip_prefix('\'') {
        Some(inner) => (inner.chars(), true),
        None => (text.chars(), false),
    };
    let mut value = String::new();
    loop {
        let before = chars.as_str();
        match chars.next() {
            Some('\'') if is_quoted => return Ok((value, chars.as_str())),
            None if is_quoted => return Err("a value in it lacks its closing apostrophe".to_owned()),
            None => return Ok((value, "")),
            Some(c) if !is_quoted && is_space(c) => return Ok((value, before)),
            // A backslash at the very end stands for nothing.
            Some('\\') => value.extend(chars.next()),
            Some(c) => value.push(c),
        }
    }
}

fn uri(rest: &str) -> Pairs {
    let mut pairs = Vec::new();
    let mut push = |key: &str, value: &str| -> Result<(), String> {
        pairs.push((key.to_owned(), decoded(value)?));
        Ok(())
    };
    let (hierarchy, query) = rest.split_once('?').unwrap_or((rest, ""));
    let (authority, database) = hierarchy.split_once('/').unwrap_or((hierarchy, ""));
    let (login, hosts) = match authority.split_once('@') {
        Some((login, hosts)) => (Some(login), hosts),
        None => (None, authority),
    };
    if let Some((user, password)) = login.map(|login| login.split_once(':').unwrap_or((login, ""))) {
        for (key, value) in [("user", user), ("password", password)] {
            if !value.is_empty() {
                push(key, value)?;
            }
        }
    }
    let hosts = hosts.split(',').map(host_and_port).collect::<Result<Vec<_>, _>>()?;
    let names = hosts.iter().map(|(host, _)| *host).collect::<Vec<_>>().join(",");
    let ports = hosts.iter().map(|(_, port)| *port).collect::<Vec<_>>().join(",");
    if hosts.iter().any(|(host, _)| !host.is_empty()) {
        push("host", &names)?;
    }
    if hosts.iter().any(|(_, port)| !port.is_empty()) {
        push("port", &ports)?;
    }
    if !database.is_empty() {
        push("dbname", database)?;
    }
    for parameter in query.split('&').filter(|parameter| !parameter.is_empty()) {
        let Some((key, value)) = parameter.split_once('=').filter(|(_, value)| !value.contains('=')) else {
            return Err("a parameter behind its '?' is not KEY=VALUE".to_owned());
        };
        match (decoded(key)?.as_str(), value) {
            // JDBC's word for it.
            ("ssl", "true") => push("sslmode", "require")?,
            (key, value) => push(key, value)?,
        }
    }
    Ok(pairs)
}

/// Host and port, either of which may be empty.
fn host_and_port(text: &str) -> Result<(&str, &str), String> {
    if let Some(rest) = text.strip_prefix('[') {
        let Some((host, tail)) = rest.split_once(']') else {
            return Err("a '[' in its host lacks the ']'".to_owned());
        };
        return match tail.strip_prefix(':') {
            Some(port) => Ok((host, port)),
            None if tail.is_empty() => Ok((host, "")),
            None => Err("there is more behind the ']' of its host than a port".to_owned()),
        };
    }
    Ok(text.split_once(':').unwrap_or((text, "")))
}

/// `text` with its `%XX` replaced.
fn decoded(text: &str) -> Result<String, String> {
    const FAULT: &str = "a '%' in it is not followed by two hexadecimal digits of a character";
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        if byte != b'%' {
            bytes.push(byte);
            continue;
        }
        let mut digit =
            || rest.next().and_then(|byte| char::from(byte).to_digit(16)).and_then(|digit| u8::try_from(digit).ok());
        match digit().zip(digit()) {
            // A zero would end the text in libpq.
            Some((high, low)) if high + low > 0 => bytes.push(high * 16 + low),
            _ => return Err(FAULT.to_owned()),
        }
    }
    String::from_utf8(bytes).map_err(|_| FAULT.to_owned())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn pairs(text: &str) -> Vec<(String, String)> {
        parse(text).unwrap_or_else(|reason| panic!("{text}: {reason}"))
    }

    fn shown(text: &str) -> String {
        pairs(text).iter().map(|(key, value)| format!("{key}={value}")).collect::<Vec<_>>().join(";")
    }

    #[test]
    fn pairs_are_taken_apart_as_libpq_does() {
        for (text, expected) in [
            ("", ""),
            ("host=a port=5433", "host=a;port=5433"),
            ("  host = a\tport= 5433 ", "host=a;port=5433"),
            (r"user='it\'s' dbname=a\ b", "user=it's;dbname=a b"),
            ("host= port=1", "host=port=1"),
            ("host='' port=1", "host=;port=1"),
            (r"host=a\", "host=a"),
        ] {
            assert_eq!(shown(text), expected, "{text}");
        }
    }

    #[test]
    fn addresses_are_taken_apart_as_libpq_does() {
        for (text, expected) in [
            ("postgresql://", ""),
            ("postgres://u@h/d", "user=u;host=h;dbname=d"),
            ("postgresql://h:5433", "host=h;port=5433"),
            ("postgresql://%2Ftmp/d", "host=/tmp;dbname=d"),
            ("postgresql:///d?host=/tmp&port=1", "dbname=d;host=/tmp;port=1"),
            ("postgresql://[::1]:2/d", "host=::1;port=2;dbname=d"),
            ("postgresql://a:1,b:2,c/d", "host=a,b,c;port=1,2,;dbname=d"),
            ("postgresql://a,b", "host=a,b"),
            ("postgresql://u%40x@h/d%20e?application_name=%C3%A9", "user=u@x;host=h;dbname=d e;application_name=é"),
            ("postgresql://h?ssl=true", "host=h;sslmode=require"),
            ("postgresql://u:p@h", "user=u;password=p;host=h"),
            ("postgresql://:2", "port=2"),
        ] {
            assert_eq!(shown(text), expected, "{text}");
        }
    }

    #[test]
    fn what_is_wrong_is_said_without_what_it_holds() {
        for text in [
            "s3cret",
            "host=a s3cret",
            "password='s3cret",
            "postgresql://u:s3cret%zz@h",
            "postgresql://h?s3cret",
            "postgresql://h?password=s3=cret",
            "postgresql://[::1",
            "postgresql://[::1]s3cret",
            "postgresql://h/%00",
            "postgresql://h/%ff",
        ] {
            let reason = parse(text).unwrap_err();
            assert!(!reason.contains("cret"), "{text}: {reason}");
        }
    }

    proptest! {
        #[test]
        fn any_value_survives_apostrophes(value in "\\PC*") {
            let quoted = value.replace('\\', r"\\").replace('\'', r"\'");
            prop_assert_eq!(parse(&format!("user='{quoted}' port=1")).unwrap()[0].1.clone(), value);
        }

        #[test]
        fn nothing_is_too_odd(text in "\\PC*") {
            let _ = parse(&text);
            let _ = parse(&format!("postgresql://{text}"));
        }
    }
}
