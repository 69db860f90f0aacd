//! The four key slots of the card edge, SP 800-73-4 part 1, 3.1 and part 2, table 4.

use alloc::collections::BTreeMap;
use alloc::vec::Vec;

use rand_chacha::ChaCha20Rng;
use rand_core::SeedableRng;
use scard_types::StatusWord;

use crate::PivCard;
use crate::certificate;
use crate::contents;
use crate::key::{KeyAlgorithm, PrivateKey};
use crate::status::NO_DIAGNOSIS;

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
}

impl KeySlot {
    /// All of them, in the order of their references.
    pub const ALL: [Self; 4] =
        [Self::Authentication, Self::Signature, Self::KeyManagement, Self::CardAuthentication];

    /// The key reference, P2 of the commands.
    #[must_use]
    pub const fn reference(self) -> u8 {
        match self {
            Self::Authentication => 0x9A,
            Self::Signature => 0x9C,
            Self::KeyManagement => 0x9D,
            Self::CardAuthentication => 0x9E,
        }
    }

    /// The slot of a key reference.
    #[must_use]
    pub fn from_reference(reference: u8) -> Option<Self> {
        Self::ALL.into_iter().find(|slot| slot.reference() == reference)
    }

    /// The tag of the object that holds its certificate.
    #[must_use]
    pub const fn certificate_tag(self) -> u32 {
        match self {
            Self::Authentication => 0x5F_C105,
            Self::Signature => 0x5F_C10A,
            Self::KeyManagement => 0x5F_C10B,
            Self::CardAuthentication => 0x5F_C101,
        }
    }

    /// The slot whose certificate stands in an object.
    #[must_use]
    pub fn from_certificate_tag(tag: u32) -> Option<Self> {
        Self::ALL.into_iter().find(|slot| slot.certificate_tag() == tag)
    }
}

/// Where a slot's key comes from.
#[derive(Debug)]
pub enum KeySource {
    /// The card makes it from its seed when it is first needed, so that no start waits for it.
    Made(KeyAlgorithm),
    /// It was given.
    Given(PrivateKey),
}

/// What a slot holds when the card is new.
#[derive(Debug)]
pub struct SlotProfile {
    /// The key.
    pub key: KeySource,
    /// The certificate, DER; without it the card signs one itself.
    pub certificate: Option<Vec<u8>>,
}

/// A slot at work.
struct Content {
    key: KeySource,
    /// The certificate object is still to be made, for the key that is here.
    certificate_due: bool,
}

/// All slots. Keys and certificates that the card makes itself are made when they are first needed; each slot draws
/// from a stream of its own, so that the order does not matter.
pub(crate) struct Slots {
    contents: BTreeMap<KeySlot, Content>,
    seed: [u8; 32],
}

impl Slots {
    pub(crate) const fn new(seed: [u8; 32]) -> Self {
        Self { contents: BTreeMap::new(), seed }
    }

    pub(crate) fn insert(&mut self, slot: KeySlot, key: KeySource, certificate_due: bool) {
        self.contents.insert(slot, Content { key, certificate_due });
    }

    pub(crate) fn algorithm(&self, slot: KeySlot) -> Option<KeyAlgorithm> {
        match &self.contents.get(&slot)?.key {
            KeySource::Made(algorithm) => Some(*algorithm),
            KeySource::Given(key) => Some(key.algorithm()),
        }
    }

    /// The key, if it is there already.
    pub(crate) fn key(&self, slot: KeySlot) -> Option<&PrivateKey> {
        match &self.contents.get(&slot)?.key {
            KeySource::Made(_) => None,
            KeySource::Given(key) => Some(key),
        }
    }

    pub(crate) fn put_key(&mut self, slot: KeySlot, key: PrivateKey) {
        self.insert(slot, KeySource::Given(key), false);
    }

    /// Whether the slot's certificate is still to be made.
    pub(crate) fn certificate_is_due(&self, slot: KeySlot) -> bool {
        self.contents.get(&slot).is_some_and(|content| content.certificate_due)
    }

    /// The certificate was written from outside.
    pub(crate) fn certificate_is_given(&mut self, slot: KeySlot) {
        if let Some(content) = self.contents.get_mut(&slot) {
            content.certificate_due = false;
        }
    }
}

impl PivCard {
    /// Makes what the slot still owes: its key, and its certificate.
    pub(crate) fn settle(&mut self, slot: KeySlot) -> Result<(), StatusWord> {
        let mut rng = ChaCha20Rng::from_seed(self.slots.seed);
        rng.set_stream(u64::from(slot.reference()));
        let Some(content) = self.slots.contents.get_mut(&slot) else { return Ok(()) };
        if let KeySource::Made(algorithm) = content.key {
            let key = PrivateKey::generate(algorithm, &mut rng).ok_or(NO_DIAGNOSIS)?;
            content.key = KeySource::Given(key);
        }
        if let (true, KeySource::Given(key)) = (content.certificate_due, &content.key) {
            let certificate =
                certificate::self_signed(slot, key, self.serial, &self.validity, &mut rng)
                    .ok_or(NO_DIAGNOSIS)?;
            content.certificate_due = false;
            self.objects.put(slot.certificate_tag(), contents::certificate(&certificate));
        }
        Ok(())
    }
}
