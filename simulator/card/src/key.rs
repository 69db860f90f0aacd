//! Private keys and what the card does with them, SP 800-78-4, 3.1.

use alloc::boxed::Box;
use alloc::vec::Vec;
use core::fmt;

use p256::ecdsa::signature::hazmat::PrehashSigner;
use p256::elliptic_curve::sec1::ToEncodedPoint;
use p256::pkcs8::{DecodePrivateKey, EncodePublicKey};
use rand_chacha::ChaCha20Rng;
use rsa::pkcs1::DecodeRsaPrivateKey;
use rsa::traits::PublicKeyParts;
use rsa::{BigUint, RsaPrivateKey};
use scard_types::{SecretBytes, tlv};
use zeroize::Zeroizing;

/// What a key is for, and how long it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyAlgorithm {
    /// RSA with a modulus of 2,048 bits, identifier 07.
    Rsa2048,
    /// ECC on P-256, identifier 11.
    P256,
    /// ECC on P-384, identifier 14.
    P384,
}

impl KeyAlgorithm {
    /// Its number in P1, SP 800-78-4, table 6-2.
    #[must_use]
    pub const fn identifier(self) -> u8 {
        match self {
            Self::Rsa2048 => 0x07,
            Self::P256 => 0x11,
            Self::P384 => 0x14,
        }
    }

    /// The algorithm of a number in P1.
    #[must_use]
    pub fn from_identifier(identifier: u8) -> Option<Self> {
        [Self::Rsa2048, Self::P256, Self::P384]
            .into_iter()
            .find(|algorithm| algorithm.identifier() == identifier)
    }
}

/// A private key. It does not print and is wiped on drop.
pub enum PrivateKey {
    /// RSA with a modulus of 2,048 bits.
    Rsa(Box<RsaPrivateKey>),
    /// ECC on P-256.
    P256(p256::SecretKey),
    /// ECC on P-384.
    P384(p384::SecretKey),
}

/// Why a file holds no key for this card.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum KeyError {
    /// No PEM block that ends in `PRIVATE KEY`.
    NoPrivateKey,
    /// The key is encrypted.
    Encrypted,
    /// The block cannot be read, or holds a key of a kind that the card does not know.
    NotSupported,
    /// An RSA key of another length.
    RsaLength {
        /// Length of its modulus in bits.
        bits: usize,
    },
}

impl fmt::Display for KeyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoPrivateKey => f.write_str("there is no PEM block with a private key"),
            Self::Encrypted => {
                f.write_str("the private key is encrypted; store it without a password")
            }
            Self::NotSupported => {
                f.write_str("the private key is damaged, or none of RSA 2048, P-256, P-384")
            }
            Self::RsaLength { bits } => write!(f, "an RSA key of {bits} bits; the card takes 2048"),
        }
    }
}

impl core::error::Error for KeyError {}

impl fmt::Debug for PrivateKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PrivateKey({:?})", self.algorithm())
    }
}

impl PrivateKey {
    /// Makes a key. `None` if the generator cannot (it has run dry, which a seeded one does not).
    #[must_use]
    pub fn generate(algorithm: KeyAlgorithm, rng: &mut ChaCha20Rng) -> Option<Self> {
        Some(match algorithm {
            KeyAlgorithm::Rsa2048 => Self::Rsa(Box::new(RsaPrivateKey::new(rng, 2048).ok()?)),
            KeyAlgorithm::P256 => Self::P256(p256::SecretKey::random(rng)),
            KeyAlgorithm::P384 => Self::P384(p384::SecretKey::random(rng)),
        })
    }

    /// Reads PEM: PKCS#8 (`PRIVATE KEY`), PKCS#1 (`RSA PRIVATE KEY`) or SEC1 (`EC PRIVATE KEY`). Other blocks before it, such as
    /// the `EC PARAMETERS` of OpenSSL, are skipped.
    ///
    /// # Errors
    /// See [`KeyError`].
    pub fn from_pem(text: &str) -> Result<Self, KeyError> {
        let (label, block) = private_key_block(text).ok_or(KeyError::NoPrivateKey)?;
        if label.starts_with("ENCRYPTED") || block.contains("Proc-Type: 4,ENCRYPTED") {
            return Err(KeyError::Encrypted);
        }
        let (_, document) =
            der::SecretDocument::from_pem(block).map_err(|_| KeyError::NotSupported)?;
        let der = document.as_bytes();
        let p256 = || p256::SecretKey::from_pkcs8_der(der).ok();
        let p384 = || p384::SecretKey::from_pkcs8_der(der).ok();
        let rsa = match label {
            "RSA" => RsaPrivateKey::from_pkcs1_der(der).ok(),
            _ => RsaPrivateKey::from_pkcs8_der(der).ok(),
        };
        let key = match label {
            "EC" => p256::SecretKey::from_sec1_der(der)
                .ok()
                .map(Self::P256)
                .or_else(|| p384::SecretKey::from_sec1_der(der).ok().map(Self::P384)),
            _ => p256().map(Self::P256).or_else(|| p384().map(Self::P384)),
        };
        match (key, rsa) {
            (Some(key), _) => Ok(key),
            (None, Some(rsa)) if rsa.n().bits() != 2048 => {
                Err(KeyError::RsaLength { bits: rsa.n().bits() })
            }
            (None, Some(rsa)) if rsa.validate().is_ok() => Ok(Self::Rsa(Box::new(rsa))),
            (None, _) => Err(KeyError::NotSupported),
        }
    }

    /// Its algorithm.
    #[must_use]
    pub const fn algorithm(&self) -> KeyAlgorithm {
        match self {
            Self::Rsa(_) => KeyAlgorithm::Rsa2048,
            Self::P256(_) => KeyAlgorithm::P256,
            Self::P384(_) => KeyAlgorithm::P384,
        }
    }

    /// The `SubjectPublicKeyInfo` of its public key, DER.
    #[must_use]
    pub fn public_key_info(&self) -> Option<Vec<u8>> {
        let document = match self {
            Self::Rsa(key) => key.to_public_key().to_public_key_der(),
            Self::P256(key) => key.public_key().to_public_key_der(),
            Self::P384(key) => key.public_key().to_public_key_der(),
        };
        Some(document.ok()?.as_bytes().to_vec())
    }

    /// What stands inside 7F49, SP 800-73-4 part 2, table 12: modulus and exponent, or the point.
    pub(crate) fn public_key_template(&self) -> Vec<u8> {
        match self {
            Self::Rsa(key) => {
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
        let Self::Rsa(key) = self else { return None };
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

/// The first PEM block whose label ends in `PRIVATE KEY`: what stands before that in the label, and the block.
fn private_key_block(text: &str) -> Option<(&str, &str)> {
    const BEGIN: &str = "-----BEGIN ";
    let mut rest = text;
    loop {
        let at = rest.find(BEGIN)?;
        rest = rest.get(at..)?;
        let after = rest.get(BEGIN.len()..)?;
        let label = after.get(..after.find("-----")?)?;
        if let Some(kind) = label.strip_suffix("PRIVATE KEY") {
            return Some((kind.trim_end(), rest));
        }
        rest = after;
    }
}
