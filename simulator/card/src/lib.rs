//! A virtual PIV card: APDU in, APDU out.
//!
//! [`PivCard`] reads SP 800-73-4 part 2 on its own account: it shares no code with the programs that talk to it, so
//! that the two readings of the standard test each other. It has no clock, no file and no source of randomness of its
//! own: dates and a seed come in with the [`PivProfile`], and the same profile makes the same card, byte for byte.
//!
//! It is a card for tests. Its RSA is not constant time (RUSTSEC-2023-0071; private-key operations are blinded),
//! its keys live in ordinary memory, and whoever runs it can read them.
#![no_std]
#![forbid(unsafe_code)]
#![warn(clippy::indexing_slicing, clippy::arithmetic_side_effects)]

extern crate alloc;

mod authenticate;
mod blank;
mod card;
mod certificate;
mod chaining;
mod contents;
mod generate;
mod key;
mod management;
mod memory;
mod objects;
pub mod oracle;
mod pin;
mod policy;
mod profile;
mod reference;
mod select;
mod slot;
mod slots;
mod status;
mod yubico;

pub use blank::BlankCard;
pub use card::PivCard;
pub use certificate::Validity;
pub use key::{KeyAlgorithm, KeyError, PrivateKey};
pub use management::{ManagementAlgorithm, ManagementKey, ManagementKeyError};
pub use memory::MemoryError;
pub use objects::MAX_OBJECT_BYTES;
pub use profile::{PivProfile, ProfileError, default_atr, yubikey_5_atr};
pub use slot::{KeySlot, RetiredKey};
pub use slots::{KeySource, SlotProfile};
pub use yubico::Firmware;

use scard_types::{Atr, SecretBytes};

/// A card as a reader's slot sees it.
///
/// A removed card keeps what is in its memory (PIN tries, objects, keys); [`Card::reset`] clears its security state.
pub trait Card: Send + 'static {
    /// The answer to reset.
    fn atr(&self) -> Atr;

    /// Cold or warm reset, or the loss of power: the security state and half-sent messages are gone.
    fn reset(&mut self);

    /// One exchange. Any bytes may come in; at least a status word goes out.
    fn transmit(&mut self, command: &[u8]) -> SecretBytes;

    /// Whether [`Card::transmit`] would answer this command, now, within microseconds. Operations with private keys
    /// and the making of keys are not quick.
    fn is_quick(&self, command: &[u8]) -> bool;
}
