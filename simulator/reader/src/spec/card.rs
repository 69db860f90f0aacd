//! The part of an order that describes a card.

use std::collections::BTreeMap;
use std::path::PathBuf;

use reader_api::order::Item;
use scard_types::{Atr, Pin};
use sim_card::{Firmware, KeyAlgorithm, KeySlot, ManagementAlgorithm, ManagementKey};

use super::SpecError;

/// The version of `preset=yubikey-5`, one that is widely in use.
const YUBIKEY_5_FIRMWARE: Firmware = Firmware([5, 4, 3]);
/// What a slot may be made to hold.
const KINDS: &str = "p256, p384, rsa2048, rsa3072, rsa4096 or none";

/// What card to make; `None` means the default.
#[derive(Debug, Default)]
pub struct CardSpec {
    /// Whether it is a card without an application; then there is nothing else to say than `atr` and `serial`.
    pub is_blank: bool,
    /// The answer to reset.
    pub atr: Option<Atr>,
    /// The serial number.
    pub serial: Option<u32>,
    /// What it looks like.
    pub preset: Option<Preset>,
    /// The firmware version of the YubiKey that it claims to be.
    pub firmware: Option<Firmware>,
    /// The file that keeps its memory.
    pub state: Option<PathBuf>,
    /// The PIN.
    pub pin: Option<Pin>,
    /// The global PIN.
    pub global_pin: Option<Pin>,
    /// The PUK.
    pub puk: Option<Pin>,
    /// Where keys and random numbers come from.
    pub seed: Option<u64>,
    /// Cipher and bytes of the management key.
    pub management_key: Option<ManagementKey>,
    /// Keys and certificates.
    pub slots: BTreeMap<KeySlot, SlotSpec>,
}

/// What a card looks like.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Preset {
    /// A card of the standard.
    Nist,
    /// A YubiKey 5: reader name, answer to reset, firmware.
    Yubikey5,
}

/// What is in a slot of the card.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SlotSpec {
    /// The kind of key to make; `Some(None)` for an empty slot.
    pub kind: Option<Option<KeyAlgorithm>>,
    /// The file with the private key.
    pub key: Option<PathBuf>,
    /// The file with the certificate.
    pub certificate: Option<PathBuf>,
}

impl CardSpec {
    pub(super) fn set(&mut self, item: &Item<'_>) -> Result<(), SpecError> {
        if self.is_blank && !matches!(item.key, "atr" | "serial") {
            return Err(SpecError::NotForBlank { key: item.key.to_owned() });
        }
        match item.key {
            "atr" => {
                let atr = |text: &str| Atr::new(&hex(text)?).ok();
                self.atr =
                    Some(item.parse("2 to 33 bytes in hexadecimal, beginning 3B or 3F", atr)?);
            }
            "serial" => {
                let allowed = "a number from 0 to 4294967295";
                self.serial = Some(item.parse(allowed, |text| text.parse().ok())?);
            }
            "preset" => {
                let preset = |text: &str| match text {
                    "nist" => Some(Preset::Nist),
                    "yubikey-5" => Some(Preset::Yubikey5),
                    _ => None,
                };
                self.preset = Some(item.parse("nist or yubikey-5", preset)?);
            }
            "state" => self.state = Some(item.parse("the name of a file", path)?),
            "firmware" => {
                let allowed = "a version from 1.0.0 to below 5.8.0, as in 5.4.3";
                self.firmware = Some(item.parse(allowed, firmware)?);
            }
            "pin" => self.pin = Some(item.parse("six to eight digits", digits)?),
            "global-pin" => self.global_pin = Some(item.parse("six to eight digits", digits)?),
            "puk" => {
                let puk = |text: &str| {
                    Pin::new(text.as_bytes()).ok().filter(|puk| puk.expose().len() <= 8)
                };
                self.puk = Some(item.parse("one to eight characters", puk)?);
            }
            "seed" => {
                let allowed = "a number from 0 to 18446744073709551615";
                self.seed = Some(item.parse(allowed, |text| text.parse().ok())?);
            }
            "9b" => {
                let allowed = "3des, aes128, aes192 or aes256, with or without :KEY in hexadecimal";
                self.management_key = Some(item.parse(allowed, management_key)?);
            }
            _ => self.set_slot(item)?,
        }
        Ok(())
    }

    /// `9a`, `9a.key`, `9a.cert`, and the same for the other slots.
    fn set_slot(&mut self, item: &Item<'_>) -> Result<(), SpecError> {
        let unknown = || SpecError::UnknownKey { key: item.key.to_owned() };
        let (reference, part) = item.key.split_once('.').unwrap_or((item.key, ""));
        let slot = KeySlot::all()
            .find(|slot| format!("{:02x}", slot.reference()) == reference)
            .ok_or_else(unknown)?;
        let content = self.slots.entry(slot).or_default();
        match part {
            "" => content.kind = Some(item.parse(KINDS, key_kind)?),
            "key" => content.key = Some(item.parse("the name of a PEM file", path)?),
            "cert" => {
                content.certificate = Some(item.parse("the name of a PEM or DER file", path)?);
            }
            _ => return Err(unknown()),
        }
        Ok(())
    }

    /// The firmware of the YubiKey that it claims to be, if it does.
    pub(crate) fn firmware(&self) -> Option<Firmware> {
        let by_preset = (self.preset == Some(Preset::Yubikey5)).then_some(YUBIKEY_5_FIRMWARE);
        self.firmware.or(by_preset)
    }

    /// Whether all that is there goes together.
    pub(super) fn check(&self) -> Result<(), SpecError> {
        for (slot, content) in &self.slots {
            content.check(*slot)?;
        }
        let conflict = |key: &str, other: &str| {
            Err(SpecError::Conflict { key: key.to_owned(), other: other.to_owned() })
        };
        if self.firmware().is_some() && self.global_pin.is_some() {
            return conflict("global-pin", "preset=yubikey-5");
        }
        if self.firmware.is_some() && self.preset == Some(Preset::Nist) {
            return conflict("firmware", "preset=nist");
        }
        if self.firmware().is_none() && self.slots.contains_key(&KeySlot::Attestation) {
            return conflict("f9", "preset=nist");
        }
        Ok(())
    }
}

impl SlotSpec {
    fn check(&self, slot: KeySlot) -> Result<(), SpecError> {
        let name = format!("{:02x}", slot.reference());
        let other = match self {
            Self { kind: Some(_), key: Some(_), .. } => format!("{name}.key"),
            Self { kind: Some(None), certificate: Some(_), .. } => format!("{name}.cert"),
            Self { .. } => return Ok(()),
        };
        Err(SpecError::Conflict { key: name, other })
    }
}

fn key_kind(text: &str) -> Option<Option<KeyAlgorithm>> {
    match text {
        "p256" => Some(Some(KeyAlgorithm::P256)),
        "p384" => Some(Some(KeyAlgorithm::P384)),
        "rsa2048" => Some(Some(KeyAlgorithm::Rsa2048)),
        "rsa3072" => Some(Some(KeyAlgorithm::Rsa3072)),
        "rsa4096" => Some(Some(KeyAlgorithm::Rsa4096)),
        "none" => Some(None),
        _ => None,
    }
}

fn firmware(text: &str) -> Option<Firmware> {
    let parts: Vec<u8> = text.split('.').map(|part| part.parse().ok()).collect::<Option<_>>()?;
    let firmware = Firmware(parts.try_into().ok()?);
    (Firmware::FIRST..Firmware::BEYOND).contains(&firmware).then_some(firmware)
}

fn digits(text: &str) -> Option<Pin> {
    let fits = (6..=8).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit());
    if fits { Pin::new(text.as_bytes()).ok() } else { None }
}

fn path(text: &str) -> Option<PathBuf> {
    (!text.is_empty()).then(|| PathBuf::from(text))
}

fn management_key(text: &str) -> Option<ManagementKey> {
    let (cipher, key) = match text.split_once(':') {
        Some((cipher, key)) => (cipher, Some(hex(key)?)),
        None => (text, None),
    };
    let algorithm = match cipher {
        "3des" => ManagementAlgorithm::TripleDes,
        "aes128" => ManagementAlgorithm::Aes128,
        "aes192" => ManagementAlgorithm::Aes192,
        "aes256" => ManagementAlgorithm::Aes256,
        _ => return None,
    };
    match key {
        Some(key) => ManagementKey::new(algorithm, &key).ok(),
        None => Some(ManagementKey::well_known(algorithm)),
    }
}

/// Bytes in hexadecimal, with or without spaces or colons between them.
fn hex(text: &str) -> Option<Vec<u8>> {
    let digits: Vec<u32> = text
        .chars()
        .filter(|c| !matches!(c, ' ' | ':'))
        .map(|c| c.to_digit(16))
        .collect::<Option<_>>()?;
    digits
        .chunks(2)
        .map(|pair| match pair {
            [high, low] => u8::try_from((high << 4) | low).ok(),
            _ => None,
        })
        .collect()
}
