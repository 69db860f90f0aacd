//! GET METADATA (F7): what can be told about a key or PIN without using it.

use alloc::vec::Vec;

use scard_types::{CommandApdu, tlv};

use crate::PivCard;
use crate::management::MANAGEMENT_KEY;
use crate::pin::{APPLICATION_PIN, UNBLOCKING_KEY, WELL_KNOWN_PIN, WELL_KNOWN_PUK};
use crate::reference::Reference;
use crate::slot::KeySlot;
use crate::slots::Origin;
use crate::status::{Answer, BAD_P1_P2, REFERENCE_NOT_FOUND};

const ALGORITHM: u32 = 0x01;
/// PIN policy and touch policy.
const POLICIES: u32 = 0x02;
const ORIGIN: u32 = 0x03;
const PUBLIC_KEY: u32 = 0x04;
const IS_WELL_KNOWN: u32 = 0x05;
/// Tries in all, and tries left.
const TRIES: u32 = 0x06;

impl PivCard {
    pub(super) fn metadata(&mut self, command: &CommandApdu) -> Answer {
        if command.p1 != 0 {
            return Err(BAD_P1_P2);
        }
        let metadata = match command.p2 {
            APPLICATION_PIN => of_reference(&self.pins.application, *WELL_KNOWN_PIN),
            UNBLOCKING_KEY => of_reference(&self.pins.puk, *WELL_KNOWN_PUK),
            MANAGEMENT_KEY => self.of_management_key(),
            reference => {
                let slot = KeySlot::from_reference(reference).ok_or(REFERENCE_NOT_FOUND)?;
                return self.of_key(slot);
            }
        };
        Ok(metadata.into())
    }

    fn of_key(&mut self, slot: KeySlot) -> Answer {
        let (content, key) = self.settled(slot)?;
        let origin = match content.origin {
            Origin::Card => 1,
            Origin::Outside => 2,
        };
        let mut metadata = tlv::element(ALGORITHM, &[key.algorithm().identifier()]);
        tlv::write(&mut metadata, POLICIES, &content.policies.to_bytes());
        tlv::write(&mut metadata, ORIGIN, &[origin]);
        tlv::write(&mut metadata, PUBLIC_KEY, &key.public_key_template());
        Ok(metadata.into())
    }

    fn of_management_key(&self) -> Vec<u8> {
        let key = self.management.key();
        let mut metadata = tlv::element(ALGORITHM, &[key.algorithm().identifier()]);
        tlv::write(&mut metadata, POLICIES, &[0, self.management.touch.identifier()]);
        tlv::write(&mut metadata, IS_WELL_KNOWN, &[key.is_well_known().into()]);
        metadata
    }
}

fn of_reference(reference: &Reference, well_known: [u8; 8]) -> Vec<u8> {
    // No algorithm.
    let mut metadata = tlv::element(ALGORITHM, &[0xFF]);
    tlv::write(&mut metadata, IS_WELL_KNOWN, &[reference.is(&well_known).into()]);
    tlv::write(&mut metadata, TRIES, &[reference.tries(), reference.left()]);
    metadata
}
