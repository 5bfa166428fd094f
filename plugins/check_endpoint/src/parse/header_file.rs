//! Files of header fields to send, which hold secrets.

/// What is sent by the check itself.
const OURS: [&str; 5] = ["connection", "content-length", "transfer-encoding", "te", "content-type"];

/// The header fields in `text`, a line each, with names in lower case. An empty line or one that begins with `#` is none.
///
/// The error names the line by its number and nothing of what it holds.
pub fn headers(text: &str) -> Result<Vec<(String, String)>, String> {
    let mut headers = Vec::new();
    for (number, line) in (1..).zip(text.lines()) {
        let line = line.trim();
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        let (name, value) = line
            .split_once(':')
            .map(|(name, value)| (name.trim_end().to_ascii_lowercase(), value.trim()))
            .filter(|(name, _)| !name.is_empty() && name.bytes().all(is_token))
            .ok_or_else(|| format!("line {number} is not 'Name: value'"))?;
        if !value.bytes().all(|byte| matches!(byte, b'\t' | b' '..=b'~' | 0x80..)) {
            return Err(format!("line {number} has a control character in its value"));
        }
        if OURS.contains(&name.as_str()) {
            return Err(format!("line {number}: {name} is sent by the check itself"));
        }
        headers.push((name, value.to_owned()));
    }
    Ok(headers)
}

/// Whether a header's name may hold `byte`.
pub fn is_token(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_a_field() {
        let text = "# token of the check\nAuthorization: Bearer a:b=\r\n\n  X-Tenant :  1  \nEmpty:\n";
        let expected = [("authorization", "Bearer a:b="), ("x-tenant", "1"), ("empty", "")];
        assert_eq!(headers(text).unwrap(), expected.map(|(name, value)| (name.to_owned(), value.to_owned())));
    }

    #[test]
    fn a_fault_is_named_without_what_the_line_holds() {
        for (text, reason) in [
            ("ok: 1\nhunter2", "line 2 is not 'Name: value'"),
            (": hunter2", "line 1 is not"),
            ("a b: hunter2", "line 1 is not"),
            ("a: hunter2\u{1b}[31m", "control character"),
            ("Content-Length: 2", "content-length is sent by the check itself"),
        ] {
            let refusal = headers(text).unwrap_err();
            assert!(refusal.contains(reason) && !refusal.contains("hunter2"), "{refusal}");
        }
    }
}
