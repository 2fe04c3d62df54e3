//! The curves P-256, P-384 and P-521 of NIST over octet strings: ECDH and ECDSA.

use ecdsa::elliptic_curve::sec1::{FromSec1Point, ModulusSize, ToSec1Point};
use ecdsa::elliptic_curve::{
    AffinePoint, CurveArithmetic, FieldBytesSize, PublicKey, SecretKey, ecdh,
};
use ecdsa::hazmat::{sign_prehashed_rfc6979, verify_prehashed};
use ecdsa::{EcdsaCurve, Signature};

/// The curves that are here.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Curve {
    P256,
    P384,
    P521,
}

/// The hashes from which a nonce can be derived (RFC 6979).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum NonceHash {
    Sha256,
    Sha384,
    Sha512,
}

impl Curve {
    /// The curve with a modulus of this many bits.
    pub fn of_bits(bits: u32) -> Option<Self> {
        match bits {
            256 => Some(Self::P256),
            384 => Some(Self::P384),
            521 => Some(Self::P521),
            _ => None,
        }
    }
}

impl NonceHash {
    /// The hash that `hashlib` gives this name.
    pub fn named(name: &str) -> Option<Self> {
        match name {
            "sha256" => Some(Self::Sha256),
            "sha384" => Some(Self::Sha384),
            "sha512" => Some(Self::Sha512),
            _ => None,
        }
    }
}

/// A curve with all that the operations here need.
trait Usable: EcdsaCurve + CurveArithmetic {
    fn secret(octets: &[u8]) -> Option<SecretKey<Self>>;
    fn public(octets: &[u8]) -> Option<PublicKey<Self>>;
    fn uncompressed(key: &PublicKey<Self>) -> Vec<u8>;
}

impl<C> Usable for C
where
    C: EcdsaCurve + CurveArithmetic,
    AffinePoint<C>: FromSec1Point<C> + ToSec1Point<C>,
    FieldBytesSize<C>: ModulusSize,
{
    fn secret(octets: &[u8]) -> Option<SecretKey<C>> {
        SecretKey::from_slice(octets).ok()
    }

    fn public(octets: &[u8]) -> Option<PublicKey<C>> {
        PublicKey::from_sec1_bytes(octets).ok()
    }

    fn uncompressed(key: &PublicKey<C>) -> Vec<u8> {
        key.as_affine().to_sec1_point(false).as_bytes().to_vec()
    }
}

/// Runs an expression with `$C` for the type of the curve.
macro_rules! on {
    ($curve:expr, $C:ident => $work:expr) => {
        match $curve {
            Curve::P256 => {
                type $C = p256::NistP256;
                $work
            }
            Curve::P384 => {
                type $C = p384::NistP384;
                $work
            }
            Curve::P521 => {
                type $C = p521::NistP521;
                $work
            }
        }
    };
}

/// The point of a private key, uncompressed; `None` for a number that is zero, not below the
/// order of the curve, or of another length.
pub fn public_point(curve: Curve, secret: &[u8]) -> Option<Vec<u8>> {
    on!(curve, C => C::secret(secret).map(|key| C::uncompressed(&key.public_key())))
}

/// A point that came compressed or not, uncompressed; `None` for what is not on the curve.
pub fn point(curve: Curve, octets: &[u8]) -> Option<Vec<u8>> {
    on!(curve, C => C::public(octets).map(|key| C::uncompressed(&key)))
}

/// The shared secret of ECDH: the first coordinate of the common point.
pub fn shared(curve: Curve, secret: &[u8], point: &[u8]) -> Option<Vec<u8>> {
    on!(curve, C => {
        let (secret, public) = (C::secret(secret)?, C::public(point)?);
        let shared = ecdh::diffie_hellman(secret.to_nonzero_scalar(), public.as_affine());
        Some(shared.raw_secret_bytes().to_vec())
    })
}

/// The signature of a hash: `r` and `s`, each as long as the order of the curve.
///
/// The nonce is derived from key, hash and `extra` (RFC 6979, 3.2 and 3.6): without `extra`
/// the same message always has the same signature.
pub fn sign(
    curve: Curve,
    secret: &[u8],
    hash: &[u8],
    nonce_hash: NonceHash,
    extra: &[u8],
) -> Option<Vec<u8>> {
    on!(curve, C => {
        let key = C::secret(secret)?.to_nonzero_scalar();
        let (signature, _) = match nonce_hash {
            NonceHash::Sha256 => sign_prehashed_rfc6979::<C, sha2::Sha256>(&key, hash, extra),
            NonceHash::Sha384 => sign_prehashed_rfc6979::<C, sha2::Sha384>(&key, hash, extra),
            NonceHash::Sha512 => sign_prehashed_rfc6979::<C, sha2::Sha512>(&key, hash, extra),
        };
        Some(signature.to_bytes().to_vec())
    })
}

/// Whether `r` and `s` are a signature of the hash by the key with this point.
pub fn verify(curve: Curve, point: &[u8], hash: &[u8], signature: &[u8]) -> bool {
    on!(curve, C => {
        let (Some(key), Ok(signature)) = (C::public(point), Signature::<C>::from_slice(signature))
        else {
            return false;
        };
        verify_prehashed(&key.to_projective(), hash, &signature).is_ok()
    })
}
