//! What a card is to be: everything that is decided before it is first powered.

use alloc::collections::BTreeMap;
use core::fmt;

use scard_types::{Atr, Pin};

use crate::certificate::Validity;
use crate::key::KeyAlgorithm;
use crate::management::{ManagementAlgorithm, ManagementKey};
use crate::slot::KeySlot;
use crate::slots::{KeySource, SlotProfile};
use crate::yubico::Firmware;

/// T=1, 254 bytes a block, at 38 ETU (TA1 = 96); category indicator 80; capabilities 73 (selection by full and cut
/// name, chaining, extended lengths); issuer's data 55 "scard"; TCK.
const DEFAULT_ATR: [u8; 19] = [
    0x3B, 0x9B, 0x96, 0x81, 0x31, 0xFE, 0x45, 0x80, 0x73, 0xC0, 0x21, 0xC0, 0x55, b's', b'c', b'a',
    b'r', b'd', 0xE6,
];

/// The answer to reset of a card that is given none: an ordinary contact card that speaks T=1.
#[must_use]
#[expect(clippy::missing_panics_doc, reason = "the bytes stand above, a test takes them apart")]
#[expect(clippy::expect_used, reason = "the same")]
pub fn default_atr() -> Atr {
    Atr::new(&DEFAULT_ATR).expect("it has 19 bytes and begins with 3B")
}

/// The answer to reset of a YubiKey 5.
const YUBIKEY_5_ATR: [u8; 23] = [
    0x3B, 0xFD, 0x13, 0x00, 0x00, 0x81, 0x31, 0xFE, 0x15, 0x80, 0x73, 0xC0, 0x21, 0xC0, 0x57, b'Y',
    b'u', b'b', b'i', b'K', b'e', b'y', 0x40,
];

/// The answer to reset of a YubiKey 5, by which programs know it.
#[must_use]
#[expect(clippy::missing_panics_doc, reason = "the bytes stand above, a test takes them apart")]
#[expect(clippy::expect_used, reason = "the same")]
pub fn yubikey_5_atr() -> Atr {
    Atr::new(&YUBIKEY_5_ATR).expect("it has 23 bytes and begins with 3B")
}

/// What a card is to be.
#[derive(Debug)]
pub struct PivProfile {
    /// The answer to reset.
    pub atr: Atr,
    /// The serial number: the CHUID, the capability container and the names in the certificates come from it.
    pub serial: u32,
    /// The PIV card application PIN, six to eight digits.
    pub pin: Pin,
    /// The PIN that this card would share with other applications: good for everything that the other is good for.
    pub global_pin: Option<Pin>,
    /// The PIN unblocking key, up to eight bytes.
    pub puk: Pin,
    /// Tries of each PIN and the PUK.
    pub tries: u8,
    /// The card management key.
    pub management_key: ManagementKey,
    /// The firmware version of a YubiKey, for a card that claims to be one.
    pub firmware: Option<Firmware>,
    /// Where all random numbers and keys come from. Cards with the same seed and serial number have the same keys.
    pub seed: [u8; 32],
    /// When the certificates hold that the card signs itself.
    pub validity: Validity,
    /// Keys and certificates; a slot that is missing is empty.
    pub slots: BTreeMap<KeySlot, SlotProfile>,
}

/// Why a profile makes no card.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ProfileError {
    /// The PIN is not six to eight digits.
    BadPin,
    /// The PUK is longer than eight bytes.
    BadPuk,
    /// A certificate is longer than an object can be.
    LongCertificate {
        /// In which slot.
        slot: KeySlot,
    },
}

impl fmt::Display for ProfileError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::BadPin => f.write_str("a PIV PIN has six to eight digits"),
            Self::BadPuk => f.write_str("a PUK has at most eight bytes"),
            Self::LongCertificate { slot } => {
                write!(f, "the certificate for {:02x} is too long for a card", slot.reference())
            }
        }
    }
}

impl core::error::Error for ProfileError {}

impl PivProfile {
    /// The card that test tools expect: PIN 123456, PUK 12345678, three tries, the well-known 3DES management key,
    /// P-256 keys in all four slots.
    #[must_use]
    pub fn new(serial: u32, seed: [u8; 32], validity: Validity) -> Self {
        let slots = KeySlot::STANDARD.map(|slot| {
            (slot, SlotProfile { key: KeySource::Made(KeyAlgorithm::P256), certificate: None })
        });
        Self {
            atr: default_atr(),
            serial,
            pin: well_known(b"123456"),
            global_pin: None,
            puk: well_known(b"12345678"),
            tries: 3,
            management_key: ManagementKey::well_known(ManagementAlgorithm::TripleDes),
            firmware: None,
            seed,
            validity,
            slots: slots.into(),
        }
    }

    /// The same card as a YubiKey: with the instructions of Yubico, the management key that such a card has when it
    /// is new, and a key in F9 that attests others.
    #[must_use]
    pub fn as_yubikey(mut self, firmware: Firmware) -> Self {
        self.firmware = Some(firmware);
        self.management_key = ManagementKey::well_known(firmware.first_cipher());
        let attestation =
            SlotProfile { key: KeySource::Made(KeyAlgorithm::Rsa2048), certificate: None };
        self.slots.insert(KeySlot::Attestation, attestation);
        self
    }
}

#[expect(clippy::expect_used, reason = "called with the two literals above only")]
fn well_known(digits: &[u8]) -> Pin {
    Pin::new(digits).expect("six or eight digits are neither too few nor too many")
}

#[cfg(test)]
mod tests {
    use super::*;
    use scard_types::Protocol;

    #[test]
    fn the_answer_to_reset_of_a_yubikey_is_whole() {
        let atr = yubikey_5_atr();
        let parts = atr.parts().unwrap();
        assert_eq!(atr.protocols(), [Protocol::T1]);
        assert_eq!(parts.historical, b"\x80\x73\xC0\x21\xC0\x57YubiKey");
        assert!(parts.check.is_some() && parts.trailing.is_empty());
    }

    #[test]
    fn the_default_answer_to_reset_is_that_of_a_contact_card_that_speaks_t1() {
        let atr = default_atr();
        let parts = atr.parts().unwrap();
        assert_eq!(atr.protocols(), [Protocol::T1]);
        assert_eq!(parts.historical, b"\x80\x73\xC0\x21\xC0\x55scard");
        assert!(parts.check.is_some() && parts.trailing.is_empty());
        // What OpenSC takes for a contactless card.
        assert_ne!(atr.as_bytes()[2..4], [0x80, 0x01]);
    }
}
