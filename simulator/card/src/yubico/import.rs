//! IMPORT KEY (FE): a key that was made elsewhere.

use scard_types::{CommandApdu, tlv};

use crate::PivCard;
use crate::key::{KeyAlgorithm, PrivateKey};
use crate::policy::Policies;
use crate::slot::KeySlot;
use crate::slots::{Content, KeySource, Origin};
use crate::status::{Answer, BAD_DATA, BAD_P1_P2, DONE};

impl PivCard {
    pub(super) fn import_key(&mut self, command: &CommandApdu) -> Answer {
        let algorithm = KeyAlgorithm::from_identifier(command.p1)
            .filter(|algorithm| self.knows(*algorithm))
            .ok_or(BAD_P1_P2)?;
        let slot = KeySlot::from_reference(command.p2).ok_or(BAD_P1_P2)?;
        self.management.require()?;
        let parts = command.data.expose();
        let mut policies = Policies::of(slot);
        for element in tlv::elements(parts) {
            let element = element.map_err(|_| BAD_DATA)?;
            match element.tag {
                0x01..=0x06 => {}
                tag => policies.set(tag, element.value).ok_or(BAD_DATA)?,
            }
        }
        let key = PrivateKey::from_import(algorithm, parts).ok_or(BAD_DATA)?;
        self.settle(slot)?;
        let key = KeySource::Given(key);
        let content = Content { key, origin: Origin::Outside, policies, certificate_due: false };
        self.slots.put(slot, content);
        DONE
    }
}
