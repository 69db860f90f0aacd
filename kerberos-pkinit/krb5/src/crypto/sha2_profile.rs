//! RFC 8009: AES with HMAC-SHA-256-128 and HMAC-SHA-384-192.

use alloc::vec::Vec;

use hmac::{Hmac, Mac};
use sha2::{Sha256, Sha384};
use zeroize::Zeroizing;

use super::{BLOCK_BYTES, CryptoError, EncryptionType, KeyUsage, cts, same};

/// The standard's number of rounds of PBKDF2.
const ROUNDS: u32 = 32_768;
const ZERO: [u8; BLOCK_BYTES] = [0; BLOCK_BYTES];

type Bytes = Zeroizing<Vec<u8>>;

const fn is_long(etype: EncryptionType) -> bool {
    matches!(etype, EncryptionType::Aes256Sha384)
}

fn hmac(etype: EncryptionType, key: &[u8], parts: &[&[u8]]) -> Vec<u8> {
    fn run<M: Mac + hmac::digest::KeyInit>(key: &[u8], parts: &[&[u8]]) -> Vec<u8> {
        let Ok(mut mac) = <M as Mac>::new_from_slice(key) else { return Vec::new() };
        parts.iter().for_each(|part| mac.update(part));
        mac.finalize().into_bytes().to_vec()
    }
    if is_long(etype) { run::<Hmac<Sha384>>(key, parts) } else { run::<Hmac<Sha256>>(key, parts) }
}

/// KDF-HMAC-SHA2 of section 3: one round of NIST SP 800-108 in counter mode is enough for every length in use.
fn derive(etype: EncryptionType, key: &[u8], label: &[u8], context: &[u8], bytes: usize) -> Bytes {
    let bits = u32::try_from(bytes.saturating_mul(8)).unwrap_or(u32::MAX);
    let parts: [&[u8]; 5] = [&[0, 0, 0, 1], label, &[0], context, &bits.to_be_bytes()];
    let mut derived = Zeroizing::new(hmac(etype, key, &parts));
    derived.truncate(bytes);
    derived
}

fn label(usage: KeyUsage, kind: u8) -> [u8; 5] {
    let [a, b, c, d] = usage.0.to_be_bytes();
    [a, b, c, d, kind]
}

/// Ke, for encryption.
fn encryption_key(etype: EncryptionType, key: &[u8], usage: KeyUsage) -> Bytes {
    derive(etype, key, &label(usage, 0xAA), &[], etype.key_bytes())
}

/// Ki and Kc, for integrity, have the length of a checksum.
fn integrity_key(etype: EncryptionType, key: &[u8], usage: KeyUsage, kind: u8) -> Bytes {
    derive(etype, key, &label(usage, kind), &[], etype.checksum_bytes())
}

fn tag(etype: EncryptionType, key: &[u8], parts: &[&[u8]]) -> Vec<u8> {
    let mut code = hmac(etype, key, parts);
    code.truncate(etype.checksum_bytes());
    code
}

pub(super) fn string_to_key(
    etype: EncryptionType,
    password: &[u8],
    salt: &[u8],
    rounds: Option<u32>,
) -> Vec<u8> {
    let mut salted = etype.name().as_bytes().to_vec();
    salted.push(0);
    salted.extend_from_slice(salt);
    let rounds = rounds.unwrap_or(ROUNDS);
    let mut seed = Zeroizing::new(alloc::vec![0; etype.key_bytes()]);
    if is_long(etype) {
        pbkdf2::pbkdf2_hmac::<Sha384>(password, &salted, rounds, &mut seed);
    } else {
        pbkdf2::pbkdf2_hmac::<Sha256>(password, &salted, rounds, &mut seed);
    }
    derive(etype, &seed, b"kerberos", &[], etype.key_bytes()).to_vec()
}

pub(super) fn encrypt(
    etype: EncryptionType,
    key: &[u8],
    usage: KeyUsage,
    confounder: [u8; BLOCK_BYTES],
    plain: &[u8],
) -> Vec<u8> {
    let mut text = Zeroizing::new(confounder.to_vec());
    text.extend_from_slice(plain);
    let mut out = cts::encrypt(&encryption_key(etype, key, usage), &ZERO, &text);
    let code = tag(etype, &integrity_key(etype, key, usage, 0x55), &[&ZERO, &out]);
    out.extend_from_slice(&code);
    out
}

pub(super) fn decrypt(
    etype: EncryptionType,
    key: &[u8],
    usage: KeyUsage,
    cipher: &[u8],
    checksum: &[u8],
) -> Result<Bytes, CryptoError> {
    let code = tag(etype, &integrity_key(etype, key, usage, 0x55), &[&ZERO, cipher]);
    same(&code, checksum)?;
    let mut text = Zeroizing::new(cts::decrypt(&encryption_key(etype, key, usage), &ZERO, cipher));
    let confounder = BLOCK_BYTES.min(text.len());
    text.drain(..confounder);
    Ok(text)
}

pub(super) fn checksum(etype: EncryptionType, key: &[u8], usage: KeyUsage, data: &[u8]) -> Vec<u8> {
    tag(etype, &integrity_key(etype, key, usage, 0x99), &[data])
}

/// Section 5: as many bytes as the hash has.
pub(super) fn prf(etype: EncryptionType, key: &[u8], input: &[u8]) -> Vec<u8> {
    let bytes = if is_long(etype) { 48 } else { 32 };
    derive(etype, key, b"prf", input, bytes).to_vec()
}
