//! Encryption types, RFC 3961: what a key can do, whatever its algorithm.
//!
//! | number | name | standard |
//! | --- | --- | --- |
//! | 17 | `aes128-cts-hmac-sha1-96` | RFC 3962 |
//! | 18 | `aes256-cts-hmac-sha1-96` | RFC 3962 |
//! | 19 | `aes128-cts-hmac-sha256-128` | RFC 8009 |
//! | 20 | `aes256-cts-hmac-sha384-192` | RFC 8009 |

mod cts;
mod nfold;
mod sha1_profile;
mod sha2_profile;

use alloc::vec::Vec;
use core::fmt;

use subtle::ConstantTimeEq;
use zeroize::{Zeroize, ZeroizeOnDrop, Zeroizing};

pub use nfold::nfold;

/// AES blocks, in bytes. Confounders are as long.
pub const BLOCK_BYTES: usize = 16;

/// An encryption type that we know.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum EncryptionType {
    /// 17.
    Aes128Sha1,
    /// 18.
    Aes256Sha1,
    /// 19.
    Aes128Sha256,
    /// 20.
    Aes256Sha384,
}

impl EncryptionType {
    /// All, the strongest first.
    pub const ALL: [Self; 4] =
        [Self::Aes256Sha384, Self::Aes128Sha256, Self::Aes256Sha1, Self::Aes128Sha1];

    /// Its number.
    #[must_use]
    pub const fn number(self) -> i32 {
        match self {
            Self::Aes128Sha1 => 17,
            Self::Aes256Sha1 => 18,
            Self::Aes128Sha256 => 19,
            Self::Aes256Sha384 => 20,
        }
    }

    /// The one with that number.
    #[must_use]
    pub fn from_number(number: i32) -> Option<Self> {
        Self::ALL.into_iter().find(|etype| etype.number() == number)
    }

    /// Its name, as krb5.conf and `klist -e` have it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Aes128Sha1 => "aes128-cts-hmac-sha1-96",
            Self::Aes256Sha1 => "aes256-cts-hmac-sha1-96",
            Self::Aes128Sha256 => "aes128-cts-hmac-sha256-128",
            Self::Aes256Sha384 => "aes256-cts-hmac-sha384-192",
        }
    }

    /// How long its keys are, in bytes; as many random bytes make one (random-to-key is the identity).
    #[must_use]
    pub const fn key_bytes(self) -> usize {
        match self {
            Self::Aes128Sha1 | Self::Aes128Sha256 => 16,
            Self::Aes256Sha1 | Self::Aes256Sha384 => 32,
        }
    }

    /// The number of the checksum type that belongs to it.
    #[must_use]
    pub const fn checksum_number(self) -> i32 {
        match self {
            Self::Aes128Sha1 => 15,
            Self::Aes256Sha1 => 16,
            Self::Aes128Sha256 => 19,
            Self::Aes256Sha384 => 20,
        }
    }

    /// How long its checksums are, in bytes.
    #[must_use]
    pub const fn checksum_bytes(self) -> usize {
        match self {
            Self::Aes128Sha1 | Self::Aes256Sha1 => 12,
            Self::Aes128Sha256 => 16,
            Self::Aes256Sha384 => 24,
        }
    }
}

impl fmt::Display for EncryptionType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// What a key is used for, RFC 4120, 7.5.1, and the standards named.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KeyUsage(pub u32);

impl KeyUsage {
    /// PA-ENC-TIMESTAMP.
    pub const AS_REQ_TIMESTAMP: Self = Self(1);
    /// The encrypted part of a ticket.
    pub const TICKET: Self = Self(2);
    /// The encrypted part of an AS-REP.
    pub const AS_REP: Self = Self(3);
    /// The checksum of a TGS-REQ's body; `asChecksum` of PKINIT (RFC 4556, 3.2.3.2).
    pub const TGS_REQ_CHECKSUM: Self = Self(6);
    /// The authenticator of a TGS-REQ.
    pub const TGS_REQ_AUTHENTICATOR: Self = Self(7);
    /// The encrypted part of a TGS-REP, under the session key.
    pub const TGS_REP_SESSION: Self = Self(8);
    /// The encrypted part of a TGS-REP, under the sub-key.
    pub const TGS_REP_SUBKEY: Self = Self(9);
    /// The authenticator of an AP-REQ.
    pub const AP_REQ_AUTHENTICATOR: Self = Self(11);
    /// The encrypted part of an AP-REP.
    pub const AP_REP: Self = Self(12);
    /// PKINIT-KX (RFC 6112).
    pub const PKINIT_KX: Self = Self(44);
    /// The checksum of a FAST request (RFC 6113, 5.4.2).
    pub const FAST_REQ_CHECKSUM: Self = Self(50);
    /// The encrypted part of a FAST request.
    pub const FAST_ENC: Self = Self(51);
    /// The encrypted part of a FAST reply.
    pub const FAST_REP: Self = Self(52);
    /// The checksum of the ticket in FAST's finish.
    pub const FAST_FINISHED: Self = Self(53);
    /// An encrypted challenge of the client.
    pub const CHALLENGE_CLIENT: Self = Self(54);
    /// An encrypted challenge of the KDC.
    pub const CHALLENGE_KDC: Self = Self(55);
    /// The checksum of an AS-REQ in PA-REQ-ENC-PA-REP (RFC 6806, 11).
    pub const AS_REQ_CHECKSUM: Self = Self(56);
}

/// Why a key cannot do what it is asked to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum CryptoError {
    /// The bytes are no key of that type.
    KeyLength {
        /// What was given, in bytes.
        got: usize,
        /// What the type has, in bytes.
        need: usize,
    },
    /// A ciphertext shorter than its confounder and checksum.
    Short,
    /// The ciphertext or the checksum was not made with this key for this use, or was changed since.
    Integrity,
}

impl fmt::Display for CryptoError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::KeyLength { got, need } => write!(f, "a key of {need} bytes has {got}"),
            Self::Short => f.write_str("the ciphertext is too short"),
            Self::Integrity => {
                f.write_str("the integrity check failed: another key, or changed data")
            }
        }
    }
}

impl core::error::Error for CryptoError {}

/// A key and what it is for. It does not print, and it is wiped when it is dropped.
#[derive(Clone, PartialEq, Eq, Zeroize, ZeroizeOnDrop)]
pub struct Key {
    #[zeroize(skip)]
    etype: EncryptionType,
    bytes: Vec<u8>,
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Key({})", self.etype)
    }
}

impl Key {
    /// A key from its bytes.
    ///
    /// # Errors
    /// [`CryptoError::KeyLength`].
    pub fn new(etype: EncryptionType, bytes: &[u8]) -> Result<Self, CryptoError> {
        let need = etype.key_bytes();
        if bytes.len() != need {
            return Err(CryptoError::KeyLength { got: bytes.len(), need });
        }
        Ok(Self { etype, bytes: bytes.to_vec() })
    }

    /// The key that a password makes (string-to-key). `rounds` of PBKDF2, the standard's number if `None`.
    #[must_use]
    pub fn from_password(
        etype: EncryptionType,
        password: &[u8],
        salt: &[u8],
        rounds: Option<u32>,
    ) -> Self {
        let bytes = match etype {
            EncryptionType::Aes128Sha1 | EncryptionType::Aes256Sha1 => {
                sha1_profile::string_to_key(etype.key_bytes(), password, salt, rounds)
            }
            EncryptionType::Aes128Sha256 | EncryptionType::Aes256Sha384 => {
                sha2_profile::string_to_key(etype, password, salt, rounds)
            }
        };
        Self { etype, bytes }
    }

    /// Its type.
    #[must_use]
    pub const fn etype(&self) -> EncryptionType {
        self.etype
    }

    /// Its bytes, for the one place that writes it into a message or a cache.
    #[must_use]
    pub fn expose(&self) -> &[u8] {
        &self.bytes
    }

    /// Encrypts for a use. The confounder is random, and never used twice.
    #[must_use]
    pub fn encrypt(&self, usage: KeyUsage, confounder: [u8; BLOCK_BYTES], plain: &[u8]) -> Vec<u8> {
        match self.etype {
            EncryptionType::Aes128Sha1 | EncryptionType::Aes256Sha1 => {
                sha1_profile::encrypt(&self.bytes, usage, confounder, plain)
            }
            EncryptionType::Aes128Sha256 | EncryptionType::Aes256Sha384 => {
                sha2_profile::encrypt(self.etype, &self.bytes, usage, confounder, plain)
            }
        }
    }

    /// Checks and decrypts what [`Key::encrypt`] made. The integrity is checked before anything comes out.
    ///
    /// # Errors
    /// [`CryptoError::Short`], [`CryptoError::Integrity`].
    pub fn decrypt(
        &self,
        usage: KeyUsage,
        cipher: &[u8],
    ) -> Result<Zeroizing<Vec<u8>>, CryptoError> {
        let checksum = self.etype.checksum_bytes();
        let inner = cipher.len().checked_sub(checksum).ok_or(CryptoError::Short)?;
        if inner < BLOCK_BYTES {
            return Err(CryptoError::Short);
        }
        let (cipher, checksum) = cipher.split_at_checked(inner).ok_or(CryptoError::Short)?;
        match self.etype {
            EncryptionType::Aes128Sha1 | EncryptionType::Aes256Sha1 => {
                sha1_profile::decrypt(&self.bytes, usage, cipher, checksum)
            }
            EncryptionType::Aes128Sha256 | EncryptionType::Aes256Sha384 => {
                sha2_profile::decrypt(self.etype, &self.bytes, usage, cipher, checksum)
            }
        }
    }

    /// The keyed checksum of data.
    #[must_use]
    pub fn checksum(&self, usage: KeyUsage, data: &[u8]) -> Vec<u8> {
        match self.etype {
            EncryptionType::Aes128Sha1 | EncryptionType::Aes256Sha1 => {
                sha1_profile::checksum(&self.bytes, usage, data)
            }
            EncryptionType::Aes128Sha256 | EncryptionType::Aes256Sha384 => {
                sha2_profile::checksum(self.etype, &self.bytes, usage, data)
            }
        }
    }

    /// Checks a keyed checksum, in constant time.
    ///
    /// # Errors
    /// [`CryptoError::Integrity`].
    pub fn verify(&self, usage: KeyUsage, data: &[u8], checksum: &[u8]) -> Result<(), CryptoError> {
        same(&self.checksum(usage, data), checksum)
    }

    /// The pseudo-random function of the type (RFC 3961, 3).
    #[must_use]
    pub fn prf(&self, input: &[u8]) -> Vec<u8> {
        match self.etype {
            EncryptionType::Aes128Sha1 | EncryptionType::Aes256Sha1 => {
                sha1_profile::prf(&self.bytes, input)
            }
            EncryptionType::Aes128Sha256 | EncryptionType::Aes256Sha384 => {
                sha2_profile::prf(self.etype, &self.bytes, input)
            }
        }
    }

    /// PRF+ of RFC 6113, 5.1: the first `length` bytes of PRF(1 || input), PRF(2 || input), and so on; at most 255
    /// rounds.
    #[must_use]
    pub fn prf_plus(&self, input: &[u8], length: usize) -> Zeroizing<Vec<u8>> {
        let mut out = Zeroizing::new(Vec::with_capacity(length.saturating_add(64)));
        for round in 1..=u8::MAX {
            if out.len() >= length {
                break;
            }
            let mut seed = alloc::vec![round];
            seed.extend_from_slice(input);
            out.extend_from_slice(&Zeroizing::new(self.prf(&seed)));
        }
        out.truncate(length);
        out
    }

    /// KRB-FX-CF2 of RFC 6113, 5.1: a key of the first one's type from two keys.
    #[must_use]
    pub fn combine(&self, pepper: &[u8], other: &Self, other_pepper: &[u8]) -> Self {
        let length = self.etype.key_bytes();
        let mut bytes = self.prf_plus(pepper, length).to_vec();
        for (byte, other) in bytes.iter_mut().zip(other.prf_plus(other_pepper, length).iter()) {
            *byte ^= other;
        }
        Self { etype: self.etype, bytes }
    }
}

fn same(ours: &[u8], theirs: &[u8]) -> Result<(), CryptoError> {
    if bool::from(ours.ct_eq(theirs)) { Ok(()) } else { Err(CryptoError::Integrity) }
}
