//! What the owner of a card does with it now and then: another management key (FF), other tries (FA), back to the
//! beginning (FB), keys to other slots (F6).

use scard_types::{CommandApdu, tlv};

use super::{Firmware, without_parameters};
use crate::PivCard;
use crate::contents;
use crate::management::{MANAGEMENT_KEY, Management, ManagementAlgorithm, ManagementKey};
use crate::objects::{self, Objects};
use crate::pin::{Pins, WELL_KNOWN_PIN, WELL_KNOWN_PUK};
use crate::policy::TouchPolicy;
use crate::reference::Reference;
use crate::slot::KeySlot;
use crate::status::{
    Answer, BAD_DATA, BAD_P1_P2, CONDITIONS_NOT_SATISFIED, DONE, SECURITY_STATUS_NOT_SATISFIED,
};

/// Tries after a start over.
const TRIES: u8 = 3;
/// Where a key goes that is to be forgotten.
const NOWHERE: u8 = 0xFF;

impl PivCard {
    /// SET MANAGEMENT KEY: cipher, then the key in an element 9B. P2 is the touch policy, from the end of the numbers.
    pub(super) fn set_management_key(&mut self, command: &CommandApdu) -> Answer {
        let touch = match (command.p1, command.p2) {
            (0xFF, 0xFF) => TouchPolicy::Never,
            (0xFF, 0xFE) => TouchPolicy::Always,
            (0xFF, 0xFD) => TouchPolicy::Cached,
            _ => return Err(BAD_P1_P2),
        };
        self.management.require()?;
        let (cipher, key) = command.data.expose().split_first().ok_or(BAD_DATA)?;
        let cipher = ManagementAlgorithm::from_identifier(*cipher)
            .filter(|cipher| self.takes_cipher(*cipher))
            .ok_or(BAD_DATA)?;
        let Ok((tlv::Tlv { tag, value }, [])) = tlv::Tlv::read(key) else { return Err(BAD_DATA) };
        if tag != u32::from(MANAGEMENT_KEY) {
            return Err(BAD_DATA);
        }
        let key = ManagementKey::new(cipher, value).map_err(|_| BAD_DATA)?;
        self.management.replace(key, touch);
        DONE
    }

    fn takes_cipher(&self, cipher: ManagementAlgorithm) -> bool {
        cipher == ManagementAlgorithm::TripleDes
            || self.firmware.is_some_and(|firmware| firmware >= Firmware::HAS_AES)
    }

    /// SET RETRIES: P1 for the PIN, P2 for the PUK; both are the well-known ones again.
    pub(super) fn set_retries(&mut self, command: &CommandApdu) -> Answer {
        if command.p1 == 0 || command.p2 == 0 {
            return Err(BAD_P1_P2);
        }
        self.management.require()?;
        if !self.pins.are_verified() {
            return Err(SECURITY_STATUS_NOT_SATISFIED);
        }
        self.pins = well_known_pins(command.p1, command.p2);
        DONE
    }

    /// RESET: as it came from the factory, but for the key that attests. Only when PIN and PUK are both blocked.
    pub(super) fn start_over(&mut self, command: &CommandApdu) -> Answer {
        without_parameters(command)?;
        if self.pins.application.left() > 0 || self.pins.puk.left() > 0 {
            return Err(CONDITIONS_NOT_SATISFIED);
        }
        self.pins = well_known_pins(TRIES, TRIES);
        let cipher = self.firmware.unwrap_or(Firmware::FIRST).first_cipher();
        self.management = Management::new(ManagementKey::well_known(cipher));
        self.slots.contents.retain(|slot, _| *slot == KeySlot::Attestation);
        let attestation = KeySlot::Attestation.certificate_tag();
        let attestation_certificate = self.objects.value(attestation).map(<[u8]>::to_vec);
        self.objects = Objects::default();
        self.objects.put(objects::DISCOVERY, contents::discovery(false));
        self.objects.put(attestation, attestation_certificate.unwrap_or_default());
        DONE
    }

    /// MOVE KEY: P1 says where to (an empty slot), P2 where from. The policies go with it; the certificate stays where
    /// it is.
    pub(super) fn move_key(&mut self, command: &CommandApdu) -> Answer {
        let from = KeySlot::from_reference(command.p2).ok_or(BAD_P1_P2)?;
        let to = match command.p1 {
            NOWHERE => None,
            reference => Some(KeySlot::from_reference(reference).ok_or(BAD_P1_P2)?),
        };
        // The key that attests may only be forgotten.
        if to == Some(KeySlot::Attestation) || (to.is_some() && from == KeySlot::Attestation) {
            return Err(BAD_P1_P2);
        }
        self.management.require()?;
        self.slots.content(from)?;
        if to.is_some_and(|to| self.slots.content(to).is_ok()) {
            return Err(CONDITIONS_NOT_SATISFIED);
        }
        self.settle(from)?;
        if let (Some(content), Some(to)) = (self.slots.contents.remove(&from), to) {
            self.slots.put(to, content);
        }
        DONE
    }
}

fn well_known_pins(pin_tries: u8, puk_tries: u8) -> Pins {
    let pin = Reference::padded(*WELL_KNOWN_PIN, pin_tries);
    Pins::new(pin, None, Reference::padded(*WELL_KNOWN_PUK, puk_tries))
}
