//! Clients, cards and readers that mean harm. The table of docs/security.md says which threat each test is about.
//!
//! [`siege::withstand`] has an attack made twice by another user while a victim works: he gets right answers all the
//! time, and neither descriptors nor memory of the daemon stay behind.

mod cards;
mod connections;
mod deaths;
mod messages;
mod numbers;
mod siege;
mod transactions;
mod victim;
mod waits;

pub(crate) use siege::{daemon, withstand};

/// Numbers that look like chance and are the same in each run (xorshift).
pub(crate) struct Chance(u64);

impl Chance {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1)
    }

    pub(crate) fn below(&mut self, limit: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 >> 33).expect("31 bits") % limit
    }

    pub(crate) fn bytes(&mut self, count: usize) -> Vec<u8> {
        (0..count).map(|_| u8::try_from(self.below(256)).expect("it is below 256")).collect()
    }
}
