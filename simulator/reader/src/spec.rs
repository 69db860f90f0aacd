//! How virtual readers are ordered: one line of text.
//!
//! `piv[,KEY=VALUE|,KEY]...`; double quotes around a value let it hold commas.
//!
//! | key | meaning | default |
//! | --- | --- | --- |
//! | `name=TEXT` | name of the reader, used as it stands | `scard Virtual PIV Reader RR SS` |
//! | `count=N` | so many readers, 1 to 10,000; their serial numbers count up | 1 |
//! | `empty` | without a card in it; one is kept beside it for `insert` | |
//! | `atr=HEX` | the card's answer to reset | a contact card that speaks T=1 |
//! | `serial=N` | the card's serial number | counts up from 1 |
//! | `firmware=A.B.C` | claims to be a YubiKey of that version, below 5.3.0: programs expect more of later ones | none |
//! | `pin=DIGITS` | six to eight digits | 123456 |
//! | `puk=TEXT` | up to eight characters | 12345678 |
//! | `seed=N` | the same keys and random numbers each time | different each time |
//! | `9b=CIPHER[:HEX]` | management key: `3des`, `aes128`, `aes192`, `aes256` | `3des` with the well-known key |
//! | `9a=KIND` | `p256`, `p384`, `rsa2048`: made when it is first used; `none`: the slot is empty | `p256` |
//! | `9a.key=FILE` | a private key instead: PEM, PKCS#8, PKCS#1 or SEC1, no password | |
//! | `9a.cert=FILE` | the certificate instead of one that the card signs itself: PEM or DER | |
//!
//! The last three likewise for `9c`, `9d` and `9e`.

use std::collections::BTreeMap;
use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;

use scard_types::{Atr, Pin, ReaderName};
use sim_card::{KeyAlgorithm, KeySlot, ManagementAlgorithm, ManagementKey};

mod error;
mod items;

pub use error::SpecError;
use items::{Item, Items};

/// The most readers that one line may order.
const MAX_COUNT: u32 = 10_000;

/// One line: readers, and the card in each.
#[derive(Debug, Default)]
pub struct SimSpec {
    /// The readers.
    pub reader: ReaderSpec,
    /// Their cards.
    pub card: CardSpec,
    /// The line itself, to be recognized by.
    pub(crate) line: Line,
}

/// A line as it was written. It may hold a PIN, so it does not print.
#[derive(Clone, Default, PartialEq, Eq)]
pub(crate) struct Line(String);

impl fmt::Debug for Line {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Line")
    }
}

/// What readers to make.
#[derive(Debug, PartialEq, Eq)]
pub struct ReaderSpec {
    /// The name as it stands; without it they are numbered.
    pub name: Option<ReaderName>,
    /// How many.
    pub count: u32,
    /// Whether they start without a card.
    pub empty: bool,
}

impl Default for ReaderSpec {
    fn default() -> Self {
        Self { name: None, count: 1, empty: false }
    }
}

/// What card to make; `None` means the default.
#[derive(Debug, Default)]
pub struct CardSpec {
    /// The answer to reset.
    pub atr: Option<Atr>,
    /// The serial number.
    pub serial: Option<u32>,
    /// The firmware version of the YubiKey that it claims to be.
    pub firmware: Option<[u8; 3]>,
    /// The PIN.
    pub pin: Option<Pin>,
    /// The PUK.
    pub puk: Option<Pin>,
    /// Where keys and random numbers come from.
    pub seed: Option<u64>,
    /// Cipher and bytes of the management key.
    pub management_key: Option<ManagementKey>,
    /// Keys and certificates.
    pub slots: BTreeMap<KeySlot, SlotSpec>,
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

impl FromStr for SimSpec {
    type Err = SpecError;

    fn from_str(text: &str) -> Result<Self, SpecError> {
        let mut items = Items::new(text);
        match items.next().transpose()? {
            Some(Item { key: "piv", value: None }) => {}
            other => {
                let word = other.map_or("", |item| item.key).to_owned();
                return Err(SpecError::UnknownCard { word });
            }
        }
        let mut spec = Self { line: Line(text.to_owned()), ..Self::default() };
        let mut seen = Vec::new();
        for item in items {
            let item = item?;
            if seen.contains(&item.key) {
                return Err(SpecError::Repeated { key: item.key.to_owned() });
            }
            seen.push(item.key);
            spec.set(&item)?;
        }
        for (slot, content) in &spec.card.slots {
            content.check(*slot)?;
        }
        Ok(spec)
    }
}

impl FromStr for CardSpec {
    type Err = SpecError;

    /// The same text without what describes the reader.
    fn from_str(text: &str) -> Result<Self, SpecError> {
        let SimSpec { reader, card, line: _ } = text.parse()?;
        let key = match reader {
            ReaderSpec { name: Some(_), .. } => "name",
            ReaderSpec { count: 2.., .. } => "count",
            ReaderSpec { empty: true, .. } => "empty",
            ReaderSpec { .. } => return Ok(card),
        };
        Err(SpecError::NotForCard { key })
    }
}

impl SimSpec {
    fn set(&mut self, item: &Item<'_>) -> Result<(), SpecError> {
        match item.key {
            "name" => {
                let name = |text: &str| ReaderName::new(text).ok();
                self.reader.name =
                    Some(item.parse("a name of 1 to 127 bytes, no control characters", name)?);
            }
            "count" => {
                let count =
                    |text: &str| text.parse().ok().filter(|count| (1..=MAX_COUNT).contains(count));
                self.reader.count = item.parse("a number from 1 to 10000", count)?;
            }
            "empty" if item.value.is_none() => self.reader.empty = true,
            "empty" => return Err(item.bad("no value")),
            _ => self.card.set(item)?,
        }
        Ok(())
    }
}

impl CardSpec {
    fn set(&mut self, item: &Item<'_>) -> Result<(), SpecError> {
        let pin = |text: &str| Pin::new(text.as_bytes()).ok();
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
            "firmware" => {
                let allowed = "a version from 1.0.0 to below 5.3.0, as in 5.2.7";
                self.firmware = Some(item.parse(allowed, firmware)?);
            }
            "pin" => {
                let is_pin = |pin: &Pin| {
                    let digits = pin.expose();
                    (6..=8).contains(&digits.len()) && digits.iter().all(u8::is_ascii_digit)
                };
                self.pin =
                    Some(item.parse("six to eight digits", |text| pin(text).filter(is_pin))?);
            }
            "puk" => {
                let is_puk = |puk: &Pin| puk.expose().len() <= 8;
                self.puk =
                    Some(item.parse("one to eight characters", |text| pin(text).filter(is_puk))?);
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
        let slot = KeySlot::ALL
            .into_iter()
            .find(|slot| format!("{:02x}", slot.reference()) == reference)
            .ok_or_else(unknown)?;
        let path = |text: &str| (!text.is_empty()).then(|| PathBuf::from(text));
        let content = self.slots.entry(slot).or_default();
        match part {
            "" => content.kind = Some(item.parse("p256, p384, rsa2048 or none", key_kind)?),
            "key" => content.key = Some(item.parse("the name of a PEM file", path)?),
            "cert" => {
                content.certificate = Some(item.parse("the name of a PEM or DER file", path)?);
            }
            _ => return Err(unknown()),
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
        "none" => Some(None),
        _ => None,
    }
}

/// From 5.3.0 on programs ask for metadata of keys and do not go on without them.
fn firmware(text: &str) -> Option<[u8; 3]> {
    let parts: Vec<u8> = text.split('.').map(|part| part.parse().ok()).collect::<Option<_>>()?;
    let version = <[u8; 3]>::try_from(parts).ok()?;
    ([1, 0, 0]..[5, 3, 0]).contains(&version).then_some(version)
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

#[cfg(test)]
mod tests;
