//! Private keys and what the card does with them, SP 800-78-4, 3.1.

use alloc::boxed::Box;
use alloc::vec::Vec;
use core::fmt;

use p256::ecdsa::signature::hazmat::PrehashSigner;
use p256::elliptic_curve::sec1::ToEncodedPoint;
use p256::pkcs8::EncodePublicKey;
use rand_chacha::ChaCha20Rng;
use rsa::traits::{PrivateKeyParts, PublicKeyParts};
use rsa::{BigUint, RsaPrivateKey};
use scard_types::{SecretBytes, tlv};
use zeroize::Zeroizing;

mod parts;
mod pem;

pub use pem::KeyError;

/// What a key is for, and how long it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyAlgorithm {
    /// RSA with a modulus of 2,048 bits, identifier 07.
    Rsa2048,
    /// RSA with a modulus of 3,072 bits, identifier 05 (SP 800-78-5).
    Rsa3072,
    /// RSA with a modulus of 4,096 bits, identifier 16 (no standard; what Yubico and Nitrokey use).
    Rsa4096,
    /// ECC on P-256, identifier 11.
    P256,
    /// ECC on P-384, identifier 14.
    P384,
}

impl KeyAlgorithm {
    /// All of them.
    pub const ALL: [Self; 5] =
        [Self::Rsa2048, Self::Rsa3072, Self::Rsa4096, Self::P256, Self::P384];

    /// Its number in P1, SP 800-78-4, table 6-2.
    #[must_use]
    pub const fn identifier(self) -> u8 {
        match self {
            Self::Rsa2048 => 0x07,
            Self::Rsa3072 => 0x05,
            Self::Rsa4096 => 0x16,
            Self::P256 => 0x11,
            Self::P384 => 0x14,
        }
    }

    /// The algorithm of a number in P1.
    #[must_use]
    pub fn from_identifier(identifier: u8) -> Option<Self> {
        Self::ALL.into_iter().find(|algorithm| algorithm.identifier() == identifier)
    }

    /// How long the modulus of an RSA key is.
    pub(crate) const fn modulus_bits(self) -> Option<usize> {
        match self {
            Self::Rsa2048 => Some(2048),
            Self::Rsa3072 => Some(3072),
            Self::Rsa4096 => Some(4096),
            Self::P256 | Self::P384 => None,
        }
    }

    /// The RSA algorithm whose modulus is that long.
    fn of_modulus(bits: usize) -> Option<Self> {
        Self::ALL.into_iter().find(|algorithm| algorithm.modulus_bits() == Some(bits))
    }
}

/// A private key. It does not print and is wiped on drop.
pub enum PrivateKey {
    /// RSA.
    Rsa(RsaKey),
    /// ECC on P-256.
    P256(p256::SecretKey),
    /// ECC on P-384.
    P384(p384::SecretKey),
}

/// An RSA key of a length that the card knows, with two primes of half that length.
pub struct RsaKey {
    key: Box<RsaPrivateKey>,
    algorithm: KeyAlgorithm,
}

impl RsaKey {
    fn new(key: RsaPrivateKey) -> Option<Self> {
        let algorithm = KeyAlgorithm::of_modulus(key.n().bits())?;
        let [p, q] = key.primes() else { return None };
        let fits = is_half(p, algorithm) && is_half(q, algorithm);
        fits.then(|| Self { algorithm, key: Box::new(key) })
    }
}

/// Whether a number can be a prime of such a key: half as long, and odd.
fn is_half(prime: &BigUint, algorithm: KeyAlgorithm) -> bool {
    let is_odd = prime.to_bytes_le().first().is_some_and(|lowest| lowest & 1 == 1);
    is_odd && Some(prime.bits().saturating_mul(2)) == algorithm.modulus_bits()
}

impl AsRef<RsaPrivateKey> for RsaKey {
    fn as_ref(&self) -> &RsaPrivateKey {
        &self.key
    }
}

impl fmt::Debug for PrivateKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PrivateKey({:?})", self.algorithm())
    }
}

impl PrivateKey {
    /// Makes a key. `None` if the generator cannot (it has run dry, which a seeded one does not).
    #[must_use]
    pub fn generate(algorithm: KeyAlgorithm, rng: &mut ChaCha20Rng) -> Option<Self> {
        match algorithm {
            KeyAlgorithm::Rsa2048 | KeyAlgorithm::Rsa3072 | KeyAlgorithm::Rsa4096 => {
                let key = RsaPrivateKey::new(rng, algorithm.modulus_bits()?).ok()?;
                RsaKey::new(key).map(Self::Rsa)
            }
            KeyAlgorithm::P256 => Some(Self::P256(p256::SecretKey::random(rng))),
            KeyAlgorithm::P384 => Some(Self::P384(p384::SecretKey::random(rng))),
        }
    }

    /// Its algorithm.
    #[must_use]
    pub const fn algorithm(&self) -> KeyAlgorithm {
        match self {
            Self::Rsa(key) => key.algorithm,
            Self::P256(_) => KeyAlgorithm::P256,
            Self::P384(_) => KeyAlgorithm::P384,
        }
    }

    /// The `SubjectPublicKeyInfo` of its public key, DER.
    #[must_use]
    pub fn public_key_info(&self) -> Option<Vec<u8>> {
        let document = match self {
            Self::Rsa(key) => key.key.to_public_key().to_public_key_der(),
            Self::P256(key) => key.public_key().to_public_key_der(),
            Self::P384(key) => key.public_key().to_public_key_der(),
        };
        Some(document.ok()?.as_bytes().to_vec())
    }

    /// What stands inside 7F49, SP 800-73-4 part 2, table 12: modulus and exponent, or the point.
    pub(crate) fn public_key_template(&self) -> Vec<u8> {
        match self {
            Self::Rsa(RsaKey { key, .. }) => {
                let mut template = tlv::element(0x81, &key.n().to_bytes_be());
                tlv::write(&mut template, 0x82, &key.e().to_bytes_be());
                template
            }
            Self::P256(key) => {
                tlv::element(0x86, key.public_key().to_encoded_point(false).as_bytes())
            }
            Self::P384(key) => {
                tlv::element(0x86, key.public_key().to_encoded_point(false).as_bytes())
            }
        }
    }

    /// ECDSA over a hash of any length (the leftmost bits of a longer one, FIPS 186-4, 6.4), deterministic by
    /// RFC 6979: a DER sequence of two integers.
    pub(crate) fn sign_ecdsa(&self, hash: &[u8]) -> Option<SecretBytes> {
        let signature = match self {
            Self::P256(key) => {
                let signer = p256::ecdsa::SigningKey::from(key);
                let signature: p256::ecdsa::Signature =
                    signer.sign_prehash(&field_sized::<32>(hash)).ok()?;
                signature.to_der().as_bytes().to_vec()
            }
            Self::P384(key) => {
                let signer = p384::ecdsa::SigningKey::from(key);
                let signature: p384::ecdsa::Signature =
                    signer.sign_prehash(&field_sized::<48>(hash)).ok()?;
                signature.to_der().as_bytes().to_vec()
            }
            Self::Rsa(_) => return None,
        };
        Some(signature.into())
    }

    /// The other party's point (04 x y) times the key: the x coordinate.
    pub(crate) fn agree(&self, point: &[u8]) -> Option<SecretBytes> {
        match self {
            Self::P256(key) => {
                let other = p256::PublicKey::from_sec1_bytes(point).ok()?;
                let shared = p256::ecdh::diffie_hellman(key.to_nonzero_scalar(), other.as_affine());
                Some(shared.raw_secret_bytes().as_slice().into())
            }
            Self::P384(key) => {
                let other = p384::PublicKey::from_sec1_bytes(point).ok()?;
                let shared = p384::ecdh::diffie_hellman(key.to_nonzero_scalar(), other.as_affine());
                Some(shared.raw_secret_bytes().as_slice().into())
            }
            Self::Rsa(_) => None,
        }
    }

    /// The raw private-key operation on a block as long as the modulus: a signature over a padded block, or the
    /// padded plaintext of a cryptogram.
    ///
    /// The crate's arithmetic is not constant time (RUSTSEC-2023-0071). The blinding and the final check take away
    /// what is easy; nobody should keep a key that matters in a virtual card.
    pub(crate) fn raw_rsa(&self, block: &[u8], rng: &mut ChaCha20Rng) -> Option<SecretBytes> {
        let Self::Rsa(RsaKey { key, .. }) = self else { return None };
        if block.len() != key.size() {
            return None;
        }
        let input = BigUint::from_bytes_be(block);
        let result = rsa::hazmat::rsa_decrypt_and_check(key.as_ref(), Some(rng), &input).ok()?;
        let digits = Zeroizing::new(result.to_bytes_be());
        let mut output = alloc::vec![0; key.size()];
        let start = output.len().checked_sub(digits.len())?;
        output.get_mut(start..)?.copy_from_slice(&digits);
        Some(output.into())
    }
}

/// The leftmost bytes of a hash that is too long, or a short one as a number.
fn field_sized<const BYTES: usize>(hash: &[u8]) -> [u8; BYTES] {
    let mut field = [0; BYTES];
    let hash = hash.get(..BYTES).unwrap_or(hash);
    let start = BYTES.saturating_sub(hash.len());
    if let Some(end) = field.get_mut(start..) {
        end.copy_from_slice(hash);
    }
    field
}
