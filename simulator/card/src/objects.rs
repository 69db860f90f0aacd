//! Data objects: GET DATA and PUT DATA, SP 800-73-4 part 2, 3.1.2 and 3.3.1; the containers of part 1, table 3.

use alloc::collections::BTreeMap;
use alloc::vec::Vec;

use scard_types::{CommandApdu, StatusWord, tlv};

use crate::PivCard;
use crate::slot::KeySlot;
use crate::status::{
    Answer, BAD_DATA, BAD_P1_P2, DONE, NO_SPACE, NOT_FOUND, SECURITY_STATUS_NOT_SATISFIED,
};

/// The longest object, in bytes: the largest container of SP 800-73-4 has about 12.7 kB.
pub const MAX_OBJECT_BYTES: usize = 12_710;

/// P1 P2 of both commands: the current application.
const CURRENT_DF: (u8, u8) = (0x3F, 0xFF);
/// Discovery object: its own template, not wrapped in 53.
pub(crate) const DISCOVERY: u32 = 0x7E;
/// Biometric information templates group template: likewise.
const BIOMETRIC_GROUP: u32 = 0x7F61;
pub(crate) const CHUID: u32 = 0x5F_C102;
pub(crate) const CAPABILITIES: u32 = 0x5F_C107;
pub(crate) const KEY_HISTORY: u32 = 0x5F_C10C;

/// What reading takes.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Reading {
    Always,
    WithPin,
}

/// The containers that there are. A closed list, so that the memory of the card is bounded.
const fn reading(tag: u32) -> Option<Reading> {
    match tag {
        // Fingerprints, facial image, printed information, iris, pairing code.
        0x5F_C103 | 0x5F_C108 | 0x5F_C109 | 0x5F_C121 | 0x5F_C123 => Some(Reading::WithPin),
        DISCOVERY | BIOMETRIC_GROUP | 0x5F_C101..=0x5F_C122 => Some(Reading::Always),
        // Administration data, attestation certificate, container map and roots: where Windows and the tools of
        // Yubico keep them on any card.
        0x5F_FF00 | 0x5F_FF01 | 0x5F_FF10..=0x5F_FF15 => Some(Reading::Always),
        _ => None,
    }
}

/// Whether there is such a container.
pub(crate) const fn is_known(tag: u32) -> bool {
    reading(tag).is_some()
}

/// What the card has stored: the value inside 53 (or inside the object's own template) by tag.
#[derive(Default)]
pub(crate) struct Objects(BTreeMap<u32, Vec<u8>>);

impl Objects {
    /// What stands in an object.
    pub(crate) fn value(&self, tag: u32) -> Option<&[u8]> {
        self.0.get(&tag).map(Vec::as_slice)
    }

    /// All that there are, by tag.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (u32, &[u8])> {
        self.0.iter().map(|(tag, value)| (*tag, value.as_slice()))
    }

    /// Stores an object; an empty one is deleted.
    pub(crate) fn put(&mut self, tag: u32, value: Vec<u8>) {
        if value.is_empty() {
            self.0.remove(&tag);
        } else {
            self.0.insert(tag, value);
        }
    }
}

/// The tag that a GET DATA asks for.
pub(crate) fn asked_tag(data: &[u8]) -> Option<u32> {
    match tlv::Tlv::read(data).ok()? {
        (tlv::Tlv { tag: 0x5C, value }, []) => tag_number(value),
        _ => None,
    }
}

/// A tag list with one tag of one to three bytes.
fn tag_number(bytes: &[u8]) -> Option<u32> {
    match bytes {
        [a] => Some(u32::from(*a)),
        [a, b] => Some(u32::from_be_bytes([0, 0, *a, *b])),
        [a, b, c] => Some(u32::from_be_bytes([0, *a, *b, *c])),
        _ => None,
    }
}

impl PivCard {
    pub(crate) fn read_object(&mut self, command: &CommandApdu) -> Answer {
        if (command.p1, command.p2) != CURRENT_DF {
            return Err(BAD_P1_P2);
        }
        let tag = asked_tag(command.data.expose()).ok_or(BAD_DATA)?;
        if reading(tag).ok_or(NOT_FOUND)? == Reading::WithPin && !self.pins.are_verified() {
            return Err(SECURITY_STATUS_NOT_SATISFIED);
        }
        if let Some(slot) = KeySlot::from_certificate_tag(tag) {
            if self.slots.certificate_is_due(slot) {
                self.settle(slot)?;
            }
        }
        let value = self.objects.value(tag).ok_or(NOT_FOUND)?;
        let wrapper = if matches!(tag, DISCOVERY | BIOMETRIC_GROUP) { tag } else { 0x53 };
        Ok(tlv::element(wrapper, value).into())
    }

    pub(crate) fn write_object(&mut self, command: &CommandApdu) -> Answer {
        if (command.p1, command.p2) != CURRENT_DF {
            return Err(BAD_P1_P2);
        }
        self.management.require()?;
        let (tag, value) = object_to_put(command.data.expose())?;
        reading(tag).ok_or(NOT_FOUND)?;
        if value.len() > MAX_OBJECT_BYTES {
            return Err(NO_SPACE);
        }
        if let Some(slot) = KeySlot::from_certificate_tag(tag) {
            self.slots.certificate_is_given(slot);
        }
        self.objects.put(tag, value.to_vec());
        DONE
    }
}

/// `5C L tag 53 L value`, or one of the two objects that are sent as their own template.
fn object_to_put(data: &[u8]) -> Result<(u32, &[u8]), StatusWord> {
    let (first, rest) = tlv::Tlv::read(data).map_err(|_| BAD_DATA)?;
    match (first.tag, rest) {
        (DISCOVERY | BIOMETRIC_GROUP, []) => Ok((first.tag, first.value)),
        (0x5C, rest) => match tlv::Tlv::read(rest) {
            Ok((tlv::Tlv { tag: 0x53, value }, [])) => {
                Ok((tag_number(first.value).ok_or(BAD_DATA)?, value))
            }
            _ => Err(BAD_DATA),
        },
        _ => Err(BAD_DATA),
    }
}
