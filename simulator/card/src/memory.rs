//! The memory of a card as bytes: what stays when the power goes, for whoever keeps it.
//!
//! ```text
//! memory  = "scard PIV card", 00, version 01, then one BER-TLV element E0, so that no end can be missing unseen:
//!   80 answer to reset      81 serial number            82 firmware (only of a YubiKey)
//!   83 not before, not after (8 bytes each)             84 seed of what is still to be made
//!   85 PIN, 86 PUK: value (8 bytes), tries left, tries  87 management key: cipher, touch policy, key
//!   88 global PIN, if there is one: as 85
//!   A0 an object: 80 tag (4 bytes), 81 value
//!   A1 a key: 80 reference, origin (1 card, 2 outside), PIN policy, touch policy, whether its certificate is due;
//!             81 algorithm; 82 parts, unless it is still to be made
//! ```
//! Numbers have the most significant byte first.

use alloc::vec::Vec;
use core::fmt;

use rand_chacha::ChaCha20Rng;
use rand_core::SeedableRng;
use scard_types::tlv::{self, Tlv};
use scard_types::{Atr, SecretBytes};
use zeroize::Zeroizing;

use crate::PivCard;
use crate::card::{
    CHANGE_REFERENCE_DATA, GENERATE_ASYMMETRIC_KEY_PAIR, PUT_DATA, RESET_RETRY_COUNTER, VERIFY,
};
use crate::certificate::Validity;
use crate::chaining::{Incoming, Outgoing};
use crate::key::{KeyAlgorithm, PrivateKey};
use crate::management::{Management, ManagementAlgorithm, ManagementKey};
use crate::objects::{MAX_OBJECT_BYTES, Objects, is_known};
use crate::pin::Pins;
use crate::policy::{Policies, TouchPolicy};
use crate::reference::Reference;
use crate::slot::KeySlot;
use crate::slots::{Content, KeySource, Origin, Slots};
use crate::yubico::{self, Firmware};

const MAGIC: &[u8] = b"scard PIV card\0";
const VERSION: u8 = 1;

const CARD: u32 = 0xE0;
const ATR: u32 = 0x80;
const SERIAL: u32 = 0x81;
const FIRMWARE: u32 = 0x82;
const VALIDITY: u32 = 0x83;
const SEED: u32 = 0x84;
const PIN: u32 = 0x85;
const PUK: u32 = 0x86;
const MANAGEMENT: u32 = 0x87;
const GLOBAL_PIN: u32 = 0x88;
const OBJECT: u32 = 0xA0;
const OBJECT_TAG: u32 = 0x80;
const OBJECT_VALUE: u32 = 0x81;
const KEY: u32 = 0xA1;
const KEY_HEADER: u32 = 0x80;
const KEY_ALGORITHM: u32 = 0x81;
const KEY_PARTS: u32 = 0x82;

/// Why bytes are no memory of a card.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum MemoryError {
    /// They begin with something else.
    Foreign,
    /// A form of it that this program does not know.
    Version {
        /// Its number.
        got: u8,
    },
    /// They end too early, or an element is missing or holds what no card has.
    Damaged,
}

impl fmt::Display for MemoryError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Foreign => f.write_str("it is not the memory of a virtual card"),
            Self::Version { got } => {
                write!(f, "the memory of a card in form {got}; this program knows form {VERSION}")
            }
            Self::Damaged => f.write_str("the memory of a card, but damaged"),
        }
    }
}

impl core::error::Error for MemoryError {}

impl PivCard {
    /// Whether this command may change what [`PivCard::memory`] gives, but for keys and certificates that were due and
    /// come from the seed.
    #[must_use]
    pub fn may_change_memory(command: &[u8]) -> bool {
        match command {
            // The question for the tries left.
            [0x00, VERIFY, _, _] | [0x00, VERIFY, _, _, 0] => false,
            [0x00, ins, ..] => {
                matches!(
                    *ins,
                    VERIFY
                        | CHANGE_REFERENCE_DATA
                        | RESET_RETRY_COUNTER
                        | PUT_DATA
                        | GENERATE_ASYMMETRIC_KEY_PAIR
                ) || yubico::CHANGING.contains(ins)
            }
            // Parts of a chain only wait.
            _ => false,
        }
    }

    /// All that stays when the power goes.
    #[must_use]
    pub fn memory(&self) -> SecretBytes {
        let mut fields = Fields::default();
        fields.put(ATR, self.atr.as_bytes());
        fields.put(SERIAL, &self.serial.to_be_bytes());
        if let Some(Firmware(version)) = self.firmware {
            fields.put(FIRMWARE, &version);
        }
        let Validity { not_before, not_after } = self.validity;
        fields.put(VALIDITY, &[not_before.to_be_bytes(), not_after.to_be_bytes()].concat());
        fields.put(SEED, &self.slots.seed);
        fields.put(PIN, &self.pins.application.to_bytes());
        fields.put(PUK, &self.pins.puk.to_bytes());
        if let Some(global) = &self.pins.global {
            fields.put(GLOBAL_PIN, &global.to_bytes());
        }
        let key = self.management.key();
        let header = [key.algorithm().identifier(), self.management.touch.identifier()];
        fields.put(MANAGEMENT, &Zeroizing::new([&header, key.expose()].concat()));
        for (tag, value) in self.objects.iter() {
            let mut object = Fields::default();
            object.put(OBJECT_TAG, &tag.to_be_bytes());
            object.put(OBJECT_VALUE, value);
            fields.put(OBJECT, &object.0);
        }
        for (slot, content) in &self.slots.contents {
            fields.put(KEY, &write_key(*slot, content).0);
        }
        let mut card = Fields::default();
        card.put(CARD, &fields.0);
        SecretBytes::new([MAGIC, &[VERSION], &card.0].concat())
    }

    /// The card that has this memory. Its random numbers come from `seed`.
    ///
    /// # Errors
    /// See [`MemoryError`].
    pub fn from_memory(memory: &[u8], seed: [u8; 32]) -> Result<Self, MemoryError> {
        let card = match memory.strip_prefix(MAGIC).ok_or(MemoryError::Foreign)? {
            [VERSION, card @ ..] => card,
            [got, ..] => return Err(MemoryError::Version { got: *got }),
            [] => return Err(MemoryError::Damaged),
        };
        match Tlv::read(card) {
            Ok((Tlv { tag: CARD, value: fields }, [])) => Self::from_fields(fields, seed),
            _ => None,
        }
        .ok_or(MemoryError::Damaged)
    }

    fn from_fields(fields: &[u8], seed: [u8; 32]) -> Option<Self> {
        let field = |tag| tlv::find(fields, tag);
        let firmware = match field(FIRMWARE) {
            Some(version) => Some(Firmware(version.try_into().ok()?)),
            None => None,
        };
        let global_pin = match field(GLOBAL_PIN) {
            Some(pin) => Some(Reference::from_bytes(pin)?),
            None => None,
        };
        let (not_before, not_after) = field(VALIDITY)?.split_first_chunk()?;
        let mut objects = Objects::default();
        let mut slots = Slots::new(field(SEED)?.try_into().ok()?);
        for element in tlv::elements(fields) {
            match element.ok()? {
                Tlv { tag: OBJECT, value } => {
                    let (tag, value) = read_object(value)?;
                    objects.put(tag, value.to_vec());
                }
                Tlv { tag: KEY, value } => {
                    let (slot, content) = read_key(value)?;
                    slots.put(slot, content);
                }
                Tlv { tag: ATR..=GLOBAL_PIN, .. } => {}
                Tlv { .. } => return None,
            }
        }
        Some(Self {
            atr: Atr::new(field(ATR)?).ok()?,
            serial: u32::from_be_bytes(field(SERIAL)?.try_into().ok()?),
            firmware,
            validity: Validity {
                not_before: u64::from_be_bytes(*not_before),
                not_after: u64::from_be_bytes(not_after.try_into().ok()?),
            },
            rng: ChaCha20Rng::from_seed(seed),
            pins: Pins::new(
                Reference::from_bytes(field(PIN)?)?,
                global_pin,
                Reference::from_bytes(field(PUK)?)?,
            ),
            objects,
            slots,
            management: read_management(field(MANAGEMENT)?)?,
            incoming: Incoming::default(),
            outgoing: Outgoing::default(),
        })
    }
}

/// Elements in a row. Each that is added makes a new buffer, so that no secret stays behind in an old one unwiped.
#[derive(Default)]
struct Fields(Zeroizing<Vec<u8>>);

impl Fields {
    fn put(&mut self, tag: u32, value: &[u8]) {
        let element = Zeroizing::new(tlv::element(tag, value));
        self.0 = Zeroizing::new([self.0.as_slice(), element.as_slice()].concat());
    }
}

fn write_key(slot: KeySlot, content: &Content) -> Fields {
    let origin = match content.origin {
        Origin::Card => 1,
        Origin::Outside => 2,
    };
    let [pin, touch] = content.policies.to_bytes();
    let header = [slot.reference(), origin, pin, touch, content.certificate_due.into()];
    let mut fields = Fields::default();
    fields.put(KEY_HEADER, &header);
    fields.put(KEY_ALGORITHM, &[content.key.algorithm().identifier()]);
    if let Some(key) = content.ready_key() {
        fields.put(KEY_PARTS, &key.to_parts());
    }
    fields
}

fn read_key(fields: &[u8]) -> Option<(KeySlot, Content)> {
    let header = tlv::find(fields, KEY_HEADER)?;
    let [reference, origin, pin, touch, certificate_due] = *<&[u8; 5]>::try_from(header).ok()?;
    let [algorithm] = *<&[u8; 1]>::try_from(tlv::find(fields, KEY_ALGORITHM)?).ok()?;
    let algorithm = KeyAlgorithm::from_identifier(algorithm)?;
    let key = match tlv::find(fields, KEY_PARTS) {
        Some(parts) => KeySource::Given(PrivateKey::from_parts(algorithm, parts)?),
        None => KeySource::Made(algorithm),
    };
    let origin = match origin {
        1 => Origin::Card,
        2 => Origin::Outside,
        _ => return None,
    };
    let certificate_due = match certificate_due {
        0 => false,
        1 => true,
        _ => return None,
    };
    let policies = Policies::from_bytes([pin, touch])?;
    let slot = KeySlot::from_reference(reference)?;
    Some((slot, Content { key, origin, policies, certificate_due }))
}

fn read_object(fields: &[u8]) -> Option<(u32, &[u8])> {
    let tag = u32::from_be_bytes(tlv::find(fields, OBJECT_TAG)?.try_into().ok()?);
    let value = tlv::find(fields, OBJECT_VALUE)?;
    (is_known(tag) && value.len() <= MAX_OBJECT_BYTES).then_some((tag, value))
}

fn read_management(bytes: &[u8]) -> Option<Management> {
    let ([cipher, touch], key) = bytes.split_first_chunk::<2>()?;
    let key = ManagementKey::new(ManagementAlgorithm::from_identifier(*cipher)?, key).ok()?;
    let mut management = Management::new(key);
    management.touch = TouchPolicy::from_identifier(*touch)?;
    Some(management)
}
