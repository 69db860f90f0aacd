//! A private key in its parts: as programs import it (Yubico's IMPORT KEY), and as a card's memory keeps it.
//!
//! RSA: 01 p, 02 q, 03 d mod p-1, 04 d mod q-1, 05 the inverse of q mod p. ECC: 06 the number. A memory has 0A, the
//! public exponent, instead of 03 to 05; an imported key has 65,537.

use alloc::vec::Vec;

use rsa::traits::{PrivateKeyParts, PublicKeyParts};
use rsa::{BigUint, RsaPrivateKey};
use scard_types::tlv;
use zeroize::Zeroizing;

use super::{KeyAlgorithm, PrivateKey, RsaKey, is_half};

const P: u32 = 0x01;
const Q: u32 = 0x02;
const D_MOD_P1: u32 = 0x03;
const D_MOD_Q1: u32 = 0x04;
const Q_INVERSE: u32 = 0x05;
const ECC_NUMBER: u32 = 0x06;
const EXPONENT: u32 = 0x0A;

impl PrivateKey {
    /// The key of an import. `None` if a part is missing, or they do not belong together or to the algorithm.
    pub(crate) fn from_import(algorithm: KeyAlgorithm, parts: &[u8]) -> Option<Self> {
        let key = Self::from_primes(algorithm, parts, &BigUint::from(65_537_u32))?;
        if let Self::Rsa(RsaKey { key, .. }) = &key {
            let part = |tag| number(parts, tag);
            let inverse = key.qinv().and_then(|inverse| inverse.to_biguint());
            let fits = key.dp() == Some(&part(D_MOD_P1)?)
                && key.dq() == Some(&part(D_MOD_Q1)?)
                && inverse == Some(part(Q_INVERSE)?);
            if !fits {
                return None;
            }
        }
        Some(key)
    }

    /// The key as [`PrivateKey::to_parts`] wrote it.
    pub(crate) fn from_parts(algorithm: KeyAlgorithm, parts: &[u8]) -> Option<Self> {
        let exponent = number(parts, EXPONENT).unwrap_or_default();
        Self::from_primes(algorithm, parts, &exponent)
    }

    /// What it takes to have the key again.
    pub(crate) fn to_parts(&self) -> Zeroizing<Vec<u8>> {
        let parts = match self {
            Self::Rsa(RsaKey { key, .. }) => {
                let mut parts = Vec::new();
                for (tag, prime) in [P, Q].into_iter().zip(key.primes()) {
                    tlv::write(&mut parts, tag, &prime.to_bytes_be());
                }
                tlv::write(&mut parts, EXPONENT, &key.e().to_bytes_be());
                parts
            }
            Self::P256(key) => tlv::element(ECC_NUMBER, &key.to_bytes()),
            Self::P384(key) => tlv::element(ECC_NUMBER, &key.to_bytes()),
        };
        Zeroizing::new(parts)
    }

    fn from_primes(algorithm: KeyAlgorithm, parts: &[u8], exponent: &BigUint) -> Option<Self> {
        let ecc = || tlv::find(parts, ECC_NUMBER);
        match algorithm {
            KeyAlgorithm::P256 => p256::SecretKey::from_slice(ecc()?).ok().map(Self::P256),
            KeyAlgorithm::P384 => p384::SecretKey::from_slice(ecc()?).ok().map(Self::P384),
            KeyAlgorithm::Rsa2048 | KeyAlgorithm::Rsa3072 | KeyAlgorithm::Rsa4096 => {
                let (p, q) = (number(parts, P)?, number(parts, Q)?);
                // Not only a matter of form: the crate counts on primes above one.
                if !is_half(&p, algorithm) || !is_half(&q, algorithm) {
                    return None;
                }
                let key = RsaPrivateKey::from_p_q(p, q, exponent.clone()).ok()?;
                let key = RsaKey::new(key)?;
                (key.algorithm == algorithm).then_some(Self::Rsa(key))
            }
        }
    }
}

fn number(parts: &[u8], tag: u32) -> Option<BigUint> {
    tlv::find(parts, tag).map(BigUint::from_bytes_be)
}
