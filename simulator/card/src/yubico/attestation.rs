//! ATTEST (F9): a certificate that says of a key that this card made it, signed by the key in slot F9.
//! Yubico, PIV attestation.

use alloc::format;
use alloc::vec::Vec;
use core::str::FromStr;

use der::asn1::{ObjectIdentifier, OctetString};
use der::{Decode, Encode};
use rand_core::RngCore;
use scard_types::{CommandApdu, StatusWord, tlv};
use x509_cert::certificate::Certificate;
use x509_cert::ext::Extension;
use x509_cert::name::RdnSequence;
use x509_cert::serial_number::SerialNumber;

use super::Firmware;
use crate::PivCard;
use crate::certificate::Statement;
use crate::policy::Policies;
use crate::slot::KeySlot;
use crate::slots::Origin;
use crate::status::{Answer, BAD_DATA, BAD_P1_P2, NO_DIAGNOSIS, REFERENCE_NOT_FOUND};

const FIRMWARE: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.6.1.4.1.41482.3.3");
const SERIAL_NUMBER: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.6.1.4.1.41482.3.7");
const POLICIES: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.6.1.4.1.41482.3.8");
const FORM_FACTOR: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.6.1.4.1.41482.3.9");

/// "Not specified": it has no form.
const NO_FORM: u8 = 0x00;

impl PivCard {
    pub(super) fn attest(&mut self, command: &CommandApdu) -> Answer {
        let slot = match KeySlot::from_reference(command.p1) {
            Some(slot) if slot != KeySlot::Attestation && command.p2 == 0 => slot,
            _ => return Err(BAD_P1_P2),
        };
        if self.slots.content(slot)?.origin != Origin::Card {
            return Err(BAD_DATA);
        }
        self.settle(KeySlot::Attestation)?;
        let issuer = self.attestation_certificate()?;
        let (content, key) = self.settled(slot)?;
        let policies = content.policies;
        let public_key_info = key.public_key_info().ok_or(NO_DIAGNOSIS)?;
        let subject = format!("CN=YubiKey PIV Attestation {:02x}", slot.reference());
        let statement = Statement {
            serial_number: self.random_serial_number()?,
            issuer: issuer.tbs_certificate.subject,
            validity: issuer.tbs_certificate.validity,
            subject: RdnSequence::from_str(&subject).map_err(|_| NO_DIAGNOSIS)?,
            public_key_info,
            extensions: self.attested(policies).ok_or(NO_DIAGNOSIS)?,
        };
        let attestation = self.slots.content(KeySlot::Attestation)?;
        let attestation = attestation.ready_key().ok_or(NO_DIAGNOSIS)?;
        let certificate = statement.sign(attestation, &mut self.rng).ok_or(NO_DIAGNOSIS)?;
        Ok(certificate.into())
    }

    /// The certificate of the key that signs; it may have been replaced from outside, by anything.
    fn attestation_certificate(&self) -> Result<Certificate, StatusWord> {
        self.objects
            .value(KeySlot::Attestation.certificate_tag())
            .and_then(|object| tlv::find(object, 0x70))
            .and_then(|der| Certificate::from_der(der).ok())
            .ok_or(REFERENCE_NOT_FOUND)
    }

    fn random_serial_number(&mut self) -> Result<SerialNumber, StatusWord> {
        let mut bytes = [0; 16];
        self.rng.fill_bytes(&mut bytes);
        // Positive, and as long as the others.
        let [first, ..] = &mut bytes;
        *first = (*first & 0x7F) | 0x40;
        SerialNumber::new(&bytes).map_err(|_| NO_DIAGNOSIS)
    }

    fn attested(&self, policies: Policies) -> Option<Vec<Extension>> {
        let Firmware(version) = self.firmware?;
        [
            (FIRMWARE, version.to_vec()),
            (SERIAL_NUMBER, self.serial.to_der().ok()?),
            (POLICIES, policies.to_bytes().to_vec()),
            (FORM_FACTOR, Vec::from([NO_FORM])),
        ]
        .into_iter()
        .map(|(extn_id, value)| {
            let extn_value = OctetString::new(value).ok()?;
            Some(Extension { extn_id, critical: false, extn_value })
        })
        .collect()
    }
}
