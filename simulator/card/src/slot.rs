//! Where keys and their certificates stand, SP 800-73-4 part 1, 3.1 and part 2, table 4.

/// A place for a key and its certificate.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum KeySlot {
    /// 9A, PIV authentication: the PIN once.
    Authentication,
    /// 9C, digital signature: the PIN just before each use.
    Signature,
    /// 9D, key management: the PIN once.
    KeyManagement,
    /// 9E, card authentication: no PIN.
    CardAuthentication,
    /// 82 to 95, retired key management: the PIN once.
    Retired(RetiredKey),
    /// F9, attestation: signs certificates about keys in the other slots. Cards of Yubico only.
    Attestation,
}

/// Which of the twenty retired keys.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RetiredKey(u8);

impl RetiredKey {
    /// How many there can be.
    pub const MOST: u8 = 20;

    /// The retired key of a number from 1 to 20.
    #[must_use]
    pub const fn new(number: u8) -> Option<Self> {
        if matches!(number, 1..=Self::MOST) { Some(Self(number)) } else { None }
    }

    /// Its number, from 1 to 20.
    #[must_use]
    pub const fn number(self) -> u8 {
        self.0
    }
}

impl KeySlot {
    /// Those that every card has, in the order of their references.
    pub const STANDARD: [Self; 4] =
        [Self::Authentication, Self::Signature, Self::KeyManagement, Self::CardAuthentication];

    /// The slots of the retired keys.
    pub fn retired() -> impl Iterator<Item = Self> {
        (1..=RetiredKey::MOST).filter_map(RetiredKey::new).map(Self::Retired)
    }

    /// All of them.
    pub fn all() -> impl Iterator<Item = Self> {
        Self::STANDARD.into_iter().chain(Self::retired()).chain([Self::Attestation])
    }

    /// The key reference, P2 of the commands.
    #[must_use]
    pub const fn reference(self) -> u8 {
        match self {
            Self::Authentication => 0x9A,
            Self::Signature => 0x9C,
            Self::KeyManagement => 0x9D,
            Self::CardAuthentication => 0x9E,
            Self::Retired(key) => key.0.saturating_add(0x81),
            Self::Attestation => 0xF9,
        }
    }

    /// The slot of a key reference.
    #[must_use]
    pub fn from_reference(reference: u8) -> Option<Self> {
        Self::all().find(|slot| slot.reference() == reference)
    }

    /// The tag of the object that holds its certificate.
    #[must_use]
    pub fn certificate_tag(self) -> u32 {
        match self {
            Self::Authentication => 0x5F_C105,
            Self::Signature => 0x5F_C10A,
            Self::KeyManagement => 0x5F_C10B,
            Self::CardAuthentication => 0x5F_C101,
            Self::Retired(key) => u32::from(key.0).saturating_add(0x5F_C10C),
            Self::Attestation => 0x5F_FF01,
        }
    }

    /// The slot whose certificate stands in an object.
    #[must_use]
    pub fn from_certificate_tag(tag: u32) -> Option<Self> {
        Self::all().find(|slot| slot.certificate_tag() == tag)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn references_and_tags_lead_back_to_their_slots() {
        assert_eq!(KeySlot::all().count(), 25);
        for slot in KeySlot::all() {
            assert_eq!(KeySlot::from_reference(slot.reference()), Some(slot));
            assert_eq!(KeySlot::from_certificate_tag(slot.certificate_tag()), Some(slot));
        }
        let last = KeySlot::retired().last().unwrap();
        assert_eq!((last.reference(), last.certificate_tag()), (0x95, 0x5F_C120));
        assert_eq!(KeySlot::from_reference(0x96), None);
        assert_eq!(KeySlot::from_certificate_tag(0x5F_C121), None);
    }
}
