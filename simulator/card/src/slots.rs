//! What stands in the key slots of a card.

use alloc::collections::BTreeMap;
use alloc::vec::Vec;

use rand_chacha::ChaCha20Rng;
use rand_core::SeedableRng;
use scard_types::StatusWord;

use crate::PivCard;
use crate::certificate;
use crate::contents;
use crate::key::{KeyAlgorithm, PrivateKey};
use crate::policy::Policies;
use crate::slot::KeySlot;
use crate::status::{NO_DIAGNOSIS, REFERENCE_NOT_FOUND};

/// Where a slot's key comes from.
#[derive(Debug)]
pub enum KeySource {
    /// The card makes it from its seed when it is first needed, so that no start waits for it.
    Made(KeyAlgorithm),
    /// It was given.
    Given(PrivateKey),
}

impl KeySource {
    pub(crate) const fn algorithm(&self) -> KeyAlgorithm {
        match self {
            Self::Made(algorithm) => *algorithm,
            Self::Given(key) => key.algorithm(),
        }
    }
}

/// What a slot holds when the card is new.
#[derive(Debug)]
pub struct SlotProfile {
    /// The key.
    pub key: KeySource,
    /// The certificate, DER; without it the card signs one itself.
    pub certificate: Option<Vec<u8>>,
}

/// Where a key was made; only for those of its own a card attests.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Origin {
    Card,
    Outside,
}

/// A slot at work.
pub(crate) struct Content {
    pub(crate) key: KeySource,
    pub(crate) origin: Origin,
    pub(crate) policies: Policies,
    /// The certificate object is still to be made, for the key that is here.
    pub(crate) certificate_due: bool,
}

impl Content {
    /// What a new card holds in a slot.
    pub(crate) const fn new(slot: KeySlot, key: KeySource, certificate_due: bool) -> Self {
        let origin = match key {
            KeySource::Made(_) => Origin::Card,
            KeySource::Given(_) => Origin::Outside,
        };
        Self { key, origin, policies: Policies::of(slot), certificate_due }
    }

    /// The key, if it has been made.
    pub(crate) const fn ready_key(&self) -> Option<&PrivateKey> {
        match &self.key {
            KeySource::Made(_) => None,
            KeySource::Given(key) => Some(key),
        }
    }
}

/// All slots. Keys and certificates that the card makes itself are made when they are first needed; each slot draws
/// from a stream of its own, so that the order does not matter.
pub(crate) struct Slots {
    pub(crate) contents: BTreeMap<KeySlot, Content>,
    pub(crate) seed: [u8; 32],
}

impl Slots {
    pub(crate) const fn new(seed: [u8; 32]) -> Self {
        Self { contents: BTreeMap::new(), seed }
    }

    pub(crate) fn put(&mut self, slot: KeySlot, content: Content) {
        self.contents.insert(slot, content);
    }

    pub(crate) fn content(&self, slot: KeySlot) -> Result<&Content, StatusWord> {
        self.contents.get(&slot).ok_or(REFERENCE_NOT_FOUND)
    }

    /// Whether the slot's key is still to be made.
    pub(crate) fn key_is_due(&self, slot: KeySlot) -> bool {
        self.contents.get(&slot).is_some_and(|content| content.ready_key().is_none())
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

    /// The content of a slot with its key made.
    pub(crate) fn settled(&mut self, slot: KeySlot) -> Result<(&Content, &PrivateKey), StatusWord> {
        self.settle(slot)?;
        let content = self.slots.content(slot)?;
        Ok((content, content.ready_key().ok_or(NO_DIAGNOSIS)?))
    }
}
