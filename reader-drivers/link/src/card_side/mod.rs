//! The card's side of T=0 and T=1: for virtual cards behind readers that leave the protocol to their host, and for the
//! tests of the reader's side.
//!
//! Both are read from the standard on their own account and share no code with [`crate::t0`] and [`crate::t1`], so
//! that the two readings test each other. A card is asked through [`Application`].

mod t0;
mod t1;

pub use t0::{CardCharacters, T0Card};
pub use t1::{T1Card, T1Habits};

use alloc::vec::Vec;

/// What a card does with an APDU.
pub trait Application {
    /// One command APDU in, one response APDU out.
    fn perform(&mut self, command: &[u8]) -> Vec<u8>;

    /// Whether a command with that header brings data: under T=0 the card has to know.
    fn takes_data(&self, header: [u8; 4]) -> bool;
}

impl<A: Application + ?Sized> Application for &mut A {
    fn perform(&mut self, command: &[u8]) -> Vec<u8> {
        (**self).perform(command)
    }

    fn takes_data(&self, header: [u8; 4]) -> bool {
        (**self).takes_data(header)
    }
}
