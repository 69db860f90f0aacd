//! The memory of a card as bytes: whole, cut, changed.
#![allow(clippy::unwrap_used, clippy::panic, reason = "tests panic")]

mod host;

use host::{Host, profile};
use rand_chacha::ChaCha20Rng;
use rand_core::{RngCore, SeedableRng};
use scard_types::tlv;
use sim_card::{Card, Firmware, KeyAlgorithm, KeySlot, MemoryError, PivCard, oracle};

/// A card that has something of everything: keys made and still to be made, certificates, policies.
fn memory() -> Vec<u8> {
    let mut host = Host(PivCard::new(profile().as_yubikey(Firmware([5, 4, 3]))).unwrap());
    host.certificate(KeySlot::Authentication);
    host.certificate(KeySlot::Attestation);
    host.0.memory().expose().to_vec()
}

fn read(memory: &[u8]) -> Result<PivCard, MemoryError> {
    PivCard::from_memory(memory, [0; 32])
}

#[test]
fn a_card_from_memory_has_the_same_memory() {
    let memory = memory();
    let again = read(&memory).unwrap();
    assert_eq!(again.memory().expose(), memory);
    assert_eq!(again.serial(), 7);
    assert_eq!(again.atr(), profile().atr);
}

#[test]
fn keys_that_are_still_to_be_made_become_the_same() {
    let mut host = Host::new();
    let mut again = Host(read(host.0.memory().expose()).unwrap());
    for slot in KeySlot::STANDARD {
        assert_eq!(host.certificate(slot), again.certificate(slot));
    }
}

#[test]
fn random_numbers_come_from_the_new_seed() {
    let memory = memory();
    let challenge = |seed| {
        let mut host = Host(PivCard::from_memory(&memory, seed).unwrap());
        host.ask(0x87, 0x00, 0x9B, &[0x7C, 0x02, 0x81, 0x00])
    };
    assert_eq!(challenge([1; 32]), challenge([1; 32]));
    assert_ne!(challenge([1; 32]), challenge([2; 32]));
}

#[test]
fn a_memory_that_is_cut_at_any_byte_is_refused() {
    let memory = memory();
    for end in 0..memory.len() {
        assert!(read(&memory[..end]).is_err(), "cut at {end}");
    }
}

#[test]
fn what_is_no_memory_is_told_apart() {
    let memory = memory();
    assert_eq!(read(b"").err(), Some(MemoryError::Foreign));
    assert_eq!(read(b"-----BEGIN CERTIFICATE-----").err(), Some(MemoryError::Foreign));
    let mut newer = memory.clone();
    newer[15] = 2;
    assert_eq!(read(&newer).err(), Some(MemoryError::Version { got: 2 }));
    let mut longer = memory.clone();
    longer.push(0);
    assert_eq!(read(&longer).err(), Some(MemoryError::Damaged));
    let with = |tag, value: &[u8]| {
        let (header, card) = memory.split_at(16);
        let mut fields = tlv::find(card, 0xE0).unwrap().to_vec();
        tlv::write(&mut fields, tag, value);
        [header, &tlv::element(0xE0, &fields)].concat()
    };
    assert!(read(&with(0xA0, &[0x80, 4, 0, 0x5F, 0xC1, 0x06, 0x81, 1, 0])).is_ok());
    for (tag, value) in [
        (0x89, &[][..]),
        // Objects and keys that no card has.
        (0xA0, &[0x80, 4, 0, 0x5F, 0xC2, 0x00, 0x81, 1, 0]),
        (0xA1, &[0x80, 5, 0x9B, 1, 1, 1, 0, 0x81, 1, 0x11]),
        (0xA1, &[0x80, 5, 0x9A, 1, 1, 1, 0, 0x81, 1, 0x06]),
        (0xA1, &[0x80, 5, 0x9A, 1, 1, 1, 0, 0x81, 1, 0x07, 0x82, 3, 1, 1, 3]),
    ] {
        assert_eq!(read(&with(tag, value)).err(), Some(MemoryError::Damaged), "{tag:X} {value:X?}");
    }
}

#[test]
fn a_memory_with_any_byte_changed_is_refused_or_makes_a_card() {
    let memory = memory();
    let mut rng = ChaCha20Rng::seed_from_u64(1);
    for at in 0..memory.len() {
        let mut changed = memory.clone();
        changed[at] = rng.next_u32().to_le_bytes()[0];
        oracle::check_memory(&changed);
    }
}

#[test]
fn commands_that_change_the_memory_are_known_before() {
    let changes = PivCard::may_change_memory;
    for quiet in [
        &b"\x00\x20\x00\x80"[..],
        b"\x00\x20\x00\x80\x00",
        b"\x00\xA4\x04\x00\x05\xA0\x00\x00\x03\x08",
        b"\x00\xCB\x3F\xFF\x03\x5C\x01\x7E",
        b"\x00\x87\x11\x9A\x02\x7C\x00",
        b"\x10\xDB\x3F\xFF\x01\x5C",
        b"\x00\xF7\x00\x9A",
        b"\x00",
        b"",
    ] {
        assert!(!changes(quiet), "{quiet:02X?}");
    }
    for ins in [0x24, 0x2C, 0x47, 0xDB, 0xF6, 0xFA, 0xFB, 0xFE, 0xFF] {
        assert!(changes(&[0x00, ins, 0, 0, 1, 1]), "{ins:02X}");
    }
    assert!(changes(b"\x00\x20\x00\x80\x08123456\xFF\xFF"));
}

#[test]
fn keys_of_every_kind_stay() {
    for algorithm in [KeyAlgorithm::Rsa2048, KeyAlgorithm::P256, KeyAlgorithm::P384] {
        let mut host = host::card_with(algorithm);
        let certificate = host.certificate(KeySlot::CardAuthentication);
        let mut again = Host(read(host.0.memory().expose()).unwrap());
        assert_eq!(again.certificate(KeySlot::CardAuthentication), certificate);
        let block = vec![0x01; if algorithm == KeyAlgorithm::Rsa2048 { 256 } else { 32 }];
        let slot = KeySlot::CardAuthentication;
        let signature = host.use_key(algorithm, slot, 0x81, &block).unwrap();
        assert_eq!(again.use_key(algorithm, slot, 0x81, &block), Ok(signature));
    }
}
