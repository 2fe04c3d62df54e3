//! Settings that are common to the sessions made from one Python context.

use std::sync::Arc;

use rustls::client::Resumption;
use rustls::crypto::{CryptoProvider, ring};
use rustls::server::{ClientHello, ResolvesServerCert};
use rustls::sign::{CertifiedKey, SingleCertAndKey};
use rustls::{ClientConfig, ServerConfig, SupportedProtocolVersion};

use super::identity::{self, KeyFiles};
use super::trust::Trust;
use super::{NotMade, Weight};
use crate::abi::cordon::plugin::tls::{Identity, Refusal, Settings};
use cordon_base::hint::Origin;

/// Settings of one context, ready for both roles.
#[derive(Debug)]
pub struct Context {
    /// For the client's side.
    pub client: Arc<ClientConfig>,
    /// For the server's side.
    pub server: Arc<ServerConfig>,
    /// Whether certificates of peers are verified.
    pub verifies: bool,
    /// Where the instance comes from, for hints.
    pub origin: Origin,
    _weight: Weight,
}

/// A server without a certificate: no client gets further than its greeting.
#[derive(Debug)]
struct NoCertificate;

impl ResolvesServerCert for NoCertificate {
    fn resolve(&self, _hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        None
    }
}

impl Context {
    /// Checks the settings and puts them in rustls's form.
    ///
    /// Sessions are never resumed: tickets would be memory that peers fill.
    ///
    /// # Errors
    ///
    /// [`NotMade`] for settings that are of no use.
    pub fn new(
        settings: &Settings,
        files: Option<KeyFiles>,
        weight: Weight,
    ) -> Result<Self, NotMade> {
        let provider = Arc::new(provider(&settings.suites));
        let versions = versions(settings);
        let trust = Trust::new(settings, provider.signature_verification_algorithms)?;
        let trust = Arc::new(trust);
        let verifies = trust.verifies();
        let files = match (&settings.identity, files) {
            (Identity::Given(pair), _) => Some(identity::given(pair)?),
            (_, files) => files,
        };
        let pair = match files {
            Some(files) => Some(Arc::new(identity::certified(files, &provider)?)),
            None => None,
        };
        let client = client(&provider, &versions, Arc::clone(&trust), pair.clone());
        let server = server(&provider, &versions, trust, pair);
        let unusable = |error: rustls::Error| Refusal::Settings(error.to_string());
        let (mut client, mut server) = (client.map_err(unusable)?, server.map_err(unusable)?);
        client.alpn_protocols.clone_from(&settings.alpn);
        server.alpn_protocols.clone_from(&settings.alpn);
        Ok(Self {
            client: Arc::new(client),
            server: Arc::new(server),
            verifies,
            origin: Origin::default(),
            _weight: weight,
        })
    }
}

/// The cryptography with these suites only, in this order; with all when none is named.
fn provider(suites: &[u16]) -> CryptoProvider {
    let mut provider = ring::default_provider();
    if !suites.is_empty() {
        let known = std::mem::take(&mut provider.cipher_suites);
        let find = |number: &u16| {
            known
                .iter()
                .find(|suite| u16::from(suite.suite()) == *number)
        };
        let mut chosen = Vec::with_capacity(known.len());
        for suite in suites.iter().filter_map(find) {
            if !chosen.contains(suite) {
                chosen.push(*suite);
            }
        }
        provider.cipher_suites = chosen;
    }
    provider
}

fn versions(settings: &Settings) -> Vec<&'static SupportedProtocolVersion> {
    let mut versions = Vec::new();
    if settings.tls13 {
        versions.push(&rustls::version::TLS13);
    }
    if settings.tls12 {
        versions.push(&rustls::version::TLS12);
    }
    versions
}

fn client(
    provider: &Arc<CryptoProvider>,
    versions: &[&'static SupportedProtocolVersion],
    trust: Arc<Trust>,
    pair: Option<Arc<CertifiedKey>>,
) -> Result<ClientConfig, rustls::Error> {
    let builder = ClientConfig::builder_with_provider(Arc::clone(provider))
        .with_protocol_versions(versions)?
        .dangerous()
        .with_custom_certificate_verifier(trust);
    let mut config = match pair {
        Some(pair) => builder.with_client_cert_resolver(Arc::new(SingleCertAndKey::from(pair))),
        None => builder.with_no_client_auth(),
    };
    config.resumption = Resumption::disabled();
    Ok(config)
}

fn server(
    provider: &Arc<CryptoProvider>,
    versions: &[&'static SupportedProtocolVersion],
    trust: Arc<Trust>,
    pair: Option<Arc<CertifiedKey>>,
) -> Result<ServerConfig, rustls::Error> {
    let builder = ServerConfig::builder_with_provider(Arc::clone(provider))
        .with_protocol_versions(versions)?;
    let builder = if trust.verifies() {
        builder.with_client_cert_verifier(trust)
    } else {
        builder.with_no_client_auth()
    };
    let certificates: Arc<dyn ResolvesServerCert> = match pair {
        Some(pair) => Arc::new(SingleCertAndKey::from(pair)),
        None => Arc::new(NoCertificate),
    };
    let mut config = builder.with_cert_resolver(certificates);
    config.send_tls13_tickets = 0;
    Ok(config)
}
