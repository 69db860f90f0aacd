//! Keys from files.

use core::fmt;

use p256::pkcs8::DecodePrivateKey;
use rsa::RsaPrivateKey;
use rsa::pkcs1::DecodeRsaPrivateKey;
use rsa::traits::PublicKeyParts;

use super::{KeyAlgorithm, PrivateKey, RsaKey};

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
                f.write_str("the private key is damaged, or none of RSA, P-256, P-384")
            }
            Self::RsaLength { bits } => {
                write!(f, "an RSA key of {bits} bits; the card takes 2048, 3072 and 4096")
            }
        }
    }
}

impl core::error::Error for KeyError {}

impl PrivateKey {
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
            (None, Some(rsa)) => {
                let bits = rsa.n().bits();
                let known = KeyAlgorithm::of_modulus(bits).is_some();
                let error =
                    if known { KeyError::NotSupported } else { KeyError::RsaLength { bits } };
                RsaKey::new(rsa).map(Self::Rsa).ok_or(error)
            }
            (None, None) => Err(KeyError::NotSupported),
        }
    }
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
