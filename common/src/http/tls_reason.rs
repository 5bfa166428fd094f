//! What rustls says when there is no connection, as a [`TlsError`].

use rustls::pki_types::UnixTime;
use rustls::{AlertDescription, CertificateError, OtherError};

use super::TlsError;

impl TlsError {
    /// What `error` means. `is_handshaking` tells whether it came before the handshake was done, `shows_certificate`
    /// whether this client has a certificate to show.
    pub fn of(error: &rustls::Error, is_handshaking: bool, shows_certificate: bool) -> Self {
        use rustls::Error::{AlertReceived, InvalidCertificate, InvalidMessage};
        use rustls::PeerIncompatible::{
            ServerDoesNotSupportTls12Or13, ServerTlsVersionIsDisabledByOurConfig, Tls12NotOffered,
            Tls12NotOfferedOrEnabled,
        };
        match error {
            InvalidCertificate(error) => bad_certificate(error),
            AlertReceived(alert) => refused(*alert, shows_certificate),
            InvalidMessage(_) if is_handshaking => Self::NotTls,
            rustls::Error::PeerIncompatible(
                ServerDoesNotSupportTls12Or13
                | ServerTlsVersionIsDisabledByOurConfig
                | Tls12NotOffered
                | Tls12NotOfferedOrEnabled,
            ) => Self::TooOld,
            other => Self::Protocol(other.to_string()),
        }
    }
}

fn seconds(earlier: UnixTime, later: UnixTime) -> f64 {
    std::time::Duration::from_secs(later.as_secs().saturating_sub(earlier.as_secs())).as_secs_f64()
}

fn bad_certificate(error: &CertificateError) -> TlsError {
    match error {
        CertificateError::ExpiredContext { time, not_after } => TlsError::Expired { since: seconds(*not_after, *time) },
        CertificateError::NotValidYetContext { time, not_before } => {
            TlsError::NotYetValid { until: seconds(*time, *not_before) }
        }
        CertificateError::NotValidForNameContext { expected, presented } => TlsError::WrongName {
            wanted: expected.to_str().into_owned(),
            held: presented.iter().map(|name| plain_name(name)).collect(),
        },
        // The signature is not that of a CA with the right name: it was made anew, say.
        CertificateError::UnknownIssuer | CertificateError::BadSignature => TlsError::UnknownIssuer,
        CertificateError::Other(OtherError(cause)) if cause.to_string() == "CaUsedAsEndEntity" => TlsError::ShowsCa,
        other => TlsError::BadCertificate(other.to_string()),
    }
}

/// `DnsName("a.example")` is how rustls writes what a certificate is for.
fn plain_name(name: &str) -> String {
    let inner = name.split_once('(').and_then(|(_, rest)| rest.strip_suffix(')')).unwrap_or(name);
    inner.trim_matches('"').to_owned()
}

fn refused(alert: AlertDescription, shows_certificate: bool) -> TlsError {
    let reason = match alert {
        AlertDescription::NoApplicationProtocol => return TlsError::OtherProtocol,
        AlertDescription::ProtocolVersion => return TlsError::TooOld,
        AlertDescription::CertificateRequired => return TlsError::ClientCertificateWanted,
        // Older servers have no word of their own for a certificate that is missing.
        AlertDescription::BadCertificate | AlertDescription::HandshakeFailure if !shows_certificate => {
            return TlsError::ClientCertificateWanted;
        }
        AlertDescription::BadCertificate => "it is not valid there",
        AlertDescription::UnsupportedCertificate => "it is of a kind that is not accepted there",
        AlertDescription::CertificateRevoked => "it is revoked",
        AlertDescription::CertificateExpired => "it has expired",
        AlertDescription::CertificateUnknown => "it is not accepted there",
        // The second where a CA of the same name is trusted.
        AlertDescription::UnknownCA | AlertDescription::DecryptError => "the CA that signed it is not trusted there",
        AlertDescription::AccessDenied => "it gives no access",
        other => return TlsError::Refused(format!("{other:?}")),
    };
    TlsError::ClientCertificateRefused(reason.to_owned())
}
