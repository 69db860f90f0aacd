//! AES in CBC mode with ciphertext stealing (CBC-CS3: the last two blocks are always swapped), RFC 3962, 5.

use aes::cipher::generic_array::GenericArray;
use aes::cipher::{BlockDecrypt, BlockEncrypt, KeyInit};
use aes::{Aes128, Aes256};
use alloc::vec::Vec;

use super::BLOCK_BYTES;

type Block = [u8; BLOCK_BYTES];

#[expect(clippy::large_enum_variant, reason = "it lives on the stack for one message")]
enum Aes {
    Short(Aes128),
    Long(Aes256),
}

impl Aes {
    /// Keys have 16 or 32 bytes: whoever made one has checked it.
    fn new(key: &[u8]) -> Option<Self> {
        match key.len() {
            16 => Aes128::new_from_slice(key).ok().map(Self::Short),
            32 => Aes256::new_from_slice(key).ok().map(Self::Long),
            _ => None,
        }
    }

    fn encrypt(&self, block: &mut Block) {
        let block = GenericArray::from_mut_slice(block);
        match self {
            Self::Short(aes) => aes.encrypt_block(block),
            Self::Long(aes) => aes.encrypt_block(block),
        }
    }

    fn decrypt(&self, block: &mut Block) {
        let block = GenericArray::from_mut_slice(block);
        match self {
            Self::Short(aes) => aes.decrypt_block(block),
            Self::Long(aes) => aes.decrypt_block(block),
        }
    }
}

fn add(to: &mut Block, other: &Block) {
    for (to, other) in to.iter_mut().zip(other) {
        *to ^= other;
    }
}

/// A block from up to sixteen bytes, with zeros behind them.
fn block(bytes: &[u8]) -> Block {
    let mut block = [0; BLOCK_BYTES];
    for (to, from) in block.iter_mut().zip(bytes) {
        *to = *from;
    }
    block
}

/// Where the last block begins, which may be shorter than the others: 1 to 16 bytes are in it.
fn last_start(length: usize) -> usize {
    length.saturating_sub(1) & !(BLOCK_BYTES - 1)
}

/// Encrypts 16 bytes or more, and gives back as many; fewer than 16 are no plaintext, and nothing comes back.
pub(super) fn encrypt(key: &[u8], iv: &Block, plain: &[u8]) -> Vec<u8> {
    let Some(aes) = Aes::new(key).filter(|_| plain.len() >= BLOCK_BYTES) else { return Vec::new() };
    let (whole, last) = plain.split_at(last_start(plain.len()));
    let mut chain = *iv;
    let mut out = Vec::with_capacity(plain.len());
    for piece in whole.chunks(BLOCK_BYTES) {
        add(&mut chain, &block(piece));
        aes.encrypt(&mut chain);
        out.extend_from_slice(&chain);
    }
    add(&mut chain, &block(last));
    aes.encrypt(&mut chain);
    // The last whole block goes to the end, cut to the length of the last plaintext.
    let stolen = out.split_off(out.len().saturating_sub(BLOCK_BYTES));
    out.extend_from_slice(&chain);
    out.extend_from_slice(stolen.get(..last.len()).unwrap_or_default());
    out.truncate(plain.len());
    out
}

/// Decrypts what [`encrypt`] made.
pub(super) fn decrypt(key: &[u8], iv: &Block, cipher: &[u8]) -> Vec<u8> {
    let Some(aes) = Aes::new(key).filter(|_| cipher.len() >= BLOCK_BYTES) else {
        return Vec::new();
    };
    let mut out = Vec::with_capacity(cipher.len());
    if cipher.len() == BLOCK_BYTES {
        let mut only = block(cipher);
        aes.decrypt(&mut only);
        add(&mut only, iv);
        return only.to_vec();
    }
    let (whole, last) = cipher.split_at(last_start(cipher.len()));
    let (chained, swapped) = whole.split_at(whole.len().saturating_sub(BLOCK_BYTES));
    let mut chain = *iv;
    for piece in chained.chunks(BLOCK_BYTES) {
        let piece = block(piece);
        let mut plain = piece;
        aes.decrypt(&mut plain);
        add(&mut plain, &chain);
        out.extend_from_slice(&plain);
        chain = piece;
    }
    // What was swapped holds the last plaintext and, behind it, the bytes that were stolen from the block before.
    let mut tail = block(swapped);
    aes.decrypt(&mut tail);
    let mut before = tail;
    for (to, from) in before.iter_mut().zip(last) {
        *to = *from;
    }
    add(&mut tail, &before);
    let mut plain = before;
    aes.decrypt(&mut plain);
    add(&mut plain, &chain);
    out.extend_from_slice(&plain);
    out.extend_from_slice(tail.get(..last.len()).unwrap_or_default());
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 3962, appendix B: the key is `chicken teriyaki`, the initial vector zero.
    #[test]
    fn the_values_of_the_standard() {
        let plain = b"I would like the General Gau's Chicken, please, and wonton soup.";
        let key = b"chicken teriyaki";
        for (length, end) in [
            (
                17,
                &[
                    0xc6, 0x35, 0x35, 0x68, 0xf2, 0xbf, 0x8c, 0xb4, 0xd8, 0xa5, 0x80, 0x36, 0x2d,
                    0xa7, 0xff, 0x7f, 0x97,
                ][..],
            ),
            (
                31,
                &[
                    0xfc, 0x00, 0x78, 0x3e, 0x0e, 0xfd, 0xb2, 0xc1, 0xd4, 0x45, 0xd4, 0xc8, 0xef,
                    0xf7, 0xed, 0x22, 0x97, 0x68, 0x72, 0x68, 0xd6, 0xec, 0xcc, 0xc0, 0xc0, 0x7b,
                    0x25, 0xe2, 0x5e, 0xcf, 0xe5,
                ],
            ),
            (
                32,
                &[
                    0x39, 0x31, 0x25, 0x23, 0xa7, 0x86, 0x62, 0xd5, 0xbe, 0x7f, 0xcb, 0xcc, 0x98,
                    0xeb, 0xf5, 0xa8, 0x97, 0x68, 0x72, 0x68, 0xd6, 0xec, 0xcc, 0xc0, 0xc0, 0x7b,
                    0x25, 0xe2, 0x5e, 0xcf, 0xe5, 0x84,
                ],
            ),
            (
                64,
                &[
                    0x48, 0x07, 0xef, 0xe8, 0x36, 0xee, 0x89, 0xa5, 0x26, 0x73, 0x0d, 0xbc, 0x2f,
                    0x7b, 0xc8, 0x40, 0x9d, 0xad, 0x8b, 0xbb, 0x96, 0xc4, 0xcd, 0xc0, 0x3b, 0xc1,
                    0x03, 0xe1, 0xa1, 0x94, 0xbb, 0xd8,
                ],
            ),
        ] {
            let cipher = encrypt(key, &[0; 16], &plain[..length]);
            assert_eq!(cipher.len(), length);
            assert_eq!(&cipher[length - end.len()..], end, "{length} bytes");
        }
    }

    #[test]
    fn every_length_comes_back_as_it_went() {
        let plain: Vec<u8> = (0..100).collect();
        for key in [&[7_u8; 16][..], &[9; 32]] {
            for length in 16..plain.len() {
                let cipher = encrypt(key, &[3; 16], &plain[..length]);
                assert_eq!(decrypt(key, &[3; 16], &cipher), &plain[..length], "{length} bytes");
            }
            assert_eq!(encrypt(key, &[0; 16], &plain[..15]), []);
            assert_eq!(decrypt(key, &[0; 16], &plain[..15]), []);
        }
    }
}
