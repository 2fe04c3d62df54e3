//! The identity that this side shows: a certificate chain with its private key.

use std::io::Read;
use std::path::Path;

use rustls::InconsistentKeys;
use rustls::crypto::CryptoProvider;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::sign::CertifiedKey;

use crate::abi::cordon::plugin::tls::{KeyPair, Refusal};
use cordon_base::error::Denied;
use cordon_base::grants::KeyGrant;
use cordon_base::hint::Origin;

/// Largest file with certificates or a key, in bytes. Real ones have a few KiB.
const LARGEST_FILE: u64 = 1 << 20;

/// Most of a name of the plugin's choice that is quoted, in characters.
const SHOWN: usize = 200;

/// A granted pair, as it is in the operator's files now.
#[derive(Debug)]
pub struct KeyFiles {
    chain: Vec<CertificateDer<'static>>,
    key: PrivateKeyDer<'static>,
}

/// The refusal of a key that no grant names.
#[must_use]
pub fn denied(name: &str, origin: &Origin) -> Denied {
    let name: String = name
        .chars()
        .filter(|letter| letter.is_alphanumeric() || matches!(letter, '-' | '_' | '.' | '/' | ' '))
        .take(SHOWN)
        .collect();
    Denied::new(
        format!("private key {name:?}"),
        format!(
            "keys = [{{ name = \"{name}\", certificate = \"/path/to/chain.pem\", key = \"/path/to/key.pem\" }}]"
        ),
        origin,
    )
}

impl KeyFiles {
    /// Reads the files of a grant.
    ///
    /// # Errors
    ///
    /// [`Refusal::Identity`]. It names the grant, never the path or the content.
    pub fn read(grant: &KeyGrant) -> Result<Self, Refusal> {
        let of_no_use = |what: &str, error: &dyn std::fmt::Display| {
            // The operator has to know more than the plugin may.
            tracing::error!(grant = grant.name, what, %error, "a granted key cannot be used");
            Refusal::Identity(format!(
                "the {what} of key grant {:?} cannot be read",
                grant.name
            ))
        };
        let pem = read(&grant.certificate).map_err(|error| of_no_use("certificate", &error))?;
        let chain: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(&pem).collect();
        let chain = chain.map_err(|error| of_no_use("certificate", &error))?;
        let pem = read(&grant.key).map_err(|error| of_no_use("key", &error))?;
        let key = PrivateKeyDer::from_pem_slice(&pem).map_err(|error| of_no_use("key", &error))?;
        Ok(Self { chain, key })
    }
}

fn read(path: &Path) -> std::io::Result<Vec<u8>> {
    // Opening a pipe would wait for a writer.
    if !std::fs::metadata(path)?.is_file() {
        return Err(std::io::Error::other("it is no file"));
    }
    let mut bytes = Vec::new();
    let file = std::fs::File::open(path)?;
    file.take(LARGEST_FILE).read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// The pair that the plugin gave.
///
/// # Errors
///
/// [`Refusal::Identity`] for a key of no known form.
pub fn given(pair: &KeyPair) -> Result<KeyFiles, Refusal> {
    let key = PrivateKeyDer::try_from(pair.key.clone());
    let key = key.map_err(|error| Refusal::Identity(format!("the private key: {error}")))?;
    let chain = pair.chain.iter().cloned().map(CertificateDer::from);
    Ok(KeyFiles {
        chain: chain.collect(),
        key,
    })
}

/// Puts a pair together and checks that it is one.
///
/// # Errors
///
/// [`Refusal::Identity`].
pub fn certified(files: KeyFiles, provider: &CryptoProvider) -> Result<CertifiedKey, Refusal> {
    CertifiedKey::from_der(files.chain, files.key, provider).map_err(|error| {
        Refusal::Identity(match error {
            rustls::Error::InconsistentKeys(InconsistentKeys::KeyMismatch) => {
                "key values mismatch".to_owned()
            }
            rustls::Error::NoCertificatesPresented => "there is no certificate".to_owned(),
            error => format!("the certificate or its key cannot be used: {error}"),
        })
    })
}
