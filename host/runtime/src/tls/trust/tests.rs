//! Verification of whole chains, and the time that it takes.

use std::time::Duration;

use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair};

use super::*;
use crate::abi::cordon::plugin::tls::Identity;
use cordon_base::account::thread_cpu;

/// An authority of this name with a key of its own, signed by one of the other name.
fn authority(name: &str, by: &str) -> CertificateDer<'static> {
    let key = KeyPair::generate().unwrap();
    let made = params(name).signed_by(&key, &issuer(by));
    made.unwrap().der().clone()
}

/// The key of an authority of this name, which need not be the one that it has elsewhere:
/// a name alone makes a way that is tried.
fn issuer(name: &str) -> Issuer<'static, KeyPair> {
    Issuer::new(params(name), KeyPair::generate().unwrap())
}

fn params(name: &str) -> CertificateParams {
    let mut params = CertificateParams::new(Vec::new()).unwrap();
    params.distinguished_name.push(DnType::CommonName, name);
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params
}

fn trust(roots: Vec<Vec<u8>>) -> Trust {
    let settings = Settings {
        tls12: true,
        tls13: true,
        suites: Vec::new(),
        verify: Verify::Required,
        check_hostname: false,
        common_name: false,
        system_roots: false,
        roots,
        identity: Identity::None,
        alpn: Vec::new(),
    };
    let provider = rustls::crypto::ring::default_provider();
    Trust::new(&settings, provider.signature_verification_algorithms).unwrap()
}

/// Nine authorities that may all have signed one another, and a thousand roots that
/// differ from them in the last letter of a long name.
#[test]
fn no_chain_takes_long() {
    let name = |last: char| format!("{}{last}", "n".repeat(2900));
    let key = KeyPair::generate().unwrap();
    let mut roots = Vec::new();
    for n in 0..1020_u32 {
        let letter = char::from_u32(u32::from('b') + n % 20).unwrap();
        let root = params(&name(letter)).self_signed(&key).unwrap();
        roots.push(root.der().to_vec());
    }
    let trust = trust(roots);
    let others: Vec<_> = (0..9).map(|_| authority(&name('a'), &name('a'))).collect();
    let mut own = CertificateParams::new(vec!["device.lan".to_owned()]).unwrap();
    own.is_ca = IsCa::NoCa;
    let shown = own.signed_by(&key, &issuer(&name('a'))).unwrap();
    let server = ServerName::try_from("device.lan").unwrap();
    let begun = thread_cpu();
    let checked = trust.verify_server_cert(shown.der(), &others, &server, &[], UnixTime::now());
    let spent = thread_cpu().saturating_sub(begun);
    assert!(checked.is_err());
    assert!(spent < Duration::from_millis(100), "{spent:?}");
}

#[test]
fn a_chain_with_more_than_it_needs_is_good() {
    let key = || KeyPair::generate().unwrap();
    let root_key = key();
    let root = params("Root").self_signed(&root_key).unwrap();
    let root_issuer = Issuer::new(params("Root"), root_key);
    let middle_key = key();
    let middle = params("Middle")
        .signed_by(&middle_key, &root_issuer)
        .unwrap();
    let middle_issuer = Issuer::new(params("Middle"), middle_key);
    let own = CertificateParams::new(vec!["device.lan".to_owned()]).unwrap();
    let shown = own.signed_by(&key(), &middle_issuer).unwrap();
    let trust = trust(vec![root.der().to_vec()]);
    let server = ServerName::try_from("device.lan").unwrap();
    // Another one of that name comes first, the root at the end.
    let others = [
        authority("Middle", "Other"),
        middle.der().clone(),
        root.der().clone(),
    ];
    let now = UnixTime::now();
    let checked = trust.verify_server_cert(shown.der(), &others, &server, &[], now);
    assert!(checked.is_ok(), "{checked:?}");
}
