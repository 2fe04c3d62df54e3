//! Failures of a session, in the words that plugins know from OpenSSL.

use rustls::{
    AlertDescription, CertificateError, Error, InvalidMessage, OtherError, PeerIncompatible,
};

use super::trust::Unverified;
use crate::abi::cordon::plugin::tls::Failure;

/// A failure that is not about a certificate.
#[must_use]
pub fn protocol(reason: &str, text: &str) -> Failure {
    Failure::Protocol((reason.to_owned(), text.to_owned()))
}

/// A reason whose text is its name in lower case.
fn named(reason: &str) -> Failure {
    let text = reason.to_lowercase().replace('_', " ");
    protocol(reason, &text)
}

/// The error of rustls, as OpenSSL would say it.
#[must_use]
pub fn from_rustls(error: &Error) -> Failure {
    match error {
        Error::InvalidCertificate(error) => certificate(error),
        Error::AlertReceived(alert) => received(*alert),
        Error::InvalidMessage(InvalidMessage::InvalidContentType)
        | Error::InvalidMessage(InvalidMessage::UnknownProtocolVersion) => {
            named("WRONG_VERSION_NUMBER")
        }
        Error::DecryptError => named("DECRYPTION_FAILED_OR_BAD_RECORD_MAC"),
        Error::NoCertificatesPresented => named("PEER_DID_NOT_RETURN_A_CERTIFICATE"),
        Error::NoApplicationProtocol => named("NO_APPLICATION_PROTOCOL"),
        Error::PeerSentOversizedRecord => named("PACKET_LENGTH_TOO_LONG"),
        Error::PeerIncompatible(reason) => incompatible(reason),
        Error::InvalidMessage(reason) => protocol(
            "BAD_RECORD_TYPE",
            &format!("the peer sent something that is not TLS: {reason:?}"),
        ),
        Error::InappropriateMessage { .. } | Error::InappropriateHandshakeMessage { .. } => {
            named("UNEXPECTED_MESSAGE")
        }
        Error::General(text) if text.contains("no server certificate") => protocol(
            "NO_SHARED_CIPHER",
            "no shared cipher: the server has no certificate",
        ),
        other => protocol("PROTOCOL_ERROR", &other.to_string()),
    }
}

fn incompatible(reason: &PeerIncompatible) -> Failure {
    use PeerIncompatible as P;
    match reason {
        P::NoCipherSuitesInCommon | P::NoKxGroupsInCommon | P::NoSignatureSchemesInCommon => {
            protocol(
                "NO_SHARED_CIPHER",
                "no shared cipher: the hub speaks TLS 1.2 and 1.3 with forward secrecy and AEAD suites only",
            )
        }
        P::ServerDoesNotSupportTls12Or13
        | P::ServerTlsVersionIsDisabledByOurConfig
        | P::Tls12NotOffered
        | P::Tls12NotOfferedOrEnabled
        | P::SupportedVersionsExtensionRequired => protocol(
            "UNSUPPORTED_PROTOCOL",
            "unsupported protocol: the hub speaks TLS 1.2 and 1.3 only",
        ),
        other => protocol(
            "PROTOCOL_ERROR",
            &format!("the peer is incompatible: {other:?}"),
        ),
    }
}

fn certificate(error: &CertificateError) -> Failure {
    if let CertificateError::Other(OtherError(inner)) = error
        && let Some(Unverified { code, text }) = inner.downcast_ref()
    {
        return Failure::Verification((*code, text.clone()));
    }
    match error {
        CertificateError::BadSignature => {
            Failure::Verification((7, "certificate signature failure".to_owned()))
        }
        other => Failure::Verification((1, format!("certificate cannot be verified: {other}"))),
    }
}

/// An alert of the peer. OpenSSL's names carry the version that brought the alert.
fn received(alert: AlertDescription) -> Failure {
    use AlertDescription as A;
    named(match alert {
        A::UnexpectedMessage => "SSLV3_ALERT_UNEXPECTED_MESSAGE",
        A::BadRecordMac => "SSLV3_ALERT_BAD_RECORD_MAC",
        A::RecordOverflow => "TLSV1_ALERT_RECORD_OVERFLOW",
        A::HandshakeFailure => "SSLV3_ALERT_HANDSHAKE_FAILURE",
        A::NoCertificate => "SSLV3_ALERT_NO_CERTIFICATE",
        A::BadCertificate => "SSLV3_ALERT_BAD_CERTIFICATE",
        A::UnsupportedCertificate => "SSLV3_ALERT_UNSUPPORTED_CERTIFICATE",
        A::CertificateRevoked => "SSLV3_ALERT_CERTIFICATE_REVOKED",
        A::CertificateExpired => "SSLV3_ALERT_CERTIFICATE_EXPIRED",
        A::CertificateUnknown => "SSLV3_ALERT_CERTIFICATE_UNKNOWN",
        A::IllegalParameter => "SSLV3_ALERT_ILLEGAL_PARAMETER",
        A::UnknownCA => "TLSV1_ALERT_UNKNOWN_CA",
        A::AccessDenied => "TLSV1_ALERT_ACCESS_DENIED",
        A::DecodeError => "TLSV1_ALERT_DECODE_ERROR",
        A::DecryptError => "TLSV1_ALERT_DECRYPT_ERROR",
        A::ProtocolVersion => "TLSV1_ALERT_PROTOCOL_VERSION",
        A::InsufficientSecurity => "TLSV1_ALERT_INSUFFICIENT_SECURITY",
        A::InternalError => "TLSV1_ALERT_INTERNAL_ERROR",
        A::InappropriateFallback => "TLSV1_ALERT_INAPPROPRIATE_FALLBACK",
        A::UserCanceled => "TLSV1_ALERT_USER_CANCELLED",
        A::NoRenegotiation => "TLSV1_ALERT_NO_RENEGOTIATION",
        A::UnrecognisedName => "TLSV1_UNRECOGNIZED_NAME",
        A::CertificateRequired => "TLSV13_ALERT_CERTIFICATE_REQUIRED",
        A::NoApplicationProtocol => "TLSV1_ALERT_NO_APPLICATION_PROTOCOL",
        other => {
            let number = u8::from(other);
            return protocol(
                "TLSV1_ALERT_UNKNOWN",
                &format!("the peer sent alert {number}"),
            );
        }
    })
}
