//! Why a name has no address, by the words of the C library.
//!
//! The standard library passes on nothing else: no number, and always the same kind. The words are those of
//! `gai_strerror` of glibc and musl; no program of the suite asks for a translation of them.

use crate::snapshot::LookupFault;

/// What a look-up that failed says.
pub fn fault(words: &str) -> LookupFault {
    let says = |phrases: &[&str]| phrases.iter().any(|phrase| words.contains(phrase));
    if says(&["Name or service not known", "Name does not resolve"]) {
        LookupFault::NoSuchName
    } else if says(&["No address associated with hostname", "Name has no usable address", "not supported for hostname"])
    {
        LookupFault::NoAddress
    } else {
        let reason = words.rsplit("failed to lookup address information: ").next().unwrap_or_default();
        LookupFault::Resolver(reason.to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_name_or_the_resolver_is_at_fault() {
        let before = "failed to lookup address information: ";
        for (words, expected) in [
            ("Name or service not known", LookupFault::NoSuchName),
            ("Name does not resolve", LookupFault::NoSuchName),
            ("No address associated with hostname", LookupFault::NoAddress),
            (
                "Temporary failure in name resolution",
                LookupFault::Resolver("Temporary failure in name resolution".into()),
            ),
            ("Try again", LookupFault::Resolver("Try again".into())),
        ] {
            assert_eq!(fault(&format!("{before}{words}")), expected);
        }
    }
}
