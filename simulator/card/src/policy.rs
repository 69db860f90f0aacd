//! What using a key takes: the PIN, a touch. SP 800-73-4 part 1, table 4b for the keys of the standard; the numbers are
//! those of Yubico's extensions, where each key may have its own policies.

use crate::slot::KeySlot;

/// When the PIN is needed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum PinPolicy {
    /// Never.
    Never,
    /// Once since the last reset.
    Once,
    /// Just before each use.
    Always,
}

/// When somebody has to touch the card. A virtual card has no finger to wait for: the policy is kept and reported.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum TouchPolicy {
    /// Never.
    Never,
    /// For each use.
    Always,
    /// For each use, and good for 15 seconds.
    Cached,
}

impl PinPolicy {
    /// Its number in AA and in metadata.
    pub(crate) const fn identifier(self) -> u8 {
        match self {
            Self::Never => 1,
            Self::Once => 2,
            Self::Always => 3,
        }
    }

    /// 4 and 5 are for cards that know fingers.
    pub(crate) fn from_identifier(identifier: u8) -> Option<Self> {
        [Self::Never, Self::Once, Self::Always]
            .into_iter()
            .find(|policy| policy.identifier() == identifier)
    }
}

impl TouchPolicy {
    /// Its number in AB and in metadata.
    pub(crate) const fn identifier(self) -> u8 {
        match self {
            Self::Never => 1,
            Self::Always => 2,
            Self::Cached => 3,
        }
    }

    pub(crate) fn from_identifier(identifier: u8) -> Option<Self> {
        [Self::Never, Self::Always, Self::Cached]
            .into_iter()
            .find(|policy| policy.identifier() == identifier)
    }
}

/// Both policies of a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Policies {
    pub(crate) pin: PinPolicy,
    pub(crate) touch: TouchPolicy,
}

impl Policies {
    /// Those that the standard gives to the keys of a slot.
    pub(crate) const fn of(slot: KeySlot) -> Self {
        let pin = match slot {
            KeySlot::CardAuthentication => PinPolicy::Never,
            KeySlot::Signature => PinPolicy::Always,
            KeySlot::Authentication
            | KeySlot::KeyManagement
            | KeySlot::Retired(_)
            | KeySlot::Attestation => PinPolicy::Once,
        };
        Self { pin, touch: TouchPolicy::Never }
    }

    /// Takes one of the elements AA and AB over; 0 stands for "as it is anyway". `None` if it is neither, or says
    /// something unknown.
    pub(crate) fn set(&mut self, tag: u32, value: &[u8]) -> Option<()> {
        match (tag, value) {
            (0xAA | 0xAB, [0]) => {}
            (0xAA, [identifier]) => self.pin = PinPolicy::from_identifier(*identifier)?,
            (0xAB, [identifier]) => self.touch = TouchPolicy::from_identifier(*identifier)?,
            _ => return None,
        }
        Some(())
    }

    /// As they stand in metadata and attestations.
    pub(crate) const fn to_bytes(self) -> [u8; 2] {
        [self.pin.identifier(), self.touch.identifier()]
    }

    pub(crate) fn from_bytes([pin, touch]: [u8; 2]) -> Option<Self> {
        Some(Self {
            pin: PinPolicy::from_identifier(pin)?,
            touch: TouchPolicy::from_identifier(touch)?,
        })
    }
}
