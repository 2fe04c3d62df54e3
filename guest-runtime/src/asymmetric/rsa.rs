//! The arithmetic of RSA over octet strings, and the two paddings whose removal must not tell
//! anything by its time (RFC 8017).
//!
//! Python makes and checks the other paddings: they have no secret in them.

use ::rsa::traits::{PrivateKeyParts, PublicKeyParts};
use ::rsa::{BoxedUint, Error, Pkcs1v15Encrypt, PrivateKey, PublicKey, hazmat};
use rand::TryCryptoRng;
use subtle::{Choice, ConditionallySelectable, ConstantTimeEq};

/// Bits of the longest modulus. One operation with it takes seconds in a component.
pub const LARGEST_BITS: usize = 8192;

/// Bits of the shortest modulus that is used. Devices of old have keys of this length.
const SMALLEST_BITS: usize = 512;

/// Bits of the shortest modulus that is generated.
const SMALLEST_NEW_BITS: usize = 1024;

/// The reason why there is no result, for the text of a `ValueError`.
pub type Refusal = &'static str;

fn refusal(error: Error) -> Refusal {
    match error {
        Error::ModulusTooLarge => "an RSA key of more than 8192 bits is refused",
        Error::ModulusTooSmall => "an RSA key of less than 512 bits is refused",
        Error::InvalidPrime => "a prime of the RSA key is wrong, or both differ in length",
        Error::InvalidModulus => {
            "the modulus of the RSA key is even, or not the product of p and q"
        }
        Error::InvalidExponent => "the exponents of the RSA key do not fit its modulus",
        Error::PublicExponentTooSmall | Error::PublicExponentTooLarge => {
            "the public exponent of an RSA key has to be between 3 and 2**33 - 1"
        }
        Error::Decryption => "the octets are no number below the modulus of the RSA key",
        _ => "the RSA operation failed",
    }
}

/// A number without its leading zeros, which count for its length.
fn number(octets: &[u8]) -> Result<BoxedUint, Refusal> {
    let zeros = octets.iter().take_while(|octet| **octet == 0).count();
    match octets.get(zeros..) {
        Some(octets) if octets.len() > LARGEST_BITS / 8 => {
            Err("an RSA key of more than 8192 bits is refused")
        }
        Some(octets) if !octets.is_empty() => Ok(BoxedUint::from_be_slice_vartime(octets)),
        _ => Err("a number of an RSA key is zero"),
    }
}

fn public_key(modulus: &[u8], exponent: &[u8]) -> Result<PublicKey, Refusal> {
    PublicKey::new_with_size_limits(
        number(modulus)?,
        number(exponent)?,
        SMALLEST_BITS..=LARGEST_BITS,
    )
    .map_err(refusal)
}

/// A number below the modulus, in the precision of the modulus.
fn representative(key: &impl PublicKeyParts, octets: &[u8]) -> Result<BoxedUint, Refusal> {
    BoxedUint::from_be_slice(octets, key.n().bits_precision())
        .ok()
        .filter(|number| number < key.n().as_ref())
        .ok_or_else(|| refusal(Error::Decryption))
}

/// The last `size` octets of a number; those before are zero.
fn octets(number: &BoxedUint, size: usize) -> Vec<u8> {
    let all = number.to_be_bytes();
    let mut octets = vec![0; size];
    for (to, from) in octets.iter_mut().rev().zip(all.iter().rev()) {
        *to = *from;
    }
    octets
}

/// RSAEP and RSAVP1: a number to the power of the public exponent.
pub fn public_operation(modulus: &[u8], exponent: &[u8], block: &[u8]) -> Result<Vec<u8>, Refusal> {
    let key = public_key(modulus, exponent)?;
    let block = representative(&key, block)?;
    hazmat::rsa_encrypt(&key, &block)
        .map(|result| octets(&result, key.size()))
        .map_err(refusal)
}

/// Checks a public key.
pub fn check_public(modulus: &[u8], exponent: &[u8]) -> Result<(), Refusal> {
    public_key(modulus, exponent).map(drop)
}

/// A private key with its numbers for the Chinese remainder theorem.
pub struct Private(PrivateKey);

impl Private {
    /// The key of these numbers: modulus, public exponent, private exponent, both primes.
    /// They are checked against each other; whether the primes are prime is not.
    pub fn new([n, e, d, p, q]: [&[u8]; 5]) -> Result<Self, Refusal> {
        public_key(n, e)?;
        PrivateKey::from_components(
            number(n)?,
            number(e)?,
            number(d)?,
            vec![number(p)?, number(q)?],
        )
        .map(Self)
        .map_err(refusal)
    }

    /// A new key of `bits` bits.
    pub fn generate(
        rng: &mut impl TryCryptoRng,
        bits: usize,
        exponent: u64,
    ) -> Result<Self, Refusal> {
        if bits > LARGEST_BITS {
            return Err(refusal(Error::ModulusTooLarge));
        }
        if bits < SMALLEST_NEW_BITS {
            return Err("an RSA key of less than 1024 bits is not generated");
        }
        // An even exponent has no inverse, and the search for primes would never end.
        if exponent < 3 || exponent % 2 == 0 || exponent > PublicKey::MAX_PUB_EXPONENT {
            return Err("the public exponent has to be odd and between 3 and 2**33 - 1");
        }
        PrivateKey::new_with_exp(rng, bits, BoxedUint::from(exponent))
            .map(Self)
            .map_err(refusal)
    }

    /// RSADP and RSASP1: a number to the power of the private exponent, blinded by `rng`, and
    /// checked with the public exponent, so that a fault in between tells no prime.
    pub fn operation(&self, rng: &mut impl TryCryptoRng, block: &[u8]) -> Result<Vec<u8>, Refusal> {
        let block = representative(&self.0, block)?;
        hazmat::rsa_decrypt_and_check(&self.0, Some(rng), &block)
            .map(|result| octets(&result, self.0.size()))
            .map_err(refusal)
    }

    /// RSAES-PKCS1-v1_5. A wrong padding gives a message made up from key and ciphertext
    /// instead of an error: whoever sees errors could decrypt with them.
    pub fn decrypt_pkcs1v15(
        &self,
        rng: &mut impl TryCryptoRng,
        ciphertext: &[u8],
    ) -> Result<Vec<u8>, Refusal> {
        self.0
            .decrypt_blinded(rng, Pkcs1v15Encrypt, ciphertext)
            .map_err(refusal)
    }

    /// Modulus, public exponent, private exponent, both primes.
    pub fn numbers(&self) -> Vec<Vec<u8>> {
        let mut numbers = vec![
            self.0.n().to_be_bytes().to_vec(),
            self.0.e().to_be_bytes().to_vec(),
            self.0.d().to_be_bytes().to_vec(),
        ];
        numbers.extend(
            self.0
                .primes()
                .iter()
                .map(|prime| prime.to_be_bytes().to_vec()),
        );
        numbers
    }
}

/// The place of the separator: the first octet from `start` on that equals `separator`.
/// Looks at every octet, whatever is found.
struct Separator {
    found: Choice,
    at: u32,
    /// Whether every octet before it was as `allowed` says.
    clean: Choice,
}

impl Separator {
    fn search(octets: &[u8], start: usize, separator: u8, allowed: impl Fn(u8) -> Choice) -> Self {
        let (mut found, mut at, mut clean) = (Choice::from(0), 0_u32, Choice::from(1));
        for (place, &octet) in (0_u32..).zip(octets).skip(start) {
            let here = octet.ct_eq(&separator) & !found;
            at.conditional_assign(&place, here);
            found |= here;
            clean &= found | allowed(octet);
        }
        Self { found, at, clean }
    }

    fn rest(&self, octets: &[u8], good: Choice) -> Option<Vec<u8>> {
        if !bool::from(good & self.found & self.clean) {
            return None;
        }
        octets.get(self.at as usize + 1..).map(<[u8]>::to_vec)
    }
}

/// The message in an encoded block of RSAES-PKCS1-v1_5: `00 02`, eight octets or more that
/// are not zero, `00`, message. Only the answer depends on the content, not the work.
pub fn pkcs1v15_message(block: &[u8]) -> Option<Vec<u8>> {
    let (&[zero, two], _) = block.split_first_chunk::<2>()?;
    let separator = Separator::search(block, 2, 0, |octet| !octet.ct_eq(&0));
    let long = Choice::from(u8::from(separator.at >= 10));
    separator.rest(block, zero.ct_eq(&0) & two.ct_eq(&2) & long)
}

/// The message in an unmasked data block of RSAES-OAEP: the hash of the label, zeros, `01`,
/// message. `first` is the octet before the block, which has to be zero.
pub fn oaep_message(first: u8, data_block: &[u8], label_hash: &[u8]) -> Option<Vec<u8>> {
    let hash = data_block.get(..label_hash.len())?;
    let separator = Separator::search(data_block, hash.len(), 1, |octet| octet.ct_eq(&0));
    separator.rest(data_block, first.ct_eq(&0) & hash.ct_eq(label_hash))
}
