//! RFC 3962: AES with HMAC-SHA1-96 in the simplified profile of RFC 3961, 5.3.

use alloc::vec::Vec;

use hmac::{Hmac, Mac};
use sha1::{Digest, Sha1};
use zeroize::Zeroizing;

use super::{BLOCK_BYTES, CryptoError, KeyUsage, cts, nfold, same};

/// The standard's number of rounds of PBKDF2.
const ROUNDS: u32 = 4096;
const CHECKSUM_BYTES: usize = 12;
const ZERO: [u8; BLOCK_BYTES] = [0; BLOCK_BYTES];

type Bytes = Zeroizing<Vec<u8>>;

/// DK: the constant is folded to a block, then encrypted over and over, and the blocks are the key.
fn derive(key: &[u8], constant: &[u8]) -> Bytes {
    let mut block = if constant.len() == BLOCK_BYTES {
        constant.to_vec()
    } else {
        nfold(constant, BLOCK_BYTES)
    };
    let mut derived = Zeroizing::new(Vec::with_capacity(key.len()));
    while derived.len() < key.len() {
        block = cts::encrypt(key, &ZERO, &block);
        derived.extend_from_slice(&block);
    }
    derived.truncate(key.len());
    derived
}

fn derive_for(key: &[u8], usage: KeyUsage, kind: u8) -> Bytes {
    let [a, b, c, d] = usage.0.to_be_bytes();
    derive(key, &[a, b, c, d, kind])
}

/// Ke, for encryption.
fn encryption_key(key: &[u8], usage: KeyUsage) -> Bytes {
    derive_for(key, usage, 0xAA)
}

/// Ki, for the integrity of what is encrypted.
fn integrity_key(key: &[u8], usage: KeyUsage) -> Bytes {
    derive_for(key, usage, 0x55)
}

fn hmac(key: &[u8], data: &[u8]) -> Vec<u8> {
    let Ok(mut mac) = Hmac::<Sha1>::new_from_slice(key) else { return Vec::new() };
    mac.update(data);
    let mut code = mac.finalize().into_bytes().to_vec();
    code.truncate(CHECKSUM_BYTES);
    code
}

pub(super) fn string_to_key(
    length: usize,
    password: &[u8],
    salt: &[u8],
    rounds: Option<u32>,
) -> Vec<u8> {
    let mut seed = Zeroizing::new(alloc::vec![0; length]);
    pbkdf2::pbkdf2_hmac::<Sha1>(password, salt, rounds.unwrap_or(ROUNDS), &mut seed);
    derive(&seed, b"kerberos").to_vec()
}

pub(super) fn encrypt(
    key: &[u8],
    usage: KeyUsage,
    confounder: [u8; BLOCK_BYTES],
    plain: &[u8],
) -> Vec<u8> {
    let mut text = Zeroizing::new(confounder.to_vec());
    text.extend_from_slice(plain);
    let mut out = cts::encrypt(&encryption_key(key, usage), &ZERO, &text);
    out.extend_from_slice(&hmac(&integrity_key(key, usage), &text));
    out
}

pub(super) fn decrypt(
    key: &[u8],
    usage: KeyUsage,
    cipher: &[u8],
    checksum: &[u8],
) -> Result<Bytes, CryptoError> {
    let mut text = Zeroizing::new(cts::decrypt(&encryption_key(key, usage), &ZERO, cipher));
    same(&hmac(&integrity_key(key, usage), &text), checksum)?;
    let confounder = BLOCK_BYTES.min(text.len());
    text.drain(..confounder);
    Ok(text)
}

pub(super) fn checksum(key: &[u8], usage: KeyUsage, data: &[u8]) -> Vec<u8> {
    hmac(&derive_for(key, usage, 0x99), data)
}

/// RFC 3962, 5: the hash is cut to a multiple of the block length and encrypted under a key for it.
pub(super) fn prf(key: &[u8], input: &[u8]) -> Vec<u8> {
    let hash = Sha1::digest(input);
    let block = hash.get(..BLOCK_BYTES).unwrap_or_default();
    cts::encrypt(&derive(key, b"prf"), &ZERO, block)
}
