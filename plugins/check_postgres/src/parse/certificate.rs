//! The one field of a certificate that channel binding needs, and that rustls does not tell.

/// The hash that belongs to a certificate's signature.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Hash {
    /// SHA-256, which stands in for MD5 and SHA-1 too.
    Sha256,
    /// SHA-384.
    Sha384,
    /// SHA-512.
    Sha512,
}

/// Signature algorithms, by the bytes of their object identifiers.
const ALGORITHMS: [(&[u8], Hash); 12] = [
    // PKCS #1: MD5, SHA-1, SHA-256, SHA-384, SHA-512 with RSA.
    (&[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x04], Hash::Sha256),
    (&[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x05], Hash::Sha256),
    (&[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x0b], Hash::Sha256),
    (&[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x0c], Hash::Sha384),
    (&[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x0d], Hash::Sha512),
    // ECDSA with SHA-1, SHA-256, SHA-384, SHA-512.
    (&[0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04, 0x01], Hash::Sha256),
    (&[0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04, 0x03, 0x02], Hash::Sha256),
    (&[0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04, 0x03, 0x03], Hash::Sha384),
    (&[0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04, 0x03, 0x04], Hash::Sha512),
    // DSA with SHA-1 and SHA-256.
    (&[0x2a, 0x86, 0x48, 0xce, 0x38, 0x04, 0x03], Hash::Sha256),
    (&[0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x03, 0x02], Hash::Sha256),
    (&[0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x03, 0x03], Hash::Sha384),
];

const SEQUENCE: u8 = 0x30;
const OBJECT_IDENTIFIER: u8 = 0x06;

/// The hash of the signature of a certificate in DER; `None` where it has none, as Ed25519, or is damaged.
pub fn signature_hash(der: &[u8]) -> Option<Hash> {
    let (certificate, _) = element(SEQUENCE, der)?;
    let (_, behind) = element(SEQUENCE, certificate)?;
    let (algorithm, _) = element(SEQUENCE, behind)?;
    let (identifier, _) = element(OBJECT_IDENTIFIER, algorithm)?;
    ALGORITHMS.iter().find(|(known, _)| *known == identifier).map(|(_, hash)| *hash)
}

/// The content of the element of kind `tag` that `der` begins with, and what follows it.
fn element(tag: u8, der: &[u8]) -> Option<(&[u8], &[u8])> {
    let (&[found, first], rest) = der.split_first_chunk::<2>()?;
    if found != tag {
        return None;
    }
    let (length, rest) = match first {
        0..=0x7f => (usize::from(first), rest),
        0x81..=0x84 => {
            let (digits, rest) = rest.split_at_checked(usize::from(first & 0x7f))?;
            (
                digits.iter().try_fold(0_usize, |sum, digit| sum.checked_mul(256)?.checked_add(usize::from(*digit)))?,
                rest,
            )
        }
        _ => return None,
    };
    rest.split_at_checked(length)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn made(algorithm: &'static rcgen::SignatureAlgorithm) -> Vec<u8> {
        let key = rcgen::KeyPair::generate_for(algorithm).unwrap();
        rcgen::CertificateParams::new(["localhost".to_owned()]).unwrap().self_signed(&key).unwrap().der().to_vec()
    }

    #[test]
    fn the_hash_is_that_of_the_signature() {
        assert_eq!(signature_hash(&made(&rcgen::PKCS_ECDSA_P256_SHA256)), Some(Hash::Sha256));
        assert_eq!(signature_hash(&made(&rcgen::PKCS_ECDSA_P384_SHA384)), Some(Hash::Sha384));
        assert_eq!(signature_hash(&made(&rcgen::PKCS_ED25519)), None);
    }

    #[test]
    fn a_damaged_certificate_has_none() {
        let whole = made(&rcgen::PKCS_ECDSA_P256_SHA256);
        for length in 0..whole.len() - 1 {
            assert_eq!(signature_hash(&whole[..length]), None, "{length}");
        }
        assert_eq!(signature_hash(&[0x30, 0x85, 1, 2, 3, 4, 5]), None);
    }
}
