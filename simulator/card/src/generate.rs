//! GENERATE ASYMMETRIC KEY PAIR, SP 800-73-4 part 2, 3.3.2.

use scard_types::{CommandApdu, StatusWord, tlv};

use crate::PivCard;
use crate::key::{KeyAlgorithm, PrivateKey};
use crate::policy::Policies;
use crate::slot::KeySlot;
use crate::slots::{Content, KeySource, Origin};
use crate::status::{Answer, BAD_DATA, BAD_P1_P2, NO_DIAGNOSIS};

/// The only public exponent that SP 800-78-4, table 3-2 leaves for new keys in practice: 65,537.
const EXPONENT: [u8; 3] = [0x01, 0x00, 0x01];

impl PivCard {
    /// Makes a key. The certificate in the slot stays, as on a real card: it belongs to the key that was there.
    pub(crate) fn generate(&mut self, command: &CommandApdu) -> Answer {
        if command.p1 != 0x00 {
            return Err(BAD_P1_P2);
        }
        let slot = KeySlot::from_reference(command.p2)
            .filter(|slot| self.makes_keys_in(*slot))
            .ok_or(BAD_P1_P2)?;
        self.management.require()?;
        let (algorithm, policies) = self.wanted(slot, command.data.expose())?;
        self.settle(slot)?;
        let key = PrivateKey::generate(algorithm, &mut self.rng).ok_or(NO_DIAGNOSIS)?;
        let answer = tlv::element(0x7F49, &key.public_key_template());
        let key = KeySource::Given(key);
        let content = Content { key, origin: Origin::Card, policies, certificate_due: false };
        self.slots.put(slot, content);
        Ok(answer.into())
    }

    /// The standard has retired keys put onto the card by its issuer, in ways of the issuer's own.
    fn makes_keys_in(&self, slot: KeySlot) -> bool {
        self.firmware.is_some() || KeySlot::STANDARD.contains(&slot)
    }

    /// The control reference template AC: 80 algorithm, 81 public exponent (RSA, optional), and on cards of Yubico
    /// AA and AB, the policies.
    fn wanted(&self, slot: KeySlot, data: &[u8]) -> Result<(KeyAlgorithm, Policies), StatusWord> {
        let (tlv::Tlv { tag: 0xAC, value: template }, []) =
            tlv::Tlv::read(data).map_err(|_| BAD_DATA)?
        else {
            return Err(BAD_DATA);
        };
        let mut algorithm = None;
        let mut policies = Policies::of(slot);
        for element in tlv::elements(template) {
            let element = element.map_err(|_| BAD_DATA)?;
            match (element.tag, element.value) {
                (0x80, [identifier]) => algorithm = KeyAlgorithm::from_identifier(*identifier),
                (0x81, exponent) if exponent == EXPONENT => {}
                (tag, policy) if self.firmware.is_some() => {
                    policies.set(tag, policy).ok_or(BAD_DATA)?;
                }
                _ => return Err(BAD_DATA),
            }
        }
        let algorithm = algorithm.filter(|algorithm| self.knows(*algorithm)).ok_or(BAD_DATA)?;
        Ok((algorithm, policies))
    }
}
