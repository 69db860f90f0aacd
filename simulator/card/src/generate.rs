//! GENERATE ASYMMETRIC KEY PAIR, SP 800-73-4 part 2, 3.3.2.

use scard_types::{CommandApdu, StatusWord, tlv};

use crate::PivCard;
use crate::key::{KeyAlgorithm, PrivateKey};
use crate::slots::KeySlot;
use crate::status::{Answer, BAD_DATA, BAD_P1_P2, NO_DIAGNOSIS};

/// The only public exponent that SP 800-78-4, table 3-2 leaves for new keys in practice: 65,537.
const EXPONENT: [u8; 3] = [0x01, 0x00, 0x01];

impl PivCard {
    /// Makes a key. The certificate in the slot stays, as on a real card: it belongs to the key that was there.
    pub(crate) fn generate(&mut self, command: &CommandApdu) -> Answer {
        if command.p1 != 0x00 {
            return Err(BAD_P1_P2);
        }
        let slot = KeySlot::from_reference(command.p2).ok_or(BAD_P1_P2)?;
        self.management.require()?;
        let algorithm = wanted(command.data.expose())?;
        self.settle(slot)?;
        let key = PrivateKey::generate(algorithm, &mut self.rng).ok_or(NO_DIAGNOSIS)?;
        let answer = tlv::element(0x7F49, &key.public_key_template());
        self.slots.put_key(slot, key);
        Ok(answer.into())
    }
}

/// The control reference template AC: 80 algorithm, 81 public exponent (RSA, optional).
fn wanted(data: &[u8]) -> Result<KeyAlgorithm, StatusWord> {
    let (template, []) = tlv::Tlv::read(data).map_err(|_| BAD_DATA)? else {
        return Err(BAD_DATA);
    };
    if template.tag != 0xAC {
        return Err(BAD_DATA);
    }
    let mut algorithm = None;
    for element in tlv::elements(template.value) {
        let element = element.map_err(|_| BAD_DATA)?;
        match (element.tag, element.value) {
            (0x80, [identifier]) => algorithm = KeyAlgorithm::from_identifier(*identifier),
            (0x81, exponent) if exponent == EXPONENT => {}
            // Policies of other makers among them: better refused than ignored.
            _ => return Err(BAD_DATA),
        }
    }
    algorithm.ok_or(BAD_DATA)
}
