//! The messages of `grpc.health.v1`. Each has one field, which is not worth a compiler for protocol buffers.

/// What the health service says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Serving {
    /// 0: it does not know.
    Unknown,
    /// 1.
    Serving,
    /// 2.
    NotServing,
    /// 3: it does not know the service.
    ServiceUnknown,
    /// A number of later versions.
    Other(u64),
}

/// The framed question for `service`; the empty one is the server as a whole.
pub fn question(service: &str) -> Vec<u8> {
    let mut message = Vec::new();
    // A field that has its default is left out.
    if !service.is_empty() {
        message.push(0x0a);
        varint(service.len(), &mut message);
        message.extend_from_slice(service.as_bytes());
    }
    let length = u32::try_from(message.len()).unwrap_or(u32::MAX);
    [&[0], length.to_be_bytes().as_slice(), &message].concat()
}

fn varint(mut value: usize, into: &mut Vec<u8>) {
    loop {
        let low = u8::try_from(value & 0x7f).unwrap_or_default();
        value >>= 7;
        into.push(if value == 0 { low } else { low | 0x80 });
        if value == 0 {
            return;
        }
    }
}

/// The answer in a framed message; the error says what it is instead.
pub fn answer(body: &[u8]) -> Result<Serving, &'static str> {
    let Some((head, message)) = body.split_first_chunk::<5>() else {
        return Err(if body.is_empty() { "it holds no message" } else { "its message is cut short" });
    };
    let [compressed, length @ ..] = *head;
    match compressed {
        0 => {}
        1 => return Err("its message is compressed, which was not asked for"),
        _ => return Err("it holds no message of gRPC"),
    }
    if usize::try_from(u32::from_be_bytes(length)).ok() != Some(message.len()) {
        return Err("its message has not the length that it says");
    }
    status(message).ok_or("its message is not that of the health service")
}

/// Field 1, the last one counts; others are skipped, as later versions may have some.
fn status(mut message: &[u8]) -> Option<Serving> {
    let mut status = 0;
    while !message.is_empty() {
        let (key, rest) = read_varint(message)?;
        message = match (key >> 3, key & 7) {
            (0, _) => return None,
            (field, 0) => {
                let (value, rest) = read_varint(rest)?;
                status = if field == 1 { value } else { status };
                rest
            }
            (1, _) => return None,
            (_, 1) => rest.get(8..)?,
            (_, 2) => {
                let (length, rest) = read_varint(rest)?;
                rest.get(usize::try_from(length).ok()?..)?
            }
            (_, 5) => rest.get(4..)?,
            _ => return None,
        };
    }
    Some(match status {
        0 => Serving::Unknown,
        1 => Serving::Serving,
        2 => Serving::NotServing,
        3 => Serving::ServiceUnknown,
        other => Serving::Other(other),
    })
}

fn read_varint(bytes: &[u8]) -> Option<(u64, &[u8])> {
    let mut value = 0;
    for (position, byte) in bytes.iter().enumerate().take(10) {
        value |= u64::from(byte & 0x7f).checked_shl(u32::try_from(position).ok()? * 7)?;
        if byte & 0x80 == 0 {
            return Some((value, bytes.get(position + 1..)?));
        }
    }
    None
}

/// The name of a status code.
pub fn status_name(code: u32) -> String {
    const NAMES: [&str; 17] = [
        "OK",
        "CANCELLED",
        "UNKNOWN",
        "INVALID_ARGUMENT",
        "DEADLINE_EXCEEDED",
        "NOT_FOUND",
        "ALREADY_EXISTS",
        "PERMISSION_DENIED",
        "RESOURCE_EXHAUSTED",
        "FAILED_PRECONDITION",
        "ABORTED",
        "OUT_OF_RANGE",
        "UNIMPLEMENTED",
        "INTERNAL",
        "UNAVAILABLE",
        "DATA_LOSS",
        "UNAUTHENTICATED",
    ];
    let name = usize::try_from(code).ok().and_then(|code| NAMES.get(code));
    name.map_or_else(|| format!("status {code}"), |name| (*name).to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_question_is_a_frame() {
        assert_eq!(question(""), b"\0\0\0\0\0");
        assert_eq!(question("kwanza"), b"\0\0\0\0\x08\x0a\x06kwanza");
        assert_eq!(question(&"x".repeat(300))[..8], *b"\0\0\0\x01\x2f\x0a\xac\x02");
    }

    #[test]
    fn an_answer_is_read_and_its_unknown_fields_are_skipped() {
        for (body, expected) in [
            (b"\0\0\0\0\x02\x08\x01".as_slice(), Serving::Serving),
            (b"\0\0\0\0\x02\x08\x02", Serving::NotServing),
            (b"\0\0\0\0\0", Serving::Unknown),
            (b"\0\0\0\0\x02\x08\x03", Serving::ServiceUnknown),
            (b"\0\0\0\0\x03\x08\xac\x02", Serving::Other(300)),
            (b"\0\0\0\0\x06\x12\x02ab\x08\x01", Serving::Serving),
            (b"\0\0\0\0\x07\x15abcd\x08\x01", Serving::Serving),
        ] {
            assert_eq!(answer(body), Ok(expected), "{body:?}");
        }
    }

    #[test]
    fn what_is_no_answer_is_told() {
        for (body, reason) in [
            (b"".as_slice(), "no message"),
            (b"\0\0\0", "cut short"),
            (b"\x01\0\0\0\0", "compressed"),
            (b"<html>", "no message of gRPC"),
            (b"\0\0\0\0\x05\x08\x01", "length"),
            (b"\0\0\0\0\x01\x08", "health service"),
            (b"\0\0\0\0\x03\x0a\x01x", "health service"),
            (b"\0\0\0\0\x02\x12\x09", "health service"),
        ] {
            assert!(answer(body).unwrap_err().contains(reason), "{body:?}");
        }
    }

    #[test]
    fn codes_have_names() {
        let named = [0, 5, 12, 16, 17].map(status_name);
        assert_eq!(named, ["OK", "NOT_FOUND", "UNIMPLEMENTED", "UNAUTHENTICATED", "status 17"]);
    }

    proptest! {
        #[test]
        fn no_bytes_do_harm(body in any::<Vec<u8>>()) {
            let _ = answer(&body);
            let framed = [&[0, 0, 0, 0, u8::try_from(body.len().min(255)).unwrap()], body.as_slice()].concat();
            let _ = answer(&framed);
        }
    }
}
