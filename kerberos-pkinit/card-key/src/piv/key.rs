//! Kinds of keys and what they sign, SP 800-78-4, tables 6-1 and 6-2.

use std::fmt;

use x509_parser::public_key::PublicKey;
use x509_parser::x509::SubjectPublicKeyInfo;

/// A kind of key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum KeyAlgorithm {
    /// RSA with a modulus of 2,048 bits.
    Rsa2048,
    /// RSA with a modulus of 3,072 bits (SP 800-78-5).
    Rsa3072,
    /// RSA with a modulus of 4,096 bits (Yubico, Nitrokey; not NIST).
    Rsa4096,
    /// ECC over P-256.
    P256,
    /// ECC over P-384.
    P384,
}

impl KeyAlgorithm {
    /// The algorithm identifier, as P1 of GENERAL AUTHENTICATE has it.
    #[must_use]
    pub const fn identifier(self) -> u8 {
        match self {
            Self::Rsa3072 => 0x05,
            Self::Rsa2048 => 0x07,
            Self::P256 => 0x11,
            Self::P384 => 0x14,
            Self::Rsa4096 => 0x16,
        }
    }

    /// The size of the key in bytes: of the modulus, or of a coordinate.
    #[must_use]
    pub const fn key_bytes(self) -> usize {
        match self {
            Self::P256 => 32,
            Self::P384 => 48,
            Self::Rsa2048 => 256,
            Self::Rsa3072 => 384,
            Self::Rsa4096 => 512,
        }
    }

    /// Whether it is an RSA key.
    #[must_use]
    pub const fn is_rsa(self) -> bool {
        matches!(self, Self::Rsa2048 | Self::Rsa3072 | Self::Rsa4096)
    }

    /// The kind of a public key; `None` if it is not one of these.
    #[must_use]
    pub fn of(key: &SubjectPublicKeyInfo<'_>) -> Option<Self> {
        match key.parsed().ok()? {
            PublicKey::RSA(rsa) => {
                let modulus = rsa.modulus;
                let zeros = modulus.iter().take_while(|byte| **byte == 0).count();
                match modulus.len().saturating_sub(zeros) {
                    256 => Some(Self::Rsa2048),
                    384 => Some(Self::Rsa3072),
                    512 => Some(Self::Rsa4096),
                    _ => None,
                }
            }
            PublicKey::EC(_) => {
                let curve = key.algorithm.parameters.as_ref()?.as_oid().ok()?;
                match curve.to_id_string().as_str() {
                    "1.2.840.10045.3.1.7" => Some(Self::P256),
                    "1.3.132.0.34" => Some(Self::P384),
                    _ => None,
                }
            }
            _ => None,
        }
    }
}

impl fmt::Display for KeyAlgorithm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Rsa2048 => "RSA 2048",
            Self::Rsa3072 => "RSA 3072",
            Self::Rsa4096 => "RSA 4096",
            Self::P256 => "P-256",
            Self::P384 => "P-384",
        })
    }
}

/// What is signed: a digest, with the name of the function that made it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Digest<'a> {
    /// SHA-256.
    Sha256(&'a [u8; 32]),
    /// SHA-384.
    Sha384(&'a [u8; 48]),
    /// SHA-512.
    Sha512(&'a [u8; 64]),
}

impl<'a> Digest<'a> {
    /// The digest itself.
    #[must_use]
    pub const fn as_bytes(self) -> &'a [u8] {
        match self {
            Self::Sha256(digest) => digest,
            Self::Sha384(digest) => digest,
            Self::Sha512(digest) => digest,
        }
    }

    /// What stands before it in a `DigestInfo`, RFC 8017, 9.2, note 1.
    pub(super) const fn digest_info_prefix(self) -> &'static [u8; 19] {
        match self {
            Self::Sha256(_) => &[
                0x30, 0x31, 0x30, 0x0d, 0x06, 0x09, 0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02,
                0x01, 0x05, 0x00, 0x04, 0x20,
            ],
            Self::Sha384(_) => &[
                0x30, 0x41, 0x30, 0x0d, 0x06, 0x09, 0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02,
                0x02, 0x05, 0x00, 0x04, 0x30,
            ],
            Self::Sha512(_) => &[
                0x30, 0x51, 0x30, 0x0d, 0x06, 0x09, 0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02,
                0x03, 0x05, 0x00, 0x04, 0x40,
            ],
        }
    }
}
