//! Frames between client and daemon, without a socket: bytes in, calls out; replies in, bytes out.
//!
//! Two dialects share one socket and know nothing of each other: [`pcsclite`], the wire of pcsc-lite in its versions
//! 4:3 to 4:6, and [`native`], ours (`docs/native-wire.md`). [`sniff`] tells them apart by the first four bytes.
//!
//! Both are used alike: read into `room()`, say how much with `filled()`, take what is complete with `next_call()`,
//! `next_request()` or `next_response()` until there is nothing more. A peer's bytes never cause a panic, and its announced lengths never an allocation before
//! they were held against what the message may have.
#![no_std]
#![forbid(unsafe_code)]
#![warn(clippy::indexing_slicing, clippy::arithmetic_side_effects)]

extern crate alloc;

mod inbox;
pub mod native;
#[doc(hidden)]
pub mod oracle;
pub mod pcsclite;

/// What a new connection speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Dialect {
    /// Ours.
    Native,
    /// pcsc-lite's.
    PcscLite,
}

/// Tells the dialect by the first bytes of a connection, which stay where they are; `None` while there are too few.
#[must_use]
pub fn sniff(first: &[u8]) -> Option<Dialect> {
    let compared = first.len().min(native::MAGIC.len());
    if first.get(..compared) != native::MAGIC.get(..compared) {
        Some(Dialect::PcscLite)
    } else if compared == native::MAGIC.len() {
        Some(Dialect::Native)
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_word_tells_the_dialect() {
        assert_eq!(sniff(b""), None);
        assert_eq!(sniff(b"SCR"), None);
        assert_eq!(sniff(b"SCRD"), Some(Dialect::Native));
        assert_eq!(sniff(b"SCRD\x01\0\x01\0"), Some(Dialect::Native));
        assert_eq!(sniff(&[12]), Some(Dialect::PcscLite));
        assert_eq!(sniff(b"SCRX"), Some(Dialect::PcscLite));
    }

    #[test]
    fn the_magic_is_longer_than_any_pcsclite_body() {
        for number in [u32::from_le_bytes(native::MAGIC), u32::from_be_bytes(native::MAGIC)] {
            assert!(number > 0x100_0000);
        }
    }
}
