//! What a certificate says of itself. Whether that is true is for the verifier.

use core::net::{Ipv4Addr, Ipv6Addr};

use x509_cert::certificate::{CertificateInner, Raw};
use x509_cert::der::asn1::{AnyRef, ObjectIdentifier, UintRef};
use x509_cert::der::{Decode, SliceReader};
use x509_cert::ext::pkix::SubjectAltName;
use x509_cert::ext::pkix::name::GeneralName;
use x509_cert::name::Name;
use x509_cert::spki::SubjectPublicKeyInfoOwned;
use x509_cert::time::Time;

use crate::snapshot::Certificate;

/// Keys of RSA below this are weak, in bits.
const STRONG_RSA: usize = 2048;

const COMMON_NAME: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.5.4.3");
const SUBJECT_ALT_NAME: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.5.29.17");
const RSA: &str = "1.2.840.113549.1.1.1";
const EC: &str = "1.2.840.10045.2.1";

/// Reads a certificate in DER; the error says what is wrong with it.
pub fn read(der: &[u8]) -> Result<Certificate, String> {
    // Serial numbers that break the rules are many, and no reason not to know when the certificate ends.
    let certificate = CertificateInner::<Raw>::from_der(der).map_err(|error| error.to_string())?;
    let body = certificate.tbs_certificate();
    let (key, is_weak_key) = key(body.subject_public_key_info());
    let (signature, is_weak_signature) = signature(&certificate.signature_algorithm().oid.to_string());
    let is_self_signed = body.subject() == body.issuer();
    let mut weaknesses = Vec::new();
    if is_weak_key {
        weaknesses.push(format!("its key is weak: {key}"));
    }
    // Nobody relies on the signature of what is trusted by itself.
    if is_weak_signature && !is_self_signed {
        weaknesses.push(format!("its signature is weak: {signature}"));
    }
    Ok(Certificate {
        subject: name(body.subject()),
        issuer: name(body.issuer()),
        names: names(body.extensions().map(Vec::as_slice).unwrap_or_default()),
        not_before: seconds(&body.validity().not_before),
        not_after: seconds(&body.validity().not_after),
        key,
        signature,
        is_self_signed,
        weaknesses,
    })
}

fn seconds(time: &Time) -> f64 {
    time.to_unix_duration().as_secs_f64()
}

/// The common name, else all of the name.
fn name(name: &Name) -> String {
    let text = |value: &x509_cert::der::Any| String::from_utf8_lossy(value.value()).into_owned();
    let common = name.iter().find(|attribute| attribute.oid == COMMON_NAME).map(|attribute| text(&attribute.value));
    common.filter(|name| !name.is_empty()).map_or_else(|| name.to_string(), |common| format!("CN={common}"))
}

/// The hosts that the certificate is for.
fn names(extensions: &[x509_cert::ext::Extension]) -> Vec<String> {
    let extension = extensions.iter().find(|extension| extension.extn_id == SUBJECT_ALT_NAME);
    let names = extension.and_then(|extension| SubjectAltName::from_der(extension.extn_value.as_bytes()).ok());
    let text = |name: &GeneralName| match name {
        GeneralName::DnsName(name) => Some(name.as_str().to_owned()),
        GeneralName::IpAddress(bytes) => {
            let bytes = bytes.as_bytes();
            let v4 = <[u8; 4]>::try_from(bytes).map(|bytes| Ipv4Addr::from(bytes).to_string());
            v4.or_else(|_| <[u8; 16]>::try_from(bytes).map(|bytes| Ipv6Addr::from(bytes).to_string())).ok()
        }
        _ => None,
    };
    names.map(|names| names.0.iter().filter_map(text).collect()).unwrap_or_default()
}

/// The kind and size of a key, and whether it is weak.
fn key(info: &SubjectPublicKeyInfoOwned) -> (String, bool) {
    match info.algorithm.oid.to_string().as_str() {
        RSA => match info.subject_public_key.as_bytes().and_then(rsa_bits) {
            Some(bits) => (format!("RSA {bits}"), bits < STRONG_RSA),
            None => ("RSA".to_owned(), false),
        },
        EC => {
            let curve = info.algorithm.parameters.as_ref().and_then(|any| any.decode_as::<ObjectIdentifier>().ok());
            let curve = curve.map(|curve| curve.to_string()).unwrap_or_default();
            let name = match curve.as_str() {
                "1.2.840.10045.3.1.7" => "P-256",
                "1.3.132.0.34" => "P-384",
                "1.3.132.0.35" => "P-521",
                "1.3.132.0.10" => "secp256k1",
                other => other,
            };
            (format!("EC {name}"), curve == "1.2.840.10045.3.1.1")
        }
        "1.3.101.112" => ("Ed25519".to_owned(), false),
        "1.3.101.113" => ("Ed448".to_owned(), false),
        "1.2.840.10040.4.1" => ("DSA".to_owned(), true),
        other => (other.to_owned(), false),
    }
}

/// The length of the modulus, the first number of the key.
fn rsa_bits(key: &[u8]) -> Option<usize> {
    let sequence = AnyRef::from_der(key).ok()?;
    let mut reader = SliceReader::new(sequence.value()).ok()?;
    let modulus = UintRef::decode(&mut reader).ok()?;
    let bytes = modulus.as_bytes();
    let zeros = usize::try_from(bytes.first()?.leading_zeros()).ok()?;
    Some(bytes.len() * 8 - zeros)
}

/// The name of a signature's algorithm, and whether it is weak.
fn signature(oid: &str) -> (String, bool) {
    let (name, is_weak) = match oid {
        "1.2.840.113549.1.1.4" => ("MD5 with RSA", true),
        "1.2.840.113549.1.1.5" => ("SHA-1 with RSA", true),
        "1.2.840.10045.4.1" => ("SHA-1 with ECDSA", true),
        "1.2.840.113549.1.1.10" => ("RSA-PSS", false),
        "1.2.840.113549.1.1.11" => ("SHA-256 with RSA", false),
        "1.2.840.113549.1.1.12" => ("SHA-384 with RSA", false),
        "1.2.840.113549.1.1.13" => ("SHA-512 with RSA", false),
        "1.2.840.10045.4.3.2" => ("SHA-256 with ECDSA", false),
        "1.2.840.10045.4.3.3" => ("SHA-384 with ECDSA", false),
        "1.2.840.10045.4.3.4" => ("SHA-512 with ECDSA", false),
        "1.3.101.112" => ("Ed25519", false),
        other => (other, false),
    };
    (name.to_owned(), is_weak)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use rcgen::{CertificateParams, DistinguishedName, DnType, Issuer, KeyPair, SanType, date_time_ymd};

    fn params(common_name: &str) -> CertificateParams {
        let mut params = CertificateParams::new(vec!["cuesta".to_owned(), "*.x.example".to_owned()]).unwrap();
        params.distinguished_name = DistinguishedName::new();
        params.distinguished_name.push(DnType::CommonName, common_name);
        params.subject_alt_names.push(SanType::IpAddress("::1".parse().unwrap()));
        params.not_before = date_time_ymd(2020, 1, 1);
        params.not_after = date_time_ymd(2030, 1, 1);
        params
    }

    #[test]
    fn a_certificate_tells_whose_it_is_and_how_long() {
        let key = KeyPair::generate().unwrap();
        let issuer = Issuer::new(params("the CA"), KeyPair::generate().unwrap());
        let read = read(params("cuesta").signed_by(&key, &issuer).unwrap().der()).unwrap();
        assert_eq!((read.subject.as_str(), read.issuer.as_str()), ("CN=cuesta", "CN=the CA"));
        assert_eq!(read.names, ["cuesta", "*.x.example", "::1"]);
        assert_eq!((read.not_before, read.not_after), (1_577_836_800.0, 1_893_456_000.0));
        assert_eq!((read.key.as_str(), read.signature.as_str()), ("EC P-256", "SHA-256 with ECDSA"));
        assert!(!read.is_self_signed && read.weaknesses.is_empty());
    }

    #[test]
    fn keys_are_named_by_kind_and_size() {
        // Made by: openssl req -x509 -newkey rsa:1024 -sha1 -nodes -subj /O=old -days 1 -outform DER
        let old = include_bytes!("../../../../tests/fixtures/check_endpoint/rsa1024.der");
        let old = read(old).unwrap();
        assert_eq!(
            (old.subject.as_str(), old.key.as_str(), old.signature.as_str()),
            ("O=old", "RSA 1024", "SHA-1 with RSA")
        );
        assert!(old.is_self_signed);
        assert_eq!(old.weaknesses, ["its key is weak: RSA 1024"]);
    }

    #[test]
    fn what_is_no_certificate_is_told() {
        assert!(!read(b"").unwrap_err().is_empty());
        assert!(!read(b"\x30\x03\x02\x01\x01").unwrap_err().is_empty());
    }

    proptest! {
        #[test]
        fn no_bytes_do_harm(at in any::<prop::sample::Index>(), byte in any::<u8>()) {
            let mut der = params("x").self_signed(&KeyPair::generate().unwrap()).unwrap().der().to_vec();
            let place = at.index(der.len());
            der[place] = byte;
            let _ = read(&der);
        }
    }
}
