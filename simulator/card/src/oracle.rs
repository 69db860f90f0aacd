//! The fuzz oracles: any bytes, as a conversation with the card and as its memory.

use scard_types::{CommandApdu, ResponseApdu};

use crate::{Card, Firmware, PivCard, PivProfile, Validity};

/// The longest answer, in bytes: the longest object, its wrapper 53 with length, and the status word.
const MAX_ANSWER_BYTES: usize = crate::MAX_OBJECT_BYTES + 4 + 2;

/// Cuts `bytes` into chunks (one byte of length, then so many bytes) and sends each as a command to a new card; an
/// empty chunk is a reset. Where the first byte is odd, the PIN has been verified before; where its second bit is set
/// the card is a YubiKey.
///
/// # Panics
/// If the card breaks a promise: an answer that is shorter than a status word or longer than what was asked for.
pub fn check(bytes: &[u8]) {
    let validity = Validity { not_before: 0, not_after: 86_400 };
    let Some((&first, mut rest)) = bytes.split_first() else { return };
    let mut profile = PivProfile::new(1, [0x5C; 32], validity);
    if first & 2 == 2 {
        profile = profile.as_yubikey(Firmware::HAS_LONG_RSA);
    }
    let Ok(mut card) = PivCard::new(profile) else { return };
    if first & 1 == 1 {
        card.transmit(b"\x00\x20\x00\x80\x08123456\xFF\xFF");
    }
    while let Some((&length, after)) = rest.split_first() {
        let (chunk, after) = after.split_at_checked(usize::from(length)).unwrap_or((after, &[]));
        rest = after;
        if chunk.is_empty() {
            card.reset();
            continue;
        }
        let _ = card.is_quick(chunk);
        let answer = card.transmit(chunk);
        let answer = ResponseApdu::parse(answer.expose());
        let data_bytes = answer.as_ref().map(|answer| answer.data.len());
        let most = CommandApdu::parse(chunk).map_or(0, |command| match command.expected {
            Some(expected) => usize::try_from(expected).unwrap_or(MAX_ANSWER_BYTES),
            None => MAX_ANSWER_BYTES,
        });
        assert!(
            data_bytes.is_some_and(|got| got <= most.min(MAX_ANSWER_BYTES)),
            "{data_bytes:?} bytes of data where at most {most} were asked for"
        );
    }
}

/// Takes `bytes` for the memory of a card.
///
/// # Panics
/// If a card that was made of them does not have the memory that it was made of.
pub fn check_memory(bytes: &[u8]) {
    let Ok(card) = PivCard::from_memory(bytes, [0; 32]) else { return };
    let memory = card.memory();
    let again = PivCard::from_memory(memory.expose(), [0; 32]).map(|card| card.memory());
    assert!(again.is_ok_and(|again| again == memory), "the memory of the card changes by itself");
}
