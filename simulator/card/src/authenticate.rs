//! GENERAL AUTHENTICATE, SP 800-73-4 part 2, 3.2.4: signatures, decryption and key agreement.

use scard_types::{CommandApdu, SecretBytes, StatusWord, tlv};

use crate::PivCard;
use crate::key::PrivateKey;
use crate::policy::PinPolicy;
use crate::slot::KeySlot;
use crate::status::{
    Answer, BAD_DATA, BAD_P1_P2, NO_DIAGNOSIS, REFERENCE_NOT_FOUND, SECURITY_STATUS_NOT_SATISFIED,
};

/// The dynamic authentication template 7C, SP 800-73-4 part 2, table 7. An empty value asks for that element.
#[derive(Default)]
pub(crate) struct Template<'a> {
    /// 80.
    pub(crate) witness: Option<&'a [u8]>,
    /// 81.
    pub(crate) challenge: Option<&'a [u8]>,
    /// 82.
    pub(crate) response: Option<&'a [u8]>,
    /// 85.
    pub(crate) exponentiation: Option<&'a [u8]>,
}

impl<'a> Template<'a> {
    /// Reads a template with at most one of each element and nothing else.
    pub(crate) fn parse(data: &'a [u8]) -> Result<Self, StatusWord> {
        let (outer, []) = tlv::Tlv::read(data).map_err(|_| BAD_DATA)? else {
            return Err(BAD_DATA);
        };
        if outer.tag != 0x7C {
            return Err(BAD_DATA);
        }
        let mut template = Self::default();
        for element in tlv::elements(outer.value) {
            let element = element.map_err(|_| BAD_DATA)?;
            let place = match element.tag {
                0x80 => &mut template.witness,
                0x81 => &mut template.challenge,
                0x82 => &mut template.response,
                0x85 => &mut template.exponentiation,
                _ => return Err(BAD_DATA),
            };
            if place.replace(element.value).is_some() {
                return Err(BAD_DATA);
            }
        }
        Ok(template)
    }

    /// Whether this element is the only one.
    pub(crate) fn only(&self, tag: u32) -> bool {
        [
            (0x80, self.witness),
            (0x81, self.challenge),
            (0x82, self.response),
            (0x85, self.exponentiation),
        ]
        .iter()
        .all(|(other, value)| (*other == tag) == value.is_some())
    }
}

impl PivCard {
    /// `pin_just_verified`: the command before this one was a successful VERIFY.
    pub(crate) fn use_key(&mut self, command: &CommandApdu, pin_just_verified: bool) -> Answer {
        let slot = match KeySlot::from_reference(command.p2) {
            None | Some(KeySlot::Attestation) => return Err(REFERENCE_NOT_FOUND),
            Some(slot) => slot,
        };
        let content = self.slots.content(slot)?;
        if command.p1 != content.key.algorithm().identifier() {
            return Err(BAD_P1_P2);
        }
        let open = match content.policies.pin {
            PinPolicy::Never => true,
            PinPolicy::Once => self.pins.are_verified(),
            PinPolicy::Always => pin_just_verified,
        };
        if !open {
            return Err(SECURITY_STATUS_NOT_SATISFIED);
        }
        let template = Template::parse(command.data.expose())?;
        self.settle(slot)?;
        let key = self.slots.content(slot)?.ready_key().ok_or(NO_DIAGNOSIS)?;
        let result = match template {
            // What is to be signed or decrypted: for RSA the same raw operation.
            Template {
                witness: None,
                challenge: Some(input),
                response: Some([]),
                exponentiation: None,
            } => match key {
                PrivateKey::P256(_) | PrivateKey::P384(_) => key.sign_ecdsa(input),
                PrivateKey::Rsa(_) => key.raw_rsa(input, &mut self.rng),
            },
            Template {
                witness: None,
                challenge: None,
                response: Some([]),
                exponentiation: Some(point),
            } => key.agree(point),
            _ => None,
        };
        let result: SecretBytes = result.ok_or(BAD_DATA)?;
        let response = SecretBytes::new(tlv::element(0x82, result.expose()));
        Ok(tlv::element(0x7C, response.expose()).into())
    }
}
