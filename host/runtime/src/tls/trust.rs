//! Decides which certificates of a peer are good enough, and names the fault of the others.
//!
//! Chains are built and checked by webpki. Two things are done as OpenSSL does
//! them, because plugins for devices at home rely on it: a certificate that was
//! itself given as trusted is good whatever it says of its uses, and the common
//! name counts where a certificate has no other name.

use std::fmt;
use std::sync::{Arc, OnceLock};

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{WebPkiSupportedAlgorithms, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::{CertificateDer, ServerName, TrustAnchor, UnixTime};
use rustls::server::danger::{ClientCertVerified, ClientCertVerifier};
use rustls::{
    CertificateError, DigitallySignedStruct, DistinguishedName, OtherError, SignatureScheme,
};
use webpki::{EndEntityCert, KeyUsage};
use x509_parser::certificate::X509CertificateParser;
use x509_parser::nom::Parser as _;
use x509_parser::prelude::X509Certificate;

use crate::abi::cordon::plugin::tls::{Refusal, Settings, Verify};
use cordon_reach::chain;
use cordon_reach::tls_client::unverified_schemes;

/// The fault of a certificate: number and words of OpenSSL's `X509_V_ERR_*`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unverified {
    /// The number.
    pub code: u32,
    /// The words.
    pub text: String,
}

impl Unverified {
    fn new(code: u32, text: &str) -> Self {
        Self {
            code,
            text: text.to_owned(),
        }
    }
}

impl fmt::Display for Unverified {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl std::error::Error for Unverified {}

impl From<Unverified> for rustls::Error {
    fn from(unverified: Unverified) -> Self {
        Self::InvalidCertificate(CertificateError::Other(OtherError(Arc::new(unverified))))
    }
}

/// The verifier of one context, for both roles.
#[derive(Debug)]
pub struct Trust {
    given: Vec<CertificateDer<'static>>,
    anchors: Vec<TrustAnchor<'static>>,
    system: bool,
    verify: Verify,
    check_hostname: bool,
    common_name: bool,
    algorithms: WebPkiSupportedAlgorithms,
}

/// The hub's own roots, read once for all instances.
fn system_anchors() -> &'static [TrustAnchor<'static>] {
    static ANCHORS: OnceLock<Vec<TrustAnchor<'static>>> = OnceLock::new();
    ANCHORS.get_or_init(|| {
        let found = rustls_native_certs::load_native_certs();
        for error in &found.errors {
            tracing::warn!(%error, "a root certificate of the system cannot be read");
        }
        let parse =
            |der: &CertificateDer<'_>| Some(webpki::anchor_from_trusted_cert(der).ok()?.to_owned());
        found.certs.iter().filter_map(parse).collect()
    })
}

impl Trust {
    /// The verifier for these settings.
    ///
    /// # Errors
    ///
    /// [`Refusal::Root`] for a root that is no certificate.
    pub fn new(
        settings: &Settings,
        algorithms: WebPkiSupportedAlgorithms,
    ) -> Result<Self, Refusal> {
        let given: Vec<_> = settings
            .roots
            .iter()
            .cloned()
            .map(CertificateDer::from)
            .collect();
        let mut anchors = Vec::with_capacity(given.len());
        for root in &given {
            match webpki::anchor_from_trusted_cert(root) {
                Ok(anchor) => anchors.push(anchor.to_owned()),
                // Nothing that this root signed can be verified; it may still be a device's own.
                Err(_) if certificate(root).is_some() => {}
                Err(error) => return Err(Refusal::Root(format!("not a certificate: {error}"))),
            }
        }
        Ok(Self {
            given,
            anchors,
            system: settings.system_roots,
            verify: settings.verify,
            check_hostname: settings.check_hostname,
            common_name: settings.common_name,
            algorithms,
        })
    }

    /// Whether certificates are verified.
    #[must_use]
    pub fn verifies(&self) -> bool {
        self.verify != Verify::None
    }

    fn check_chain(
        &self,
        shown: &CertificateDer<'_>,
        others: &[CertificateDer<'_>],
        now: UnixTime,
        usage: KeyUsage,
    ) -> Result<(), Unverified> {
        if self.given.iter().any(|given| given == shown) {
            return check_dates(shown, now);
        }
        let parsed = EndEntityCert::try_from(shown).map_err(|error| unverified(&error))?;
        let others = &*chain::worth_trying(others);
        let chain_to = |anchors: &[TrustAnchor<'_>]| {
            let anchors = &*chain::roots_of(anchors, &parsed, others);
            let algorithms = self.algorithms.all;
            let path = parsed.verify_for_usage(algorithms, anchors, others, now, usage, None, None);
            path.map(drop)
        };
        let Err(error) = chain_to(&self.anchors) else {
            return Ok(());
        };
        // Of two failures the one that found an issuer says more.
        let error = match (self.system, error) {
            (false, error) => error,
            (true, error) => match chain_to(system_anchors()) {
                Ok(()) => return Ok(()),
                Err(webpki::Error::UnknownIssuer) => error,
                Err(better) => better,
            },
        };
        Err(match error {
            webpki::Error::UnknownIssuer | webpki::Error::CaUsedAsEndEntity => {
                no_issuer(&parsed, others)
            }
            error => unverified(&error),
        })
    }

    fn check_name(
        &self,
        shown: &CertificateDer<'_>,
        name: &ServerName<'_>,
    ) -> Result<(), Unverified> {
        let parsed = EndEntityCert::try_from(shown);
        if let Ok(parsed) = &parsed
            && parsed.verify_is_valid_for_subject_name(name).is_ok()
        {
            return Ok(());
        }
        if let ServerName::DnsName(wanted) = name {
            let other_names = parsed.is_ok_and(|parsed| parsed.valid_dns_names().next().is_some());
            if self.common_name && !other_names && has_common_name(shown, wanted.as_ref()) {
                return Ok(());
            }
            let text = format!(
                "Hostname mismatch, certificate is not valid for '{}'.",
                wanted.as_ref()
            );
            return Err(Unverified { code: 62, text });
        }
        let text = format!(
            "IP address mismatch, certificate is not valid for '{}'.",
            name.to_str()
        );
        Err(Unverified { code: 64, text })
    }
}

/// A certificate that webpki would perhaps not take. Its extensions are left alone: taken
/// apart they have many times their bytes.
fn certificate(der: &[u8]) -> Option<X509Certificate<'_>> {
    let mut parser = X509CertificateParser::new().with_deep_parse_extensions(false);
    let (_, parsed) = parser.parse(der).ok()?;
    Some(parsed)
}

fn check_dates(shown: &CertificateDer<'_>, now: UnixTime) -> Result<(), Unverified> {
    let Some(parsed) = certificate(shown) else {
        return Err(unverified(&webpki::Error::BadDer));
    };
    let now = i64::try_from(now.as_secs()).unwrap_or(i64::MAX);
    if now < parsed.validity().not_before.timestamp() {
        return Err(Unverified::new(9, "certificate is not yet valid"));
    }
    if now > parsed.validity().not_after.timestamp() {
        return Err(Unverified::new(10, "certificate has expired"));
    }
    Ok(())
}

fn no_issuer(shown: &EndEntityCert<'_>, others: &[CertificateDer<'_>]) -> Unverified {
    if shown.issuer() == shown.subject() {
        return Unverified::new(18, "self-signed certificate");
    }
    let own_issuer = |der: &CertificateDer<'_>| {
        EndEntityCert::try_from(der).is_ok_and(|other| other.issuer() == other.subject())
    };
    if others.iter().any(own_issuer) {
        return Unverified::new(19, "self-signed certificate in certificate chain");
    }
    Unverified::new(20, "unable to get local issuer certificate")
}

fn unverified(error: &webpki::Error) -> Unverified {
    use webpki::Error as E;
    let (code, text) = match error {
        E::CertNotValidYet { .. } => (9, "certificate is not yet valid"),
        E::CertExpired { .. } => (10, "certificate has expired"),
        E::InvalidSignatureForPublicKey => (7, "certificate signature failure"),
        E::MaximumPathDepthExceeded | E::MaximumPathBuildCallsExceeded => {
            (22, "certificate chain too long")
        }
        E::CertRevoked => (23, "certificate revoked"),
        E::EndEntityUsedAsCa => (79, "invalid CA certificate"),
        E::PathLenConstraintViolated => (25, "path length constraint exceeded"),
        E::RequiredEkuNotFoundContext(_) => (26, "unsuitable certificate purpose"),
        E::UnsupportedCriticalExtension => (34, "unhandled critical extension"),
        E::NameConstraintViolation => (47, "permitted subtree violation"),
        other => {
            let text = format!("certificate cannot be verified: {other}");
            return Unverified { code: 1, text };
        }
    };
    Unverified::new(code, text)
}

/// Whether the subject's last common name is this host, or its domain with `*`.
fn has_common_name(shown: &CertificateDer<'_>, wanted: &str) -> bool {
    let Some(parsed) = certificate(shown) else {
        return false;
    };
    let Some(Ok(name)) = parsed
        .subject()
        .iter_common_name()
        .last()
        .map(|name| name.as_str())
    else {
        return false;
    };
    let domain = wanted.split_once('.').map(|(_, domain)| domain);
    match (name.strip_prefix("*."), domain) {
        (Some(pattern), Some(domain)) => domain.eq_ignore_ascii_case(pattern),
        _ => name.eq_ignore_ascii_case(wanted),
    }
}

impl Trust {
    /// Checks the signature of a server. Old devices have certificates that no parser accepts; a
    /// plugin that does not verify them learns nothing from the signature.
    fn signature(
        &self,
        check: impl FnOnce(&WebPkiSupportedAlgorithms) -> Result<HandshakeSignatureValid, rustls::Error>,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        match self.verifies() {
            true => check(&self.algorithms),
            false => Ok(HandshakeSignatureValid::assertion()),
        }
    }
}

impl ServerCertVerifier for Trust {
    fn verify_server_cert(
        &self,
        shown: &CertificateDer<'_>,
        others: &[CertificateDer<'_>],
        name: &ServerName<'_>,
        _ocsp: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        if self.verifies() {
            self.check_chain(shown, others, now, KeyUsage::server_auth())?;
            if self.check_hostname {
                self.check_name(shown, name)?;
            }
        }
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        shown: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        self.signature(|known| verify_tls12_signature(message, shown, signed, known))
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        shown: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        self.signature(|known| verify_tls13_signature(message, shown, signed, known))
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        let schemes = self.algorithms.supported_schemes();
        if self.verifies() {
            schemes
        } else {
            unverified_schemes(schemes)
        }
    }
}

impl ClientCertVerifier for Trust {
    fn offer_client_auth(&self) -> bool {
        self.verifies()
    }

    fn client_auth_mandatory(&self) -> bool {
        self.verify == Verify::Required
    }

    fn root_hint_subjects(&self) -> &[DistinguishedName] {
        &[]
    }

    fn verify_client_cert(
        &self,
        shown: &CertificateDer<'_>,
        others: &[CertificateDer<'_>],
        now: UnixTime,
    ) -> Result<ClientCertVerified, rustls::Error> {
        self.check_chain(shown, others, now, KeyUsage::client_auth())?;
        Ok(ClientCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        shown: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls12_signature(message, shown, signed, &self.algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        shown: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls13_signature(message, shown, signed, &self.algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.algorithms.supported_schemes()
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests;
