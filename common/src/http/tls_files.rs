//! The files that a connection with TLS takes: certificates to trust, and the client's own.

use std::io;
use std::path::{Path, PathBuf};

use rustls::client::WantsClientCert;
use rustls::pki_types::pem::{self, PemObject};
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{ClientConfig, ConfigBuilder, RootCertStore};

use super::TlsError;

/// A file of certificates or a key that is longer is something else.
const MAX_FILE_BYTES: u64 = 4 << 20;
/// Where systems keep the certificates that they trust: Debian, Red Hat, SUSE, Alpine.
const SYSTEM_ROOTS: [&str; 4] = [
    "/etc/ssl/certs/ca-certificates.crt",
    "/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem",
    "/etc/ssl/ca-bundle.pem",
    "/etc/ssl/cert.pem",
];

/// The client's certificate and its key, in PEM.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Identity {
    /// The certificate, the chain behind it in the same file.
    pub certificate: PathBuf,
    /// Its key: PKCS#8, PKCS#1 or SEC1, not encrypted.
    pub key: PathBuf,
    /// Whether the files may be missing, both; then no certificate is shown.
    pub is_optional: bool,
}

fn in_file(path: &Path, reason: impl Into<String>) -> TlsError {
    TlsError::File { path: path.to_owned(), reason: reason.into() }
}

/// A whole file.
fn read(path: &Path) -> Result<Vec<u8>, TlsError> {
    crate::file::read(path, MAX_FILE_BYTES).map_err(|error| in_file(path, crate::text::io_error(&error)))
}

/// The certificates in a file.
pub fn certificates(path: &Path) -> Result<Vec<CertificateDer<'static>>, TlsError> {
    let certificates = CertificateDer::pem_slice_iter(&read(path)?)
        .collect::<Result<Vec<_>, pem::Error>>()
        .map_err(|error| in_file(path, format!("is damaged: {error}")))?;
    if certificates.is_empty() { Err(in_file(path, "holds no certificate in PEM")) } else { Ok(certificates) }
}

/// Whom to trust: the CAs in the file `ca`, else those that the system trusts.
pub fn roots(ca: Option<&Path>) -> Result<RootCertStore, TlsError> {
    let system = || SYSTEM_ROOTS.iter().map(Path::new).find(|path| path.exists());
    let Some(path) = ca.or_else(system) else { return Err(TlsError::NoRoots) };
    let mut roots = RootCertStore::empty();
    let (added, _) = roots.add_parsable_certificates(certificates(path)?);
    if added == 0 { Err(in_file(path, "holds no certificate that can be read")) } else { Ok(roots) }
}

/// The end of a configuration: shows `identity` to servers that ask for one, if it is there.
pub fn identify(
    builder: ConfigBuilder<ClientConfig, WantsClientCert>,
    identity: Option<&Identity>,
) -> Result<ClientConfig, TlsError> {
    let Some(identity) = identity.filter(|identity| !identity.is_absent()) else {
        return Ok(builder.with_no_client_auth());
    };
    let (chain, key) = identity.read()?;
    builder.with_client_auth_cert(chain, key).map_err(|error| match error {
        rustls::Error::InconsistentKeys(_) => {
            in_file(&identity.key, format!("is not the key of {}", identity.certificate.display()))
        }
        error => in_file(&identity.key, format!("cannot be used as a key: {error}")),
    })
}

impl Identity {
    /// Whether there are no files, and need not be.
    fn is_absent(&self) -> bool {
        let is_missing =
            |path: &Path| path.symlink_metadata().is_err_and(|error| error.kind() == io::ErrorKind::NotFound);
        self.is_optional && is_missing(&self.certificate) && is_missing(&self.key)
    }

    fn read(&self) -> Result<(Vec<CertificateDer<'static>>, PrivateKeyDer<'static>), TlsError> {
        let chain = certificates(&self.certificate)?;
        let text = read(&self.key)?;
        let key = PrivateKeyDer::from_pem_slice(&text).map_err(|error| match error {
            _ if is_encrypted(&text) => {
                in_file(&self.key, "is encrypted, and a check has nobody to ask for a password")
            }
            pem::Error::NoItemsFound => in_file(&self.key, "holds no private key in PEM"),
            error => in_file(&self.key, format!("is damaged: {error}")),
        })?;
        Ok((chain, key))
    }
}

/// Both ways to encrypt a key in PEM have the word in them, and base64 cannot have it beside a space or a comma.
fn is_encrypted(text: &[u8]) -> bool {
    let text = String::from_utf8_lossy(text);
    text.contains("BEGIN ENCRYPTED PRIVATE KEY") || text.contains("4,ENCRYPTED")
}
