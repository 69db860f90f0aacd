//! A value that somebody has to know, with its counter: PIN, PUK. SP 800-73-4 part 2, 2.4.3.

use alloc::vec::Vec;

use scard_types::{Pin, StatusWord};
use zeroize::Zeroizing;

use crate::status::{BLOCKED, tries_left};

/// Every reference is sent in so many bytes, padded on the right.
pub(crate) const PADDED_BYTES: usize = 8;
/// What they are padded with.
pub(crate) const PADDING: u8 = 0xFF;
/// A value as it is sent.
pub(crate) type Padded = [u8; PADDED_BYTES];

/// A PIN or PUK with its counter.
pub(crate) struct Reference {
    value: Zeroizing<Padded>,
    left: u8,
    tries: u8,
    /// It was right, and nothing has taken that back since.
    verified: bool,
}

impl Reference {
    /// `None` if the value does not fit into eight bytes or is one that `is_well_formed` refuses.
    pub(crate) fn new(
        value: &Pin,
        tries: u8,
        is_well_formed: impl Fn(&Padded) -> bool,
    ) -> Option<Self> {
        let mut padded = Zeroizing::new([PADDING; PADDED_BYTES]);
        padded.get_mut(..value.expose().len())?.copy_from_slice(value.expose());
        is_well_formed(&padded).then(|| Self::padded(*padded, tries))
    }

    /// With all tries left.
    pub(crate) fn padded(value: Padded, tries: u8) -> Self {
        Self { value: Zeroizing::new(value), left: tries, tries, verified: false }
    }

    /// Whether it is this one.
    pub(crate) fn is(&self, value: &Padded) -> bool {
        equal(self.value.as_slice(), value)
    }

    /// Tries after a right one.
    pub(crate) const fn tries(&self) -> u8 {
        self.tries
    }

    /// Tries left now.
    pub(crate) const fn left(&self) -> u8 {
        self.left
    }

    /// Value, tries left, tries: what stays when the power goes.
    pub(crate) fn to_bytes(&self) -> Zeroizing<Vec<u8>> {
        let mut bytes = Zeroizing::new(Vec::with_capacity(PADDED_BYTES.saturating_add(2)));
        bytes.extend_from_slice(self.value.as_slice());
        bytes.extend_from_slice(&[self.left, self.tries]);
        bytes
    }

    pub(crate) fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let (value, [left, tries]) = bytes.split_first_chunk::<PADDED_BYTES>()? else {
            return None;
        };
        let reference = Self { left: *left, ..Self::padded(*value, *tries) };
        (left <= tries && *tries > 0).then_some(reference)
    }

    /// Takes one try off before it compares, as a card that could lose power in between must.
    pub(crate) fn check(&mut self, presented: &Padded) -> Result<(), StatusWord> {
        self.verified = false;
        self.left = self.left.checked_sub(1).ok_or(BLOCKED)?;
        if !self.is(presented) {
            return Err(tries_left(self.left));
        }
        self.left = self.tries;
        self.verified = true;
        Ok(())
    }

    /// Another value, with all tries left.
    pub(crate) fn replace(&mut self, value: Padded) {
        *self.value = value;
        self.left = self.tries;
    }

    /// How things stand: what VERIFY without data answers.
    pub(crate) const fn state(&self) -> Result<(), StatusWord> {
        match self.left {
            _ if self.verified => Ok(()),
            0 => Err(BLOCKED),
            left => Err(tries_left(left)),
        }
    }

    pub(crate) const fn is_verified(&self) -> bool {
        self.verified
    }

    /// Takes back what the right value has opened.
    pub(crate) fn forget(&mut self) {
        self.verified = false;
    }

    pub(crate) const fn refuse_if_blocked(&self) -> Result<(), StatusWord> {
        if self.left == 0 { Err(BLOCKED) } else { Ok(()) }
    }
}

/// Compares without leaving early.
pub(crate) fn equal(left: &[u8], right: &[u8]) -> bool {
    left.len() == right.len()
        && left.iter().zip(right).fold(0, |difference, (l, r)| difference | (l ^ r)) == 0
}
