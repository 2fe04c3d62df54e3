//! How much of what a peer shows is looked at.
//!
//! webpki tries every way from a certificate to a root, and the peer says how many there
//! are: nine authorities of one name, each with another key, are eighty thousand ways, and
//! at every step all roots are compared. That takes seconds on a thread that serves others
//! as well. So of the peer's certificates those are left out that no honest chain has, and
//! of the roots those that have issued none of the others.

use std::collections::HashMap;

use rustls::pki_types::{CertificateDer, TrustAnchor};
use webpki::EndEntityCert;

/// Certificates between a peer's own and a root: a chain has one or two.
const OTHERS: usize = 16;

/// Certificates of one name among them: a second authority may have signed the same one.
const OF_ONE_NAME: usize = 2;

/// Roots of one name, which has several where a root was made anew.
const ROOTS_OF_ONE_NAME: usize = 8;

/// Those of a peer's other certificates that are tried, in their order.
#[must_use]
pub fn worth_trying<'a>(others: &[CertificateDer<'a>]) -> Vec<CertificateDer<'a>> {
    let mut seen = Seen::default();
    let tried = others.iter().filter(|der| {
        let parsed = EndEntityCert::try_from(*der);
        parsed.is_ok_and(|parsed| seen.often(parsed.subject()) <= OF_ONE_NAME)
    });
    tried.take(OTHERS).cloned().collect()
}

/// Those roots that can have issued the certificate or one of the others.
#[must_use]
pub fn roots_of<'a>(
    roots: &[TrustAnchor<'a>],
    shown: &EndEntityCert<'_>,
    others: &[CertificateDer<'_>],
) -> Vec<TrustAnchor<'a>> {
    let others = others.iter().map(EndEntityCert::try_from);
    let mut issuers: Vec<Vec<u8>> = others
        .filter_map(|other| Some(other.ok()?.issuer().to_vec()))
        .collect();
    issuers.push(shown.issuer().to_vec());
    let mut seen = Seen::default();
    let tried = roots.iter().filter(|root| {
        let name = root.subject.as_ref();
        issuers.iter().any(|issuer| issuer == name) && seen.often(name) <= ROOTS_OF_ONE_NAME
    });
    tried.cloned().collect()
}

/// How often each name was seen.
#[derive(Default)]
struct Seen(HashMap<Vec<u8>, usize>);

impl Seen {
    /// How often this one, the present time included.
    fn often(&mut self, name: &[u8]) -> usize {
        let times = self.0.entry(name.to_vec()).or_default();
        *times = times.saturating_add(1);
        *times
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use std::time::Duration;

    use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair};
    use rustls::client::danger::ServerCertVerifier;
    use rustls::pki_types::{ServerName, UnixTime};

    use super::*;
    use crate::abi::cordon::plugin::tls::{Identity, Settings, Verify};
    use crate::account::thread_cpu;
    use crate::tls::trust::Trust;

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

    #[test]
    fn two_of_a_name_are_tried_and_what_is_no_certificate_is_not() {
        let (one, other) = (authority("A", "B"), authority("A", "C"));
        let third = authority("A", "B");
        let second = authority("B", "C");
        let shown = [
            one.clone(),
            CertificateDer::from(vec![1, 2, 3]),
            other.clone(),
            third,
            second.clone(),
        ];
        assert_eq!(worth_trying(&shown), [one, other, second]);
        let many: Vec<_> = (0..40).map(|n| authority(&format!("N{n}"), "R")).collect();
        assert_eq!(worth_trying(&many), many[..OTHERS]);
    }

    #[test]
    fn roots_that_issued_nothing_are_left_out() {
        let roots: Vec<_> = ["X", "B", "A", "B"]
            .iter()
            .map(|name| authority(name, name))
            .collect();
        let anchors: Vec<_> = roots
            .iter()
            .map(|root| webpki::anchor_from_trusted_cert(root).unwrap())
            .collect();
        let shown = authority("S", "A");
        let shown = EndEntityCert::try_from(&shown).unwrap();
        let found = roots_of(&anchors, &shown, &[authority("A", "B")]);
        assert_eq!(found, [&anchors[1..3], &anchors[3..]].concat());
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
}
