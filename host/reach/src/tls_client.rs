//! TLS for outgoing connections (spec 6.4).
//!
//! Decides which certificates are good enough. By default all are, as in the reference: local
//! devices have self-signed ones. TLS then keeps listeners out and nothing more; `verify` is for
//! targets with real certificates.

use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, ring};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{ClientConfig, DigitallySignedStruct, RootCertStore, SignatureScheme};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use crate::chain::worth_trying;
use crate::legacy_tls::LegacyStream;
use cordon_base::error::EngineError;
use cordon_base::hint::Origin;

/// Bytes that a session of TLS holds at most: half a handshake, a chain of certificates, a record that was
/// not read, and the bytes that wait to be sent.
pub const SESSION: u64 = 256 << 10;

/// The TLS settings that all connections of an instance share.
#[derive(Clone)]
pub struct TlsClient {
    config: Arc<ClientConfig>,
    verify: bool,
}

/// A connection whose hands are shaken.
#[derive(Debug)]
pub enum DeviceStream {
    /// With the algorithms of today.
    Current(Box<TlsStream<TcpStream>>),
    /// With those that the device knows.
    Legacy(Box<LegacyStream>),
}

impl TlsClient {
    /// Prepares TLS 1.2 and 1.3; `verify` checks certificates against the roots
    /// of the system.
    ///
    /// # Errors
    ///
    /// [`EngineError::Config`] when `verify` is wanted and the system has no
    /// roots, or when the cryptography cannot be set up.
    pub fn new(verify: bool) -> Result<Self, EngineError> {
        let provider = Arc::new(ring::default_provider());
        let builder = ClientConfig::builder_with_provider(Arc::clone(&provider))
            .with_safe_default_protocol_versions()
            .map_err(|error| of_no_use(&error))?;
        let verifier: Arc<dyn ServerCertVerifier> = if verify {
            let roots = Arc::new(system_roots()?);
            let verifier = WebPkiServerVerifier::builder_with_provider(roots, provider).build();
            Arc::new(KnownIssuer(verifier.map_err(|error| of_no_use(&error))?))
        } else {
            Arc::new(AnyCertificate(provider))
        };
        let config = builder
            .dangerous()
            .with_custom_certificate_verifier(verifier)
            .with_no_client_auth();
        Ok(Self {
            config: Arc::new(config),
            verify,
        })
    }

    /// Shakes hands on a connected socket. `legacy` says whether a grant allows the TLS of old devices
    /// with this peer, which is of no effect where certificates are verified; the hint in an error is
    /// for an instance of this `origin`.
    ///
    /// # Errors
    ///
    /// The other end does not speak TLS, or its certificate is not good enough. The words name the
    /// grant where it may help.
    pub async fn handshake_with(
        &self,
        address: &str,
        peer: SocketAddr,
        stream: TcpStream,
        legacy: bool,
        origin: &Origin,
    ) -> std::io::Result<DeviceStream> {
        if legacy && !self.verify {
            let stream = LegacyStream::connect(address, stream).await?;
            return Ok(DeviceStream::Legacy(Box::new(stream)));
        }
        let made = self.handshake(address, peer, stream).await;
        let stream = made.map_err(|error| self.explained(error, peer, origin))?;
        Ok(DeviceStream::Current(Box::new(stream)))
    }

    /// The error with the way out, where the peer may know old algorithms only.
    fn explained(
        &self,
        error: std::io::Error,
        peer: SocketAddr,
        origin: &Origin,
    ) -> std::io::Error {
        let inner = error.get_ref().and_then(|error| error.downcast_ref());
        let old = inner.filter(|error| !self.verify && may_be_old(error));
        match old {
            Some(inner) => std::io::Error::new(
                error.kind(),
                format!("{inner}; {}", legacy_hint(&peer.ip().to_string(), origin)),
            ),
            None => error,
        }
    }

    /// Shakes hands on a connected socket.
    ///
    /// # Errors
    ///
    /// The other end does not speak TLS, or its certificate is not good enough.
    pub async fn handshake(
        &self,
        address: &str,
        peer: SocketAddr,
        stream: TcpStream,
    ) -> std::io::Result<TlsStream<TcpStream>> {
        // An address that is no legal name (an underscore, a zone) still gets its connection; it
        // cannot be told to the server, and never verifies.
        let name = ServerName::try_from(address.to_owned())
            .unwrap_or_else(|_| ServerName::from(peer.ip()));
        let connector = TlsConnector::from(Arc::clone(&self.config));
        connector.connect(name, stream).await
    }
}

/// Whether a handshake failed in a way in which it fails with devices that know no algorithm of
/// today: nothing in common, or the alert that they send in such a case.
#[must_use]
pub fn may_be_old(error: &rustls::Error) -> bool {
    use rustls::{AlertDescription as Alert, Error, InvalidMessage};
    match error {
        Error::PeerIncompatible(_) => true,
        Error::AlertReceived(alert) => [
            Alert::HandshakeFailure,
            Alert::ProtocolVersion,
            Alert::InsufficientSecurity,
            Alert::IllegalParameter,
        ]
        .contains(alert),
        Error::InvalidMessage(message) => matches!(message, InvalidMessage::UnknownProtocolVersion),
        Error::PeerMisbehaved(_) => true,
        _ => false,
    }
}

/// The way out for a device that knows old algorithms only.
#[must_use]
pub fn legacy_hint(host: &str, origin: &Origin) -> String {
    let hint = origin.grant(&format!("legacy-tls = [\"{host}\"]"));
    format!(
        "the hub offers TLS 1.2 and 1.3 with AES-GCM and ChaCha20 after a key exchange by ECDHE; the \
         device may know only older ways (CBC, RSA or DHE key exchange, TLS 1.0); {hint}"
    )
}

fn system_roots() -> Result<RootCertStore, EngineError> {
    let found = rustls_native_certs::load_native_certs();
    let mut roots = RootCertStore::empty();
    let (added, _) = roots.add_parsable_certificates(found.certs);
    if added == 0 {
        return Err(EngineError::Config(
            "TLS: the system has no root certificates; install ca-certificates or turn verification off"
                .to_owned(),
        ));
    }
    Ok(roots)
}

fn of_no_use(error: &dyn std::fmt::Display) -> EngineError {
    EngineError::Config(format!("TLS: {error}"))
}

/// Verifies what a root of the system has issued, by way of few others.
#[derive(Debug)]
struct KnownIssuer(Arc<WebPkiServerVerifier>);

impl ServerCertVerifier for KnownIssuer {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        let others = worth_trying(intermediates);
        self.0
            .verify_server_cert(end_entity, &others, server_name, ocsp_response, now)
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        self.0.verify_tls12_signature(message, cert, dss)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        self.0.verify_tls13_signature(message, cert, dss)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.supported_verify_schemes()
    }
}

/// Accepts whatever a device shows (rule 101).
///
/// Signatures are not checked either: they prove that the peer owns a key that
/// nobody knows, and old devices have certificates that no parser accepts.
#[derive(Debug)]
struct AnyCertificate(Arc<CryptoProvider>);

impl ServerCertVerifier for AnyCertificate {
    fn verify_server_cert(
        &self,
        _end_entity: &CertificateDer<'_>,
        _intermediates: &[CertificateDer<'_>],
        _server_name: &ServerName<'_>,
        _ocsp_response: &[u8],
        _now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        _message: &[u8],
        _cert: &CertificateDer<'_>,
        _dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        Ok(HandshakeSignatureValid::assertion())
    }

    fn verify_tls13_signature(
        &self,
        _message: &[u8],
        _cert: &CertificateDer<'_>,
        _dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        Ok(HandshakeSignatureValid::assertion())
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        unverified_schemes(self.0.signature_verification_algorithms.supported_schemes())
    }
}

/// The signatures that a peer may make where nobody checks them: beside those that could be checked
/// the ones that could not.
#[must_use]
pub fn unverified_schemes(mut schemes: Vec<SignatureScheme>) -> Vec<SignatureScheme> {
    for scheme in [
        SignatureScheme::ECDSA_NISTP521_SHA512,
        SignatureScheme::RSA_PKCS1_SHA1,
        SignatureScheme::ECDSA_SHA1_Legacy,
    ] {
        if !schemes.contains(&scheme) {
            schemes.push(scheme);
        }
    }
    schemes
}

macro_rules! either {
    ($self:ident, $stream:ident => $call:expr) => {
        match $self.get_mut() {
            DeviceStream::Current($stream) => {
                let $stream = Pin::new(&mut **$stream);
                $call
            }
            DeviceStream::Legacy($stream) => {
                let $stream = Pin::new(&mut **$stream);
                $call
            }
        }
    };
}

impl AsyncRead for DeviceStream {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<std::io::Result<()>> {
        either!(self, stream => stream.poll_read(cx, buffer))
    }
}

impl AsyncWrite for DeviceStream {
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<std::io::Result<usize>> {
        either!(self, stream => stream.poll_write(cx, bytes))
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        either!(self, stream => stream.poll_flush(cx))
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        either!(self, stream => stream.poll_shutdown(cx))
    }
}
