//! Why there is no TLS connection, in words.

use std::fmt;
use std::path::PathBuf;

/// Why there is no TLS connection that can be trusted.
#[derive(Clone, Debug, PartialEq)]
pub enum TlsError {
    /// A file of the check's own cannot be used.
    File {
        /// Which.
        path: PathBuf,
        /// Why.
        reason: String,
    },
    /// No CA was named, and the system has no list of them.
    NoRoots,
    /// No certificate can be for such a host.
    Host(String),
    /// What listens there speaks no TLS.
    NotTls,
    /// The handshake was not done in time.
    HandshakeTimeout,
    /// The server closed the connection before the handshake was done.
    HandshakeBroken,
    /// The server's certificate has expired.
    Expired {
        /// Seconds since then.
        since: f64,
    },
    /// The server's certificate is for a later time.
    NotYetValid {
        /// Seconds until then.
        until: f64,
    },
    /// The server's certificate is for another host.
    WrongName {
        /// The host that was asked for.
        wanted: String,
        /// What the certificate is for, unchecked.
        held: Vec<String>,
    },
    /// Nobody who is trusted has signed the server's certificate.
    UnknownIssuer,
    /// The server shows the certificate of a CA, which is none for servers.
    ShowsCa,
    /// Something else is wrong with the server's certificate.
    BadCertificate(String),
    /// The server wants a certificate of the client, and none was given.
    ClientCertificateWanted,
    /// The server refuses the client's certificate.
    ClientCertificateRefused(String),
    /// The server speaks only versions before TLS 1.2.
    TooOld,
    /// The server speaks TLS, but over it not the protocol that was asked for.
    OtherProtocol,
    /// The server refuses the handshake.
    Refused(String),
    /// Anything else.
    Protocol(String),
}

impl std::error::Error for TlsError {}

impl TlsError {
    /// Whether the fault is the check's own, its files or its credentials, and says nothing of the server.
    pub const fn is_ours(&self) -> bool {
        matches!(
            self,
            Self::File { .. }
                | Self::NoRoots
                | Self::Host(_)
                | Self::ClientCertificateWanted
                | Self::ClientCertificateRefused(_)
        )
    }
}

impl fmt::Display for TlsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let span = |seconds: f64| crate::units::duration(seconds);
        match self {
            Self::File { path, reason } => write!(f, "{}: {reason}", path.display()),
            Self::NoRoots => f.write_str("no CA was given, and this system has no list of trusted ones"),
            Self::Host(host) => write!(f, "no certificate can be for '{host}'"),
            Self::NotTls => f.write_str("it speaks no TLS"),
            Self::HandshakeTimeout => f.write_str("the TLS handshake was not done in time"),
            Self::HandshakeBroken => f.write_str("it closed the connection during the TLS handshake"),
            Self::Expired { since } => write!(f, "its certificate expired {} ago", span(*since)),
            Self::NotYetValid { until } => write!(f, "its certificate is not valid yet, but in {}", span(*until)),
            Self::WrongName { wanted, held } if held.is_empty() => {
                write!(f, "its certificate is not for {wanted}, it names no host in subjectAltName")
            }
            Self::WrongName { wanted, held } => {
                write!(f, "its certificate is not for {wanted}, but for {}", held.join(", "))
            }
            Self::UnknownIssuer => f.write_str("no CA that is trusted here has signed its certificate"),
            Self::ShowsCa => f.write_str("it shows the certificate of a CA; a server needs one that a CA signed"),
            Self::BadCertificate(reason) => write!(f, "its certificate cannot be used: {reason}"),
            Self::ClientCertificateWanted => f.write_str("it wants a client certificate, and none is given"),
            Self::ClientCertificateRefused(reason) => write!(f, "it refuses the client certificate: {reason}"),
            Self::TooOld => f.write_str("it speaks no TLS of version 1.2 or later"),
            Self::OtherProtocol => f.write_str("it does not speak the protocol that was asked for (ALPN)"),
            Self::Refused(reason) => write!(f, "it refuses the TLS handshake: {reason}"),
            Self::Protocol(reason) => write!(f, "TLS failed: {reason}"),
        }
    }
}
