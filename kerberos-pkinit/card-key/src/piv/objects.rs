//! Small objects: CHUID, discovery, key history (SP 800-73-4 part 1, 3.1.2, 3.3.2 and 3.3.3).

use scard_types::tlv;

use super::PinReference;
use crate::Malformation;

/// The card holder unique identifier, as far as it is used to tell cards apart.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Chuid {
    /// The card's GUID: what Windows and OpenSC make its serial number from.
    pub guid: [u8; 16],
    /// The day it expires, as eight digits `YYYYMMDD`, where it says so.
    pub expires: Option<String>,
}

impl Chuid {
    pub(super) fn parse(content: &[u8]) -> Result<Self, Malformation> {
        let guid = tlv::find(content, 0x34).ok_or(Malformation::Missing { tag: 0x34 })?;
        let guid = guid
            .try_into()
            .map_err(|_| Malformation::WrongLength { tag: 0x34, got: guid.len() })?;
        let expires = tlv::find(content, 0x35)
            .filter(|day| day.len() == 8 && day.iter().all(u8::is_ascii_digit))
            .map(|day| String::from_utf8_lossy(day).into_owned());
        Ok(Self { guid, expires })
    }
}

/// The discovery object: which PINs there are, and which one the card prefers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Discovery {
    /// The card has a PIV application PIN that opens it.
    pub application_pin: bool,
    /// The global PIN opens it too.
    pub global_pin: bool,
    /// A fingerprint opens it too.
    pub on_card_comparison: bool,
    /// The PIN to ask for.
    pub preferred: PinReference,
}

impl Discovery {
    pub(super) fn parse(content: &[u8]) -> Result<Self, Malformation> {
        let policy = tlv::find(content, 0x5F2F).ok_or(Malformation::Missing { tag: 0x5F2F })?;
        let &[pins, preferred] = policy else {
            return Err(Malformation::WrongLength { tag: 0x5F2F, got: policy.len() });
        };
        let global_pin = pins & 0x20 != 0;
        Ok(Self {
            application_pin: pins & 0x40 != 0,
            global_pin,
            on_card_comparison: pins & 0x10 != 0,
            preferred: if global_pin && preferred == 0x20 {
                PinReference::Global
            } else {
                PinReference::Application
            },
        })
    }
}

/// How many retired keys there are, and where.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KeyHistory {
    /// With their certificates on the card.
    pub on_card: u8,
    /// With their certificates elsewhere.
    pub off_card: u8,
}

impl KeyHistory {
    pub(super) fn parse(content: &[u8]) -> Result<Self, Malformation> {
        Ok(Self { on_card: count(content, 0xC1)?, off_card: count(content, 0xC2)? })
    }
}

fn count(content: &[u8], tag: u32) -> Result<u8, Malformation> {
    match tlv::find(content, tag) {
        None => Err(Malformation::Missing { tag }),
        Some(&[count]) => Ok(count),
        Some(value) => Err(Malformation::WrongLength { tag, got: value.len() }),
    }
}
