//! The data objects of a card, SP 800-73-4 part 1, table 3.

use std::fmt;

use super::KeySlot;

/// A data object.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Container {
    /// Card capability container.
    CardCapability,
    /// Card holder unique identifier.
    Chuid,
    /// The certificate of a key.
    Certificate(KeySlot),
    /// Discovery object.
    Discovery,
    /// Key history object.
    KeyHistory,
}

impl Container {
    /// The BER-TLV tag that names it in GET DATA: `5F C1 05`, or `7E` for the discovery object.
    #[must_use]
    pub fn tag(self) -> u32 {
        match self {
            Self::CardCapability => 0x5F_C107,
            Self::Chuid => 0x5F_C102,
            Self::Certificate(KeySlot::Authentication) => 0x5F_C105,
            Self::Certificate(KeySlot::Signature) => 0x5F_C10A,
            Self::Certificate(KeySlot::KeyManagement) => 0x5F_C10B,
            Self::Certificate(KeySlot::CardAuthentication) => 0x5F_C101,
            // Retired keys 1 to 20 follow one another from 5FC10D.
            Self::Certificate(KeySlot::Retired(key)) => {
                0x5F_C10C_u32.saturating_add(u32::from(key.number()))
            }
            Self::Discovery => 0x7E,
            Self::KeyHistory => 0x5F_C10C,
        }
    }

    /// The tag around the content in the answer: 53, but for the discovery object, which is its own template.
    pub(super) const fn template_tag(self) -> u32 {
        match self {
            Self::Discovery => 0x7E,
            _ => 0x53,
        }
    }
}

impl fmt::Display for Container {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::CardCapability => f.write_str("the card capability container"),
            Self::Chuid => f.write_str("the card holder unique identifier"),
            Self::Certificate(slot) => write!(f, "certificate {slot}"),
            Self::Discovery => f.write_str("the discovery object"),
            Self::KeyHistory => f.write_str("the key history"),
        }
    }
}
