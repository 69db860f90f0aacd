//! The status words that the card uses, ISO 7816-4:2020, 5.6 and SP 800-73-4 part 1, 5.6.

use scard_types::{SecretBytes, StatusWord};

/// What a command comes to: response data, which may be secret, or the status word that refuses it.
pub(crate) type Answer = Result<SecretBytes, StatusWord>;

/// An answer without data.
pub(crate) const DONE: Answer = Ok(SecretBytes::new(alloc::vec::Vec::new()));

pub(crate) const WRONG_LENGTH: StatusWord = StatusWord(0x6700);
pub(crate) const CHANNEL_NOT_SUPPORTED: StatusWord = StatusWord(0x6881);
pub(crate) const SECURE_MESSAGING_NOT_SUPPORTED: StatusWord = StatusWord(0x6882);
pub(crate) const CHAINING_NOT_SUPPORTED: StatusWord = StatusWord(0x6884);
pub(crate) const SECURITY_STATUS_NOT_SATISFIED: StatusWord = StatusWord(0x6982);
pub(crate) const BLOCKED: StatusWord = StatusWord(0x6983);
pub(crate) const CONDITIONS_NOT_SATISFIED: StatusWord = StatusWord(0x6985);
pub(crate) const BAD_DATA: StatusWord = StatusWord(0x6A80);
pub(crate) const NOT_FOUND: StatusWord = StatusWord(0x6A82);
pub(crate) const NO_SPACE: StatusWord = StatusWord(0x6A84);
pub(crate) const BAD_P1_P2: StatusWord = StatusWord(0x6A86);
pub(crate) const REFERENCE_NOT_FOUND: StatusWord = StatusWord(0x6A88);
pub(crate) const INS_NOT_SUPPORTED: StatusWord = StatusWord(0x6D00);
pub(crate) const CLA_NOT_SUPPORTED: StatusWord = StatusWord(0x6E00);
pub(crate) const NO_DIAGNOSIS: StatusWord = StatusWord(0x6F00);

/// 63Cx: wrong, and so many tries are left.
pub(crate) const fn tries_left(tries: u8) -> StatusWord {
    StatusWord(u16::from_be_bytes([0x63, 0xC0 | if tries > 0x0F { 0x0F } else { tries }]))
}
