//! TLS for outgoing connections (spec 6.4).
//!
//! Owns the decision which certificates are good enough. By default all are, as
//! in the reference: local devices have self-signed ones. That keeps listeners
//! out and nothing more; `verify` is for targets with real certificates.

use std::net::SocketAddr;
use std::sync::Arc;

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, ring};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{ClientConfig, DigitallySignedStruct, RootCertStore, SignatureScheme};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use cordon_base::error::EngineError;

/// The TLS settings that all connections of an instance share.
#[derive(Clone)]
pub struct TlsClient {
    config: Arc<ClientConfig>,
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
            .map_err(|error| EngineError::Config(format!("TLS: {error}")))?;
        let config = if verify {
            builder
                .with_root_certificates(system_roots()?)
                .with_no_client_auth()
        } else {
            builder
                .dangerous()
                .with_custom_certificate_verifier(Arc::new(AnyCertificate(provider)))
                .with_no_client_auth()
        };
        Ok(Self {
            config: Arc::new(config),
        })
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
        // What is no legal name (an underscore, a zone) still gets its
        // connection; it cannot be told to the server, and never verifies.
        let name = ServerName::try_from(address.to_owned())
            .unwrap_or_else(|_| ServerName::from(peer.ip()));
        let connector = TlsConnector::from(Arc::clone(&self.config));
        connector.connect(name, stream).await
    }
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
        self.0.signature_verification_algorithms.supported_schemes()
    }
}
