//! How virtual readers are ordered: one line of text.
//!
//! `piv[,KEY=VALUE|,KEY]...`; double quotes around a value let it hold commas.
//!
//! | key | meaning | default |
//! | --- | --- | --- |
//! | `name=TEXT` | name of the reader, used as it stands | `scard Virtual PIV Reader RR SS` |
//! | `preset=nist`, `preset=yubikey-5` | a card of the standard, or a YubiKey 5: its name, answer to reset, `firmware=5.4.3` | `nist` |
//! | `count=N` | so many readers, 1 to 10,000; their serial numbers count up | 1 |
//! | `empty` | without a card in it; one is kept beside it for `insert` | |
//! | `atr=HEX` | the card's answer to reset | a contact card that speaks T=1 |
//! | `serial=N` | the card's serial number | counts up from 1 |
//! | `firmware=A.B.C` | claims to be a YubiKey of that version, below 5.8.0 | none |
//! | `pin=DIGITS` | six to eight digits | 123456 |
//! | `global-pin=DIGITS` | a PIN that is as good as the other | none |
//! | `puk=TEXT` | up to eight characters | 12345678 |
//! | `state=FILE` | the card's memory is in this file; what describes a card is for the first one only | in memory, gone at the end |
//! | `seed=N` | the same keys and random numbers each time | different each time |
//! | `9b=CIPHER[:HEX]` | management key: `3des`, `aes128`, `aes192`, `aes256` | `3des` (from 5.7.0 on `aes192`) with the well-known key |
//! | `9a=KIND` | `p256`, `p384`, `rsa2048`, `rsa3072`, `rsa4096`: made when it is first used; `none`: the slot is empty | `p256` |
//! | `9a.key=FILE` | a private key instead: PEM, PKCS#8, PKCS#1 or SEC1, no password | |
//! | `9a.cert=FILE` | the certificate instead of one that the card signs itself: PEM or DER | |
//!
//! The last three likewise for `9c`, `9d` and `9e`; for the retired keys `82` to `95`, which are empty otherwise; and
//! for `f9` of a YubiKey, which attests.
//!
//! `blank` instead of `piv` is a card without an application, which answers 9000 and as many zero bytes as Le asks for;
//! of the keys, `name`, `count`, `empty`, `atr` and `serial` are for it.

use std::fmt;
use std::str::FromStr;

use reader_api::order::{Item, Items};
use scard_types::ReaderName;

mod card;
mod error;

pub use card::{CardSpec, Preset, SlotSpec};
pub use error::SpecError;

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

impl FromStr for SimSpec {
    type Err = SpecError;

    fn from_str(text: &str) -> Result<Self, SpecError> {
        let mut items = Items::new(text);
        let is_blank = match items.next().transpose()? {
            Some(Item { key: "piv", value: None }) => false,
            Some(Item { key: "blank", value: None }) => true,
            other => {
                let word = other.map_or("", |item| item.key).to_owned();
                return Err(SpecError::UnknownCard { word });
            }
        };
        let card = CardSpec { is_blank, ..CardSpec::default() };
        let mut spec = Self { card, line: Line(text.to_owned()), ..Self::default() };
        let mut seen = Vec::new();
        for item in items {
            let item = item?;
            if seen.contains(&item.key) {
                return Err(SpecError::Repeated { key: item.key.to_owned() });
            }
            seen.push(item.key);
            spec.set(&item)?;
        }
        spec.card.check()?;
        if spec.card.state.is_some() && spec.reader.count > 1 {
            return Err(SpecError::Conflict { key: "count".to_owned(), other: "state".to_owned() });
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
            "empty" => return Err(item.bad("no value").into()),
            _ => self.card.set(item)?,
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
