//! The fuzz oracles: any bytes, as a conversation with the card and as its memory.

mod watch;

use scard_types::tlv;
use scard_types::{CommandApdu, ResponseApdu};

use crate::card::GENERATE_ASYMMETRIC_KEY_PAIR;
use crate::management::MANAGEMENT_KEY;
use crate::{Card, Firmware, KeyAlgorithm, KeySlot, KeySource, PivCard, PivProfile, Validity};
use crate::{SlotProfile, yubico};
use watch::Watch;

/// The longest answer, in bytes: the longest object, its wrapper 53 with length, and the status word.
const MAX_ANSWER_BYTES: usize = crate::MAX_OBJECT_BYTES + 4 + 2;

/// The first byte of a conversation says how it begins.
mod begin {
    /// The PIN has been verified.
    pub(super) const PIN: u8 = 1;
    /// The card is a YubiKey.
    pub(super) const YUBIKEY: u8 = 2;
    /// The management key has been proved.
    pub(super) const MANAGEMENT: u8 = 4;
}

/// Cuts `bytes` into chunks (one byte of length, then so many bytes) and sends each as a command to a new card, whose
/// beginning the first byte describes; an empty chunk is a reset.
///
/// # Panics
/// If the card breaks a promise: an answer that is shorter than a status word or longer than what was asked for; what
/// the head of `watch` lists.
pub fn check(bytes: &[u8]) {
    let Some((&first, mut rest)) = bytes.split_first() else { return };
    let Some(mut card) = new_card(first) else { return };
    while let Some((&length, after)) = rest.split_first() {
        let (chunk, after) = after.split_at_checked(usize::from(length)).unwrap_or((after, &[]));
        rest = after;
        if chunk.is_empty() {
            card.reset();
            continue;
        }
        if takes_long(chunk) {
            continue;
        }
        let _ = card.is_quick(chunk);
        let watch = Watch::begin(&card, chunk);
        let answer = card.transmit(chunk);
        watch.end(&card, answer.expose());
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
    let memory = card.memory();
    let again = PivCard::from_memory(memory.expose(), [0; 32]).map(|card| card.memory());
    assert!(again.is_ok_and(|again| again == memory), "what the card remembers is lost");
}

fn new_card(first: u8) -> Option<PivCard> {
    let validity = Validity { not_before: 0, not_after: 86_400 };
    let mut profile = PivProfile::new(1, [0x5C; 32], validity);
    if first & begin::YUBIKEY != 0 {
        profile = profile.as_yubikey(Firmware::HAS_LONG_RSA);
        // An RSA key would take longer to make than all the rest of an input.
        let key = KeySource::Made(KeyAlgorithm::P256);
        profile.slots.insert(KeySlot::Attestation, SlotProfile { key, certificate: None });
    }
    let mut card = PivCard::new(profile).ok()?;
    if first & begin::PIN != 0 {
        card.transmit(b"\x00\x20\x00\x80\x08123456\xFF\xFF");
    }
    if first & begin::MANAGEMENT != 0 {
        prove_management_key(&mut card);
        assert!(card.management.require().is_ok(), "the management key proves nothing");
    }
    Some(card)
}

/// The card sends a number, and gets it back encrypted.
fn prove_management_key(card: &mut PivCard) {
    let command = |template: &[u8]| {
        let key = tlv::element(0x7C, template);
        CommandApdu::new(0x00, 0x87, 0x00, MANAGEMENT_KEY).with_data(key).to_bytes()
    };
    let asked = card.transmit(command(&[0x81, 0x00]).expose());
    let number = tlv::find(asked.expose(), 0x7C).and_then(|template| tlv::find(template, 0x81));
    if let Some(Ok(response)) = number.map(|number| card.management.encrypt(number)) {
        card.transmit(command(&tlv::element(0x82, &response)).expose());
    }
}

/// The making of an RSA key, which takes seconds.
fn takes_long(command: &[u8]) -> bool {
    const RSA: [u8; 3] = [0x05, 0x07, 0x16];
    let makes = matches!(command, [_, GENERATE_ASYMMETRIC_KEY_PAIR, ..]);
    let imports =
        matches!(command, [_, yubico::IMPORT_KEY, algorithm, ..] if RSA.contains(algorithm));
    let names_rsa =
        |bytes: &[u8]| matches!(bytes, [0x80, 0x01, algorithm] if RSA.contains(algorithm));
    imports || (makes && command.windows(3).any(names_rsa))
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
