//! The keys of a card, by their reference.

use std::fmt;

/// A key reference, SP 800-73-4 part 1, table 4b.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum KeySlot {
    /// 9A: PIV authentication, PIN once per session. Log on with this one.
    Authentication,
    /// 9C: digital signature, PIN before every use.
    Signature,
    /// 9D: key management, PIN once per session.
    KeyManagement,
    /// 9E: card authentication, no PIN.
    CardAuthentication,
    /// 82 to 95: retired key management key.
    Retired(RetiredKey),
}

/// Which of the twenty retired keys.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RetiredKey(u8);

impl KeySlot {
    /// The four keys that every card may have.
    pub const STANDARD: [Self; 4] =
        [Self::Authentication, Self::Signature, Self::KeyManagement, Self::CardAuthentication];

    /// The retired key with that number, 1 to 20.
    #[must_use]
    pub const fn retired(number: u8) -> Option<Self> {
        match number {
            1..=20 => Some(Self::Retired(RetiredKey(number))),
            _ => None,
        }
    }

    /// The slot with that key reference.
    #[must_use]
    pub const fn from_reference(reference: u8) -> Option<Self> {
        match reference {
            0x9A => Some(Self::Authentication),
            0x9C => Some(Self::Signature),
            0x9D => Some(Self::KeyManagement),
            0x9E => Some(Self::CardAuthentication),
            0x82..=0x95 => Self::retired(reference.wrapping_sub(0x81)),
            _ => None,
        }
    }

    /// The key reference, as P2 of GENERAL AUTHENTICATE has it.
    #[must_use]
    pub const fn reference(self) -> u8 {
        match self {
            Self::Authentication => 0x9A,
            Self::Signature => 0x9C,
            Self::KeyManagement => 0x9D,
            Self::CardAuthentication => 0x9E,
            Self::Retired(RetiredKey(number)) => number.wrapping_add(0x81),
        }
    }

    /// What the key is for, in the words of the standard.
    #[must_use]
    pub const fn purpose(self) -> &'static str {
        match self {
            Self::Authentication => "PIV authentication",
            Self::Signature => "digital signature",
            Self::KeyManagement => "key management",
            Self::CardAuthentication => "card authentication",
            Self::Retired(_) => "retired key management",
        }
    }
}

impl RetiredKey {
    /// Its number, 1 to 20.
    #[must_use]
    pub const fn number(self) -> u8 {
        self.0
    }
}

impl fmt::Display for KeySlot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:02X}", self.reference())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn references_and_slots_are_one_to_one() {
        let mut known = 0;
        for reference in 0..=u8::MAX {
            if let Some(slot) = KeySlot::from_reference(reference) {
                assert_eq!(slot.reference(), reference);
                known += 1;
            }
        }
        assert_eq!(known, 24);
        assert_eq!(KeySlot::retired(0), None);
        assert_eq!(KeySlot::retired(21), None);
    }
}
